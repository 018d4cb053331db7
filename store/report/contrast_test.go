package report

import (
	"regexp"
	"testing"
)

// TestTextCanBeRead holds that the colours of text have the contrast with paper that
// WCAG 2.2 asks for.
func TestTextCanBeRead(t *testing.T) {
	found := 0
	for _, m := range regexp.MustCompile(`--(ink|soft|faint|accent|warn): (#[0-9a-f]{6})`).FindAllStringSubmatch(styleFile, -1) {
		found++
		if c := contrastWithWhite(t, m[2]); c < 4.5 {
			t.Errorf("%s %s has a contrast of %.1f", m[1], m[2], c)
		}
	}
	if found != 5 {
		t.Errorf("%d colours of text", found)
	}
}
