package wireguard

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// destinations are one of each family.
var destinations = []string{"192.0.2.7:443", "[2001:db8::7]:443"}

// told is what a connection says of itself.
type told interface {
	User() string
	App() string
}

func TestStream(t *testing.T) {
	r := newRig(t, 2)
	p := r.phone(2)
	for _, to := range destinations {
		client := p.dial(to)
		c := r.next()
		if got := c.LocalAddr().String(); got != to {
			t.Errorf("destination %s, want %s", got, to)
		}
		if got, want := c.RemoteAddr().String(), client.LocalAddr().String(); got != want {
			t.Errorf("client %s, want %s", got, want)
		}
		if _, ok := c.LocalAddr().(*net.TCPAddr); !ok {
			t.Errorf("destination is a %T", c.LocalAddr())
		}
		if c := c.(told); c.User() != "phone 2" || c.App() != "org.example.app2" {
			t.Errorf("user %q, app %q", c.User(), c.App())
		}
		if _, err := client.Write([]byte("question")); err != nil {
			t.Fatal(err)
		}
		if err := client.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(c); err != nil || string(got) != "question" {
			t.Errorf("read %q, %v", got, err)
		}
		if _, err := c.Write([]byte("answer")); err != nil {
			t.Fatal(err)
		}
		if err := c.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(client); err != nil || string(got) != "answer" {
			t.Errorf("client read %q, %v", got, err)
		}
		_ = c.Close()
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("read after close: %v", err)
		}
		if _, err := c.Write(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("write after close: %v", err)
		}
	}
}

func TestStreamReset(t *testing.T) {
	r := newRig(t, 1)
	p := r.phone(1)
	for _, to := range destinations {
		client := p.dial(to)
		c := r.next()
		_ = c.(interface{ SetLinger(int) error }).SetLinger(0)
		_ = c.Close()
		if _, err := client.Read(make([]byte, 1)); err == nil || !strings.Contains(err.Error(), "reset") {
			t.Errorf("client read %v after a reset", err)
		}

		client = p.dial(to)
		c = r.next()
		if _, err := c.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		_ = client.Close() // what it does not read makes this a reset
		for {
			if _, err := c.Write([]byte("x")); err != nil {
				if !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, syscall.EPIPE) {
					t.Errorf("write to a client that has gone: %v", err)
				}
				break
			}
		}
	}
}

func TestDeadlines(t *testing.T) {
	r := newRig(t, 1)
	p := r.phone(1)
	client := p.dial(destinations[0])
	stream := r.next()
	if _, err := p.udp(destinations[1]).Write([]byte("first")); err != nil {
		t.Fatal(err)
	}
	flow := r.next()
	if n, err := flow.Read(make([]byte, 10)); n != 5 || err != nil {
		t.Fatal(n, err)
	}
	for _, c := range []net.Conn{stream, flow} {
		t.Run(c.LocalAddr().Network(), func(t *testing.T) {
			fails := func(op func([]byte) (int, error)) {
				t.Helper()
				var ne net.Error
				if _, err := op(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) || !errors.As(err, &ne) || !ne.Timeout() {
					t.Errorf("got %v, want a deadline exceeded", err)
				}
			}
			_ = c.SetDeadline(time.Unix(1, 0))
			fails(c.Read)
			fails(c.Write)
			_ = c.SetDeadline(time.Time{})
			_ = c.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
			fails(c.Read)
			fails(c.Read)
			_ = c.SetReadDeadline(time.Now().Add(time.Hour))
			time.AfterFunc(10*time.Millisecond, func() { _ = c.SetReadDeadline(time.Unix(1, 0)) }) // wakes a reader
			fails(c.Read)
			_ = c.SetReadDeadline(time.Time{})
			if _, err := c.Write([]byte("x")); err != nil {
				t.Error(err)
			}
			time.AfterFunc(10*time.Millisecond, func() { _ = c.Close() })
			if _, err := c.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
				t.Errorf("reader of a closed connection got %v", err)
			}
		})
	}
	_ = client.Close()
}

