package proxy

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// realm is what clients show when they ask for a name and a password (RFC 9110
// section 11.5).
const realm = "Constat"

// signIn checks who signs in at the HTTP door (RFC 9110 section 11.7): by Basic
// (RFC 7617), which shows the password to whoever hears it, or by Digest (RFC 7616),
// which does not. It is safe for concurrent use.
type signIn struct {
	password func(user string) (password string, known bool)
	now      func() time.Time
	key      [32]byte // of nonces; for one run

	mu     sync.Mutex
	nonces map[string]*counts // those used so far
	floor  time.Time          // of nonces from before nobody knows whether they were used
	wrong  map[netip.Addr]*wrongs
}

const (
	nonceLife  = 5 * time.Minute
	maxNonces  = 4096
	maxWrongs  = 4096
	freeWrongs = 8 // wrong passwords in a row before an address has to wait
	maxHold    = time.Minute
	forgetting = 10 * time.Minute // of wrong passwords
)

// counts are the nonce counts that were used with one nonce: the highest, and which
// of the 64 up to it. Requests on several connections arrive out of order.
type counts struct {
	made    time.Time
	highest uint32
	seen    uint64 // bit i is for highest-i
}

// take says whether nc was not used before.
func (c *counts) take(nc uint32) bool {
	if nc > c.highest {
		c.seen = c.seen<<(nc-c.highest) | 1
		c.highest = nc
		return true
	}
	bit := uint64(1) << (c.highest - nc) // 0 when that is too long ago
	if bit == 0 || c.seen&bit != 0 {
		return false
	}
	c.seen |= bit
	return true
}

// wrongs are the wrong passwords that came from one address in a row.
type wrongs struct {
	n    int
	last time.Time
}

func newSignIn(password func(string) (string, bool)) *signIn {
	s := &signIn{password: password, now: time.Now, nonces: map[string]*counts{}, wrong: map[netip.Addr]*wrongs{}}
	rand.Read(s.key[:]) // never fails, see crypto/rand
	return s
}

// verdict is what became of an attempt to sign in.
type verdict int

const (
	unsigned verdict = iota // nobody tried, by a scheme that is known here
	signed
	wrong
	nobody // the credentials are nobody's here: another proxy's, perhaps
	stale  // right but for the nonce, which is old or was used before
	held   // not looked at: too many wrong passwords
)

// check says who signs in with r. wait is how long the address has to wait when it
// is held. known says that the client may do without: credentials that are nobody's
// are nothing then.
func (s *signIn) check(r *http.Request, client netip.Addr, known bool) (user string, v verdict, wait time.Duration) {
	fields := r.Header["Proxy-Authorization"]
	if len(fields) == 0 {
		return "", unsigned, 0
	}
	scheme, rest, _ := strings.Cut(fields[0], " ")
	basic := strings.EqualFold(scheme, "Basic")
	if !basic && !strings.EqualFold(scheme, "Digest") {
		return "", unsigned, 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	client = counted(client)
	if wait = s.hold(client); wait > 0 {
		return "", held, wait
	}
	v = nobody
	switch {
	case len(fields) > 1 || len(rest) > maxCredentials:
	case basic:
		user, v = s.basic(rest)
	default:
		user, v = s.digest(rest, r, client)
	}
	switch {
	case v == nobody && known:
		v = unsigned
	case v == nobody, v == wrong:
		s.failed(client)
	case v == signed:
		delete(s.wrong, client)
	}
	return user, v, 0
}

// maxCredentials bounds what stands behind the scheme, in bytes.
const maxCredentials = 8 << 10

func (s *signIn) basic(text string) (string, verdict) {
	plain, err := base64.StdEncoding.DecodeString(strings.TrimLeft(text, " "))
	user, password, ok := strings.Cut(string(plain), ":")
	secret, known := s.password(user)
	// Of equal length, so that time does not tell that of the secret.
	given, want := sha256.Sum256([]byte(password)), sha256.Sum256([]byte(secret))
	right := subtle.ConstantTimeCompare(given[:], want[:]) == 1
	switch {
	case err != nil || !ok || !known:
		return "", nobody
	case !right:
		return "", wrong
	}
	return user, signed
}

func (s *signIn) digest(text string, r *http.Request, client netip.Addr) (string, verdict) {
	p, ok := authParams(text)
	if !ok {
		return "", nobody
	}
	user, named := p["username"]
	if extended, ok := p["username*"]; ok && !named {
		user, named = extendedValue(extended)
	}
	count, err := strconv.ParseUint(p["nc"], 16, 32)
	hashed := digestHash(p["algorithm"])
	if !named || p["realm"] != realm {
		return "", nobody
	}
	if hashed == nil || !strings.EqualFold(p["qop"], "auth") || p["cnonce"] == "" ||
		len(p["nc"]) != 8 || err != nil || count == 0 || !asksFor(r, p["uri"]) {
		return "", wrong
	}
	secret, known := s.password(user)
	ha1, ha2 := hashed(user, realm, secret), hashed(r.Method, p["uri"])
	want := hashed(ha1, p["nonce"], p["nc"], p["cnonce"], p["qop"], ha2)
	right := subtle.ConstantTimeCompare([]byte(strings.ToLower(p["response"])), []byte(want)) == 1
	switch {
	case !known:
		return "", nobody
	case !right:
		return "", wrong
	}
	if !s.use(p["nonce"], uint32(count), client) {
		return "", stale
	}
	return user, signed
}

// digestHash returns how to hash strings with colons between them, in hex; nil for
// an algorithm that was not offered. The default is the oldest (RFC 7616 section
// 3.4).
func digestHash(algorithm string) func(parts ...string) string {
	var fresh func() hash.Hash
	switch strings.ToUpper(algorithm) {
	case "", "MD5":
		fresh = md5.New
	case "SHA-256":
		fresh = sha256.New
	default:
		return nil
	}
	return func(parts ...string) string {
		h := fresh()
		h.Write([]byte(strings.Join(parts, ":")))
		return hex.EncodeToString(h.Sum(nil))
	}
}

// asksFor says that uri is the target of r. Many clients leave scheme and host out
// when they ask a proxy for a URL (curl, Chromium).
func asksFor(r *http.Request, uri string) bool {
	if uri == r.RequestURI {
		return true
	}
	if r.Method == http.MethodConnect {
		return false
	}
	path, query := pathAndQuery(r)
	if path == "" {
		path = "/"
	}
	if strings.Contains(r.RequestURI, "?") {
		path += "?" + query
	}
	return uri == path
}

// nonce returns a new nonce for a client: a time, 8 random bytes, and the proof that
// it comes from here.
func (s *signIn) nonce(client netip.Addr) string {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, 32), uint64(s.now().UnixNano()))
	b = b[:16]
	rand.Read(b[8:])
	return base64.RawURLEncoding.EncodeToString(append(b, s.proof(b, client)...))
}

