package canary

import (
	"bytes"
	"errors"
	"fmt"
	"html"
	"os"
	"path/filepath"
	"strings"
)

// VCard returns the contacts of p as vCards 3.0 (RFC 2426), which phones of all
// ages import.
func (p *Persona) VCard() []byte {
	var b bytes.Buffer
	escape := strings.NewReplacer(`\`, `\\`, `;`, `\;`, `,`, `\,`, "\n", `\n`)
	for _, c := range p.Canaries {
		id, ok := strings.CutSuffix(c.Name, ".name")
		if c.Kind != ContactName || !ok {
			continue
		}
		given, family, _ := strings.Cut(c.Value, " ")
		fmt.Fprintf(&b, "BEGIN:VCARD\r\nVERSION:3.0\r\nN:%s;%s;;;\r\nFN:%s\r\n",
			escape.Replace(family), escape.Replace(given), escape.Replace(c.Value))
		if phone := p.Get(id + ".phone"); phone != nil {
			fmt.Fprintf(&b, "TEL;TYPE=CELL:%s\r\n", phone.Value)
		}
		if email := p.Get(id + ".email"); email != nil {
			fmt.Fprintf(&b, "EMAIL;TYPE=INTERNET:%s\r\n", email.Value)
		}
		b.WriteString("END:VCARD\r\n")
	}
	return b.Bytes()
}

// SMS is one text message to send to the phone.
type SMS struct{ Name, Sender, Text string }

// SMSes lists the messages of p in order.
func (p *Persona) SMSes() []SMS {
	var out []SMS
	for _, c := range p.Canaries {
		if c.Kind != SMSText {
			continue
		}
		id, _ := strings.CutSuffix(c.Name, ".text")
		m := SMS{Name: id, Text: c.Value}
		if s := p.Get(id + ".sender"); s != nil {
			m.Sender = s.Value
		}
		out = append(out, m)
	}
	return out
}

// WriteKit writes what a tester needs to plant p on a phone into dir, which is
// created when absent: contacts.vcf, sms.txt, urls.html, the photos and
// CHECKLIST.md. Files are readable by their owner only; existing ones are not
// overwritten.
func (p *Persona) WriteKit(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("write kit: %w", err)
	}
	files := map[string][]byte{
		"contacts.vcf": p.VCard(),
		"sms.txt":      p.smsList(),
		"urls.html":    p.links(),
		"CHECKLIST.md": p.checklist(),
	}
	for _, c := range p.Canaries {
		if c.Photo != nil && len(c.Photo.Data) > 0 {
			files[photoName(&c)] = c.Photo.Data
		}
	}
	for name, data := range files {
		if err := writeNew(filepath.Join(dir, name), data); err != nil {
			return fmt.Errorf("write kit: %w", err)
		}
	}
	return nil
}

// photoName keeps a photo's name inside the kit whatever the persona's file
// says.
func photoName(c *Canary) string {
	if name := filepath.Base(filepath.FromSlash(c.Value)); c.Value != "" && filepath.IsLocal(name) && filepath.Ext(name) != "" {
		return name
	}
	return "photo-" + c.Photo.SHA256[:8] + ".jpg"
}

func writeNew(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}

func (p *Persona) smsList() []byte {
	var b bytes.Buffer
	b.WriteString("Send these to the phone, in this order. The sender is the number or name that the phone should show.\n")
	for i, m := range p.SMSes() {
		fmt.Fprintf(&b, "\n%d. from %s\n%s\n", i+1, m.Sender, m.Text)
	}
	return b.Bytes()
}

func (p *Persona) links() []byte {
	var b bytes.Buffer
	b.WriteString("<!doctype html>\n<meta charset=\"utf-8\">\n<title>Addresses to open on the phone</title>\n<ul>\n")
	for _, c := range p.Canaries {
		if c.Kind == URL {
			v := html.EscapeString(c.Value)
			fmt.Fprintf(&b, "<li><a href=\"%s\" rel=\"noreferrer\">%s</a></li>\n", v, v)
		}
	}
	b.WriteString("</ul>\n")
	return b.Bytes()
}

func (p *Persona) checklist() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# Planting %s\n\n", p.Name)
	if p.Invented {
		b.WriteString("Every value here is invented: no person, number or address behind it exists.\n")
	} else {
		b.WriteString("These are values of a real phone or person: plant and look for them only with consent.\n")
	}
	b.WriteString("Tick what was planted, with the time. What cannot be planted cannot be missed either: strike it out.\n\n" +
		"- [ ] contacts.vcf imported into the phone's own contacts\n" +
		"- [ ] messages of sms.txt received, in order\n" +
		"- [ ] photo copied into the camera folder (DCIM), not sent through an app\n" +
		"- [ ] notes typed into the phone's own notes\n" +
		"- [ ] addresses of urls.html opened in the browser under test\n" +
		"- [ ] place set as mock location, or the phone was there\n\n" +
		"| value | kind | to plant | planted at |\n|---|---|---|---|\n")
	for _, c := range p.Canaries {
		fmt.Fprintf(&b, "| %s | %s | %s | |\n", c.Name, c.Kind, strings.ReplaceAll(strings.ReplaceAll(c.Value, "|", "\\|"), "\n", " "))
	}
	b.WriteString("\nIdentifiers of the device (IMEI, serial, addresses) can rarely be changed: read the real ones off the phone's\n" +
		"settings and put them into the persona's file in place of the invented ones.\n")
	return b.Bytes()
}
