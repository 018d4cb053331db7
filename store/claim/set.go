package claim

import (
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"constat/store"
)

//go:embed xiaomi/*.yaml
var builtIn embed.FS

//go:embed template.yaml
var template string

// Template is a claim file in which comments explain each field. It is a claim that
// can be asked.
func Template() string { return template }

// Set is a list of claims, each with an id of its own, in the order of their ids.
type Set struct {
	Name   string
	Claims []*Claim
}

// BuiltIn names the sets in the program.
var BuiltIn = []string{"xiaomi"}

const maxFiles = 300

// Open returns a built-in set, or the claims in a file or in the *.yaml files of a
// folder. What is wrong with a file is an *Error.
func Open(name string) (*Set, error) {
	if slices.Contains(BuiltIn, name) {
		return open(name, builtIn, name, "")
	}
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return open(name, os.DirFS(name), ".", name)
	}
	return open(name, os.DirFS(filepath.Dir(name)), filepath.Base(name), filepath.Dir(name))
}

// open reads a file, or the *.yaml files of a folder. shown is what goes before
// their names in errors.
func open(name string, fsys fs.FS, at, shown string) (_ *Set, err error) {
	files := []string{at}
	if info, err := fs.Stat(fsys, at); err != nil {
		return nil, err
	} else if info.IsDir() {
		if files, err = glob(fsys, at); err != nil {
			return nil, err
		}
		if len(files) == 0 {
			return nil, &Error{File: name, Text: "no file here ends in .yaml; 'constat claims new' prints a template"}
		}
	}
	if len(files) > maxFiles {
		return nil, &Error{File: name, Text: fmt.Sprintf("more than %d files", maxFiles)}
	}
	checker, err := store.NewChecker()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, checker.Close()) }()
	set := &Set{Name: name}
	from := map[string]string{}
	for _, f := range files {
		path := filepath.Join(shown, f)
		c, err := read(fsys, f, path, checker)
		if err != nil {
			return nil, err
		}
		if other := from[strings.ToLower(c.ID)]; other != "" {
			return nil, &Error{File: path, Text: "the id " + c.ID + " is taken by " + other + ": give it another"}
		}
		from[strings.ToLower(c.ID)] = path
		set.Claims = append(set.Claims, c)
	}
	slices.SortFunc(set.Claims, func(a, b *Claim) int { return byID(a.ID, b.ID) })
	return set, nil
}

func glob(fsys fs.FS, dir string) (files []string, err error) {
	for _, ext := range []string{"yaml", "yml"} {
		pattern := "*." + ext
		if dir != "." {
			pattern = dir + "/" + pattern
		}
		found, err := fs.Glob(fsys, pattern)
		if err != nil {
			return nil, err
		}
		files = append(files, found...)
	}
	return files, nil
}

func read(fsys fs.FS, name, shown string, checker *store.Checker) (*Claim, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	c, err := parse(shown, io.Reader(f), checker)
	return c, errors.Join(err, f.Close())
}

var endNumber = regexp.MustCompile(`^(.*?)(\d{1,9})$`)

// byID orders C2 before C10.
func byID(a, b string) int {
	x, y := endNumber.FindStringSubmatch(a), endNumber.FindStringSubmatch(b)
	if x != nil && y != nil && x[1] == y[1] {
		m, _ := strconv.Atoi(x[2])
		n, _ := strconv.Atoi(y[2])
		if m != n {
			return m - n
		}
	}
	return strings.Compare(a, b)
}

// Find returns the claim with an id in any case of letters, nil when there is
// none.
func (s *Set) Find(id string) *Claim {
	for _, c := range s.Claims {
		if strings.EqualFold(c.ID, id) {
			return c
		}
	}
	return nil
}
