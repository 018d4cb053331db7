package main

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"constat/inspect"
	"constat/proxy/flow"
)

// blindKind is one way in which one program sends things. The blind samples were
// labelled by the text of docs/classes.md alone, by somebody who had not read the
// detectors, and were not run before they were final: their figures are those of
// traffic that nobody tuned for. They are not to be tuned on; a rule that they
// inspire has to be tested on other samples.
//
// up, down and either are the classes that the request is, in words with spaces
// between them; open are those that the text leaves open.
type blindKind struct {
	name                   string
	up, down, either, open string
	make                   func(g *blindGen) *inspect.Subject
}

// blindGroups are the kinds by what they are mainly about.
var blindGroups = []struct {
	name   string
	rounds int
	kinds  []blindKind
}{
	{"messages", 4, blindMessages},
	{"calls", 4, blindCalls},
	{"people", 4, blindPeople},
	{"mail", 4, blindMail},
	{"notes", 4, blindNotes},
	{"greetings", 4, blindGreetings},
	{"places", 4, blindPlaces},
	{"pages", 4, blindPages},
	{"apps", 4, blindApps},
	{"secrets", 4, blindSecrets},
	{"identities", 4, blindIdentities},
	{"devices", 4, blindDevices},
	{"updates", 4, blindUpdates},
	{"sealed", 4, blindSealed},
	{"ordinary", 6, blindOrdinary},
	{"ordinary uploads", 6, blindOrdinaryUploads},
	{"ordinary media", 6, blindOrdinaryMedia},
}

// blind makes all samples of the blind split.
func (b *builder) blind() {
	for _, group := range blindGroups {
		b.blindGroup(group.name, group.rounds, group.kinds)
	}
	b.blindGroup("pictures", 4, b.blindPictures())
}

func (b *builder) blindGroup(name string, rounds int, kinds []blindKind) {
	r := b.rand("blind " + name)
	for ki, k := range kinds {
		for i := range rounds {
			g := newBlindGen(r, ki*5+i*3)
			for language, n := range keyLanguages {
				if strings.HasPrefix(k.name, language) {
					g.t = &talks[n]
				}
			}
			s := k.make(g)
			x := b.add("blind "+name+": "+k.name, i, s, "", "", words(k.open)...)
			x.blind = true
			x.want = make(map[inspect.Class]flow.Direction)
			for list, d := range map[string]flow.Direction{k.up: flow.Up, k.down: flow.Down, k.either: ""} {
				for _, c := range words(list) {
					x.want[c] = d
				}
			}
			if g.dress(s) {
				x.open = append(x.open, inspect.DeviceStats)
			}
		}
	}
}

// keyLanguages are the places in talks of the languages that kinds with keys of
// their own are called after: who names fields so has users who write so.
var keyLanguages = map[string]int{
	"Spanish": 1, "Portuguese": 2, "Italian": 3, "Polish": 6, "Turkish": 7, "Indonesian": 8, "Vietnamese": 9, "Korean": 10, "Chinese": 11, "Arabic": 12, "Ukrainian": 13,
}

func words(list string) (out []inspect.Class) {
	for _, w := range strings.Fields(list) {
		out = append(out, inspect.Class(w))
	}
	return out
}

// blindGen draws the contents of one blind sample.
type blindGen struct {
	*gen
	t *talk
}

func newBlindGen(r *rand.Rand, language int) *blindGen {
	return &blindGen{&gen{Rand: r}, &talks[language%len(talks)]}
}

