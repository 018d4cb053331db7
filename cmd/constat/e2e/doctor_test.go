package e2e

import (
	"crypto/tls"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// doctor returns what "constat doctor --json" says of each host: its causes.
func (c *instance) doctor(args ...string) map[string][]string {
	c.t.Helper()
	out, _ := constat(c.t, 0, append([]string{"doctor", "--case", c.Case, "--json"}, args...)...)
	var page struct {
		Entries []struct {
			Host   string
			Causes []struct{ ID, Sure string }
		}
	}
	if err := json.Unmarshal([]byte(out), &page); err != nil {
		c.t.Fatal(err)
	}
	got := map[string][]string{}
	for _, e := range page.Entries {
		for _, x := range e.Causes {
			got[e.Host] = append(got[e.Host], x.ID+" "+x.Sure)
		}
	}
	return got
}

// Real clients that trust, do not, or do but close; a server that nobody vouches
// for, one that is not there, a name that is not there; and what is said of each while
// the case is written.
func TestDoctor(t *testing.T) {
	curl, openssl := need(t, "curl"), need(t, "openssl")
	o := newOrigin(t, http.HandlerFunc(echo))
	self := httptest.NewUnstartedServer(http.HandlerFunc(echo))
	self.Config.ErrorLog = log.New(io.Discard, "", 0)
	self.StartTLS()
	defer self.Close()
	args := []string{"--resolve", "example.com:443:" + self.Listener.Addr().String(), "--resolve", "down.test:443:127.0.0.1:1", "--pass-after", "0"}
	for _, host := range []string{"pinned.test", "unknown.test", "old.test"} {
		args = append(args, "--resolve", host+":443:"+o.Addr)
	}
	c := start(t, o, args...)
	get := func(host string, args ...string) {
		t.Helper()
		// A client that does not trust fails, as it should.
		_ = exec.Command(curl, append([]string{"-sS", "--max-time", "20", "-o", t.TempDir() + "/out", "-x", "http://" + c.Proxy, "https://" + host + "/"}, args...)...).Run()
	}
	shake := func(host string, args ...string) {
		t.Helper()
		cmd := exec.Command(openssl, append([]string{"s_client", "-proxy", c.Proxy, "-connect", host + ":443", "-servername", host, "-verify_return_error"}, args...)...)
		_ = cmd.Run() // its standard input is at its end at once: it closes after the handshake
	}
	trust := []string{"--cacert", c.CA}

	// Before anything trusts: curl knows the authorities of the system only.
	get("origin.test")
	get("other.test")
	c.eventually("SELECT count(*) FROM connections WHERE client_alert = 'unknown_ca'", "2")
	for host, causes := range c.doctor() {
		if want := []string{"ca_not_trusted likely"}; !slices.Equal(causes, want) {
			t.Errorf("%s: %v, want %v", host, causes, want)
		}
	}

	get("origin.test", trust...)
	get("example.com", trust...)
	get("down.test", trust...)
	shake("unknown.test", "-CAfile", o.CAFile)
	for range 3 {
		shake("pinned.test", "-CAfile", c.CA)
	}
	greetOld(t, c, "old.test")
	c.eventually("SELECT count(*) FROM connections", "10")
	got := c.doctor()
	for host, want := range map[string]string{
		"origin.test": "settled likely", "other.test": "not_trusted_yet likely",
		"example.com": "server_private_ca known", "down.test": "server_unreachable known",
		"unknown.test": "program_not_told likely", "pinned.test": "pinned likely", "old.test": "no_common_tls likely",
	} {
		if len(got[host]) == 0 || got[host][0] != want {
			t.Errorf("%s: %v, want %s first", host, got[host], want)
		}
	}
	if len(got) != 7 {
		t.Errorf("%d hosts: %v", len(got), got)
	}
	if one := c.doctor("pinned.test"); len(one) != 1 {
		t.Errorf("one host: %v", one)
	}

	text, _ := constat(t, 0, "doctor", "--case", c.Case)
	for _, want := range []string{
		"7 of 10 connections could not be read", "2 connections found no server", "the server's certificate was signed by itself or by nobody known.",
		"constat run --upstream-ca FILE", "constat pass pinned.test --case ", "3 times the handshake went well",
	} {
		if !strings.Contains(strings.Join(strings.Fields(text), " "), want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	for line := range strings.Lines(text) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 80 && !strings.Contains(line, "constat ") {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	if text, _ := constat(t, 0, "doctor", "--case", c.Case, "absent.test"); !strings.Contains(text, "no connection to absent.test") {
		t.Error(text)
	}
	constat(t, 0, "mark", "idle", "--case", c.Case)
	get("localhost.test", trust...)
	c.eventually("SELECT count(*) FROM connections", "11")
	if text, _ := constat(t, 0, "doctor", "--case", c.Case, "--session", "idle"); !strings.Contains(text, "All is well") {
		t.Error(text)
	}
	if _, stderr := constat(t, 2, "doctor", "--case", c.Case, "--session", "nosuch"); !strings.Contains(stderr, "constat sessions") {
		t.Error(stderr)
	}
	constat(t, 2, "doctor", "--case", c.Case, "a.test", "b.test")
	c.stop()
	if n := len(c.doctor()); n != 7 {
		t.Errorf("%d hosts after the end", n)
	}
	verified(t, c.Case)
}

// greetOld greets as a client does that has no cipher in common with anybody sound.
func greetOld(t *testing.T, c *instance, host string) {
	t.Helper()
	nc, err := c.connect("127.0.0.1", host+":443")
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	tc := tls.Client(nc, &tls.Config{ServerName: host, MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_RSA_WITH_RC4_128_SHA}})
	if err := tc.HandshakeContext(t.Context()); err == nil {
		t.Error("RC4 is accepted")
	}
}

// The recipes for rooted phones come out of the program as packages certs makes them.
func TestRecipes(t *testing.T) {
	dir := t.TempDir()
	ca := dir + "/ca"
	shown, _ := constat(t, 0, "ca", "show", "--ca-dir", ca)
	_, name, _ := strings.Cut(shown, "android name")
	name, _, _ = strings.Cut(strings.TrimSpace(name), "\n")
	constat(t, 0, "ca", "export", "--ca-dir", ca, "--format", "magisk", "--out", dir+"/module.zip")
	list, err := exec.Command(need(t, "unzip"), "-p", dir+"/module.zip", "system/etc/security/cacerts/"+name).Output()
	pem, _ := constat(t, 0, "ca", "export", "--ca-dir", ca)
	if err != nil || string(list) != pem {
		t.Errorf("the module has %q as %s, %v", list, name, err)
	}
	script, _ := constat(t, 0, "ca", "export", "--ca-dir", ca, "--format", "adb")
	if !strings.HasPrefix(script, "#!/bin/sh\n") || !strings.Contains(script, pem) || !strings.Contains(script, "NAME='"+name+"'") {
		t.Errorf("the script is\n%.300s", script)
	}
}
