package decode

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"constat/inspect"
)

// typical is a 2 KiB JSON body with the headers that an app sends; nothing in it
// nests.
func typical() *inspect.Subject {
	var b strings.Builder
	b.WriteString(`{"device":{"model":"HM NOTE 1LTE","build":"JHDMIBL30.0","os":"Android","sdk":19,"locale":"zh_CN","battery":0.83,"charging":false,"carrier":"46000"},"session":"0f1c6c2e-5f0e-4c39-9f4f-5a2d5b1e7c11","events":[`)
	for i := 0; b.Len() < 1960; i++ {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`{"name":"screen_view","time":1406700000123,"duration":1532,"screen":"com.example.settings/.MainActivity","foreground":true,"note":"opened from the launcher"}`)
	}
	b.WriteString(`]}`)
	return &inspect.Subject{
		Method: "POST", Scheme: "https", Host: "stats.example.com", Path: "/v1/events", Query: "app=settings&v=12", Status: 200,
		Request: inspect.Content{
			Header: http.Header{
				"User-Agent":      {"Dalvik/1.6.0 (Linux; U; Android 4.4.2; HM NOTE 1LTE Build/KOT49H)"},
				"Content-Type":    {"application/json; charset=utf-8"},
				"Content-Length":  {"2048"},
				"Accept":          {"*/*"},
				"Accept-Encoding": {"gzip"},
				"Connection":      {"Keep-Alive"},
				"X-Request-Id":    {"5f0e4c399f4f5a2d"},
				"Cookie":          {"sid=a1b2c3d4e5; lang=zh"},
			},
			Body: []byte(b.String()),
		},
		Response: inspect.Content{
			Header: http.Header{"Content-Type": {"application/json"}, "Date": {"Wed, 30 Jul 2014 06:00:00 GMT"}, "Server": {"nginx"}},
			Body:   []byte(`{"code":0,"message":"ok"}`),
		},
	}
}

func newInspector(tb testing.TB, limits inspect.Limits) *inspect.Inspector {
	tb.Helper()
	in, err := inspect.New(inspect.Config{Decoders: All, Limits: limits})
	if err != nil {
		tb.Fatal(err)
	}
	return in
}

// nested is the same body as an analytics SDK sends it: base64 of gzip in a form.
func nested(tb testing.TB) *inspect.Subject {
	s := typical()
	s.Request.Header["Content-Type"] = []string{"application/x-www-form-urlencoded"}
	packed := base64.StdEncoding.EncodeToString(pack(tb, "gzip", s.Request.Body))
	s.Request.Body = []byte("gzip=1&data_list=" + url.QueryEscape(packed))
	return s
}

// download is what a page load is made of: a request without a body, and text
// that nothing can be taken out of.
func download() *inspect.Subject {
	s := typical()
	s.Method, s.Request.Body = "GET", nil
	s.Response.Header["Content-Type"] = []string{"text/html"}
	s.Response.Body = []byte("<!doctype html><title>A page</title>" + strings.Repeat("<p>Some words of a paragraph.", 36))
	return s
}

func BenchmarkUnwrap(b *testing.B) {
	for _, c := range []struct {
		name    string
		subject *inspect.Subject
	}{{"post-json-2k", typical()}, {"post-nested-2k", nested(b)}, {"get-html-1k", download()}} {
		b.Run(c.name, func(b *testing.B) {
			in := newInspector(b, inspect.Limits{})
			b.ReportAllocs()
			parts := 0
			for b.Loop() {
				parts = in.Inspect(context.Background(), c.subject).Parts
			}
			b.ReportMetric(float64(parts), "parts")
		})
	}
}
