package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// docs/threat-model.md has each row once, and the tests that it names exist.
func TestThreatModelNamesItsTests(t *testing.T) {
	text, err := os.ReadFile("../../../docs/threat-model.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "## Threats, and what holds")
	table, _, _ = strings.Cut(table, "\n## ")
	rows := 0
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		n, err := strconv.Atoi(strings.TrimSpace(cells[min(1, len(cells)-1)]))
		if err != nil {
			continue
		}
		if rows++; n != rows {
			t.Errorf("row %d is number %d", rows, n)
		}
		if named := strings.Count(cells[5], "`"); named == 0 {
			t.Errorf("row %d names %d tests", n, named/2)
		}
	}
	if rows != 29 {
		t.Errorf("%d rows, want 29", rows)
	}
	defined := map[string]bool{}
	function := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	folders := map[string]string{
		"certs": "certs", "proxy": "proxy", "upstream": "proxy/upstream", "wireguard": "proxy/wireguard", "socks5": "proxy/socks5",
		"transparent": "proxy/transparent", "dns": "proxy/dns", "device": "cmd/constat/device",
		"inspect": "inspect", "decode": "inspect/decode",
		"store": "store", "query": "store/query", "evidence": "store/evidence", "ui": "cmd/constat/ui", "constat": "cmd/constat", "e2e": "cmd/constat/e2e",
	}
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
	for _, m := range regexp.MustCompile("`(\\w+\\.(?:Test|Fuzz)\\w+)`").FindAllStringSubmatch(string(text), -1) {
		if !defined[m[1]] {
			t.Errorf("%s does not exist", m[1])
		}
	}
}
