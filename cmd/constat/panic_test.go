package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"constat/inspect"
	"constat/inspect/decode"
	"constat/proxy/flow"
)

// A detector that panics costs its opinion and nothing else: the request passes
// and is in the case, the other detectors have their say, and the case says
// which one failed (docs/threat-model.md, row 24).
func TestPanicInADetectorCostsAnOpinion(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "the whole answer") }))
	defer server.Close()
	dir := t.TempDir()
	s, err := newService(t.Context(), serviceConfig{
		Listen: "127.0.0.1:0", Case: filepath.Join(dir, "case.constat"), CADir: filepath.Join(dir, "ca"), Log: zerolog.Nop(),
	})
	if err != nil {
		t.Fatal(err)
	}
	sound := func(*inspect.Tree) []inspect.Finding {
		return []inspect.Finding{{Class: inspect.SMS, Path: "request.body", Direction: flow.Up, Confidence: inspect.Probable, Reason: "a test"}}
	}
	s.inspector, err = inspect.New(inspect.Config{Decoders: decode.All, Detectors: []inspect.Detector{
		{Name: "broken", Class: inspect.SMS, Doc: "panics", Detect: func(*inspect.Tree) []inspect.Finding { panic("a fault") }},
		{Name: "sound", Class: inspect.SMS, Doc: "finds", Detect: sound},
	}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx) }()
	transport := &http.Transport{Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: s.door.Addr().String()})}
	for i := range 3 {
		resp, err := (&http.Client{Transport: transport}).Post(fmt.Sprintf("%s/%d", server.URL, i), "text/plain", strings.NewReader("anything"))
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || string(text) != "the whole answer" {
			t.Errorf("request %d got %q, %v", i, text, err)
		}
	}
	transport.CloseIdleConnections()
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "out.csv")
	root := newRoot()
	root.SetArgs([]string{
		"query", "--case", s.cfg.Case, "--format", "csv", "--out", out,
		"SELECT count(*), sum(damage LIKE '%broken%panic%'), sum(requests.tags = 'sms') FROM requests JOIN report ON exchange = requests.id",
	})
	if err := root.Execute(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(out)
	if got := string(text); err != nil || !strings.Contains(got, "3,3,3") {
		t.Errorf("requests, failures on record, opinions of the other detector:\n%s", got)
	}
}
