package detect

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"

	"constat/inspect"
	"constat/inspect/inspecttest"
)

// TestPickers looks at every case, at cases whose names and values are exchanged,
// and at some of them as a form, with the gates of pickers and without: they must
// change nothing.
func TestPickers(t *testing.T) {
	inspecttest.Alone(t)
	seeds := inspecttest.Seeds(t, "testdata")
	if len(seeds) < 100 {
		t.Fatalf("%d cases", len(seeds))
	}
	r := rand.New(rand.NewPCG(5, 2))
	other := func() []byte { return seeds[r.IntN(len(seeds))] }
	type body struct {
		contentType string
		data        []byte
	}
	var bodies []body
	for _, s := range seeds {
		bodies = append(bodies, body{"application/json", s})
		mixed := exchange(r, s, other())
		for range 3 {
			mixed = exchangeValues(r, mixed, other())
		}
		bodies = append(bodies, body{"application/json", mixed})
		form := make(url.Values)
		for range 6 {
			if name, value := aName(r, other()), aValue.FindSubmatch(other()); name != nil && value != nil {
				form.Add(string(bytes.Trim(name, `"`)), string(bytes.Trim(value[1], `"`)))
			}
		}
		bodies = append(bodies, body{"application/x-www-form-urlencoded", []byte(form.Encode())})
		if o := other(); json.Valid(s) && json.Valid(o) && len(s)+len(o) < 32<<10 {
			bodies = append(bodies, body{"application/json", bytes.Join([][]byte{[]byte(`{"a":`), s, []byte(`,"b":[`), o, []byte(`]}`)}, nil)})
		}
	}
	detectors := []inspect.Detector{Location, Identifiers, Credentials, Opaque, DeviceStats, UpdateCheck}
	found := 0
	for _, b := range bodies {
		content := inspect.Content{Header: http.Header{"Content-Type": {b.contentType}}, Body: b.data}
		for _, s := range []*inspect.Subject{
			{Method: "POST", Path: "/v1/update/track", Request: content},
			{Method: "GET", Path: "/v1/update/check", Query: "version=1.2", Response: content},
		} {
			look := func(open bool) (list [][]inspect.Finding, values []inspect.Value) {
				ungated = open
				defer func() { ungated = false }()
				tr := tree(t, s)
				for _, d := range detectors {
					list = append(list, d.Detect(tr))
				}
				return list, Values(tr)
			}
			got, values := look(false)
			want, all := look(true)
			for _, list := range want {
				found += len(list)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s %s\n%.2000s\n%s", s.Method, s.Path, b.data, diff)
			}
			if diff := cmp.Diff(all, values); diff != "" {
				t.Errorf("values %s\n%.2000s\n%s", s.Method, b.data, diff)
			}
		}
	}
	if found < 1000 {
		t.Errorf("%d findings", found)
	}
}

// aValue is the value of a member of a JSON object.
var aValue = regexp.MustCompile(`:\s*("(?:[^"\\]|\\.){0,400}"|-?[0-9.eE+-]+|true|false|null)`)

// exchangeValues puts a value of other into body.
func exchangeValues(r *rand.Rand, body, other []byte) []byte {
	if len(body) == 0 || len(other) == 0 {
		return body
	}
	from := r.IntN(len(body))
	value, at := aValue.FindSubmatch(other[r.IntN(len(other)):]), aValue.FindSubmatchIndex(body[from:])
	if value == nil || at == nil {
		return body
	}
	return bytes.Join([][]byte{body[:from+at[2]], value[1], body[from+at[3]:]}, nil)
}