func (s *signIn) proof(b []byte, client netip.Addr) []byte {
	h := hmac.New(sha256.New, s.key[:])
	h.Write(b)
	h.Write(client.AsSlice())
	return h.Sum(nil)[:16]
}

// use says whether the count can be used with the nonce, once. s.mu is held.
func (s *signIn) use(nonce string, count uint32, client netip.Addr) bool {
	b, err := base64.RawURLEncoding.Strict().DecodeString(nonce)
	if err != nil || len(b) != 32 || !hmac.Equal(b[16:], s.proof(b[:16], client)) {
		return false
	}
	now, made := s.now(), time.Unix(0, int64(binary.BigEndian.Uint64(b)))
	if age := now.Sub(made); age < 0 || age > nonceLife {
		return false
	}
	c := s.nonces[nonce]
	if c == nil {
		if !made.After(s.floor) {
			return false
		}
		c = &counts{made: made}
		s.makeRoom(now)
		s.nonces[nonce] = c
	}
	return c.take(count)
}

// makeRoom forgets nonces that are too old to be used, and the oldest when there
// are too many. Only right passwords make entries.
func (s *signIn) makeRoom(now time.Time) {
	if len(s.nonces) < maxNonces {
		return
	}
	var oldest string
	for n, c := range s.nonces {
		if now.Sub(c.made) > nonceLife {
			delete(s.nonces, n)
		} else if o := s.nonces[oldest]; o == nil || c.made.Before(o.made) {
			oldest = n
		}
	}
	if len(s.nonces) >= maxNonces {
		s.floor = s.nonces[oldest].made
		delete(s.nonces, oldest)
	}
}

// counted is what wrong passwords are counted by: an address, or the network that
// one host has in IPv6.
func counted(a netip.Addr) netip.Addr {
	if a = a.Unmap(); a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.Addr()
		}
	}
	return a
}

// hold is how long an address has to wait before it is listened to. s.mu is held.
func (s *signIn) hold(client netip.Addr) time.Duration {
	w := s.wrong[client]
	if w == nil || w.n < freeWrongs {
		return 0
	}
	return min(time.Second<<min(w.n-freeWrongs, 6), maxHold) - s.now().Sub(w.last)
}

