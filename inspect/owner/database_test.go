package owner

import (
	"bytes"
	"encoding/binary"
	"math"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"constat/inspect"
)

// mmdb writes a small database in the MaxMind DB format 2.0, with records of
// IPv4 networks, for tests: https://maxmind.github.io/MaxMind-DB/. Values are
// string, uint32 and map[string]any.
func mmdb(t testing.TB, kind string, epoch uint32, networks map[string]any) []byte {
	t.Helper()
	const empty = math.MaxUint32
	nodes := [][2]uint32{{empty, empty}}
	type leaf struct {
		node, bit int
		offset    int
	}
	var leaves []leaf
	var data bytes.Buffer
	keys := make([]string, 0, len(networks))
	for k := range networks {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		p := netip.MustParsePrefix(k)
		a := binary.BigEndian.Uint32(p.Addr().AsSlice())
		node := 0
		for depth := range p.Bits() {
			bit := int(a>>(31-depth)) & 1
			if depth == p.Bits()-1 {
				leaves = append(leaves, leaf{node, bit, data.Len()})
				break
			}
			if nodes[node][bit] == empty {
				nodes = append(nodes, [2]uint32{empty, empty})
				nodes[node][bit] = uint32(len(nodes) - 1)
			}
			node = int(nodes[node][bit])
		}
		encode(&data, networks[k])
	}
	for _, l := range leaves {
		nodes[l.node][l.bit] = uint32(len(nodes) + 16 + l.offset)
	}
	var out bytes.Buffer
	for _, n := range nodes {
		for _, to := range n {
			if to == empty {
				to = uint32(len(nodes))
			}
			out.Write([]byte{byte(to >> 16), byte(to >> 8), byte(to)})
		}
	}
	out.Write(make([]byte, 16))
	out.Write(data.Bytes())
	out.WriteString("\xab\xcd\xefMaxMind.com")
	encode(&out, map[string]any{
		"binary_format_major_version": uint32(2), "binary_format_minor_version": uint32(0), "build_epoch": epoch,
		"database_type": kind, "description": map[string]any{}, "ip_version": uint32(4), "node_count": uint32(len(nodes)), "record_size": uint32(24),
	})
	return out.Bytes()
}

