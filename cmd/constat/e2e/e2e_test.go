// Package e2e drives the constat program from outside, as people and scripts
// do: real processes, real clients, real servers over loopback, and the case
// read with plain sqlite3.
package e2e

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"constat/certs"
)

// program is the constat that is tested, built without the race detector so
// that memory and time are those of users.
var program string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		if name := os.Getenv(clientEnv); name != "" {
			return runClient(name, os.Args[1:])
		}
		if program = os.Getenv(networkEnv); program != "" {
			return m.Run() // built by the process that started this one
		}
		dir, err := os.MkdirTemp("", "constat-e2e-")
		if err != nil {
			log.Fatal(err)
		}
		defer os.RemoveAll(dir)
		program = filepath.Join(dir, "constat")
		if out, err := exec.Command("go", "build", "-o", program, "constat/cmd/constat").CombinedOutput(); err != nil {
			log.Fatalf("build constat: %v\n%s", err, out)
		}
		return m.Run()
	}())
}

// need returns the path of a program that a test drives.
func need(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is not installed; 'make deps' installs what the tests need", name)
	}
	return path
}

// origin is a simulated server with a CA of its own.
type origin struct {
	CA     *certs.CA
	CAFile string
	Addr   string // of the TLS listener
	Plain  string // of the HTTP listener
}

// newOrigin starts servers for h on loopback: TLS with HTTP/1.1 and 2, and HTTP.
func newOrigin(t *testing.T, h http.Handler) *origin {
	t.Helper()
	dir := t.TempDir()
	ca, err := certs.LoadOrCreate(dir, certs.Options{})
	if err != nil {
		t.Fatal(err)
	}
	o := &origin{CA: ca, CAFile: filepath.Join(dir, "ca.pem")}
	serve := func(ln net.Listener, err error) string {
		if err != nil {
			t.Fatal(err)
		}
		serveUntilEnd(t, ln, h)
		return ln.Addr().String()
	}
	o.Addr = serve(tls.Listen("tcp", "127.0.0.1:0", o.config("h2", "http/1.1")))
	o.Plain = serve(net.Listen("tcp", "127.0.0.1:0"))
	return o
}

// config is that of a TLS server of o, which has every name that it is asked for.
func (o *origin) config(protos ...string) *tls.Config {
	return &tls.Config{
		NextProtos: protos,
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			name := hello.ServerName
			if name == "" {
				name, _, _ = net.SplitHostPort(hello.Conn.LocalAddr().String())
			}
			return o.CA.Leaf(name)
		},
	}
}

// serveUntilEnd serves h on ln until the test ends.
func serveUntilEnd(t *testing.T, ln net.Listener, h http.Handler) {
	srv := &http.Server{Handler: h, ErrorLog: log.New(io.Discard, "", 0)}
	done := make(chan struct{})
	go func() { defer close(done); srv.Serve(ln) }()
	t.Cleanup(func() { srv.Close(); <-done })
}

// instance is a running constat.
type instance struct {
	t      *testing.T
	cmd    *exec.Cmd
	stderr *bytes.Buffer
	Proxy  string
	UI     string
	URL    string
	Enrol  string
	SOCKS  string
	CA     string
	Case   string

	WireGuard string

	done chan error
}

// start runs "constat run" with args on top of those every test wants, and
// waits until it is ready.
func start(t *testing.T, o *origin, args ...string) *instance {
	t.Helper()
	dir := t.TempDir()
	return startIn(t, o, filepath.Join(dir, "case.constat"), filepath.Join(dir, "ca"), args...)
}

func startIn(t *testing.T, o *origin, caseFile, caDir string, args ...string) *instance {
	t.Helper()
	all := append([]string{
		"run", "--listen", "127.0.0.1:0", "--ui", "127.0.0.1:0", "--case", caseFile, "--ca-dir", caDir, "--print-ready",
	}, args...)
	if o != nil {
		all = append(all, "--upstream-ca", o.CAFile)
		for _, host := range []string{"origin.test", "other.test", "localhost.test"} {
			all = append(all, "--resolve", host+":443:"+o.Addr, "--resolve", host+":80:"+o.Plain)
		}
	}
	c := &instance{t: t, cmd: exec.Command(program, all...), stderr: &bytes.Buffer{}, done: make(chan error, 1)}
	c.cmd.Stderr = c.stderr
	stdout, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ready := make(chan error, 1)
	go func() {
		in := bufio.NewReader(stdout)
		line, err := in.ReadBytes('\n')
		if err == nil {
			err = json.Unmarshal(line, c)
		}
		ready <- err
		io.Copy(io.Discard, in)
		c.done <- c.cmd.Wait()
	}()
	select {
	case err := <-ready:
		if err != nil {
			t.Fatalf("constat did not get ready: %v\n%s", err, c.stderr)
		}
	case <-time.After(30 * time.Second):
		c.cmd.Process.Kill()
		t.Fatalf("constat was not ready after 30 s\n%s", c.stderr)
	}
	t.Cleanup(func() {
		if c.cmd.ProcessState == nil {
			c.cmd.Process.Kill()
			<-c.done
		}
		if t.Failed() {
			t.Logf("constat said:\n%s", c.stderr)
		}
	})
	return c
}

