package e2e

import (
	"encoding/json"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

// comparison is what 'constat compare --json' prints.
type comparison struct {
	A, B struct {
		Requests int
		Sessions []struct{ ID int }
	}
	Rows []struct {
		What, Key, Change, Sure, Why string
		Example                      int `json:"example_request"`
	}
	Cautions []struct{ Word string }
	Same     int
}

func compared(t *testing.T, args ...string) (c comparison) {
	t.Helper()
	out, _ := constat(t, 0, append([]string{"compare", "--json"}, args...)...)
	if err := json.Unmarshal([]byte(out), &c); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return c
}

func (c *comparison) row(t *testing.T, what, key string) (change, sure string) {
	t.Helper()
	for _, r := range c.Rows {
		if r.What == what && r.Key == key {
			return r.Change, r.Sure
		}
	}
	return "", ""
}

// TestCompare acts the cloud off and on through the real proxy, three times each, with
// an app that cannot be read while it is on; then a second case without any of it.
func TestCompare(t *testing.T) {
	o := newOrigin(t, http.HandlerFunc(echo))
	c := start(t, o)
	ca := filepath.Dir(c.CA)
	mark := func(args ...string) {
		t.Helper()
		constat(t, 0, append(append([]string{"mark"}, args...), "--case", c.Case, "--ca-dir", ca)...)
	}
	post := func(url, body string) {
		t.Helper()
		resp, err := c.client(false).Post(url, "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
	const sms = `{"messages":[{"address":"+33639981122","body":"See you at noon","date":1406790000000,"type":1}]}`
	for range 3 {
		mark("use", "cloud=off")
		post("https://origin.test/check/17", "{}")
		post("https://other.test/list", "{}")
		mark("use", "cloud=on")
		post("https://origin.test/check/18", "{}")
		post("https://origin.test/sync", sms)
		// A client that does not trust the CA.
		if resp, err := (&http.Client{Transport: untrusting(c)}).Get("https://other.test/list"); err == nil {
			resp.Body.Close()
			t.Fatal("the app accepted the certificate")
		}
	}
	mark("--end")
	c.eventually("SELECT count(*) FROM connections WHERE outcome = 'client_refused'", "3")
	c.eventually("SELECT count(*) FROM requests WHERE tags LIKE '%sms%'", "3")
	got := compared(t, "--case", c.Case, "--a", "cloud=off", "--b", "cloud=on")
	for _, want := range [][4]string{
		{"class", "sms up", "appears", "likely"},
		{"path", "origin.test /sync", "appears", "likely"},
		{"host", "other.test", "cannot_be_told", "open"},
		{"host", "origin.test", "", ""},
		{"path", "origin.test /check/{n}", "", ""},
		{"path", "other.test /list", "", ""},
	} {
		if change, sure := got.row(t, want[0], want[1]); change != want[2] || sure != want[3] {
			t.Errorf("%s %s: %q %q, want %q %q", want[0], want[1], change, sure, want[2], want[3])
		}
	}
	if len(got.A.Sessions) != 3 || len(got.B.Sessions) != 3 || got.Same < 2 {
		t.Errorf("%+v", got)
	}
	out, _ := constat(t, 0, "compare", "--case", c.Case, "--a", "cloud=off", "--b", "cloud=on")
	for _, want := range []string{"A  cloud=off", "3 sessions, 6 requests", "appears in B", "class sms up", "cannot be told", "1+1+1 (3 of 3)", "?+?+? (3 of 3)", "positive control", "alike on both sides"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	// One session a side concludes nothing.
	one := compared(t, "--case", c.Case, "--a", "id=1", "--b", "id=2")
	for _, r := range one.Rows {
		if r.Sure != "open" {
			t.Errorf("%+v", r)
		}
	}
	if len(one.Rows) == 0 || len(one.Cautions) == 0 || one.Cautions[0].Word != "one_session" {
		t.Errorf("%+v", one)
	}

	// Another case, of a phone that sends none of it.
	second := startIn(t, o, filepath.Join(t.TempDir(), "second.constat"), ca)
	for range 3 {
		constat(t, 0, "mark", "use", "cloud=on", "--case", second.Case, "--ca-dir", ca)
		second.get("https://origin.test/check/19")
	}
	second.stop()
	two := compared(t, "--case-a", c.Case, "--case-b", second.Case, "--a", "cloud=on", "--b", "cloud=on")
	if change, sure := two.row(t, "class", "sms up"); change != "vanishes" || sure != "likely" {
		t.Errorf("two cases: %q %q", change, sure)
	}
	if change, _ := two.row(t, "host", "origin.test"); change != "" {
		t.Errorf("origin.test is alike, and %q", change)
	}

	for _, tt := range []struct {
		says string
		args []string
	}{
		{"want what is compared", nil},
		{"there are: session=use cloud=off", []string{"--a", "cloud=of", "--b", "cloud=on"}},
		{"same session", []string{"--a", "cloud=off", "--b", "session=use"}},
		{"FACTOR=VALUE", []string{"--a", "off", "--b", "cloud=on"}},
		{"number of a session", []string{"--a", "id=x", "--b", "cloud=on"}},
		{"twice", []string{"--a", "cloud=on", "--a", "cloud=off", "--b", "cloud=on"}},
	} {
		if _, said := constat(t, 2, append([]string{"compare", "--case", c.Case}, tt.args...)...); !strings.Contains(said, tt.says) || strings.Count(strings.TrimSpace(said), "\n") > 0 {
			t.Errorf("%q: %s", tt.args, said)
		}
	}
	c.stop()
	verified(t, c.Case)
}

// untrusting goes through the proxy and trusts no CA but the system's.
func untrusting(c *instance) *http.Transport {
	t := c.transport(false)
	t.TLSClientConfig.RootCAs = nil
	t.DisableKeepAlives = true
	return t
}
