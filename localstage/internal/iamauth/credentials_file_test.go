package iamauth

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/config"
)

func TestCredentialsFileIsReadByTheSDK(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "credentials")
	profiles := map[string]*Principal{"SignUrlFunction": newSignURL(t), "admin": newAdmin(t)}
	if err := WriteCredentialsFile(path, testRegion, profiles); err != nil {
		t.Fatalf("WriteCredentialsFile: %v", err)
	}
	for name, p := range profiles {
		profile, err := config.LoadSharedConfigProfile(t.Context(), name, func(o *config.LoadSharedConfigOptions) {
			o.CredentialsFiles, o.ConfigFiles = []string{path}, []string{}
		})
		if err != nil {
			t.Fatalf("load profile %s: %v", name, err)
		}
		got, want := profile.Credentials, p.Credentials()
		if got.AccessKeyID != want.AccessKeyID || got.SecretAccessKey != want.SecretAccessKey ||
			got.SessionToken != want.SessionToken {
			t.Errorf("profile %s has other credentials than the principal", name)
		}
		if profile.Region != testRegion {
			t.Errorf("profile %s has region %q, want %q", name, profile.Region, testRegion)
		}
	}
}

func TestCredentialsFileIsPrivateAndReplacedWhole(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "credentials")
	if err := os.WriteFile(path, []byte("[old]\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	profiles := map[string]*Principal{}
	for _, name := range []string{"b", "a", "d", "c"} {
		profiles[name] = newAdmin(t)
	}
	var first []byte
	for range 3 {
		if err := WriteCredentialsFile(path, testRegion, profiles); err != nil {
			t.Fatalf("WriteCredentialsFile: %v", err)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = text
		}
		if !bytes.Equal(text, first) {
			t.Error("the same profiles give another file")
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode() != fs.FileMode(0o600) {
		t.Errorf("mode is %v, want 0600", info.Mode())
	}
	for i, name := range []string{"[a]", "[b]", "[c]", "[d]"} {
		if got := strings.Split(strings.TrimSpace(string(first)), "\n\n"); len(got) != 4 ||
			!strings.HasPrefix(got[i], name) {
			t.Errorf("profile %d is not %s", i, name)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("the folder has %v (%v), want the file alone", left, err)
	}
}

func TestWriteCredentialsFileNamesItsError(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	admin := map[string]*Principal{"admin": newAdmin(t)}
	for name, tt := range map[string]struct {
		path     string
		profiles map[string]*Principal
		want     string
	}{
		"no folder":      {filepath.Join(dir, "none", "credentials"), admin, "no such file or directory"},
		"path is folder": {dir, admin, "write AWS credentials file " + dir},
		"profile name": {
			filepath.Join(dir, "credentials"), map[string]*Principal{"a]\n[b": newAdmin(t)}, "profile name",
		},
	} {
		err := WriteCredentialsFile(tt.path, testRegion, tt.profiles)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: WriteCredentialsFile = %v, want %q", name, err, tt.want)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("the folder has %v (%v), want nothing", left, err)
	}
}
