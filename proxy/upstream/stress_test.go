package upstream

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"constat/proxy/flow"
)

// TestNoMixUp sends requests from many clients' goroutines at once, some of which
// are given up, and checks that each answer belongs to its request.
func TestNoMixUp(t *testing.T) {
	ca := newAuthority(t)
	echo := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.NewResponseController(w).EnableFullDuplex()
		if strings.HasPrefix(r.URL.Path, "/close") && r.ProtoMajor == 1 {
			w.Header().Set("Connection", "close")
		}
		io.WriteString(w, r.URL.Path)
		io.Copy(w, r.Body)
	})
	one, _ := secure(t, echo, serverTLS(ca.issue(t, nil)))
	two, _ := secure(t, echo, serverTLS(ca.issue(t, nil)), "h2")
	tr := open(t, Config{Roots: ca.pool, MaxIdlePerHost: 4, MaxIdle: 6, IdleTimeout: 20 * time.Millisecond})
	var wg sync.WaitGroup
	for id := range 12 {
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(uint64(id), 1))
			for i := range 60 {
				addr := []string{one, two}[rnd.IntN(2)]
				body := bytes.Repeat([]byte(fmt.Sprintf("%d.%d ", id, i)), rnd.IntN(20_000))
				path := fmt.Sprintf("/%s/%d/%d", []string{"keep", "keep", "close"}[rnd.IntN(3)], id, i)
				ctx, cancel := context.WithCancel(t.Context())
				r, err := http.NewRequestWithContext(ctx, "POST", "https://"+addr+path, bytes.NewReader(body))
				if err != nil {
					t.Error(err)
				}
				if rnd.IntN(2) == 0 {
					r.ContentLength = -1
				}
				resp, err := tr.Do(r, &Call{Client: loopback, HTTP2: addr == two})
				if err != nil {
					t.Errorf("%s: %v", path, err)
					cancel()
					continue
				}
				switch rnd.IntN(6) {
				case 0:
					cancel()
				case 1:
					io.ReadFull(resp.Body, make([]byte, 3))
				default:
					got, err := io.ReadAll(resp.Body)
					if err != nil || string(got) != path+string(body) {
						t.Errorf("%s: %d bytes of %d, %v", path, len(got), len(path)+len(body), err)
					}
				}
				resp.Body.Close()
				cancel()
			}
		})
	}
	wg.Wait()
}

// TestSlowHead sends a head that never ends, a little at a time.
func TestSlowHead(t *testing.T) {
	addr := raw(t, func(_ int, c net.Conn, in *bufio.Reader) {
		answer(c, in, "HTTP/1.1 200 OK\r\nX: ")
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for range tick.C {
			if _, err := io.WriteString(c, "x"); err != nil {
				return
			}
		}
	})
	if _, _, err := get(t, open(t, Config{HeadTimeout: 60 * time.Millisecond}), addr); word(err) != flow.ErrTimeout {
		t.Errorf("got %v", err)
	}
}
