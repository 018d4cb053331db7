package e2e

import (
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestIdentifiers asks whether ids are random: one that stays, and one that is new in
// each request.
func TestIdentifiers(t *testing.T) {
	dir := t.TempDir()
	const id = "0b7a9c52-4e0f-4a6e-9d35-2f1d6c7be001"
	var entries []string
	for i := range 4 {
		body := fmt.Sprintf(`{"device_id":%q,"event_id":"6ec0bd7f-11c0-43da-975e-2a8ad9ebae%02x"}`, id, 16+i)
		text, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		entries = append(entries, fmt.Sprintf(`{"startedDateTime":"2014-07-3%dT10:00:00.000Z","time":12,"request":{"method":"POST","url":"https://sa.test/collect","httpVersion":"HTTP/1.1","headers":[],"queryString":[],"cookies":[],"headersSize":-1,"bodySize":-1,
		 "postData":{"mimeType":"application/json","text":%s}},"response":{"status":200,"statusText":"OK","httpVersion":"HTTP/1.1","headers":[],"cookies":[],"content":{"size":0,"mimeType":"","text":""},"redirectURL":"","headersSize":-1,"bodySize":-1},"cache":{},"timings":{"send":1,"wait":1,"receive":1}}`, i%2, text))
	}
	har := filepath.Join(dir, "in.har")
	if err := os.WriteFile(har, []byte(`{"log":{"version":"1.2","creator":{"name":"test","version":"1"},"entries":[`+strings.Join(entries, ",")+`]}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	file, ca := filepath.Join(dir, "in.constat"), filepath.Join(dir, "ca")
	constat(t, 0, "import", har, "--case", file, "--ca-dir", ca)
	plain := strings.ReplaceAll(id, "-", "")

	out, _ := constat(t, 0, "identifiers", "--case", file)
	for _, want := range []string{"0b7a…e001", "device_id at sa.test/collect: 1 value in 4 requests over 24 hours: permanent", "event_id at sa.test/collect: 4 values in 4 requests over 24 hours: random per request"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if strings.Contains(out, plain) {
		t.Errorf("a value in full:\n%s", out)
	}
	if out, _ = constat(t, 0, "identifiers", "--case", file, "--show-values"); !strings.Contains(out, plain) {
		t.Errorf("no value in full:\n%s", out)
	}
	out, _ = constat(t, 0, "identifiers", "--case", file, "--all", "--format", "json")
	var doc struct {
		Values []struct{ Requests int }
		Fields []struct{ Name, Law string }
	}
	if err := json.Unmarshal([]byte(out), &doc); err != nil || len(doc.Values) != 5 || len(doc.Fields) != 2 {
		t.Errorf("%v\n%s", err, out)
	}
	for _, flags := range [][]string{{}, {"--fields"}} {
		out, _ = constat(t, 0, append([]string{"identifiers", "--case", file, "--format", "csv"}, flags...)...)
		if records, err := csv.NewReader(strings.NewReader(out)).ReadAll(); err != nil || len(records) < 2 {
			t.Errorf("%q: %v\n%s", flags, err, out)
		}
	}
	if out, _ = constat(t, 0, "identifiers", "--case", file, "--host", "elsewhere.test"); strings.Contains(out, "device_id") {
		t.Errorf("another host's:\n%s", out)
	}
	constat(t, 2, "identifiers", "--case", file, "--format", "xml")
	constat(t, 2, "identifiers", "--case", file, "--min-requests", "0")
	if got := strings.TrimSpace(sqlite(t, file, "SELECT requests, hosts, names FROM identifiers WHERE value = '"+plain+"'")); got != "4|1|device_id" {
		t.Errorf("the view says %q", got)
	}
}

// TestOldCase works on a case that an older version wrote: reading leaves it as it
// is, inspecting goes on with it and says what changed.
func TestOldCase(t *testing.T) {
	dir := t.TempDir()
	file, ca := filepath.Join(dir, "old.constat"), filepath.Join(dir, "ca")
	if err := os.Mkdir(ca, 0o700); err != nil {
		t.Fatal(err)
	}
	const from = "../../../store/testdata/format1/"
	key, err := os.ReadFile(from + "log.key")
	if err != nil {
		t.Fatal(err)
	}
	packed, err := os.Open(from + "case.constat.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer packed.Close()
	r, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{file: data, filepath.Join(ca, "log.key"): key} {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	verified(t, file)
	constat(t, 0, "query", "--case", file, "SELECT * FROM addresses")
	constat(t, 0, "report", "--case", file, "--out", filepath.Join(dir, "report.html"))
	constat(t, 0, "export", "har", "--case", file, "--out", filepath.Join(dir, "out.har"))
	if out, _ := constat(t, 0, "identifiers", "--case", file); !strings.Contains(out, "constat inspect") {
		t.Errorf("nothing says how to find values:\n%s", out)
	}
	if after, err := os.ReadFile(file); err != nil || string(after) != string(data) {
		t.Errorf("reading changed the case, %v", err)
	}

	out, _ := constat(t, 0, "inspect", "--case", file, "--ca-dir", ca, "--format", "json")
	var changes struct {
		Inspected int
		Gained    map[string]int
		GainedIn  map[string][]int `json:"gained_in"`
	}
	if err := json.Unmarshal([]byte(out), &changes); err != nil || changes.Inspected != 8 {
		t.Errorf("%v\n%s", err, out)
	}
	for class, n := range changes.Gained {
		if len(changes.GainedIn[class]) != n {
			t.Errorf("%s: %d requests, named %v", class, n, changes.GainedIn[class])
		}
	}
	verified(t, file)
	if out, _ = constat(t, 0, "identifiers", "--case", file); !strings.Contains(out, "1 value in 3 requests") {
		t.Errorf("%s", out)
	}
	if out, _ = constat(t, 0, "inspect", "--case", file, "--ca-dir", ca); !strings.HasPrefix(out, "0 inspected") {
		t.Errorf("inspected again: %s", out)
	}
}
