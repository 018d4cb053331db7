package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// Chrome's developer tools are what most people open a HAR with: their own importer
// must make of the demonstration's what was in it.
func TestHARInChrome(t *testing.T) {
	need(t, "chromium")
	dir := filepath.Join(t.TempDir(), "demo")
	constat(t, 0, "demo", "--dir", dir)
	file, har := filepath.Join(dir, "demo.constat"), filepath.Join(dir, "demo.har")
	constat(t, 0, "export", "har", "--case", file, "--out", har)
	data, err := os.ReadFile(har)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(string(data))
	if err != nil {
		t.Fatal(err)
	}

	all := append(append([]chromedp.ExecAllocatorOption{}, chromedp.DefaultExecAllocatorOptions[:]...),
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()), chromedp.Flag("disable-component-update", true))
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), all...)
	defer cancel()
	ctx, cancel = chromedp.NewContext(ctx)
	defer cancel()
	ctx, cancel = context.WithTimeout(ctx, 90*time.Second)
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.Navigate("devtools://devtools/bundled/devtools_app.html")); err != nil {
		t.Fatal(err)
	}
	script := fmt.Sprintf(`(async () => {
		const har = await import('devtools://devtools/bundled/models/har/har.js');
		const log = new har.HARFormat.HARRoot(JSON.parse(%s)).log;
		return har.Importer.Importer.requestsFromHARLog(log)
			.map(r => [r.requestMethod, r.url(), r.statusCode].join(' ')).join('\n');
	})()`, text)
	got, err := chromedp.Run(ctx, chromedp.Evaluate[string](script, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatal(err)
	}
	want := sqlite(t, file, `SELECT method || ' ' || scheme || '://' || host || path || iif(query = '', '', '?' || query) || ' ' || ifnull(status, 0) FROM requests ORDER BY id`)
	if strings.Count(want, "\n") < 8 || got != want {
		t.Errorf("imported\n%s\nwant\n%s", got, want)
	}
}
