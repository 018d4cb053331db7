package claim_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"constat/store"
	"constat/store/claim"
)

func TestBuiltInSets(t *testing.T) {
	for _, name := range claim.BuiltIn {
		set, err := claim.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		if len(set.Claims) != 24 {
			t.Errorf("%d claims, want 24", len(set.Claims))
		}
		for _, c := range set.Claims {
			for what, text := range map[string]claim.Text{
				"title": c.Title, "question": c.Question, "quote": c.Said.Quote, "supported": c.Means[claim.Supported], "refuted": c.Means[claim.Refuted], "limits": c.Limits,
			} {
				if text["en"] == "" || text["fr"] == "" || text["en"] == text["fr"] {
					t.Errorf("%s: %s: want it in English and in French", c.ID, what)
				}
			}
			for _, v := range []claim.Verdict{claim.Supported, claim.Refuted} {
				for _, bad := range []string{"nothing was sent", "not sent", "rien n’a été envoyé", "n’a pas été envoyé"} {
					if strings.Contains(strings.ToLower(c.Means[v]["en"]+c.Means[v]["fr"]), bad) {
						t.Errorf("%s: %s says %q: what was not seen may have been sent", c.ID, v, bad)
					}
				}
			}
		}
	}
}

func TestTemplateIsAClaim(t *testing.T) {
	if _, err := claim.Parse("template", strings.NewReader(claim.Template())); err != nil {
		t.Fatal(err)
	}
}

// edit replaces a part of the template that must be there.
func edit(t *testing.T, old, new string) string {
	t.Helper()
	text := claim.Template()
	if strings.Count(text, old) != 1 {
		t.Fatalf("the template has %q %d times", old, strings.Count(text, old))
	}
	return strings.Replace(text, old, new, 1)
}

func TestMistakesAreNamed(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		at         string // what stands in the line that is named, "" for the file as a whole
		want       string
	}{
		{"empty", "", "", "constat claims new"},
		{"no yaml", "id: [", "id: [", "did not find"},
		{"binary", "\x00\x01", "", "control characters"},
		{"unknown field", edit(t, "\nid: X1", "\nidd: X1"), "idd: X1", "field idd is not known"},
		{"unknown field within", edit(t, "    minutes: 5", "    minute: 5"), "minute: 5", "field minute is not known"},
		{"not a number", edit(t, "sessions: 3", "sessions: three"), "sessions: three", "three"},
		{"alias", edit(t, "id: X1 ", "id: &x X1\nplanted2: *x "), "planted2", "aliases"},
		{"two documents", claim.Template() + "\n---\nid: X2\n", "", "one claim in a file"},
		{"no id", edit(t, "id: X1", "id: \"\""), "id: \"\"", "short name"},
		{"no title", edit(t, "title:\n  en: \"The w", "title:\n  de: \"The w"), "title:", "title: is missing"},
		{"no language", edit(t, "  fr: \"L’app", "  french: \"L’app"), "title:", "no language"},
		{"when", edit(t, `when: "2026-03-01"`, `when: "March"`), "March", "2014-07-30"},
		{"role without sessions that fit", edit(t, "      - {app: [weather]}", "      []"), "    match:", "which sessions fit"},
		{"condition on nothing", edit(t, "{app: [weather]}", "{}"), "    match:", "fits every session"},
		{"negative minutes", edit(t, "minutes: 5", "minutes: -5"), "minutes: -5", "minutes"},
		{"control", edit(t, "controls: [positive, negative]", "controls: [positiv]"), "[positiv]", "positive or negative"},
		{"protocol", edit(t, "# protocol: idle", "protocol: Idle!"), "protocol: Idle!", "name of a protocol"},
		{"share", edit(t, "bytes_up: 0.95", "bytes_up: 95"), "bytes_up: 95", "share from 0 to 1"},
		{"one_row", edit(t, "one_row: refutes", "one_row: supports"), "one_row:", "there is no query supports"},
		{"absence", edit(t, "absence: enough", "absence: perhaps"), "absence: perhaps", "want enough"},
		{"example", edit(t, "absence: enough", "absence: with_example"), "absence: with", "both queries"},
		{"no such column", edit(t, "f.class = 'location' AND f.direction = 'up' AND f.confidence <>", "f.klass = 'location' AND f.confidence <>"), "refutes: |", "no such column: f.klass"},
		{"no reason", edit(t, "SELECT f.request_id, f.reason, f.path, f.direction\n  FROM findings f JOIN requests r ON r.id = f.request_id\n  WHERE f.class = 'location' AND f.direction = 'up' AND f.confidence <>", "SELECT f.request_id FROM findings f JOIN requests r ON r.id = f.request_id\n  WHERE f.confidence <>"), "refutes: |", "request_id (or connection_id) and reason"},
		{"means", edit(t, "\n  refuted:\n", "\n  denied:\n"), "  denied:", "supported and refuted"},
		{"large", claim.Template() + strings.Repeat("# and so on\n", 20000), "", "larger than"},
	} {
		_, err := claim.Parse("my.yaml", strings.NewReader(tt.text))
		var e *claim.Error
		if !errors.As(err, &e) {
			t.Errorf("%s: %v, want a claim.Error", tt.name, err)
			continue
		}
		line := 0
		if before, _, ok := strings.Cut(tt.text, tt.at); ok && tt.at != "" {
			line = strings.Count(before, "\n") + 1
		}
		if e.File != "my.yaml" || e.Line != line || !strings.Contains(e.Text, tt.want) {
			t.Errorf("%s: %v, want line %d and %q", tt.name, e, line, tt.want)
		}
	}
}

