// Package owner says who answers behind a host name and an address.
//
// The roles that rumours mix up are kept apart. The registrable domain and the
// company that is known to use it name who answers for a service. The holder of
// the autonomous system carries the traffic; a hosting company rents out the
// machine; neither need know what it does. A registry hands addresses out and
// operates nothing that stands there: it is named in Owner.Registry only, and
// where a table names a registry as the holder of a network, that is not passed
// on as a holder (see holder). The country is what operator or registry declared
// for the address, not where a machine was seen.
//
// All of it comes from tables in the program, whose sources, dates and licences
// are in data/NOTICE.md, or from tables in the MaxMind DB format that the user
// names. A Table is immutable and safe for concurrent use, and keeps no more than
// a bounded cache. Nothing here touches the network.
package owner

import (
	"cmp"
	"net/netip"
	"strings"

	"constat/inspect"

	"golang.org/x/net/publicsuffix"
)

// Files names tables that stand in for those in the program; "" keeps the
// program's. They are MaxMind DB files of MaxMind (GeoLite2, GeoIP2), DB-IP,
// IPinfo or others that use the same field names. One file may be both.
type Files struct {
	AS      string // autonomous systems and their holders
	Country string // countries
}

// Table looks owners up. It is an inspect.Owners.
type Table struct {
	networks, countries *database
	data                string
	names               *cache[string, name]
}

// name is what a host name says.
type name struct{ domain, company string }

// New returns the Table of this program.
func New() *Table {
	return newTable(embedded("networks"), embedded("countries"))
}

// Open returns a Table with the files in place of the program's tables. A file is
// read whole, once. An error names the file and what is wrong with it.
func Open(files Files) (*Table, error) {
	networks, countries := embedded("networks"), embedded("countries")
	for _, f := range []struct {
		name string
		kind kind
		to   **database
	}{{files.AS, networkKind, &networks}, {files.Country, countryKind, &countries}} {
		if f.name == "" {
			continue
		}
		db, err := readDatabase(f.name, f.kind)
		if err != nil {
			return nil, err
		}
		*f.to = db
	}
	return newTable(networks, countries), nil
}

func newTable(networks, countries *database) *Table {
	return &Table{
		networks: networks, countries: countries, names: newCache[string, name](),
		data: "networks " + networks.age + ", countries " + countries.age + ", companies " + CompaniesDate,
	}
}

// maxHost is the longest host name in text form (RFC 1035 section 2.3.4).
const maxHost = 253

// Lookup returns what is known of host and addr. Either may be empty. Nothing but
// the domain is said of an address that is not globally reachable (RFC 6890).
func (t *Table) Lookup(host string, addr netip.Addr) inspect.Owner {
	var o inspect.Owner
	n, ok := t.names.get(host)
	if !ok && len(host) <= maxHost+1 {
		n.domain, n.company = domain(strings.Clone(host)) // host may be a part of a whole message
		t.names.put(strings.Clone(host), n)
	}
	o.Domain, o.Company = n.domain, n.company
	o.Name = cmp.Or(o.Company, o.Domain)
	if addr, ok := global(addr); ok {
		o.Registry = registryOf(addr)
		r := t.networks.lookup(addr)
		o.AS, o.ASHolder = r.number, r.text
		o.Cloud = clouds()[r.number]
		o.Country = t.countries.lookup(addr).text
	}
	if o != (inspect.Owner{}) {
		o.Data = t.data
	}
	return o
}

// domain is the registrable domain of host and the company that is known to use
// it. The domain is "" for an address, for a name without a dot and for a public
// suffix itself. Under a suffix that customers get names of (github.io), the name
// of the customer is the registrable one, unless all names under it are known to
// be one company's.
func domain(host string) (name, company string) {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if len(host) == 0 || len(host) > maxHost || strings.Contains(host, ":") {
		return "", ""
	}
	if last := host[len(host)-1]; last >= '0' && last <= '9' {
		// No top level domain ends in a digit (RFC 3696 section 2): an IPv4 address.
		return "", ""
	}
	if host[0] == '.' || strings.HasSuffix(host, ".") || strings.Contains(host, "..") {
		return "", ""
	}
	// Not EffectiveTLDPlusOne, which allocates an error to see that host is no
	// address.
	suffix, _ := publicsuffix.PublicSuffix(host)
	if len(suffix) == len(host) {
		return "", ""
	}
	before := host[:len(host)-len(suffix)-1]
	name = host[strings.LastIndexByte(before, '.')+1:]
	if company = companies()[name]; company != "" {
		return name, company
	}
	if company = companies()[suffix]; company != "" {
		return suffix, company
	}
	return name, ""
}
