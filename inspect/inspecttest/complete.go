package inspecttest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Complete checks the package in dir: every variable of the type typ ("Decoder"
// or "Detector") stands alone in its file and in the list All, or else in a
// comment of all.go that starts with its name and a colon and says why it is
// left out. It fails when it finds no variable.
func Complete(t *testing.T, dir, typ string) {
	t.Helper()
	listed, leftOut := readAll(t, filepath.Join(dir, "all.go"))
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string]bool)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		vars := declared(t, file, typ)
		if len(vars) > 1 {
			t.Errorf("%s: %s in one file, want a file for each", file, strings.Join(vars, ", "))
		}
		for _, v := range vars {
			found[v] = true
			if !listed[v] && !leftOut[v] {
				t.Errorf("%s: %s is neither in All nor among those left out, with the reason, in all.go", file, v)
			}
		}
	}
	if len(found) == 0 {
		t.Errorf("%s: no variable of type inspect.%s", dir, typ)
	}
	for v := range listed {
		if !found[v] {
			t.Errorf("All lists %s, which is not a variable written as inspect.%s{...}", v, typ)
		}
	}
}

// declared returns the package-level variables of file that are composite
// literals of the type inspect.typ.
func declared(t *testing.T, file, typ string) (names []string) {
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
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
	return names
}

// readAll returns the elements of the list All and the names that the comments
// inside it give reasons for.
func readAll(t *testing.T, file string) (listed, leftOut map[string]bool) {
	src, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	f, err := parser.ParseFile(token.NewFileSet(), file, src, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
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
		t.Fatalf("%s: no list All", file)
	}
	return listed, leftOut
}
