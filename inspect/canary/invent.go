package canary

import (
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"
)

// Locales lists the locales that New knows.
func Locales() []string { return []string{"fr", "en-GB", "en-US"} }

// locale is what an invented person of one country is made of.
type locale struct {
	country string // calling code
	// number makes a national number, as dialled within the country, in a range
	// that the regulator keeps free for fiction.
	number  func(r *rand.Rand) string
	given   []string
	family  [2][]string // halves of family names that nobody should bear
	lat     float64
	lon     float64
	phrases []string // with %s for a token
	notes   []string
	search  string
}

var locales = map[string]*locale{
	"fr": {
		country: "33",
		// Arcep decision 2018-0881, annex: numbers for audiovisual works.
		number:  func(r *rand.Rand) string { return fmt.Sprintf("639 98 %02d %02d", r.IntN(100), r.IntN(100)) },
		given:   []string{"Camille", "Odile", "Élodie", "Gaspard", "Noémie", "Aurèle", "Margaux", "Thibault", "Solène", "Bastien"},
		family:  [2][]string{{"Vanto", "Querma", "Brézo", "Lanvé", "Morcha", "Duvre", "Saulné", "Torpi"}, {"rnier", "lloux", "gnacq", "stoy", "ndrac", "bellec"}},
		lat:     46.8,
		lon:     2.4,
		phrases: []string{"Le code du coffre est %s, ne le dis à personne.", "On se retrouve à l'écluse, mot de passe %s, à 19 h.", "J'ai laissé la clé numéro %s sous le pot bleu.", "Le docteur a appelé : dossier %s, rien de grave.", "Ton virement %s est arrivé, merci !"},
		notes:   []string{"Racheter du fil, référence %s, avant samedi.", "Casier %s à la piscine, ne pas oublier le cadenas."},
		search:  "symptome",
	},
	"en-GB": {
		country: "44",
		// Ofcom, "Telephone numbers for use in TV and radio drama programmes".
		number:  func(r *rand.Rand) string { return fmt.Sprintf("7700 900%03d", r.IntN(1000)) },
		given:   []string{"Imogen", "Rupert", "Beatrix", "Alasdair", "Cressida", "Tobias", "Winifred", "Lachlan", "Philippa", "Jolyon"},
		family:  [2][]string{{"Thistle", "Quarren", "Braddle", "Mossing", "Hawker", "Pellow"}, {"thwick", "stone", "combeley", "mere", "worthy", "bourne"}},
		lat:     52.6,
		lon:     -1.5,
		phrases: []string{"The safe's combination is %s, please tell nobody.", "Meet me at the lock, password %s, about seven.", "I left key number %s under the blue pot.", "The surgery rang: file %s, nothing serious.", "Your transfer %s has arrived, thank you!"},
		notes:   []string{"Buy more thread, reference %s, before Saturday.", "Locker %s at the pool, bring the padlock."},
		search:  "symptom",
	},
	"en-US": {
		country: "1",
		// North American Numbering Plan: 555-0100 to 555-0199 are for fiction.
		number:  func(r *rand.Rand) string { return fmt.Sprintf("%d 555 01%02d", 202+r.IntN(3)*101, r.IntN(100)) },
		given:   []string{"Marlowe", "Delphine", "Thaddeus", "Odessa", "Quincy", "Rosalind", "Ambrose", "Clementine", "Lionel", "Tabitha"},
		family:  [2][]string{{"Thorn", "Quill", "Brax", "Halver", "Morrow", "Pender"}, {"wickham", "strand", "combley", "sworth", "gastone", "bury"}},
		lat:     39.8,
		lon:     -98.6,
		phrases: []string{"The safe combination is %s, don't tell anyone.", "Meet me at the dock, password %s, around seven.", "I left key number %s under the blue planter.", "The doctor called: file %s, nothing serious.", "Your transfer %s came through, thanks!"},
		notes:   []string{"Buy more thread, reference %s, before Saturday.", "Locker %s at the pool, bring the padlock."},
		search:  "symptom",
	},
}

const (
	contactCount = 5
	smsCount     = 5
	urlCount     = 2
	photoCount   = 3
)