// TestWriteDeadline fills the window of a client that does not read.
func TestWriteDeadline(t *testing.T) {
	r := newRig(t, 1)
	client := r.phone(1).dial(destinations[0])
	c := r.next()
	_ = c.SetWriteDeadline(time.Now().Add(300 * time.Millisecond))
	n, err := c.Write(make([]byte, 64<<20))
	if !errors.Is(err, os.ErrDeadlineExceeded) || n == 0 || n == 64<<20 {
		t.Fatalf("wrote %d: %v", n, err)
	}
	_ = c.SetWriteDeadline(time.Time{})
	_ = c.Close()
	got, err := io.Copy(io.Discard, client)
	if got != int64(n) || err != nil {
		t.Errorf("client read %d (%v) of the %d bytes that were written", got, err, n)
	}
}

func TestDatagrams(t *testing.T) {
	r := newRig(t, 1)
	p := r.phone(1)
	for _, to := range []string{"192.0.2.7:4433", "[2001:db8::7]:4433"} {
		client := p.udp(to)
		big := bytes.Repeat([]byte("0123456789"), 6500) // sent in fragments
		for _, b := range [][]byte{[]byte("first"), {}, big} {
			if _, err := client.Write(b); err != nil {
				t.Fatal(err)
			}
		}
		c := r.next()
		if got := c.LocalAddr().String(); got != to || c.LocalAddr().Network() != "udp" {
			t.Errorf("destination %s, want %s", got, to)
		}
		if got, want := c.RemoteAddr().String(), client.LocalAddr().String(); got != want {
			t.Errorf("client %s, want %s", got, want)
		}
		if c := c.(told); c.User() != "phone 1" || c.App() != "org.example.app1" {
			t.Errorf("user %q, app %q", c.User(), c.App())
		}
		buf := make([]byte, 64<<10)
		for _, want := range [][]byte{[]byte("first"), {}, big} {
			if n, err := c.Read(buf); err != nil || !bytes.Equal(buf[:n], want) {
				t.Fatalf("read %d bytes, %v, want %d", n, err, len(want))
			}
			if _, err := c.Write(want); err != nil {
				t.Fatal(err)
			}
			if n, err := client.Read(buf); err != nil || !bytes.Equal(buf[:n], want) {
				t.Fatalf("client read %d bytes, %v, want %d", n, err, len(want))
			}
		}
		if _, err := c.Write(make([]byte, 65508)); !errors.Is(err, syscall.EMSGSIZE) {
			t.Errorf("65,508 bytes: %v", err)
		}
		_ = c.Close()
		if _, err := client.Write([]byte("again")); err != nil {
			t.Fatal(err)
		}
		if n, err := r.next().Read(buf); err != nil || string(buf[:n]) != "again" {
			t.Errorf("a closed flow does not begin again: %q, %v", buf[:n], err)
		}
	}
}

func TestRefuse(t *testing.T) {
	r := newRig(t, 1)
	p := r.phone(1)
	for _, to := range destinations {
		client := p.udp(to)
		if _, err := client.Write(bytes.Repeat([]byte("q"), 1200)); err != nil {
			t.Fatal(err)
		}
		c := r.next()
		if err := c.(interface{ Refuse() error }).Refuse(); err != nil {
			t.Fatal(err)
		}
		// The client's stack tells of an error when it is asked the next time.
		var err error
		for end := time.Now().Add(20 * time.Second); time.Now().Before(end); {
			_ = client.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
			var ne net.Error
			if _, err = client.Read(make([]byte, 1)); !errors.As(err, &ne) || !ne.Timeout() {
				break
			}
		}
		if err == nil || !strings.Contains(err.Error(), "refused") {
			t.Errorf("%s: client got %v, want connection refused", to, err)
		}
		if _, err := c.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
			t.Errorf("write after refuse: %v", err)
		}
	}
}

func TestManyStreams(t *testing.T) {
	r := newRig(t, 1)
	p := r.phone(1)
	const n = 300 // more than wait for Accept
	for i := range n {
		go func() {
			c, err := p.tryDial(fmt.Sprintf("192.0.2.%d:80", i%250+1))
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = fmt.Fprintf(c, "%d", i)
			_ = c.Close()
		}()
	}
	seen := map[string]bool{}
	for range n {
		b, err := io.ReadAll(r.next())
		if err != nil {
			t.Error(err)
		}
		seen[string(b)] = true
	}
	if len(seen) != n {
		t.Errorf("%d different streams, want %d", len(seen), n)
	}
}
