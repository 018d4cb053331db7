package proxy_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"constat/proxy"
	"constat/proxy/flow"
)

// TestBursts relays a protocol that is not HTTP, with a pause, and finds each
// stretch as an exchange, the last one before the client saw the end.
func TestBursts(t *testing.T) {
	g := newRig(t, func(c *proxy.Config) { c.BurstPause, c.RawLimit = 60*time.Millisecond, 100 })
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	go func() {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		for lines := bufio.NewScanner(c); lines.Scan(); {
			fmt.Fprintf(c, "got %s\n", lines.Text())
		}
	}()
	to := ln.Addr().String()
	c := g.connect(to)
	answers := bufio.NewReader(c)
	say := func(line string) {
		t.Helper()
		fmt.Fprintf(c, "%s\n", line)
		if got, err := answers.ReadString('\n'); err != nil || got != "got "+line+"\n" {
			t.Fatalf("%q, %v", got, err)
		}
	}
	text := func(b *flow.Body) string { return string(g.rec.body(b)) }
	say("\x01login")
	first := await(t, g.rec, func(*flow.Exchange) bool { return true })
	if first.Method != "" || first.Scheme != "tcp" || first.Host != "127.0.0.1" || first.Server.String() != to || first.Error != "" || first.Status != 0 ||
		text(first.Request.Body) != "\x01login\n" || text(first.Response.Body) != "got \x01login\n" || !first.Request.Body.Complete() {
		t.Errorf("%+v", first)
	}
	say(strings.Repeat("x", 200))
	_ = c.(*net.TCPConn).CloseWrite()
	if rest, err := io.ReadAll(answers); err != nil || len(rest) > 0 {
		t.Errorf("%q, %v", rest, err)
	}
	var sent, kept, got int64 // a busy machine makes pauses of its own
	list := all[*flow.Exchange](g.rec)
	for _, e := range list {
		if e.Connection != first.Connection {
			t.Errorf("%+v", e)
		}
		sent, kept, got = sent+e.Request.Body.Size(), kept+e.Request.Body.Kept(), got+e.Response.Body.Size()
	}
	if len(list) < 2 || sent != 7+201 || kept != 100 || got != 4+7+4+201 {
		t.Errorf("the client saw the end, and there are %d exchanges: sent %d, kept %d, got %d", len(list), sent, kept, got)
	}
	row := await(t, g.rec, anyConnection)
	if row.Outcome != flow.Raw || row.ID != first.Connection {
		t.Errorf("%+v", row)
	}
}
