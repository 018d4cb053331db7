package canary

import (
	"bytes"
	"errors"
	"fmt"
	"html"
	"os"
	"path/filepath"
	"strings"
	"time"

	"constat/inspect"
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
// created when absent: CHECKLIST.md, which says what to do with the rest,
// contacts.vcf, sms.txt, sms.xml, notes.txt, urls.html, the photos, and
// device.txt, which takes the phone's own values. Files are readable by their
// owner only; existing ones are not overwritten.
func (p *Persona) WriteKit(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("write kit: %w", err)
	}
	files := map[string][]byte{
		"contacts.vcf": p.VCard(),
		"sms.txt":      p.smsList(),
		"sms.xml":      p.smsBackup(),
		"notes.txt":    p.noteList(),
		"urls.html":    p.links(),
		"device.txt":   DeviceTemplate(),
		"CHECKLIST.md": p.checklist(),
	}
	for _, c := range p.Canaries {
		if c.Photo != nil && len(c.Photo.Data) > 0 {
			files[photoName(&c)] = c.Photo.Data
		}
	}
	for name, data := range files {
		if len(data) == 0 {
			continue
		}
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
	list := p.SMSes()
	if len(list) == 0 {
		return nil
	}
	var b bytes.Buffer
	b.WriteString("# Text messages, in the order in which the phone should get them.\n" +
		"# The sender is the number or the name that the phone should show.\n")
	for i, m := range list {
		fmt.Fprintf(&b, "\n%d. from %s\n%s\n", i+1, m.Sender, m.Text)
	}
	return b.Bytes()
}

// smsTime is when the first message of sms.xml was received; one comes every
// three hours.
var smsTime = time.Date(2024, 5, 6, 8, 15, 0, 0, time.UTC)

// smsBackup is the same in the format of the app SMS Backup & Restore
// (synctech.com.au, "Fields in XML backup files"), which puts messages of any
// sender into a phone's store.
func (p *Persona) smsBackup() []byte {
	list := p.SMSes()
	if len(list) == 0 {
		return nil
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "<?xml version='1.0' encoding='UTF-8' standalone='yes' ?>\n<smses count=\"%d\">\n", len(list))
	for i, m := range list {
		at := smsTime.Add(time.Duration(i) * 3 * time.Hour)
		fmt.Fprintf(&b, "  <sms protocol=\"0\" address=\"%s\" date=\"%d\" type=\"1\" subject=\"null\" body=\"%s\" toa=\"null\" sc_toa=\"null\" service_center=\"null\" read=\"1\" status=\"-1\" locked=\"0\" date_sent=\"%d\" readable_date=\"%s\" contact_name=\"(Unknown)\" />\n",
			html.EscapeString(m.Sender), at.UnixMilli(), strings.ReplaceAll(html.EscapeString(m.Text), "\n", "&#10;"), at.UnixMilli(), at.Format("2 Jan 2006 15:04:05"))
	}
	b.WriteString("</smses>\n")
	return b.Bytes()
}

func (p *Persona) noteList() []byte {
	var b bytes.Buffer
	for _, c := range p.Canaries {
		if c.Kind == Note {
			if b.Len() == 0 {
				b.WriteString("Notes, one each: type or paste them into the phone's own notes app.\n")
			}
			fmt.Fprintf(&b, "\n%s\n", c.Value)
		}
	}
	return b.Bytes()
}

func (p *Persona) links() []byte {
	var b bytes.Buffer
	for _, c := range p.Canaries {
		if c.Kind != URL {
			continue
		}
		if b.Len() == 0 {
			b.WriteString("<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n" +
				"<title>Addresses to open on the phone</title>\n<h1>Addresses to open on the phone</h1>\n" +
				"<p>Open each address in the browser that is under test. Type or paste it: a link on a page is known to this page, too.\n" +
				"The site example.org belongs to nobody (RFC 2606): it answers that there is no such page, and without a network there is\n" +
				"no answer at all. Either is fine. What counts is whether anybody else is told the address.</p>\n<ol>\n")
		}
		v := html.EscapeString(c.Value)
		fmt.Fprintf(&b, "<li><a href=\"%s\" rel=\"noreferrer\">%s</a></li>\n", v, v)
	}
	if b.Len() > 0 {
		b.WriteString("</ol>\n</html>\n")
	}
	return b.Bytes()
}

func (p *Persona) checklist() []byte {
	var b bytes.Buffer
	has := make(map[Kind]int)
	for _, c := range p.Canaries {
		has[c.Kind]++
	}
	fmt.Fprintf(&b, "# Planting %s\n\n", p.Name)
	if p.Invented {
		b.WriteString("Every value here is invented: no person, number or address behind it exists.\n")
	} else {
		b.WriteString("Some of these are values of a real phone or person: plant and look for them only with consent.\n")
	}
	b.WriteString("It takes about ten minutes. Use a phone that is yours, best one that was just reset. Tick what you did and write\n" +
		"down the time. Leave out what you cannot do and strike it out: what was not planted cannot be found.\n" +
		"Keep this folder off the phone and off any cloud: a copy of it there would be found as well.\n")
	step := 0
	section := func(title string) {
		step++
		fmt.Fprintf(&b, "\n## %d. %s\n\n", step, title)
	}
	if has[ContactName] > 0 {
		section("Contacts (1 minute)")
		b.WriteString("- [ ] Copy `contacts.vcf` to the phone (USB cable, memory card) and open it there. Choose *phone* or *device* as the\n" +
			"      place to keep them, not an account, unless the account is what you test.\n" +
			"- [ ] Delete the file from the phone. Never call these contacts and never write to them.\n")
	}
	if has[SMSText] > 0 {
		section("Text messages (3 minutes)")
		b.WriteString("One of:\n\n" +
			"- [ ] Android: open `sms.xml` with the app *SMS Backup & Restore*, restore, then remove the app and the file.\n" +
			"- [ ] Android emulator: `adb emu sms send SENDER \"TEXT\"` for each message of `sms.txt`.\n" +
			"- [ ] Any phone: send the texts of `sms.txt` from another phone, in order. The sender is then that phone's number: add it\n" +
			"      with `constat persona import persona.json sms_sender=+33…`.\n")
	}
	if has[PhotoFile] > 0 {
		section("Photos (1 minute)")
		b.WriteString("- [ ] Copy the `IMG_….jpg` files into the camera's folder, `DCIM/Camera` (iPhone: AirDrop, or Finder and Photos). Do not\n" +
			"      send them through an app or a mail: that is a transmission of its own, and often changes them.\n" +
			"- [ ] Open the gallery once, so that the phone takes notice of them. Each shows another place and date.\n")
	}
	if has[Note] > 0 {
		section("Notes (1 minute)")
		b.WriteString("- [ ] Type or paste the texts of `notes.txt` into the phone's own notes app.\n")
	}
	section("The phone's own values (3 minutes)")
	b.WriteString("Its numbers can rarely be changed, so the real ones are looked for.\n\n" +
		"- [ ] Fill in `device.txt`: it says where each value stands on the phone.\n" +
		"- [ ] `constat persona import persona.json --values device.txt`\n" +
		"- [ ] `constat persona check persona.json` says what will be looked for.\n")
	section("In the test (1 minute)")
	if has[URL] > 0 {
		b.WriteString("- [ ] Open the addresses of `urls.html` in the browser under test.\n")
	}
	if has[Place] > 0 {
		b.WriteString("- [ ] Set the place of the table below as mock location (Android: developer options), or strike it out.\n")
	}
	b.WriteString("- [ ] A test of the test: send one planted value through an app on purpose. If Constat does not show it, nothing that\n" +
		"      it does not show means anything.\n" +
		"\n## What is planted\n\n| value | kind | to plant | planted at |\n|---|---|---|---|\n")
	for _, c := range p.Canaries {
		fmt.Fprintf(&b, "| %s | %s | %s | |\n", c.Name, inspect.KindWords(string(c.Kind)), strings.ReplaceAll(strings.ReplaceAll(c.Value, "|", "\\|"), "\n", " "))
	}
	return b.Bytes()
}
