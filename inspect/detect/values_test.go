package detect

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"constat/inspect"
	"constat/inspect/decode"
	"constat/proxy/flow"
)

// TestForms holds what a value is by its structure alone.
func TestForms(t *testing.T) {
	for _, tc := range []struct{ in, kind, value, time string }{
		{"c0ffee11-7a11-4d0e-9b1a-5eedca9a7101", "uuid4", "c0ffee117a114d0e9b1a5eedca9a7101", ""},
		{"{C0FFEE11-7A11-4D0E-9B1A-5EEDCA9A7101}", "uuid4", "c0ffee117a114d0e9b1a5eedca9a7101", ""},
		{"f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "uuid1", "f81d4fae7dec11d0a76500a0c91e6bf6", ""}, // 1997, before the times that count
		{"17f22e279b0211e68f22d43d7eef4ec2", "hex", "17f22e279b0211e68f22d43d7eef4ec2", ""},
		{"C232AB00-9414-11EC-B3C8-9F6BDECED846", "uuid1", "c232ab00941411ecb3c89f6bdeced846", "2022-02-22T19:22:22Z"}, // RFC 9562 A.1
		{"1EC9414C-232A-6B00-B3C8-9F6BDECED846", "uuid6", "1ec9414c232a6b00b3c89f6bdeced846", "2022-02-22T19:22:22Z"}, // A.5
		{"017F22E2-79B0-7CC3-98C4-DC0C0C07398F", "uuid7", "017f22e279b07cc398c4dc0c0c07398f", "2022-02-22T19:22:22Z"}, // A.6
		{"5df41881-3aed-3515-88a7-2f4a814cf09e", "uuid3", "5df418813aed351588a72f4a814cf09e", ""},
		{"01ARZ3NDEKTSV4RRFFQ69G5FAV", "ulid", "01ARZ3NDEKTSV4RRFFQ69G5FAV", "2016-07-30T23:54:10.259Z"},
		{"0ujtsYcgvSTl8PAuAdqWYSMnLOv", "ksuid", "0ujtsYcgvSTl8PAuAdqWYSMnLOv", "2017-10-10T04:00:47Z"},
		{"507f1f77bcf86cd799439011", "objectid", "507f1f77bcf86cd799439011", "2012-10-17T21:13:27Z"},
		{"9f3c1d2e4b5a6978", "hex64", "9f3c1d2e4b5a6978", ""},
		{"9F3C1D2E4B5A6978", "hex64", "9f3c1d2e4b5a6978", ""},
		{"0x9f3c1d2e4b5a6978aa", "hex", "9f3c1d2e4b5a6978aa", ""},
		{"352099001761481", "imei", "352099001761481", ""},
		{"352099001761482", "decimal", "352099001761482", ""}, // wrong check digit
		{"a4:50:46:10:00:42", "mac", "a45046100042", ""},
		{"A4-50-46-10-00-42", "mac", "a45046100042", ""},
		{"a450.4610.0042", "mac", "a45046100042", ""},
		{"Camille.Canari+f7q2@Example.org", "email", "camille.canari+f7q2@example.org", ""},
		{"+33639984712", "phone", "+33639984712", ""},
		{"kJ8sD2mQ0aBx7LkQm2vTz9Rw", "token", "kJ8sD2mQ0aBx7LkQm2vTz9Rw", ""},
		{"k3jd8s0a1m2n4b5v6c7x", "token", "k3jd8s0a1m2n4b5v6c7x", ""},
		{"GA1.2.1829304756.1406800123", "token", "GA1.2.1829304756.1406800123", ""},
		{"android-9f3c1d2e4b5a6978", "token", "android-9f3c1d2e4b5a6978", ""},

		{"00000000-0000-0000-0000-000000000000", "", "", ""},
		{"02:00:00:00:00:00", "", "", ""},
		{"1406800000", "time", "", ""},
		{"1406800000123", "time", "", ""},
		{"1406800000123456", "time", "", ""},
		{"20140731134500", "time", "", ""},
		{"2014-07-31T13:45:00.123Z", "", "", ""},
		{"Thu, 31 Jul 2014 13:45:00 GMT", "", "", ""},
		{"com.example.kite.MainActivity", "", "", ""},
		{"Xiaomi/ginkgo/ginkgo:9/PKQ1.190616.001/V11.0.3.0.PCOEUXM:user/release-keys", "", "", ""},
		{"Mozilla/5.0", "", "", ""},
		{"https://example.org/a?b=9f3c1d2e4b5a6978", "", "", ""},
		{"/data/app/com.example.kite-1/base.apk", "", "", ""},
		{"app.3f2a1b9c8d7e.js", "", "", ""},
		{"icon@2x.png", "", "", ""},
		{"application/json", "", "", ""},
		{"ScreenViewEvent", "", "", ""},
		{"feature_flag_2_enabled", "", "", ""},
		{"1.2.3.4", "", "", ""},
		{"80.0.3987.87", "", "", ""},
		{"48.85837,2.294481", "", "", ""},
		{"1080x2340", "", "", ""},
		{"0.8483749283749283", "", "", ""},
		{"zh-Hans-CN", "", "", ""},
		{"1111111111111111", "", "", ""},
		{"deadbeef", "", "", ""},
	} {
		d := []byte(tc.in)
		f := formOf(d)
		if f.kind != tc.kind {
			t.Errorf("formOf(%q) = %q, want %q", tc.in, f.kind, tc.kind)
			continue
		}
		if tc.value != "" {
			if got := f.normal(d); got != tc.value {
				t.Errorf("%q: value %q, want %q", tc.in, got, tc.value)
			}
			if f.bits < leastBits {
				t.Errorf("%q: %d bits", tc.in, f.bits)
			}
		}
		got := ""
		if !f.time.IsZero() {
			got = f.time.UTC().Format("2006-01-02T15:04:05.999999999Z07:00")
		}
		if got != tc.time {
			t.Errorf("%q: time %q, want %q", tc.in, got, tc.time)
		}
	}
}

func values(t *testing.T, s *inspect.Subject) []inspect.Value {
	t.Helper()
	in, err := inspect.New(inspect.Config{Decoders: decode.All, Values: Values})
	if err != nil {
		t.Fatal(err)
	}
	r := in.Inspect(t.Context(), s)
	for _, d := range r.Damage {
		t.Errorf("damage %s: %s", d.Path, d.Reason)
	}
	return r.Values
}

func TestValues(t *testing.T) {
	const jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI5ZjNjMWQyZTRiNWE2OTc4IiwibiI6MX0.x7LkQm2vTz9RwkJ8sD2mQ0aBx7LkQm2vTz9RwkJ8sD2"
	s := &inspect.Subject{
		Method: "POST", Host: "a9f3c1d2e4b5a6978aa.tele.example.com",
		Path:  "/v1/devices/c0ffee11-7a11-4d0e-9b1a-5eedca9a7101/state",
		Query: "t=1406800000123&cid=1829304756.1406800123",
		Request: inspect.Content{
			Header: http.Header{
				"User-Agent":    {"Kite/1.2 (Redmi Note 8; 352099001761481)"},
				"Content-Type":  {"application/json"},
				"Cookie":        {"sid=k3jd8s0a1m2n4b5v6c7x; lang=fr"},
				"Authorization": {"Bearer " + jwt},
			},
			Body: []byte(`{"deviceId":"9F3C1D2E4B5A6978","again":"9f3c1d2e4b5a6978","model":"SMG960FXXU9FTJ1K2","note":"On se retrouve au marché","list":["507f1f77bcf86cd799439011"],"phone":"0639984712"}`),
		},
		Response: inspect.Content{
			Header: http.Header{"Set-Cookie": {"track=kJ8sD2mQ0aBx7LkQm2vTz9Rw; Path=/"}, "Content-Type": {"application/json"}, "X-Request-Id": {"7a9c1d2e-4b5a-4978-8a1b-5eedca9a7102"}},
			Body:   []byte(`{"id":"1b9c1d2e-4b5a-4978-8a1b-5eedca9a7104"}`),
		},
	}
	got := make(map[string]inspect.Value)
	for _, v := range values(t, s) {
		if _, twice := got[v.Value]; twice {
			t.Errorf("%s is there twice", v.Value)
		}
		got[v.Value] = v
	}
	for value, want := range map[string]struct {
		kind, name string
		path       inspect.Path
		direction  flow.Direction
	}{
		"a9f3c1d2e4b5a6978aa":              {"hex", "", "request.host", flow.Up},
		"c0ffee117a114d0e9b1a5eedca9a7101": {"uuid4", "", "request.path|path:2", flow.Up},
		"1829304756.1406800123":            {"token", "cid", "request.query|form:cid", flow.Up},
		"352099001761481":                  {"imei", "User-Agent", "request.header:User-Agent", flow.Up},
		"k3jd8s0a1m2n4b5v6c7x":             {"token", "sid", "request.cookie:sid", flow.Up},
		"9f3c1d2e4b5a6978":                 {"hex64", "deviceId", "request.body|json:deviceId", flow.Up},
		"507f1f77bcf86cd799439011":         {"objectid", "list", "request.body|json:list[0]", flow.Up},
		"0639984712":                       {"phone", "phone", "request.body|json:phone", flow.Up},
		"kJ8sD2mQ0aBx7LkQm2vTz9Rw":         {"token", "track", "response.cookie:track", flow.Down},
	} {
		v, ok := got[value]
		if !ok {
			t.Errorf("%s is missing", value)
			continue
		}
		if v.Kind != want.kind || v.Name != want.name || v.Path != want.path || v.Direction != want.direction {
			t.Errorf("%s is %+v, want %+v", value, v, want)
		}
		delete(got, value)
	}
	tokens := 0
	for _, v := range got {
		if v.Kind == "jwt" && strings.HasPrefix(v.Value, "sha256:") && len(v.Value) == 7+64 {
			tokens++
			continue
		}
		t.Errorf("more: %+v", v)
	}
	if tokens != 1 {
		t.Errorf("%d tokens, want 1", tokens)
	}
}

// TestValuesNode takes the network interface out of a UUID of version 1.
func TestValuesNode(t *testing.T) {
	list := values(t, &inspect.Subject{Method: "GET", Path: "/", Query: "id=6ba7b810-9dad-11d1-80b4-00c04fd430c8"})
	if len(list) != 2 || list[1].Kind != "mac" || list[1].Value != "00c04fd430c8" {
		t.Errorf("got %+v", list)
	}
}

// TestValuesMost keeps what is named like an identifier when there is too much.
func TestValuesMost(t *testing.T) {
	var b strings.Builder
	b.WriteByte('{')
	for i := range 500 {
		b.WriteString(`"k` + strconv.Itoa(i) + `":"9f3c1d2e4b5a` + strconv.Itoa(10000+i) + `",`)
	}
	b.WriteString(`"imei":"352099001761481"}`)
	list := values(t, &inspect.Subject{Method: "POST", Path: "/", Request: inspect.Content{Body: []byte(b.String())}})
	if len(list) != maxValues || list[0].Name != "imei" {
		t.Fatalf("%d values, the first of %q", len(list), list[0].Name)
	}
}

// TestValuesStatic leaves out the names of files that everybody gets.
func TestValuesStatic(t *testing.T) {
	if list := values(t, &inspect.Subject{Method: "GET", Path: "/assets/9f3c1d2e4b5a6978aabb/app.js"}); len(list) != 0 {
		t.Errorf("got %+v", list)
	}
	if list := values(t, &inspect.Subject{Method: "GET", Path: "/assets/9f3c1d2e4b5a6978aabb/app"}); len(list) != 1 {
		t.Errorf("got %+v", list)
	}
}

// TestValuesKeys names the values in lists of keys and values by their keys.
func TestValuesKeys(t *testing.T) {
	for _, tc := range []struct{ body, name, path string }{
		{`{"resource":{"attributes":[{"key":"imei","value":{"stringValue":"352099001761481"}}]}}`, "imei", "request.body|json:resource.attributes[0].value.stringValue"},
		{`{"attributes":[{"key":"enduser.id","value":{"intValue":"4021883145678901"}}]}`, "enduser.id", "request.body|json:attributes[0].value.intValue"},
		{`{"params":[{"name":"android_id","value":"9774d56d682e549c"}]}`, "android_id", "request.body|json:params[0].value"},
		{`{"ids":[{"type":"idfa","id":"c0ffee11-7a11-4d0e-9b1a-5eedca9a7101"}]}`, "id", "request.body|json:ids[0].id"},
		{`{"p":[{"k":"oaid","v":"c0ffee11-7a11-4d0e-9b1a-5eedca9a7101"}]}`, "oaid", "request.body|json:p[0].v"},
		{`{"event_params":[{"key":"ga_id","value":{"string_value":"9774d56d682e549c"}}]}`, "ga_id", "request.body|json:event_params[0].value.string_value"},
		{`<?xml version="1.0"?><a><attr><name>imei</name><value>352099001761481</value></attr></a>`, "imei", "request.body|xml:a/attr[0]/value"},
		// A label in words is no key, and a value that stands alone has its own name.
		{`{"name":"My old phone","value":"9774d56d682e549c"}`, "value", "request.body|json:value"},
		{`{"value":"9774d56d682e549c"}`, "value", "request.body|json:value"},
		{`{"deviceId":"9774d56d682e549c","name":"kite"}`, "deviceId", "request.body|json:deviceId"},
	} {
		list := values(t, &inspect.Subject{Method: "POST", Path: "/", Request: inspect.Content{Body: []byte(tc.body)}})
		if len(list) != 1 {
			t.Errorf("%s: %d values, want 1: %+v", tc.body, len(list), list)
			continue
		}
		if list[0].Name != tc.name || string(list[0].Path) != tc.path {
			t.Errorf("%s: %q at %s, want %q at %s", tc.body, list[0].Name, list[0].Path, tc.name, tc.path)
		}
	}
}

// TestValuesUsual holds how many values everyday requests have, and what those
// are called that are the same in every copy of an app.
func TestValuesUsual(t *testing.T) {
	browser := http.Header{
		"User-Agent":                {"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36"},
		"Accept":                    {"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"},
		"Accept-Language":           {"fr-FR,fr;q=0.9,en-US;q=0.8,en;q=0.7"},
		"Accept-Encoding":           {"gzip, deflate, br, zstd"},
		"Cache-Control":             {"max-age=0"},
		"Sec-Ch-Ua":                 {`"Not_A Brand";v="8", "Chromium";v="120"`},
		"Sec-Ch-Ua-Mobile":          {"?1"},
		"Sec-Ch-Ua-Platform":        {`"Android"`},
		"Sec-Fetch-Dest":            {"document"},
		"Sec-Fetch-Mode":            {"navigate"},
		"Sec-Fetch-Site":            {"none"},
		"Sec-Fetch-User":            {"?1"},
		"Upgrade-Insecure-Requests": {"1"},
		"If-Modified-Since":         {"Thu, 31 Jul 2014 12:00:00 GMT"},
		"Referer":                   {"https://example.org/list?page=2"},
	}
	with := func(name, value string) http.Header {
		h := browser.Clone()
		h.Set(name, value)
		return h
	}
	for _, tc := range []struct {
		about string
		s     inspect.Subject
		names []string
	}{
		{"page", inspect.Subject{Method: "GET", Path: "/articles/how-to-fly-a-kite", Query: "page=2&sort=newest&lang=fr", Request: inspect.Content{Header: browser}}, nil},
		{"script", inspect.Subject{Method: "GET", Path: "/static/js/main.8f3a1c2d9e.chunk.js", Query: "v=20140731", Request: inspect.Content{Header: browser}}, nil},
		{"page with an entity tag", inspect.Subject{Method: "GET", Path: "/", Request: inspect.Content{Header: with("If-None-Match", `"9f3c1d2e4b5a69788d7f2c1e5b1a4c3d"`)}}, []string{"If-None-Match"}},
		{"page with a session", inspect.Subject{Method: "GET", Path: "/", Request: inspect.Content{Header: with("Cookie", "sid=k3jd8s0a1m2n4b5v6c7x; theme=dark; lang=fr; seen=2014-07-31")}}, []string{"sid"}},
		{"catalogue", inspect.Subject{Method: "POST", Path: "/graphql", Request: inspect.Content{Header: browser, Body: []byte(`{"operationName":"Products","variables":{"first":20,"category":"kites","currency":"EUR"},"query":"query Products($first: Int!) { products(first: $first) { id name price } }"}`)}}, nil},
		{"report of a crash", inspect.Subject{Method: "POST", Path: "/api/7/envelope/", Query: "sentry_key=9f3c1d2e4b5a69788d7f2c1e5b1a4c3d&sentry_version=7", Request: inspect.Content{Header: browser, Body: []byte(`{"release":"org.example.kite@2.14.3","level":"error","message":"no wind"}`)}}, []string{"sentry_key"}},
		{"key and number of an app", inspect.Subject{Method: "POST", Path: "/init", Request: inspect.Content{Header: browser, Body: []byte(`{"api_key":"8d7f2c1e5b1a4c3d9e2f0a1b2c3d4e5f","app_id":"1:402188314567:android:9f3c1d2e4b5a6978","version":"2.14.3"}`)}}, []string{"api_key", "app_id"}},
	} {
		var names []string
		for _, v := range values(t, &tc.s) {
			names = append(names, v.Name)
		}
		if diff := cmp.Diff(tc.names, names); diff != "" {
			t.Errorf("%s (-want +got)\n%s", tc.about, diff)
		}
	}
}
