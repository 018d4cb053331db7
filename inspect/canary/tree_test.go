package canary

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	"constat/inspect"
	"constat/inspect/decode"
	"constat/inspect/inspecttest"

	"github.com/google/go-cmp/cmp"
)

func treeOf(t testing.TB, contentType, body string) *inspect.Tree {
	t.Helper()
	in, err := inspect.New(inspect.Config{Decoders: decode.All})
	if err != nil {
		t.Fatal(err)
	}
	tree, _ := in.Unwrap(t.Context(), &inspect.Subject{
		Method: "POST", Scheme: "https", Host: "api.example.com", Path: "/v1",
		Request: inspect.Content{Header: http.Header{"Content-Type": {contentType}}, Body: []byte(body)},
	})
	return tree
}

// TestTreeFindsTheSame: what a tree lets leave out is nowhere in its parts.
func TestTreeFindsTheSame(t *testing.T) {
	inspecttest.Alone(t)
	m := matcher(t,
		Canary{Name: "p", Kind: Phone, Value: "+33639984712"}, Canary{Name: "i", Kind: IMEI, Value: "352099001761481"},
		Canary{Name: "g", Kind: Place, Value: "48.85837,2.294481"}, Canary{Name: "o", Kind: Other, Value: "K7WQ2M9RX4BC"},
		Canary{Name: "n", Kind: ContactName, Value: "Jan Duboisson"}, Canary{Name: "t", Kind: SMSText, Value: "Le code du coffre est 7741-ZEBRE, ne le dis à personne."})
	values := []string{
		`352099001761481`, `"352099001761481"`, `33639984712`, `-33639984712`, `"+33 6 39 98 47 12"`, `[48.85837,2.294481]`, `[48.85837,-2.294481]`, `{"lat":48.85837,"x":1,"lon":2.294481}`,
		`"K7WQ2M9RX4BC"`, `"xK7WQ2M9RX4BC"`, `"Jan Duboisson"`, `"Jan Duboisson9"`, `"a=K7WQ2M9RX4BC&b=06%2039%2098%2047%2012"`, `"%0633639984712"`, `"1.33639984712"`, `"-352099001761481"`,
		`"le code du coffre est 7741 ZEBRE"`, `{"body1":"Le code du coffre est 77","body2":"41-ZEBRE, ne le dis"}`, `1`, `"x"`, `true`, `null`, `0.5`, `12345678`, `"eyJpIjoiMzUyMDk5MDAxNzYxNDgxIn0="`,
		`"{\"n\":[352099001761481,\"Jan Duboisson\"]}"`, `"352099001761481,33639984712;48.85837 2.294481"`, `"352099001761481|33639984712"`,
	}
	r := rand.New(rand.NewPCG(7, 8))
	hits := 0
	for range 1500 {
		var list []string
		for i := range 1 + r.IntN(5) {
			v := values[r.IntN(len(values))]
			if r.IntN(2) == 0 {
				v = fmt.Sprintf(`{"k%d":%s}`, i, v)
			}
			list = append(list, v)
		}
		body := "[" + strings.Join(list, []string{",", ", ", "\n,"}[r.IntN(3)]) + "]"
		one := m.Tree()
		for _, p := range treeOf(t, "application/json", body).Parts {
			want, got := m.Match(p), one.Match(p)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("%s in %s (-want +got):\n%s", p.Path, body, diff)
			}
			hits += len(got)
		}
	}
	if hits < 1000 {
		t.Errorf("only %d hits", hits)
	}
}

// TestTextInPieces: pieces of one name are joined where the text goes on, and
// only there.
func TestTextInPieces(t *testing.T) {
	m := matcher(t, Canary{Name: "t", Kind: SMSText, Value: "Le code du coffre est 7741-ZEBRE, ne le dis à personne."})
	for _, tc := range []struct {
		body string
		want string
	}{
		{`{"p1":"Le code du cof","p2":"fre est 7741-Z","p3":"EBRE"}`, "request.body"},
		{`{"a":[{"p":"Le code du coffre e"},{"q":"xyz"},{"p":"st 77"},{"q":"0"},{"p":"41-ZEBRE, ne le dis"}]}`, "request.body"},
		{`["Le code du coffre est 7741-ZEBR","E, ne le dis à personne."]`, "request.body"},
		{`["Le code du coffre est 7741-Z&eacute;","&#66;re, ne le dis à personne."]`, "request.body"}, // accents are folded
		{`["Le code du coffre est 77 … ","41 — ZEBRE, ne le dis à personne."]`, "request.body"},
		{`["Le code du coffre est 7","741-ZEBRE, ne le dis à personne."]`, "request.body"},
		{`["Le code du coffre est 7741-Z","un autre mot","EBRE, ne le dis à personne."]`, ""},
		{`{"p":"Le code du coffre est 7741-Z","q":"EBRE, ne le dis à personne."}`, ""},
		{`["Le code du coffre est","le code du coffre"]`, ""},
		{`["ne le dis à personne","Le code du coffre"]`, ""},
	} {
		var got []string
		one := m.Tree()
		for _, p := range treeOf(t, "application/json", tc.body).Parts {
			for _, h := range one.Match(p) {
				if h.Form == "text-in-pieces" {
					got = append(got, string(h.Path))
				}
			}
		}
		if s := strings.Join(got, " "); s != tc.want {
			t.Errorf("%s: found in %q, want %q", tc.body, s, tc.want)
		}
	}
}
