package owner

import (
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"

	"github.com/oschwald/maxminddb-golang/v2"
)

// The tables stay uncompressed in the program: what is looked at is paged in from
// its file, no heap is used and none of it costs time at the start.
//
//go:generate go -C gen run . -in inputs

//go:embed data/networks.mmdb
var networksData []byte

//go:embed data/countries.mmdb
var countriesData []byte

const (
	maxFile = 512 << 20 // bytes of a user's table
	maxText = 100       // bytes of a holder's name
	// releaseAfter so many addresses that were not in the cache, the memory of the
	// program's tables is given back.
	releaseAfter = 8
	// probes are the records looked at to see whether a file is what it is said
	// to be.
	probes = 2000
)

// kind is what is read from the records of a database.
type kind func(maxminddb.Result) (record, bool)

// record is what a database says of an address.
type record struct {
	number uint32 // autonomous system
	text   string // holder, or country
}

// database is a MaxMind DB file of which one kind of record is read.
type database struct {
	reader *maxminddb.Reader
	kind   kind
	age    string // date of the data, and its type if it is not the program's own

	// By address, and by place in the file so that equal names are one string.
	addresses *cache[netip.Addr, record]
	records   *cache[uintptr, record]

	table []byte       // the program's own, nil for a user's
	fresh atomic.Int32 // lookups since table was released
}

var embeddedDatabases = sync.OnceValue(func() map[string]*database {
	all := map[string]*database{}
	for name, from := range map[string]struct {
		data []byte
		kind kind
	}{"networks": {networksData, networkKind}, "countries": {countriesData, countryKind}} {
		db, err := newDatabase(from.data, from.kind)
		if err != nil {
			panic("owner: table in the program: " + err.Error()) // tests read it
		}
		db.table = from.data
		db.age = db.reader.Metadata.BuildTime().UTC().Format(time.DateOnly)
		all[name] = db
	}
	return all
})

func embedded(name string) *database { return embeddedDatabases()[name] }

// readDatabase reads a user's file. It is read and not mapped, because a mapped
// file that is cut short while in use ends the process.
func readDatabase(name string, k kind) (*database, error) {
	data, err := readFile(name)
	if err != nil {
		return nil, err
	}
	db, err := newDatabase(data, k)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Base(name), err)
	}
	if err := db.probe(); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Base(name), err)
	}
	return db, nil
}

func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is not a file", name)
	case info.Size() > maxFile:
		return nil, fmt.Errorf("%s has more than %d MiB", name, maxFile>>20)
	}
	return io.ReadAll(io.LimitReader(f, maxFile))
}

var errNoDatabase = errors.New("not a MaxMind DB file, or damaged")

func newDatabase(data []byte, k kind) (db *database, err error) {
	defer func() {
		if recover() != nil {
			db, err = nil, errNoDatabase
		}
	}()
	reader, err := maxminddb.OpenBytes(data)
	if err != nil {
		return nil, errNoDatabase
	}
	m := &reader.Metadata
	built := "without a date"
	if m.BuildEpoch > 0 && m.BuildEpoch < 1<<35 {
		built = m.BuildTime().UTC().Format(time.DateOnly)
	}
	return &database{
		reader: reader, kind: k, addresses: newCache[netip.Addr, record](), records: newCache[uintptr, record](),
		age: built + " (" + clean(m.DatabaseType, 40) + ")",
	}, nil
}

// probe looks for records of the kind.
func (db *database) probe() (err error) {
	defer func() {
		if recover() != nil {
			err = errNoDatabase
		}
	}()
	seen := 0
	for r := range db.reader.Networks(maxminddb.SkipEmptyValues()) {
		if r.Err() != nil {
			return errNoDatabase
		}
		if _, ok := db.kind(r); ok {
			return nil
		}
		if seen++; seen == probes {
			break
		}
	}
	if seen == 0 {
		return errors.New("no network in it")
	}
	return fmt.Errorf("the first %d networks have no such fields: is it a database of the right kind?", seen)
}

// lookup returns what is said of addr, the zero value if nothing or nothing that
// can be read.
func (db *database) lookup(addr netip.Addr) (r record) {
	defer func() {
		if recover() != nil { // a damaged file of the user's
			r = record{}
		}
	}()
	r, ok := db.addresses.get(addr)
	if ok {
		return r
	}
	if found := db.reader.Lookup(addr); found.Found() {
		if r, ok = db.records.get(found.Offset()); !ok {
			r, _ = db.kind(found)
			db.records.put(found.Offset(), r)
		}
	}
	db.addresses.put(addr, r)
	if db.table != nil && db.fresh.Add(1)%releaseAfter == 0 {
		release(db.table)
	}
	return r
}

// networkKind reads MaxMind's and DB-IP's autonomous_system_number and
// autonomous_system_organization, and IPinfo's asn ("AS64496") and as_name.
func networkKind(r maxminddb.Result) (out record, ok bool) {
	if n, found := number(r, "autonomous_system_number"); found {
		out.number = n
		out.text = holder(n, first(r, "autonomous_system_organization"))
		return out, true
	}
	n, found := number(r, "asn")
	if !found {
		text, digits := first(r, "asn"), ""
		if digits, found = strings.CutPrefix(strings.ToUpper(text), "AS"); found {
			v, err := strconv.ParseUint(digits, 10, 32)
			n, found = uint32(v), err == nil
		}
	}
	if !found || n == 0 {
		return out, false
	}
	return record{n, holder(n, first(r, "as_name", "autonomous_system_organization", "name", "org"))}, true
}

// countryKind reads MaxMind's and DB-IP's country.iso_code, ip-location-db's and
// IPinfo's country_code, and an older country that holds the code.
func countryKind(r maxminddb.Result) (record, bool) {
	for _, path := range [][]any{{"country", "iso_code"}, {"country_code"}, {"country"}} {
		var code string
		if r.DecodePath(&code, path...) == nil && isCountry(code) {
			return record{text: countryCode(code)}, true
		}
	}
	return record{}, false
}

func number(r maxminddb.Result, path ...any) (uint32, bool) {
	var n *uint32
	if r.DecodePath(&n, path...) != nil || n == nil {
		return 0, false
	}
	return *n, true
}

// first returns the first of the fields that holds text.
func first(r maxminddb.Result, fields ...string) string {
	for _, f := range fields {
		var text string
		if r.DecodePath(&text, f) == nil && text != "" {
			return text
		}
	}
	return ""
}

// isCountry says that code has the form of ISO 3166-1 alpha-2.
func isCountry(code string) bool {
	return len(code) == 2 && code[0] >= 'A' && code[0] <= 'Z' && code[1] >= 'A' && code[1] <= 'Z'
}

// countryCodes keeps one string for each code.
var countryCodes sync.Map

// countryCode drops the codes that ISO 3166-1 leaves to users and that tables
// write for "nobody knows" or for a whole region.
func countryCode(code string) string {
	switch code {
	case "ZZ", "XX", "AP", "EU", "AA", "QZ":
		return ""
	}
	one, _ := countryCodes.LoadOrStore(code, code)
	return one.(string)
}

// clean makes one short line of text from a file.
func clean(text string, most int) string {
	text = strings.ToValidUTF8(text, "�")
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || unicode.Is(unicode.Bidi_Control, r) {
			return ' '
		}
		return r
	}, text)
	text = strings.Join(strings.Fields(text), " ")
	if len(text) <= most {
		return text
	}
	cut := most
	for cut > 0 && text[cut]&0xc0 == 0x80 {
		cut--
	}
	return text[:cut] + "…"
}
