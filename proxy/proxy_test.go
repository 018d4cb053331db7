package proxy_test

import (
	"io"
	"log"
	"net/http"
	"strings"
	"testing"

	"constat/proxy/flow"
)

var quiet = log.New(io.Discard, "", 0)

func TestForward(t *testing.T) {
	for _, tc := range []struct {
		name       string
		secure, h2 bool
		outcome    flow.Outcome
		proto      string
	}{
		{"plain", false, false, flow.Plain, "HTTP/1.1"},
		{"https", true, false, flow.Intercepted, "HTTP/1.1"},
		{"h2", true, true, flow.Intercepted, "HTTP/2.0"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			g := newRig(t, nil)
			s := serve(t, tc.secure, func(w http.ResponseWriter, r *http.Request) {
				b, _ := io.ReadAll(r.Body)
				w.Header().Set("X-Saw", r.Method)
				_, _ = io.WriteString(w, "answer to "+string(b))
			})
			c := g.client(tc.h2)
			resp, err := c.Post(s.URL+"/a/b?c=d%20e", "text/plain", strings.NewReader("question"))
			if err != nil {
				t.Fatal(err)
			}
			b, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if err != nil || string(b) != "answer to question" || resp.Proto != tc.proto {
				t.Fatalf("got %q %v %v", b, err, resp.Proto)
			}
			x := await(t, g.rec, exchangeAt("/a/b"))
			if x.Query != "c=d%20e" || x.Status != 200 || x.Error != "" || x.Request.Proto != tc.proto || x.Request.Exact == tc.h2 ||
				string(g.rec.body(x.Request.Body)) != "question" || string(g.rec.body(x.Response.Body)) != string(b) ||
				!x.Request.Body.Complete() || !x.Response.Body.Complete() || !x.Server.IsValid() {
				t.Errorf("exchange %+v", x)
			}
			c.CloseIdleConnections()
			row := await(t, g.rec, anyConnection)
			if row.Outcome != tc.outcome || row.Host != "127.0.0.1" || row.BytesUp == 0 || row.BytesDown == 0 || row.ID != x.Connection {
				t.Errorf("row %+v", row)
			}
		})
	}
}
