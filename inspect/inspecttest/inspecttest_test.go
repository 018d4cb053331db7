package inspecttest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"constat/inspect"
	"constat/inspect/decode"
	"constat/inspect/inspecttest"
)

func TestWorkedExample(t *testing.T) {
	inspecttest.Detectors(t, inspecttest.Config{Decoders: decode.All, Detectors: []inspect.Detector{password}})
}

// What docs/adding-a-detector.md shows of a file must stand in that file: every
// fenced block that follows a line with nothing but a path.
func TestDocument(t *testing.T) {
	const root = "../.."
	doc, err := os.ReadFile(root + "/docs/adding-a-detector.md")
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	blocks := strings.Split(string(doc), "\n```")
	for i := 1; i+1 < len(blocks); i += 2 {
		before := strings.TrimSpace(blocks[i-1])
		line := before[strings.LastIndexByte(before, '\n')+1:]
		path, begins := strings.CutPrefix(line, "`")
		path, ends := strings.CutSuffix(path, "`:")
		if !begins || !ends || strings.Contains(path, "`") {
			continue
		}
		file, err := os.ReadFile(filepath.Join(root, path))
		if err != nil {
			t.Error(err)
			continue
		}
		_, block, _ := strings.Cut(blocks[i], "\n") // behind the language
		for part := range strings.SplitSeq(block, "\n…\n") {
			if !strings.Contains(string(file), strings.TrimSpace(part)) {
				t.Errorf("%s does not hold this any more:\n%s", path, part)
			}
		}
		checked++
	}
	if checked < 3 {
		t.Errorf("%d blocks checked: the document or this test has lost its form", checked)
	}
}

func TestLoadRefuses(t *testing.T) {
	const request = "-- request --\nGET / HTTP/1.1\nHost: a.example\n"
	for name, text := range map[string]string{
		"no prose":          request,
		"no request":        "Prose.\n-- want --\n",
		"unknown file":      "Prose.\n" + request + "-- wanted --\n",
		"unknown step":      "Prose.\n" + request + "-- request.body rot13 --\nx\n",
		"bad hex":           "Prose.\n" + request + "-- request.body hex --\nxyz\n",
		"bad start line":    "Prose.\n-- request --\nGET /\n",
		"bad header":        "Prose.\n-- request --\nGET / HTTP/1.1\nHost\n",
		"bad status":        "Prose.\n" + request + "-- response --\nHTTP/1.1 ok\n",
		"lost response":     "Prose.\n" + request + "-- response.body --\nx\n",
		"piece used before": "Prose.\n" + request + "-- part.a nothing --\nx\n",
	} {
		file := filepath.Join(t.TempDir(), "case.txtar")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := inspecttest.Load(file); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestLoad(t *testing.T) {
	file := filepath.Join(t.TempDir(), "case.txtar")
	text := `Prose.
-- request crlf --
PUT http://a.example/p/q?x=1&y HTTP/1.1
Host: b.example
X-Two: 1
x-two: 2

body
-- part.a tob64 --
{{none}}
-- response --
HTTP/1.1 404 Not Found
Content-Type: text/plain
-- response.body --
{{a}}
-- frame-down hex --
00 ff
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := inspecttest.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	s := c.Subject
	switch {
	case s.Method != "PUT", s.Scheme != "http", s.Host != "a.example", s.Path != "/p/q", s.Query != "x=1&y", s.Status != 404:
		t.Errorf("start lines: %+v", s)
	case string(s.Request.Body) != "body", len(s.Request.Header["X-Two"]) != 2:
		t.Errorf("request: %+v", s.Request)
	case string(s.Response.Body) != "e3tub25lfX0=\n", s.Response.Header.Get("Content-Type") != "text/plain":
		t.Errorf("response: %+v", s.Response)
	case string(s.Frame) != "\x00\xff", s.FrameDirection != "down", s.FrameText:
		t.Errorf("frame: %+v", s)
	}
}
