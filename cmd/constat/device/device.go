// Package device keeps the book of phones: how each is known when it comes in by a
// door, and what its WireGuard tunnel and its sign-in need.
//
// The book is one JSON file that only its owner can read: it holds keys. Several
// processes may use it at a time: each change is made on what the file says, under
// a lock, and what others have changed is seen by Reload. A Book is safe for
// concurrent use.
package device

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"constat/proxy/wireguard"
)

// Errors that callers branch on.
var (
	ErrName    = errors.New("want a name of 1 to 40 letters, digits, dots, dashes and underscores")
	ErrKnown   = errors.New("there is a device of this name")
	ErrUnknown = errors.New("there is no device of this name")
	ErrApp     = errors.New("want a package name, as in com.example.app")
)

// Device is one phone.
type Device struct {
	Name      string       `json:"name"`
	Added     time.Time    `json:"added"`
	Addresses []netip.Addr `json:"addresses,omitempty"` // on the local network, that are always this phone
	Password  string       `json:"password"`            // with Name as user, for doors where one signs in
	Tunnels   []Tunnel     `json:"tunnels"`             // the first is for all apps
}

// Tunnel is a WireGuard peer: a phone, or one app of it.
type Tunnel struct {
	Number  int              `json:"number"` // of its addresses in the subnet, never given twice
	App     string           `json:"app,omitempty"`
	Private wireguard.Secret `json:"private_key"`
	Shared  wireguard.Secret `json:"preshared_key"`
	Last    netip.AddrPort   `json:"last_endpoint,omitzero"` // that it was heard from
}

// book is what the file holds.
type book struct {
	Private wireguard.Secret `json:"private_key"` // of the computer's end of all tunnels
	IPv4    netip.Prefix     `json:"ipv4"`
	IPv6    netip.Prefix     `json:"ipv6"`
	Next    int              `json:"next_number"`
	Devices []Device         `json:"devices"`
}

// Book is the book of phones.
type Book struct {
	file string

	mu    sync.RWMutex
	it    book
	stamp stamp
}

// stamp tells versions of the file apart.
type stamp struct {
	changed time.Time
	size    int64
	inode   uint64
}

// maxFile bounds the file, in bytes.
const maxFile = 16 << 20

// Open reads the book, and makes it when there is none.
func Open(file string) (*Book, error) {
	b := &Book{file: file}
	if _, err := os.Lstat(file); err == nil {
		_, err := b.Reload()
		return b, err
	}
	return b, b.change(func(*book) error { return nil })
}

// Reload reads the file again if it has changed, and says whether it had.
func (b *Book) Reload() (bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.read()
}

func (b *Book) read() (bool, error) {
	info, err := os.Stat(b.file)
	if err != nil {
		return false, err
	}
	s := stamp{changed: info.ModTime(), size: info.Size()}
	if sys, ok := info.Sys().(*syscall.Stat_t); ok {
		s.inode = sys.Ino
	}
	if s == b.stamp {
		return false, nil
	}
	if info.Mode().Perm()&0o077 != 0 {
		return false, fmt.Errorf("others can read the keys of the devices (mode %04o): if nobody did, run chmod 600 %s; else move it away, and a new one is made", info.Mode().Perm(), b.file)
	}
	if info.Size() > maxFile {
		return false, fmt.Errorf("%s is too large to be a book of devices", b.file)
	}
	text, err := os.ReadFile(b.file)
	if err != nil {
		return false, err
	}
	var it book
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&it); err != nil || !it.IPv4.IsValid() || it.Private == (wireguard.Secret{}) {
		return false, fmt.Errorf("%s is not a book of devices: move it away, and a new one is made", b.file) // err may quote keys
	}
	b.it, b.stamp = it, s
	return true, nil
}

