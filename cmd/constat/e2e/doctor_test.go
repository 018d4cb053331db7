package e2e

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
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
	if text, _ := constat(t, 0, "doctor", "--case", c.Case, "--device", "nosuch"); !strings.Contains(text, "no connection of device nosuch") || !strings.Contains(text, "SELECT DISTINCT device") {
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

// What the doctor knows of Chromium: its alert says nothing of why, and JA4 knows its
// ciphers.
func TestDoctorOnChromium(t *testing.T) {
	chromium := need(t, "chromium")
	c := start(t, newOrigin(t, http.HandlerFunc(echo)), "--pass-after", "0")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--user-data-dir="+t.TempDir(),
		"--proxy-server=http://"+c.Proxy, "--proxy-bypass-list=<-loopback>", "--dump-dom", "https://origin.test/")
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
	_ = cmd.Run() // it shows a warning instead of the page
	if got := c.sql("SELECT DISTINCT outcome, client_alert, substr(ja4, 11, 14) FROM connections WHERE sni = 'origin.test'"); got != "client_refused|certificate_unknown|_8daaf6152771_" {
		t.Errorf("Chromium that does not trust: %s", got)
	}
	resp, err := c.client(true).Get("https://other.test/")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	c.eventually("SELECT count(*) > 0 FROM connections WHERE sni = 'origin.test'", "1")
	if got := c.doctor("origin.test")["origin.test"]; len(got) == 0 || strings.Contains(fmt.Sprint(got), "pinned likely") {
		t.Errorf("%v", got)
	}
	c.stop()
}

// QUIC and private DNS that were refused, and a host that was set to pass, are known
// by the words of the proxy's rows.
func TestDoctorOnPolicy(t *testing.T) {
	curl := need(t, "curl")
	o := newOrigin(t, http.HandlerFunc(echo))
	c := start(t, o, "--socks", "127.0.0.1:0", "--pass", "other.test")
	if err := exec.Command(curl, "-sS", "--max-time", "20", "-x", "http://"+c.Proxy, "--cacert", o.CAFile, "https://other.test/").Run(); err != nil {
		t.Fatal(err)
	}
	socks, err := net.Dial("tcp", c.SOCKS)
	if err != nil {
		t.Fatal(err)
	}
	defer socks.Close()
	// RFC 1928: no password; UDP ASSOCIATE from any port.
	answer := make([]byte, 12)
	_, err = socks.Write([]byte{5, 1, 0, 5, 3, 0, 1, 0, 0, 0, 0, 0, 0})
	if _, err2 := io.ReadFull(socks, answer); err != nil || err2 != nil || answer[3] != 0 {
		t.Fatalf("%v, %v, % x", err, err2, answer)
	}
	relay := &net.UDPAddr{IP: net.IP(answer[6:10]), Port: int(answer[10])<<8 | int(answer[11])}
	udp, err := net.DialUDP("udp", nil, relay)
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	if _, err := udp.Write([]byte{0, 0, 0, 1, 127, 0, 0, 9, 443 >> 8, 443 & 0xff, 'q'}); err != nil {
		t.Fatal(err)
	}
	// It hears that it is connected, and then nothing more.
	_ = exec.Command(curl, "-sS", "--max-time", "20", "-x", "socks5h://"+c.SOCKS, "https://dns.test:853/").Run()
	c.eventually("SELECT count(*) FROM connections", "3")
	got := c.doctor()
	for host, want := range map[string]string{"other.test": "set_unread known", "127.0.0.9": "quic_only likely", "dns.test": "private_dns known"} {
		if len(got[host]) != 1 || got[host][0] != want {
			t.Errorf("%s: %v, want %s\n%s", host, got[host], want, c.sql("SELECT host, port, transport, outcome, reason FROM connections"))
		}
	}
	c.stop()
}

// A phone that did not open the code's link.
func TestDoctorOfStrangers(t *testing.T) {
	n := newNetwork(t)
	c := start(t, nil, "--listen", serverAddr+":0")
	err := n.phone(func() error {
		nc, err := net.Dial("tcp", c.Proxy)
		if err != nil {
			return err
		}
		defer nc.Close()
		if _, err := io.WriteString(nc, "GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n"); err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, nc)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	c.eventually("SELECT count(*) FROM connections", "1")
	if got := c.doctor(); len(got) != 1 || len(got[""]) != 1 || got[""][0] != "not_enrolled known" {
		t.Errorf("%v", got)
	}
	c.stop()
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