// dress gives a request the headers that programs send along. It says whether
// the name of the program tells the model, too.
func (g *blindGen) dress(s *inspect.Subject) (model bool) {
	if s.Host == "api.example.com" {
		s.Host = g.oneOf("api.", "gw.", "sync.", "data.", "m.", "cloud.", "edge-eu.") + g.oneOf("lumora", "kvanta", "papaya-labs", "northgate", "tanuki", "blauwal", "sirocco") + g.oneOf(".example", ".example.net", ".example.com")
	}
	if s.Status == 0 {
		s.Status = 200
	}
	h := s.Request.Header
	set := func(name, value string) {
		if h.Get(name) == "" {
			h.Set(name, value)
		}
	}
	if strings.HasPrefix(h.Get("User-Agent"), "Dalvik/2.1.0 (Linux; U; Android 9; Phone") {
		p := one(g, phoneModels)
		agents := []string{
			"okhttp/4.12.0", "okhttp/4.9.3", "okhttp/3.14.9", "Ktor client", "Dart/3.3 (dart:io)", "axios/1.6.2", "Lumora/512 CFNetwork/1494.0.7 Darwin/23.4.0",
			"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Mobile Safari/537.36",
			"grpc-java-okhttp/1.59.0", "UnityPlayer/2021.3.16f1 (UnityWebRequest/1.0, libcurl/7.84.0-DEV)",
			fmt.Sprintf("Dalvik/2.1.0 (Linux; U; Android 13; %s Build/%s)", p.model, p.build),
		}
		i := g.IntN(len(agents))
		model = i == len(agents)-1
		h.Set("User-Agent", agents[i])
	}
	set("Accept-Encoding", "gzip")
	if g.IntN(3) == 0 {
		set("Accept-Language", g.t.code+g.oneOf("", ";q=0.9, en;q=0.7"))
	}
	switch g.IntN(6) {
	case 0:
		set("Authorization", "Bearer "+urlSafe(g.bytes(30)))
	case 1:
		set("X-Request-Id", g.uuid())
	case 2:
		set("Traceparent", "00-"+g.hex(32)+"-"+g.hex(16)+"-01")
	case 3:
		set("X-Signature", g.hex(40))
		set("X-Timestamp", fmt.Sprint(g.ms()))
	}
	if s.Request.Body != nil && s.Response.Body == nil && g.IntN(2) == 0 {
		s.Response.Header.Set("Content-Type", appJSON)
		s.Response.Body = js([]m{{"code": 0, "message": "success", "server_time": g.ms()}, {"status": "ok"}, {"result": true, "requestId": g.uuid()}, {"ok": 1, "next_poll": 900}}[g.IntN(4)])
	}
	return model
}

func one[T any](g *blindGen, list []T) T { return list[g.IntN(len(list))] }

// several are between least and most values.
func several[T any](g *blindGen, least, most int, f func(i int) T) []T {
	return times(g.gen, least, most, f)
}

// lines are several as text.
func (g *blindGen) lines(least, most int, cut string, f func(i int) string) []byte {
	return []byte(strings.Join(several(g, least, most, f), cut))
}

func (g *blindGen) text() string   { return one(g, g.t.sms) }
func (g *blindGen) memo() string   { return one(g, g.t.notes) }
func (g *blindGen) todo() string   { return one(g, g.t.todos) }
func (g *blindGen) topic() string  { return one(g, g.t.subjects) }
func (g *blindGen) letter() string { return one(g, g.t.letters) }
func (g *blindGen) words() string  { return one(g, g.t.searches) }
func (g *blindGen) title() string  { return one(g, g.t.titles) }
func (g *blindGen) wish() string   { return one(g, g.t.wishes) }
func (g *blindGen) e164() string   { return g.digitsFor(g.t.numbers[0]) }
func (g *blindGen) phone() string  { return g.digitsFor(one(g, g.t.numbers)) }
func (g *blindGen) given() string  { return one(g, g.t.given) }
func (g *blindGen) family() string { return one(g, g.t.family) }

func (g *blindGen) full() string {
	if g.t.code == "ko" || g.t.code == "zh" {
		return g.family() + g.given()
	}
	return g.given() + " " + g.family()
}

func (g *blindGen) email() string {
	user := g.oneOf("s.marchetti", "kasia_w", "dr.lindqvist", "tomoko", "biuro", "hzz", "the.real.bo", "yusuf-k", "j0nas", "lara.m", "nguyen.t", "oksana")
	return fmt.Sprintf("%s%d@%s", user, 1+g.IntN(998), g.oneOf("example.com", "mail.example.pl", "example.it", "posta.example.net", "uni-example.edu", "example.co.id"))
}

// at is a place near one of the corners, with six decimals.
func (g *blindGen) at() (lat, lon float64) {
	p := one(g, corners)
	return g.step(p[0], 0.06), g.step(p[1], 0.06)
}

func (g *blindGen) step(x, far float64) float64 {
	n := math.Round((x + (g.Float64()-0.5)*far) * 1e6)
	if math.Mod(n, 10) == 0 {
		n += 3
	}
	return n / 1e6
}

// ms is a time from 2022 on, in milliseconds.
func (g *blindGen) ms() int64  { return 1640995200000 + g.Int64N(125_000_000_000) }
func (g *blindGen) sec() int64 { return g.ms() / 1000 }
func (g *blindGen) moment() time.Time {
	return time.UnixMilli(g.ms()).UTC()
}
func (g *blindGen) iso() string   { return g.moment().Format("2006-01-02T15:04:05.000Z") }
func (g *blindGen) local() string { return g.moment().Format("02.01.2006 15:04") }
func (g *blindGen) day() string   { return g.moment().Format("2006-01-02") }

// page is the address of one that somebody reads.
func (g *blindGen) page() string {
	return "https://" + one(g, pageHosts) + one(g, slugs) + g.oneOf("", "/", "?p="+g.digits(2), "-"+g.digits(5)+".html", "#comments")
}

