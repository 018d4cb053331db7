package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"constat/inspect"
	"constat/proxy/flow"
)

// fresh is one kind of request of the second blind split. labels are classes
// with a direction: "sms>" goes up, "sms<" comes down, "update_check=" is the
// request with its answer, and of "?email" the label says nothing.
type fresh struct {
	name, labels string
	make         maker
}

type (
	// maker draws one request.
	maker func(w *world) *inspect.Subject
	// content draws the bytes of one message.
	content func(w *world) []byte
)

// blind2 adds the second blind split: two requests of each kind of a class and
// three of each ordinary one.
func (b *builder) blind2() {
	r := b.rand("blind2")
	for _, k := range slices.Concat(freshTexts, freshPeople, freshPictures, freshPlaces, freshSecrets, freshDevices, freshSealed, freshOrdinary) {
		want, open := k.parse()
		rounds := 2
		if len(want) == 0 {
			rounds = 3
		}
		for i := range rounds {
			s := k.make(newWorld(newGen(r, i%2 == 1)))
			x := b.add("blind2 "+k.name, i, s, "", "", open...)
			x.blind2, x.want = true, want
		}
	}
}

func (k fresh) parse() (want map[inspect.Class]flow.Direction, open []inspect.Class) {
	want = make(map[inspect.Class]flow.Direction)
	for _, l := range strings.Fields(k.labels) {
		name := inspect.Class(strings.Trim(l, "<>=?"))
		switch {
		case l[0] == '?':
			open = append(open, name)
		case strings.HasSuffix(l, "<"):
			want[name] = flow.Down
		case strings.HasSuffix(l, "="):
			want[name] = ""
		default:
			want[name] = flow.Up
		}
	}
	return want, open
}

// to is a request to host/path?query.
func to(method, target string) *inspect.Subject {
	host, path, _ := strings.Cut(target, "/")
	s := subject(method, "/"+path)
	s.Host, s.Status = host, 200
	return s
}

// send is a request with a body. target and headers, "Name: value", are templates.
func send(method, target, media string, body content, headers ...string) maker {
	return func(w *world) *inspect.Subject {
		s := to(method, w.fill(target))
		if media != "" {
			s.Request.Header.Set("Content-Type", media)
		}
		if body != nil {
			s.Request.Body = body(w)
		}
		for _, h := range headers {
			name, value, _ := strings.Cut(h, ": ")
			s.Request.Header.Set(name, w.fill(value))
		}
		return s
	}
}

// postJSON is the commonest: a JSON template.
func postJSON(target, body string, headers ...string) maker {
	return send("POST", target, appJSON, text(body), headers...)
}

// postForm posts names and templates of values.
func postForm(target string, pairs ...string) maker {
	return send("POST", target, appForm, fields(pairs...))
}

// ask asks with names and templates of values.
func ask(target string, pairs ...string) maker {
	return func(w *world) *inspect.Subject {
		s := to("GET", w.fill(target))
		s.Query = string(fields(pairs...)(w))
		return s
	}
}

// with adds headers to a request.
func with(mk maker, headers ...string) maker {
	return func(w *world) *inspect.Subject {
		s := mk(w)
		for _, h := range headers {
			name, value, _ := strings.Cut(h, ": ")
			s.Request.Header.Set(name, w.fill(value))
		}
		return s
	}
}

// reply gives a request an answer.
func reply(mk maker, media string, body content) maker {
	return func(w *world) *inspect.Subject {
		s := mk(w)
		s.Response.Header.Set("Content-Type", media)
		s.Response.Body = body(w)
		return s
	}
}

// fetch is a plain GET and its answer.
func fetch(target, media string, body content) maker {
	return reply(ask(target), media, body)
}

// fetchJSON is fetch of a JSON template.
func fetchJSON(target, body string) maker { return fetch(target, appJSON, text(body)) }

