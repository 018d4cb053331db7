package device

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"constat/proxy/wireguard"
)

func open(t *testing.T, file string) *Book {
	t.Helper()
	b, err := Open(file)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestBook(t *testing.T) {
	file := filepath.Join(t.TempDir(), "keys", "devices.json")
	b := open(t, file)
	home := netip.MustParseAddr("192.168.1.7")
	for _, err := range []error{b.Add("redmi", home), b.AddApp("redmi", "com.example.push"), b.AddApp("redmi", "com.example.push"), b.Add("Télé-2")} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct{ got, want error }{
		{b.Add("redmi"), ErrKnown},
		{b.Add("pixel", home), ErrKnown},
		{b.Add(""), ErrName},
		{b.Add("a b"), ErrName},
		{b.Add("<script>"), ErrName},
		{b.Add(strings.Repeat("a", 41)), ErrName},
		{b.AddApp("pixel", "com.example"), ErrUnknown},
		{b.AddApp("redmi", "no package"), ErrApp},
		{b.AddApp("redmi", "x"), ErrApp},
		{b.Remove("pixel"), ErrUnknown},
	} {
		if !errors.Is(tt.got, tt.want) {
			t.Errorf("%v, want %v", tt.got, tt.want)
		}
	}
	again := open(t, file)
	if len(again.Devices()) != 2 || again.At(netip.MustParseAddr("::ffff:192.168.1.7")) != "redmi" || again.At(netip.MustParseAddr("192.168.1.8")) != "" {
		t.Errorf("%d devices", len(again.Devices()))
	}
	secret, _ := again.Password("redmi")
	if len(secret) != 16 || !again.SignIn("redmi", secret) || again.SignIn("redmi", "") || again.SignIn("pixel", "") || again.SignIn("Télé-2", secret) {
		t.Errorf("signing in, with a password of %d characters", len(secret))
	}
	peers, err := again.Peers()
	if err != nil || len(peers) != 3 || peers[1].App != "com.example.push" || peers[1].Name != "redmi" || peers[0].Addresses[0] == peers[2].Addresses[0] {
		t.Errorf("%+v, %v", peers, err)
	}
	at := netip.MustParseAddrPort("192.168.1.7:40000")
	if changed, err := again.Heard(map[wireguard.Key]netip.AddrPort{peers[1].PublicKey: at, peers[2].PublicKey: {}}); !changed || err != nil {
		t.Fatal(changed, err)
	}
	for i, p := range must(open(t, file).Peers())(t) {
		if p.PublicKey != peers[i].PublicKey || (p.Endpoint == at) != (i == 1) || p.Endpoint.IsValid() != (i == 1) {
			t.Errorf("peer %d was last heard from at %v", i, p.Endpoint)
		}
	}
	if changed, err := again.Heard(map[wireguard.Key]netip.AddrPort{peers[1].PublicKey: at}); changed || err != nil {
		t.Errorf("the book is written for nothing, %v", err)
	}
	c, err := again.Config("redmi", "com.example.push", "192.168.1.5:51820")
	if err != nil || len(c.Apps) != 1 || c.Addresses[0] != peers[1].Addresses[0] || c.ServerKey != again.Key().Public() || c.PrivateKey.Public() != peers[1].PublicKey {
		t.Errorf("%+v, %v", c, err)
	}
	if _, err := again.Config("redmi", "com.example.none", "x:1"); !errors.Is(err, ErrUnknown) {
		t.Error(err)
	}
	if err := again.Remove("redmi"); err != nil {
		t.Fatal(err)
	}
	if changed, err := b.Reload(); !changed || err != nil || b.Knows("redmi") {
		t.Errorf("changed %v, %v", changed, err)
	}
	if changed, err := b.Reload(); changed || err != nil {
		t.Errorf("changed again: %v, %v", changed, err)
	}
	if err := b.Add("redmi"); err != nil {
		t.Fatal(err)
	}
	if now, _ := b.Peers(); now[1].Addresses[0] == peers[0].Addresses[0] || now[1].PublicKey == peers[0].PublicKey {
		t.Error("a device that was removed lives on in a new one")
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

// TestBookOfMany lets several books change one file.
func TestBookOfMany(t *testing.T) {
	file := filepath.Join(t.TempDir(), "devices.json")
	open(t, file)
	var all sync.WaitGroup
	for n := range 8 {
		all.Go(func() {
			b, err := Open(file)
			for i := range 5 {
				err = errors.Join(err, b.Add(fmt.Sprintf("phone-%d-%d", n, i)))
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	b := open(t, file)
	peers, err := b.Peers()
	seen := map[netip.Addr]bool{}
	for _, p := range peers {
		seen[p.Addresses[0]] = true
	}
	if err != nil || len(b.Devices()) != 40 || len(seen) != 40 {
		t.Errorf("%d devices, %d addresses, %v", len(b.Devices()), len(seen), err)
	}
}

func TestBadBook(t *testing.T) {
	for name, text := range map[string]string{
		"empty": "", "no JSON": "{", "another file": `{"name":"Testperson"}`, "nothing in it": "{}",
		"a bad key": `{"private_key":"AAAA","ipv4":"10.77.0.0/16","ipv6":"fd00::/64","next_number":1,"devices":[]}`,
	} {
		file := filepath.Join(t.TempDir(), "devices.json")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(file); err == nil || !strings.Contains(err.Error(), "move it away") || strings.Contains(err.Error(), "AAAA") {
			t.Errorf("%s: %v", name, err)
		}
		if after, err := os.ReadFile(file); err != nil || string(after) != text {
			t.Errorf("%s: it was changed", name)
		}
	}
}

func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// TestReadByOthers: keys that others could have read are not used.
func TestReadByOthers(t *testing.T) {
	file := filepath.Join(t.TempDir(), "devices.json")
	b := open(t, file)
	for _, mode := range []os.FileMode{0o640, 0o604} {
		if err := os.Chmod(file, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(file); err == nil || !strings.Contains(err.Error(), "chmod 600") {
			t.Errorf("%v: %v", mode, err)
		}
	}
	if err := os.Chmod(file, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := b.Add("redmi"); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}
