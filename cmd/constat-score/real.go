package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"constat/inspect"
	"constat/proxy/flow"
)

// harEntry is what is read of a HAR.
type harEntry struct {
	Request struct {
		Method, URL string
		Headers     []struct{ Name, Value string }
		PostData    struct {
			MimeType, Text string
			Encoding       string `json:"_encoding"`
		}
	}
	Response struct {
		Status  int
		Headers []struct{ Name, Value string }
		Content struct{ MimeType, Text, Encoding string }
	}
}

func (b *builder) har(name string) []*inspect.Subject {
	data := b.read(name)
	if data == nil {
		return nil
	}
	var file struct{ Log struct{ Entries []harEntry } }
	if err := json.Unmarshal(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), &file); err != nil {
		b.notes = append(b.notes, name+" is not a HAR")
		return nil
	}
	var out []*inspect.Subject
	for _, e := range file.Log.Entries {
		u, err := url.Parse(e.Request.URL)
		if err != nil {
			u = &url.URL{Path: "/"}
		}
		s := subject(e.Request.Method, u.EscapedPath()+"?"+u.RawQuery)
		s.Host, s.Scheme = u.Hostname(), u.Scheme
		s.Request.Header = make(http.Header)
		for _, h := range e.Request.Headers {
			if !strings.HasPrefix(h.Name, ":") {
				s.Request.Header.Add(h.Name, h.Value)
			}
		}
		if mime := e.Request.PostData.MimeType; mime != "" {
			s.Request.Header.Set("Content-Type", mime)
		}
		s.Request.Body = []byte(e.Request.PostData.Text)
		if e.Request.PostData.Encoding == "base64" {
			s.Request.Body = unbase64(e.Request.PostData.Text)
		}
		for _, h := range e.Response.Headers {
			// What a HAR holds has its content coding taken off.
			if !strings.HasPrefix(h.Name, ":") && !strings.EqualFold(h.Name, "Content-Encoding") {
				s.Response.Header.Add(h.Name, h.Value)
			}
		}
		s.Response.Body = []byte(e.Response.Content.Text)
		if e.Response.Content.Encoding == "base64" {
			s.Response.Body = unbase64(e.Response.Content.Text)
		}
		s.Status = max(e.Response.Status, 200)
		out = append(out, s)
	}
	return out
}

// webHARs are a few minutes of somebody's browsing. The requests that send an
// account, a client or a page somewhere are named with what is open in them.
var webHARs = []struct {
	file string
	open map[int][]inspect.Class // by index
}{
	{"flows__diff_data.har", map[int][]inspect.Class{
		0: classes(inspect.Opaque), 3: classes(inspect.Identifiers, inspect.BrowsingHistory, inspect.Opaque, inspect.DeviceStats), 4: classes(inspect.Identifiers, inspect.DeviceStats),
	}},
	{"flows__event_stream.har", map[int][]inspect.Class{0: classes(inspect.Identifiers), 1: classes(inspect.Identifiers, inspect.DeviceStats)}},
	{"flows__websocket.har", nil},
	{"flows__successful_log.har", nil},
	{"har_files__charles.har", nil},
	{"har_files__chrome.har", nil},
	{"har_files__firefox.har", nil},
	{"har_files__insomnia.har", nil},
	{"har_files__safari.har", nil},
	{"har_files__head-content-length.har", nil},
	{"har_files__postdata.har", map[int][]inspect.Class{0: classes(inspect.Identifiers, inspect.BrowsingHistory, inspect.DeviceStats)}},
}

// web are ordinary web pages with what they fetch: nothing personal is in them.
func (b *builder) web() {
	n := 0
	for _, f := range webHARs {
		for i, s := range b.har("har-formats/mitmproxy/" + f.file) {
			open := f.open[i]
			if s.Request.Header.Get("Cookie") != "" {
				open = append(open, inspect.Identifiers) // a browser's lasting id, told to the site that gave it
			}
			b.add("web "+strings.TrimSuffix(f.file, ".har"), n, s, "", "", open...)
			n++
		}
	}
}

