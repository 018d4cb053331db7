package claim_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"math/big"
	mathrand "math/rand/v2"
	"mime/multipart"
	"net"
	"net/http"
	"net/netip"
	"net/textproto"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"constat/certs"
	"constat/inspect"
	"constat/inspect/canary"
	"constat/inspect/decode"
	"constat/inspect/detect"
	"constat/inspect/owner"
	"constat/proxy"
	"constat/proxy/flow"
	"constat/proxy/upstream"
	"constat/store"
	"constat/store/claim"
)

// A film is a case that a test acts out. Everything in it is invented: the phone,
// the person, the vendor and what they send; nothing says anything of a real one.
//
// What is sent goes through the real proxy, from an HTTP client over loopback to a
// server over loopback, or straight to the case's Recorder where the network adds
// nothing. Either way the real decoders and detectors look at it. Sessions last as
// long as their marks say: the marks' clock, and the times that the proxy hands to
// the Recorder, are those of the film.
type film struct {
	t     *testing.T
	path  string
	c     *store.Case
	stage *stage // nil: straight to the Recorder

	door   string         // of what goes straight to the Recorder
	server netip.AddrPort // that answers there
	tls    string         // version there
	org    string         // organisation in the servers' certificate, on the stage
	always string         // factors of all sessions

	// Of what goes straight to the Recorder.
	device string
	status int
	fails  string // what is said of an exchange that no server answered
	offer  string // TLS version agreed with the phone

	mu  sync.Mutex
	now time.Time
}

// cast is shared by all films: making keys and photos takes time.
type cast struct {
	persona   *canary.Persona
	text      []byte
	inspector *inspect.Inspector
	bare      *inspect.Inspector // knows no persona
	key       *ecdsa.PrivateKey  // of all servers
}

var theCast = sync.OnceValues(func() (*cast, error) {
	c := &cast{}
	var err error
	if c.persona, err = canary.New(strings.NewReader(strings.Repeat("an invented phone ", 2)), "fr"); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := c.persona.Write(&b); err != nil {
		return nil, err
	}
	c.text = b.Bytes()
	config := inspect.Config{Decoders: decode.All, Detectors: detect.All, Owners: owner.New(), Values: detect.Values, Build: "test"}
	if c.bare, err = inspect.New(config); err != nil {
		return nil, err
	}
	if config.Canaries, err = canary.NewMatcher(c.persona); err != nil {
		return nil, err
	}
	config.Persona = "test"
	if c.inspector, err = inspect.New(config); err != nil {
		return nil, err
	}
	c.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	return c, err
})

