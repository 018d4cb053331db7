package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"constat/inspect/canary"
)

func TestOwnValues(t *testing.T) {
	p, err := canary.New(strings.NewReader(strings.Repeat("seed", 8)), "fr")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name, text string) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	photos := filepath.Join(dir, "DCIM")
	if err := os.Mkdir(photos, 0o700); err != nil {
		t.Fatal(err)
	}
	write("DCIM/IMG_0001.JPG", string(p.Get("photo-1").Photo.Data)+"another file")
	write("DCIM/IMG_0002.HEIC", "\x00\x00\x00\x18ftypheic"+strings.Repeat("0123456789abcdefghijklmnopqrstuvwxyz", 20))
	write("DCIM/empty.jpg", "")
	write("DCIM/notes.txt", "no photo")
	own := ownValues{
		values:   write("device.txt", "imei = 352099001761481\nserial =\n"),
		contacts: write("c.vcf", "BEGIN:VCARD\nFN:Odile Vantournier\nTEL:06 39 98 77 55\nTEL:3631\nEND:VCARD\nBEGIN:VCARD\nFN:Bob\nEND:VCARD\n"),
		sms:      write("sms.txt", "1. from +33639981122\nLe code du coffre est 7741-ZEBRE, ne le dis à personne.\n\n2. from Bank\nok\n"),
		photos:   photos, country: "33",
	}
	notes, err := own.addTo(p)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"imei": "352099001761481", "own-contact-1.phone": "+33639987755", "own-contact-1.name": "Odile Vantournier",
		"own-sms-1.sender": "+33639981122", "own-photo": "IMG_0001.JPG", "own-photo-2": "IMG_0002.HEIC",
	} {
		if c := p.Get(name); c == nil || c.Value != value || c.Invented {
			t.Errorf("%s: %+v, want value %q", name, c, value)
		}
	}
	if c := p.Get("own-photo"); c != nil && (len(c.Photo.Luma) == 0 || len(c.Photo.Data) > 0) {
		t.Error("an own photo is not known by its pixels, or is kept in the persona")
	}
	said := strings.Join(notes, "\n")
	for _, want := range []string{"2 values added; 1 left out: no country code", "3 values added; 1 left out: ", "2 values added; 1 left out: picture is too small; 1 are found by their bytes only"} {
		if !strings.Contains(said, want) {
			t.Errorf("notes do not say %q:\n%s", want, said)
		}
	}
	for _, secret := range []string{"352099", "063998", "+3363998", "Odile", "ZEBRE"} {
		if strings.Contains(said, secret) {
			t.Errorf("notes hold the value %s", secret)
		}
	}
	if err := p.Check(); err != nil {
		t.Error(err)
	}
	for _, bad := range []ownValues{
		{values: write("bad.txt", "imei = 1\n")},
		{values: write("none.txt", "# nothing\n")},
		{contacts: write("bad.vcf", "x")},
		{photos: dir},
		{sms: filepath.Join(dir, "absent")},
	} {
		if _, err := bad.addTo(p); err == nil {
			t.Errorf("%+v is taken", bad)
		}
	}
}
