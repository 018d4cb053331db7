package canary

import (
	"bufio"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"mime/quotedprintable"
	"strings"
	"unicode/utf8"
)

// deviceFields are the values of a phone that DeviceTemplate asks for, with where
// they stand on it.
var deviceFields = []struct {
	kind  Kind
	where []string
}{
	{Phone, []string{"The number of the SIM card, with + and country code. Settings > About phone > SIM status."}},
	{IMEI, []string{"15 digits: dial *#06#. A phone with two SIM cards has two: write two lines."}},
	{Serial, []string{"Settings > About phone > Status (iPhone: Settings > General > About)."}},
	{AndroidID, []string{"16 hex digits: adb shell settings get secure android_id", "Since Android 8 each app is given another one; this is the one of the system and of old apps."}},
	{AdvertisingID, []string{"Settings > Google > Ads, or Settings > Privacy > Ads. iPhones do not show theirs."}},
	{MAC, []string{"The Wi-Fi address: Settings > About phone > Status. Phones since 2019 use another one in each", "network, which the details of the network show: write both, on two lines."}},
	{SSID, []string{"The name of the Wi-Fi network that the phone is in."}},
	{BSSID, []string{"The address of its access point: on its label, or adb shell cmd wifi status"}},
	{ICCID, []string{"The number printed on the SIM card, 18 to 20 digits. Settings > About phone > SIM status."}},
	{IMSI, []string{"15 digits: Settings > About phone > SIM status, on some phones. Not in the menus of an iPhone."}},
	{Email, []string{"The account that is signed in on the phone."}},
	{Name, []string{"Given and family name that the phone or the account knows."}},
	{Place, []string{"Where the test is done, as latitude,longitude with at least 4 decimals: 48.858370,2.294481"}},
}

// DeviceTemplate is a text file that asks for the values that a phone already
// has. ReadValues reads it when it is filled in.
func DeviceTemplate() []byte {
	var b bytes.Buffer
	b.WriteString("# The phone's own values. Write each behind its =, and leave empty what you do not know.\n" +
		"# Then: constat persona import persona.json --values device.txt\n" +
		"# Delete this file when the case is closed: it tells the phone and its owner.\n")
	for _, f := range deviceFields {
		b.WriteString("\n# " + strings.Join(f.where, "\n# ") + "\n" + string(f.kind) + " =\n")
	}
	return b.Bytes()
}

