package compare

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"constat/inspect"
	"constat/proxy/flow"
	"constat/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// testCase is a real case, whose clock the test moves.
type testCase struct {
	*store.Case
	t   *testing.T
	now time.Time
}

func newCase(t *testing.T) *testCase {
	t.Helper()
	c := &testCase{t: t, now: time.Date(2014, 7, 20, 8, 0, 0, 0, time.UTC)}
	dir := t.TempDir()
	var err error
	c.Case, err = store.Open(t.Context(), store.Config{
		Path: filepath.Join(dir, "test.constat"), KeyFile: filepath.Join(dir, "key"), Tool: "test", Clock: func() time.Time { return c.now },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// session opens a session of 10 minutes, does what is done in it and ends it. A line
// of what is "HOST/PATH BODY", or "OUTCOME HOST" for a connection that is not read.
func (c *testCase) session(name, factors string, what ...string) {
	c.t.Helper()
	set := map[string]string{}
	for f := range strings.FieldsSeq(factors) {
		k, v, _ := strings.Cut(f, "=")
		set[k] = v
	}
	if err := c.Mark(c.t.Context(), name, set, ""); err != nil {
		c.t.Fatal(err)
	}
	for _, w := range what {
		c.now = c.now.Add(time.Second)
		c.do(w)
	}
	c.now = c.now.Add(10 * time.Minute)
	if err := c.Mark(c.t.Context(), "", nil, ""); err != nil {
		c.t.Fatal(err)
	}
	c.now = c.now.Add(time.Minute)
}

func (c *testCase) do(what string) {
	c.t.Helper()
	first, rest, _ := strings.Cut(what, " ")
	var r flow.Record
	if outcome := flow.Outcome(first); outcome == flow.ClientRefused || outcome == flow.Passed {
		r = &flow.Connection{Opened: c.now, Device: "redmi", Door: "http", Host: rest, Port: 443, Outcome: outcome, BytesUp: 500}
	} else {
		host, path, _ := strings.Cut(first, "/")
		e := &flow.Exchange{
			Connection: 1, Device: "redmi", Door: "http", Began: c.now, Method: "POST", Scheme: "https", Host: host, Port: 443, Path: "/" + path, Status: 200,
		}
		e.Request.Head = []byte("POST / HTTP/1.1\r\n\r\n")
		e.Request.Body = flow.BodyOf([]byte(rest))
		r = e
	}
	if err := c.Begin(r); err != nil {
		c.t.Fatal(err)
	}
	if err := c.Commit(c.t.Context(), r); err != nil {
		c.t.Fatal(err)
	}
}

var uuids = regexp.MustCompile(`[0-9a-f]{32}`)

// imei is a planted value.
type imei struct{}

func (imei) Match(p *inspect.Part) []inspect.Hit {
	if at := strings.Index(string(p.Data), "IMEI"); at >= 0 && p.Decoder() == "request.body" {
		return []inspect.Hit{{Canary: "imei", Kind: "imei", Form: "digits", Path: p.Path, Class: inspect.Identifiers, Start: at, End: at + 4}}
	}
	return nil
}

// look inspects: a body with SMS is a text message, MAYBE one is only suspected, and
// 32 hexadecimal digits are an identifier.
func (c *testCase) look() {
	c.t.Helper()
	in, err := inspect.New(inspect.Config{Canaries: imei{}, Detectors: []inspect.Detector{{
		Name: "sms", Class: inspect.SMS, Doc: "knows words",
		Detect: func(t *inspect.Tree) []inspect.Finding {
			p := t.Part("request.body")
			if p == nil || !strings.Contains(string(p.Data), "SMS") {
				return nil
			}
			confidence := inspect.Probable
			if strings.Contains(string(p.Data), "MAYBE") {
				confidence = inspect.Suspected
			}
			return []inspect.Finding{{Path: p.Path, Confidence: confidence, Reason: "the word is there"}}
		},
	}}, Values: func(tree *inspect.Tree) (out []inspect.Value) {
		for _, p := range tree.Parts {
			if p.Decoder() != "request.body" {
				continue
			}
			for _, s := range uuids.FindAllString(string(p.Data), -1) {
				out = append(out, inspect.Value{Value: s, Kind: "uuid4", Name: "id", Bits: 122, Path: p.Path, Direction: p.Direction})
			}
		}
		return out
	}})
	if err != nil {
		c.t.Fatal(err)
	}
	if _, err := c.Inspect(c.t.Context(), in, nil); err != nil {
		c.t.Fatal(err)
	}
}

func (c *testCase) input(label string, s store.Scope) Input {
	return Input{&c.Reader, s, label}
}

func factor(name, value string) store.Scope {
	return store.Scope{Factors: map[string]string{name: value}}
}

// lines writes rows for a test to compare.
func lines(rows []Row) (out []string) {
	for _, r := range rows {
		out = append(out, fmt.Sprintf("%s %s %s %s, %d in %d/%d, %d in %d/%d, p=%.3g, as %d", r.Sure, r.Change, r.What, r.Key, r.A, r.SessionsA, r.OfA, r.B, r.SessionsB, r.OfB, r.P, r.Example))
	}
	return out
}

func words(c *Comparison) (out []string) {
	for _, x := range c.Cautions {
		out = append(out, x.Word)
	}
	return out
}

func run(t *testing.T, a, b Input, opt Options) *Comparison {
	t.Helper()
	c, err := Run(t.Context(), a, b, opt)
	if err != nil {
		t.Fatal(err)
	}
	prepared, err := Run(t.Context(), prepare(t, a), prepare(t, b), opt)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(c, prepared); diff != "" {
		t.Errorf("prepared cases compare otherwise (-case +prepared):\n%s", diff)
	}
	return c
}

func prepare(t *testing.T, in Input) Input {
	t.Helper()
	p, err := in.Reader.Prepared(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	in.Reader = p
	return in
}

const stays, off, on = "00000000000000000000000000000001", "00000000000000000000000000000002", "00000000000000000000000000000003"

// TestRun has three sessions a side: what always comes, what comes with the cloud on,
// what is once in a while, and what cannot be read.
func TestRun(t *testing.T) {
	c := newCase(t)
	for i := range 3 {
		c.session("use", "cloud=off network=wifi",
			"always.example/check/"+fmt.Sprint(1000+i)+" "+stays, "always.example/old x", "off.example/stat/1 "+off, "hidden.example/sync SMS MAYBE", "read.example/x y")
	}
	for i := range 3 {
		what := []string{
			"always.example/check/" + fmt.Sprint(2000+i) + " " + stays, "cloud.example/sms SMS IMEI " + on, "cloud.example/sms SMS", "cloud.example/photo z",
			"client_refused hidden.example", "passed new.example",
		}
		if i > 0 {
			what = append(what, "read.example/x y")
		} else {
			what = append(what, "client_refused read.example", "once.example/x y")
		}
		for range 5 {
			what = append(what, "always.example/check/1 "+stays)
		}
		c.session("use", "cloud=on network=wifi", what...)
	}
	c.session("positive-control", "control=positive cloud=on", "seen.example/x y")
	c.look()
	got := run(t, c.input("off", factor("cloud", "off")), c.input("on", factor("cloud", "on")), Options{})
	want := []string{
		"likely appears canary imei up, 0 in 0/3, 3 in 3/3, p=0.1, as 17",
		"likely appears class sms up, 0 in 0/3, 6 in 3/3, p=0.1, as 17",
		"likely appears class identifiers up, 0 in 0/3, 3 in 3/3, p=0.1, as 17",
		"likely appears host cloud.example, 0 in 0/3, 9 in 3/3, p=0.1, as 17",
		"likely vanishes host off.example, 3 in 3/3, 0 in 0/3, p=0.1, as 3",
		"likely appears host new.example, 0 in 0/3, 0 in 3/3, p=0.1, as 0", // nothing was read, but it was connected to
		"likely more identifier always.example id, 3 in 3/3, 18 in 3/3, p=0.1, as 16",
		"likely more identifier id uuid4 " + digest(stays) + ", 3 in 3/3, 18 in 3/3, p=0.1, as 16",
		"likely appears identifier cloud.example id, 0 in 0/3, 3 in 3/3, p=0.1, as 17",
		"likely appears identifier id uuid4 " + digest(on) + ", 0 in 0/3, 3 in 3/3, p=0.1, as 17",
		"likely vanishes identifier id uuid4 " + digest(off) + ", 3 in 3/3, 0 in 0/3, p=0.1, as 3",
		"likely vanishes identifier off.example id, 3 in 3/3, 0 in 0/3, p=0.1, as 3",
		"likely more path always.example /check/{n}, 3 in 3/3, 18 in 3/3, p=0.1, as 16",
		"likely vanishes path always.example /old, 3 in 3/3, 0 in 0/3, p=0.1, as 2",
		"open cannot_be_told host hidden.example, 3 in 3/3, 0 in 3/3, p=1, as 4", // not vanished
		"open appears host once.example, 0 in 0/3, 1 in 1/3, p=1, as 20",
		// read.example, which could not be read once, is alike, and so are its path and always.example
	}
	if diff := cmp.Diff(want, lines(got.Rows)); diff != "" || got.Same != 3 {
		t.Errorf("%d alike (-want +got):\n%s", got.Same, diff)
	}
	if diff := cmp.Diff([]string{"coverage", "chance"}, words(got)); diff != "" {
		t.Errorf("cautions (-want +got):\n%s", diff)
	}
	for i, says := range map[int]string{
		0:  "Seen in 3 of 3 sessions of B and in none of 3 of A (chance alone does that in 10 of 100 cases). It may still come in up to 63 % of the sessions of A.",
		4:  "Seen in 3 of 3 sessions of A and in none of 3 of B (chance alone does that in 10 of 100 cases). It may still come in up to 63 % of the sessions of B.",
		12: "6 per hour in A and 35 in B; every session of one side has more than every session of the other (chance alone does that in 10 of 100 cases).",
		14: "Seen in 3 of 3 sessions of A, and in B the phone connected there and nothing could be read: what it sent cannot be told.",
		15: "Seen in 1 of 3 sessions of B and in none of 3 of A (chance alone does that in 100 of 100 cases). It may still come in up to 63 % of the sessions of A.",
	} {
		if got.Rows[i].Why != says {
			t.Errorf("row %d: %s", i, got.Rows[i].Why)
		}
	}
	for i, counts := range map[int]string{0: "[0 0 0] [1 1 1]", 1: "[0 0 0] [2 2 2]", 5: "[0 0 0] [-1 -1 -1]", 12: "[1 1 1] [6 6 6]", 14: "[1 1 1] [-1 -1 -1]", 15: "[0 0 0] [1 0 0]"} {
		if r := got.Rows[i]; fmt.Sprint(r.CountsA, " ", r.CountsB) != counts {
			t.Errorf("%s: %v %v, not %s", r.Key, r.CountsA, r.CountsB, counts)
		}
	}
	if a, b := got.A, got.B; len(a.Sessions) != 3 || a.Requests != 15 || b.Requests != 31-1 || a.Coverage.Sessions != 3 || b.Case != a.Case || b.File != "test.constat" {
		t.Errorf("%+v\n%+v", a, b)
	}
	// The other way round it is the same, and again it is the same.
	for range 3 {
		back := run(t, c.input("on", factor("cloud", "on")), c.input("off", factor("cloud", "off")), Options{})
		if len(back.Rows) != len(got.Rows) || back.Same != got.Same {
			t.Fatalf("back: %d rows", len(back.Rows))
		}
		again := run(t, c.input("off", factor("cloud", "off")), c.input("on", factor("cloud", "on")), Options{})
		if diff := cmp.Diff(got, again); diff != "" {
			t.Errorf("again (-first +second):\n%s", diff)
		}
	}
	// No value is shown unless it is asked for.
	text := func(opt Options) string {
		j, err := json.Marshal(run(t, c.input("off", factor("cloud", "off")), c.input("on", factor("cloud", "on")), opt))
		if err != nil {
			t.Fatal(err)
		}
		return string(j)
	}
	if hidden, shown := text(Options{}), text(Options{Values: true}); strings.Contains(hidden, on) || !strings.Contains(shown, on) {
		t.Error("values are shown when they should not be, or not when they should")
	}
	if few := run(t, c.input("off", factor("cloud", "off")), c.input("on", factor("cloud", "on")), Options{MaxRows: 2}); len(few.Rows) != 2 || few.More != 14 {
		t.Errorf("%d rows and %d more", len(few.Rows), few.More)
	}
}

func digest(value string) string { return new(gathering).written(value) }

// TestSure has five sessions a side, which is what it takes.
func TestSure(t *testing.T) {
	c := newCase(t)
	for range 5 {
		c.session("use", "cloud=off", "always.example/ x")
		c.session("use", "cloud=on", "always.example/ x", "cloud.example/ x")
	}
	c.session("control", "control=positive", "seen.example/x y")
	c.look()
	// A sixth session of each was stopped at once.
	for i, v := range []string{"off", "on"} {
		c.session("use", "cloud="+v)
		stopped := map[string]any{"session_id": 23 + 2*i, "outcome": "stopped"}
		if err := c.Declare(t.Context(), store.TopicStep, fmt.Sprint("run/", i), stopped); err != nil {
			t.Fatal(err)
		}
	}
	got := run(t, c.input("off", factor("cloud", "off")), c.input("on", factor("cloud", "on")), Options{})
	if w := words(got); !slices.Equal(w, []string{"stopped"}) {
		t.Errorf("cautions %q", w)
	}
	if diff := cmp.Diff([]string{"sure appears host cloud.example, 0 in 0/5, 5 in 5/5, p=0.00794, as 3"}, lines(got.Rows)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !strings.Contains(got.Rows[0].Why, "0.79 of 100 cases") || !strings.Contains(got.Rows[0].Why, "up to 45 %") {
		t.Error(got.Rows[0].Why)
	}
}

// TestOneSession never concludes anything from one session a side.
func TestOneSession(t *testing.T) {
	c := newCase(t)
	c.session("idle", "cloud=off network=wifi", "always.example/ x")
	var many []string
	for range 100 {
		many = append(many, "cloud.example/ x")
	}
	c.session("idle", "cloud=on network=mobile", many...)
	for range 30 {
		c.session("other", "cloud=on")
	}
	for _, on := range []store.Scope{{IDs: []int64{3}}, factor("cloud", "on")} {
		got := run(t, c.input("off", factor("cloud", "off")), c.input("on", on), Options{})
		for _, r := range got.Rows {
			if r.Sure != "open" || !strings.Contains(r.Why, "One session on a side can be chance") {
				t.Errorf("%+v", r)
			}
		}
		if w := words(got); len(got.Rows) != 2 || !slices.Contains(w, "one_session") || !slices.Contains(w, "control") || !slices.Contains(w, "not_inspected") || !slices.Contains(w, "conditions") {
			t.Errorf("%v, cautions %q", lines(got.Rows), w)
		}
	}
}

// TestBlind leaves sessions out in which a host could not be read.
func TestBlind(t *testing.T) {
	c := newCase(t)
	for range 5 {
		c.session("use", "cloud=off", "always.example/ x", "api.example/list SMS")
	}
	for i := range 5 {
		what := []string{"always.example/ x", "client_refused api.example"}
		if i < 2 {
			what = []string{"always.example/ x", "api.example/other x"}
		}
		c.session("use", "cloud=on", what...)
	}
	c.look()
	got := run(t, c.input("off", factor("cloud", "off")), c.input("on", factor("cloud", "on")), Options{})
	want := []string{
		"likely vanishes class sms up, 5 in 5/5, 0 in 0/2, p=0.0476, as 2",
		"likely vanishes path api.example /list, 5 in 5/5, 0 in 0/2, p=0.0476, as 2",
		"open appears path api.example /other, 0 in 0/5, 2 in 2/2, p=0.0476, as 12",
	}
	want[2] = strings.Replace(want[2], "open", "likely", 1)
	if diff := cmp.Diff(want, lines(got.Rows)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !strings.Contains(got.Rows[0].Why, "; 3 more could not tell, because nothing could be read there") {
		t.Error(got.Rows[0].Why)
	}
}

// TestCases compares two cases: another phone, planted values and length.
func TestCases(t *testing.T) {
	stock, custom := newCase(t), newCase(t)
	for n, c := range []*testCase{stock, custom} {
		if err := c.Declare(t.Context(), store.TopicDevice, "redmi", map[string]any{"rom": []string{"stock", "custom"}[n], "model": "x"}); err != nil {
			t.Fatal(err)
		}
		if err := c.SetPersona(t.Context(), "p", []byte{'0' + byte(n)}); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			what := []string{"always.example/ x"}
			if n == 0 {
				what = append(what, "vendor.example/track "+stays)
			} else {
				c.now = c.now.Add(-5 * time.Minute) // sessions of five minutes
			}
			if err := c.Mark(t.Context(), "idle", nil, ""); err != nil {
				t.Fatal(err)
			}
			for _, w := range what {
				c.do(w)
			}
			c.now = c.now.Add(time.Duration(10-6*n) * time.Minute)
			if err := c.Mark(t.Context(), "", nil, ""); err != nil {
				t.Fatal(err)
			}
			c.now = c.now.Add(time.Hour)
		}
		c.look()
	}
	idle := store.Scope{Sessions: []string{"idle"}}
	got := run(t, stock.input("stock", idle), custom.input("custom", idle), Options{})
	if len(got.Rows) != 3 || got.Rows[0].Key != "vendor.example" || got.Rows[0].Change != Vanish || got.A.Case == got.B.Case {
		t.Errorf("%q", lines(got.Rows))
	}
	if diff := cmp.Diff([]string{"length", "declared", "persona", "control", "chance"}, words(got)); diff != "" {
		t.Errorf("cautions (-want +got):\n%s", diff)
	}
	// Without any session, a case is one observation.
	whole := newCase(t)
	whole.do("a.example/ x")
	whole.do("client_refused b.example")
	whole.look()
	got = run(t, whole.input("whole", store.Scope{}), stock.input("stock", idle), Options{})
	for _, r := range got.Rows {
		if r.Sure != "open" || r.OfA != 1 {
			t.Errorf("%+v", r)
		}
	}
	if len(got.Rows) < 3 || got.Rows[0].OfB != 3 {
		t.Errorf("%q", lines(got.Rows))
	}
}

// TestManyConditions keeps sentences short, whatever was declared.
func TestManyConditions(t *testing.T) {
	c := newCase(t)
	for i := range 30 {
		var factors strings.Builder
		for f := range 40 {
			fmt.Fprintf(&factors, "f%d=%s%d ", f, strings.Repeat("v", 500), i)
		}
		c.session(fmt.Sprintf("s%d", i%2), factors.String(), "a.example/ x")
	}
	got := run(t, c.input("0", store.Scope{Sessions: []string{"s0"}}), c.input("1", store.Scope{Sessions: []string{"s1"}}), Options{})
	for _, x := range got.Cautions {
		if len(x.Sentence) > 12_000 {
			t.Errorf("%s: a sentence of %d bytes", x.Word, len(x.Sentence))
		}
	}
	if !slices.Contains(words(got), "conditions") {
		t.Errorf("cautions %q", words(got))
	}
}

func TestWrongSides(t *testing.T) {
	c := newCase(t)
	for _, v := range []string{"off", "on"} {
		c.session("idle", "cloud="+v, "a.example/ x")
	}
	for _, tt := range []struct {
		a, b store.Scope
		want error
	}{
		{factor("cloud", "of"), factor("cloud", "on"), ErrNoSession},
		{factor("cloud", "off"), store.Scope{Sessions: []string{"idle"}}, ErrOverlap},
		{store.Scope{}, store.Scope{}, ErrOverlap},
		{store.Scope{Device: "redmi"}, store.Scope{Device: "pixel"}, nil},
		{store.Scope{Device: "redmi"}, store.Scope{}, ErrOverlap},
	} {
		if _, err := Run(t.Context(), c.input("a", tt.a), c.input("b", tt.b), Options{}); !errors.Is(err, tt.want) {
			t.Errorf("%+v: %v, want %v", tt, err, tt.want)
		}
	}
	for range maxSessions {
		c.session("many", "cloud=on")
	}
	if _, err := Run(t.Context(), c.input("a", factor("cloud", "off")), c.input("b", factor("cloud", "on")), Options{}); !errors.Is(err, ErrSessions) {
		t.Errorf("%d sessions: %v", maxSessions+1, err)
	}
}

// TestSample has more things than are held: both sides hold the same.
func TestSample(t *testing.T) {
	const all = 10 * maxThings
	var kept [2]*things
	for n := range kept {
		kept[n] = newThings("path")
		for i := range all {
			if n == 1 {
				i = all - 1 - i // in another order
			}
			if x := kept[n].get(fmt.Sprintf("h.example /%x", i)); x != nil {
				x.add(0, 0, 1, 1, 1, "h.example")
			}
		}
		if got := len(kept[n].list); got > maxThings || got < maxThings/4 {
			t.Fatalf("%d things of %d are held", got, all)
		}
	}
	if kept[0].limit != kept[1].limit || len(kept[0].list) != len(kept[1].list) {
		t.Errorf("%d and %d things", len(kept[0].list), len(kept[1].list))
	}
	for key := range kept[0].list {
		if kept[1].list[key] == nil {
			t.Fatalf("%s is held on one side only", key)
		}
	}
	if x := newThings("path").get(strings.Repeat("é", 1000)); len(x.key) > maxKey+len("…") {
		t.Errorf("a key of %d bytes", len(x.key))
	}
}

// TestNotHTTP: what is not HTTP is the same under another address of the same name, has
// no path, and what was refused is no difference.
func TestNotHTTP(t *testing.T) {
	c := newCase(t)
	commit := func(r flow.Record) {
		t.Helper()
		if err := c.Begin(r); err != nil {
			t.Fatal(err)
		}
		if err := c.Commit(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 6 {
		side := []string{"off", "on"}[i/3]
		if err := c.Mark(t.Context(), "s", map[string]string{"cloud": side}, ""); err != nil {
			t.Fatal(err)
		}
		address := fmt.Sprintf("192.0.2.%d", i)
		l := &flow.Lookup{Time: c.now, Door: "wireguard", Device: "redmi", Name: "mqtt.example", Type: "A", Code: "NOERROR"}
		if err := c.Commit(t.Context(), l); err != nil {
			t.Fatal(err)
		}
		n := &flow.Connection{Opened: c.now, Door: "wireguard", Device: "redmi", Host: address, Port: 1883, Lookup: l.ID, Outcome: flow.Raw, BytesUp: 4}
		if err := c.Begin(n); err != nil {
			t.Fatal(err)
		}
		commit(&flow.Exchange{Connection: n.ID, Device: "redmi", Door: "wireguard", Began: c.now, Scheme: "tcp", Host: address, Port: 1883, Request: flow.Message{Body: flow.BodyOf([]byte("ping"))}})
		if err := c.Commit(t.Context(), n); err != nil {
			t.Fatal(err)
		}
		if side == "on" {
			commit(&flow.Connection{Opened: c.now, Door: "wireguard", Device: "redmi", Transport: "udp", Host: "q.example", Port: 443, Protocol: "quic", Outcome: flow.Refused, BytesUp: 1200})
			c.do("new.example/x hello")
		}
		c.now = c.now.Add(10 * time.Minute)
	}
	c.look()
	got := run(t, c.input("off", factor("cloud", "off")), c.input("on", factor("cloud", "on")), Options{})
	var keys []string
	for _, r := range got.Rows {
		keys = append(keys, r.What+" "+r.Key)
	}
	slices.Sort(keys)
	if diff := cmp.Diff([]string{"host new.example"}, keys); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got.Same != 1 {
		t.Errorf("%d things are alike, want mqtt.example", got.Same)
	}
}
