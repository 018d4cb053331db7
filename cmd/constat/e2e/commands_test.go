package e2e

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestDemo(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "demo")
	out, _ := constat(t, 0, "demo", "--dir", dir)
	report := filepath.Join(dir, "report.html")
	if !strings.Contains(out, report) || !strings.Contains(out, "INVENTED") {
		t.Errorf("demo printed neither the report's path nor that it is invented:\n%s", out)
	}
	html, err := os.ReadFile(report)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"INVENTED", "messages.vendor.example", "pinned-bank.example"} {
		if !strings.Contains(string(html), want) {
			t.Errorf("the report does not mention %s", want)
		}
	}
	file := filepath.Join(dir, "demo.constat")
	verified(t, file)
	// Whoever makes another report of it gets the label too.
	again, _ := constat(t, 0, "report", "--case", file, "--out", "-")
	if !strings.Contains(again, "INVENTED") {
		t.Error("a second report of the demonstration is not labelled as invented")
	}
	// The affair in one answer: greetings came down and a text message went up,
	// at the same host.
	for query, want := range map[string]string{
		"SELECT DISTINCT f.direction FROM findings f JOIN requests r ON r.id = request_id WHERE class = 'greeting_content' AND r.host = 'messages.vendor.example'":              "down",
		"SELECT DISTINCT f.direction FROM findings f JOIN requests r ON r.id = request_id WHERE class = 'sms' AND r.host = 'messages.vendor.example' AND r.path = '/v2/report'": "up",
		"SELECT count(*) FROM findings f JOIN requests r ON r.id = request_id WHERE class = 'sms' AND r.path <> '/v2/report'":                                                   "0",
		"SELECT count(*) > 0 FROM findings f JOIN requests r ON r.id = request_id WHERE class = 'photo' AND r.host = 'cloud.vendor.example' AND r.path = '/gallery/upload'":     "1",
		"SELECT count(*) FROM findings f JOIN requests r ON r.id = request_id WHERE class = 'photo' AND r.path <> '/gallery/upload'":                                            "0",
		"SELECT count(*) > 0 FROM findings f JOIN requests r ON r.id = request_id WHERE class = 'device_stats' AND r.host = 'stats.vendor.example'":                             "1",
		"SELECT DISTINCT kind FROM canary_hits h JOIN requests r ON r.id = request_id WHERE host = 'account.vendor.example'":                                                    "contact_phone",
		"SELECT DISTINCT outcome FROM connections WHERE host = 'pinned-bank.example'":                                                                                           "client_refused",
		"SELECT group_concat(DISTINCT confidence) FROM findings WHERE class = 'photo'":                                                                                          "confirmed",
		"SELECT count(*) FROM sessions": "7",
	} {
		got := sqlite(t, file, query)
		if class := strings.Contains(query, "confidence"); class && strings.Contains(got, want) {
			continue
		}
		if got != want {
			t.Errorf("%s\n got %q, want %q", query, got, want)
		}
	}
}

