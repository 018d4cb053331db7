package report

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"constat/store"
	"constat/store/claim"
	"constat/store/compare"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"
)

var placeRule = regexp.MustCompile(`\{[0-9n]\}`)

// places lists where a text puts what it speaks of.
func placesOf(text string) []string {
	list := placeRule.FindAllString(text, -1)
	slices.Sort(list)
	return slices.Compact(list)
}

// marked lists the styles of a text's markup.
func marked(text string) (list []string) {
	for _, r := range parse(text) {
		if r.As != "" {
			list = append(list, r.As+r.Link)
		}
	}
	slices.Sort(list)
	return list
}

// TestLanguagesSayTheSame holds that every language has the same keys, puts the same
// things into each text, and has the same code and links in it.
func TestLanguagesSayTheSame(t *testing.T) {
	if len(english.texts) < 300 {
		t.Fatalf("English has %d texts only", len(english.texts))
	}
	for _, l := range languages[1:] {
		if diff := cmp.Diff(slices.Sorted(maps.Keys(english.texts)), slices.Sorted(maps.Keys(l.texts))); diff != "" {
			// Labels for narrow screens are there where they differ from the heads of columns.
			for _, line := range strings.Split(diff, "\n") {
				if (strings.HasPrefix(line, "+") || strings.HasPrefix(line, "-")) && !strings.Contains(line, `"label.`) {
					t.Errorf("%s (-en +%s): %s", l.code, l.code, line)
				}
			}
		}
		if diff := cmp.Diff(slices.Sorted(maps.Keys(english.forms)), slices.Sorted(maps.Keys(l.forms))); diff != "" {
			t.Errorf("%s (-en +%s)\n%s", l.code, l.code, diff)
		}
		for key, text := range english.texts {
			other := l.texts[key]
			if strings.HasPrefix(key, "label.") {
				continue
			}
			if diff := cmp.Diff(placesOf(text), placesOf(other)); diff != "" && !strings.HasPrefix(key, "finding.") {
				t.Errorf("%s: %s has other places (-en +%s)\n%s", key, l.code, l.code, diff)
			}
			if diff := cmp.Diff(marked(text), marked(other)); diff != "" {
				t.Errorf("%s: %s has other markup (-en +%s)\n%s", key, l.code, l.code, diff)
			}
			if other == text && len(strings.Fields(text)) > 2 && !strings.Contains(text, "{0}") {
				t.Errorf("%s is not translated: %q", key, text)
			}
		}
		for key, forms := range english.forms {
			for i, form := range l.forms[key] {
				a, b := placesOf(forms[min(i, len(forms)-1)]), placesOf(form)
				if diff := cmp.Diff(a, b); diff != "" {
					t.Errorf("%s, form %d (-en +%s)\n%s", key, i, l.code, diff)
				}
			}
			if want := l.form(1_000_000) + 1; len(l.forms[key]) < want {
				t.Errorf("%s has %d forms of %s, and a number takes the %dth", l.code, len(l.forms[key]), key, want)
			}
		}
	}
}

// usedKey finds the keys that code and template ask for.
var usedKey = regexp.MustCompile(`(?:say|line|count|text|has|col)\("([a-z][a-z.0-9_]*[a-z0-9])"|\bsay "([a-z.]+)"|\.say\("[a-z]*", "([a-z.]+[a-z])"`)

// TestEveryKeyIsThere holds that what is asked for by name is in the languages.
func TestEveryKeyIsThere(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, name := range append(files, "report.html") {
		if strings.HasSuffix(name, "_test.go") || name == "english.go" || name == "french.go" {
			continue
		}
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range usedKey.FindAllStringSubmatch(string(data), -1) {
			key := m[1] + m[2] + m[3]
			if strings.Contains(m[0], "col(") {
				key = "col." + key
			}
			if english.texts[key] == "" && english.forms[key] == nil && !slices.Contains([]string{"lead", "note", "none", "reason"}, key) {
				t.Errorf("%s asks for %q, which English does not have", name, key)
			}
			found++
		}
	}
	if found < 150 {
		t.Errorf("found %d keys only", found)
	}
}

