package main

import (
	"maps"
	"net/netip"
	"path/filepath"
	"testing"

	"constat/cmd/constat/device"
	"constat/cmd/constat/ui"
	"constat/proxy"
)

// TestWhoIsIn: a name is worth what its password proves at the time.
func TestWhoIsIn(t *testing.T) {
	book, err := device.Open(filepath.Join(t.TempDir(), "devices.json"))
	if err != nil {
		t.Fatal(err)
	}
	d := &doors{book: book, enrolment: ui.NewEnrolment(false)}
	stranger := netip.MustParseAddr("192.0.2.66")
	early, ok := d.signIn("redmi", "a guess")
	if !ok {
		t.Error("somebody the book does not know is sent away")
	}
	if err := book.Add("redmi", netip.MustParseAddr("192.0.2.7")); err != nil {
		t.Fatal(err)
	}
	if id := d.identify(proxy.Guest{Door: "socks5", Addr: stranger, User: early}); id.Admitted || id.Device != "" {
		t.Errorf("who took the name before it was given is %+v", id)
	}
	if _, ok := d.signIn("redmi", "a guess"); ok {
		t.Error("a guess signs in")
	}
	secret, _ := book.Password("redmi")
	name, ok := d.signIn("redmi", secret)
	if id := d.identify(proxy.Guest{Door: "socks5", Addr: stranger, User: name}); !ok || !id.Admitted || id.Device != "redmi" {
		t.Errorf("%+v", id)
	}
	if id := d.identify(proxy.Guest{Door: "transparent", Addr: netip.MustParseAddr("192.0.2.7")}); !id.Admitted || id.Device != "redmi" {
		t.Errorf("%+v", id)
	}
	if id := d.identify(proxy.Guest{Door: "http", Addr: stranger, User: ""}); id.Admitted {
		t.Errorf("%+v", id)
	}
	if err := book.Remove("redmi"); err != nil {
		t.Fatal(err)
	}
	if id := d.identify(proxy.Guest{Door: "socks5", Addr: stranger, User: name}); id.Admitted {
		t.Errorf("after it was removed: %+v", id)
	}
	d.cfg.RequirePwd = true
	if _, ok := d.signIn("redmi", secret); ok {
		t.Error("a name that is not in the book signs in")
	}
}

// TestSettingsOfDoors: a case says what passed unread and who was in between, and no
// password.
func TestSettingsOfDoors(t *testing.T) {
	got := doorsConfig{PassAfter: 3, PassHosts: []string{"bank.example", "x.example"}, StripHints: true, Via: "http://me:secret@proxy.example:3128", DNSServers: []string{"192.0.2.53"}}.settings()
	want := map[string]string{
		"pass_after": "3", "quic": "refuse", "pass": "bank.example x.example", "dns": "192.0.2.53", "strip_hints": "true", "upstream_proxy": "http://proxy.example:3128",
	}
	if !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
