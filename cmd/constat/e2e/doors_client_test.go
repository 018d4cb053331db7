package e2e

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/net/proxy"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// clientEnv makes this program a client, as other programs of a phone are, and names
// which one.
const clientEnv = "CONSTAT_E2E_CLIENT"

// phoneClient is a client that is written in Go. It runs in a process of its own,
// because a process is in one network only.
type phoneClient struct {
	ca, proxy, url string
	n              int
	name           string
}

// runClient runs one of them to its end. What it prints is for the test.
func runClient(name string, args []string) int {
	var c phoneClient
	f := flag.NewFlagSet(name, flag.ExitOnError)
	f.StringVar(&c.ca, "ca", "", "CA that is trusted")
	f.StringVar(&c.proxy, "proxy", "", "URL of the proxy, empty for none")
	f.StringVar(&c.url, "url", "", "what to ask for")
	f.StringVar(&c.name, "name", "", "part of the paths that are asked for, or what is said")
	f.IntVar(&c.n, "n", 0, "how many")
	if err := f.Parse(args); err != nil {
		return 2
	}
	run := map[string]func() error{
		"websocket": c.webSocket, "talk": c.talk, "grpc": c.grpc, "load": c.load, "idle": c.idle,
	}[name]
	if run == nil {
		fmt.Fprintln(os.Stderr, "no such client:", name)
		return 2
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func (c *phoneClient) transport(http2 bool) *http.Transport {
	t := &http.Transport{
		TLSClientConfig: c.tls(), ForceAttemptHTTP2: http2, DisableCompression: true, MaxIdleConnsPerHost: 64,
	}
	if !http2 {
		t.TLSClientConfig.NextProtos = []string{"http/1.1"}
	}
	if u, err := url.Parse(c.proxy); err == nil && c.proxy != "" {
		t.Proxy = http.ProxyURL(u)
	}
	return t
}

func (c *phoneClient) tls() *tls.Config {
	pool := x509.NewCertPool()
	if pem, err := os.ReadFile(c.ca); err == nil {
		pool.AppendCertsFromPEM(pem)
	}
	return &tls.Config{RootCAs: pool}
}

// webSocket says one thing, and prints the answer.
func (c *phoneClient) webSocket() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	ws, _, err := websocket.Dial(ctx, c.url, &websocket.DialOptions{HTTPClient: &http.Client{Transport: c.transport(false)}})
	if err != nil {
		return err
	}
	defer ws.CloseNow()
	if err := ws.Write(ctx, websocket.MessageText, []byte(c.name)); err != nil {
		return err
	}
	_, got, err := ws.Read(ctx)
	if err != nil {
		return err
	}
	fmt.Println(string(got))
	return ws.Close(websocket.StatusNormalClosure, "")
}

// talk says one thing to a port, by TCP or UDP, and prints what comes: until the end of
// the connection, or one datagram. With n it waits for the server to speak first.
func (c *phoneClient) talk() error {
	u, err := url.Parse(c.url)
	if err != nil {
		return err
	}
	var nc net.Conn
	if u.Scheme == "udp" {
		nc, err = net.Dial("udp", u.Host)
	} else {
		nc, err = c.dial(u.Host)
	}
	if err != nil {
		return err
	}
	defer nc.Close()
	nc.SetDeadline(time.Now().Add(2 * patience))
	if c.n > 0 {
		line, err := readLine(nc)
		if err != nil {
			return err
		}
		fmt.Print(line)
	}
	if _, err := io.WriteString(nc, c.name); err != nil {
		return err
	}
	if u.Scheme == "udp" {
		buf := make([]byte, 64<<10)
		n, err := nc.Read(buf)
		fmt.Println(string(buf[:n]))
		return err
	}
	got, err := io.ReadAll(nc)
	fmt.Println(string(got))
	return err
}

// grpc says things on a stream of gRPC, and prints the answers.
func (c *phoneClient) grpc() error {
	u, err := url.Parse(c.url)
	if err != nil {
		return err
	}
	conf := c.tls()
	conf.ServerName, conf.NextProtos = u.Hostname(), []string{"h2"}
	conn, err := grpc.NewClient("passthrough:///"+u.Host,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, addr string) (net.Conn, error) {
			nc, err := c.dial(addr)
			if err != nil {
				return nil, err
			}
			tc := tls.Client(nc, conf)
			return tc, tc.HandshakeContext(ctx)
		}))
	if err != nil {
		return err
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	s, err := conn.NewStream(ctx, &bidi.Streams[0], "/test.Echo/Talk")
	if err != nil {
		return err
	}
	for i := range 3 {
		if err := s.SendMsg(wrapperspb.String(fmt.Sprint(i))); err != nil {
			return err
		}
		var m wrapperspb.StringValue
		if err := s.RecvMsg(&m); err != nil {
			return err
		}
		fmt.Println(m.Value)
	}
	if err := s.CloseSend(); err != nil {
		return err
	}
	if err := s.RecvMsg(&wrapperspb.StringValue{}); err != io.EOF {
		return fmt.Errorf("end of stream: %w", err)
	}
	return nil
}