// ReadValues reads lines "KIND = VALUE". Empty values, empty lines and lines that
// begin with # are left out. An error names the line and the kind, never a value.
func ReadValues(r io.Reader) ([]Canary, error) {
	var out []Canary
	sc := bufio.NewScanner(io.LimitReader(r, maxFile))
	sc.Buffer(nil, 64<<10)
	for n := 1; sc.Scan(); n++ {
		line := strings.TrimSpace(strings.TrimPrefix(sc.Text(), "\ufeff"))
		if line == "" || line[0] == '#' {
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if !ok {
			return nil, fmt.Errorf("line %d: want KIND = VALUE", n)
		}
		if value = strings.TrimSpace(value); value == "" {
			continue
		}
		c := Canary{Kind: Kind(strings.ToLower(strings.TrimSpace(key))), Value: value}
		c.Name = string(c.Kind)
		if c.Kind == PhotoFile {
			return nil, fmt.Errorf("line %d: photos are added from a folder", n)
		}
		c.tidy()
		if err := c.check(); err != nil {
			return nil, fmt.Errorf("line %d, %.20q: %w", n, c.Kind, err)
		}
		out = append(out, c)
	}
	if err := sc.Err(); err != nil {
		return nil, errors.New("a line is too long")
	}
	return out, nil
}

// tidy takes off what people copy along with a value.
func (c *Canary) tidy() {
	switch c.Kind {
	case IMEI, IMSI, ICCID:
		c.Value = onlyDigits(c.Value)
	case Phone, ContactPhone:
		if strings.HasPrefix(c.Value, "00") {
			c.Value = "+" + c.Value[2:]
		}
		if strings.HasPrefix(c.Value, "+") {
			c.Value = "+" + onlyDigits(c.Value)
		}
	case SSID:
		if n := len(c.Value); n > 2 && c.Value[0] == '"' && c.Value[n-1] == '"' {
			c.Value = c.Value[1 : n-1]
		}
	}
}

// Contact is one entry of an address book.
type Contact struct {
	Name   string
	Phones []string
	Emails []string
}

// ReadContacts reads vCards of versions 2.1, 3.0 and 4.0 (RFC 2426, RFC 6350), as
// phones export them.
func ReadContacts(r io.Reader) ([]Contact, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("larger than %d MiB", maxFile>>20)
	}
	text := strings.ReplaceAll(string(data), "\r\n", "\n")
	if !utf8.ValidString(text) {
		return nil, errors.New("is not UTF-8 text")
	}
	text = strings.NewReplacer("\n ", "", "\n\t", "", "=\n", "").Replace(text) // folded lines
	var out []Contact
	var c *Contact
	cards := 0
	for line := range strings.Lines(text) {
		head, value, ok := strings.Cut(strings.TrimRight(line, "\n"), ":")
		if !ok {
			continue
		}
		head = strings.ToUpper(head)
		name, params, _ := strings.Cut(head, ";")
		if i := strings.LastIndexByte(name, '.'); i >= 0 {
			name = name[i+1:] // a group, as iPhones write it: item1.TEL
		}
		if strings.Contains(params, "QUOTED-PRINTABLE") {
			if b, err := io.ReadAll(quotedprintable.NewReader(strings.NewReader(value))); err == nil {
				value = string(b)
			}
		}
		value = strings.TrimSpace(strings.NewReplacer(`\,`, ",", `\;`, ";", `\n`, " ", `\N`, " ", `\\`, `\`).Replace(value))
		switch {
		case name == "BEGIN" && strings.EqualFold(value, "VCARD"):
			c, cards = new(Contact), cards+1
		case c == nil || value == "":
		case name == "END":
			if c.Name != "" || len(c.Phones)+len(c.Emails) > 0 {
				out = append(out, *c)
			}
			c = nil
		case name == "FN":
			c.Name = value
		case name == "N" && c.Name == "":
			parts := strings.Split(value, ";")
			if len(parts) > 1 {
				c.Name = strings.TrimSpace(parts[1] + " " + parts[0])
			}
		case name == "TEL":
			c.Phones = append(c.Phones, strings.TrimPrefix(value, "tel:"))
		case name == "EMAIL":
			c.Emails = append(c.Emails, value)
		}
	}
	if cards == 0 {
		return nil, errors.New("holds no vCard")
	}
	return out, nil
}

// ReadSMSes reads messages as the kit has them, sms.txt or sms.xml.
func ReadSMSes(r io.Reader) ([]SMS, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("larger than %d MiB", maxFile>>20)
	}
	if bytes.HasPrefix(bytes.TrimSpace(data), []byte("<")) {
		var file struct {
			SMS []struct {
				Address string `xml:"address,attr"`
				Body    string `xml:"body,attr"`
			} `xml:"sms"`
		}
		if err := xml.Unmarshal(data, &file); err != nil {
			return nil, errors.New("is not XML as SMS Backup & Restore writes it")
		}
		var out []SMS
		for _, m := range file.SMS {
			out = append(out, SMS{Sender: m.Address, Text: m.Body})
		}
		return out, nil
	}
	var out []SMS
	open := false // in a message
	n := 0
	for line := range strings.Lines(string(data)) {
		n++
		line = strings.TrimSpace(line)
		number, sender, ok := strings.Cut(line, ". from ")
		switch {
		case ok && onlyDigits(number) == number && number != "":
			out, open = append(out, SMS{Sender: strings.TrimSpace(sender)}), true
		case line == "" || !open && strings.HasPrefix(line, "#"):
			open = open && len(out) > 0 && out[len(out)-1].Text == ""
		case !open:
			return nil, fmt.Errorf(`line %d: want "1. from SENDER", and the text on the next line`, n)
		default:
			m := &out[len(out)-1]
			if m.Text != "" {
				m.Text += "\n"
			}
			m.Text += line
		}
	}
	return out, nil
}

// Put adds a value that the phone or its owner really has. It takes the place of
// an invented one of the same name; otherwise, a value that is there already is
// not added again, and a second one of a name is numbered. The persona is not
// Invented any more. Put reports whether p changed.
func (p *Persona) Put(c Canary) (bool, error) {
	c.tidy()
	if err := c.check(); err != nil {
		return false, err
	}
	p.Invented = false
	for i := range p.Canaries {
		if old := &p.Canaries[i]; old.Name == c.Name && old.Invented && old.Kind == c.Kind {
			*old = c
			return true, nil
		}
		if old := &p.Canaries[i]; old.Kind == c.Kind && old.Value == c.Value && (c.Photo == nil || old.Photo.SHA256 == c.Photo.SHA256) {
			return false, nil
		}
	}
	base, ext := c.Name, ""
	if i := strings.IndexByte(base, '.'); i >= 0 {
		base, ext = base[:i], base[i:]
	}
	for n := 2; p.Get(c.Name) != nil; n++ {
		c.Name = fmt.Sprintf("%s-%d%s", base, n, ext)
	}
	if len(p.Canaries) == maxCanaries {
		return false, fmt.Errorf("a persona holds %d values at most", maxCanaries)
	}
	p.Canaries = append(p.Canaries, c)
	return true, nil
}

// International writes a number as E.164 has it. A number without a country is
// taken to be of the one with the calling code country; "" when that is needed
// and empty, or when there are not 8 to 15 digits.
func International(number, country string) string {
	number = strings.TrimSpace(number)
	digits, country := onlyDigits(number), onlyDigits(country)
	switch {
	case strings.HasPrefix(number, "+"):
	case strings.HasPrefix(digits, "00"):
		digits = digits[2:]
	case country == "":
		return ""
	case country == "1" && len(digits) == 11 && digits[0] == '1':
	case country == "39": // Italy dials the zero from abroad, too
		digits = country + digits
	default:
		digits = country + strings.TrimPrefix(digits, "0")
	}
	if len(digits) < 8 || len(digits) > 15 {
		return ""
	}
	return "+" + digits
}
