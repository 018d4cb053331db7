package proxy

import (
	"net/http"
	"net/netip"
	"time"

	"constat/proxy/flow"
)

// What the external tests need of the parsers.

// JA4 returns the JA4 fingerprint of a ClientHello in its records, and its name.
func JA4(records []byte) (ja4, name string, err error) {
	msg, need, err := helloBytes(records)
	if err != nil || need > 0 {
		return "", "", errHello
	}
	h, err := parseHello(msg)
	if err != nil {
		return "", "", err
	}
	h.facts()
	return h.ja4("t"), h.name, nil
}

// HelloNeed is what helloBytes says of the bytes so far.
func HelloNeed(records []byte) (need int, err error) {
	_, need, err = helloBytes(records)
	return need, err
}

// JA4Of is the fingerprint of a ClientHello with these facts.
func JA4Of(legacy uint16, versions, ciphers, extensions, sigAlgs []uint16, protos ...string) string {
	h := &hello{legacy: legacy, versions: versions, ciphers: ciphers, extensions: extensions, sigAlgs: sigAlgs, protos: protos}
	return h.ja4("t")
}

// Tap is a tap.
type Tap struct{ t tap }

// NewTap returns a tap for heads of at most limit bytes.
func NewTap(limit int) *Tap { return &Tap{tap{limit: limit}} }

// Feed is tap.feed, Take tap.take.
func (t *Tap) Feed(p []byte)               { t.t.feed(p) }
func (t *Tap) Take(r *http.Request) []byte { return t.t.take(r) }

// OtherVersions is otherVersions.
func OtherVersions(packet []byte) []byte { return otherVersions(packet) }

// Frames returns the messages that frames makes of p, pushed in steps, into rec.
func Frames(rec flow.Recorder, p []byte, step int) error {
	c := &conn{}
	f := (&exchange{p: &Proxy{conf: Config{Recorder: rec, BodyLimit: 1 << 20}}, s: &stream{conn: c}}).newFrames(flow.Down)
	for len(p) > 0 {
		n := min(step, len(p))
		if err := f.look(p[:n]); err != nil {
			return err
		}
		p = p[n:]
	}
	f.end()
	return nil
}

// Swap is the head that is sent for one that net/http has written and one that
// the server has.
func Swap(written, server []byte, bodyless bool) []byte {
	s := &swap{server: server, bodyless: bodyless}
	return s.compose(nil, written)
}

// ParseTarget is parseTarget.
func ParseTarget(s string, preset uint16) (host string, port uint16, err error) {
	t, err := parseTarget(s, preset)
	return t.host, t.port, err
}

// AuthParams is authParams, WithoutPasswords is withoutPasswords.
func AuthParams(s string) (map[string]string, bool)          { return authParams(s) }
func WithoutPasswords(head []byte) (kept []byte, exact bool) { return withoutPasswords(head) }

// SignIn is a signIn with a clock.
type SignIn struct{ s *signIn }

// NewSignIn returns one.
func NewSignIn(password func(string) (string, bool), clock func() time.Time) SignIn {
	s := newSignIn(password)
	s.now = clock
	return SignIn{s}
}

// Nonce is signIn.nonce as it is in a challenge.
func (s SignIn) Nonce(client netip.Addr) string { return s.s.nonce(counted(client)) }

// Check is signIn.check, with the verdict in words.
func (s SignIn) Check(r *http.Request, client netip.Addr) string {
	_, v, _ := s.s.check(r, client, false)
	return map[verdict]string{unsigned: "unsigned", signed: "signed", wrong: "wrong", nobody: "nobody", stale: "stale", held: "held"}[v]
}