// fixtures are requests in the envelopes of the affair, with their truth.
func (b *builder) fixtures() {
	sc := bufio.NewScanner(bytes.NewReader(b.read("xiaomi/fixtures.jsonl")))
	sc.Buffer(nil, 1<<20)
	for i := 0; sc.Scan(); i++ {
		var f struct {
			ID, Method, URL string
			Headers         map[string]string
			Mime, Body      string
			Response        *struct{ Mime, Body string }
			Truth           struct {
				Class, Dir    string
				IDs, Canaries []string
			}
		}
		if err := json.Unmarshal(sc.Bytes(), &f); err != nil {
			b.notes = append(b.notes, fmt.Sprintf("xiaomi/fixtures.jsonl:%d is not as expected", i+1))
			continue
		}
		u, err := url.Parse(f.URL)
		if err != nil {
			continue
		}
		s := up(f.Method, u.EscapedPath()+"?"+u.RawQuery, f.Mime, []byte(f.Body))
		s.Host, s.Scheme = u.Hostname(), u.Scheme
		for k, v := range f.Headers {
			s.Request.Header.Set(k, v)
		}
		if f.Response != nil {
			s.Response.Body = []byte(f.Response.Body)
			s.Response.Header.Set("Content-Type", f.Response.Mime)
		}
		b.affair(i, f.ID, s, f.Truth.Class, f.Truth.Dir == "downlink", f.Truth.IDs, f.Truth.Canaries)
	}
}

// affair translates the words of the fixtures' truth.
func (b *builder) affair(i int, id string, s *inspect.Subject, truth string, isDown bool, ids, canaries []string) {
	x := b.add("affair "+id, i, s, "", "", inspect.DeviceStats)
	d := flow.Up
	if isDown {
		d = flow.Down
	}
	x.want = make(map[inspect.Class]flow.Direction)
	switch truth {
	case "ota":
		x.want[inspect.UpdateCheck] = ""
	case "greeting":
		// A version and a list of headings are no texts.
		if id == "greet-version" || id == "greet-legacy-xshare" {
			x.open = append(x.open, inspect.GreetingContent, inspect.UpdateCheck)
			break
		}
		x.want[inspect.GreetingContent] = d
	case "sms_sync":
		// Parameters that are sealed one by one are too short to be measured.
		x.open = append(x.open, inspect.SMS)
	default:
		x.want[inspect.Class(truth)] = d
	}
	x.open = append(x.open, inspect.Identifiers)
	if len(ids) > 0 {
		x.want[inspect.Identifiers] = flow.Up
	}
	if slices.Contains(canaries, "app_list") {
		x.open = append(x.open, inspect.AppList) // one app's name many times is no list
	}
	// What is sealed with a published key is both: sealed, and readable.
	x.open = append(x.open, inspect.Opaque)
	if id == "micloud-gallery-list" {
		x.open = append(x.open, inspect.Location) // of the picture, and comes down
	}
}

// loopbackTruth is the label file of the SDKs' traffic.
type loopbackTruth struct {
	Persona  map[string]any
	Requests []loopbackRow
}

type loopbackRow struct {
	HAR      string
	Index    int
	Scenario string
	Found    map[string]string
}

func (b *builder) loopbackTruth() (t loopbackTruth) {
	data := b.read("payloads/sdk-loopback/truth.json")
	if data == nil {
		return t
	}
	if err := json.Unmarshal(data, &t); err != nil {
		b.notes = append(b.notes, "payloads/sdk-loopback/truth.json is not as expected")
	}
	return t
}

