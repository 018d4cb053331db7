package pdf

import (
	"crypto/sha256"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestFonts holds that every font of the folder is used, can be read, is the file that
// the list beside it says, has its licence there, and that together they stay small.
func TestFonts(t *testing.T) {
	list, err := os.ReadFile("fonts/README.md")
	if err != nil {
		t.Fatal(err)
	}
	all := slices.Concat(byScript, rest, []*source{sansBold, serifRegular, serifBold})
	files, err := fontFiles.ReadDir("fonts")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d fonts, %v", len(files), err)
	}
	size := int64(0)
	for _, f := range files {
		name := strings.TrimSuffix(f.Name(), ".ttf.gz")
		info, err := f.Info()
		if err != nil {
			t.Fatal(err)
		}
		size += info.Size()
		i := slices.IndexFunc(all, func(s *source) bool { return s.file == name })
		if i < 0 {
			t.Errorf("%s is not used", name)
			continue
		}
		if err := all[i].load(); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if sum := fmt.Sprintf("%x", sha256.Sum256(all[i].data)); !strings.Contains(string(list), "| "+name+".ttf ") || !strings.Contains(string(list), sum) {
			t.Errorf("%s, SHA-256 %s, is not in the list", name, sum)
		}
	}
	if size > 8<<20 {
		t.Errorf("the fonts take %d bytes", size)
	}
	for _, licence := range []string{"LICENSE-OFL.txt", "LICENSE-DejaVu.txt", "LICENSE-Apache-2.0.txt"} {
		if data, err := os.ReadFile("fonts/" + licence); err != nil || len(data) < 1000 {
			t.Errorf("%s: %d bytes, %v", licence, len(data), err)
		}
	}
}