// New invents a persona. Everything in it is drawn from 32 bytes of seed, so
// the same seed gives the same persona; give it crypto/rand.Reader. Formats
// with a check digit have a right one; numbers, addresses and ranges are those
// reserved for tests and fiction, so that no value belongs to anybody.
func New(seed io.Reader, name string) (*Persona, error) {
	l := locales[name]
	if l == nil {
		return nil, fmt.Errorf("unknown locale %q; the locales are %v", name, Locales())
	}
	var key [32]byte
	if _, err := io.ReadFull(seed, key[:]); err != nil {
		return nil, fmt.Errorf("invent persona: read seed: %w", err)
	}
	in := &inventor{Rand: rand.New(rand.NewChaCha8(key)), l: l, taken: make(map[string]bool)}
	person := in.fullName()
	p := &Persona{Version: FormatVersion, Name: person, Invented: true, Locale: name}
	add := func(name string, kind Kind, value string) {
		p.Canaries = append(p.Canaries, Canary{Name: name, Kind: kind, Value: value, Invented: true})
	}
	add("name", Name, person)
	add("phone", Phone, in.phone())
	add("email", Email, in.email(person))
	// Reporting body 00 is for test equipment (GSMA TS.06, allocation of TACs).
	add("imei", IMEI, in.checked("00"+l.country, 15))
	add("imsi", IMSI, "00101"+in.digits(10)) // ITU-T E.212: network 001-01 is for tests
	add("iccid", ICCID, in.checked("89"+l.country+"00", 19))
	add("serial", Serial, "CST"+in.token(10))
	add("android_id", AndroidID, in.hex(16))
	h := []byte(in.hex(32))
	h[12], h[16] = '4', "89ab"[in.IntN(4)] // RFC 9562 section 5.4
	add("advertising_id", AdvertisingID, fmt.Sprintf("%s-%s-%s-%s-%s", h[:8], h[8:12], h[12:16], h[16:20], h[20:]))
	add("mac", MAC, in.mac())
	add("bssid", BSSID, in.mac())
	add("ssid", SSID, "Atelier-"+in.token(11))
	for i := range contactCount {
		contact := in.fullName()
		add(fmt.Sprintf("contact-%d.name", i+1), ContactName, contact)
		add(fmt.Sprintf("contact-%d.phone", i+1), ContactPhone, in.phone())
		add(fmt.Sprintf("contact-%d.email", i+1), ContactEmail, in.email(contact))
	}
	for i := range smsCount {
		add(fmt.Sprintf("sms-%d.sender", i+1), SMSSender, in.phone())
		add(fmt.Sprintf("sms-%d.text", i+1), SMSText, fmt.Sprintf(l.phrases[i%len(l.phrases)], in.token(9)))
	}
	for i, note := range l.notes {
		add(fmt.Sprintf("note-%d", i+1), Note, fmt.Sprintf(note, in.token(9)))
	}
	for i := range urlCount {
		token := strings.ToLower(in.token(9))
		v := "https://example.org/search?q=" + l.search + "+" + token
		if i%2 == 1 {
			v = "https://example.org/read/" + token + "/index.html"
		}
		add(fmt.Sprintf("url-%d", i+1), URL, v)
	}
	// The first photo was taken at the place, the others elsewhere: their places
	// are values of their own, which betray them where only they are sent.
	model := "Constat Canary " + in.token(4)
	for i := range photoCount {
		lat, lon := l.lat+in.Float64()-0.5, l.lon+in.Float64()-0.5
		name := fmt.Sprintf("photo-%d", i+1)
		place := "place"
		if i > 0 {
			place = name + ".place"
		}
		add(place, Place, fmt.Sprintf("%.6f,%.6f", lat, lon))
		taken := time.Date(2024, time.Month(1+in.IntN(12)), 1+in.IntN(28), in.IntN(24), in.IntN(60), in.IntN(60), 0, time.UTC)
		photo, err := drawPhoto(in.Rand, scene{id: "constat-" + in.token(16), model: model, lat: lat, lon: lon, time: taken})
		if err != nil {
			return nil, fmt.Errorf("invent persona: %w", err)
		}
		p.Canaries = append(p.Canaries, Canary{Name: name, Kind: PhotoFile, Value: taken.Format("IMG_20060102_150405_") + in.token(9) + ".jpg", Photo: photo, Invented: true})
	}
	if err := p.Check(); err != nil {
		return nil, fmt.Errorf("invent persona: %w", err)
	}
	return p, nil
}

// inventor draws values and gives none of them twice.
type inventor struct {
	*rand.Rand
	l     *locale
	taken map[string]bool
}

func (in *inventor) fresh(draw func() string) string {
	for {
		if v := draw(); !in.taken[v] {
			in.taken[v] = true
			return v
		}
	}
}

func (in *inventor) fullName() string {
	return in.fresh(func() string { return in.l.given[in.IntN(len(in.l.given))] }) + " " +
		in.fresh(func() string {
			return in.l.family[0][in.IntN(len(in.l.family[0]))] + in.l.family[1][in.IntN(len(in.l.family[1]))]
		})
}

func (in *inventor) phone() string {
	return in.fresh(func() string { return "+" + in.l.country + onlyDigits(in.l.number(in.Rand)) })
}

func (in *inventor) email(person string) string {
	user := strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '.'
		case r < 0x80:
			return r
		}
		return -1
	}, strings.ToLower(unaccented(norm.NFC.String(person))))
	return user + "+" + strings.ToLower(in.token(9)) + "@example.org"
}

// tokenLetters leaves out what is easily misread or misheard.
const tokenLetters = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"

// token draws n characters of five bits, with at least one digit and one
// letter so that it is never a word.
func (in *inventor) token(n int) string {
	return in.fresh(func() string {
		for {
			b := make([]byte, n)
			for i := range b {
				b[i] = tokenLetters[in.IntN(len(tokenLetters))]
			}
			if strings.ContainsAny(string(b), "23456789") && strings.ContainsAny(string(b), tokenLetters[:24]) {
				return string(b)
			}
		}
	})
}

func (in *inventor) digits(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte('0' + in.IntN(10))
	}
	return string(b)
}

func (in *inventor) checked(prefix string, n int) string {
	d := prefix + in.digits(n-1-len(prefix))
	return d + string(luhnDigit(d))
}

func (in *inventor) hex(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = "0123456789abcdef"[in.IntN(16)]
	}
	return string(b)
}

// mac draws a locally administered address (IEEE 802-2014 section 8.4), so that
// it is no maker's.
func (in *inventor) mac() string {
	h := "02" + in.hex(10)
	return fmt.Sprintf("%s:%s:%s:%s:%s:%s", h[:2], h[2:4], h[4:6], h[6:8], h[8:10], h[10:])
}
