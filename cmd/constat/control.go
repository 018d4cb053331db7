package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"constat/proxy"
	"constat/store"
)

// A running Constat is the only writer of its case. Other commands reach it
// through a Unix socket that only this user can open.

// mark is what "constat mark" asks for.
type mark struct {
	Name    string            `json:"name"` // "" ends the open session
	Factors map[string]string `json:"factors,omitempty"`
	Note    string            `json:"note,omitempty"`
}

// declaration is what "constat declare" asks for.
type declaration struct {
	Topic   string          `json:"topic"`
	Subject string          `json:"subject,omitempty"`
	Content json.RawMessage `json:"content"`
}

// maxAsked bounds what the writer of a case is asked to add.
const maxAsked = 128 << 10

// maxAnswer bounds what it answers.
const maxAnswer = 16 << 20

// controlPath is the socket of whoever writes the case: short enough for a
// socket address wherever the case is, and the same for every name of it.
func controlPath(caseFile string) (string, error) {
	abs, err := filepath.Abs(caseFile)
	if err != nil {
		return "", err
	}
	if real, err := filepath.EvalSymlinks(abs); err == nil {
		abs = real
	}
	sum := sha256.Sum256([]byte(abs))
	base := os.Getenv("XDG_RUNTIME_DIR")
	if base == "" {
		base = os.TempDir()
	}
	return filepath.Join(base, fmt.Sprintf("constat-%d", os.Getuid()), hex.EncodeToString(sum[:8])+".sock"), nil
}

// listenControl opens the socket. The case's lock is held, so a socket that is
// already there was left behind by a process that died.
func listenControl(caseFile string) (net.Listener, error) {
	path, err := controlPath(caseFile)
	if err != nil {
		return nil, err
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	// In a shared temporary folder somebody else may have made it first.
	if info, err := os.Lstat(dir); err != nil || !info.IsDir() || info.Mode().Perm() != 0o700 || !ownedByMe(info) {
		return nil, hint{fmt.Errorf("control socket: %s is not a folder of this user alone", dir), "remove it, or set XDG_RUNTIME_DIR"}
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	return net.Listen("unix", path)
}

func controlHandler(c *store.Case, p *proxy.Proxy) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /mark", asked(func(ctx context.Context, m mark) (any, error) { return nil, c.Mark(ctx, m.Name, m.Factors, m.Note) }))
	mux.HandleFunc("POST /declare", asked(func(ctx context.Context, d declaration) (any, error) {
		return nil, c.Declare(ctx, d.Topic, d.Subject, d.Content)
	}))
	mux.HandleFunc("POST /alive", asked(func(context.Context, struct{}) (any, error) { return nil, c.Err() }))
	mux.HandleFunc("POST /passes", asked(func(context.Context, struct{}) (any, error) { return p.Passes(), nil }))
	mux.HandleFunc("POST /pass", asked(func(ctx context.Context, x pass) (any, error) { return nil, setPass(ctx, c, p, x) }))
	return mux
}

// asked handles requests for one thing, which come as JSON. What do returns, unless
// it is nil, is the answer.
func asked[T any](do func(context.Context, T) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var what T
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxAsked)).Decode(&what); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		answer, err := do(r.Context(), what)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		if answer != nil {
			_ = json.NewEncoder(w).Encode(answer) // fails when nobody listens any more
		}
	}
}

// scribe adds what people say to a case: through whoever writes the case, else
// on the file itself.
type scribe struct{ caseFile, caDir string }

// Mark opens a session, or ends the one that is open when name is empty.
func (s scribe) Mark(ctx context.Context, name string, factors map[string]string, note string) error {
	return s.do(ctx, "mark", mark{name, factors, note}, func(c *store.Case) error { return c.Mark(ctx, name, factors, note) })
}

// Declare records what a person states.
func (s scribe) Declare(ctx context.Context, topic, subject string, content any) error {
	text, err := plainJSON(content)
	if err != nil {
		return err
	}
	return s.do(ctx, "declare", declaration{topic, subject, text}, func(c *store.Case) error { return c.Declare(ctx, topic, subject, content) })
}

func (s scribe) do(ctx context.Context, what string, request any, direct func(*store.Case) error) error {
	err := ask(ctx, s.caseFile, what, request, nil)
	if !errors.Is(err, errNotRunning) {
		return err
	}
	c, err := writeCase(ctx, s.caseFile, s.caDir)
	if err != nil {
		return err
	}
	return errors.Join(direct(c), c.Close())
}

// plainJSON leaves characters of HTML as they are: what is declared is kept as it
// comes, and must not grow on the way.
func plainJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// errNotRunning means that no process is writing the case.
var errNotRunning = errors.New("no constat is writing this case")

// ask has the process that writes the case do something. answer, unless it is nil,
// takes what it says.
func ask(ctx context.Context, caseFile, what string, request, answer any) error {
	path, err := controlPath(caseFile)
	if err != nil {
		return err
	}
	client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, "unix", path)
			if err != nil {
				return nil, errNotRunning
			}
			return conn, nil
		},
	}}
	defer client.CloseIdleConnections()
	text, err := plainJSON(request)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://constat/"+what, bytes.NewReader(text))
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<10))
		return fmt.Errorf("%s: %s", what, bytes.TrimSpace(text))
	}
	if answer == nil {
		return nil
	}
	return json.NewDecoder(io.LimitReader(resp.Body, maxAnswer)).Decode(answer)
}
