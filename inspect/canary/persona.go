// Package canary plants values and finds them again. A Persona is an invented
// identity, or a few values of a real one that its owner agreed to look for; a
// Matcher knows every form that its values take on the wire, and finds them in
// the parts of a message. A hit is proof: nobody sends a value that was planted
// an hour ago on one phone by chance.
//
// A value stands alone only if it carries about 40 bits; a shorter one (a place
// with few decimals, the last digits of a number, a family name) counts only
// with a neighbour. A Matcher is safe for concurrent use and allocates nothing
// for a part without a hit. Nothing here touches the network, and no value of a
// persona appears in an error text.
//
// The package does not look at structure: what resembles a text message without
// being a planted one is the business of package detect.
package canary

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/mail"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"constat/inspect"
)

// FormatVersion is the version of a persona's JSON form.
const FormatVersion = 1

// Limits on a persona read from outside.
const (
	maxFile     = 32 << 20
	maxCanaries = 500
	maxValue    = 8 << 10
)

// Persona is a set of planted values. It must not change once a Matcher was
// made of it.
type Persona struct {
	Version  int      `json:"constat_persona"`
	Name     string   `json:"name"`
	Invented bool     `json:"invented"` // every value was made up for this case
	Locale   string   `json:"locale,omitempty"`
	Canaries []Canary `json:"canaries"`
}

// Canary is one planted value.
type Canary struct {
	Name  string `json:"name"` // unique in the persona: "imei", "sms-1.text"
	Kind  Kind   `json:"kind"`
	Value string `json:"value,omitempty"` // for Photo: its file name
	Photo *Photo `json:"photo,omitempty"` // set for kind Photo only
	// Invented says that New made it up: a real value of the device takes its
	// place.
	Invented bool `json:"invented,omitempty"`
}

// Kind says what a value is, and with that which forms it can take.
type Kind string

// The kinds of planted value.
const (
	Phone         Kind = "phone" // with + and country code
	IMEI          Kind = "imei"  // 15 digits
	IMSI          Kind = "imsi"
	ICCID         Kind = "iccid"
	Serial        Kind = "serial"
	AndroidID     Kind = "android_id"     // 16 hex digits
	AdvertisingID Kind = "advertising_id" // UUID
	MAC           Kind = "mac"
	SSID          Kind = "ssid"
	BSSID         Kind = "bssid"
	Email         Kind = "email"
	Name          Kind = "name"
	ContactName   Kind = "contact_name"
	ContactPhone  Kind = "contact_phone"
	ContactEmail  Kind = "contact_email"
	SMSText       Kind = "sms_text"
	SMSSender     Kind = "sms_sender" // a number, or a word
	Note          Kind = "note"
	URL           Kind = "url"
	Place         Kind = "place" // "48.85837,2.294481"
	PhotoFile     Kind = "photo"
	Other         Kind = "other" // any text, found as it is
)

// classes maps each kind to the class that a hit of it proves.
var classes = map[Kind]inspect.Class{
	Phone:         inspect.Identifiers,
	IMEI:          inspect.Identifiers,
	IMSI:          inspect.Identifiers,
	ICCID:         inspect.Identifiers,
	Serial:        inspect.Identifiers,
	AndroidID:     inspect.Identifiers,
	AdvertisingID: inspect.Identifiers,
	MAC:           inspect.Identifiers,
	SSID:          inspect.Location, // a network's name and address say where the phone is
	BSSID:         inspect.Location,
	Email:         inspect.Identifiers,
	Name:          inspect.Identifiers,
	ContactName:   inspect.Contacts,
	ContactPhone:  inspect.Contacts,
	ContactEmail:  inspect.Contacts,
	SMSText:       inspect.SMS,
	SMSSender:     inspect.SMS,
	Note:          inspect.Notes,
	URL:           inspect.BrowsingHistory,
	Place:         inspect.Location,
	PhotoFile:     inspect.Photo,
	Other:         inspect.Identifiers,
}

