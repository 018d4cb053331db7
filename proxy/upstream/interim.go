package upstream

import (
	"context"
	"net/http/httptrace"
	"net/textproto"
	"sync"

	"constat/proxy/flow"
)

// keepInterim appends the head of a 1xx response to c.Interim: whole heads from
// the first on, as far as there is room.
func (c *Call) keepInterim(head []byte) {
	if c.interimFull = c.interimFull || len(c.Interim)+len(head) > flow.MaxInterim; !c.interimFull {
		c.Interim = append(c.Interim, head...)
	}
}

// interim takes the 1xx responses that a library reports, on whatever goroutine.
type interim struct {
	proto string

	mu sync.Mutex
	c  *Call // nil once Do returns
	n  int
}

// trace returns ctx with i taking the 1xx responses of the request that is sent
// with it.
func (i *interim) trace(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{Got1xxResponse: i.got})
}

func (i *interim) got(status int, fields textproto.MIMEHeader) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.c == nil {
		return nil
	}
	if i.n++; i.n > maxInterim {
		return bad(flow.ErrServerBad, "too many interim responses")
	}
	i.c.keepInterim(appendResponseHead(nil, i.proto, status, fields))
	if i.c.Informational != nil {
		i.c.Informational(status, fields)
	}
	return nil
}

// end keeps what comes too late from the Call.
func (i *interim) end() {
	i.mu.Lock()
	i.c = nil
	i.mu.Unlock()
}
