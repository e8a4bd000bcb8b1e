package main

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// file is a file of an artifact.
type file struct {
	path   string // where it lies
	mode   fs.FileMode
	size   int64 // bytes
	digest [sha256.Size]byte
}

// list returns the files below a folder by their names in it. A link is not followed: Lambda's zip has none.
func list(folder string) (map[string]file, error) {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	files := map[string]file{}
	err = fs.WalkDir(root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		found := file{path: filepath.Join(folder, name), mode: info.Mode(), size: info.Size()}
		if info.Mode().IsRegular() {
			data, err := root.ReadFile(name)
			if err != nil {
				return err
			}
			found.digest = sha256.Sum256(data)
		}
		files[name] = found
		return nil
	})
	return files, err
}

// differences says which files two builds of the same source do not share.
func differences(one, other map[string]file) []string {
	var found []string
	for _, name := range slices.Sorted(maps.Keys(one)) {
		again, there := other[name]
		switch {
		case !there:
			found = append(found, name+" is not made by every build")
		case again.digest != one[name].digest:
			found = append(found, fmt.Sprintf("%s differs from build to build: every deployment would replace the function", name))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(other)) {
		if _, there := one[name]; !there {
			found = append(found, name+" is not made by every build")
		}
	}
	return found
}