// failed counts a wrong password. s.mu is held.
func (s *signIn) failed(client netip.Addr) {
	now := s.now()
	w := s.wrong[client]
	if w == nil || now.Sub(w.last) > forgetting {
		if w == nil && len(s.wrong) >= maxWrongs {
			s.forget(now)
		}
		w = new(wrongs)
		s.wrong[client] = w
	}
	w.n, w.last = w.n+1, now
}

// forget makes room for an address: what is long ago, and at least what is longest
// ago.
func (s *signIn) forget(now time.Time) {
	var oldest netip.Addr
	for a, w := range s.wrong {
		if now.Sub(w.last) > forgetting {
			delete(s.wrong, a)
		} else if o := s.wrong[oldest]; o == nil || w.last.Before(o.last) {
			oldest = a
		}
	}
	if len(s.wrong) >= maxWrongs {
		delete(s.wrong, oldest)
	}
}

// challenge adds what a client needs to sign in, the best scheme first.
func (s *signIn) challenge(h http.Header, client netip.Addr, v verdict) {
	nonce := s.nonce(counted(client))
	for _, algorithm := range [...]string{"SHA-256", "MD5"} {
		h.Add("Proxy-Authenticate", fmt.Sprintf(`Digest realm="%s", qop="auth", algorithm=%s, nonce="%s", stale=%t, charset=UTF-8`,
			realm, algorithm, nonce, v == stale))
	}
	h.Add("Proxy-Authenticate", `Basic realm="`+realm+`", charset="UTF-8"`)
}

// maxParams bounds the parameters of a Digest.
const maxParams = 32

// authParams parses the parameters of credentials (RFC 9110 section 11.2), the names
// in lower case. None may come twice.
func authParams(s string) (map[string]string, bool) {
	out := map[string]string{}
	for {
		s = strings.TrimLeft(s, " \t,") // empty elements are let through (RFC 9110 section 5.6.1)
		if s == "" {
			return out, len(out) > 0
		}
		end := strings.IndexAny(s, "=, \t\"")
		if end <= 0 || len(out) == maxParams {
			return nil, false
		}
		name := strings.ToLower(s[:end])
		var ok bool
		s, ok = strings.CutPrefix(strings.TrimLeft(s[end:], " \t"), "=")
		if _, twice := out[name]; !ok || twice {
			return nil, false
		}
		if out[name], s, ok = authValue(strings.TrimLeft(s, " \t")); !ok {
			return nil, false
		}
		if s = strings.TrimLeft(s, " \t"); s != "" && s[0] != ',' {
			return nil, false
		}
	}
}

// authValue cuts a token or a quoted string off s.
func authValue(s string) (value, rest string, ok bool) {
	if s == "" || s[0] != '"' {
		end := strings.IndexAny(s, ", \t\"")
		if end < 0 {
			end = len(s)
		}
		return s[:end], s[end:], end > 0
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '"':
			return b.String(), s[i+1:], true
		case '\\':
			if i++; i == len(s) {
				return "", "", false
			}
		}
		b.WriteByte(s[i])
	}
	return "", "", false
}

// extendedValue reads UTF-8”name (RFC 8187 section 3.2).
func extendedValue(s string) (string, bool) {
	charset, rest, _ := strings.Cut(s, "'")
	_, text, ok := strings.Cut(rest, "'")
	value, err := url.PathUnescape(text)
	return value, ok && err == nil && strings.EqualFold(charset, "UTF-8")
}

// withoutPasswords returns the head of a request as it may be kept: of
// Proxy-Authorization fields, which are for Constat and go no further, the name and
// the scheme. Without such a field it is the head itself, and exact.
func withoutPasswords(head []byte) (kept []byte, exact bool) {
	exact = true
	for _, line := range lines(head) {
		exact = exact && !holdsPassword(line)
	}
	if exact {
		return head, true
	}
	hiding := false // a field, which goes on in lines that begin with a space
	for _, line := range lines(head) {
		if hiding = hiding && len(line) > 0 && (line[0] == ' ' || line[0] == '\t'); hiding {
			continue
		}
		if hiding = holdsPassword(line); hiding {
			kept = append(append(kept, fieldName(line)...), ": "...)
			line = []byte(hiddenCredentials(fieldValue(line)))
		}
		kept = append(append(kept, line...), "\r\n"...)
	}
	return kept, false
}

func holdsPassword(line []byte) bool {
	return fieldIs(bytes.TrimRight(fieldName(line), " \t"), "proxy-authorization")
}

// hiddenCredentials is what is kept in place of credentials.
func hiddenCredentials(value string) string {
	given, _, _ := strings.Cut(value, " ")
	for _, scheme := range [...]string{"Basic", "Digest"} {
		if strings.EqualFold(given, scheme) {
			return scheme + " (not recorded)"
		}
	}
	return "(not recorded)"
}
