package canary

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadValues(t *testing.T) {
	if list, err := ReadValues(bytes.NewReader(DeviceTemplate())); err != nil || len(list) > 0 {
		t.Errorf("the empty template: %d values, %v", len(list), err)
	}
	got, err := ReadValues(strings.NewReader("\ufeff# mine\r\nIMEI = 35-209900-176148-1\r\n\r\nimei=\nphone = 0033 6 39 98 47 12\nssid=\"Atelier-K7WQ2M9RX4B\"\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := []Canary{
		{Name: "imei", Kind: IMEI, Value: "352099001761481"},
		{Name: "phone", Kind: Phone, Value: "+33639984712"},
		{Name: "ssid", Kind: SSID, Value: "Atelier-K7WQ2M9RX4B"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
	for _, tc := range []struct{ in, want string }{
		{"imei\n", "line 1: want KIND = VALUE"},
		{"# x\nimei = 352099001761480\n", `line 2, "imei": want 15 digits, the last one the Luhn check digit`},
		{"shoe = 42\n", `line 1, "shoe": unknown kind`},
		{"photo = x.jpg\n", "photos are added from a folder"},
		{"phone = 0639984712\n", "country code"},
		{"imei = " + strings.Repeat("3", 70<<10) + "\n", "too long"},
	} {
		_, err := ReadValues(strings.NewReader(tc.in))
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%.40q: error %v, want %q", tc.in, err, tc.want)
		}
		if err != nil && (strings.Contains(err.Error(), "35209") || strings.Contains(err.Error(), "063998")) {
			t.Errorf("error gives a value away: %v", err)
		}
	}
}

func TestReadContacts(t *testing.T) {
	p := invented(t, "fr")
	own, err := ReadContacts(bytes.NewReader(p.VCard()))
	if err != nil || len(own) != contactCount {
		t.Fatalf("the kit's own contacts: %d, %v", len(own), err)
	}
	if own[0].Name != p.Get("contact-1.name").Value || own[0].Phones[0] != p.Get("contact-1.phone").Value || own[0].Emails[0] != p.Get("contact-1.email").Value {
		t.Errorf("the first contact is %+v", own[0])
	}
	got, err := ReadContacts(strings.NewReader("BEGIN:VCARD\r\nVERSION:2.1\r\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:Br=C3=A9zognacq;=C3=89lodie;;;\r\n" +
		"FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=C3=89lodie=20Br=C3=A9=\r\nzognacq\r\nTEL;CELL:06 39 98 47 13\r\nitem1.EMAIL;HOME:e.b@exam\r\n ple.org\r\nEND:VCARD\r\n" +
		"begin:vcard\r\nVERSION:4.0\r\nN:Vantournier;Odile;;;\r\nTEL;VALUE=uri:tel:+33639987755\r\nEND:VCARD\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := []Contact{
		{Name: "Élodie Brézognacq", Phones: []string{"06 39 98 47 13"}, Emails: []string{"e.b@example.org"}},
		{Name: "Odile Vantournier", Phones: []string{"+33639987755"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("contacts (-want +got):\n%s", diff)
	}
	for _, in := range []string{"", "name,phone\nx,1\n", "\xff\xfeB\x00"} {
		if _, err := ReadContacts(strings.NewReader(in)); err == nil {
			t.Errorf("%q is read as contacts", in)
		}
	}
}

func TestReadSMSes(t *testing.T) {
	p := invented(t, "fr")
	p.Get("sms-2.text").Value += "\nA second line & more"
	want := p.SMSes()
	for i := range want {
		want[i].Name = ""
	}
	for name, data := range map[string][]byte{"sms.txt": p.smsList(), "sms.xml": p.smsBackup()} {
		got, err := ReadSMSes(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	for _, in := range []string{"hello\n", "<smses><sms"} {
		if _, err := ReadSMSes(strings.NewReader(in)); err == nil {
			t.Errorf("%q is read as messages", in)
		}
	}
}

func TestInternational(t *testing.T) {
	for _, tc := range []struct{ number, country, want string }{
		{"06 39 98 47 12", "33", "+33639984712"},
		{"06 39 98 47 12", "+33", "+33639984712"},
		{"06 39 98 47 12", "", ""},
		{"+44 7700 900123", "33", "+447700900123"},
		{"0044 7700 900123", "", "+447700900123"},
		{"(202) 555-0143", "1", "+12025550143"},
		{"1-202-555-0143", "1", "+12025550143"},
		{"06 1234 5678", "39", "+390612345678"},
		{"3631", "33", ""},
	} {
		if got := International(tc.number, tc.country); got != tc.want {
			t.Errorf("%s in %q: %q, want %q", tc.number, tc.country, got, tc.want)
		}
	}
}

func TestPut(t *testing.T) {
	p := invented(t, "fr")
	all := len(p.Canaries)
	for _, tc := range []struct {
		kind    Kind
		value   string
		name    string
		changed bool
		more    int
	}{
		{IMEI, "352099001761481", "imei", true, 0},         // instead of the invented one
		{IMEI, "35 209900 176148 1", "imei", false, 0},     // is there
		{IMEI, "490154203237518", "imei-2", true, 1},       // of the second SIM
		{SMSSender, "+33639981122", "sms_sender", true, 2}, // beside the invented ones
		{ContactPhone, "+33639987755", "contact_phone", true, 3},
	} {
		changed, err := p.Put(Canary{Name: string(tc.kind), Kind: tc.kind, Value: tc.value})
		if err != nil {
			t.Fatal(err)
		}
		if c := p.Get(tc.name); c == nil || c.Invented || changed != tc.changed || len(p.Canaries) != all+tc.more {
			t.Errorf("%s: changed %t, want %t; %d values more, want %d", tc.name, changed, tc.changed, len(p.Canaries)-all, tc.more)
		}
	}
	if p.Invented {
		t.Error("a persona with real values calls itself invented")
	}
	if _, err := p.Put(Canary{Name: "imei", Kind: IMEI, Value: "1"}); err == nil || strings.Contains(p.Get("imei").Value, "x") {
		t.Error("a wrong value is taken")
	}
	if err := p.Check(); err != nil {
		t.Error(err)
	}
}

func FuzzImport(f *testing.F) {
	p, err := New(fixedSeed(), "fr")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(p.VCard())
	f.Add(p.smsList())
	f.Add(p.smsBackup())
	f.Add(DeviceTemplate())
	f.Fuzz(func(t *testing.T, data []byte) {
		_, _ = ReadContacts(bytes.NewReader(data))
		list, err := ReadValues(bytes.NewReader(data))
		if err == nil {
			for _, c := range list {
				if err := c.check(); err != nil {
					t.Error("a value that was read is not valid")
				}
			}
		}
		_, _ = ReadSMSes(bytes.NewReader(data))
	})
}
