package report

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"constat/inspect"
	"constat/proxy/flow"
)

// TestIdentifiers has values that come again, one of them in a field whose name is
// an attack, and looks for them in the page: masked.
func TestIdentifiers(t *testing.T) {
	b := newBuilder(t)
	const id, hostile = "0b7a9c524e0f4a6e9d352f1d6c7be001", `<script>alert(1)</script>`
	words := regexp.MustCompile(`[0-9a-f]{32}`)
	in, err := inspect.New(inspect.Config{Build: "values", Values: func(tree *inspect.Tree) (out []inspect.Value) {
		for _, p := range tree.Parts {
			if p.Path == "request.body" {
				for i, v := range words.FindAllString(p.String(), -1) {
					out = append(out, inspect.Value{Value: v, Kind: "hex", Name: []string{"device_id", "nonce", hostile}[i], Bits: 128, Path: p.Path, Direction: flow.Up})
				}
			}
		}
		return out
	}})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.html(b.options()), "That is not proof that none was sent") {
		t.Error("the page of a case without values does not say so")
	}
	for i := range 3 {
		e := &flow.Exchange{Began: b.now, Method: "POST", Scheme: "https", Host: "stats.example", Path: "/collect", Status: 200}
		e.Request.Body = flow.BodyOf(fmt.Appendf(nil, "%s %032x %032x", id, 1<<40+i, 7))
		e.Response.Body = flow.BodyOf(nil)
		b.commit(e)
		b.now = b.now.Add(24 * time.Hour)
	}
	if _, err := b.c.Inspect(t.Context(), in, nil); err != nil {
		t.Fatal(err)
	}
	d := b.gather().Identifiers
	if d.Requests != 3 || d.Distinct != 5 || len(d.Values) != 2 || len(d.Fields) != 3 || d.Values[0].Requests != 3 {
		t.Errorf("%+v", d)
	}
	page := b.html(b.options())
	for _, want := range []string{"0b7a…e001", "device_id", "random per request", "1 value in 3 requests over 2 days: permanent", "&lt;script&gt;"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	var js bytes.Buffer
	if err := WriteJSON(t.Context(), &js, &b.c.Reader, b.options()); err != nil {
		t.Fatal(err)
	}
	for what, text := range map[string]string{"page": page, "JSON": js.String()} {
		if strings.Contains(text, id) {
			t.Errorf("the %s has a value in full", what)
		}
	}
	if strings.Contains(page, hostile) {
		t.Error("the name of a field is markup")
	}
}
