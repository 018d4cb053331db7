// Package doctor explains why hosts could not be read: what was seen, which causes
// fit and how sure that is, and what a person can do.
//
// What was seen are counts over the public views of a case. The causes are a list of
// tests over these counts (Causes); nothing else is known of them, and none is ruled
// out by what was not seen. The package only reads, also a case that is being
// written and cases of older formats, and is safe for concurrent use. Texts hold
// names that come from the capture: who shows them has to escape them.
package doctor

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"constat/store"
)

// Diagnosis is what is to be said of a case or a part of it.
type Diagnosis struct {
	Summary Summary  `json:"summary"`
	Devices []Device `json:"devices"` // by name
	// Entries are the hosts that could not be read, what was settled since last, else
	// most bytes first, then most connections.
	Entries []Entry `json:"entries"`
	// More is how many there are besides; no more than maxEntries are told.
	More int `json:"more_entries,omitempty"`
	// Limits are sentences that say what was cut short.
	Limits []string `json:"limits,omitempty"`
}

// Summary counts connections. What was refused before it came about, pings, and
// connections by which nothing came are in none but Refused and Empty.
type Summary struct {
	Connections int   `json:"connections"`
	Unread      int   `json:"unread_connections"`
	BytesUp     int64 `json:"bytes_up"`
	UnreadUp    int64 `json:"unread_bytes_up"`
	// Failed found no server, or none that could prove who it is. What the app asked
	// for may have been read.
	Failed int `json:"failed_connections"`
	// Mute are those of the unread in which the app sent nothing but its greeting.
	Mute    int `json:"mute_connections"`
	Refused int `json:"refused_connections"` // by policy: QUIC, private DNS, strangers
	Empty   int `json:"empty_connections"`
	// Nameless are those of the unread that are not HTTP and went to a bare address;
	// they have no Entry.
	Nameless int `json:"nameless_connections"`
	// Doors are those by which connections came, sorted.
	Doors []string `json:"doors"`
	// Causes are the leading ones of the entries, most unread connections first.
	Causes []Share `json:"causes"`
}

// Share is how much one cause explains.
type Share struct {
	Cause       string `json:"cause"` // ID
	Title       string `json:"title"`
	Hosts       int    `json:"hosts"`
	Connections int    `json:"connections"`
	Unread      int    `json:"unread_connections"`
}

// Device is what is known of one device as a whole.
type Device struct {
	Name        string   `json:"name"`
	Platform    Platform `json:"platform,omitempty"` // a guess
	Connections int      `json:"connections"`
	Read        int      `json:"tls_read"`      // TLS connections that were read
	Refused     int      `json:"hosts_refused"` // hosts of which it refused TLS
}

// Entry is one host and device.
type Entry struct {
	Host        string    `json:"host"` // "" for all of the device
	Device      string    `json:"device"`
	Connections int       `json:"connections"` // that were not read, or failed
	Unread      int       `json:"unread_connections"`
	BytesUp     int64     `json:"bytes_up"`
	BytesDown   int64     `json:"bytes_down"`
	First       time.Time `json:"first"` // of these
	Last        time.Time `json:"last"`
	Apps        []string  `json:"apps,omitempty"`     // of these, at most maxShown
	JA4         []string  `json:"ja4,omitempty"`      // of these, at most maxShown
	ReadJA4     []string  `json:"ja4_read,omitempty"` // of other connections of the host that were read
	Alerts      []string  `json:"alerts,omitempty"`   // of the client, at most maxShown
	Reasons     []string  `json:"reasons,omitempty"`  // as recorded, at most maxShown
	Figures     Figures   `json:"figures"`
	Facts       []string  `json:"facts"`  // what was seen, in sentences
	Causes      []Verdict `json:"causes"` // that fit, the surest first; at least one
	Steps       []Step    `json:"steps"`  // for the leading cause, with HOST filled in
}

// Verdict is a cause that fits.
type Verdict struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	Doc   string `json:"doc"`
	// Why is what speaks for it in these figures beside the test, or empty.
	Why  string `json:"why,omitempty"`
	Sure Sure   `json:"sure"`
}

// Options say what to look at.
type Options struct {
	Scope store.Scope
	Host  string // a name, with those under it, or an address; "" for all
}

const (
	maxHosts   = 50_000 // devices and hosts that are told apart
	maxEntries = 1000
	maxWho     = 64 // apps or TLS libraries of one host
	maxShown   = 8
)

