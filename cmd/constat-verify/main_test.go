package main

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"constat/store/evidence"
)

// TestStandsAlone: who checks evidence should have to trust as little as can be.
func TestStandsAlone(t *testing.T) {
	cmd := exec.Command("go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}} {{len .CgoFiles}}{{else}}{{.ImportPath}} -{{end}}", ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=1")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var own []string
	for line := range strings.Lines(string(out)) {
		path, cgo, _ := strings.Cut(strings.TrimSpace(line), " ")
		if path == "database/sql" || strings.Contains(path, "sqlite") {
			t.Errorf("it knows databases: %s", path)
		}
		if cgo != "-" && cgo != "0" {
			t.Errorf("%s has C in it", path)
		}
		if name, ok := strings.CutPrefix(path, "constat/"); ok {
			own = append(own, name)
		}
	}
	slices.Sort(own)
	want := []string{"cmd/constat-verify", "inspect", "inspect/decode", "proxy/flow", "store/evidence"}
	if !slices.Equal(own, want) {
		t.Errorf("it is made of %v, not of %v", own, want)
	}
	// net/http is there for its Header; nothing of ours may use what listens or dials.
	for _, dir := range want {
		found, err := filepath.Glob(filepath.Join("../..", dir, "*.go"))
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: no files", dir)
		}
		for _, path := range found {
			if strings.HasSuffix(path, "_test.go") {
				continue
			}
			f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			for _, imp := range f.Imports {
				if p := strings.Trim(imp.Path.Value, `"`); p == "net" || p == "C" || p == "unsafe" || p == "os/exec" || p == "syscall" && dir != "cmd/constat-verify" {
					t.Errorf("%s imports %s", path, p)
				}
			}
			ast.Inspect(f, func(n ast.Node) bool {
				if sel, ok := n.(*ast.SelectorExpr); ok {
					if pkg, ok := sel.X.(*ast.Ident); ok && pkg.Name == "http" && sel.Sel.Name != "Header" && !strings.HasPrefix(sel.Sel.Name, "Status") && !allowed[sel.Sel.Name] {
						t.Errorf("%s uses http.%s", path, sel.Sel.Name)
					}
				}
				return true
			})
		}
	}
}

// allowed are functions of net/http that only read text.
var allowed = map[string]bool{"ReadRequest": true, "ReadResponse": true, "Request": true, "Response": true, "NoBody": true, "Cookie": true}

func TestBuildsWithoutCgo(t *testing.T) {
	cmd := exec.Command("go", "build", "-o", filepath.Join(t.TempDir(), "constat-verify"), ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s\n%s", err, out)
	}
}

func TestUsage(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, []byte("no bundle"), 0o600); err != nil {
		t.Fatal(err)
	}
	secret := filepath.Join(dir, "x.age")
	if err := os.WriteFile(secret, []byte(ageHeader+"\n-> X25519 …"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args   []string
		status int
		want   string
	}{
		{nil, statusUsage, "name one bundle"},
		{[]string{"a", "b"}, statusUsage, "name one bundle"},
		{[]string{"--nonsense"}, statusUsage, "--help"},
		{[]string{text, "--key", "neither"}, statusUsage, "--key"},
		{[]string{text, "--tsa-ca", text}, statusUsage, "no certificate"},
		{[]string{"--help"}, statusVerified, "Exit status"},
		{[]string{filepath.Join(dir, "absent")}, statusNotVerified, "absent"},
		{[]string{dir}, statusNotVerified, "not a file"},
		{[]string{secret}, statusNotVerified, "age --decrypt"},
		{[]string{text}, statusNotVerified, "NOT VERIFIED"},
	} {
		var out, errOut strings.Builder
		status := run(test.args, &out, &errOut)
		if said := out.String() + errOut.String(); status != test.status || !strings.Contains(said, test.want) {
			t.Errorf("%q: status %d, said %q", test.args, status, said)
		}
	}
	var out, errOut strings.Builder
	if run([]string{text, "--json"}, &out, &errOut) != statusNotVerified {
		t.Error("--json changes the status")
	}
	var v struct {
		Verified bool
		Problems []string
	}
	if err := json.Unmarshal([]byte(out.String()), &v); err != nil || v.Verified || len(v.Problems) != 1 {
		t.Errorf("%v: %s", err, out.String())
	}
}

func TestStatus(t *testing.T) {
	for _, test := range []struct {
		v    evidence.Verdict
		want int
		head string
	}{
		{evidence.Verdict{Verified: true}, statusVerified, "VERIFIED\n"},
		{evidence.Verdict{Verified: true, Reservations: []string{"no \x1b[2Jtime stamp"}}, statusReservations, "VERIFIED, with reservations\n"},
		{evidence.Verdict{Problems: []string{"changed"}, Reservations: []string{"x"}}, statusNotVerified, "NOT VERIFIED\n"},
	} {
		if got := status(&test.v); got != test.want {
			t.Errorf("%+v: status %d", test.v, got)
		}
		var out strings.Builder
		if err := write(&out, &test.v); err != nil || !strings.HasPrefix(out.String(), test.head) || strings.Contains(out.String(), "\x1b") {
			t.Errorf("%v %q", err, out.String())
		}
	}
}