// socket is one WebSocket message.
func socket(target string, d flow.Direction, isText bool, body content) maker {
	return func(w *world) *inspect.Subject {
		s := to("GET", w.fill(target))
		s.Status = 101
		s.Request.Header.Set("Upgrade", "websocket")
		s.Frame, s.FrameText, s.FrameDirection = body(w), isText, d
		return s
	}
}

// text is a template.
func text(t string) content { return func(w *world) []byte { return []byte(w.fill(t)) } }

// fields is a form.
func fields(pairs ...string) content {
	return func(w *world) []byte {
		var out []string
		for i := 0; i+1 < len(pairs); i += 2 {
			out = append(out, url.QueryEscape(pairs[i])+"="+url.QueryEscape(w.fill(pairs[i+1])))
		}
		return []byte(strings.Join(out, "&"))
	}
}

// field is a form of one value with what c draws, and more.
func field(name string, c content, pairs ...string) content {
	return func(w *world) []byte {
		rest := fields(pairs...)(w)
		out := []byte(name + "=" + url.QueryEscape(string(c(w))))
		if len(rest) > 0 {
			out = append(append(out, '&'), rest...)
		}
		return out
	}
}

// around puts what c draws between two templates.
func around(before string, c content, after string) content {
	return func(w *world) []byte {
		return slices.Concat([]byte(w.fill(before)), c(w), []byte(w.fill(after)))
	}
}

func through(c content, f func([]byte) []byte) content {
	return func(w *world) []byte { return f(c(w)) }
}

func zip64(c content) content   { return through(c, func(b []byte) []byte { return []byte(b64(gz(b))) }) }
func gzipped(c content) content { return through(c, gz) }
func in64(c content) content    { return through(c, func(b []byte) []byte { return []byte(b64(b)) }) }

func inURL64(c content) content {
	return through(c, func(b []byte) []byte { return []byte(base64.RawURLEncoding.EncodeToString(b)) })
}

// as rewrites a JSON template in another format.
func as(format func(v any) []byte, t string) content {
	return func(w *world) []byte {
		d := json.NewDecoder(strings.NewReader(w.fill(t)))
		d.UseNumber()
		var v any
		if err := d.Decode(&v); err != nil {
			panic(fmt.Sprintf("template %q: %v", t, err)) // a mistake in the tables
		}
		return format(numbers(v))
	}
}

func numbers(v any) any {
	switch x := v.(type) {
	case map[string]any:
		for k := range x {
			x[k] = numbers(x[k])
		}
	case []any:
		for i := range x {
			x[i] = numbers(x[i])
		}
	case json.Number:
		if n, err := x.Int64(); err == nil {
			return n
		}
		f, _ := x.Float64()
		return f
	}
	return v
}

func grpcOf(v any) []byte { return grpcFrame(protobuf(v)) }

func sqliteAs(name string) func(any) []byte {
	return func(v any) []byte { return sqliteFile(name, table(tree(v))) }
}

// mqtt is a PUBLISH packet of MQTT 3.1.1, 3.3, with QoS 0.
func mqtt(topic string, c content) content {
	return func(w *world) []byte {
		t := w.fill(topic)
		body := append(binary.BigEndian.AppendUint16(nil, uint16(len(t))), t...)
		body = append(body, c(w)...)
		return append(binary.AppendUvarint([]byte{0x30}, uint64(len(body))), body...)
	}
}

// inParts is multipart/form-data with one file.
func inParts(target, name, file, media string, c content, extra ...string) maker {
	return func(w *world) *inspect.Subject {
		const cut = "4b1fa7c0d3e84d3f"
		var b bytes.Buffer
		for i := 0; i+1 < len(extra); i += 2 {
			fmt.Fprintf(&b, "--%s\r\nContent-Disposition: form-data; name=%q\r\n\r\n%s\r\n", cut, extra[i], w.fill(extra[i+1]))
		}
		fmt.Fprintf(&b, "--%s\r\nContent-Disposition: form-data; name=%q; filename=%q\r\nContent-Type: %s\r\n\r\n", cut, name, w.fill(file), media)
		b.Write(c(w))
		fmt.Fprintf(&b, "\r\n--%s--\r\n", cut)
		s := to("POST", w.fill(target))
		s.Request.Header.Set("Content-Type", "multipart/form-data; boundary="+cut)
		s.Request.Body = b.Bytes()
		return s
	}
}