// carriedClass is what a planted value in a request makes the request.
var carriedClass = map[string]inspect.Class{
	"sms_body": inspect.SMS, "contact_name": inspect.Contacts, "contact_phone": inspect.Contacts, "jpeg": inspect.Photo,
	"lat": inspect.Location, "lon": inspect.Location, "browse_url": inspect.BrowsingHistory,
	"imei": inspect.Identifiers, "imsi": inspect.Identifiers, "android_id": inspect.Identifiers, "aaid": inspect.Identifiers,
	"mac": inspect.Identifiers, "serial": inspect.Identifiers, "email": inspect.Identifiers, "phone": inspect.Identifiers,
	"imei:md5": inspect.Identifiers, "imei:sha1b64u16": inspect.Identifiers, "aaid:sha1": inspect.Identifiers,
	"email:sha256": inspect.Identifiers, "phone:sha256": inspect.Identifiers,
}

// loopback labels the traffic of the SDKs by what truth.json found in the bytes.
func (b *builder) loopback() {
	hars := make(map[string][]*inspect.Subject)
	for i, row := range b.loopbackTruth().Requests {
		if hars[row.HAR] == nil {
			hars[row.HAR] = b.har("payloads/sdk-loopback/" + row.HAR)
		}
		if row.Index >= len(hars[row.HAR]) {
			continue
		}
		// The SDKs send the device along with whatever they send, and an id of
		// their own, which the truth does not tell.
		x := b.add("sdk "+strings.TrimSuffix(row.HAR, ".har")+" "+row.Scenario, i, hars[row.HAR][row.Index], "", "", inspect.DeviceStats, inspect.Identifiers)
		x.want = make(map[inspect.Class]flow.Direction)
		for key := range row.Found {
			if c := carriedClass[key]; c != "" {
				x.want[c] = flow.Up
			}
		}
		s := hars[row.HAR][row.Index]
		session := strings.Contains(row.HAR, "sentry") && bytes.Contains(s.Request.Body, []byte(`{"type":"session"}`))
		switch {
		case strings.HasPrefix(row.Scenario, "stats_") && !session:
			x.want[inspect.DeviceStats] = flow.Up
		case row.Scenario == "location" || row.Scenario == "photo":
			// Coordinates as binary numbers are not in the truth, and the picture
			// has a place in it.
			x.open = append(x.open, inspect.Location, inspect.Photo)
		}
		if strings.Contains(row.HAR, "matomo") {
			x.open = append(x.open, inspect.BrowsingHistory) // screens as addresses of app.invalid
		}
	}
}

// connectors labels what a vendor's connectors send to other vendors, by simple
// looks at the names and values in the JSON. What such looks cannot decide is
// left open; the classes that these services have nothing to do with are not.
func (b *builder) connectors() {
	for i, s := range b.har("payloads/rudder-transformer/requests.har") {
		x := b.add("connector", i, s, "", "")
		x.want = make(map[inspect.Class]flow.Direction)
		l := look(s.Request.Body)
		if q, err := url.ParseQuery(s.Query); err == nil {
			for k := range q {
				l.walk(k, q.Get(k), 0)
			}
		}
		if q, err := url.ParseQuery(string(s.Request.Body)); err == nil && strings.Contains(s.Request.Header.Get("Content-Type"), "form") {
			for k := range q {
				l.walk(k, q.Get(k), 0)
			}
		}
		l.label(x, s)
	}
}

// looks is what is noted of a document: the last value of each name, which is
// without case and punctuation.
type looks struct {
	names            map[string]string
	email, url, list bool
	lat, lon         string
}

var (
	emailLook = regexp.MustCompile(`^[\w.+%-]+@[\w-]+(\.[\w-]+)*\.[A-Za-z]{2,}$`)
	plainName = strings.NewReplacer("_", "", "-", "", ".", "", "$", "", " ", "")
)

// look reads a document or several, one a line.
func look(data []byte) *looks {
	l := &looks{names: make(map[string]string)}
	dec := json.NewDecoder(bytes.NewReader(data))
	for {
		var v any
		if dec.Decode(&v) != nil {
			return l
		}
		l.walk("", v, 0)
	}
}