func (g *blindGen) appList(least, most int) []app {
	n := least + g.IntN(most-least+1)
	var out []app
	for _, i := range g.Perm(len(phoneApps))[:n] {
		out = append(out, phoneApps[i])
	}
	return out
}

func (g *blindGen) bssid() string { return g.mac(":") }

// release is what apps send of themselves with everything.
func (g *blindGen) release(v m) m {
	v["app_version"], v["platform"], v["lang"] = g.version(), g.oneOf("android", "Android", "ios"), g.t.code
	switch g.IntN(4) {
	case 0:
		v["request_id"], v["ts"] = g.uuid(), g.ms()
	case 1:
		v["consent"] = m{"analytics": g.IntN(2) == 0, "ads": false}
	case 2:
		v["sign"], v["nonce"] = g.hex(32), g.hex(8)
	}
	return v
}

func post(path string, v any) *inspect.Subject { return up("POST", path, appJSON, js(v)) }
func put(path string, v any) *inspect.Subject  { return up("PUT", path, appJSON, js(v)) }

// answer is what comes down to a request that says nothing.
func answer(path string, v any) *inspect.Subject { return down(path, appJSON+"; charset=utf-8", js(v)) }

func gqlPost(operation, text string, variables m) *inspect.Subject {
	return post("/graphql", m{"operationName": operation, "query": text, "variables": variables})
}

// pb is a message whose fields are numbered from 1 in the order given.
func pb(fields ...any) (b []byte) {
	for i, v := range fields {
		n := protowire.Number(i + 1)
		switch x := v.(type) {
		case nil:
		case string:
			b = protowire.AppendString(protowire.AppendTag(b, n, protowire.BytesType), x)
		case []byte:
			b = protowire.AppendBytes(protowire.AppendTag(b, n, protowire.BytesType), x)
		case [][]byte:
			for _, y := range x {
				b = protowire.AppendBytes(protowire.AppendTag(b, n, protowire.BytesType), y)
			}
		case []string:
			for _, y := range x {
				b = protowire.AppendString(protowire.AppendTag(b, n, protowire.BytesType), y)
			}
		case int:
			b = protowire.AppendVarint(protowire.AppendTag(b, n, protowire.VarintType), uint64(x))
		case int64:
			b = protowire.AppendVarint(protowire.AppendTag(b, n, protowire.VarintType), uint64(x))
		case float64:
			b = protowire.AppendFixed64(protowire.AppendTag(b, n, protowire.Fixed64Type), math.Float64bits(x))
		case float32:
			b = protowire.AppendFixed32(protowire.AppendTag(b, n, protowire.Fixed32Type), math.Float32bits(x))
		default:
			panic(fmt.Sprintf("pb: %T", v))
		}
	}
	return b
}

func grpcCall(path string, msg []byte) *inspect.Subject {
	return up("POST", path, "application/grpc", grpcFrame(msg))
}

func pbPost(path string, msg []byte) *inspect.Subject {
	return up("POST", path, "application/x-protobuf", msg)
}

// file is an upload with its name in a form of one further field.
func file(path, field, name, media string, data []byte, key, value string) *inspect.Subject {
	body, ct := upload(field, name, media, data, map[string]string{key: value})
	return up("POST", path, ct, body)
}

// dav is a request or an answer of WebDAV.
func dav(method, path, media, body string) *inspect.Subject {
	return up(method, path, media, []byte(body))
}

func multistatus(path, property string, items []string) *inspect.Subject {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="utf-8"?><d:multistatus xmlns:d="DAV:" xmlns:cal="urn:ietf:params:xml:ns:caldav" xmlns:card="urn:ietf:params:xml:ns:carddav">`)
	for i, item := range items {
		fmt.Fprintf(&b, `<d:response><d:href>%s/%d</d:href><d:propstat><d:prop><d:getetag>"%08x"</d:getetag><%s>%s</%s></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>`, path, i, i*7919+41, property, esc(item), property)
	}
	b.WriteString(`</d:multistatus>`)
	s := answered(up("REPORT", path, "application/xml", []byte(`<?xml version="1.0"?><d:sync-collection xmlns:d="DAV:"><d:sync-token/><d:sync-level>1</d:sync-level></d:sync-collection>`)), "application/xml; charset=utf-8", []byte(b.String()))
	s.Status = 207
	return s
}

// mqttPublish is an MQTT 3.1.1 PUBLISH of quality 0 in a WebSocket message.
func mqttPublish(topic string, payload []byte) *inspect.Subject {
	body := append(binary.BigEndian.AppendUint16(nil, uint16(len(topic))), topic...)
	body = append(body, payload...)
	head := []byte{0x30}
	for n := len(body); ; {
		d := byte(n % 128)
		if n /= 128; n > 0 {
			head = append(head, d|0x80)
			continue
		}
		head = append(head, d)
		break
	}
	return frame("/mqtt", append(head, body...), false)
}