// What a query of a stranger must not do.
func TestQueriesReadViewsOnly(t *testing.T) {
	text := claim.Template()
	begin, end := strings.Index(text, "\nrefutes: |\n"), strings.Index(text, "\n# What looks like")
	if begin < 0 || end < begin {
		t.Fatal("the template has no query")
	}
	for _, tt := range []struct{ sql, want string }{
		{"SELECT id AS request_id, name AS reason FROM mark; DELETE FROM mark", "one statement"},
		{"SELECT 1 AS request_id, secret AS reason FROM secret", "no such table"},
		{"SELECT 1 AS request_id, x.secret AS reason FROM main.secret x", "no such table"},
		{"SELECT 1 AS request_id, sql AS reason FROM sqlite_schema", "public views"},
		{"SELECT 1 AS request_id, name AS reason FROM pragma_table_info('report')", "public views"},
		{"SELECT 1 AS request_id, load_extension('x') AS reason", "not authorized"},
		{"SELECT 1 AS request_id, hex(zeroblob(1000000000)) AS reason", "not authorized"},
		{"DELETE FROM requests", "begins with SELECT"},
		{"WITH x AS (SELECT 1) DELETE FROM requests", "syntax error"},
		{"SELECT 1 AS request_id, 'x' AS reason) UNION SELECT * FROM (SELECT secret, 1 FROM secret", "no such table"},
		{"SELECT 1 AS request_id, 'x' AS reason) --", "syntax error"},
		{"PRAGMA query_only = 0", "begins with SELECT"},
		{"ATTACH 'x' AS y", "begins with SELECT"},
	} {
		_, err := claim.Parse("my.yaml", strings.NewReader(text[:begin]+"\nrefutes: |\n  "+tt.sql+"\n"+text[end:]))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.sql, err, tt.want)
		}
	}
}

func TestOpenFilesAndFolders(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	if _, err := claim.Open(dir); err == nil || !strings.Contains(err.Error(), "no file here") {
		t.Errorf("empty folder: %v", err)
	}
	one := write("one.yaml", claim.Template())
	for _, name := range []string{one, dir} {
		set, err := claim.Open(name)
		if err != nil || len(set.Claims) != 1 || set.Find("x1") == nil || set.Find("X2") != nil {
			t.Errorf("%s: %v %v", name, set, err)
		}
	}
	write("two.yml", edit(t, "id: X1", "id: x1"))
	if _, err := claim.Open(dir); err == nil || !strings.Contains(err.Error(), "is taken by "+one) {
		t.Errorf("the same id twice: %v", err)
	}
	if _, err := claim.Open(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no such file: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(claim.Template())
	f.Add("id: C1\nroles: {a: {match: [{x: y}]}}")
	f.Add("a: &a [1]\nb: [*a, *a]")
	f.Add(strings.Repeat("[", 3000))
	checker, err := store.NewChecker()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := claim.ParseWith("fuzz", strings.NewReader(text), checker)
		var e *claim.Error
		if err != nil && !errors.As(err, &e) {
			t.Fatal(err)
		}
		if (c == nil) == (err == nil) {
			t.Fatal("want a claim or an error")
		}
	})
}
