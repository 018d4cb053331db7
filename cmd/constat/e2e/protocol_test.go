package e2e

import (
	"bufio"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const rehearsal = `constat_protocol: 1
id: rehearsal
title: Does anything come when the page is open?
ask:
  - {factor: cloud, question: "Cloud?", values: ["on", "off"]}
phases:
  - session: positive-control
    control: positive
    steps: [{send: {url: "https://origin.test/page"}}]
  - session: page
    factors: {page: "open"}
    repeat: 3
    steps: [{do: "Open https://origin.test/open"}, {wait: 10s}]
  - session: negative-control
    control: negative
    before: [{do: "Switch the phone off"}]
    steps: [{wait: 20s}]
`

var links = regexp.MustCompile(`https://origin\.test/\S+`)

// TestProtocol goes through a protocol whose person is this test: it opens every page
// that it is told to, through the real proxy.
func TestProtocol(t *testing.T) {
	dir := t.TempDir()
	persona, file := filepath.Join(dir, "persona.json"), filepath.Join(dir, "rehearsal.yaml")
	constat(t, 0, "persona", "new", "--out", persona)
	if err := os.WriteFile(file, []byte(rehearsal), 0o600); err != nil {
		t.Fatal(err)
	}
	c := start(t, newOrigin(t, http.HandlerFunc(echo)), "--persona", persona)
	args := []string{"protocol", "run", file, "--yes", "--shorten", "100", "--case", c.Case, "--ca-dir", filepath.Dir(c.CA)}
	if _, said := constat(t, 2, args...); !strings.Contains(said, "--set cloud=on|off") {
		t.Errorf("without an answer: %s", said)
	}
	args = append(args, "--set", "cloud=off")
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var said []string
	for s := bufio.NewScanner(stdout); s.Scan(); {
		said = append(said, s.Text())
		if link := links.FindString(s.Text()); link != "" {
			c.get(link)
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, strings.Join(said, "\n"))
	}
	text := strings.Join(said, "\n")
	for _, want := range []string{"Positive control: seen, in request 1.", "Negative control: nothing came", "[3/5] page (2 of 3)", "The test is complete"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	for query, want := range map[string]string{
		"SELECT count(*) FROM sessions WHERE name = 'page' AND factors ->> 'cloud' = 'off' AND closed <> ''":                            "3",
		"SELECT count(DISTINCT session_id) FROM requests WHERE session = 'page'":                                                        "3",
		"SELECT DISTINCT h.kind FROM canary_hits h JOIN requests r ON r.id = h.request_id WHERE r.session = 'positive-control'":         "email",
		"SELECT content ->> 'state', content ->> 'done' FROM declarations WHERE topic = 'protocol' ORDER BY id DESC LIMIT 1":            "complete|5",
		"SELECT count(*) FROM declarations WHERE topic = 'step' AND content ->> 'what' = 'wait' AND content ->> 'outcome' = 'done'":     "4",
		"SELECT sum(content ->> 'control' ->> 'passed') FROM declarations WHERE topic = 'step'":                                         "2",
		"SELECT content ->> 'source' LIKE '%title: Does anything come%' FROM declarations WHERE topic = 'protocol' ORDER BY id LIMIT 1": "1",
	} {
		if got := c.sql(query); got != want {
			t.Errorf("%s\n got %q, want %q", query, got, want)
		}
	}
	// Nothing stands open, and a page that is not opened is not seen.
	if _, said := constat(t, 2, append(args, "--resume")...); !strings.Contains(said, "without --resume") {
		t.Errorf("nothing to resume: %s", said)
	}
	if out, said := constat(t, 1, append(args, "--seen-within", "100ms", "--shorten", "1000")...); !strings.Contains(said, "control did not pass") || !strings.Contains(out, "NOT seen") {
		t.Errorf("a control that fails: %s%s", out, said)
	}
	c.stop()
	if _, said := constat(t, 1, args...); !strings.Contains(said, "constat run --case") {
		t.Errorf("nobody records: %s", said)
	}
	verified(t, c.Case)
}

func TestProtocolFiles(t *testing.T) {
	file := filepath.Join(t.TempDir(), "p.yaml")
	constat(t, 0, "protocol", "new", file)
	constat(t, 1, "protocol", "new", file)
	out, _ := constat(t, 0, "protocol", "show", file)
	if !strings.Contains(out, "What does the weather app send") || !strings.Contains(out, "with-app, 3 times (app=open)") {
		t.Errorf("the template is shown as:\n%s", out)
	}
	if out, _ = constat(t, 0, "protocol", "list", "--lang", "fr"); !strings.Contains(out, "Au repos") {
		t.Errorf("list:\n%s", out)
	}
	if out, _ = constat(t, 0, "protocol", "show", "idle", "--yaml"); !strings.HasPrefix(out, "constat_protocol: 1") {
		t.Errorf("yaml:\n%s", out)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(strings.Replace(string(text), "repeat: 3", "repeet: 3", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	for status, args := range map[int][]string{1: {"show", file}, 2: {"show", "nosuch"}} {
		_, said := constat(t, status, append([]string{"protocol"}, args...)...)
		if strings.Count(strings.TrimSpace(said), "\n") > 0 || !strings.Contains(said, "p.yaml:35: \"repeet\" is not known here") && !strings.Contains(said, "protocol list") {
			t.Errorf("%q: %s", args, said)
		}
	}
	// Without a terminal nothing is asked.
	if _, said := constat(t, 2, "protocol", "run", "idle"); !strings.Contains(said, "terminal") {
		t.Errorf("without a terminal: %s", said)
	}
}
