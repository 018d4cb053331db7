package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// planted is a new persona: its file, its values by name, its first photo.
type planted struct {
	file   string
	values map[string]string
	photo  []byte
}

func newPersona(t *testing.T) *planted {
	t.Helper()
	p := &planted{file: filepath.Join(t.TempDir(), "persona.json"), values: make(map[string]string)}
	constat(t, 0, "persona", "new", "--out", p.file)
	data, err := os.ReadFile(p.file)
	if err != nil {
		t.Fatal(err)
	}
	var persona struct {
		Canaries []struct {
			Name, Kind, Value string
			Photo             *struct{ Data string }
		}
	}
	if err := json.Unmarshal(data, &persona); err != nil {
		t.Fatal(err)
	}
	for _, c := range persona.Canaries {
		p.values[c.Name] = c.Value
		if c.Photo != nil && p.photo == nil {
			if p.photo, err = base64.StdEncoding.DecodeString(c.Photo.Data); err != nil {
				t.Fatal(err)
			}
		}
	}
	if len(p.values) < 10 || len(p.photo) == 0 {
		t.Fatalf("the persona has %d values and a photo of %d bytes", len(p.values), len(p.photo))
	}
	return p
}

// Browsers compress the messages of WebSockets, each with what came before.
func TestCompressedWebSocket(t *testing.T) {
	p := newPersona(t)
	c := start(t, newOrigin(t, http.HandlerFunc(browserOrigin)), "--persona", p.file)
	ctx := c.chromium()
	if err := chromedp.Do(ctx, chromedp.Navigate("https://origin.test/")); err != nil {
		t.Fatal(err)
	}
	messages, _ := json.Marshal([]string{
		`{"type":"hello","device":{"model":"Phone One","os":"Android 9"}}`,
		`{"type":"event","device":{"model":"Phone One","imei":"` + p.values["imei"] + `"}}`,
		`{"type":"event","device":{"model":"Phone One","imei":"` + p.values["imei"] + `","text":` + quote(p.values["sms-1.text"]) + `}}`,
	})
	script := fmt.Sprintf(`new Promise((ok, no) => {
		const messages = %s, ws = new WebSocket('wss://' + location.host + '/ws');
		let answers = 0;
		ws.onopen = () => messages.forEach(m => ws.send(m));
		ws.onmessage = m => { if (++answers == messages.length) { ws.close(); ok(ws.extensions); } };
		ws.onerror = () => no('websocket');
	})`, messages)
	got, err := chromedp.Run(ctx, chromedp.Evaluate[string](script, chromedp.EvalAwaitPromise))
	if err != nil || !strings.Contains(got, "permessage-deflate") {
		t.Fatalf("extensions %q, %v", got, err)
	}
	c.eventually("SELECT count(*) FROM frame f LEFT JOIN report r ON r.frame = f.id WHERE r.id IS NULL", "0")
	c.stop()
	if got := c.sql("SELECT count(*) FROM frame WHERE deflated AND direction = 'up'"); got != "3" {
		t.Errorf("%s compressed messages went up, want 3", got)
	}
	want := "imei|frame|permessage-deflate|json:device.imei\nimei|frame|permessage-deflate|json:device.imei\nsms-1.text|frame|permessage-deflate|json:device.text"
	if got := c.sql("SELECT canary || '|' || path FROM canary_hits WHERE direction = 'up' AND path LIKE 'frame%' ORDER BY frame_id, canary"); got != want {
		t.Errorf("found\n%s\nwant\n%s", got, want)
	}
	verified(t, c.Case)
}

func quote(s string) string {
	j, _ := json.Marshal(s)
	return string(j)
}

// A photo that is sent in pieces is one photo, and the finding names the
// requests that carried it.
func TestUploadInPieces(t *testing.T) {
	p := newPersona(t)
	var got bytes.Buffer
	o := newOrigin(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == "POST" {
			w.Header().Set("Location", "/files/24e5")
			w.WriteHeader(http.StatusCreated)
			return
		}
		io.Copy(&got, r.Body)
		w.Header().Set("Upload-Offset", fmt.Sprint(got.Len()))
		w.WriteHeader(http.StatusNoContent)
	}))
	c := start(t, o, "--persona", p.file)
	dir := t.TempDir()
	curl := func(args ...string) {
		t.Helper()
		args = append([]string{"-sS", "--fail", "--proxy", "http://" + c.Proxy, "--cacert", c.CA, "-H", "Tus-Resumable: 1.0.0"}, args...)
		if out, err := exec.Command(need(t, "curl"), args...).CombinedOutput(); err != nil {
			t.Fatalf("curl: %v\n%s", err, out)
		}
	}
	curl("-X", "POST", "-H", fmt.Sprintf("Upload-Length: %d", len(p.photo)), "-H", "Upload-Metadata: filename SU1HXzEuanBn", "https://origin.test/files")
	third := len(p.photo)/3 + 1
	for at := 0; at < len(p.photo); at += third {
		piece := filepath.Join(dir, fmt.Sprint(at))
		if err := os.WriteFile(piece, p.photo[at:min(at+third, len(p.photo))], 0o600); err != nil {
			t.Fatal(err)
		}
		curl("-X", "PATCH", "-H", fmt.Sprintf("Upload-Offset: %d", at), "-H", "Content-Type: application/offset+octet-stream", "--data-binary", "@"+piece, "https://origin.test/files/24e5")
	}
	c.eventually("SELECT count(*) FROM exchange e LEFT JOIN report r ON r.exchange = e.id WHERE r.id IS NULL", "0")
	c.stop()
	if !bytes.Equal(got.Bytes(), p.photo) {
		t.Errorf("the server got %d bytes, want %d", got.Len(), len(p.photo))
	}
	reason := c.sql("SELECT reason FROM findings WHERE class = 'photo' AND confidence = 'confirmed' AND path = 'upload' AND request_id = 4 LIMIT 1")
	if !strings.Contains(reason, "in requests 2, 3, 4.") {
		t.Errorf("reason %q; findings:\n%s", reason, c.sql("SELECT request_id, class, confidence, path FROM findings"))
	}
	verified(t, c.Case)
}
