package dns

import (
	"container/list"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"constat/proxy/flow"
)

const (
	maxDevices = 1024
	perDevice  = 4096    // addresses of one device
	maxEntries = 1 << 17 // addresses of all devices
	afterTTL   = 24 * time.Hour
	longestTTL = 7 * 24 * time.Hour // as resolvers are told to cap it (RFC 8767 section 4)
)

// Names tells which name stands behind an address that a device connects to: the one
// of the newest lookup of that device whose answer had the address. The zero value is
// ready. Methods are safe for concurrent use, memory is bounded: at most 1,024
// devices, 4,096 addresses each and 131,072 in all; the oldest give way, those of the
// device that has the most first.
//
// An address is known for the TTL of the answer, seven days at most, and 24 hours
// more. Apps keep addresses longer than the TTL allows, and an address without a
// lookup looks as if it were written into the app: a name that is a day old, whose
// row says when it was asked for, misleads less than that.
type Names struct {
	mu      sync.Mutex
	devices map[string]*deviceNames
	used    list.List // of *deviceNames, the last used first
	entries int
}

type deviceNames struct {
	device string
	place  *list.Element
	known  map[netip.Addr]*list.Element
	order  list.List // of *entry, the last learned first
}

type entry struct {
	addr    netip.Addr
	id      int64
	name    string
	expires time.Time
}

// Learn takes the addresses of an answer. l has its ID, and is not kept.
func (n *Names) Learn(device string, l *flow.Lookup) {
	if len(l.Addresses) == 0 {
		return
	}
	expires := l.Time.Add(ttl(l.Answers) + afterTTL)
	n.mu.Lock()
	defer n.mu.Unlock()
	d := n.device(device)
	for _, addr := range l.Addresses {
		addr = addr.Unmap().WithZone("")
		if e, ok := d.known[addr]; ok {
			if old := e.Value.(*entry); l.ID >= old.id {
				old.id, old.name, old.expires = l.ID, l.Name, expires
				d.order.MoveToFront(e)
			}
			continue
		}
		if len(d.known) >= perDevice {
			n.forget(d)
		} else if n.entries >= maxEntries {
			n.forget(n.largest())
		}
		d.known[addr] = d.order.PushFront(&entry{addr, l.ID, l.Name, expires})
		n.entries++
	}
}

// Lookup returns the newest lookup of device that was answered with addr, and the
// name it asked for; 0 and "" when none is known.
func (n *Names) Lookup(device string, addr netip.Addr, now time.Time) (id int64, name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	d := n.devices[device]
	if d == nil {
		return 0, ""
	}
	n.used.MoveToFront(d.place)
	e, ok := d.known[addr.Unmap().WithZone("")]
	if !ok || now.After(e.Value.(*entry).expires) {
		return 0, ""
	}
	return e.Value.(*entry).id, e.Value.(*entry).name
}

// device returns the names of a device, which is now the last used.
func (n *Names) device(device string) *deviceNames {
	if d := n.devices[device]; d != nil {
		n.used.MoveToFront(d.place)
		return d
	}
	if n.devices == nil {
		n.devices = map[string]*deviceNames{}
	}
	if len(n.devices) >= maxDevices {
		old := n.used.Remove(n.used.Back()).(*deviceNames)
		n.entries -= len(old.known)
		delete(n.devices, old.device)
	}
	d := &deviceNames{device: device, known: map[netip.Addr]*list.Element{}}
	d.place = n.used.PushFront(d)
	n.devices[device] = d
	return d
}

// forget drops the address that d learned first.
func (n *Names) forget(d *deviceNames) {
	delete(d.known, d.order.Remove(d.order.Back()).(*entry).addr)
	n.entries--
}

func (n *Names) largest() (most *deviceNames) {
	for _, d := range n.devices {
		if most == nil || len(d.known) > len(most.known) {
			most = d
		}
	}
	return most
}

// ttl is the longest lifetime of records in lines of Lookup.Answers. One above 2³¹-1
// means zero (RFC 2181 section 8).
func ttl(answers []string) (longest time.Duration) {
	for _, line := range answers {
		_, rest, _ := strings.Cut(line, " ")
		field, _, _ := strings.Cut(rest, " ")
		if seconds, err := strconv.ParseInt(field, 10, 32); err == nil {
			longest = max(longest, time.Duration(seconds)*time.Second)
		}
	}
	return min(longest, longestTTL)
}
