package e2e

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestClaims asks claims about what went through the real proxy, built-in ones and a
// file of one's own.
func TestClaims(t *testing.T) {
	c := start(t, newOrigin(t, http.HandlerFunc(echo)))
	do := func(status int, args ...string) string {
		t.Helper()
		out, stderr := constat(t, status, append([]string{"claims"}, args...)...)
		return out + stderr
	}
	mark := func(args ...string) {
		t.Helper()
		constat(t, 0, append([]string{"mark", "--case", c.Case, "--ca-dir", filepath.Dir(c.CA)}, args...)...)
	}
	mark("idle", "screen=off")
	c.get("https://origin.test/ping")
	mark("--end")
	c.stop()

	out := do(0, "--case", c.Case)
	for _, want := range []string{"│ C1 ", "│ supported", "Something left while nobody touched the phone.", "│ C24 ", "│ undecided", "to be surer:", "The negative control was not run"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if out := do(0, "--case", c.Case, "--only", "c1", "--lang", "fr"); !strings.Contains(out, "corroborée") || !strings.Contains(out, "Quelque chose est parti") || strings.Contains(out, "C2") {
		t.Errorf("in French:\n%s", out)
	}
	var answers []struct {
		Claim, Verdict string
		Deciding       []struct {
			Request int64 `json:"request_id"`
			Host    string
		}
		Queries []string
	}
	out = do(0, "--case", c.Case, "--only", "C1,C3", "--json", "--set", "domains=origin.test", "--set", "xiaomi")
	if err := json.Unmarshal([]byte(out), &answers); err != nil || len(answers) != 2 || answers[0].Verdict != "supported" || answers[0].Deciding[0].Host != "origin.test" || answers[1].Verdict != "undecided" {
		t.Fatalf("%v\n%s", err, out)
	}
	// What the answer says was run can be run.
	if out, _ := constat(t, 0, "query", "--case", c.Case, answers[0].Queries[0]); !strings.Contains(out, "origin.test") {
		t.Errorf("the query as run:\n%s", out)
	}
	if out := do(0, "--case", c.Case, "--only", "C1", "--set", "domains=elsewhere.test"); !strings.Contains(out, "undecided") {
		t.Errorf("only of another domain:\n%s", out)
	}

	own := filepath.Join(t.TempDir(), "own.yaml")
	template := do(0, "new")
	if err := os.WriteFile(own, []byte(template), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := do(0, "--case", c.Case, "--set", own); !strings.Contains(out, "X1") || !strings.Contains(out, "undecided") {
		t.Errorf("the template:\n%s", out)
	}
	if out := do(0, "show", "X1", "--set", own); out != template {
		t.Errorf("shown:\n%s", out)
	}
	if out := do(0, "show"); !strings.Contains(out, "C24") {
		t.Errorf("list:\n%s", out)
	}
	broken := filepath.Join(t.TempDir(), "broken.yaml")
	if err := os.WriteFile(broken, []byte(strings.Replace(template, "f.class", "f.klass", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, args := range map[string][]string{
		"no such column: f.klass":          {"--set", broken},
		"no claim C99":                     {"--only", "C99"},
		"no parameter colour":              {"--set", "colour=red"},
		"want en or fr":                    {"--lang", "de"},
		"names two sets":                   {"--set", own, "--set", "xiaomi"},
		"list them with 'constat claims s": {"--only", "C1,D1"},
	} {
		if said := strings.TrimSpace(do(2, append(args, "--case", c.Case)...)); !strings.Contains(said, want) || strings.Contains(said, "\n") {
			t.Errorf("%q: %s", args, said)
		}
	}
	if said := do(1, "--case", c.Case, "--set", filepath.Join(t.TempDir(), "none.yaml")); !strings.Contains(said, "built-in set xiaomi") {
		t.Errorf("no such file: %s", said)
	}
}
