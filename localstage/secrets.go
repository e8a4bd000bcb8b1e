package localstage

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"signedsocket/localstage/internal/template"
)

// secrets are the values of the template's secrets, by their dynamic references.
type secrets map[string]string

// openSecrets reads the secrets of earlier runs from a file, by ARN, and makes the new ones. So a signature of one run
// is valid in the next.
func openSecrets(path string, wanted []template.Secret) (secrets, error) {
	kept := map[string]string{}
	data, err := os.ReadFile(path) //nolint:gosec // a developer names the file
	if err == nil {
		err = json.Unmarshal(data, &kept)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read the secrets: %w (remove %s to get new ones)", err, path)
	}
	values, added := secrets{}, false
	for _, s := range wanted {
		if kept[s.ARN] == "" {
			kept[s.ARN], added = newSecret(s), true
		}
		values[s.SecretReference()] = kept[s.ARN]
	}
	if !added {
		return values, nil
	}
	if data, err = json.Marshal(kept); err != nil {
		return nil, fmt.Errorf("encode the secrets: %w", err)
	}
	if err := writeWhole(path, append(data, '\n')); err != nil {
		return nil, fmt.Errorf("write the secrets: %w", err)
	}
	return values, nil
}

// newSecret makes a value as Secrets Manager does.
// Source: Secrets Manager API reference, "GetRandomPassword".
func newSecret(s template.Secret) string {
	letters := "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	if !s.ExcludePunctuation {
		letters += "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
	}
	value := make([]byte, 0, s.Length)
	var random [64]byte
	for len(value) < s.Length {
		_, _ = rand.Read(random[:]) // never fails
		for _, b := range random {
			// Bytes beyond the last whole multiple would make some letters likelier.
			if int(b) < 256-256%len(letters) && len(value) < s.Length {
				value = append(value, letters[int(b)%len(letters)])
			}
		}
	}
	return string(value)
}

// resolve returns the value of a dynamic reference. Other texts stay as they are.
func (s secrets) resolve(text string) string {
	if value, ok := s[text]; ok {
		return value
	}
	return text
}

// writeWhole writes a file whole or not at all, for this user only.
func writeWhole(path string, data []byte) error {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	_, err = file.Write(data)
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	return err
}