func (l *looks) walk(name string, v any, depth int) {
	name = plainName.Replace(strings.ToLower(name))
	if _, ok := l.names[name]; !ok {
		l.names[name] = "" // of an object or a list
	}
	switch x := v.(type) {
	case map[string]any:
		for k, v := range x {
			l.walk(k, v, depth+1)
		}
	case []any:
		l.list = l.list || len(x) > 1
		for _, v := range x {
			l.walk(name, v, depth+1)
		}
	case float64:
		l.walk(name, strconv.FormatFloat(x, 'f', -1, 64), depth+1)
	case string:
		l.names[name] = x
		// Versions of studies and names of add-ons look like addresses, too.
		l.email = l.email || strings.Contains(name, "mail") && emailLook.MatchString(x)
		l.url = l.url || strings.Contains(x, "://")
		switch name {
		case "lat", "latitude", "locationlatitude":
			l.lat = x
		case "lon", "lng", "longitude", "locationlongitude":
			l.lon = x
		}
		var inner any
		if depth < 8 && (strings.HasPrefix(x, "{") || strings.HasPrefix(x, "[")) && json.Unmarshal([]byte(x), &inner) == nil {
			l.walk(name, inner, depth+1)
		}
	}
}

func (l *looks) has(words ...string) bool {
	for name := range l.names {
		for _, w := range words {
			if strings.Contains(name, w) {
				return true
			}
		}
	}
	return false
}

func (l *looks) label(x *sample, s *inspect.Subject) {
	open := func(c inspect.Class, yes bool) {
		if yes {
			x.open = append(x.open, c)
		}
	}
	lasting := false
	for _, name := range []string{"advertisingid", "idfa", "gaid", "androidid", "anonymousid", "deviceid", "aaid", "distinctid", "clientid", "installid", "installationid"} {
		v := l.names[name]
		lasting = lasting || len(v) >= 16 && strings.Trim(v, "0-") != ""
	}
	// In a list, and in what calls itself a contact, an address may be one of
	// somebody's address book.
	others := l.list || l.has("contact", "emails")
	// A message to be sent has addresses on both sides.
	mail := l.has("personalizations") && l.has("subject")
	if mail {
		x.want[inspect.Email] = flow.Up
	}
	if (l.email && !others && !mail) || lasting {
		x.want[inspect.Identifiers] = flow.Up
	}
	// Ids of users in paths and under names of each vendor.
	open(inspect.Identifiers, true)
	if decimals(l.lat) >= 2 && decimals(l.lon) >= 2 {
		x.want[inspect.Location] = flow.Up
	}
	open(inspect.Location, l.lat != "" || l.lon != "" || l.has("location", "geo") || bytes.Contains(s.Request.Body, []byte(`\"lat\`)))
	open(inspect.DeviceStats, l.has("device", "model", "manufacturer", "osversion", "screen", "battery", "carrier", "useragent", "platform", "appversion", "osname", "os"))
	open(inspect.BrowsingHistory, l.url || strings.Contains(s.Query, "%3A%2F%2F") || l.has("search", "query", "referrer"))
	open(inspect.Contacts, others && (l.email || l.has("phone", "hash", "identifiers", "members", "contact")))
	open(inspect.Email, l.has("subject") || l.has("personalizations", "mailsettings"))
	open(inspect.Notes, strings.Contains(s.Host, "clickup") || strings.Contains(s.Host, "monday") || l.has("task"))
	open(inspect.Credentials, l.has("password", "secret", "token") || secretHeader(s) || strings.HasPrefix(s.Request.Header.Get("Authorization"), "Basic"))
	open(inspect.AppList, l.has("apps", "packages"))
}

// secretHeader says that a header is called after a secret: the service's own
// key, which a header cannot show to be no user's password.
func secretHeader(s *inspect.Subject) bool {
	for name := range s.Request.Header {
		name = strings.ToLower(name)
		if strings.Contains(name, "pass") || strings.Contains(name, "secret") {
			return true
		}
	}
	return false
}

func decimals(s string) int {
	_, d, _ := strings.Cut(s, ".")
	return len(d)
}

func unbase64(s string) []byte {
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return []byte(s)
	}
	return b
}