// Kinds lists the kinds of value, sorted.
func Kinds() []Kind {
	var out []Kind
	for k := range classes {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// Class is the class that a hit of kind k proves, "" for an unknown kind.
func (k Kind) Class() inspect.Class { return classes[k] }

// Read reads a persona from its JSON form and checks it. Unknown fields are
// errors, so that a misspelt one is not silently never looked for.
func Read(r io.Reader) (*Persona, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read persona: %w", err)
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("read persona: larger than %d MiB", maxFile>>20)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	p := new(Persona)
	if err := dec.Decode(p); err != nil {
		return nil, fmt.Errorf("read persona: %w", describe(data, err))
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("read persona: something follows the closing brace")
	}
	if err := p.Check(); err != nil {
		return nil, fmt.Errorf("read persona: %w", err)
	}
	return p, nil
}

// describe says on which line a JSON error is, without quoting a value.
func describe(data []byte, err error) error {
	var offset int64 = -1
	what := err.Error()
	var syntax *json.SyntaxError
	var typ *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		offset, what = syntax.Offset, "not valid JSON"
	case errors.As(err, &typ):
		offset, what = typ.Offset, fmt.Sprintf("field %q must be a %s", typ.Field, typ.Type)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		what = "file is empty or cut off"
	}
	if offset < 0 {
		return errors.New(what)
	}
	line := 1 + bytes.Count(data[:min(int(offset), len(data))], []byte("\n"))
	return fmt.Errorf("line %d: %s", line, what)
}

// Write writes the JSON form of p, indented.
func (p *Persona) Write(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(p)
}

// Check says what is wrong with p, naming canaries but never their values.
func (p *Persona) Check() error {
	if p.Version != FormatVersion {
		return fmt.Errorf(`"constat_persona" is %d, want %d`, p.Version, FormatVersion)
	}
	if strings.TrimSpace(p.Name) == "" {
		return errors.New(`"name" is empty`)
	}
	if len(p.Canaries) == 0 {
		return errors.New(`"canaries" is empty: there is nothing to look for`)
	}
	if len(p.Canaries) > maxCanaries {
		return fmt.Errorf("%d canaries, at most %d are allowed", len(p.Canaries), maxCanaries)
	}
	seen := make(map[string]bool)
	for i, c := range p.Canaries {
		if c.Name == "" {
			return fmt.Errorf("canary %d has no name", i+1)
		}
		if seen[c.Name] {
			return fmt.Errorf("two canaries are called %q", c.Name)
		}
		seen[c.Name] = true
		if err := c.check(); err != nil {
			return fmt.Errorf("canary %q: %w", c.Name, err)
		}
	}
	return nil
}

func (c *Canary) check() error {
	if c.Kind.Class() == "" {
		return fmt.Errorf("unknown kind %q; the kinds are %v", c.Kind, Kinds())
	}
	if (c.Kind == PhotoFile) != (c.Photo != nil) {
		return fmt.Errorf(`a field "photo" belongs to kind %q, and only to it`, PhotoFile)
	}
	if c.Photo != nil {
		return c.Photo.check()
	}
	v := c.Value
	if len(v) > maxValue {
		return fmt.Errorf("value is longer than %d bytes", maxValue)
	}
	digits := onlyDigits(v)
	switch c.Kind {
	case Phone, ContactPhone:
		if !strings.HasPrefix(v, "+") || len(digits) < 8 || len(digits) > 15 {
			return errors.New("want a number with + and country code, 8 to 15 digits")
		}
	case IMEI:
		if len(digits) != 15 || !luhn(digits) {
			return errors.New("want 15 digits, the last one the Luhn check digit")
		}
	case IMSI:
		if len(digits) < 14 || len(digits) > 15 {
			return errors.New("want 14 or 15 digits")
		}
	case ICCID:
		if len(digits) < 18 || len(digits) > 20 {
			return errors.New("want 18 to 20 digits")
		}
	case AndroidID, AdvertisingID:
		if n := len(hexDigits(v)); c.Kind == AndroidID && n != 16 || c.Kind == AdvertisingID && n != 32 {
			return errors.New("want 16 hex digits for android_id, a UUID for advertising_id")
		}
	case MAC, BSSID:
		if len(hexDigits(v)) != 12 {
			return errors.New("want 12 hex digits")
		}
	case Email, ContactEmail:
		if a, err := mail.ParseAddress(v); err != nil || a.Address != v {
			return errors.New("want a plain e-mail address")
		}
	case Place:
		if _, _, err := parsePlace(v); err != nil {
			return err
		}
	case URL:
		if u, err := url.Parse(v); err != nil || u.Host == "" {
			return errors.New("want an absolute URL")
		} else if entropy(v, inAddress) < minEntropy {
			return errors.New("is too plain to be proof: add an unlikely word or number of 8 characters or more")
		}
	case Name, ContactName:
		if !namedWell(v) {
			return fmt.Errorf("want given and family name, at least %d letters", nameLetters)
		}
	case SMSSender:
		if !strings.HasPrefix(v, "+") && entropy(v, inSentence) < minEntropy {
			// A word such as a bank's name is planted by the message, not
			// proof by itself: it is kept for the kit and never looked for.
			return nil
		}
	default:
		if entropy(v, inSentence) < minEntropy {
			return errors.New("is too plain to be proof: add an unlikely word or number of 8 characters or more")
		}
	}
	return nil
}

// Unseen lists the values that are kept for the kit only: senders that are plain
// words.
func (p *Persona) Unseen() []string {
	var out []string
	for _, c := range p.Canaries {
		if c.Kind == SMSSender && len(c.writings()) == 0 {
			out = append(out, c.Name)
		}
	}
	return out
}

// fileNameIsProof says that nobody else has a file of this name.
func (c *Canary) fileNameIsProof() bool {
	return strings.ContainsFunc(c.Value, unicode.IsLetter) && entropy(c.Value, 0) >= minEntropy+14*3.3 // beside a date and time
}

// Get returns the canary called name, nil if there is none.
func (p *Persona) Get(name string) *Canary {
	for i := range p.Canaries {
		if p.Canaries[i].Name == name {
			return &p.Canaries[i]
		}
	}
	return nil
}

// parsePlace reads "latitude,longitude" in degrees with a decimal point.
func parsePlace(v string) (lat, lon float64, err error) {
	a, b, ok := strings.Cut(v, ",")
	if ok {
		lat, err = strconv.ParseFloat(strings.TrimSpace(a), 64)
		if err == nil {
			lon, err = strconv.ParseFloat(strings.TrimSpace(b), 64)
		}
	}
	inside := lat >= -90 && lat <= 90 && lon >= -180 && lon <= 180
	if !ok || err != nil || !inside {
		return 0, 0, errors.New(`want "latitude,longitude" in degrees with a decimal point`)
	}
	if decimals(a) < 4 || decimals(b) < 4 {
		return 0, 0, errors.New("want at least 4 decimals on both coordinates")
	}
	return lat, lon, nil
}

func decimals(s string) int {
	_, frac, _ := strings.Cut(strings.TrimSpace(s), ".")
	return len(frac)
}
