package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/semver"
)

// mayImport says which packages of this module a package may import. It is the
// architecture; docs/architecture.md draws it.
var mayImport = map[string][]string{
	"certs":               {},
	"proxy/flow":          {},
	"proxy/bulk":          {},
	"proxy/upstream":      {"proxy/bulk", "proxy/flow"},
	"proxy/datagram":      {},
	"proxy/dns":           {"proxy/flow"},
	"proxy/sniff":         {"proxy/flow"},
	"proxy/socks5":        {"proxy/datagram"},
	"proxy/transparent":   {"proxy/datagram"},
	"proxy/wireguard":     {},
	"proxy":               {"certs", "proxy/bulk", "proxy/dns", "proxy/flow", "proxy/sniff", "proxy/upstream"},
	"inspect":             {"proxy/flow"},
	"inspect/decode":      {"inspect", "proxy/flow"},
	"inspect/detect":      {"inspect", "proxy/flow"},
	"inspect/canary":      {"inspect", "proxy/flow"},
	"inspect/owner":       {"inspect", "proxy/flow"},
	"inspect/upload":      {"inspect"},
	"inspect/inspecttest": {"inspect", "inspect/canary", "inspect/decode", "proxy/flow"},
	"store/evidence":      {"inspect", "proxy/flow"},
	"store":               {"inspect", "inspect/upload", "proxy/flow", "store/evidence"},
	"store/har":           {"proxy/flow"},
	"store/linkage":       {"store", "inspect", "proxy/flow"},
	"store/query":         {"inspect"},
	"store/claim":         {"store", "store/query", "inspect"},
	"store/compare":       {"store", "store/query", "inspect"},
	"store/protocol":      {"store"},
	"store/doctor":        {"store"},
	"store/export":        {"store", "store/evidence", "store/har", "store/query", "store/claim", "store/compare", "store/report", "inspect", "proxy/flow"},
	"store/report":        {"store", "store/claim", "store/compare", "store/linkage", "store/har", "store/query", "store/evidence", "store/report/pdf", "inspect", "proxy/flow"},
	"store/report/pdf":    {},

	// Helpers of tests in several packages.
	"proxy/wireguard/wgtest": {},
}

// onlyIn says which packages alone may import an outside package.
var onlyIn = map[string][]string{
	"github.com/elazarl/goproxy":           {"proxy", "cmd/constat-bench"},
	"github.com/mattn/go-sqlite3":          {"store"},
	"database/sql":                         {"store", "store/query", "store/claim", "store/report", "cmd/constat/ui"},
	"github.com/spf13/cobra":               {"cmd/constat"},
	"golang.org/x/mod/sumdb/note":          {"store", "store/evidence"},
	"github.com/klauspost/compress":        {"store", "store/report", "inspect/decode", "inspect/inspecttest", "cmd/constat-score"},
	"github.com/andybalholm/brotli":        {"inspect/decode", "inspect/inspecttest", "store/report", "cmd/constat-score"},
	"golang.org/x/net/http2":               {"proxy", "proxy/upstream"},
	"github.com/quic-go/quic-go":           {"proxy", "proxy/upstream"},
	"github.com/rs/zerolog":                {"proxy", "cmd/constat", "cmd/constat/ui"},
	"github.com/jedib0t/go-pretty/v6":      {"store/query", "cmd/constat"},
	"github.com/oschwald/maxminddb-golang": {"inspect/owner"},
	"github.com/go-text/typesetting":       {"store/report/pdf"},
	"github.com/miekg/dns":                 {"proxy/dns"},
	"golang.zx2c4.com/wireguard":           {"proxy/wireguard", "proxy/wireguard/wgtest"},
	"gvisor.dev/gvisor":                    {"proxy/wireguard"},
}

type listed struct {
	ImportPath, Dir string
	Imports         []string
	GoFiles         []string
}

func modulePackages(t *testing.T) []listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,Imports,GoFiles", "constat/...")
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []listed
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	if len(all) < 10 {
		t.Fatalf("go list found %d packages", len(all))
	}
	return all
}

func TestImportRules(t *testing.T) {
	for _, p := range modulePackages(t) {
		name := strings.TrimPrefix(p.ImportPath, "constat/")
		allowed, known := mayImport[name]
		isCmd := strings.HasPrefix(name, "cmd/")
		if !known && !isCmd {
			t.Errorf("%s: no rule says what it may import; add it to mayImport and to docs/architecture.md", name)
			continue
		}
		for _, imp := range p.Imports {
			if inner, ok := strings.CutPrefix(imp, "constat/"); ok && !isCmd && !slices.Contains(allowed, inner) {
				t.Errorf("%s imports %s: not allowed", name, inner)
			}
			for outside, where := range onlyIn {
				if (imp == outside || strings.HasPrefix(imp, outside+"/")) && !slices.Contains(where, name) {
					t.Errorf("%s imports %s: only %v may", name, imp, where)
				}
			}
			if name == "proxy/flow" && strings.Contains(imp, ".") {
				t.Errorf("proxy/flow imports %s: standard library only", imp)
			}
		}
	}
}

// The private key of goproxy's built-in CA is public, and leaf keys made by its
// signer can be computed by anybody (goproxy v1.9.2, certs.go and
// internal/signer): nothing here may ever touch them.
func TestBuiltInCAIsNeverReferenced(t *testing.T) {
	forbidden := []string{"AlwaysMitm", "MitmConnect", "OkConnect", "RejectConnect", "HTTPMitmConnect", "GoproxyCa", "TLSConfigFromCA", "CA_CERT", "CA_KEY"}
	files := 0
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") {
			return err
		}
		files++
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok {
				if pkg, ok := sel.X.(*ast.Ident); ok && pkg.Name == "goproxy" && slices.Contains(forbidden, sel.Sel.Name) {
					t.Errorf("%s: goproxy.%s", path, sel.Sel.Name)
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 50 {
		t.Fatalf("looked at %d files only", files)
	}
}

// golang.org/x/net v0.50.0, which goproxy asks for, lets one HTTP/2 frame end
// the process (GO-2026-4559).
func TestHTTP2IsPatched(t *testing.T) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Version}}", "golang.org/x/net").Output()
	if err != nil {
		t.Fatal(err)
	}
	if v := strings.TrimSpace(string(out)); semver.Compare(v, "v0.51.0") < 0 {
		t.Errorf("golang.org/x/net %s: want v0.51.0 or later", v)
	}
}

// TestAlone: the tests that skip themselves under the race detector run without it, too.
func TestAlone(t *testing.T) {
	makefile, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`(?m)^ALONE := (.*)$`).FindSubmatch(makefile)
	if line == nil {
		t.Fatal("the Makefile has no ALONE")
	}
	var want []string
	err = filepath.WalkDir("../..", func(name string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(name, "_test.go") {
			return err
		}
		text, err := os.ReadFile(name)
		if pkg := "./" + strings.TrimPrefix(filepath.ToSlash(filepath.Dir(name)), "../../"); bytes.Contains(text, []byte("inspecttest"+".Alone(")) || bytes.Contains(text, []byte("|| race"+"Enabled")) {
			want = append(want, pkg)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Fields(string(line[1])); !slices.Equal(slices.Compact(want), got) {
		t.Errorf("ALONE in the Makefile is %q, and tests skip themselves in %q", got, slices.Compact(want))
	}
}
