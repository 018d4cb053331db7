package export

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/net/idna"

	"constat/inspect"
	"constat/store"
	"constat/store/evidence"
)

// Level is how much of the sealed values a bundle shows.
type Level string

// The levels. What is open in the leaves (hosts, times, sizes, outcomes, classes)
// is shown at each of them, and what the program was started with.
const (
	Full   Level = "full"
	Masked Level = "masked" // beginnings and ends, and which fields there are
	Hashes Level = "hashes" // commitments only
)

// Levels lists all levels.
var Levels = []Level{Full, Masked, Hashes}

// bits is a set of ids.
type bits []uint64

func (b *bits) add(id int64) {
	if id < 0 {
		return
	}
	for id/64 >= int64(len(*b)) {
		*b = append(*b, make([]uint64, len(*b)/2+16)...)
	}
	(*b)[id/64] |= 1 << (id % 64)
}

// addAllBut adds all of one set but those in another.
func (b *bits) addAllBut(all, but bits) {
	for i := range int64(len(all)) * 64 {
		if all.has(i) && !but.has(i) {
			b.add(i)
		}
	}
}

func (b bits) has(id int64) bool {
	return id >= 0 && id/64 < int64(len(b)) && b[id/64]&(1<<(id%64)) != 0
}

// plan says what a bundle shows of each record.
type plan struct {
	opt *Options

	filtered    bool
	chosen      bits            // exchanges, when filtered
	connections bits            // theirs
	hosts       map[string]bool // theirs
	asked       bits            // lookups that named their connections
	away        bits            // exchanges with hidden hosts
	names       bits            // lookups of hidden hosts
	unnamed     bits            // connections to an address that one of these named
	places      map[string]bool // those addresses
	closed      bits            // exchanges whose values are hidden
	met         map[string]bool // hosts to hide that a record is about
}

// HostName returns the name of a host as records have it: lower case, without a dot at
// its end or "*." before it, and in ASCII (RFC 5891).
func HostName(s string) (string, error) {
	name := strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(s), "*."), ".")
	if a, err := netip.ParseAddr(name); err == nil {
		return a.String(), nil
	}
	ascii, err := idna.Lookup.ToASCII(name)
	if err != nil { // names that only a resolver in the house knows have underscores
		ascii = strings.ToLower(name)
	}
	if ascii == "" || strings.ContainsFunc(ascii, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '.' && r != '-' && r != '_'
	}) {
		return "", fmt.Errorf("%q is no name of a host: it has no scheme, port or path", s)
	}
	return ascii, nil
}

// newPlan looks up which exchanges are meant.
func newPlan(ctx context.Context, r *store.Reader, opt *Options) (*plan, error) {
	p := &plan{opt: opt, hosts: map[string]bool{}, places: map[string]bool{}, met: map[string]bool{}}
	if opt.Where != "" {
		p.filtered = true
		err := rows(ctx, r, "SELECT id, connection_id, host FROM requests WHERE "+opt.Where, opt.Args, func(scan func(...any) error) error {
			var id, connection int64
			var host string
			if err := scan(&id, &connection, &host); err != nil {
				return err
			}
			p.chosen.add(id)
			p.connections.add(connection)
			p.hosts[host] = true
			return nil
		})
		if err == nil {
			err = rows(ctx, r, "SELECT id, dns_id FROM connections WHERE dns_id IS NOT NULL", nil, func(scan func(...any) error) error {
				var id, lookup int64
				err := scan(&id, &lookup)
				if p.connections.has(id) {
					p.asked.add(lookup)
				}
				return err
			})
		}
		if err != nil {
			return nil, fmt.Errorf("choose exchanges: %w", err)
		}
	}
	return p, nil
}

// rows runs a query over the public views.
func rows(ctx context.Context, r *store.Reader, query string, args []any, each func(scan func(...any) error) error) error {
	list, err := r.DB().QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer list.Close()
	for list.Next() {
		if err := each(list.Scan); err != nil {
			return err
		}
	}
	return list.Err()
}