// change makes a change on what the file says and writes it back.
func (b *Book) change(f func(*book) error) error {
	if err := os.MkdirAll(filepath.Dir(b.file), 0o700); err != nil {
		return err
	}
	lock, err := os.OpenFile(b.file+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, err := b.read(); errors.Is(err, os.ErrNotExist) {
		s := wireguard.NewSubnet()
		b.it = book{Private: wireguard.NewPrivateKey(), IPv4: s.IPv4, IPv6: s.IPv6, Next: 1}
	} else if err != nil {
		return err
	}
	next := b.it
	next.Devices = slices.Clone(next.Devices)
	if err := f(&next); err != nil {
		return err
	}
	text, err := json.MarshalIndent(next, "", "  ")
	if err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(b.file), ".devices-*") // 0600
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(append(text, '\n'))
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	if err := os.Rename(tmp.Name(), b.file); err != nil {
		return err
	}
	_, err = b.read()
	return err
}

var (
	names = regexp.MustCompile(`^[\pL\pN][\pL\pN._-]{0,39}$`)
	apps  = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z0-9_]+)+$`)
)

// Add adds a device with a tunnel for all its apps.
func (b *Book) Add(name string, addresses ...netip.Addr) error {
	if !names.MatchString(name) {
		return ErrName
	}
	return b.change(func(it *book) error {
		if it.find(name) != nil {
			return fmt.Errorf("%s: %w", name, ErrKnown)
		}
		for _, a := range addresses {
			if d := it.at(a); d != nil {
				return fmt.Errorf("%v is the address of %s: %w", a, d.Name, ErrKnown)
			}
		}
		it.Devices = append(it.Devices, Device{
			Name: name, Added: time.Now().UTC().Truncate(time.Second), Addresses: addresses, Password: password(), Tunnels: []Tunnel{it.tunnel("")},
		})
		return nil
	})
}

// AddApp adds a tunnel for one app of a device.
func (b *Book) AddApp(name, app string) error {
	if len(app) > 200 || !apps.MatchString(app) {
		return ErrApp
	}
	return b.change(func(it *book) error {
		d := it.find(name)
		switch {
		case d == nil:
			return fmt.Errorf("%s: %w", name, ErrUnknown)
		case slices.ContainsFunc(d.Tunnels, func(t Tunnel) bool { return t.App == app }):
			return nil
		}
		d.Tunnels = append(slices.Clone(d.Tunnels), it.tunnel(app))
		return nil
	})
}

// Remove takes a device out. Its keys and its password are worth nothing then.
func (b *Book) Remove(name string) error {
	return b.change(func(it *book) error {
		if it.find(name) == nil {
			return fmt.Errorf("%s: %w", name, ErrUnknown)
		}
		it.Devices = slices.DeleteFunc(it.Devices, func(d Device) bool { return d.Name == name })
		return nil
	})
}

func (it *book) find(name string) *Device {
	if i := slices.IndexFunc(it.Devices, func(d Device) bool { return d.Name == name }); i >= 0 {
		return &it.Devices[i]
	}
	return nil
}

func (it *book) at(a netip.Addr) *Device {
	a = a.Unmap()
	if i := slices.IndexFunc(it.Devices, func(d Device) bool { return slices.Contains(d.Addresses, a) }); i >= 0 {
		return &it.Devices[i]
	}
	return nil
}

func (it *book) tunnel(app string) Tunnel {
	t := Tunnel{Number: it.Next, App: app, Private: wireguard.NewPrivateKey(), Shared: wireguard.NewPresharedKey()}
	it.Next++
	return t
}

// password returns 80 random bits that a person can type.
func password() string {
	var b [10]byte
	rand.Read(b[:]) // never fails, see crypto/rand
	return strings.ToLower(base32.StdEncoding.EncodeToString(b[:]))
}

// Devices lists the devices in the order in which they were added. The list is not
// to be changed.
func (b *Book) Devices() []Device {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.it.Devices
}

// At returns the name of the device that always has the address, "" for none.
func (b *Book) At(a netip.Addr) string {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if d := b.it.at(a); d != nil {
		return d.Name
	}
	return ""
}

// Knows says whether there is a device of the name.
func (b *Book) Knows(name string) bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.it.find(name) != nil
}

// SignIn says whether user is a device and this its password.
func (b *Book) SignIn(user, password string) bool {
	secret, known := b.Password(user)
	return subtle.ConstantTimeCompare([]byte(password), []byte(secret)) == 1 && known
}

// Password returns the password of a device.
func (b *Book) Password(user string) (password string, known bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if d := b.it.find(user); d != nil {
		return d.Password, true
	}
	return "", false
}

// Key is the private key of the computer's end of all tunnels.
func (b *Book) Key() wireguard.Secret {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.it.Private
}

// Subnet is the range of addresses inside the tunnels.
func (b *Book) Subnet() wireguard.Subnet {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.it.subnet()
}

func (it *book) subnet() wireguard.Subnet { return wireguard.Subnet{IPv4: it.IPv4, IPv6: it.IPv6} }

// Peers are all tunnels, as the computer's end has to know them.
func (b *Book) Peers() ([]wireguard.Peer, error) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	var out []wireguard.Peer
	for _, d := range b.it.Devices {
		for _, t := range d.Tunnels {
			addrs, err := b.it.subnet().Peer(t.Number)
			if err != nil {
				return nil, err
			}
			out = append(out, wireguard.Peer{Name: d.Name, PublicKey: t.Private.Public(), PresharedKey: t.Shared, Addresses: addrs, App: t.App, Endpoint: t.Last})
		}
	}
	return out, nil
}

// Heard notes where tunnels were last heard from, by their public keys, so that their
// phones can be greeted there after a restart. It says whether the book was read and
// written for that, as Reload does.
func (b *Book) Heard(from map[wireguard.Key]netip.AddrPort) (changed bool, err error) {
	stale := func(t Tunnel) bool {
		at := from[t.Private.Public()]
		return at.IsValid() && at != t.Last
	}
	b.mu.RLock()
	moved := slices.ContainsFunc(b.it.Devices, func(d Device) bool { return slices.ContainsFunc(d.Tunnels, stale) })
	b.mu.RUnlock()
	if !moved {
		return false, nil
	}
	return true, b.change(func(it *book) error {
		for i := range it.Devices {
			d := &it.Devices[i]
			d.Tunnels = slices.Clone(d.Tunnels)
			for n, t := range d.Tunnels {
				if stale(t) {
					d.Tunnels[n].Last = from[t.Private.Public()]
				}
			}
		}
		return nil
	})
}

// Config is what a device has to know of its tunnel for all apps, or of the one for
// an app, to reach endpoint ("192.168.1.5:51820").
func (b *Book) Config(name, app, endpoint string) (wireguard.ClientConfig, error) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	d := b.it.find(name)
	if d == nil {
		return wireguard.ClientConfig{}, fmt.Errorf("%s: %w", name, ErrUnknown)
	}
	i := slices.IndexFunc(d.Tunnels, func(t Tunnel) bool { return t.App == app })
	if i < 0 {
		return wireguard.ClientConfig{}, fmt.Errorf("%s has no tunnel for %s: %w", name, cmp.Or(app, "all apps"), ErrUnknown)
	}
	t := d.Tunnels[i]
	own, err := b.it.subnet().Own()
	if err != nil {
		return wireguard.ClientConfig{}, err
	}
	addrs, err := b.it.subnet().Peer(t.Number)
	if err != nil {
		return wireguard.ClientConfig{}, err
	}
	c := wireguard.ClientConfig{
		PrivateKey: t.Private, Addresses: addrs, DNS: own, Endpoint: endpoint, ServerKey: b.it.Private.Public(), PresharedKey: t.Shared,
	}
	if app != "" {
		c.Apps = []string{app}
	}
	return c, nil
}
