package iamauth

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// WriteCredentialsFile writes an AWS shared credentials file with one profile for each principal, in the order of their
// names. With it the AWS CLI and the SDKs can sign as any of them. Each profile has the region, because the tools read
// it there, too. Only the owner may read the file. The file is replaced in one step: a reader sees the old profiles or
// the new ones.
//
// Profile names are letters, digits, - and _. The folder must exist.
func WriteCredentialsFile(path, region string, profiles map[string]*Principal) error {
	text, err := credentialsFile(region, profiles)
	if err == nil {
		err = replaceFile(path, text)
	}
	if err != nil {
		return fmt.Errorf("write AWS credentials file %s: %w", path, err)
	}
	return nil
}

// credentialsFile returns the text of the file.
//
// Source: AWS SDKs and Tools Reference Guide, "Shared config and credentials files".
func credentialsFile(region string, profiles map[string]*Principal) (string, error) {
	valid := regexp.MustCompile(`^[A-Za-z0-9_-]+$`)
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(profiles)) {
		if !valid.MatchString(name) {
			return "", fmt.Errorf("profile name %q: only letters, digits, - and _ are allowed", name)
		}
		c := profiles[name].Credentials()
		fmt.Fprintf(&b, "[%s]\n", name)
		fmt.Fprintf(&b, "aws_access_key_id = %s\n", c.AccessKeyID)
		fmt.Fprintf(&b, "aws_secret_access_key = %s\n", c.SecretAccessKey)
		if c.SessionToken != "" {
			fmt.Fprintf(&b, "aws_session_token = %s\n", c.SessionToken)
		}
		fmt.Fprintf(&b, "region = %s\n\n", region)
	}
	return b.String(), nil
}

// replaceFile writes text to a new file beside path and renames it to path.
func replaceFile(path, text string) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".credentials-*") // with mode 0600
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // the caller gets the first error
	}
	return err
}