// survey goes through the log once when something is to be hidden, and finds the
// exchanges that hold it. A class hides an exchange that any report, also an older one,
// gave it to; and when that report put a file together, the exchanges it came in. It
// hides what no report is on as well: nobody knows what is in that.
func (p *plan) survey(ctx context.Context, r *store.Reader, size int64) error {
	if len(p.opt.HideClasses) == 0 && len(p.opt.HideHosts) == 0 {
		return nil
	}
	var joined []int64
	var exchanges, looked, lookedFrames bits
	waiting := map[int64]int{} // frames that no report is on, by exchange
	err := r.Log(ctx, size, func(l *store.Logged) error {
		switch l.Kind.Name {
		case "exchange":
			if p.hidesHost(l.Column("host").Text) {
				p.away.add(l.ID)
			}
			exchanges.add(l.ID)
		case "lookup":
			if p.hidesLookup(l) {
				p.names.add(l.ID)
			}
		case "connection":
			if p.names.has(l.Column("lookup").Int) && nameless(l) {
				p.unnamed.add(l.ID)
				p.places[l.Column("host").Text] = true
			}
		case "frame":
			waiting[l.Column("exchange").Int]++
		case "report":
			id, frame := l.Column("exchange").Int, l.Column("frame").Int
			if frame == 0 {
				looked.add(id)
			} else if !lookedFrames.has(frame) {
				lookedFrames.add(frame)
				waiting[id]--
			}
			if !p.hidesClass(l.Column("tags").Text) {
				return nil
			}
			p.closed.add(id)
			if frame == 0 && strings.Contains(l.Column("findings").Text+l.Column("hits").Text, `"path":"upload`) {
				joined = append(joined, id)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if len(p.opt.HideClasses) > 0 {
		p.closed.addAllBut(exchanges, looked)
		for id, n := range waiting {
			if n > 0 {
				p.closed.add(id)
			}
		}
	}
	if len(p.unnamed) > 0 {
		if err := p.follow(ctx, r); err != nil {
			return err
		}
	}
	slices.Sort(joined)
	for _, id := range slices.Compact(joined) {
		s, err := r.Subject(ctx, id, 0, 0)
		if err != nil {
			return err
		}
		if s.Upload != nil {
			for _, piece := range s.Upload.Exchanges {
				p.closed.add(piece)
			}
		}
	}
	return nil
}

// follow finds the exchanges on connections that are unnamed: they come first in the log.
func (p *plan) follow(ctx context.Context, r *store.Reader) error {
	return rows(ctx, r, "SELECT id, connection_id, host FROM requests", nil, func(scan func(...any) error) error {
		var id, connection int64
		var host string
		if err := scan(&id, &connection, &host); err != nil {
			return err
		}
		if p.unnamed.has(connection) && isAddress(host) {
			p.away.add(id)
		}
		return nil
	})
}

// nameless reports whether a connection has no name but that of its lookup. One with
// another name can go to the same address as a hidden host.
func nameless(l *store.Logged) bool {
	return isAddress(l.Column("host").Text) && l.Column("sni").Text == ""
}

func isAddress(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}

// hidesLookup reports whether a lookup asks for a hidden host, or was answered with one:
// as an alias, in the data of another record, or as an address.
func (p *plan) hidesLookup(l *store.Logged) bool {
	hides := p.hidesHost(l.Column("name").Text)
	for address := range strings.FieldsSeq(l.Column("addresses").Text) {
		hides = p.hidesHost(address) || hides
	}
	for word := range strings.FieldsFuncSeq(l.Column("answers").Text, func(r rune) bool { return r <= ' ' || strings.ContainsRune("\"=,;()", r) }) {
		hides = p.hidesHost(word) || hides
	}
	return hides
}

func (p *plan) hidesHost(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	for _, h := range p.opt.HideHosts {
		if host == h || strings.HasSuffix(host, "."+h) {
			p.met[h] = true
			return true
		}
	}
	return false
}

func (p *plan) hidesClass(tags string) bool {
	for tag := range strings.FieldsSeq(tags) {
		if slices.Contains(p.opt.HideClasses, inspect.Class(tag)) {
			return true
		}
	}
	return false
}

// hides says whether anything is hidden.
func (p *plan) hides() bool {
	return p.opt.Level != Full || p.filtered || len(p.opt.HideClasses) > 0 || len(p.opt.HideHosts) > 0
}

// withheld says whether nothing of a record is shown. The persona goes with the first
// thing that is hidden: its name is open in the leaf, and its values are those that the
// exchanges hold.
func (p *plan) withheld(l *store.Logged) bool {
	exchange, isOf := exchangeOf(l)
	switch {
	case l.Kind.Name == "persona":
		return p.hides()
	case isOf:
		return p.away.has(exchange) || p.filtered && !p.chosen.has(exchange)
	case l.Kind.Name == "connection":
		return p.hidesHost(l.Column("host").Text) || p.hidesHost(l.Column("sni").Text) || p.unnamed.has(l.ID) || p.filtered && !p.connections.has(l.ID)
	case l.Kind.Name == "lookup":
		return p.names.has(l.ID) || p.filtered && !p.asked.has(l.ID) && !p.hosts[l.Column("name").Text]
	case l.Kind.Name == "address":
		host := l.Column("host").Text
		return p.hidesHost(host) || p.places[host] || p.filtered && !p.hosts[host]
	case l.Kind.Name == "declaration":
		subject := l.Column("subject").Text
		return p.hidesHost(subject) || p.places[subject] || p.filtered && l.Column("topic").Text == store.TopicPass && !p.hosts[subject]
	}
	return false
}

// exchangeOf returns the exchange that a record is, or is about.
func exchangeOf(l *store.Logged) (id int64, ok bool) {
	switch l.Kind.Name {
	case "exchange":
		return l.ID, true
	case "frame", "report":
		return l.Column("exchange").Int, true
	}
	return 0, false
}

// alwaysShown reports whether every bundle shows what a record seals: how the program
// was started, and how far clocks were off.
func alwaysShown(l *store.Logged) bool {
	return l.Kind.Name == "run" || l.Kind.Name == "declaration" && l.Column("topic").Text == store.TopicClock
}

// hidden returns what is hidden of a record: which columns, and what stands in
// their place. nil, nil: all of it is shown.
func (p *plan) hidden(l *store.Logged) (hide func(column string) bool, masked func(column string) *string) {
	level := p.opt.Level
	if id, ok := exchangeOf(l); ok && p.closed.has(id) {
		level = Hashes
	}
	// Nobody looked for classes in what is no HTTP.
	if len(p.opt.HideClasses) > 0 && l.Kind.Name == "connection" {
		level = Hashes
	}
	names := p.namesHidden(l)
	if !names && (level == Full || alwaysShown(l)) {
		return nil, nil
	}
	if names {
		level = Hashes
	}
	kind := l.Kind.Name
	hide = func(string) bool { return true }
	if level == Masked {
		masked = func(column string) *string { return mask(kind, column, l.Column(column)) }
	}
	return hide, masked
}

// namesHidden reports whether the settings of a run name a host that must not be seen:
// those that always pass unread are among them.
func (p *plan) namesHidden(l *store.Logged) bool {
	if l.Kind.Name != "run" || len(p.opt.HideHosts) == 0 && !p.filtered {
		return false
	}
	var settings map[string]string
	if json.Unmarshal([]byte(l.Column("settings").Text), &settings) != nil {
		return true
	}
	names := false
	for name, text := range settings {
		for word := range strings.FieldsFuncSeq(text, func(r rune) bool { return r <= ' ' || strings.ContainsRune(",;/@", r) }) {
			names = p.hidesHost(word) || names
			if host, _, err := net.SplitHostPort(word); err == nil {
				names = p.hidesHost(host) || names
			}
			names = names || p.filtered && name == "pass" && !p.hosts[strings.ToLower(word)]
		}
	}
	return names
}

// instead is hidden as the copy of the case wants it.
func instead(l *store.Logged, hide func(string) bool, masked func(string) *string) func(int) (evidence.Value, bool) {
	if hide == nil {
		return nil
	}
	return func(i int) (evidence.Value, bool) {
		c := &l.Kind.Columns[i]
		if !hide(c.Name) {
			return evidence.Value{}, false
		}
		if masked != nil {
			if s := masked(c.Name); s != nil && c.Type == evidence.Blob {
				return evidence.BlobValue([]byte(*s)), true
			} else if s != nil {
				return evidence.TextValue(*s), true
			}
		}
		return evidence.Value{}, true
	}
}
