package e2e

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/coder/websocket"
)

// chromium returns a browser that goes through the proxy and has its CA
// installed as a user would: no certificate error is ignored.
func (c *instance) chromium(opts ...chromedp.ExecAllocatorOption) context.Context {
	c.t.Helper()
	need(c.t, "chromium")
	home := c.t.TempDir()
	db := filepath.Join(home, ".pki", "nssdb")
	if err := os.MkdirAll(db, 0o700); err != nil {
		c.t.Fatal(err)
	}
	for _, args := range [][]string{
		{"-d", "sql:" + db, "-N", "--empty-password"},
		{"-d", "sql:" + db, "-A", "-t", "C,,", "-n", "constat", "-i", c.CA},
	} {
		if out, err := exec.Command(need(c.t, "certutil"), args...).CombinedOutput(); err != nil {
			c.t.Fatalf("certutil: %v\n%s", err, out)
		}
	}
	all := append(append([]chromedp.ExecAllocatorOption{}, chromedp.DefaultExecAllocatorOptions[:]...),
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.Env("HOME="+home), chromedp.UserDataDir(filepath.Join(home, "profile")),
		chromedp.ProxyServer("http://"+c.Proxy), chromedp.Flag("proxy-bypass-list", "<-loopback>"),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-features", "Translate,BlinkGenPropertyTrees,OptimizationHints,MediaRouter"))
	ctx, cancel := chromedp.NewExecAllocator(c.t.Context(), append(all, opts...)...)
	c.t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	c.t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 90*time.Second)
	c.t.Cleanup(cancel)
	return ctx
}

const browserPage = `<!doctype html><meta charset=utf-8><title>page</title><link rel=icon href="data:,"><script>
const wait = new Promise(r => addEventListener('load', r));
async function everything() {
  const done = [];
  await wait;
  for (const img of document.images) { if (!img.naturalWidth) throw 'image ' + img.src; }
  done.push('images');
  const r = await fetch('/api', {method: 'POST', headers: {'Content-Type': 'application/json'}, body: JSON.stringify({hello: 'world'})});
  if (await r.text() !== '{"hello":"world"}') throw 'fetch';
  done.push('fetch');
  const form = new FormData();
  form.append('file', new Blob([new Uint8Array(300000).fill(7)], {type: 'image/jpeg'}), 'IMG_1.jpg');
  const u = await fetch('/upload', {method: 'POST', body: form});
  if (+(await u.text()) !== 300000) throw 'upload';
  done.push('upload');
  done.push(await new Promise((ok, no) => {
    const ws = new WebSocket('wss://' + location.host + '/ws');
    ws.onopen = () => ws.send('ping from chromium '.repeat(100));
    ws.onmessage = m => { ws.close(); m.data.startsWith('echo: ping from chromium') ? ok('websocket') : no('websocket text'); };
    ws.onerror = () => no('websocket');
  }));
  await navigator.serviceWorker.register('/sw.js');
  await navigator.serviceWorker.ready;
  done.push('serviceworker');
  return done.join(' ');
}
</script><img src="/1.png"><img src="/2.png"><img src="/3.png">`

// onePixel is a PNG of one pixel.
const onePixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

func browserOrigin(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/":
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, browserPage)
	case "/api":
		echo(w, r)
	case "/upload":
		if err := r.ParseMultipartForm(1 << 20); err != nil {
			http.Error(w, err.Error(), 400)
			return
		}
		fmt.Fprint(w, r.MultipartForm.File["file"][0].Size)
	case "/ws":
		ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{CompressionMode: websocket.CompressionContextTakeover})
		if err != nil {
			return
		}
		defer ws.CloseNow()
		for {
			kind, data, err := ws.Read(r.Context())
			if err != nil || ws.Write(r.Context(), kind, append([]byte("echo: "), data...)) != nil {
				return
			}
		}
	case "/sw.js":
		w.Header().Set("Content-Type", "text/javascript")
		fmt.Fprint(w, "self.addEventListener('fetch', e => e.respondWith(fetch(e.request)));")
	default:
		png, _ := base64.StdEncoding.DecodeString(onePixel)
		w.Header().Set("Content-Type", "image/png")
		w.Write(png)
	}
}

func TestChromium(t *testing.T) {
	c := start(t, newOrigin(t, http.HandlerFunc(browserOrigin)))
	ctx := c.chromium()
	if err := chromedp.Do(ctx, chromedp.Navigate("https://origin.test/")); err != nil {
		t.Fatalf("%v (does Chromium trust the certificate?)", err)
	}
	got, err := chromedp.Run(ctx, chromedp.Evaluate[string]("everything()", chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatal(err)
	}
	if want := "images fetch upload websocket serviceworker"; got != want {
		t.Errorf("the page did %q, want %q", got, want)
	}
	if err := chromedp.Cancel(ctx); err != nil {
		t.Log(err)
	}
	c.stop()
	for _, path := range []string{"/", "/1.png", "/2.png", "/3.png", "/api", "/upload", "/ws", "/sw.js"} {
		if got := c.sql("SELECT count(*) FROM requests WHERE host = 'origin.test' AND path = '" + path + "'"); got == "0" {
			t.Errorf("%s is not in the log", path)
		}
	}
	if got := c.sql("SELECT status FROM requests WHERE path = '/ws'"); got != "101" {
		t.Errorf("WebSocket: status %s", got)
	}
	frames := c.sql("SELECT direction, opcode FROM frame WHERE opcode = 1 ORDER BY id")
	if frames != "up|1\ndown|1" {
		t.Errorf("frames: %q", frames)
	}
	verified(t, c.Case)
}

// The onboarding page checks, on the very device, whether proxy and certificate
// work, and says so.
func TestOnboardingCheck(t *testing.T) {
	c := start(t, newOrigin(t, http.HandlerFunc(echo)))
	ctx := c.chromium()
	err := chromedp.Do(ctx, chromedp.Navigate("http://"+c.Proxy+"/"))
	if err != nil {
		t.Fatal(err)
	}
	var text string
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if text, err = chromedp.Run(ctx, chromedp.Evaluate[string]("document.body.innerText")); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(text, "This device uses the proxy.") && strings.Contains(text, "The certificate is trusted.") {
			return
		}
	}
	t.Errorf("the page did not say that proxy and certificate work:\n%s", text)
}
