package wireguard

import (
	"sync"
	"time"
)

// deadline is one of the two deadlines of a connection. It is safe for concurrent
// use.
type deadline struct {
	mu    sync.Mutex
	at    time.Time
	timer *time.Timer
	over  chan struct{}
}

// passed returns a channel that is closed when the deadline passes. It stays valid
// while the deadline is moved, until it is closed.
func (d *deadline) passed() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.over == nil {
		d.over = make(chan struct{})
	}
	return d.over
}

// set moves the deadline; the zero time takes it away.
func (d *deadline) set(t time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.at = t
	if d.over == nil || isClosed(d.over) {
		d.over = make(chan struct{})
	}
	wait := time.Until(t)
	if t.IsZero() || wait <= 0 {
		if d.timer != nil {
			d.timer.Stop()
		}
		if !t.IsZero() {
			close(d.over)
		}
		return
	}
	if d.timer == nil {
		d.timer = time.AfterFunc(wait, d.expire)
		return
	}
	d.timer.Reset(wait)
}

// expire is the timer's. The deadline may have been moved since the timer fired.
func (d *deadline) expire() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.at.IsZero() && !time.Now().Before(d.at) && !isClosed(d.over) {
		close(d.over)
	}
}

// isClosed says whether c, which carries no values, is closed.
func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
