package proxy

import "net"

// peeker is a connection whose next bytes can be looked at. It is for one reader
// at a time.
type peeker struct {
	net.Conn
	pre []byte // read, but not taken
}

// peek returns at least the next n bytes without taking them, fewer only with an
// error. The bytes are valid until the next Read.
func (p *peeker) peek(n int) ([]byte, error) {
	for len(p.pre) < n {
		buf := make([]byte, max(n-len(p.pre), 2048))
		m, err := p.Conn.Read(buf)
		p.pre = append(p.pre, buf[:m]...)
		if err != nil && len(p.pre) < n {
			return p.pre, err
		}
	}
	return p.pre, nil
}

// Read takes what was peeked at, then reads on.
func (p *peeker) Read(b []byte) (int, error) {
	if len(p.pre) > 0 {
		n := copy(b, p.pre)
		if p.pre = p.pre[n:]; len(p.pre) == 0 {
			p.pre = nil
		}
		return n, nil
	}
	return p.Conn.Read(b)
}

// CloseWrite tells the other side that nothing more comes.
func (p *peeker) CloseWrite() error { return closeWrite(p.Conn) }