func players(t *testing.T) *cast {
	t.Helper()
	c, err := theCast()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// value is a planted value.
func (f *film) value(name string) string {
	f.t.Helper()
	v := players(f.t).persona.Get(name)
	if v == nil {
		f.t.Fatalf("the persona has no %s", name)
	}
	return v.Value
}

var opening = time.Date(2014, 7, 20, 8, 0, 0, 0, time.UTC)

func newFilm(t *testing.T, proxied bool) *film {
	t.Helper()
	f := &film{
		t: t, now: opening, door: "wireguard", tls: "TLS 1.3", org: "Example Vendor Ltd", device: "phone", status: 200, offer: "TLS 1.3",
		server: netip.MustParseAddrPort("198.51.100.7:443"), // RFC 5737: for documentation
	}
	dir := t.TempDir()
	f.path = filepath.Join(dir, "film.constat")
	var err error
	f.c, err = store.Open(t.Context(), store.Config{Path: f.path, KeyFile: filepath.Join(dir, "log.key"), Tool: "test", Clock: f.clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.c.Close() })
	if proxied {
		f.stage = newStage(f)
	}
	return f
}

func (f *film) clock() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

func (f *film) wait(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = f.now.Add(d)
}

func (f *film) check(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

// plant records the persona in the case.
func (f *film) plant() {
	f.t.Helper()
	f.check(f.c.SetPersona(f.t.Context(), "invented", players(f.t).text))
}

// session lasts as long as it says, whatever is done in it.
func (f *film) session(marks string, d time.Duration, play func()) {
	f.t.Helper()
	words := append(strings.Fields(marks), strings.Fields(f.always)...)
	factors := map[string]string{}
	for _, w := range words[1:] {
		k, v, _ := strings.Cut(w, "=")
		factors[k] = v
	}
	start := f.clock()
	f.check(f.c.Mark(f.t.Context(), words[0], factors, ""))
	f.wait(time.Minute / 2)
	if play != nil {
		play()
	}
	if f.stage != nil {
		f.stage.client.CloseIdleConnections() // a connection is one session's
	}
	f.mu.Lock()
	f.now = start.Add(d)
	f.mu.Unlock()
	f.check(f.c.Mark(f.t.Context(), "", nil, ""))
	f.wait(time.Minute)
}

// three is session three times, as protocols ask for.
func (f *film) three(marks string, d time.Duration, play func()) {
	f.t.Helper()
	for range 3 {
		f.session(marks, d, play)
	}
}

// controls are the positive control, and the negative one.
func (f *film) controls() {
	f.t.Helper()
	f.plant()
	f.session("control control=positive", 2*time.Minute, func() {
		f.form("https://notes.example/save", url.Values{"text": {f.value("note-1")}})
	})
	f.session("off phone=off", 31*time.Minute, nil)
}

// message is one request and its answer.
type message struct {
	method, target, kind string
	body                 []byte
	answer               string // JSON
	header               map[string]string
}

func (f *film) send(m message) {
	f.t.Helper()
	f.wait(time.Second)
	if f.stage != nil {
		f.stage.send(m)
		return
	}
	f.record(m)
}

// record hands an exchange to the Recorder as the proxy would.
func (f *film) record(m message) {
	f.t.Helper()
	u, err := url.Parse(m.target)
	f.check(err)
	head := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: %s\r\n", m.method, u.RequestURI(), u.Host, agent)
	for name, value := range m.header {
		head += name + ": " + value + "\r\n"
	}
	if m.body != nil {
		head += fmt.Sprintf("Content-Type: %s\r\nContent-Length: %d\r\n", m.kind, len(m.body))
	}
	n := &flow.Connection{
		Opened: f.clock(), Duration: time.Second, Door: f.door, Device: f.device, Host: u.Host, Port: 443, Server: f.server, Outcome: flow.Intercepted,
		BytesUp: int64(len(head)+len(m.body)) + 600, BytesDown: int64(len(m.answer)) + 3000,
		ClientTLS: &flow.TLS{Version: f.offer}, ServerTLS: &flow.TLS{Version: f.tls},
	}
	if u.Scheme == "http" {
		n.Port, n.Outcome, n.ClientTLS, n.ServerTLS = 80, flow.Plain, nil, nil
	}
	f.check(f.c.Begin(n))
	e := &flow.Exchange{
		Connection: n.ID, Device: f.device, Door: f.door, Began: f.clock(), Duration: time.Second / 10, Method: m.method, Scheme: u.Scheme, Host: u.Host, Port: n.Port,
		Path: u.EscapedPath(), Query: u.RawQuery, Server: f.server, Status: f.status, Error: f.fails,
		Request:  flow.Message{Proto: "HTTP/1.1", Exact: true, Head: []byte(head + "\r\n")},
		Response: flow.Message{Proto: "HTTP/1.1", Exact: true, Head: []byte("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"), Body: flow.BodyOf([]byte(m.answer))},
	}
	if m.body != nil {
		e.Request.Body = flow.BodyOf(m.body)
	}
	f.check(f.c.Begin(e))
	f.check(f.c.Commit(f.t.Context(), e))
	f.check(f.c.Commit(f.t.Context(), n))
}

// unread records a connection that nobody could read.
func (f *film) unread(host string, outcome flow.Outcome, up int64) {
	f.t.Helper()
	f.wait(time.Second)
	door := f.door
	if f.stage != nil {
		door = "http"
	}
	n := &flow.Connection{Opened: f.clock(), Duration: time.Second, Door: door, Device: "phone", Host: host, Port: 443, Outcome: outcome, BytesUp: up, BytesDown: 3000}
	f.check(f.c.Begin(n))
	f.check(f.c.Commit(f.t.Context(), n))
}

// lasting records a connection that nobody could read, and that went on for d.
func (f *film) lasting(host string, up int64, d time.Duration) {
	f.t.Helper()
	f.wait(time.Second)
	n := &flow.Connection{Opened: f.clock(), Duration: d, Door: f.door, Device: f.device, Host: host, Port: 5228, Outcome: flow.Raw, BytesUp: up, BytesDown: 3000}
	f.check(f.c.Begin(n))
	f.check(f.c.Commit(f.t.Context(), n))
}

// socket records a WebSocket that went on for d, and messages on it.
func (f *film) socket(target string, d time.Duration, texts ...string) {
	f.t.Helper()
	f.wait(time.Second)
	u, err := url.Parse(target)
	f.check(err)
	n := &flow.Connection{
		Opened: f.clock(), Duration: d, Door: f.door, Device: f.device, Host: u.Host, Port: 443, Server: f.server, Outcome: flow.Intercepted,
		BytesUp: int64(len(strings.Join(texts, ""))) + 800, BytesDown: 3000, ClientTLS: &flow.TLS{Version: f.offer}, ServerTLS: &flow.TLS{Version: f.tls},
	}
	f.check(f.c.Begin(n))
	e := &flow.Exchange{
		Connection: n.ID, Device: f.device, Door: f.door, Began: f.clock(), Duration: d, Method: "GET", Scheme: "wss", Host: u.Host, Port: 443,
		Path: u.EscapedPath(), Query: u.RawQuery, Server: f.server, Status: 101,
		Request:  flow.Message{Proto: "HTTP/1.1", Exact: true, Head: []byte("GET " + u.RequestURI() + " HTTP/1.1\r\nHost: " + u.Host + "\r\nUpgrade: websocket\r\n\r\n")},
		Response: flow.Message{Proto: "HTTP/1.1", Exact: true, Head: []byte("HTTP/1.1 101 Switching Protocols\r\n\r\n")},
	}
	f.check(f.c.Begin(e))
	for _, text := range texts {
		f.check(f.c.Commit(f.t.Context(), &flow.Frame{Exchange: e.ID, Time: f.clock().Add(d / 2), Direction: flow.Up, Opcode: 1, Payload: flow.BodyOf([]byte(text))}))
	}
	f.check(f.c.Commit(f.t.Context(), e))
	f.check(f.c.Commit(f.t.Context(), n))
}

// end inspects the case, closes it, and asks it one claim of the built-in set.
func (f *film) end(id string, values map[string][]string) claim.Answer {
	f.t.Helper()
	if f.stage != nil {
		f.stage.close()
	}
	info, err := f.c.Info(f.t.Context())
	f.check(err)
	in := players(f.t).inspector
	if info.Persona == nil {
		in = players(f.t).bare
	}
	_, err = f.c.Inspect(f.t.Context(), in, nil)
	f.check(err)
	f.check(f.c.Close())
	return f.ask(id, values)
}

func (f *film) ask(id string, values map[string][]string) claim.Answer {
	f.t.Helper()
	r, err := store.OpenReader(f.t.Context(), f.path)
	f.check(err)
	defer r.Close()
	return f.answers(r, xiaomi(f.t), claim.Options{Only: []string{id}, Values: values})[0]
}

// answers asks a case as it is and prepared: the answers must be the same.
func (f *film) answers(r *store.Reader, set *claim.Set, opt claim.Options) []claim.Answer {
	f.t.Helper()
	answers, err := claim.Answers(f.t.Context(), r, set, opt)
	f.check(err)
	p, err := r.Prepared(f.t.Context(), nil)
	f.check(err)
	defer p.Close()
	prepared, err := claim.Answers(f.t.Context(), p, set, opt)
	f.check(err)
	if diff := cmp.Diff(answers, prepared); diff != "" {
		f.t.Errorf("a prepared case answers otherwise (-case +prepared):\n%s", diff)
	}
	return answers
}

var builtIn = sync.OnceValues(func() (*claim.Set, error) { return claim.Open("xiaomi") })

func xiaomi(t *testing.T) *claim.Set {
	t.Helper()
	set, err := builtIn()
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// A stage is a proxy, a phone before it and servers behind it, over loopback.
type stage struct {
	f      *film
	client *http.Client
	close  func()

	mu     sync.Mutex
	answer string
}

// moved is a Recorder that gives what begins the time of the film.
type moved struct{ f *film }

func (m moved) Begin(r flow.Record) error {
	switch r := r.(type) {
	case *flow.Connection:
		r.Opened = m.f.clock()
	case *flow.Exchange:
		r.Began = m.f.clock()
	}
	return m.f.c.Begin(r)
}

func (m moved) Spill(b *flow.Body, chunk []byte) error { return m.f.c.Spill(b, chunk) }

func (m moved) Commit(ctx context.Context, r flow.Record) error { return m.f.c.Commit(ctx, r) }

var proxyCA = sync.OnceValues(func() (*certs.CA, error) {
	dir, err := mkdirTemp()
	if err != nil {
		return nil, err
	}
	return certs.LoadOrCreate(dir, certs.Options{})
})

// hosts that the stage has servers for. The domain is reserved (RFC 2606 section 2).
var hosts = []string{
	"stats.vendor.example", "messages.vendor.example", "update.vendor.example", "cloud.vendor.example", "account.vendor.example", "notes.example", "pinned.vendor.example",
}

func newStage(f *film) *stage {
	t := f.t
	s := &stage{f: f}
	ca, err := proxyCA()
	f.check(err)
	issuer := newIssuer(t, players(t).key)
	roots := x509.NewCertPool()
	roots.AddCert(issuer.cert)

	secure, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{GetCertificate: func(h *tls.ClientHelloInfo) (*tls.Certificate, error) { return issuer.leaf(h.ServerName, f.org) }})
	f.check(err)
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	f.check(err)
	server := &http.Server{Handler: http.HandlerFunc(s.serve), ErrorLog: log.New(io.Discard, "", 0)}
	var serving sync.WaitGroup
	serving.Go(func() { server.Serve(secure) })
	serving.Go(func() { server.Serve(plain) })
	resolve := map[string]string{}
	for _, h := range hosts {
		resolve[h+":443"], resolve[h+":80"] = secure.Addr().String(), plain.Addr().String()
	}
	up := upstream.New(upstream.Config{Roots: roots, Resolve: resolve})
	p, err := proxy.New(proxy.Config{Recorder: moved{f}, Upstream: up, Issuer: ca, Log: zerolog.Nop(), Identify: func(proxy.Guest) proxy.Identity { return proxy.Identity{Device: "phone", Admitted: true} }})
	f.check(err)
	door, err := net.Listen("tcp", "127.0.0.1:0")
	f.check(err)
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	serving.Go(func() { p.Serve(ctx, door) })

	trust := x509.NewCertPool()
	trust.AddCert(ca.Certificate())
	s.client = &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{
		Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: door.Addr().String()}), TLSClientConfig: &tls.Config{RootCAs: trust}, DisableCompression: true,
	}}
	s.close = sync.OnceFunc(func() {
		s.client.CloseIdleConnections()
		stop()
		server.Close()
		serving.Wait()
		up.Close()
	})
	t.Cleanup(s.close)
	return s
}

