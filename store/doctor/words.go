package doctor

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// entry makes the entry of a host that fails.
func (g *gathered) entry(h *host) Entry {
	d := g.devices[h.device]
	f := &h.f
	f.Connections = h.Connections + h.Refused
	f.QUIC, f.PrivateDNS = h.quic, h.private
	f.DeviceRead, f.DeviceRefused, f.Platform = d.read, d.refusedHosts, d.platform(h.device)
	f.OldAndroid = f.Platform == Android && d.version > 0 && d.version < 7
	e := Entry{
		Host: h.name, Device: h.device, Connections: h.Unread + h.Failed - h.Nameless + f.QUIC + f.PrivateDNS + f.NotAdmitted + f.LocalNet, Unread: h.Unread - h.Nameless, BytesUp: h.up, BytesDown: h.down,
		First: h.first, Last: h.last, Apps: h.apps, JA4: h.ja4, Alerts: h.alerts, Reasons: h.notes,
	}
	parties, settled := 0, 0
	for k, p := range h.who {
		if p.refused == 0 {
			f.ReadByOther += p.read
			note(&e.ReadJA4, p.ja4)
			continue
		}
		if parties++; parties == 1 {
			f.AppKnown = true
		}
		if !p.firstRead.IsZero() && p.firstRead.After(h.lastRefused) {
			settled++
		}
		f.AppKnown = f.AppKnown && p.app
		f.Chromium = f.Chromium || p.chromium
		f.SameRead += d.elsewhere(k).read - p.read
		f.SameRefused = max(f.SameRefused, d.elsewhere(k).refusedHosts-1)
	}
	slices.Sort(e.ReadJA4)
	f.Settled = parties > 0 && settled == parties
	f.BeforeTrust = !h.lastRefused.IsZero() && h.lastRefused.Before(d.firstRead)
	e.Figures = *f
	e.Facts = facts(&e)
	e.Causes = Diagnose(f)
	e.Steps = StepsFor(e.Causes[0].ID, e.Host, f.Platform)
	return e
}