// Examine reads the part of a case that o names. Whatever o.Host is, the device is
// judged by all that it did in the scope.
func Examine(ctx context.Context, r *store.Reader, o Options) (*Diagnosis, error) {
	g, err := gather(ctx, r, o.Scope)
	if err != nil {
		return nil, fmt.Errorf("examine case: %w", err)
	}
	d := &Diagnosis{Devices: []Device{}, Entries: []Entry{}, Summary: g.Summary}
	o.Host = strings.TrimSuffix(strings.ToLower(o.Host), ".")
	if o.Host != "" {
		d.Summary = Summary{}
		for _, h := range g.hosts {
			if under(h.name, o.Host) {
				d.Summary.add(&h.Summary)
			}
		}
	}
	slices.Sort(d.Summary.Doors)
	for name, dev := range g.devices {
		d.Devices = append(d.Devices, Device{name, dev.platform(name), dev.connections, dev.read, dev.refusedHosts})
	}
	slices.SortFunc(d.Devices, func(a, b Device) int { return strings.Compare(a.Name, b.Name) })
	for _, h := range g.hosts {
		if (o.Host == "" || under(h.name, o.Host)) && h.fails(g.devices[h.device]) {
			d.Entries = append(d.Entries, g.entry(h))
		}
	}
	slices.SortFunc(d.Entries, before)
	d.Summary.Causes = shares(d.Entries)
	if n := len(d.Entries) - maxEntries; n > 0 {
		d.More, d.Entries = n, d.Entries[:maxEntries:maxEntries]
	}
	if g.more > 0 {
		d.Limits = append(d.Limits, fmt.Sprintf("The case has more than %d hosts: %d connections to others are counted and not explained.", maxHosts, g.more))
	}
	return d, nil
}

// under says that name is domain or belongs to it.
func under(name, domain string) bool {
	return name == domain || strings.HasSuffix(name, "."+domain)
}

func before(a, b Entry) int {
	settled := func(e *Entry) int {
		if e.Causes[0].ID == "settled" {
			return 1
		}
		return 0
	}
	return cmp.Or(
		settled(&a)-settled(&b), cmp.Compare(b.BytesUp+b.BytesDown, a.BytesUp+a.BytesDown), b.Connections-a.Connections,
		strings.Compare(a.Host, b.Host), strings.Compare(a.Device, b.Device),
	)
}

// Diagnose returns the causes that fit, the surest first, and at least one.
func Diagnose(f *Figures) []Verdict {
	out := []Verdict{}
	for _, c := range Causes {
		if s := c.Fits(f); s != No {
			v := Verdict{ID: c.ID, Title: c.Title, Doc: c.Doc, Sure: s}
			if c.OfApp && f.ReadByOther > 0 {
				v.Why = "The same host is read for another app: it is this app that refuses, not the device."
			}
			out = append(out, v)
		}
	}
	if len(out) == 0 {
		last := Causes[len(Causes)-1]
		out = append(out, Verdict{ID: last.ID, Title: last.Title, Doc: last.Doc, Sure: Possible})
	}
	slices.SortStableFunc(out, func(a, b Verdict) int { return int(b.Sure) - int(a.Sure) })
	return out
}

// plainHost is what can stand in a command as it is.
var plainHost = regexp.MustCompile(`^[a-z0-9_][a-z0-9._-]*$|^[0-9a-f]*:[0-9a-f:.]*$`)

// StepsFor returns what can be done about a cause on a platform, for a host. Names
// that are not plain, which a command might take for something else, are not filled in.
func StepsFor(id, host string, p Platform) []Step {
	out := []Step{}
	i := slices.IndexFunc(Causes, func(c Cause) bool { return c.ID == id })
	if i < 0 {
		return out
	}
	for _, s := range Causes[i].Steps {
		if s.Platform != "" && p != "" && s.Platform != p {
			continue
		}
		if plainHost.MatchString(host) {
			s.Command = strings.ReplaceAll(s.Command, "HOST", host)
		}
		out = append(out, s)
	}
	return out
}

func shares(entries []Entry) []Share {
	out := []Share{}
	at := map[string]int{}
	for _, e := range entries {
		c := e.Causes[0]
		i, ok := at[c.ID]
		if !ok {
			i = len(out)
			at[c.ID] = i
			out = append(out, Share{Cause: c.ID, Title: c.Title})
		}
		out[i].Hosts++
		out[i].Connections += e.Connections
		out[i].Unread += e.Unread
	}
	slices.SortStableFunc(out, func(a, b Share) int { return cmp.Or(b.Unread-a.Unread, b.Connections-a.Connections) })
	return out
}

func (s *Summary) add(o *Summary) {
	s.Connections += o.Connections
	s.Unread += o.Unread
	s.BytesUp += o.BytesUp
	s.UnreadUp += o.UnreadUp
	s.Failed += o.Failed
	s.Mute += o.Mute
	s.Refused += o.Refused
	s.Empty += o.Empty
	s.Nameless += o.Nameless
	for _, d := range o.Doors {
		note(&s.Doors, d)
	}
}