func (s *stage) serve(w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	io.WriteString(w, s.answer)
}

func (s *stage) send(m message) {
	t := s.f.t
	t.Helper()
	s.mu.Lock()
	s.answer = m.answer
	s.mu.Unlock()
	req, err := http.NewRequestWithContext(t.Context(), m.method, m.target, bytes.NewReader(m.body))
	s.f.check(err)
	req.Header.Set("User-Agent", agent)
	if m.kind != "" {
		req.Header.Set("Content-Type", m.kind)
	}
	resp, err := s.client.Do(req)
	s.f.check(err)
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	s.f.check(err)
	if string(got) != m.answer {
		t.Fatalf("the phone got %q", got)
	}
}

// pinned is an app that does not trust the proxy's certificate.
func (s *stage) pinned(target string) {
	s.f.t.Helper()
	tr := s.client.Transport.(*http.Transport).Clone()
	tr.TLSClientConfig = &tls.Config{RootCAs: x509.NewCertPool()}
	defer tr.CloseIdleConnections()
	resp, err := (&http.Client{Transport: tr, Timeout: 20 * time.Second}).Get(target)
	if err == nil {
		resp.Body.Close()
		s.f.t.Fatal("the app that trusts nobody was answered")
	}
}

// issuer signs the servers' certificates.
type issuer struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