// times writes how often, for the beginning of a sentence.
func times(n int) string {
	switch n {
	case 1:
		return "Once"
	case 2:
		return "Twice"
	}
	return fmt.Sprintf("%d times", n)
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// counted are the sentences that stand for one figure each, in their order.
var counted = []struct {
	of   func(*Figures) int
	text string // follows how often
}{
	{func(f *Figures) int { return f.UnknownCA }, `the app ended the handshake with "I do not know who signed this" (unknown_ca).`},
	{func(f *Figures) int { return f.Invalid }, "the app ended the handshake because the certificate is expired, revoked or of the wrong kind."},
	{func(f *Figures) int { return f.NoCommon }, "the handshake failed because the two have no TLS version or cipher in common."},
	{func(f *Figures) int { return f.Closed }, "the app ended the connection during the handshake, without a word."},
	{func(f *Figures) int { return f.TimedOut }, "the app did not finish the handshake in time."},
	{func(f *Figures) int { return f.OtherAlert }, "the handshake failed for another reason."},
	{func(f *Figures) int { return f.Unused }, "the handshake went well, and the app closed the connection at once, without a request."},
	{func(f *Figures) int { return f.Silent }, "the handshake went well, and the connection was never used."},
	{func(f *Figures) int { return f.PrivateCA }, "the server's certificate was signed by itself or by nobody known."},
	{func(f *Figures) int { return f.WrongName }, "the server's certificate was for another name."},
	{func(f *Figures) int { return f.Expired }, "the server's certificate had expired, or was not valid yet."},
	{func(f *Figures) int { return f.WantsCertificate }, "the server demanded a certificate of its client."},
	{func(f *Figures) int { return f.ServerTLS }, "the handshake with the server failed."},
	{func(f *Figures) int { return f.Unreachable }, "no connection to the server could be made."},
	{func(f *Figures) int { return f.Unresolved }, "the name could not be resolved to an address."},
	{func(f *Figures) int { return f.PassedBySet }, "the connection was passed on unread, because that is set for this host."},
	{func(f *Figures) int { return f.PassedAfter }, "the connection was passed on unread, because the app had refused before."},
	{func(f *Figures) int { return f.Raw }, "something other than HTTP was relayed; its bytes are recorded."},
	{func(f *Figures) int { return f.QUIC }, "QUIC was tried and refused, and no connection by TCP followed."},
	{func(f *Figures) int { return f.PrivateDNS }, "encrypted DNS was tried and refused, and no plain question followed."},
	{func(f *Figures) int { return f.LocalNet }, "the address was one of the local network, and the connection was refused."},
	{func(f *Figures) int { return f.NotAdmitted }, "the device came without being enrolled, and got nothing but the page that says how to be."},
}

// facts says what was seen, without an opinion.
func facts(e *Entry) []string {
	f := &e.Figures
	out := []string{fmt.Sprintf("%s %s; %s from the device, %s to it.",
		plural(e.Connections, "connection", "connections"), between(e.First, e.Last), size(e.BytesUp), size(e.BytesDown))}
	if f.Rejected > 0 {
		out = append(out, fmt.Sprintf("%s the app ended the handshake with an alert that says no to the certificate, but not why (%s).", times(f.Rejected), silentAlerts(e.Alerts)))
	}
	for _, c := range counted {
		if n := c.of(f); n > 0 {
			out = append(out, times(n)+" "+c.text)
		}
	}
	if len(e.Apps) > 0 {
		out = append(out, "From the app: "+strings.Join(e.Apps, ", ")+".")
	}
	if f.Read > 0 {
		out = append(out, fmt.Sprintf("%s of this device to this host could be read.", plural(f.Read, "other connection", "other connections")))
	}
	handshakes := f.refused() + f.Invalid + f.Unused + f.OtherAlert
	switch {
	case f.ReadByOther == 0 || handshakes == 0:
	case f.ReadByOther == f.Read:
		out = append(out, "All of these were for another app or TLS library than those that refused.")
	default:
		out = append(out, fmt.Sprintf("Of these, %s for another app or TLS library than those that refused.", plural(f.ReadByOther, "was", "were")))
	}
	if handshakes == 0 {
		return out
	}
	who := "The same TLS library"
	if f.AppKnown {
		who = "The same app"
	}
	if f.SameRead > 0 {
		out = append(out, fmt.Sprintf("%s let %s to other hosts be read.", who, plural(f.SameRead, "connection", "connections")))
	}
	if f.SameRefused > 0 {
		out = append(out, fmt.Sprintf("%s refused %s, too.", who, plural(f.SameRefused, "other host", "other hosts")))
	}
	switch {
	case f.DeviceRead == 0:
		out = append(out, "Nothing encrypted of this device could be read.")
	case f.BeforeTrust:
		out = append(out, "Nothing encrypted of this device could be read until then.")
	}
	return out
}

// silentAlerts are those of alerts that say no without a reason.
func silentAlerts(alerts []string) string {
	var out []string
	for _, a := range alerts {
		var f Figures
		if handshake(&f, &row{alert: a}); f.Rejected > 0 {
			out = append(out, a)
		}
	}
	return strings.Join(out, ", ")
}

// between says when, in UTC.
func between(first, last time.Time) string {
	const minute = "2006-01-02 15:04"
	from, to := first.UTC().Format(minute), last.UTC().Format(minute)
	switch {
	case from == to:
		return "at " + from + " UTC"
	case from[:10] == to[:10]:
		return "from " + from + " to " + to[11:] + " UTC"
	}
	return "from " + from + " to " + to + " UTC"
}

// size writes a number of bytes for people.
func size(n int64) string {
	for _, u := range []struct {
		name string
		of   int64
	}{{"GB", 1e9}, {"MB", 1e6}, {"KB", 1e3}} {
		if n >= 10*u.of {
			return fmt.Sprintf("%d %s", n/u.of, u.name)
		}
		if n >= u.of {
			return fmt.Sprintf("%d.%d %s", n/u.of, n%u.of*10/u.of, u.name)
		}
	}
	return plural(int(n), "byte", "bytes")
}