// answered gives the invented affair answers and comparisons.
func answered(b *builder) Options {
	b.t.Helper()
	opt := b.options()
	coverage := store.Coverage{
		Sessions: 2, Duration: 47 * time.Minute, Connections: 35, Readable: 32, BytesUp: 138_408, BytesDown: 87_069, ReadableUp: 119_668, ReadableDown: 30_769, Requests: 29,
		OpaqueRequests: 1, OpaqueUp: 2048, Unread: []store.UnreadHost{{Host: "bank.example", Outcome: "suspected_pin", Connections: 1}}, Escapes: []string{"quic", "mobile_data", "raw_sockets"},
	}
	sessions, err := b.c.Sessions(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	said := claim.Statement{
		Who: "Vendor Inc. (invented)", When: time.Date(2026, 7, 30, 0, 0, 0, 0, time.UTC), Source: "https://vendor.example/statement",
		Quote: claim.Text{"en": "The phone does not secretly upload text messages.", "fr": "Le téléphone n’envoie aucun message texte à l’insu de l’utilisateur."},
	}
	text := func(en, fr string) claim.Text { return claim.Text{"en": en, "fr": fr} }
	opt.Answers = []claim.Answer{
		{
			Claim: "C1", Title: text("No text message leaves unasked", "Aucun SMS ne part sans demande"), Said: said,
			Question: text("Does a text message leave the phone while the cloud is off?", "Un SMS quitte-t-il le téléphone alors que le nuage est désactivé ?"),
			Verdict:  claim.Refuted, Because: text("2 requests to api.comm.vendor.example carry a planted message while the cloud was declared off.", "2 requêtes vers api.comm.vendor.example portent un SMS témoin alors que le nuage était déclaré désactivé."),
			Deciding: []claim.Deciding{
				{Request: 25, Time: b.now, Session: "message received", Host: "api.comm.vendor.example", Reason: "the planted text is in the body", Path: "request.body|form:p|base64|json:smsText", Direction: "up", For: claim.Refuted},
				{Request: 2, Time: b.now, Host: "stats.analytics.example", Reason: "statistics go out as well", Path: "request.body|form:data_list|base64|gzip|json:[0].event", Direction: "up", For: claim.Refuted},
			},
			More: 3, Coverage: coverage, Required: 0.9, Limits: text("It does not say what the receiver did with it.", "Elle ne dit pas ce que le destinataire en a fait."),
			Controls: []claim.Control{{Name: "positive", Needed: true, Passed: true, Sentence: text("A planted value was seen.", "Une valeur témoin a été vue.")}, {Name: "negative", Needed: true}},
			Roles:    []claim.Role{{Name: "cloud off", Needed: 1, Sessions: sessions}},
			Queries:  []string{"SELECT request_id FROM findings WHERE class = 'sms' AND direction = 'up'"},
		},
		{
			Claim: "C2", Title: text("Only greetings come down", "Seuls des vœux sont reçus"), Said: said, Verdict: claim.Supported, Question: text("Is it so?", "Est-ce le cas ?"),
			Because: text("5 answers hold greetings.", "5 réponses contiennent des vœux."), Deciding: []claim.Deciding{{Request: 1, Host: "api.comm.vendor.example", Reason: "greetings", For: claim.Supported}}, Coverage: coverage,
		},
		{
			Claim: "C3", Title: text("An id is random each time", "Un identifiant est aléatoire à chaque envoi"), Verdict: claim.Undecided, Because: text("There is one session only.", "Il n’y a qu’une session."),
			Missing: []claim.Text{text("A second phone.", "Un second téléphone.")}, Coverage: coverage, Deciding: []claim.Deciding{{Request: 9999, Reason: "of another case", For: claim.Refuted}},
		},
	}
	side := func(label string) compare.Side {
		return compare.Side{Label: label, File: "invented.constat", Sessions: sessions[:1], Requests: 23, BytesUp: 40_000, Coverage: coverage}
	}
	opt.Comparisons = []compare.Comparison{{
		A: side("cloud=off"), B: side("cloud=on"), Same: 4, More: 2,
		Rows: []compare.Row{
			{What: "host", Key: "gallery.vendor.example", Change: compare.Appears, B: 1, SessionsB: 1, OfA: 1, OfB: 1, Sure: "open", Cause: compare.OneSession, Why: "One session on a side can be chance."},
			{What: "class", Key: "sms up", Change: compare.Vanish, A: 4, SessionsA: 4, OfA: 4, OfB: 4, Sure: "likely", Cause: compare.Parted, P: 0.0286, Chance: 0.2, Unseen: 0.527, Untold: 1, Why: "seen in every session of A and in none of B"},
			{What: "class", Key: "photo up", Change: compare.Vanish, A: 5, SessionsA: 5, OfA: 5, OfB: 5, Sure: "likely", Cause: compare.Parted, P: 0.00794, Chance: 0.2, Unseen: 0.451},
			{What: "path", Key: "api.comm.vendor.example /x", Change: compare.More, A: 4, B: 40, SessionsA: 4, SessionsB: 4, OfA: 4, OfB: 4, Sure: "likely", Cause: compare.Separate, P: 0.0286, PerHourA: 1.25, PerHourB: 1234.4},
			{What: "host", Key: "bank.example", Change: compare.Hidden, SessionsA: 2, OfA: 0, OfB: 2, Sure: "open", Cause: compare.NotRead, P: 1},
			{What: "host", Key: "other.example", Change: compare.Appears, B: 1, SessionsB: 1, OfA: 1, OfB: 1, Sure: "open", Cause: "unheard_of", Why: "Something that is not known here."},
		},
		Cautions: []compare.Caution{
			{Word: "one_session", Sentence: "Each side has one session only."},
			{Word: "few_sessions"},
			{Word: "stopped", Count: 2},
			{Word: "length", Sides: []float64{600, 3700}},
			{Word: "coverage", Sides: []float64{0.955, 0.5}},
			{Word: "coverage", Sides: []float64{-1, 0.7}},
			{Word: "not_inspected", Count: 1200},
			{Word: "device", Differ: []compare.Difference{{A: []string{"redmi"}, B: []string{"redmi", "pixel"}}}},
			{Word: "declared", Differ: []compare.Difference{{Name: "redmi rom"}, {Name: "…"}}},
			{Word: "conditions", Differ: []compare.Difference{{Name: "network", A: []string{"wifi"}}, {Name: "screen", A: []string{"off"}, B: []string{"off", "on"}}}},
			{Word: "persona"},
			{Word: "tool", Differ: []compare.Difference{{A: []string{"constat v0.0-test"}, B: []string{"constat"}}}},
			{Word: "control"},
			{Word: "chance", Count: 412, Sides: []float64{1.34, 7}},
			{Word: "cut", Count: 100_000, Differ: []compare.Difference{{Name: "path", Count: 8}}},
			{Word: "unheard_of", Sentence: "Something else weakens it."},
		},
	}}
	return opt
}

// TestFrench renders the affair in French and looks for English in all that is not
// quoted from the record.
func TestFrench(t *testing.T) {
	b := newBuilder(t)
	b.affair()
	opt := answered(b)
	opt.Lang, opt.BannerLang = "fr", "en"
	page := b.html(opt)
	if *keep != "" {
		if err := os.WriteFile(strings.TrimSuffix(*keep, ".html")+"-fr.html", []byte(page), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string(nil), strange(t, page)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if !strings.Contains(page, `<html lang="fr">`) || strings.Contains(page, "⟦") {
		t.Error("the page is not in French, or a text is missing")
	}
	english := strings.Fields("the of and is was were which that with from this not are been has had what whether to by for says its")
	for _, text := range ownText(t, page) {
		for _, word := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) }) {
			if slices.Contains(english, word) && !recordedText(text) {
				t.Errorf("%q is in the French report: %q", word, text)
				break
			}
		}
	}
	if strings.Contains(page, "Each side has one session only.") {
		t.Error("a sentence of a comparison is in English")
	}
	for _, want := range []string{
		"Ce qui a quitté le téléphone", "Des messages texte (SMS) ont été relevés dans 2\u00a0requêtes vers api.comm.vendor.example\u00a0: présence confirmée par une valeur témoin.",
		"«\u00a0Non relevé\u00a0» ne signifie donc jamais «\u00a0non envoyé\u00a0».", "réfutée", "Pièce\u00a0n°\u00a01", "<span lang=\"en\">«\u00a0", "Prendre le corps de la requête tel qu’il a circulé (243\u00a0octets).", "65,9\u00a0%", "2 nov. 2026, 08:51:30 UTC", "30 juillet 2026",
		"L’un des côtés ne compte qu’une session\u00a0: toute différence peut tenir au hasard.", "Something else weakens it.", "Something that is not known here.",
		"Le hasard seul sépare aussi nettement les sessions dans 2,9\u00a0cas sur 100. L’élément peut encore survenir dans 52,7\u00a0% au plus des sessions de B (confiance de 95\u00a0%). 1\u00a0session n’aurait pas pu le montrer.",
		"Tant d’éléments ont été comparés que 20,0\u00a0% des lignes de ce genre sont à attendre du seul hasard.", "1,2\u00a0requêtes par heure dans A, 1\u202f234 dans B. Chaque session d’un côté",
		"Dans A, le téléphone s’y est connecté sans que rien n’ait pu être lu", "des connexions seulement, dans 2 des 2\u00a0sessions", "10\u00a0min dans A et 1\u00a0h 1\u00a0min dans B en moyenne",
		"95,5\u00a0% ont pu être lus dans A et 50,0\u00a0% dans B", "70,0\u00a0% ont pu être lus dans B\u00a0:", "1\u202f200\u00a0requêtes n’ont pas été analysées", "téléphones différents\u00a0: redmi dans A, redmi, pixel dans B.", "network (wifi dans A, non déclaré dans B)\u202f; screen (off dans A, off, on dans B)",
		"412\u00a0éléments ont été comparés.", "jusqu’à 1,3 environ", "1 sur 8 dans le genre «\u00a0chemin\u00a0», les 100\u202f000 premiers serveurs",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is not in the French report", want)
		}
	}
}

