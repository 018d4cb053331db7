package detect

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"constat/inspect"
	"constat/inspect/inspecttest"
)

// TestGates looks at every case, at cases inside others and at cases whose names
// and values are exchanged, with the gates and without: they must change nothing.
func TestGates(t *testing.T) {
	inspecttest.Alone(t)
	gathers := []*gather{&smsParted, &contactGather, &callGather, &mailGather, &noteGather, &webGather, &appGather}
	seeds := inspecttest.Seeds(t, "testdata")
	if len(seeds) < 100 {
		t.Fatalf("%d cases", len(seeds))
	}
	r := rand.New(rand.NewPCG(3, 1))
	detectors := []inspect.Detector{SMS, Photo, Contacts, CallLog, Email, Notes, BrowsingHistory, AppList}
	bodies := others
	for _, s := range seeds {
		bodies = append(bodies, s, exchange(r, s, seeds[r.IntN(len(seeds))]))
		if other := seeds[r.IntN(len(seeds))]; json.Valid(s) && json.Valid(other) && len(s)+len(other) < 32<<10 {
			bodies = append(bodies, bytes.Join([][]byte{[]byte(`{"a":`), s, []byte(`,"b":[`), other, []byte(`]}`)}, nil))
		}
		if json.Valid(s) && len(s) < 16<<10 {
			around := others[r.IntN(len(others))]
			bodies = append(bodies, exchange(r, bytes.Join([][]byte{[]byte(`{"sdk":{"name":"kite","version":"1.2"},"events":[{"event":"view","time":1406800000123,"properties":`), s, []byte(`,"price":9.5,"tags":["red","blue"]}],"items":`), around, []byte(`}`)}, nil), s))
		}
	}
	found := 0
	for _, body := range bodies {
		content := inspect.Content{Header: http.Header{"Content-Type": {"application/json"}}, Body: body}
		for _, s := range []*inspect.Subject{
			{Method: "POST", Path: "/v1/sync", Request: content},
			{Method: "POST", Path: "/v1/notes/calls", Request: content},
			{Method: "GET", Path: "/x", Response: content},
		} {
			tr := tree(t, s)
			var want, got [][]inspect.Finding
			for _, d := range detectors {
				got = append(got, d.Detect(tr))
			}
			var kept []gather
			for _, g := range gathers {
				kept = append(kept, *g)
				g.need, g.may, g.live = nil, nil, nil
			}
			ungated = true
			for _, d := range detectors {
				want = append(want, d.Detect(tr))
				found += len(want[len(want)-1])
			}
			ungated = false
			for i, g := range gathers {
				*g = kept[i]
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s %s\n%.2000s\n%s", s.Method, s.Path, body, diff)
			}
		}
	}
	if found < 1000 {
		t.Errorf("%d findings", found)
	}
}

// others are documents in which there is nothing to find, or little.
var others = [][]byte{
	[]byte(`[1,2,7919,15838]`), []byte(`[[2.25,48.5],[2.5,48.25]]`), []byte(`{"a":{"b":[{"a":{"b":[1]}}]}}`),
	[]byte(`[{"id":"m1","from":{"id":3,"name":"Ada"},"text":"See you at 5, then","sentAt":"2026-11-20T10:00:00Z","reactions":[{"e":"+1","n":2}]},{"id":"m2","from":{"id":4,"name":"Bob"},"text":"Bring 2 kites","sentAt":"2026-11-20T10:01:00Z","reactions":[]}]`),
	[]byte(`[{"title":"A kite for two","description":"Flies high, and lands on its feet","price":9.5,"tags":["toy","red"],"updated":"2026-11-20T10:00:00Z"},{"title":"A boat","description":"Swims on each lake","tags":["toy","blue"],"updated":"2026-11-20T10:00:00Z"}]`),
	[]byte(`[{"tags":["a b","c d","e f"],"title":"Milk and bread","content":"Buy both tomorrow","modified":1406800000123,"price":null}]`),
	[]byte(`[{"type":"Feature","geometry":{"type":"Point","coordinates":[2.5,48.25]},"properties":{"name":"Stop 12","kind":"bus"}}]`),
	[]byte(`[{"key":"feature_1","enabled":true,"rollout":50,"note":"for the beta"},{"key":"feature_2","value":"+33639981122"}]`),
	[]byte(`[{"currency":"EUR","rate":"12.3456","date":"2026-11-20"},{"currency":"USD","rate":"0.1234567","date":"2026-11-20"}]`),
	[]byte(`[{"id":7,"headline":"A long way home","url":"https://news.example.org/a/7","author":{"name":"Ada Byron"},"body":"Many words stand here, and at last the end.","tags":["red","blue"]}]`),
	[]byte(`{"folders":[{"name":"Inbox","total":3},{"name":"Sent","total":4},{"name":"Drafts","total":0}],"user":{"id":"5e884898da28047151d0e56f8dc62927"}}`),
	[]byte(`{"contact":{"name":"Odile","phone":"+33639981122","call":{"duration":3,"type":"missed","date":1406800000123}},"recent":[{"n":"+33639981122","d":35,"t":2,"w":1406800000123}]}`),
	[]byte(`{"page":{"url":"https://example.org/a","title":"A page"},"device":{"id":"9f3c1d2e-4b5a-4978-8a1b-5eedca9a0001"},"searches":[{"text":"kites","at":1406800000123}]}`),
	[]byte(`{"apps":[{"label":"Kite","version":"1.2"},{"label":"Boat","version":"3"},{"label":"Sun","version":"4"}],"list":["org.example.one","com.example.two","net.example.three"],"file":{"name":"IMG_20140731_134500.jpg","size":12345,"sha1":"da39a3ee5e6b4b0d3255bfef95601890afd80709"}}`),
}

// exchange puts names of other into body, and makes texts of numbers.
func exchange(r *rand.Rand, body, other []byte) []byte {
	out := bytes.Clone(body)
	for range 3 {
		if from, to := aName(r, out), aName(r, other); from != nil && to != nil {
			out = bytes.ReplaceAll(out, from, to)
		}
		i := r.IntN(len(out))
		if n := bytes.IndexByte(out[i:], ':'); n >= 0 && i+n+1 < len(out) && out[i+n+1]-'0' < 10 {
			i += n
			end := i + 1
			for end < len(out) && out[end]-'0' < 10 {
				end++
			}
			out = bytes.Join([][]byte{out[:i+1], []byte(`"`), out[i+1 : end], []byte(`"`), out[end:]}, nil)
		}
	}
	return out
}

// aName returns one of the names of a JSON object, with its quotes.
func aName(r *rand.Rand, b []byte) []byte {
	end := []byte(`":`)
	n := bytes.Count(b, end)
	if n == 0 {
		return nil
	}
	at := 0
	for range 1 + r.IntN(n) {
		at += bytes.Index(b[at:], end) + len(end)
	}
	start := bytes.LastIndexByte(b[:at-len(end)], '"')
	if start < 0 {
		return nil
	}
	return bytes.Clone(b[start:at])
}