func newIssuer(t *testing.T, key *ecdsa.PrivateKey) *issuer {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Invented Root"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &issuer{key, cert}
}

func (i *issuer) leaf(host, org string) (*tls.Certificate, error) {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: host, Organization: []string{org}}, DNSNames: []string{host},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, i.cert, &i.key.PublicKey, i.key)
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: i.key}, err
}

// What the phone sends. Formats are modelled on published ones, contents are
// invented.

const agent = "Dalvik/2.1.0 (Linux; U; Android 4.4.2; Invented Phone Build/INV1)"

func (f *film) get(target, answer string) {
	f.t.Helper()
	f.send(message{method: http.MethodGet, target: target, answer: answer})
}

func (f *film) post(target, kind string, body []byte) {
	f.t.Helper()
	f.send(message{method: http.MethodPost, target: target, kind: kind, body: body, answer: `{"code":0}`})
}

func (f *film) form(target string, v url.Values) {
	f.t.Helper()
	f.post(target, "application/x-www-form-urlencoded", []byte(v.Encode()))
}

// packed is base64(gzip(JSON)), as analytics libraries send it.
func packed(v any) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	json.NewEncoder(z).Encode(v)
	z.Close()
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

type fields map[string]any

// event is what an analytics library sends; more are properties besides the usual
// ones of the device.
func (f *film) event(name string, more fields) fields {
	p := fields{
		"$manufacturer": "Invented", "$model": "Invented Phone", "$os": "Android", "$os_version": "4.4.2", "$screen_width": 720, "$screen_height": 1280,
		"battery_level": 0.81, "network_type": "wifi", "memory_free_mb": 412, "uptime": 86213,
	}
	for k, v := range more {
		p[k] = v
	}
	return fields{"event": name, "time": f.clock().UnixMilli(), "type": "track", "lib": fields{"$lib": "Android", "$lib_version": "5.0.2"}, "properties": p}
}

