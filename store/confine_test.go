package store

import (
	"slices"
	"strings"
	"testing"
)

// What the views name is read, and nothing else.
func TestChecker(t *testing.T) {
	c, err := NewChecker()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, v := range Views {
		if columns, err := c.Columns("SELECT * FROM " + v); err != nil || len(columns) < 5 {
			t.Errorf("%s: %q %v", v, columns, err)
		}
	}
	columns, err := c.Columns("WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT n.i, max(r.id) AS newest FROM n, requests r, json_each('[1]') j WHERE r.host LIKE '%x' GROUP BY 1")
	if err != nil || !slices.Equal(columns, []string{"i", "newest"}) {
		t.Errorf("%q %v", columns, err)
	}
	for query, want := range map[string]string{
		"SELECT * FROM mark":                                  "no such table",
		"SELECT * FROM main.secret":                           "no such table",
		"SELECT name FROM sqlite_master":                      "only the public views",
		"SELECT * FROM pragma_database_list":                  "only the public views",
		"SELECT random()":                                     "not authorized",
		"SELECT LOAD_EXTENSION('x')":                          "not authorized",
		"SELECT fts3_tokenizer('simple')":                     "not authorized",
		"SELECT Instr(host, path) FROM requests":              "not authorized",
		"SELECT replace(host, path, '') FROM requests":        "not authorized",
		"SELECT trim(host, path) FROM requests":               "not authorized",
		"SELECT unhex(host, path) FROM requests":              "not authorized",
		"SELECT json_patch(host, path) FROM requests":         "not authorized",
		"DELETE FROM requests":                                "only the public views",
		"INSERT INTO requests(id) VALUES(1)":                  "only the public views",
		"CREATE TEMP TABLE x(y)":                              "only the public views",
		"ATTACH ':memory:' AS x":                              "only the public views",
		"PRAGMA query_only = 0":                               "only the public views",
		"SELECT nonesuch FROM requests":                       "no such column",
		"SELECT (SELECT secret FROM secret) FROM hosts":       "no such table",
		"SELECT * FROM requests WHERE id IN log":              "no such table",
		"WITH secret AS (SELECT 1 AS x) SELECT y FROM secret": "no such column",
	} {
		if _, err := c.Columns(query); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", query, err, want)
		}
	}
}

// A confined connection reads the case, writes nothing and makes nothing large.
func TestConfined(t *testing.T) {
	c := newCase(t)
	commit(t, c, testExchange(1, nil, []byte("x")))
	db, done := c.Confined()
	defer done()
	if got := rows(t, db, "SELECT id, host FROM requests"); !slices.Equal(got, []string{"1|host1.example"}) {
		t.Errorf("%q", got)
	}
	for query, want := range map[string]string{
		"DELETE FROM mark":                        "readonly",
		"CREATE TEMP TABLE x AS SELECT 1":         "readonly",
		"SELECT length(hex(zeroblob(100000000)))": "too big",
		"SELECT 'a' LIKE printf('%.1000c', '%')":  "too complex",
	} {
		if r, err := db.Exec(query); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v %v, want %q", query, r, err, want)
		}
	}
}
