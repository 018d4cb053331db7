package linkage

import (
	"context"
	"crypto/md5"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"net/netip"
	"path/filepath"
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

var epoch = time.Date(2014, 7, 20, 8, 0, 0, 0, time.UTC)

// fixture is a case whose clock a test sets.
type fixture struct {
	*store.Case
	t   testing.TB
	now time.Time
}

func newFixture(t testing.TB) *fixture {
	t.Helper()
	f := &fixture{t: t, now: epoch}
	dir := t.TempDir()
	c, err := store.Open(t.Context(), store.Config{
		Path: filepath.Join(dir, "test.constat"), KeyFile: filepath.Join(dir, "key"), Tool: "test", Clock: func() time.Time { return f.now },
	})
	if err != nil {
		t.Fatal(err)
	}
	f.Case = c
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

func (f *fixture) mark(name string, factors ...string) {
	f.t.Helper()
	m := map[string]string{}
	for _, x := range factors {
		k, v, _ := strings.Cut(x, "=")
		m[k] = v
	}
	f.now = f.now.Add(time.Second)
	if err := f.Mark(f.t.Context(), name, m, ""); err != nil {
		f.t.Fatal(err)
	}
	f.now = f.now.Add(time.Second)
}

// send commits a request whose values are "name=value" and, after a bar, those of
// the response.
func (f *fixture) send(device, url string, values ...string) {
	f.t.Helper()
	host, path, _ := strings.Cut(url, "/")
	up, down, _ := strings.Cut(strings.Join(values, "\n"), "|")
	e := &flow.Exchange{
		Connection: 1, Device: device, Began: f.now, Method: "POST", Scheme: "https", Host: host, Port: 443, Path: "/" + path, Status: 200,
	}
	e.Request.Body, e.Response.Body = flow.BodyOf([]byte(up)), flow.BodyOf([]byte(down))
	if err := f.Begin(e); err != nil {
		f.t.Fatal(err)
	}
	if err := f.Commit(f.t.Context(), e); err != nil {
		f.t.Fatal(err)
	}
	f.now = f.now.Add(time.Minute)
}

type owners struct{}

func (owners) Lookup(host string, _ netip.Addr) inspect.Owner {
	return inspect.Owner{Name: "Owner of " + host}
}

func (f *fixture) analyse(opt Options) *Linkage {
	f.t.Helper()
	in, err := inspect.New(inspect.Config{Build: "test", Owners: owners{}, Values: func(tree *inspect.Tree) (out []inspect.Value) {
		for _, p := range tree.Parts {
			if p.Depth > 0 || !strings.HasSuffix(p.Decoder(), ".body") {
				continue
			}
			for line := range strings.Lines(string(p.Data)) {
				name, value, ok := strings.Cut(strings.TrimSpace(line), "=")
				if ok {
					out = append(out, inspect.Value{Value: value, Kind: "hex", Name: name, Bits: 64, Path: p.Path, Direction: p.Direction})
				}
			}
		}
		return out
	}})
	if err != nil {
		f.t.Fatal(err)
	}
	if _, err := f.Inspect(f.t.Context(), in, nil); err != nil {
		f.t.Fatal(err)
	}
	l, err := Analyse(f.t.Context(), &f.Reader, opt)
	if err != nil {
		f.t.Fatal(err)
	}
	return l
}

func verdicts(l *Linkage) map[string]string {
	out := map[string]string{}
	for _, f := range l.Fields {
		out[f.Name+" at "+f.Host+f.Path] = string(f.Law) + ": " + f.Verdict
	}
	return out
}

// TestLaws has one field for each way in which values come about.
func TestLaws(t *testing.T) {
	f := newFixture(t)
	n := 0
	fresh := func() string { n++; return fmt.Sprintf("%032x", 0xabcdef<<32+n) }
	const id, other = "0123456789abcdef", "fedcba9876543210"
	for day := range 3 {
		session, factors := fmt.Sprintf("day %d", day), []string{"screen=off"}
		if day == 2 {
			factors = append(factors, "reset=factory", "reboot=no")
		}
		f.mark(session, factors...)
		perSession := fresh()
		for i := range 4 {
			f.send("one", "stats.example/collect", "id="+id, "nonce="+fresh(), "visit="+perSession, "rota="+fmt.Sprintf("%016x", 1e15+(4*day+i)/5))
			f.send("one", fmt.Sprintf("sync.example/user/55501234%04d/up", i), "device="+id, "app=aaaaaaaaaaaaaaaa")
			f.send("two", "sync.example/user/777812340000/up", "device="+other, "app=aaaaaaaaaaaaaaaa")
		}
		f.now = f.now.Add(24 * time.Hour)
	}
	f.mark("")
	f.send("one", "once.example/", "id="+fresh())
	for range 3 {
		f.send("one", "short.example/x", "id=bbbbbbbbbbbbbbbb")
	}
	l := f.analyse(Options{})
	want := map[string]string{
		"id at stats.example/collect":        "stays: 1 value in 12 requests over 2 days, 3 sessions: permanent, it survived 1 reset",
		"nonce at stats.example/collect":     "each_request: 12 values in 12 requests over 2 days, 3 sessions: random per request",
		"visit at stats.example/collect":     "each_session: 3 values in 12 requests over 2 days, 3 sessions: another one in each session",
		"rota at stats.example/collect":      "changes: 3 values in 12 requests over 2 days, 3 sessions: changes now and then",
		"device at sync.example/user/{…}/up": "each_device: 2 values in 24 requests over 2 days, 3 sessions: one for each of 2 devices, and it survived 1 reset",
		"app at sync.example/user/{…}/up":    "shared: 1 value in 24 requests over 2 days, 3 sessions: the same from 2 devices, so it belongs to none of them",
		"id at once.example/":                "once: 1 value in 1 request: seen once, nothing to compare",
		"id at short.example/x":              "stays: 1 value in 3 requests over 2 minutes: always the same",
	}
	if diff := cmp.Diff(want, verdicts(l)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if l.Requests != 40 || l.Devices != 2 || l.Sessions != 3 || l.Resets != 1 || len(l.Limits) > 0 {
		t.Errorf("%+v", l)
	}

	v := l.Values[slices.IndexFunc(l.Values, func(v Value) bool { return v.Value == id })]
	if v.Requests != 24 || v.Devices != 1 || v.Resets != 1 || time.Duration(v.Lifespan) < 48*time.Hour || v.SetBy != "" || v.DigestOf != nil {
		t.Errorf("%+v", v)
	}
	if !slices.Equal(v.Names, []string{"device", "id"}) || !slices.Equal(v.Hosts, []string{"stats.example", "sync.example"}) ||
		!slices.Equal(v.Owners, []string{"Owner of stats.example", "Owner of sync.example"}) || !slices.Equal(v.Sessions, []string{"day 0", "day 1", "day 2"}) {
		t.Errorf("%+v", v)
	}
	if want := (Companion{"aaaaaaaaaaaaaaaa", 12}); v.Companions[0] != want {
		t.Errorf("companions %+v", v.Companions)
	}
	for _, v := range l.Values {
		if v.Requests < 2 {
			t.Errorf("%+v was in one request", v)
		}
	}

	// Values of one host are told with what became of them elsewhere.
	l = f.analyse(Options{Host: "stats.example"})
	if len(l.Fields) != 4 || !slices.ContainsFunc(l.Values, func(v Value) bool { return v.Value == id && len(v.Hosts) == 2 }) ||
		slices.ContainsFunc(l.Values, func(v Value) bool { return v.Value == other }) {
		t.Errorf("%+v", l)
	}
	if l = f.analyse(Options{MinRequests: 1}); int64(len(l.Values)) != l.Distinct {
		t.Errorf("%d of %d values", len(l.Values), l.Distinct)
	}
}

func TestDigests(t *testing.T) {
	f := newFixture(t)
	const imei, mac, uuid = "352099001761481", "02005e100042", "c0ffee117a114d0e9b1a5eedca9a7101"
	sum := md5.Sum([]byte(imei))
	upper := sha1.Sum([]byte("C0FFEE11-7A11-4D0E-9B1A-5EEDCA9A7101"))
	short := sha1.Sum([]byte(imei))
	macSum := md5.Sum([]byte("02:00:5e:10:00:42"))
	digests := map[string]string{
		fmt.Sprintf("%x", sum):                                        "md5 hex plain of " + imei,
		base64.StdEncoding.EncodeToString(upper[:]):                   "sha1 base64 UUID of " + uuid,
		base64.RawURLEncoding.EncodeToString(short[:])[:16]:           "sha1 base64url-16 plain of " + imei,
		fmt.Sprintf("%x", macSum)[8:24]:                               "md5 hex-16 mac of " + mac,
		fmt.Sprintf("%x", md5.Sum([]byte("something else entirely"))): "",
	}
	for range 2 {
		for d := range digests {
			f.send("one", "a.example/", "h="+d)
		}
	}
	// What a digest is of was seen once, elsewhere.
	f.send("one", "b.example/", "imei="+imei, "mac="+mac, "uuid="+uuid)
	for _, v := range f.analyse(Options{}).Values {
		got := ""
		if d := v.DigestOf; d != nil {
			got = d.Algorithm + " " + d.Encoding + " " + d.Spelling + " of " + d.Of
		}
		if want, ok := digests[v.Value]; !ok || got != want {
			t.Errorf("%s is %q, not %q", v.Value, got, want)
		}
	}
}

// TestSetByServer tells an id that a server handed out from one that the phone
// brought.
func TestSetByServer(t *testing.T) {
	f := newFixture(t)
	f.send("one", "a.example/", "own=1111111111111111", "|cookie=2222222222222222")
	f.send("one", "b.example/", "own=1111111111111111", "back=2222222222222222", "|echo=1111111111111111")
	f.send("one", "b.example/", "back=2222222222222222")
	got := map[string]string{}
	for _, v := range f.analyse(Options{}).Values {
		got[v.Value] = fmt.Sprint(v.SetBy, " ", v.Requests, " ", v.Names)
	}
	want := map[string]string{"1111111111111111": " 2 [own]", "2222222222222222": "a.example 2 [back]"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestEmptyCase(t *testing.T) {
	f := newFixture(t)
	l := f.analyse(Options{})
	if l.Requests != 0 || len(l.Values)+len(l.Fields) != 0 {
		t.Errorf("%+v", l)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Analyse(ctx, &f.Reader, Options{}); err == nil {
		t.Error("a cancelled analysis ended well")
	}
}

func TestMask(t *testing.T) {
	for value, want := range map[string]string{
		"352099001761481": "352…481", "c0ffee117a114d0e9b1a5eedca9a7101": "c0ff…7101", "12345": "…", "": "…", "éàüöéàüö": "éà…üö", "123456": "1…6",
	} {
		if got := Mask(value); got != want {
			t.Errorf("%q is %q, not %q", value, got, want)
		}
	}
	l := &Linkage{Values: []Value{{Value: "352099001761481", DigestOf: &Digest{Of: "c0ffee117a114d0e9b1a5eedca9a7101"}, Companions: []Companion{{"aaaabbbbccccdddd", 1}}}}}
	text := fmt.Sprintf("%+v %+v", l.Masked(), *l.Masked().Values[0].DigestOf)
	for _, secret := range []string{"352099001761481", "c0ffee117a114d0e", "aaaabbbbccccdddd"} {
		if strings.Contains(text, secret) {
			t.Errorf("%s is in %s", secret, text)
		}
	}
	if l.Values[0].Value != "352099001761481" {
		t.Error("masking changed what it was given")
	}
}

func TestShape(t *testing.T) {
	for path, want := range map[string]string{
		"/v1/collect": "/v1/collect", "/user/352099001761481/sync": "/user/{…}/sync", "/": "/", "": "",
		"/api/v20140720/messages": "/api/{…}/messages", "/miuisms/res/messages": "/miuisms/res/messages",
		"/d/9f3c1d2e4b5a6978": "/d/{…}", "/" + strings.Repeat("a", 65): "/{…}",
	} {
		if got := shape(path); got != want {
			t.Errorf("%s is %s, not %s", path, got, want)
		}
	}
}
