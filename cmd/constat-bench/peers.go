package main

import (
	"bufio"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

var errNotInstalled = errors.New("not installed")

// patience bounds the start and the end of a proxy.
const patience = 30 * time.Second

// caseFile is Constat's log.
const caseFile = "bench.constat"

// kind is one sort of proxy, and how it is started.
type kind struct {
	name string
	// start runs the proxy with its files in dir, and returns once it serves.
	// Nil for no proxy.
	start func(ctx context.Context, dir string, hosts int) (*peer, error)
	// logged counts the requests in the log in dir. Nil when that is not looked at.
	logged func(dir string) (int64, error)
}

// peer is a running proxy.
type peer struct {
	addr  string // "" for no proxy
	roots *x509.CertPool
	cmd   *exec.Cmd
	log   string // what it printed
	done  chan error
}

// ready is the line that a proxy prints once it serves.
type ready struct {
	Proxy string `json:"proxy"`
	CA    string `json:"ca"`
}

func newKind(name, constat string, o *origin) (kind, error) {
	switch name {
	case "direct":
		return kind{name: name}, nil
	case "constat", "recorder":
		path, err := exec.LookPath(constat)
		if err != nil {
			return kind{}, fmt.Errorf("%w: build it, or name it with -constat", err)
		}
		start := func(ctx context.Context, dir string, hosts int) (*peer, error) {
			args := []string{
				"run", "--listen", "127.0.0.1:0", "--ui", "off", "--case", filepath.Join(dir, caseFile),
				"--ca-dir", filepath.Join(dir, "ca"), "--upstream-ca", o.ca, "--print-ready", "--log-level", "error",
			}
			if name == "recorder" {
				args = append(args, "--inspect=false")
			}
			for i := range hosts {
				args = append(args, "--resolve", hostName(i)+":443:"+o.addr)
			}
			return startReady(ctx, dir, path, args...)
		}
		logged := func(dir string) (n int64, err error) {
			out, err := exec.Command(path, "query", "--case", filepath.Join(dir, caseFile), "--format", "csv",
				"SELECT count(*) FROM requests WHERE error = '' AND NOT request_truncated AND NOT response_truncated").Output()
			if err == nil {
				_, err = fmt.Sscanf(string(out), "count(*)\n%d", &n)
			}
			return n, err
		}
		return kind{name: name, start: start, logged: logged}, nil
	case "goproxy":
		self, err := os.Executable()
		if err != nil {
			return kind{}, err
		}
		return kind{name: name, start: func(ctx context.Context, dir string, _ int) (*peer, error) {
			return startReady(ctx, dir, self, goproxyChild, "-dir", filepath.Join(dir, "ca"), "-origin", o.addr, "-roots", o.ca)
		}}, nil
	case "mitmdump":
		path, err := exec.LookPath(name)
		if err != nil {
			return kind{}, errNotInstalled
		}
		return kind{name: name, start: func(ctx context.Context, dir string, _ int) (*peer, error) { return startMitmdump(ctx, dir, path, o) }}, nil
	}
	return kind{}, fmt.Errorf("there is no proxy %q", name)
}

// launch starts a program whose output goes to a file in dir.
func launch(ctx context.Context, dir, path string, args ...string) (*peer, *bufio.Reader, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, nil, err
	}
	p := &peer{cmd: exec.CommandContext(ctx, path, args...), log: filepath.Join(dir, "log"), done: make(chan error, 1)}
	log, err := os.Create(p.log)
	if err != nil {
		return nil, nil, err
	}
	defer log.Close()
	p.cmd.Stderr, p.cmd.Dir = log, dir
	p.cmd.Env = append(os.Environ(), "HOME="+dir)
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, nil, err
	}
	return p, bufio.NewReader(out), nil
}

// startReady starts a program that prints a ready line.
func startReady(ctx context.Context, dir, path string, args ...string) (*peer, error) {
	p, out, err := launch(ctx, dir, path, args...)
	if err != nil {
		return nil, err
	}
	t := time.AfterFunc(patience, func() { p.cmd.Process.Kill() })
	line, err := out.ReadBytes('\n')
	t.Stop()
	go func() { p.done <- p.cmd.Wait() }()
	var r ready
	if err == nil {
		err = json.Unmarshal(line, &r)
	}
	if err == nil {
		p.addr = r.Proxy
		err = p.trust(r.CA)
	}
	if err != nil {
		p.stop()
		return nil, fmt.Errorf("%s did not get ready: %w\n%s", filepath.Base(path), err, p.said())
	}
	return p, nil
}

// startMitmdump starts mitmdump, which writes flows and finds the test hosts with a
// hook of its own.
func startMitmdump(ctx context.Context, dir, path string, o *origin) (*peer, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	addr := l.Addr().String()
	l.Close()
	_, port, _ := net.SplitHostPort(addr)
	host, originPort, _ := net.SplitHostPort(o.addr)
	hook := filepath.Join(dir, "resolve.py")
	script := fmt.Sprintf("def server_connect(data):\n    if data.server.address[0].endswith(%q):\n        data.server.address = (%q, %s)\n", domain, host, originPort)
	if err := os.WriteFile(hook, []byte(script), 0o600); err != nil {
		return nil, err
	}
	conf := filepath.Join(dir, "conf")
	p, _, err := launch(ctx, dir, path, "--listen-host", "127.0.0.1", "-p", port, "-q", "-w", filepath.Join(dir, "flows"), "-s", hook,
		"--set", "confdir="+conf, "--set", "ssl_verify_upstream_trusted_ca="+o.ca)
	if err != nil {
		return nil, err
	}
	go func() { p.done <- p.cmd.Wait() }()
	p.addr = addr
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			continue
		}
		c.Close()
		if p.trust(filepath.Join(conf, "mitmproxy-ca-cert.pem")) == nil {
			return p, nil
		}
	}
	p.stop()
	return nil, fmt.Errorf("mitmdump did not get ready\n%s", p.said())
}

// trust takes the roots that the load is to trust from a PEM file.
func (p *peer) trust(file string) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	p.roots = x509.NewCertPool()
	if !p.roots.AppendCertsFromPEM(b) {
		return fmt.Errorf("%s: no certificate", file)
	}
	return nil
}

// stop ends the proxy, by force when it takes too long.
func (p *peer) stop() error {
	if p.cmd == nil {
		return nil
	}
	p.cmd.Process.Signal(os.Interrupt)
	select {
	case err := <-p.done:
		return err
	case <-time.After(patience):
		p.cmd.Process.Kill()
		<-p.done
		return errors.New("it did not end by itself")
	}
}

// said returns the end of what the proxy printed.
func (p *peer) said() string {
	b, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(b[max(0, len(b)-2000):])
}
