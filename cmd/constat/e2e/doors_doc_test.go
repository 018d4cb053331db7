package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The table at the top of docs/doors.md is whole, and the tests that it names exist.
func TestDoorsNameTheirTests(t *testing.T) {
	text, err := os.ReadFile("../../../docs/doors.md")
	if err != nil {
		t.Fatal(err)
	}
	top, _, _ := strings.Cut(string(text), "\n## ")
	const columns = 5
	rows := map[string]bool{}
	for line := range strings.Lines(top) {
		if !strings.HasPrefix(line, "|") {
			continue
		}
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != columns {
			t.Errorf("%d cells, want %d: %s", len(cells), columns, line)
			continue
		}
		rows[strings.TrimSpace(cells[0])] = true
		for _, cell := range cells[1:] {
			if rows["---"] && strings.TrimSpace(cell) == "" {
				t.Errorf("an empty cell: %s", line)
			}
		}
	}
	for _, want := range []string{"HTTP", "HTTPS", "HTTP/2", "WebSocket", "gRPC", "QUIC, HTTP/3", "DNS", "UDP", "ping", "IPv6", "which device", "which app", "mobile data"} {
		if !rows[want] {
			t.Errorf("no row for %s", want)
		}
	}
	named := regexp.MustCompile("`(\\w+)\\.(Test\\w+)`").FindAllStringSubmatch(top, -1)
	if len(named) < 30 {
		t.Errorf("%d tests are named, want most cells to name one", len(named))
	}
	folders := map[string]string{
		"e2e": "cmd/constat/e2e", "proxy": "proxy", "socks5": "proxy/socks5", "transparent": "proxy/transparent",
		"wireguard": "proxy/wireguard", "dns": "proxy/dns",
	}
	defined := map[string]bool{}
	function := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	for name, folder := range folders {
		files, err := filepath.Glob("../../../" + folder + "/*_test.go")
		if err != nil || len(files) == 0 {
			t.Fatalf("no tests in %s: %v", folder, err)
		}
		for _, file := range files {
			code, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range function.FindAllSubmatch(code, -1) {
				defined[name+"."+string(m[1])] = true
			}
		}
	}
	for _, m := range named {
		if !defined[m[1]+"."+m[2]] {
			t.Errorf("%s.%s does not exist", m[1], m[2])
		}
	}
}