// stop ends constat as Ctrl-C does and demands a clean end.
func (c *instance) stop() {
	c.t.Helper()
	c.cmd.Process.Signal(os.Interrupt)
	select {
	case err := <-c.done:
		if err != nil {
			c.t.Fatalf("constat ended with %v\n%s", err, c.stderr)
		}
	case <-time.After(30 * time.Second):
		c.cmd.Process.Signal(syscall.SIGQUIT)
		<-c.done
		c.t.Fatalf("constat did not end\n%s", c.stderr)
	}
}

// kill ends constat as a crash does.
func (c *instance) kill() {
	c.cmd.Process.Kill()
	<-c.done
}

// client is an HTTP client that goes through the proxy and trusts its CA.
func (c *instance) client(http2 bool) *http.Client {
	c.t.Helper()
	t := c.transport(http2)
	c.t.Cleanup(t.CloseIdleConnections)
	return &http.Client{Transport: t}
}

func (c *instance) transport(http2 bool) *http.Transport {
	c.t.Helper()
	pem, err := os.ReadFile(c.CA)
	if err != nil {
		c.t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	t := &http.Transport{
		Proxy:           http.ProxyURL(&url.URL{Scheme: "http", Host: c.Proxy}),
		TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: http2, DisableCompression: true,
		MaxIdleConnsPerHost: 64,
	}
	if !http2 {
		t.TLSClientConfig.NextProtos = []string{"http/1.1"}
	}
	return t
}

// sql asks the case a question with the sqlite3 program, as a user would.
func (c *instance) sql(query string) string {
	c.t.Helper()
	return sqlite(c.t, c.Case, query)
}

func sqlite(t *testing.T, file, query string) string {
	t.Helper()
	out, err := exec.Command(need(t, "sqlite3"), "-readonly", file, ".timeout 5000", query).CombinedOutput()
	if err != nil {
		t.Fatalf("sqlite3 %q: %v\n%s", query, err, out)
	}
	return strings.TrimSpace(string(out))
}

// eventually waits for a question to have an answer: inspection follows the
// capture, it does not hold it up.
func (c *instance) eventually(query, want string) {
	c.t.Helper()
	var got string
	for deadline := time.Now().Add(15 * time.Second); time.Now().Before(deadline); {
		if got = c.sql(query); got == want {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	c.t.Fatalf("%s\n got %q\nwant %q", query, got, want)
}

// constat runs a command to its end and returns what it printed.
func constat(t *testing.T, wantStatus int, args ...string) (stdout, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if got := cmd.ProcessState.ExitCode(); got != wantStatus {
		t.Fatalf("constat %s: exit status %d, want %d\n%s%s", strings.Join(args, " "), got, wantStatus, &out, &errs)
	}
	return out.String(), errs.String()
}

// verified demands that the case is whole.
func verified(t *testing.T, caseFile string) {
	t.Helper()
	constat(t, 0, "verify", caseFile)
	if got := sqlite(t, caseFile, "PRAGMA integrity_check"); got != "ok" {
		t.Fatalf("integrity_check: %s", got)
	}
}

// rss is the resident memory of constat in bytes, now and at its peak.
func (c *instance) rss() (now, peak int64) {
	c.t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.cmd.Process.Pid))
	if err != nil {
		c.t.Skipf("no /proc on this system; run the memory tests on Linux: %v", err)
	}
	field := func(name string) int64 {
		_, rest, _ := strings.Cut(string(text), name+":")
		kb, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
		if err != nil {
			c.t.Fatal(err)
		}
		return kb << 10
	}
	return field("VmRSS"), field("VmHWM")
}
