package claim_test

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"constat/proxy/flow"
	"constat/store"
	"constat/store/claim"
	"constat/store/protocol"
)

// A claim that statistics never leave in the sessions of the role use, with lines
// put in place of others.
const plain = `
id: R1
title: No statistics
said: {who: somebody, when: 2026, quote: No statistics., source: invented}
question: Do statistics leave?
roles:
  use: {title: the app is used, match: [{app: [weather, "Wetter"]}, {name: use, app: "!bank"}], sessions: 2, minutes: 5}
controls: []
coverage: {bytes_up: 0.5, escapes: []}
one_row: refutes
absence: enough
refutes: |
  SELECT f.request_id, f.reason FROM findings f JOIN requests r ON r.id = f.request_id
  WHERE f.class = 'device_stats' AND r.session_id IN (SELECT session_id FROM role WHERE name = 'use')
means: {supported: None were seen., refuted: They left.}
`

func ownSet(t *testing.T, edits ...string) *claim.Set {
	t.Helper()
	text := plain
	for i := 0; i < len(edits); i += 2 {
		if strings.Count(text, edits[i]) != 1 {
			t.Fatalf("the claim has %q %d times", edits[i], strings.Count(text, edits[i]))
		}
		text = strings.Replace(text, edits[i], edits[i+1], 1)
	}
	path := filepath.Join(t.TempDir(), "own.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	set, err := claim.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// answer asks a set of one claim about the film, which goes on afterwards.
func (f *film) answer(set *claim.Set, opt claim.Options) claim.Answer {
	f.t.Helper()
	return f.answers(&f.c.Reader, set, opt)[0]
}

func (f *film) inspect() {
	f.t.Helper()
	_, err := f.c.Inspect(f.t.Context(), players(f.t).inspector, nil)
	f.check(err)
}

func wants(t *testing.T, a claim.Answer, v claim.Verdict, missing ...string) {
	t.Helper()
	var got []string
	for _, m := range a.Missing {
		got = append(got, m["en"])
	}
	if a.Verdict != v || len(got) != len(missing) {
		t.Fatalf("%s (%s), missing %q; want %s, missing %q", a.Verdict, a.Because["en"], got, v, missing)
	}
	for i, m := range missing {
		if !strings.Contains(got[i], m) {
			t.Errorf("missing %q, want %q", got[i], m)
		}
	}
	holds(t, &a)
}

// The rules one after the other, in a case that grows.
func TestRules(t *testing.T) {
	f := newFilm(t, false)
	set := ownSet(t)

	wants(t, f.answer(set, claim.Options{}), claim.Undecided, "2 more sessions of 5 minutes or longer in which the app is used (found 0 of 2; mark one with: constat mark use app=weather)")

	f.session("a app=Weather", 4*minute, f.greetings)
	f.session("b app=wetter", 6*minute, f.greetings)
	f.session("use app=bank", 6*minute, f.greetings)
	f.session("use", 6*minute, f.greetings)
	f.session("control app=weather", 6*minute, f.greetings)
	f.session("x app=weather phone=off", 6*minute, nil)
	wants(t, f.answer(set, claim.Options{}), claim.Undecided, "1 more session of 5 minutes or longer in which the app is used (found 1 of 2, 1 shorter or stopped one besides", "2 requests have not been looked at yet")
	f.inspect()
	wants(t, f.answer(set, claim.Options{}), claim.Undecided, "1 more session")

	// A session that is open lasts as long as something is recorded.
	f.check(f.c.Mark(t.Context(), "use", map[string]string{"app": "other"}, ""))
	f.wait(4 * minute)
	f.greetings()
	f.inspect()
	wants(t, f.answer(set, claim.Options{}), claim.Undecided, "1 more session")
	f.wait(2 * minute)
	f.greetings()
	f.inspect()
	a := f.answer(set, claim.Options{})
	wants(t, a, claim.Supported)
	if len(a.Roles) != 1 || len(a.Roles[0].Sessions) != 3 || a.Coverage.Sessions != 3 || a.Coverage.Requests != 4 {
		t.Errorf("roles %+v, coverage %+v", a.Roles, a.Coverage)
	}

	// What absence needs.
	wants(t, f.answer(ownSet(t, "absence: enough", "absence: never"), claim.Options{}), claim.Undecided, "Only a request that contradicts it")
	wants(t, f.answer(ownSet(t, "controls: []", "controls: [positive, negative]"), claim.Options{}), claim.Undecided, "The positive control was not seen")
	wants(t, f.answer(ownSet(t, "escapes: []", "escapes: all"), claim.Options{}), claim.Undecided, "before the tunnel is up, the SMS channel")
	wants(t, f.answer(ownSet(t, "escapes: []", "escapes: [quic, dns]"), claim.Options{}), claim.Supported)
	wants(t, f.answer(ownSet(t, "controls: []", "controls: []\nplanted: place"), claim.Options{}), claim.Undecided, "No value of the kind place was planted")
	ofDomain := ownSet(t, "controls: []", "controls: []\nparameters: {domain: {help: The domain., required: true}}")
	wants(t, f.answer(ofDomain, claim.Options{}), claim.Undecided, "A value for domain")
	wants(t, f.answer(ofDomain, claim.Options{Values: map[string][]string{"domain": {"it's.example"}}}), claim.Supported)
	doubtful := ownSet(t, "means:", "doubts: SELECT id AS request_id, 'perhaps' AS reason FROM requests\nmeans:")
	wants(t, f.answer(doubtful, claim.Options{}), claim.Undecided, "requests, which a person must look at: 1, 2, 3, 4, 5 and more (perhaps)")
	example := ownSet(t, "absence: enough", "absence: with_example\nsupports: SELECT id AS request_id, 'x' AS reason FROM requests WHERE host = 'none.example'")
	wants(t, f.answer(example, claim.Options{}), claim.Undecided, "was not seen to happen at all")

	f.unread("bank.example", flow.Passed, noUpload)
	wants(t, f.answer(set, claim.Options{}), claim.Undecided, "% of the bytes sent in the sessions in which the app is used could not be read, and at most 50 % may be; hosts never read: bank.example.")

	// One row decides, whatever is missing; a doubt changes nothing.
	f.stats(nil)
	f.inspect()
	wants(t, f.answer(set, claim.Options{}), claim.Refuted)
	wants(t, f.answer(doubtful, claim.Options{}), claim.Refuted)
	wants(t, f.answer(ownSet(t, "absence: enough", "absence: never"), claim.Options{}), claim.Refuted)
	wants(t, f.answer(ownSet(t, "refutes\n", "supports\n", "refutes: |", "supports: |"), claim.Options{}), claim.Supported)

	// Unless something came with the phone switched off.
	f.session("y phone=off", 6*minute, func() { f.unread("other.example", flow.ClientRefused, 600) })
	a = f.answer(set, claim.Options{})
	if a.Verdict != claim.Undecided || !strings.Contains(a.Because["en"], "with the phone switched off there was traffic") || len(a.Deciding) != 0 {
		t.Errorf("%s: %s", a.Verdict, a.Because["en"])
	}
}

// The protocols that claims point to make sessions for their roles: enough, and long
// enough.
func TestProtocolsMakeTheSessions(t *testing.T) {
	answers := map[string]string{"cloud": "off", "account": "none", "network": "wifi"}
	pointing := 0
	for _, c := range xiaomi(t).Claims {
		if c.Protocol == "" {
			continue
		}
		pointing++
		p, err := protocol.Named(c.Protocol)
		if err != nil || p == nil {
			t.Errorf("%s: no protocol %s: %v", c.ID, c.Protocol, err)
			continue
		}
		controls := map[string]bool{}
		found := map[string]int{}
		for _, ph := range p.Phases {
			s := store.Session{Name: ph.Session, Factors: map[string]string{}}
			for _, q := range p.Ask {
				s.Factors[q.Factor] = answers[q.Factor]
			}
			maps.Copy(s.Factors, p.Factors)
			maps.Copy(s.Factors, ph.Factors)
			if ph.Control != "" {
				controls[string(ph.Control)] = true
				s.Factors[protocol.ControlFactor] = string(ph.Control)
			}
			var lasts time.Duration
			for _, step := range ph.Steps {
				lasts += step.Wait
			}
			for _, need := range c.Roles {
				if need.Fits(&s) && lasts.Minutes() >= need.Minutes {
					found[need.Name] += ph.Repeat
				}
			}
		}
		for _, need := range c.Roles {
			if found[need.Name] < need.Sessions {
				t.Errorf("%s: protocol %s makes %d sessions for %s, want %d of %v minutes", c.ID, p.ID, found[need.Name], need.Name, need.Sessions, need.Minutes)
			}
		}
		for _, control := range c.Controls {
			if !controls[control] {
				t.Errorf("%s: protocol %s has no %s control", c.ID, p.ID, control)
			}
		}
	}
	if pointing < 8 {
		t.Errorf("%d claims point to a protocol", pointing)
	}
}

// A session of a protocol that was stopped is not one that was gone through; what was
// seen in it was seen all the same.
func TestStoppedSession(t *testing.T) {
	f := newFilm(t, false)
	f.session("a app=weather", 6*minute, f.greetings)
	f.session("b app=weather", 6*minute, f.greetings)
	f.inspect()
	wants(t, f.answer(ownSet(t), claim.Options{}), claim.Supported)
	sessions, err := f.c.Sessions(t.Context())
	f.check(err)
	f.check(f.c.Declare(t.Context(), store.TopicStep, "run/1", map[string]any{"session_id": sessions[1].ID, "outcome": "stopped"}))
	a := f.answer(ownSet(t), claim.Options{})
	wants(t, a, claim.Undecided, "1 more session")
	if len(a.Roles[0].Sessions) != 2 {
		t.Errorf("%d sessions, want 2", len(a.Roles[0].Sessions))
	}
}

// Mobile data passes no door on Wi-Fi, unless there is none.
func TestPhoneWithoutSIM(t *testing.T) {
	f := newFilm(t, false)
	f.door = "transparent"
	mobile := ownSet(t, "escapes: []", "escapes: [mobile_data]")
	f.session("a app=weather sim=none", 6*minute, f.greetings)
	f.session("b app=weather airplane=on", 6*minute, f.greetings)
	f.inspect()
	wants(t, f.answer(mobile, claim.Options{}), claim.Supported)
	f.session("c app=weather", 6*minute, f.greetings)
	f.inspect()
	wants(t, f.answer(mobile, claim.Options{}), claim.Undecided, "mobile data (declare sim=none")
	f.check(f.c.Declare(t.Context(), store.TopicDevice, "phone", map[string]string{"sim": "none"}))
	wants(t, f.answer(mobile, claim.Options{}), claim.Supported)
	f.check(f.c.Declare(t.Context(), store.TopicDevice, "phone", map[string]string{"sim": "Example Mobile"}))
	wants(t, f.answer(mobile, claim.Options{}), claim.Undecided, "mobile data")
}

// An opaque body counts as bytes that could not be read.
func TestSealedBodiesAreNotRead(t *testing.T) {
	f := newFilm(t, false)
	f.session("a app=weather", 6*minute, func() { f.greetings(); f.sealed() })
	f.session("b app=weather", 6*minute, f.greetings)
	f.inspect()
	a := f.answer(ownSet(t), claim.Options{})
	wants(t, a, claim.Undecided, "1 request holds bytes that an app encrypted itself")
	if a.Coverage.ShareUp() != 1 {
		t.Errorf("%v of the connections were read", a.Coverage.ShareUp())
	}
}

// Captures of other tools say nothing of what passed them by.
func TestImportedCaptures(t *testing.T) {
	f := newFilm(t, false)
	f.door = "import"
	f.session("a app=weather", 6*minute, f.greetings)
	f.session("b app=weather", 6*minute, f.greetings)
	f.inspect()
	wants(t, f.answer(ownSet(t, "escapes: []", "escapes: quic"), claim.Options{}), claim.Undecided, "another tool made the capture")
}

func TestQueriesAreBounded(t *testing.T) {
	f := newFilm(t, false)
	f.session("a app=weather", 6*minute, f.greetings)
	f.session("b app=weather", 6*minute, f.greetings)
	f.inspect()
	counting := func(to string) *claim.Set {
		a, b := strings.Index(plain, "refutes: |"), strings.Index(plain, "means:")
		return ownSet(t, plain[a:b], "refutes: |\n  WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"+to+")\n"+
			"  SELECT (i - 1) % 3 + 1 AS request_id, 'row ' || i AS reason, x'ff00' AS value FROM n\n")
	}
	a := f.answer(counting(""), claim.Options{QueryTime: 100 * time.Millisecond})
	wants(t, a, claim.Undecided, "The query refutes took longer than")

	// Request 3 does not exist: rows that name nothing do not count.
	a = f.answer(counting(" WHERE i < 600"), claim.Options{})
	wants(t, a, claim.Refuted)
	if len(a.Deciding) != claim.MaxDeciding || a.More != 1 || a.Deciding[0].Value != `\xff\x00` || !strings.Contains(a.Because["en"], "Seen in 2 requests in 2 sessions") {
		t.Errorf("%d rows, %d more: %+v %s", len(a.Deciding), a.More, a.Deciding[0], a.Because["en"])
	}
	a = f.answer(counting(" WHERE i < 40000"), claim.Options{})
	wants(t, a, claim.Refuted)
	if !strings.Contains(a.Because["en"], "Seen in more than ") {
		t.Errorf("%s", a.Because["en"])
	}

	// What a query makes is bounded in size, too.
	b := strings.Index(plain, "refutes: |")
	large := ownSet(t, plain[b:strings.Index(plain, "means:")], "refutes: WITH RECURSIVE d(s) AS (SELECT 'xxxxxxxx' UNION ALL SELECT s || s FROM d) SELECT 1 AS request_id, s AS reason FROM d\n")
	if _, err := claim.Answers(t.Context(), &f.c.Reader, large, claim.Options{}); err == nil || !strings.Contains(err.Error(), "claim R1, query refutes") {
		t.Errorf("a huge value: %v", err)
	}
}

// The same case gives the same answers, and anybody can run their queries.
func TestAnswersAreRepeatable(t *testing.T) {
	f := newFilm(t, false)
	f.controls()
	f.three("idle screen=off cloud=off account=none network=wifi", half, func() { f.stats(id("01")); f.greetings(); f.contact() })
	f.inspect()
	ask := func(opt claim.Options) []claim.Answer {
		answers, err := claim.Answers(t.Context(), &f.c.Reader, xiaomi(t), opt)
		f.check(err)
		return answers
	}
	calls := 0
	first := ask(claim.Options{Progress: func(done, total int64) { calls++ }})
	if len(first) != 24 || calls != 25 {
		t.Fatalf("%d answers, %d calls of progress", len(first), calls)
	}
	if diff := cmp.Diff(first, ask(claim.Options{})); diff != "" {
		t.Errorf("asked again (-first +second):\n%s", diff)
	}
	for _, a := range first {
		holds(t, &a)
		text, err := json.Marshal(a)
		if err != nil || strings.Contains(string(text), ":null") {
			t.Errorf("%s: %v %s", a.Claim, err, text)
		}
		for _, q := range a.Queries {
			rows, err := f.c.DB().QueryContext(t.Context(), q)
			if err != nil {
				t.Errorf("%s: %v\n%s", a.Claim, err, q)
				continue
			}
			rows.Close()
		}
	}

	var unknown *claim.UnknownError
	if _, err := claim.Answers(t.Context(), &f.c.Reader, xiaomi(t), claim.Options{Only: []string{"C99"}}); !errors.As(err, &unknown) || unknown.What != "claim" {
		t.Errorf("no such claim: %v", err)
	}
	if _, err := claim.Answers(t.Context(), &f.c.Reader, xiaomi(t), claim.Options{Values: map[string][]string{"x": nil}}); !errors.As(err, &unknown) || unknown.What != "parameter" {
		t.Errorf("no such parameter: %v", err)
	}
	two := ask(claim.Options{Only: []string{"c20", "C3"}})
	if len(two) != 2 || two[0].Claim != "C3" || two[1].Claim != "C20" {
		t.Errorf("only two: %v", two)
	}
	// The claims are asked at the same time, and one that fails ends all.
	a, b := strings.Index(plain, "refutes: |"), strings.Index(plain, "means:")
	failing := &claim.Set{Name: "mixed", Claims: slices.Concat(xiaomi(t).Claims, ownSet(t, plain[a:b], "refutes: SELECT 1 AS request_id, json('{') AS reason\n").Claims)}
	if _, err := claim.Answers(t.Context(), &f.c.Reader, failing, claim.Options{}); err == nil || !strings.Contains(err.Error(), "claim R1, query refutes") {
		t.Errorf("one fails: %v", err)
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := claim.Answers(canceled, &f.c.Reader, xiaomi(t), claim.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
}

// A parameter narrows a claim down.
func TestParameters(t *testing.T) {
	f := newFilm(t, false)
	f.three("idle screen=off", half, func() { f.stats(nil); f.greetings() })
	f.inspect()
	for _, tt := range []struct {
		domains []string
		want    []string
	}{
		{nil, []string{"messages.vendor.example", "stats.vendor.example"}},
		{[]string{"vendor.example"}, []string{"messages.vendor.example", "stats.vendor.example"}},
		{[]string{"stats.vendor.example"}, []string{"stats.vendor.example"}},
		{[]string{" *.Stats.vendor.EXAMPLE. "}, []string{"stats.vendor.example"}},
		{[]string{"endor.example"}, nil},
	} {
		a := f.answer(xiaomi(t), claim.Options{Only: []string{"C1"}, Values: map[string][]string{"domains": tt.domains}})
		var got []string
		for _, d := range a.Deciding {
			got = append(got, d.Host)
		}
		slices.Sort(got)
		if got = slices.Compact(got); !slices.Equal(got, tt.want) {
			t.Errorf("%q: %q, want %q", tt.domains, got, tt.want)
		}
	}
}

// A value that can match nothing is refused, or brought to the writing of the views:
// that nothing matches it would look like absence.
func TestParameterValues(t *testing.T) {
	f := newFilm(t, false)
	for name, values := range map[string][]string{
		"domains":   {"https://vendor.example", "vendor.example/path", "x' OR 'a' = 'a", "vendor example", "bücher.example"},
		"countries": {"China", "C", "86"},
		"personal":  {"photos", "text messages"},
		"declared":  {"statistics"},
	} {
		for _, v := range values {
			if _, err := claim.Answers(t.Context(), &f.c.Reader, xiaomi(t), claim.Options{Values: map[string][]string{name: {v}}}); err == nil || !strings.Contains(err.Error(), "parameter "+name) {
				t.Errorf("%s=%s: %v", name, v, err)
			}
		}
	}
	for name, v := range map[string]string{"domains": "10.0.0.1", "countries": "cn", "personal": "SMS", "cloud_domains": "xn--bcher-kva.example"} {
		if _, err := claim.Answers(t.Context(), &f.c.Reader, xiaomi(t), claim.Options{Only: []string{"C1"}, Values: map[string][]string{name: {v}}}); err != nil {
			t.Errorf("%s=%s: %v", name, v, err)
		}
	}
}

// A case of an older version is read as it is.
func TestOldCase(t *testing.T) {
	packed, err := os.Open("../testdata/format1/case.constat.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer packed.Close()
	z, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "old.constat")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(file, z); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := store.OpenReader(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	answers, err := claim.Answers(t.Context(), r, xiaomi(t), claim.Options{Only: []string{"C6", "C16", "C17"}, Values: map[string][]string{"domains": {"example"}}})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]claim.Verdict{}
	for _, a := range answers {
		got[a.Claim] = a.Verdict
	}
	// Planted identifiers came in several requests; no session declared an account.
	want := map[string]claim.Verdict{"C6": claim.Undecided, "C16": claim.Undecided, "C17": claim.Refuted}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
