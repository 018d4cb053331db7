package proxy_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"
	"pgregory.net/rapid"

	"constat/proxy"
	"constat/proxy/flow"
)

// TestStreamed checks that parts of an answer reach the client one by one: the
// server writes the next part only after the client has got the one before.
func TestStreamed(t *testing.T) {
	for _, mediaType := range []string{"text/event-stream", "application/x-ndjson", "application/octet-stream"} {
		for _, h2 := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/h2=%t", mediaType, h2), func(t *testing.T) {
				g := newRig(t, nil)
				next := make(chan struct{})
				s := serve(t, true, func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("Content-Type", mediaType)
					w.WriteHeader(200)
					_ = http.NewResponseController(w).Flush()
					for range 3 {
						<-next
						_, _ = io.WriteString(w, "data: x\n\n")
						_ = http.NewResponseController(w).Flush()
					}
				})
				resp, err := g.client(h2).Get(s.URL + "/s")
				if err != nil {
					t.Fatal(err)
				}
				defer resp.Body.Close()
				r := bufio.NewReader(resp.Body)
				for range 3 {
					next <- struct{}{}
					begun := time.Now()
					if line, err := r.ReadString('\n'); err != nil || line != "data: x\n" {
						t.Fatal(line, err)
					}
					_, _ = r.ReadString('\n')
					if d := time.Since(begun); d > 200*time.Millisecond {
						t.Errorf("part came after %v", d)
					}
				}
				if rest, err := io.ReadAll(r); err != nil || len(rest) > 0 {
					t.Error(rest, err)
				}
				if x := await(t, g.rec, exchangeAt("/s")); x.Error != "" || x.Response.Body.Size() != 27 {
					t.Errorf("%+v", x)
				}
			})
		}
	}
}

// TestDuplex has client and server talk in turn within one exchange.
func TestDuplex(t *testing.T) {
	for _, h2 := range []bool{false, true} {
		t.Run(fmt.Sprintf("h2=%t", h2), func(t *testing.T) {
			g := newRig(t, nil)
			s := serve(t, true, func(w http.ResponseWriter, r *http.Request) {
				rc := http.NewResponseController(w)
				_ = rc.EnableFullDuplex()
				w.WriteHeader(200)
				_ = rc.Flush()
				buf := make([]byte, 100)
				for {
					n, err := r.Body.Read(buf)
					_, _ = w.Write(bytes.ToUpper(buf[:n]))
					_ = rc.Flush()
					if err != nil {
						return
					}
				}
			})
			pr, pw := io.Pipe()
			req, _ := http.NewRequest("POST", s.URL+"/d", pr)
			resp, err := g.client(h2).Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			for _, word := range []string{"one", "two", "three"} {
				if _, err := io.WriteString(pw, word); err != nil {
					t.Fatal(err)
				}
				got := make([]byte, len(word))
				if _, err := io.ReadFull(resp.Body, got); err != nil || string(got) != strings.ToUpper(word) {
					t.Fatalf("%q %v", got, err)
				}
			}
			pw.Close()
			if _, err := io.ReadAll(resp.Body); err != nil {
				t.Fatal(err)
			}
			x := await(t, g.rec, exchangeAt("/d"))
			if string(g.rec.body(x.Request.Body)) != "onetwothree" || string(g.rec.body(x.Response.Body)) != "ONETWOTHREE" || x.Error != "" {
				t.Errorf("%+v", x)
			}
		})
	}
}

// echo is a gRPC service without generated code.
var echo = grpc.ServiceDesc{
	ServiceName: "test.Echo", HandlerType: (*any)(nil),
	Streams: []grpc.StreamDesc{{
		StreamName: "Talk", ServerStreams: true, ClientStreams: true,
		Handler: func(_ any, s grpc.ServerStream) error {
			if err := s.SendHeader(metadata.Pairs("x-head", "1")); err != nil {
				return err
			}
			s.SetTrailer(metadata.Pairs("x-tail", "2"))
			for {
				m := new(wrapperspb.StringValue)
				if err := s.RecvMsg(m); err == io.EOF {
					return status.Error(codes.DataLoss, "enough")
				} else if err != nil {
					return err
				}
				if err := s.SendMsg(wrapperspb.String("re: " + m.Value)); err != nil {
					return err
				}
			}
		},
	}},
}