// recordedText says that a text is a name of the invented affair.
func recordedText(text string) bool {
	return slices.Contains([]string{"phone on the table", "idle, cloud off", "message received", "photo taken", "cloud off"}, strings.TrimSpace(text))
}

// ownText lists the texts of a page that the report says itself: all but what is
// quoted in another language, code, and bytes.
func ownText(t *testing.T, page string) (list []string) {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	var walk func(n *html.Node)
	walk = func(n *html.Node) {
		if n.Type == html.TextNode {
			if s := strings.TrimSpace(n.Data); s != "" {
				list = append(list, s)
			}
			return
		}
		quotes := n.Data == "code" || n.Data == "pre" || n.Data == "style"
		for _, a := range n.Attr {
			switch {
			case a.Key == "lang" && n.Data != "html", a.Key == "class" && (a.Val == "mono" || a.Val == "request" || a.Val == "path"):
				quotes = true
			case a.Key == "title" || a.Key == "alt" || a.Key == "aria-label" || a.Key == "data-label":
				list = append(list, a.Val)
			}
		}
		if quotes {
			return
		}
		for c := range n.ChildNodes() {
			walk(c)
		}
	}
	walk(doc)
	return list
}

// strangers writes every text of a language in letters of no European language, so
// that what remains in Latin letters was not said by the language.
func strangers(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '`' || c == '[': // code and links stay
			end := map[byte]string{'`': "`", '[': ")"}[c]
			if j := strings.Index(s[i+1:], end); j >= 0 {
				b.WriteString(s[i : i+1+j+1])
				i += j + 1
				continue
			}
			b.WriteByte(c)
		case c == '{' && i+2 < len(s) && s[i+2] == '}':
			b.WriteString(s[i : i+3])
			i += 2
		case c >= 'a' && c <= 'z':
			b.WriteRune(0x10d0 + rune(c-'a')) // Georgian
		case c >= 'A' && c <= 'Z':
			b.WriteRune(0x10d0 + rune(c-'A'))
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// TestNoWordIsSaidElsewhere writes the report in a language without Latin letters:
// what is left of them must be of the record.
func TestNoWordIsSaidElsewhere(t *testing.T) {
	strange := english
	strange.code, strange.typeset, strange.and = "ka", strangers, " და "
	strange.bytes, strange.months = [4]string{"ბ", "კბ", "მბ", "გბ"}, make([]string, 12)
	languages = append(languages, &strange)
	t.Cleanup(func() { languages = languages[:len(languages)-1] })
	b := newBuilder(t)
	b.affair()
	opt := answered(b)
	opt.Lang, opt.BannerLang, opt.Owners = "ka", "en", roles{}
	for i := range opt.Answers {
		a := &opt.Answers[i]
		for _, text := range append([]claim.Text{a.Title, a.Question, a.Because, a.Limits, a.Said.Quote}, a.Missing...) {
			if text != nil {
				text["ka"] = "·"
			}
		}
		for _, c := range a.Controls {
			if c.Sentence != nil {
				c.Sentence["ka"] = "·"
			}
		}
	}
	page := b.html(opt)
	record := recordWords(t, b)
	quotation := regexp.MustCompile(`“[^”]*”`) // of the record
	for _, text := range ownText(t, page) {
		for _, word := range strings.FieldsFunc(quotation.ReplaceAllString(text, ""), func(r rune) bool { return r > unicode.MaxASCII || !unicode.IsLetter(r) }) {
			if len(word) > 1 && !record[strings.ToLower(word)] {
				t.Errorf("%q is said outside of the language: %q", word, short(text, 200))
				break
			}
		}
	}
	if len(record) > 400 {
		t.Errorf("%d words count as recorded: the test lets too much pass", len(record))
	}
}

// recordWords are the words of names in the invented affair: hosts, companies,
// sessions, planted values, programs, units.
func recordWords(t *testing.T, b *builder) map[string]bool {
	t.Helper()
	words := map[string]bool{}
	put := func(text string) {
		for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r > unicode.MaxASCII || !unicode.IsLetter(r) }) {
			words[strings.ToLower(word)] = true
		}
	}
	for _, query := range []string{
		"SELECT host || ' ' || owner || ' ' || country || ' ' || device || ' ' || http_version || ' ' || path || ' ' || session || ' ' || method FROM requests",
		"SELECT canary || ' ' || kind FROM canary_hits", "SELECT server_tls || ' ' || host || ' ' || client_alert FROM connections", "SELECT as_holder || ' ' || cloud || ' ' || registry || ' ' || data FROM addresses",
	} {
		rows, err := b.c.DB().QueryContext(context.Background(), query)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var s *string
			if err := rows.Scan(&s); err != nil {
				t.Fatal(err)
			}
			if s != nil {
				put(*s)
			}
		}
		if err := rows.Close(); err != nil {
			t.Fatal(err)
		}
	}
	put("invented.constat; other.example; redmi; pixel; rom")
	put("idle, cloud off; message received; photo taken; phone on the table; constat v0.0-test; UTC; Vendor Inc. (invented); cloud=off cloud=on; sms up; CN; SHA SHA-256; h min s; JPEG PNG; https://vendor.example/statement; MD5 SHA1")
	put(b.persona.Name)
	for _, v := range b.gather().Identifiers.Values {
		put(v.Kind + " " + strings.Join(v.Names, " ") + " " + v.TimeInValue + " " + v.SetBy)
	}
	for _, f := range b.gather().Identifiers.Fields {
		put(f.Name + " " + f.Path)
	}
	put("RouteViews; IP Geolocation by DB-IP; NRO; ip-location-db; CC BY 4.0; cloud network screen off on wifi")
	d := b.gather()
	put(d.Case.ID + " " + fmt.Sprint(roles{}.Lookup("api.vendor.example", netip.Addr{})))
	return words
}
