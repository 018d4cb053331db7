package datagram

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// opened delivers b by key to a table, which has to open a flow for it.
func opened(t *testing.T, table *Table[int], key int, b string, ways Ways) *Flow {
	t.Helper()
	f := table.Deliver(key, []byte(b), func() *Flow { return &Flow{Ways: ways} })
	if f == nil {
		t.Fatalf("no flow was opened for %q", b)
	}
	return f
}

func never() *Flow { panic("a flow was opened") }

// expect reads one datagram.
func expect(t *testing.T, f *Flow, want string) {
	t.Helper()
	buf := make([]byte, 64<<10)
	if n, err := f.Read(buf); err != nil || string(buf[:n]) != want {
		t.Errorf("read %q, %v; want %q", buf[:n], err, want)
	}
}

func TestRead(t *testing.T) {
	table := NewTable[int](4)
	f := opened(t, table, 1, "a", Ways{})
	b := []byte("b")
	table.Deliver(1, b, never)
	b[0] = 'x' // the flow has a copy
	table.Deliver(1, nil, never)
	table.Deliver(1, []byte("long"), never)
	expect(t, f, "a")
	expect(t, f, "b")
	expect(t, f, "")
	if n, err := f.Read(make([]byte, 2)); n != 2 || err != io.ErrShortBuffer {
		t.Errorf("Read into too little: %d, %v", n, err)
	}
	go table.Deliver(1, []byte("late"), never)
	expect(t, f, "late")
	_ = f.Close()
}

func TestDeadlines(t *testing.T) {
	table := NewTable[int](4)
	f := opened(t, table, 1, "a", Ways{Send: func([]byte) error { return nil }})
	buf := make([]byte, 8)
	_ = f.SetDeadline(time.Unix(1, 0))
	if _, err := f.Read(buf); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("Read after the deadline: %v", err)
	}
	if _, err := f.Write(buf); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("Write after the deadline: %v", err)
	}
	_ = f.SetDeadline(time.Time{})
	expect(t, f, "a")
	if _, err := f.Write(buf); err != nil {
		t.Errorf("Write without a deadline: %v", err)
	}
	_ = f.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
	if _, err := f.Read(buf); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("Read over the deadline: %v", err)
	}
	_ = f.SetReadDeadline(time.Time{})
	woken := make(chan error)
	go func() {
		_, err := f.Read(buf)
		woken <- err
	}()
	_ = f.SetReadDeadline(time.Unix(1, 0))
	if err := <-woken; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("Read woken by a deadline: %v", err)
	}
	_ = f.SetReadDeadline(time.Now().Add(time.Hour))
	_ = f.Close() // stops the timer
	if err := f.SetDeadline(time.Time{}); !errors.Is(err, net.ErrClosed) {
		t.Errorf("SetDeadline after Close: %v", err)
	}
}

func TestClose(t *testing.T) {
	table := NewTable[int](4)
	closed := 0
	f := opened(t, table, 1, "a", Ways{Closed: func() { closed++ }})
	woken := make(chan error)
	expect(t, f, "a")
	go func() {
		_, err := f.Read(nil)
		woken <- err
	}()
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-woken; !errors.Is(err, net.ErrClosed) {
		t.Errorf("Read over Close: %v", err)
	}
	if err := f.Close(); !errors.Is(err, net.ErrClosed) || closed != 1 {
		t.Errorf("Close again: %v; Closed was called %d times", err, closed)
	}
	if _, err := f.Write(nil); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Write after Close: %v", err)
	}
	again := opened(t, table, 1, "b", Ways{})
	expect(t, again, "b")
	table.Close()
	if _, err := again.Read(nil); err != io.EOF {
		t.Errorf("Read after the table's Close: %v", err)
	}
	if f := table.Deliver(2, nil, never); f != nil {
		t.Error("a closed table opened a flow")
	}
	_ = again.Close()
}

func TestRefuse(t *testing.T) {
	table := NewTable[int](4)
	told := 0
	f := opened(t, table, 1, "a", Ways{Unreachable: func() error { told++; return nil }})
	if err := f.Refuse(); err != nil || told != 1 {
		t.Errorf("Refuse: %v, told %d times", err, told)
	}
	table.Deliver(1, []byte("b"), never)
	if told != 2 {
		t.Errorf("told %d times, want one more for the next datagram", told)
	}
	f.used = f.used.Add(-RefusedFor)
	expect(t, opened(t, table, 1, "c", Ways{}), "c")
	silent := opened(t, table, 2, "a", Ways{})
	if err := silent.Refuse(); err != nil {
		t.Errorf("Refuse without a way to say so: %v", err)
	}
	if err := silent.Refuse(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Refuse again: %v", err)
	}
}

// TestBounds: a table has no more flows, and a flow no more datagrams, than it may.
func TestBounds(t *testing.T) {
	table := NewTable[int](2)
	one := opened(t, table, 1, "1", Ways{})
	two := opened(t, table, 2, "2", Ways{})
	one.used = one.used.Add(time.Minute) // two was idle for longer
	opened(t, table, 3, "3", Ways{})
	expect(t, two, "2")
	if _, err := two.Read(nil); err != io.EOF {
		t.Errorf("the flow that was idle for longest: %v", err)
	}
	table.Deliver(1, []byte("still there"), never)
	if f := table.Deliver(4, nil, func() *Flow { return nil }); f != nil {
		t.Error("a flow that could not be opened was returned")
	}

	big := bytes.Repeat([]byte("x"), 64<<10)
	for range 2 * maxQueued {
		table.Deliver(1, big, never)
	}
	if one.bytes > maxBytes {
		t.Errorf("a flow keeps %d bytes", one.bytes)
	}
	for range 2 * maxQueued {
		table.Deliver(3, nil, never)
	}
	if n := len(table.flows[3].queue); n != maxQueued {
		t.Errorf("a flow keeps %d datagrams", n)
	}
}