func TestGRPC(t *testing.T) {
	g := newRig(t, nil)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := serverAuthority().ca.Leaf("127.0.0.1", "server.test")
	if err != nil {
		t.Fatal(err)
	}
	srv := grpc.NewServer(grpc.Creds(credentials.NewServerTLSFromCert(leaf)))
	srv.RegisterService(&echo, nil)
	served := make(chan error)
	go func() { served <- srv.Serve(ln) }()
	defer func() { srv.Stop(); <-served }()

	conn, err := grpc.NewClient("passthrough:///"+ln.Addr().String(),
		grpc.WithTransportCredentials(credentials.NewClientTLSFromCert(g.trust, "127.0.0.1")),
		grpc.WithContextDialer(func(ctx context.Context, to string) (net.Conn, error) {
			c := g.connect(to)
			return c, c.SetDeadline(time.Time{})
		}))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	stream, err := conn.NewStream(ctx, &echo.Streams[0], "/test.Echo/Talk")
	if err != nil {
		t.Fatal(err)
	}
	// The head has to come before any message goes either way.
	if md, err := stream.Header(); err != nil || len(md.Get("x-head")) == 0 {
		t.Fatal(md, err, stream.RecvMsg(new(wrapperspb.StringValue)))
	}
	for i := range 5 {
		word := fmt.Sprint("message ", i)
		if err := stream.SendMsg(wrapperspb.String(word)); err != nil {
			t.Fatal(err)
		}
		got := new(wrapperspb.StringValue)
		if err := stream.RecvMsg(got); err != nil || got.Value != "re: "+word {
			t.Fatal(got, err)
		}
	}
	if err := stream.CloseSend(); err != nil {
		t.Fatal(err)
	}
	if err := stream.RecvMsg(new(wrapperspb.StringValue)); status.Code(err) != codes.DataLoss {
		t.Fatal(err)
	}
	if md := stream.Trailer(); len(md.Get("x-tail")) == 0 {
		t.Errorf("trailer %v", md)
	}
	x := await(t, g.rec, exchangeAt("/test.Echo/Talk"))
	if !bytes.Contains(x.Response.Trailer, []byte("grpc-status: 15\r\n")) || x.Error != "" {
		t.Errorf("trailer %q, error %q", x.Response.Trailer, x.Error)
	}
}

// TestContinue checks that a client that waits for 100 (Continue) gets it when,
// and only when, the server wants the body.
func TestContinue(t *testing.T) {
	for _, h2 := range []bool{false, true} {
		for _, want := range []bool{true, false} {
			t.Run(fmt.Sprintf("h2=%t/wanted=%t", h2, want), func(t *testing.T) {
				g := newRig(t, nil)
				s := serve(t, true, func(w http.ResponseWriter, r *http.Request) {
					if !want {
						w.WriteHeader(http.StatusExpectationFailed)
						return
					}
					b, _ := io.ReadAll(r.Body)
					_, _ = w.Write(b)
				})
				c := g.client(h2)
				c.Transport.(*http.Transport).ExpectContinueTimeout = 20 * time.Second
				req, _ := http.NewRequest("POST", s.URL+"/e", strings.NewReader("body"))
				req.Header.Set("Expect", "100-continue")
				continued := false
				req = req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{Got100Continue: func() { continued = true }}))
				begun := time.Now()
				resp, err := c.Do(req)
				if err != nil {
					t.Fatal(err)
				}
				b, err := io.ReadAll(resp.Body)
				resp.Body.Close()
				// net/http hides the Expect field of HTTP/2 requests, so that
				// there the body is taken at once.
				hidden := h2 && !want
				if err != nil || continued != want && !hidden || want && string(b) != "body" || time.Since(begun) > 5*time.Second {
					t.Errorf("continued %t, body %q, %v, after %v", continued, b, err, time.Since(begun))
				}
				x := await(t, g.rec, exchangeAt("/e"))
				if x.Request.Body.Complete() != want && !hidden {
					t.Errorf("request body complete: %t", x.Request.Body.Complete())
				}
			})
		}
	}
}