// readLine reads a line, byte by byte so that nothing behind it is taken.
func readLine(r io.Reader) (string, error) {
	var line []byte
	for b := make([]byte, 1); !bytes.HasSuffix(line, []byte("\n")); line = append(line, b[0]) {
		if _, err := io.ReadFull(r, b); err != nil {
			return "", err
		}
	}
	return string(line), nil
}

// load asks with several connections until each has failed, or for n requests in
// all if n is not 0, and prints the path of each answer that it got to its end.
func (c *phoneClient) load() error {
	var mu sync.Mutex
	var wg sync.WaitGroup
	for worker := range 8 {
		client := &http.Client{Transport: c.transport(worker%2 == 1)}
		wg.Go(func() {
			for i := 0; c.n == 0 || i < c.n/8; i++ {
				path := fmt.Sprintf("/%s/w%d/%d", c.name, worker, i)
				body := make([]byte, 2048)
				rand.Read(body)
				resp, err := client.Post(c.url+path, "application/octet-stream", bytes.NewReader(body))
				if err != nil {
					return
				}
				got, err := io.ReadAll(resp.Body)
				resp.Body.Close()
				if err != nil || !bytes.Equal(got, body) {
					return
				}
				mu.Lock()
				fmt.Println(path)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return nil
}

// idle opens connections and makes one request on each, as many more as each line says
// that it reads; 0 makes another request on each. It says "done" each time.
func (c *phoneClient) idle() error {
	u, err := url.Parse(c.url)
	if err != nil {
		return err
	}
	conf := c.tls()
	conf.ServerName, conf.NextProtos = u.Hostname(), []string{"http/1.1"}
	var held []net.Conn
	for {
		var n int
		if _, err := fmt.Scanln(&n); err != nil {
			for _, nc := range held {
				nc.Close()
			}
			return nil
		}
		for _, nc := range held {
			if n > 0 {
				break
			}
			if err := again(nc, u.Hostname()); err != nil {
				return err
			}
		}
		more := make([]net.Conn, n)
		errs := make(chan error, n)
		slots := make(chan struct{}, 16)
		for i := range more {
			slots <- struct{}{}
			go func() {
				defer func() { <-slots }()
				nc, err := c.dial(net.JoinHostPort(u.Hostname(), "443"))
				if err == nil {
					more[i] = tls.Client(nc, conf)
					err = again(more[i], u.Hostname())
				}
				errs <- err
			}()
		}
		for range more {
			if err := <-errs; err != nil {
				return err
			}
		}
		held = append(held, more...)
		fmt.Println("done")
	}
}

// again makes a request on a connection.
func again(nc net.Conn, host string) error {
	nc.SetDeadline(time.Now().Add(4 * patience))
	defer nc.SetDeadline(time.Time{})
	if _, err := fmt.Fprintf(nc, "GET /idle HTTP/1.1\r\nHost: %s\r\n\r\n", host); err != nil {
		return err
	}
	head, err := readHead(nc)
	if err == nil && !strings.HasPrefix(head, "HTTP/1.1 200 ") {
		err = fmt.Errorf("answer %q", head)
	}
	return err
}

// dial connects through the proxy, if there is one.
func (c *phoneClient) dial(to string) (net.Conn, error) {
	d := net.Dialer{Timeout: 4 * patience}
	u, err := url.Parse(c.proxy)
	switch {
	case err != nil:
		return nil, err
	case u.Scheme == "":
		return d.Dial("tcp", to)
	case u.Scheme == "http":
		return (&instance{Proxy: u.Host}).connect("", to)
	}
	s, err := proxy.FromURL(u, &d)
	if err != nil {
		return nil, err
	}
	return s.Dial("tcp", to) // the name goes to the proxy
}
