package e2e

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
)

// squeeze applies one content coding.
func squeeze(t *testing.T, coding string, p []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	var w io.WriteCloser
	var err error
	switch coding {
	case "gzip":
		w, err = gzip.NewWriterLevel(&b, gzip.BestCompression)
	case "deflate":
		w, err = zlib.NewWriterLevel(&b, zlib.BestCompression)
	case "br":
		w = brotli.NewWriterLevel(&b, 5)
	case "zstd":
		w, err = zstd.NewWriter(&b, zstd.WithEncoderConcurrency(1))
	default:
		err = fmt.Errorf("coding %q", coding)
	}
	if err == nil {
		_, err = w.Write(p)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Row 11: bodies that unpack to a thousand times their size and more, in
// requests and in answers, pass as they are and in no time, and the case says
// that their inspection stopped at a limit.
func TestDecompressionBombs(t *testing.T) {
	const size = 64 << 20 // twice what one step of decoding may make
	zeros := make([]byte, size)
	type bomb struct {
		name, coding string
		body         []byte
		unpacked     int
	}
	var bombs []bomb
	for _, coding := range []string{"gzip", "deflate", "br", "zstd"} {
		bombs = append(bombs, bomb{coding, coding, squeeze(t, coding, zeros), size})
	}
	// Members that follow each other are one body (RFC 1952 section 2.2).
	const members = 1000
	many := bytes.Repeat(squeeze(t, "gzip", zeros[:1<<20]), members)
	layers := squeeze(t, "gzip", squeeze(t, "gzip", many))
	bombs = append(bombs,
		bomb{"gzip of many members", "gzip", many, members << 20}, bomb{"gzip, said by nobody", "", many, members << 20},
		bomb{"gzip three times", "gzip, gzip, gzip", layers, members << 20},
	)

	answers := map[string]bomb{}
	for i, b := range bombs {
		answers[fmt.Sprintf("/down/%d", i)] = b
	}
	o := newOrigin(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if b, ok := answers[r.URL.Path]; ok {
			if b.coding != "" {
				w.Header().Set("Content-Encoding", b.coding)
			}
			w.Header().Set("Content-Type", "application/octet-stream")
			w.Write(b.body)
			return
		}
		sum := sha256.New()
		io.Copy(sum, r.Body)
		fmt.Fprintf(w, "%x", sum.Sum(nil))
	}))
	c := start(t, o)
	client := c.client(false)
	for i, b := range bombs {
		sum := sha256.Sum256(b.body)
		want := hex.EncodeToString(sum[:])
		began := time.Now()
		req, err := http.NewRequestWithContext(t.Context(), "POST", fmt.Sprintf("https://origin.test/up/%d", i), bytes.NewReader(b.body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/octet-stream")
		if b.coding != "" {
			req.Header.Set("Content-Encoding", b.coding)
		}
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := io.ReadAll(resp.Body); string(got) != want {
			t.Errorf("%s up: the server got other bytes", b.name)
		}
		resp.Body.Close()
		if resp, err = client.Get(fmt.Sprintf("https://origin.test/down/%d", i)); err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(resp.Body); err != nil || !bytes.Equal(got, b.body) || resp.Header.Get("Content-Encoding") != b.coding {
			t.Errorf("%s down: the client got other bytes, %v", b.name, err)
		}
		resp.Body.Close()
		t.Logf("%s: %d bytes unpack to %d MiB; passed both ways in %v", b.name, len(b.body), b.unpacked>>20, time.Since(began).Round(time.Millisecond))
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%s took %v to pass", b.name, took)
		}
	}
	began := time.Now()
	c.eventually("SELECT count(DISTINCT exchange) FROM report", fmt.Sprint(2*len(bombs)))
	inspected := time.Since(began)
	for path := range answers {
		for _, path := range []string{path, "/up/" + path[len("/down/"):]} {
			if got := c.sql(fmt.Sprintf("SELECT damage LIKE '%%limit%%' FROM report JOIN requests r ON r.id = exchange WHERE path = '%s'", path)); got != "1" {
				t.Errorf("the case does not say that the inspection of %s stopped at a limit:\n%s", path, c.sql("SELECT path, damage FROM report JOIN requests r ON r.id = exchange"))
			}
		}
	}
	_, peak := c.rss()
	t.Logf("all %d bodies inspected %v later; peak of resident memory %d MiB", 2*len(bombs), inspected.Round(time.Millisecond), peak>>20)
	if peak > 256<<20 {
		t.Errorf("resident memory had its peak at %d MiB", peak>>20)
	}
	c.stop()
	verified(t, c.Case)
}
