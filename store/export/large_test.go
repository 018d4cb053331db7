package export_test

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"constat/proxy/flow"
)

// TestLarge writes a case of CONSTAT_LARGE exchanges into CONSTAT_LARGE_DIR, for
// measuring exports and checks by hand: half of the bodies differ, ten requests share
// a connection, one in twenty holds something that is found.
func TestLarge(t *testing.T) {
	n, err := strconv.Atoi(os.Getenv("CONSTAT_LARGE"))
	if err != nil {
		t.Skip("makes a large case to measure with: set CONSTAT_LARGE to how many exchanges, CONSTAT_LARGE_DIR to a folder for it")
	}
	k := newCase(t)
	var conn *flow.Connection
	pending := make(chan error, 64)
	for i := range n {
		k.now = k.now.Add(50 * time.Millisecond)
		host := fmt.Sprintf("host%d.vendor.example", i%50)
		if i%10 == 0 {
			conn = &flow.Connection{
				Opened: k.now, Door: "http", Device: "redmi", Host: host, Port: 443, SNI: host, Outcome: flow.Intercepted, BytesUp: 900, BytesDown: 3000,
				ClientTLS: &flow.TLS{Version: "TLS 1.2"}, ServerTLS: &flow.TLS{Version: "TLS 1.3", Chain: [][]byte{[]byte("certificate of " + host)}},
			}
			k.begin(conn)
			k.commit(conn)
		}
		body := fmt.Appendf(nil, `{"event":"tick","n":%d,"items":["aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","bbbbbbbbbbbbbbbbbbbbbbbb"]}`, i/2*2)
		if i%20 == 0 {
			body = fmt.Appendf(nil, `{"imei":"%s","model":"HM NOTE 1LTE","battery_level":%d,"memory_free_mb":412,"screen_width":720,"os_version":"4.4.2"}`, k.value("imei"), i)
		}
		x := &flow.Exchange{
			Connection: conn.ID, Device: "redmi", Door: "http", Began: k.now, Duration: 80 * time.Millisecond, Method: "POST", Scheme: "https", Host: host, Port: 443,
			Path: fmt.Sprintf("/v1/track/%d", i%1000), Query: fmt.Sprintf("t=%d", i), Server: netip.MustParseAddrPort("198.51.100.9:443"), Status: 200,
			Request: flow.Message{
				Proto: "HTTP/1.1", Exact: true, Body: flow.BodyOf(body),
				Head: fmt.Appendf(nil, "POST /v1/track HTTP/1.1\r\nHost: %s\r\nUser-Agent: Dalvik/1.6.0 (Linux; U; Android 4.4.2; HM NOTE 1LTE)\r\nContent-Type: application/json\r\nX-Request: %d\r\n\r\n", host, i),
			},
			Response: flow.Message{Proto: "HTTP/1.1", Exact: true, Head: []byte("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nServer: nginx\r\n\r\n"), Body: flow.BodyOf([]byte(`{"ok":true}`))},
		}
		k.begin(x)
		pending <- nil
		go func() {
			err := k.c.Commit(context.Background(), x)
			<-pending
			if err != nil {
				t.Error(err)
			}
		}()
	}
	for range cap(pending) {
		pending <- nil
	}
	k.close()
	dir := os.Getenv("CONSTAT_LARGE_DIR")
	for from, to := range map[string]string{k.path: "large.constat", k.key: "log.key"} {
		if err := os.Rename(from, filepath.Join(dir, to)); err != nil {
			t.Fatal(err)
		}
	}
}