// world draws from the words of this split.
type world struct {
	*gen
	lat, lon float64 // where the phone is
}

func newWorld(g *gen) *world {
	w := &world{gen: g}
	p := b2Towns[g.IntN(len(b2Towns))]
	w.lat, w.lon = p[0]+g.Float64()*0.04+0.00003, p[1]+g.Float64()*0.04+0.00003
	return w
}

func (w *world) one(list []string) string { return list[w.IntN(len(list))] }

var (
	repeats = regexp.MustCompile(`(?s)⟦(.*?)\|(.*?)⟧`)
	drawn   = regexp.MustCompile(`\$([a-zA-Z]+)([0-9]*)`)
)

// fill draws a template: ⟦sep|x⟧ is x four to seven times with sep between
// them, $word is something drawn.
func (w *world) fill(t string) string {
	t = repeats.ReplaceAllStringFunc(t, func(s string) string {
		part := repeats.FindStringSubmatch(s)
		out := times(w.gen, 4, 7, func(int) string {
			w.lat, w.lon = w.lat+w.Float64()*0.003, w.lon+w.Float64()*0.003
			return w.words(part[2])
		})
		return strings.Join(out, strings.ReplaceAll(part[1], `\n`, "\n"))
	})
	return w.words(t)
}

func (w *world) words(t string) string {
	return drawn.ReplaceAllStringFunc(t, func(s string) string {
		part := drawn.FindStringSubmatch(s)
		n, _ := strconv.Atoi(part[2])
		switch part[1] {
		case "d":
			return w.digits(n)
		case "n": // a number below n
			return strconv.Itoa(w.IntN(n))
		case "h":
			return w.hex(n)
		case "r": // random bytes in base64
			return b64(w.bytes(n))
		case "u":
			return w.uuid()
		case "ms":
			return fmt.Sprint(w.when())
		case "sec":
			return fmt.Sprint(w.sec())
		case "iso":
			return w.iso()
		case "day":
			return w.day()
		case "time":
			return w.date()
		case "lat":
			return fmt.Sprintf("%.5f", w.lat)
		case "lon":
			return fmt.Sprintf("%.5f", w.lon)
		case "latE":
			return fmt.Sprintf("%.0f", w.lat*1e7)
		case "lonE":
			return fmt.Sprintf("%.0f", w.lon*1e7)
		case "name":
			return w.one(b2Given) + " " + w.one(b2Family)
		case "given":
			return w.one(b2Given)
		case "tel":
			return w.digitsFor(w.one(b2Numbers))
		case "mail":
			return strings.ToLower(w.one(b2Latin)) + "." + w.hex(3) + "@" + w.one(b2Mail)
		case "msg":
			return w.one(b2Messages)
		case "subj":
			return w.one(b2Subjects)
		case "note":
			return w.one(b2Notes)
		case "title":
			return w.one(b2Titles)
		case "pkg":
			return w.one(b2Packages)
		case "app":
			return w.one(b2Apps)
		case "page":
			return "https://" + w.one(b2Sites) + "/" + w.one(b2Paths)
		case "wish":
			return w.one(b2Wishes)
		case "model":
			return w.one(b2Models)
		case "imei":
			return w.imei()
		case "imsi":
			return w.imsi()
		case "iccid":
			return w.iccid()
		case "mac":
			return w.mac(":")
		case "pw":
			return w.one(b2Passwords) + w.digits(2)
		case "thing":
			return w.one(b2Things)
		}
		panic("template: no word " + s) // a mistake in the tables
	})
}
