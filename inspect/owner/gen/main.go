// Command gen makes the tables in ../data from published files.
//
// It is a module of its own, so that the writer of the tables is no dependency
// of the program. Its inputs are named, with their hashes, in sources; get them
// with
//
//	npm pack @ip-location-db/asn@2.3.2026061719
//	npm pack @ip-location-db/geo-whois-asn-country-mmdb@2.3.2026061719
//	apt-get download python3-netaddr && dpkg-deb -x python3-netaddr_*.deb .
//
// and put the four files into one folder. The same inputs give the same bytes.
package main

import (
	"archive/tar"
	"bytes"
	"cmp"
	"compress/gzip"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"
)

// networksDate is the day that the version of the package of networks is named
// after. It is what the table says its age is.
var networksDate = time.Date(2026, time.June, 17, 0, 0, 0, 0, time.UTC)

// sources are the inputs with the SHA-256 of each.
var sources = map[string]string{
	"ip-location-db-asn-2.3.2026061719.tgz":                        "b9425daf2f011c28f8586685d4f89166e77627e2c15fd93c6262c3e2dead6153",
	"ip-location-db-geo-whois-asn-country-mmdb-2.3.2026061719.tgz": "91757a1b06cdcd1955f292e4c4cfc54e091204f998e159a3187f7a2ef3724be0",
	"ipv4-address-space.xml":                                       "4243ae4b54f9fd4633cc27a157e73bd79ba46648a9c527abb052670195f07741",
	"ipv6-unicast-address-assignments.xml":                         "35373d7745c3752231ce67a8077ee67cd638eabd8c8a0e9a382261d24f18762c",
}

func main() {
	log.SetFlags(0)
	in := flag.String("in", "", "folder of the inputs")
	out := flag.String("out", "../data", "folder to write to")
	flag.Parse()
	if err := run(*in, *out); err != nil {
		log.Fatal(err)
	}
}

func run(in, out string) error {
	files := map[string][]byte{}
	for name, want := range sources {
		data, err := os.ReadFile(filepath.Join(in, name))
		if err != nil {
			return err
		}
		if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != want {
			return fmt.Errorf("%s: SHA-256 is %x, want %s", name, sum, want)
		}
		files[name] = data
	}

	asn := files["ip-location-db-asn-2.3.2026061719.tgz"]
	v4, err := member(asn, "package/asn-ipv4.csv")
	if err != nil {
		return err
	}
	v6, err := member(asn, "package/asn-ipv6.csv")
	if err != nil {
		return err
	}
	table, err := networks(v4, v6)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(out, "networks.mmdb"), table, 0o644); err != nil {
		return err
	}

	country, err := member(files["ip-location-db-geo-whois-asn-country-mmdb-2.3.2026061719.tgz"], "package/geo-whois-asn-country.mmdb")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(out, "countries.mmdb"), country, 0o644); err != nil {
		return err
	}

	text, err := registries(files["ipv4-address-space.xml"], files["ipv6-unicast-address-assignments.xml"])
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(out, "registries.txt"), text, 0o644)
}

// member returns one file of a packed npm package.
func member(pack []byte, name string) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(pack))
	if err != nil {
		return nil, err
	}
	for t := tar.NewReader(z); ; {
		h, err := t.Next()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if h.Name == name {
			return io.ReadAll(t)
		}
	}
}

// networks makes a table of who announces an address, of rows of first address,
// last address, number and holder. IPv4 is not aliased into the transition
// ranges of IPv6: an address in 2002::/16 is announced by who announces that
// range, not by who announces the IPv4 address inside it.
func networks(lists ...[]byte) ([]byte, error) {
	tree, err := mmdbwriter.New(mmdbwriter.Options{
		DatabaseType:        "constat-networks",
		Description:         map[string]string{"en": "RouteViews, regional registries (NRO) and DB-IP ASN Lite, merged by ip-location-db; CC BY 4.0"},
		BuildEpoch:          networksDate.Unix(),
		IPVersion:           6,
		RecordSize:          24,
		DisableIPv4Aliasing: true,
	})
	if err != nil {
		return nil, err
	}
	rows, reserved := 0, 0
	for _, list := range lists {
		for r := csv.NewReader(bytes.NewReader(list)); ; rows++ {
			row, err := r.Read()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return nil, err
			}
			if len(row) != 4 {
				return nil, fmt.Errorf("row %d has %d fields", rows, len(row))
			}
			first, err := netip.ParseAddr(row[0])
			if err != nil {
				return nil, err
			}
			last, err := netip.ParseAddr(row[1])
			if err != nil {
				return nil, err
			}
			number, err := strconv.ParseUint(row[2], 10, 32)
			if err != nil {
				return nil, err
			}
			err = tree.InsertRange(first.AsSlice(), last.AsSlice(), mmdbtype.Map{
				"autonomous_system_number":       mmdbtype.Uint32(number),
				"autonomous_system_organization": mmdbtype.String(strings.Join(strings.Fields(row[3]), " ")),
			})
			var inside *mmdbwriter.ReservedNetworkError
			if errors.As(err, &inside) {
				reserved++
				continue
			}
			if err != nil {
				return nil, err
			}
		}
	}
	log.Printf("networks: %d rows, %d of them in reserved ranges and left out", rows, reserved)
	var b bytes.Buffer
	_, err = tree.WriteTo(&b)
	return b.Bytes(), err
}

// registries makes a table of which regional registry IANA gave a range to, or
// has administer it, from the two IANA registries.
func registries(v4, v6 []byte) ([]byte, error) {
	type record struct {
		Prefix string `xml:"prefix"`
		Whois  string `xml:"whois"`
		Status string `xml:"status"`
	}
	names := map[string]string{
		"whois.afrinic.net": "AFRINIC", "whois.apnic.net": "APNIC", "whois.arin.net": "ARIN",
		"whois.lacnic.net": "LACNIC", "whois.ripe.net": "RIPE NCC",
	}
	var updated []string
	lines := map[netip.Prefix]string{}
	for _, data := range [][]byte{v4, v6} {
		var doc struct {
			Updated string   `xml:"updated"`
			Records []record `xml:"record"`
		}
		if err := xml.Unmarshal(data, &doc); err != nil {
			return nil, err
		}
		updated = append(updated, doc.Updated)
		for _, r := range doc.Records {
			name := names[r.Whois]
			if name == "" {
				continue
			}
			text := r.Prefix
			if first, ok := strings.CutSuffix(text, "/8"); ok && !strings.Contains(text, ":") {
				text = strings.TrimLeft(first, "0") + ".0.0.0/8"
			}
			p, err := netip.ParsePrefix(text)
			if err != nil {
				return nil, err
			}
			lines[p.Masked()] = name
		}
	}
	prefixes := make([]netip.Prefix, 0, len(lines))
	for p := range lines {
		prefixes = append(prefixes, p)
	}
	slices.SortFunc(prefixes, func(a, b netip.Prefix) int {
		return cmp.Or(a.Addr().Compare(b.Addr()), a.Bits()-b.Bits())
	})
	var b bytes.Buffer
	fmt.Fprintf(&b, "# Which regional registry IANA gave a range to, or has administer it.\n")
	fmt.Fprintf(&b, "# IANA IPv4 Address Space Registry of %s, IPv6 Global Unicast Address Assignments of %s.\n", updated[0], updated[1])
	for _, p := range prefixes {
		fmt.Fprintf(&b, "%s\t%s\n", p, lines[p])
	}
	return b.Bytes(), nil
}
