// Package owner says who answers behind a host name and an address.
//
// The roles that registries mix up are kept apart: a registry that handed out
// an address range does not operate what stands there, and is never named as an
// owner. What this package knows is the registrable domain of the host name,
// from the public suffix list compiled into the program: the name that somebody
// registered and answers for. It does not know the company behind that name,
// the operator of the address or its country, and leaves them empty.
//
// A Table is immutable and safe for concurrent use. Nothing here touches the
// network.
package owner

import (
	"net/netip"
	"strings"

	"constat/inspect"

	"golang.org/x/net/publicsuffix"
)

// Table looks owners up. It is an inspect.Owners.
type Table struct{}

// New returns a Table.
func New() *Table { return &Table{} }

// maxHost is the longest host name in text form (RFC 1035 section 2.3.4).
const maxHost = 253

// Lookup names the registrable domain of host, "" for an address, for a name
// without a dot and for a public suffix itself. The country is not known.
func (*Table) Lookup(host string, _ netip.Addr) inspect.Owner {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if len(host) == 0 || len(host) > maxHost {
		return inspect.Owner{}
	}
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return inspect.Owner{}
	}
	domain, err := publicsuffix.EffectiveTLDPlusOne(host)
	if err != nil {
		return inspect.Owner{}
	}
	return inspect.Owner{Name: domain}
}
