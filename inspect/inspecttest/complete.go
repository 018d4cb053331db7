package inspecttest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Complete checks the package in dir: every variable of the type typ ("Decoder"
// or "Detector") stands alone in its file and in the list All, or else in a
// comment of all.go that starts with its name and a colon and says why it is
// left out. It fails when it finds no variable.
func Complete(t *testing.T, dir, typ string) {
	t.Helper()
	problems, err := incomplete(dir, typ)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Error(p)
	}
}

// incomplete returns what is wrong with the package in dir.
func incomplete(dir, typ string) (problems []string, err error) {
	problem := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	listed, leftOut, err := readAll(filepath.Join(dir, "all.go"))
	if err != nil {
		return nil, err
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	found := make(map[string]bool)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		vars, err := declared(file, typ)
		if err != nil {
			return nil, err
		}
		name := filepath.Base(file)
		if len(vars) > 1 {
			problem("%s: %s in one file, want a file for each", name, strings.Join(vars, ", "))
		}
		for _, v := range vars {
			found[v] = true
			if !listed[v] && !leftOut[v] {
				problem("%s: %s is neither in All nor, with the reason, among those left out in all.go", name, v)
			}
		}
	}
	if len(found) == 0 {
		problem("no variable of type inspect.%s", typ)
	}
	for _, v := range slices.Sorted(maps.Keys(listed)) {
		if !found[v] {
			problem("All lists %s, which is not a variable written as inspect.%s{...}", v, typ)
		}
	}
	return problems, nil
}

// declared returns the package-level variables of file that are composite
// literals of the type inspect.typ.
func declared(file, typ string) (names []string, err error) {
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	for _, d := range f.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.VAR {
			continue
		}
		for _, spec := range g.Specs {
			v := spec.(*ast.ValueSpec)
			for i, value := range v.Values {
				lit, ok := value.(*ast.CompositeLit)
				if !ok {
					continue
				}
				if sel, ok := lit.Type.(*ast.SelectorExpr); ok && sel.Sel.Name == typ {
					names = append(names, v.Names[i].Name)
				}
			}
		}
	}
	return names, nil
}

// readAll returns the elements of the list All and the names that the comments
// inside it give reasons for.
func readAll(file string) (listed, leftOut map[string]bool, err error) {
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
	if err != nil {
		return nil, nil, err
	}
	listed, leftOut = make(map[string]bool), make(map[string]bool)
	ast.Inspect(f, func(n ast.Node) bool {
		v, ok := n.(*ast.ValueSpec)
		if !ok || v.Names[0].Name != "All" || len(v.Values) != 1 {
			return true
		}
		list, ok := v.Values[0].(*ast.CompositeLit)
		if !ok {
			return true
		}
		for _, e := range list.Elts {
			if id, ok := e.(*ast.Ident); ok {
				listed[id.Name] = true
			}
		}
		for _, group := range f.Comments {
			if group.Pos() < list.Lbrace || group.End() > list.Rbrace {
				continue
			}
			for line := range strings.Lines(group.Text()) {
				if name, reason, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(reason) != "" {
					leftOut[name] = true
				}
			}
		}
		return false
	})
	if len(listed) == 0 {
		return nil, nil, fmt.Errorf("%s: no list All", file)
	}
	return listed, leftOut, nil
}
