package export_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"constat/inspect/inspecttest"
	"constat/store/evidence"
	"constat/store/export"
)

// authority is a time-stamping authority that openssl plays.
type authority struct {
	dir   string
	roots string
	asked int
}

const authorityConfig = `
[req]
distinguished_name = dn
prompt = no
[dn]
CN = Invented Root
[root]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign
[tsa]
basicConstraints = CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
[web]
basicConstraints = CA:false
extendedKeyUsage = serverAuth
[ts]
serial = $ENV::DIR/serial
default_policy = 1.2.3.4.1
digests = sha256, sha512
accuracy = secs:1
ess_cert_id_chain = no
ess_cert_id_alg = sha256
signer_digest = sha256
`

func openssl(t testing.TB, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("openssl", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "DIR="+dir)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("openssl %s: %s\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func newAuthority(t testing.TB) (*authority, string) {
	t.Helper()
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Fatal("openssl is not installed; 'make deps' installs what the tests need")
	}
	a := &authority{dir: t.TempDir()}
	a.roots = filepath.Join(a.dir, "root.pem")
	for name, text := range map[string]string{"c.cnf": authorityConfig, "serial": "01\n"} {
		if err := os.WriteFile(filepath.Join(a.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	openssl(t, a.dir, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "root.key", "-out", "root.pem", "-days", "30", "-config", "c.cnf", "-extensions", "root")
	for _, name := range []string{"tsa", "web"} {
		openssl(t, a.dir, "req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", name+".key", "-out", name+".csr", "-config", "c.cnf", "-subj", "/CN=Invented "+name)
		openssl(t, a.dir, "x509", "-req", "-in", name+".csr", "-CA", "root.pem", "-CAkey", "root.key", "-CAcreateserial", "-out", name+".pem", "-days", "30", "-extfile", "c.cnf", "-extensions", name)
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.asked++
		query, _ := io.ReadAll(r.Body)
		if r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/timestamp-query" {
			http.Error(w, "not a query", http.StatusBadRequest)
			return
		}
		answer, err := a.answer(query)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/timestamp-reply")
		_, _ = w.Write(answer)
	}))
	t.Cleanup(s.Close)
	return a, s.URL
}