func TestEarlyHints(t *testing.T) {
	for _, h2 := range []bool{false, true} {
		t.Run(fmt.Sprintf("h2=%t", h2), func(t *testing.T) {
			g := newRig(t, nil)
			s := serve(t, true, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Link", "</a>")
				w.WriteHeader(http.StatusEarlyHints)
				w.Header().Del("Link")
				w.WriteHeader(200)
			})
			var hints string
			req, _ := http.NewRequest("GET", s.URL, nil)
			req = req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
				Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
					hints += fmt.Sprint(code, h)
					return nil
				},
			}))
			resp, err := g.client(h2).Do(req)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if hints != "103 map[Link:[</a>]]" || resp.Header.Get("Link") != "" {
				t.Errorf("hints %q, link %q", hints, resp.Header.Get("Link"))
			}
		})
	}
}

// TestBytesIdentical sends bodies of random sizes, framings and codings both
// ways and compares every byte, at both ends and in the record.
func TestBytesIdentical(t *testing.T) {
	g := newRig(t, nil)
	s := serve(t, true, func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		if e := r.Header.Get("X-Coding"); e != "" {
			w.Header().Set("Content-Encoding", e)
		}
		if r.Header.Get("X-Chunked") == "" {
			w.Header().Set("Content-Length", fmt.Sprint(len(b)))
		}
		for len(b) > 0 {
			n := min(len(b), 50000)
			_, _ = w.Write(b[:n])
			b = b[n:]
			if r.Header.Get("X-Chunked") != "" {
				_ = http.NewResponseController(w).Flush()
			}
		}
	})
	clients := []*http.Client{g.client(false), g.client(true)}
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		body := bytes.Repeat(rapid.SliceOfN(rapid.Byte(), 0, 3000).Draw(rt, "unit"), rapid.IntRange(0, 300).Draw(rt, "times"))
		n++
		path := fmt.Sprintf("/%d", n)
		var r io.Reader = bytes.NewReader(body)
		if rapid.Bool().Draw(rt, "chunked up") {
			r = struct{ io.Reader }{r}
		}
		req, _ := http.NewRequest("POST", s.URL+path, r)
		if rapid.Bool().Draw(rt, "chunked down") {
			req.Header.Set("X-Chunked", "1")
		}
		coding := rapid.SampledFrom([]string{"", "gzip", "br", "unknown"}).Draw(rt, "coding")
		req.Header.Set("X-Coding", coding)
		resp, err := rapid.SampledFrom(clients).Draw(rt, "client").Do(req)
		if err != nil {
			rt.Fatal(err)
		}
		defer resp.Body.Close()
		got, err := io.ReadAll(resp.Body)
		if err != nil || !bytes.Equal(got, body) || resp.Header.Get("Content-Encoding") != coding {
			rt.Fatalf("got %d bytes of %d, %v", len(got), len(body), err)
		}
		x := await(t, g.rec, exchangeAt(path))
		if !bytes.Equal(g.rec.body(x.Request.Body), body) || !bytes.Equal(g.rec.body(x.Response.Body), body) || x.Error != "" {
			rt.Fatalf("recorded %+v", x)
		}
	})
}

// TestBodyLimit checks that a body over the limit passes whole, and is recorded
// as cut.
func TestBodyLimit(t *testing.T) {
	small := newRig(t, func(c *proxy.Config) { c.BodyLimit = 1000 })
	s := serve(t, true, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		_, _ = w.Write(b)
	})
	body := strings.Repeat("0123456789", 5000)
	resp, err := small.client(false).Post(s.URL+"/l", "a/b", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	if err != nil || string(got) != body {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
	x := await(t, small.rec, exchangeAt("/l"))
	for _, b := range []*flow.Body{x.Request.Body, x.Response.Body} {
		if !b.Truncated() || b.Kept() != 1000 || b.Size() != 50000 || !b.Complete() {
			t.Errorf("kept %d of %d", b.Kept(), b.Size())
		}
	}
}