// stats sends an event, wrapped as the real ones are.
func (f *film) stats(more fields) { f.statsTo("https://stats.vendor.example/sa", more) }

func (f *film) statsTo(target string, more fields) {
	f.t.Helper()
	f.form(target, url.Values{"data_list": {packed([]any{f.event("app_start", more)})}, "gzip": {"1"}})
}

// page tells of a page that was opened.
func (f *film) page(name string) {
	f.t.Helper()
	f.form("https://stats.vendor.example/sa", url.Values{"data_list": {packed([]any{f.event("page_load", fields{"url": f.value(name)})})}, "gzip": {"1"}})
}

// contact looks a contact's number up.
func (f *film) contact() {
	f.t.Helper()
	f.get("https://account.vendor.example/presence?phone="+url.QueryEscape(f.value("contact-1.phone")), `{"online":false}`)
}

// sms reports a text message.
func (f *film) sms() {
	f.t.Helper()
	f.form("https://messages.vendor.example/v2/report", url.Values{"data": {packed(fields{
		"address": f.value("sms-1.sender"), "body": f.value("sms-1.text"), "date": f.clock().UnixMilli(), "type": 1, "read": 0,
	})}})
}

// greetings come down.
func (f *film) greetings() {
	f.t.Helper()
	f.get("https://messages.vendor.example/v2/res/messages?cat=3&marker=2100&count=20", `{"result":"ok","data":{"category":"holidays","count":4,"entries":[
{"mid":2101,"text":"May the new year bring you bright mornings and calm evenings!"},
{"mid":2102,"text":"Happy Lantern Festival: may your lamp never run out of oil, nor your bowl of dumplings."},
{"mid":2103,"text":"春风送暖入新年，愿你一路平安，万事顺心！"},
{"mid":2104,"text":"Bonne année ! Que chaque jour vous apporte une raison de sourire."}]}}`)
}

// update asks for a newer version; more goes into the address.
func (f *film) update(more string) {
	f.t.Helper()
	f.get("https://update.vendor.example/check?version=V5.2.2.0&device=invented"+more, `{"update":false,"latest":"V5.2.3.0"}`)
}

// photo uploads the planted photo.
func (f *film) photo() {
	f.t.Helper()
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	f.check(m.WriteField("album", "Camera"))
	part, err := m.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {`form-data; name="file"; filename="IMG_20140731_134500.jpg"`}, "Content-Type": {"image/jpeg"},
	})
	f.check(err)
	_, err = part.Write(players(f.t).persona.Get("photo-1").Photo.Data)
	f.check(err)
	f.check(m.Close())
	f.post("https://cloud.vendor.example/gallery/upload", m.FormDataContentType(), b.Bytes())
}

// photoRecord only describes a photo.
func (f *film) photoRecord() {
	f.t.Helper()
	text, err := json.Marshal(fields{
		"fileName": "IMG_20140731_134500.jpg", "sha1": "3f786850e387550fdab836ed7e6dc881de23001b", "size": 2345678, "mimeType": "image/jpeg",
		"dateTaken": f.clock().UnixMilli(), "width": 3264, "height": 2448,
	})
	f.check(err)
	f.post("https://cloud.vendor.example/gallery/create", "application/json", text)
}

// sealed sends what an app encrypted itself.
func (f *film) sealed() {
	f.t.Helper()
	body := make([]byte, 4096) // always the same: one in some dozens looks like something else
	mathrand.NewChaCha8([32]byte{'s', 'e', 'a', 'l', 'e', 'd'}).Read(body)
	f.post("https://stats.vendor.example/v3", "application/octet-stream", body)
}