func TestMarkReachesTheRunningCase(t *testing.T) {
	c := start(t, newOrigin(t, http.HandlerFunc(echo)))
	get := func(path string) {
		t.Helper()
		resp, err := c.client(false).Get("https://origin.test" + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
	get("/before")
	constat(t, 0, "mark", "idle", "micloud=off", "screen=off", "--case", c.Case, "--ca-dir", filepath.Dir(c.CA))
	get("/idle")
	constat(t, 0, "mark", "--end", "--case", c.Case, "--ca-dir", filepath.Dir(c.CA))
	get("/after")
	if got := c.sql("SELECT path, coalesce(session, '') FROM requests ORDER BY id"); got != "/before|\n/idle|idle\n/after|" {
		t.Errorf("sessions of the requests:\n%s", got)
	}
	_, stderr := constat(t, 1, "inspect", "--case", c.Case, "--ca-dir", filepath.Dir(c.CA))
	if !strings.Contains(stderr, "end it first") {
		t.Errorf("a second writer is told: %s", stderr)
	}
	c.stop()
	verified(t, c.Case)
}

func TestWrongUsage(t *testing.T) {
	dir := t.TempDir()
	foreign := filepath.Join(dir, "notes.txt")
	if err := os.WriteFile(foreign, []byte("shopping list, long enough to be no database at all\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ca := []string{"--ca-dir", filepath.Join(dir, "ca")}
	for _, test := range []struct {
		status int
		args   []string
		says   string
	}{
		{2, []string{"rnu"}, "unknown command"},
		{2, []string{"run", "--listne", "x"}, "--help"},
		{2, []string{"run", "extra"}, "--help"},
		{2, []string{"run", "--ui", "0.0.0.0:1", "--listen", "127.0.0.1:0"}, "stays on this computer"},
		{2, []string{"run", "--resolve", "nonsense"}, "HOST:PORT:ADDR"},
		{1, append([]string{"run", "--listen", "127.0.0.1:0", "--ui", "off", "--case", foreign}, ca...), "choose another name"},
		{1, []string{"verify", filepath.Join(dir, "absent.constat")}, "check the file name"},
		{2, []string{"mark", "--end", "name"}, "alone"},
		{2, []string{"ca", "export", "--format", "jks", "--ca-dir", filepath.Join(dir, "ca")}, "want pem"},
		{2, []string{"query", "--case", foreign, "nosuch:thing"}, ""},
		{2, []string{"export", "pdf", "--case", foreign}, "har or csv"},
	} {
		_, stderr := constat(t, test.status, test.args...)
		if lines := strings.Count(strings.TrimSpace(stderr), "\n"); lines > 0 || !strings.Contains(stderr, test.says) || strings.Contains(stderr, "goroutine") {
			t.Errorf("constat %s said:\n%swant one line with %q", strings.Join(test.args, " "), stderr, test.says)
		}
	}
	if text, err := os.ReadFile(foreign); err != nil || !strings.HasPrefix(string(text), "shopping") {
		t.Error("the foreign file was touched")
	}
}

// Every file that holds secrets or captured data is for its owner alone,
// whatever the umask.
func TestFilesArePrivate(t *testing.T) {
	c := start(t, newOrigin(t, http.HandlerFunc(echo)))
	resp, err := c.client(true).Get("https://origin.test/")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	check := func(dir string) {
		files, err := os.ReadDir(dir)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v", dir, err)
		}
		for _, f := range files {
			info, err := f.Info()
			if err != nil {
				t.Fatal(err)
			}
			if !f.IsDir() && info.Mode().Perm() != 0o600 {
				t.Errorf("%s: mode %o", f.Name(), info.Mode().Perm())
			}
		}
	}
	check(filepath.Dir(c.Case)) // with its -wal and -shm
	check(filepath.Dir(c.CA))
	c.stop()
	check(filepath.Dir(c.Case))
}

func TestImportQueryExport(t *testing.T) {
	dir := t.TempDir()
	har := filepath.Join(dir, "in.har")
	if err := os.WriteFile(har, []byte(`{"log":{"version":"1.2","creator":{"name":"test","version":"1"},"entries":[
	 {"startedDateTime":"2014-07-31T10:00:00.000Z","time":12,"request":{"method":"POST","url":"https://origin.test/sync","httpVersion":"HTTP/1.1","headers":[{"name":"Content-Type","value":"application/json"}],"queryString":[],"cookies":[],"headersSize":-1,"bodySize":-1,
	  "postData":{"mimeType":"application/json","text":"{\"messages\":[{\"address\":\"+33639981122\",\"body\":\"See you at noon\",\"date\":1406790000000,\"type\":1}]}"}},
	  "response":{"status":200,"statusText":"OK","httpVersion":"HTTP/1.1","headers":[],"cookies":[],"content":{"size":2,"mimeType":"application/json","text":"{}"},"redirectURL":"","headersSize":-1,"bodySize":-1},"cache":{},"timings":{"send":1,"wait":1,"receive":1}}]}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	file, ca := filepath.Join(dir, "in.constat"), filepath.Join(dir, "ca")
	constat(t, 0, "import", har, "--case", file, "--ca-dir", ca)
	out, _ := constat(t, 0, "query", "--case", file, "--format", "json", "tag:sms dir:up")
	var rows []map[string]any
	if err := json.Unmarshal([]byte(out), &rows); err != nil || len(rows) != 1 || rows[0]["host"] != "origin.test" {
		t.Errorf("query: %v\n%s", err, out)
	}
	if out, _ = constat(t, 0, "query", "tag:sms", "-method:POST", "--case", file, "--format", "csv"); strings.Contains(out, "origin.test") {
		t.Errorf("-method:POST excludes nothing:\n%s", out)
	}
	out, _ = constat(t, 0, "query", "--case", file, "--format", "csv", "SELECT class, direction FROM findings WHERE class = 'sms'")
	if !strings.Contains(out, "sms,up") {
		t.Errorf("query: %s", out)
	}
	exported := filepath.Join(dir, "out.har")
	constat(t, 0, "export", "har", "--case", file, "--out", exported)
	again := filepath.Join(dir, "again.constat")
	constat(t, 0, "import", exported, "--case", again, "--ca-dir", ca)
	const facts = "SELECT method, scheme, host, path, status, request_sha256, response_sha256, time FROM requests"
	if a, b := sqlite(t, file, facts), sqlite(t, again, facts); a != b {
		t.Errorf("exported and imported again:\n%s\n%s", a, b)
	}
	constat(t, 0, "inspect", "--case", file, "--ca-dir", ca)
	report := filepath.Join(dir, "report.html")
	constat(t, 0, "report", "--case", file, "--out", report)
	if info, err := os.Stat(report); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("report: %v %v", info, err)
	}
	for format, begin := range map[string]string{"html": "<!DOCTYPE html>\n<html lang=\"fr\">", "pdf": "%PDF-1.7\n", "json": "{\n  \"lang\": \"fr\"", "complaint": "{\n  \"schema\": \"constat-complaint/1\""} {
		if out, _ := constat(t, 0, "report", "--case", file, "--lang", "fr", "--format", format, "--out", "-"); !strings.HasPrefix(out, begin) {
			t.Errorf("report --format %s begins with %.60q", format, out)
		}
	}
	for _, args := range [][]string{{"--lang", "xx"}, {"--format", "doc"}} {
		if _, stderr := constat(t, 2, append([]string{"report", "--case", file, "--out", filepath.Join(dir, "none")}, args...)...); !strings.Contains(stderr, "want") {
			t.Errorf("report %q: %s", args, stderr)
		}
	}
	verified(t, file)
}

func TestPersonaKit(t *testing.T) {
	dir := t.TempDir()
	file, kit := filepath.Join(dir, "persona.json"), filepath.Join(dir, "kit")
	constat(t, 0, "persona", "new", "--out", file, "--kit", kit)
	for _, name := range []string{"CHECKLIST.md", "contacts.vcf", "sms.txt", "IMG*.jpg"} {
		if found, err := filepath.Glob(filepath.Join(kit, name)); err != nil || len(found) == 0 {
			t.Errorf("the kit has no %s", name)
		}
	}
	_, stderr := constat(t, 1, "persona", "new", "--out", file)
	if !strings.Contains(stderr, "planted") {
		t.Errorf("overwriting a persona is answered: %s", stderr)
	}
	constat(t, 0, "persona", "import", file, "imei=352099001761481")
	if out, _ := constat(t, 0, "persona", "show", file); !strings.Contains(out, "352099001761481") {
		t.Errorf("the imported value is not shown:\n%s", out)
	}
	constat(t, 2, "persona", "import", file, "imei=123")
}

// The end is clean on SIGINT even while exchanges are open, and quick.
func TestEndsWhileBusy(t *testing.T) {
	began := make(chan bool, 1)
	c := start(t, newOrigin(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began <- true
		<-r.Context().Done()
	})))
	go c.client(false).Get("https://origin.test/never-answered")
	select {
	case <-began:
	case <-time.After(10 * time.Second):
		t.Fatal("the request did not arrive")
	}
	c.stop()
	if got := c.sql("SELECT count(*) FROM requests WHERE path = '/never-answered' AND error <> ''"); got != "1" {
		t.Errorf("the open exchange is in the log %s times", got)
	}
	verified(t, c.Case)
}
