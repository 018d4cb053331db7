package dns

import (
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"time"

	"constat/proxy/flow"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

func lookup(id int64, name string, ttl int, list ...string) *flow.Lookup {
	l := &flow.Lookup{ID: id, Name: name, Time: noon, Addresses: addrs(list...)}
	for _, a := range list {
		l.Answers = append(l.Answers, fmt.Sprintf("%s. %d IN A %s", name, ttl, a))
	}
	return l
}

func TestNames(t *testing.T) {
	var n Names
	n.Learn("a", lookup(1, "old.example", 60, "192.0.2.1", "192.0.2.2"))
	n.Learn("a", lookup(3, "new.example", 60, "192.0.2.1"))
	n.Learn("a", lookup(2, "late.example", 60, "192.0.2.1", "192.0.2.3")) // its row came later than that of 3
	n.Learn("b", lookup(4, "b.example", 60, "192.0.2.1"))
	n.Learn("a", lookup(5, "nothing.example", 60))
	for _, c := range []struct {
		device, addr string
		after        time.Duration
		id           int64
		name         string
	}{
		{"a", "192.0.2.1", 0, 3, "new.example"},
		{"a", "::ffff:192.0.2.1", 0, 3, "new.example"},
		{"a", "192.0.2.2", 0, 1, "old.example"},
		{"a", "192.0.2.3", 0, 2, "late.example"},
		{"b", "192.0.2.1", 0, 4, "b.example"},
		{"b", "192.0.2.2", 0, 0, ""},
		{"c", "192.0.2.1", 0, 0, ""},
		{"a", "192.0.2.9", 0, 0, ""},
		{"a", "192.0.2.2", 24*time.Hour + time.Minute, 1, "old.example"},
		{"a", "192.0.2.2", 24*time.Hour + time.Minute + 1, 0, ""},
	} {
		if id, name := n.Lookup(c.device, netip.MustParseAddr(c.addr), noon.Add(c.after)); id != c.id || name != c.name {
			t.Errorf("%s %s after %v: %d %q, want %d %q", c.device, c.addr, c.after, id, name, c.id, c.name)
		}
	}
}

func TestTTL(t *testing.T) {
	for _, c := range []struct {
		lines []string
		want  time.Duration
	}{
		{nil, 0},
		{[]string{"a. 60 IN A 192.0.2.1", "b. 90 IN A 192.0.2.1"}, 90 * time.Second},
		{[]string{"a. 2147483648 IN A 192.0.2.1"}, 0},
		{[]string{"a. 2147483647 IN A 192.0.2.1"}, 7 * 24 * time.Hour},
		{[]string{"a. -5 IN A 192.0.2.1", "nonsense", ""}, 0},
	} {
		if got := ttl(c.lines); got != c.want {
			t.Errorf("%q: %v, want %v", c.lines, got, c.want)
		}
	}
}

func addrNumber(i int) netip.Addr {
	return netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
}

func TestNamesAreBounded(t *testing.T) {
	var n Names
	known := func(device string, i int) bool {
		id, _ := n.Lookup(device, addrNumber(i), noon)
		return id != 0
	}
	learn := func(device string, i int) {
		n.Learn(device, &flow.Lookup{ID: int64(i + 1), Name: "x", Time: noon, Addresses: []netip.Addr{addrNumber(i)}})
	}
	for i := range perDevice + 10 {
		learn("a", i)
	}
	if known("a", 9) || !known("a", 10) || n.entries != perDevice {
		t.Errorf("entries %d", n.entries)
	}
	for d := range maxEntries/perDevice - 1 {
		for i := range perDevice {
			learn(fmt.Sprint("full", d), i)
		}
	}
	if n.entries != maxEntries {
		t.Fatalf("entries %d", n.entries)
	}
	learn("small", 1)
	learn("small", 2)
	if n.entries != maxEntries || !known("small", 1) || !known("small", 2) {
		t.Errorf("entries %d; the device with fewest lost one", n.entries)
	}
	for d := range maxDevices {
		learn(fmt.Sprint("other", d), 1)
		known("small", 1)
	}
	total := 0
	for _, d := range n.devices {
		total += len(d.known)
		if d.order.Len() != len(d.known) {
			t.Errorf("%s: %d in order, %d known", d.device, d.order.Len(), len(d.known))
		}
	}
	if len(n.devices) != maxDevices || n.used.Len() != maxDevices || total != n.entries || !known("small", 1) || known("a", 20) {
		t.Errorf("%d devices, %d entries of %d", len(n.devices), n.entries, total)
	}
}

func TestNamesAreConcurrent(t *testing.T) {
	var n Names
	var wait sync.WaitGroup
	for g := range 4 {
		wait.Go(func() {
			for i := range 500 {
				n.Learn(fmt.Sprint(i%3), &flow.Lookup{ID: int64(i), Name: "x", Time: noon, Addresses: []netip.Addr{addrNumber(i * g)}})
				n.Lookup(fmt.Sprint(i%3), addrNumber(i), noon)
			}
		})
	}
	wait.Wait()
}

func BenchmarkNames(b *testing.B) {
	var n Names
	for i := range perDevice {
		n.Learn("a", &flow.Lookup{ID: int64(i + 1), Name: "x", Time: noon, Addresses: []netip.Addr{addrNumber(i)}})
	}
	i := 0
	for b.Loop() {
		n.Lookup("a", addrNumber(i%8192), noon)
		i++
	}
}