func encode(b *bytes.Buffer, v any) {
	head := func(kind byte, size int) {
		switch {
		case size < 29:
			b.WriteByte(kind<<5 | byte(size))
		default:
			b.Write([]byte{kind<<5 | 29, byte(size - 29)})
		}
	}
	switch v := v.(type) {
	case string:
		head(2, len(v))
		b.WriteString(v)
	case uint32:
		head(6, 4)
		b.Write(binary.BigEndian.AppendUint32(nil, v))
	case map[string]any:
		head(7, len(v))
		keys := make([]string, 0, len(v))
		for k := range v {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		for _, k := range keys {
			encode(b, k)
			encode(b, v[k])
		}
	}
}

const epoch = 1795046400 // 2026-11-19

func write(t testing.TB, data []byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "own.mmdb")
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// The dialects of the databases that people have.
func TestOwnFiles(t *testing.T) {
	as := func(number, text string, n any) map[string]any {
		return map[string]any{"9.9.9.0/24": map[string]any{number: n, text: "Invented Networks"}}
	}
	for name, networks := range map[string]map[string]any{
		"GeoLite2-ASN":      as("autonomous_system_number", "autonomous_system_organization", uint32(64496)),
		"ipinfo lite":       as("asn", "as_name", "AS64496"),
		"ipinfo asn":        as("asn", "name", "as64496"),
		"number under asn":  as("asn", "as_name", uint32(64496)),
		"first has no more": {"1.0.0.0/24": map[string]any{"x": "y"}, "9.9.9.0/24": map[string]any{"asn": "AS64496", "as_name": "Invented Networks"}},
	} {
		table, err := Open(Files{AS: write(t, mmdb(t, name, epoch, networks))})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := table.Lookup("", netip.MustParseAddr("9.9.9.9"))
		want := inspect.Owner{
			AS: 64496, ASHolder: "Invented Networks", Country: "US", Registry: "ARIN",
			Data: "networks 2026-11-19 (" + name + "), countries 2026-06-17, companies " + CompaniesDate,
		}
		if got != want {
			t.Errorf("%s:\n got %+v\nwant %+v", name, got, want)
		}
		if o := table.Lookup("", netip.MustParseAddr("8.8.8.8")); o.AS != 0 || o.ASHolder != "" {
			t.Errorf("%s: a network that the file has not got: %+v", name, o)
		}
	}
	for name, record := range map[string]map[string]any{
		"GeoLite2-Country": {"continent": map[string]any{"code": "EU"}, "country": map[string]any{"iso_code": "LT"}, "registered_country": map[string]any{"iso_code": "US"}},
		"ipinfo lite":      {"country": "Lithuania", "country_code": "LT", "asn": "AS64496"},
		"ipinfo country":   {"country": "LT", "country_name": "Lithuania"},
		"ip-location-db":   {"country_code": "LT"},
	} {
		table, err := Open(Files{Country: write(t, mmdb(t, name, epoch, map[string]any{"9.9.9.0/24": record}))})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := table.Lookup("", netip.MustParseAddr("9.9.9.9"))
		if got.Country != "LT" || got.AS != 19281 || !strings.Contains(got.Data, ", countries 2026-11-19 ("+name+"), ") {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// A registry does not become an owner by way of a user's file.
func TestOwnFileNamesARegistry(t *testing.T) {
	table, err := Open(Files{AS: write(t, mmdb(t, "x", epoch, map[string]any{
		"42.62.0.0/16": map[string]any{"asn": "AS64496", "as_name": "China Internet Network Information Center"},
	}))})
	if err != nil {
		t.Fatal(err)
	}
	if o := table.Lookup("", netip.MustParseAddr("42.62.48.1")); o.AS != 64496 || o.ASHolder != "" {
		t.Errorf("%+v", o)
	}
}

func TestOwnFilesThatAreWrong(t *testing.T) {
	asn := mmdb(t, "asn", epoch, map[string]any{"9.9.9.0/24": map[string]any{"asn": "AS64496"}})
	country := mmdb(t, "country", epoch, map[string]any{"9.9.9.0/24": map[string]any{"country_code": "LT"}})
	for _, x := range []struct {
		name string
		data []byte
		kind func(string) Files
		want string
	}{
		{"countries as networks", country, func(n string) Files { return Files{AS: n} }, "no such fields"},
		{"networks as countries", asn, func(n string) Files { return Files{Country: n} }, "no such fields"},
		{"text", []byte("1.0.0.0,1.0.0.255,AU\n"), func(n string) Files { return Files{Country: n} }, "not a MaxMind DB file"},
		{"empty", nil, func(n string) Files { return Files{AS: n} }, "not a MaxMind DB file"},
		{"no networks", mmdb(t, "asn", epoch, nil), func(n string) Files { return Files{AS: n} }, "no network"},
		{"cut short", asn[20:], func(n string) Files { return Files{AS: n} }, ""},
	} {
		_, err := Open(x.kind(write(t, x.data)))
		if err == nil || !strings.Contains(err.Error(), x.want) || !strings.Contains(err.Error(), "own.mmdb") {
			t.Errorf("%s: %v", x.name, err)
		}
	}
	if _, err := Open(Files{AS: filepath.Join(t.TempDir(), "absent")}); !os.IsNotExist(err) {
		t.Errorf("absent: %v", err)
	}
	if _, err := Open(Files{AS: t.TempDir()}); err == nil || !strings.Contains(err.Error(), "not a file") {
		t.Errorf("folder: %v", err)
	}
}

// A damaged table gives an error or says nothing. It never ends the program.
func FuzzDatabase(f *testing.F) {
	addr := netip.MustParseAddr("9.9.9.9")
	f.Add(mmdb(f, "asn", epoch, map[string]any{"9.9.9.0/24": map[string]any{"asn": "AS64496", "as_name": "Invented"}}))
	f.Add(mmdb(f, "country", epoch, map[string]any{"9.0.0.0/8": map[string]any{"country": map[string]any{"iso_code": "LT"}}}))
	f.Add([]byte("\xab\xcd\xefMaxMind.com\xe0"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, k := range []kind{networkKind, countryKind} {
			db, err := newDatabase(data, k)
			if err != nil {
				continue
			}
			db.probe()
			db.lookup(addr)
			db.lookup(netip.MustParseAddr("2606:4700::1111"))
		}
	})
}

// Every byte of a small table turned over, and one bit of each.
func TestDamagedDatabase(t *testing.T) {
	good := mmdb(t, "asn", epoch, map[string]any{"9.9.9.0/24": map[string]any{"asn": "AS64496", "as_name": "Invented"}})
	refused := 0
	for i := range good {
		for _, mask := range []byte{0xff, 1, 0x80} {
			bad := bytes.Clone(good)
			bad[i] ^= mask
			db, err := newDatabase(bad, networkKind)
			if err != nil || db.probe() != nil {
				refused++
				continue
			}
			db.lookup(netip.MustParseAddr("9.9.9.9"))
		}
	}
	if refused < len(good)/4 {
		t.Errorf("%d of %d refused", refused, 3*len(good))
	}
}