func (a *authority) answer(query []byte) ([]byte, error) {
	if err := os.WriteFile(filepath.Join(a.dir, "q.tsq"), query, 0o600); err != nil {
		return nil, err
	}
	cmd := exec.Command("openssl", "ts", "-reply", "-config", "c.cnf", "-section", "ts", "-queryfile", "q.tsq", "-signer", "tsa.pem", "-inkey", "tsa.key", "-chain", "root.pem", "-out", "r.tsr")
	cmd.Dir = a.dir
	cmd.Env = append(os.Environ(), "DIR="+a.dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	return os.ReadFile(filepath.Join(a.dir, "r.tsr"))
}

func pool(t testing.TB, path string) *x509.CertPool {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	p := x509.NewCertPool()
	if !p.AppendCertsFromPEM(text) {
		t.Fatal("no certificate")
	}
	return p
}

func TestTimestamp(t *testing.T) {
	inspecttest.Alone(t)
	a, address := newAuthority(t)
	stamp, err := export.Stamper(address)
	if err != nil {
		t.Fatal(err)
	}
	k := newCase(t)
	k.affair()
	k.close()
	b := k.export(export.Options{Stamp: stamp})
	if a.asked != 1 {
		t.Fatalf("the authority was asked %d times", a.asked)
	}
	v := verify(t, b, evidence.VerifyOptions{Verifier: k.verifier(), Roots: pool(t, a.roots)})
	if !v.Verified || len(v.Reservations) > 0 || v.Stamp == nil || !v.Stamp.Trusted {
		t.Errorf("problems %q, reservations %q, stamp %+v", v.Problems, v.Reservations, v.Stamp)
	}
	if v := verify(t, b, evidence.VerifyOptions{Verifier: k.verifier()}); !v.Verified || len(v.Reservations) != 1 || v.Stamp.Trusted {
		t.Errorf("without roots: %q %q", v.Problems, v.Reservations)
	}
	ahead := newCase(t)
	ahead.now = time.Date(2094, 7, 20, 8, 0, 0, 0, time.UTC)
	ahead.close()
	v = verify(t, ahead.export(export.Options{Stamp: stamp}), evidence.VerifyOptions{Verifier: ahead.verifier(), Roots: pool(t, a.roots)})
	if !v.Verified || len(v.Reservations) != 1 || !strings.Contains(v.Reservations[0], "clock") {
		t.Errorf("a clock that was ahead: problems %q, reservations %q", v.Problems, v.Reservations)
	}
	other, _ := newAuthority(t)
	if v := verify(t, b, evidence.VerifyOptions{Verifier: k.verifier(), Roots: pool(t, other.roots)}); v.Verified {
		t.Error("verified with the root of another authority")
	}

	// By openssl, with the files of the bundle and the root from elsewhere.
	list := files(t, b)
	dir := t.TempDir()
	for _, name := range []string{"proof/checkpoint", "proof/checkpoint.tsr", "proof/checkpoint.tsa.pem"} {
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(name)), list[name], 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out := openssl(t, dir, "ts", "-verify", "-data", "checkpoint", "-in", "checkpoint.tsr", "-CAfile", a.roots, "-untrusted", "checkpoint.tsa.pem")
	if !strings.Contains(out, "Verification: OK") {
		t.Errorf("openssl: %s", out)
	}
	if out, err := byHand(t, b, b, "TSA_CA="+a.roots); err != nil || !strings.Contains(out, "time stamp: OK") {
		t.Errorf("by hand: %v\n%s", err, out)
	}
	if out, err := byHand(t, b, b, "TSA_CA="+other.roots); err == nil || strings.Contains(out, "time stamp: OK") {
		t.Errorf("by hand with another root: %v\n%s", err, out)
	}

	// The answer can be given again, and the bundle is then the same.
	again := k.export(export.Options{Token: list["proof/checkpoint.tsr"]})
	if !bytes.Equal(b, again) {
		t.Error("with the same answer it is another bundle")
	}
}

func TestWrongTokens(t *testing.T) {
	inspecttest.Alone(t)
	a, address := newAuthority(t)
	stamp, err := export.Stamper(address)
	if err != nil {
		t.Fatal(err)
	}
	data := []byte("checkpoint")
	good, err := stamp(context.Background(), data)
	if err != nil {
		t.Fatal(err)
	}
	if err := good.Trust(pool(t, a.roots)); err != nil {
		t.Fatal(err)
	}
	if _, err := evidence.ParseToken(good.Response, []byte("another"), nil); err == nil {
		t.Error("a token over other data is accepted")
	}
	roots := pool(t, a.roots)
	refused := 0
	for i := range good.Response {
		bad := bytes.Clone(good.Response)
		bad[i] ^= 0x10
		tok, err := evidence.ParseToken(bad, data, nil)
		if err != nil || tok.Trust(roots) != nil {
			refused++
			continue
		}
		// Not all of an answer is signed: certificates beside the signer's, versions, lists
		// of algorithms. What it says must be the same.
		if !tok.Time.Equal(good.Time) || tok.Serial.Cmp(good.Serial) != 0 || !tok.Signer.Equal(good.Signer) || tok.Policy != good.Policy {
			t.Errorf("byte %d changed: it says something else", i)
		}
	}
	if refused < len(good.Response)/2 {
		t.Errorf("%d of %d changes refused", refused, len(good.Response))
	}
	for n := range good.Response {
		if _, err := evidence.ParseToken(good.Response[:n], data, nil); err == nil {
			t.Errorf("%d bytes of %d: accepted", n, len(good.Response))
		}
	}
	for name, status := range map[string]int{"error": 500, "nothing": 200} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
		defer s.Close()
		ask, err := export.Stamper(s.URL)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ask(context.Background(), data); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	replay := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(good.Response) }))
	defer replay.Close()
	ask, err := export.Stamper(replay.URL)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ask(context.Background(), data); err == nil {
		t.Error("an answer to an earlier request is accepted")
	}
	for _, bad := range []string{"", "ftp://tsa.example", "tsa.example", "http://"} {
		if _, err := export.Stamper(bad); err == nil {
			t.Errorf("address %q is accepted", bad)
		}
	}
}
