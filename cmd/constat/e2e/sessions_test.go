package e2e

import (
	"encoding/json"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

// get asks through the proxy and reads the answer to its end.
func (c *instance) get(url string) {
	c.t.Helper()
	resp, err := c.client(false).Get(url)
	if err != nil {
		c.t.Fatal(err)
	}
	resp.Body.Close()
}

// TestSessionsAndDeclarations states facts while the case is recorded and after, and
// lists two sessions of one name apart.
func TestSessionsAndDeclarations(t *testing.T) {
	c := start(t, newOrigin(t, http.HandlerFunc(echo)))
	files := []string{"--case", c.Case, "--ca-dir", filepath.Dir(c.CA)}
	do := func(status int, args ...string) string {
		t.Helper()
		out, stderr := constat(t, status, append(args, files...)...)
		return out + stderr
	}
	if out, _ := constat(t, 0, "sessions", "--case", c.Case); !strings.Contains(out, "no sessions") {
		t.Errorf("an empty case lists:\n%s", out)
	}
	do(0, "declare", "device", "model=Example One <&>", "build=X1", "sim=none")
	if got := c.sql("SELECT content FROM declarations"); got != `{"build":"X1","model":"Example One <&>","sim":"none"}` {
		t.Errorf("declared %s", got)
	}
	c.get("https://origin.test/before")
	do(0, "mark", "idle", "micloud=off")
	c.get("https://origin.test/1")
	c.get("https://origin.test/2")
	do(0, "mark", "idle", "micloud=on")
	c.get("https://origin.test/3")
	do(0, "mark", "--end")
	c.stop()
	do(0, "declare", "device", "rom=Example ROM \x1b[31m", "sim=")
	do(0, "declare", "clock", "--of", "phone", "offset_ms=-12.5")
	do(0, "declare", "operator", "name=A. Tester")
	for _, wrong := range [][]string{
		{"declare", "device"},
		{"declare", "weather", "sky=blue"},
		{"declare", "device", "Model=x"},
		{"declare", "clock", "offset_ms=soon"},
		{"declare", "clock", "offset_ms=Inf"},
		{"declare", "device", "model=x", "model=y"},
		{"mark", "idle", "micloud=on", "micloud=off"},
	} {
		if said := do(2, wrong...); strings.Count(strings.TrimSpace(said), "\n") > 0 || !strings.Contains(said, "want") && !strings.Contains(said, "twice") {
			t.Errorf("%q: %s", wrong, said)
		}
	}
	out, _ := constat(t, 0, "sessions", "--case", c.Case)
	for _, want := range []string{
		"device: build=X1, model=Example One <&>, rom=Example ROM", "operator: name=A. Tester", "clock phone: offset_ms=-12.5", "micloud=off", "100 %", "(outside)",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if strings.Contains(out, "sim") || strings.Contains(out, "\x1b") {
		t.Errorf("a fact that was taken back, or an escape:\n%q", out)
	}
	out, _ = constat(t, 0, "sessions", "--json", "--case", c.Case)
	var list struct {
		Sessions []struct {
			ID       int
			Name     string
			Factors  map[string]string
			Requests int
		}
		Outside  struct{ Requests int }
		Declared []struct{ Topic string }
	}
	if err := json.Unmarshal([]byte(out), &list); err != nil || len(list.Sessions) != 2 || len(list.Declared) != 3 {
		t.Fatalf("%v\n%s", err, out)
	}
	if a, b := list.Sessions[0], list.Sessions[1]; a.Requests != 2 || b.Requests != 1 || list.Outside.Requests != 1 || a.ID == b.ID || a.Name != b.Name || b.Factors["micloud"] != "on" {
		t.Errorf("%+v", list)
	}
	verified(t, c.Case)
}
