package inspect

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestExcerpt(t *testing.T) {
	long := strings.Repeat("a", 100) + "NEEDLE" + strings.Repeat("b", 300)
	for _, c := range []struct {
		data       string
		start, end int
		want       string
	}{
		{"hello\r\n\t world", 0, 0, "hello world"},
		{"a\u202eb\x00c\xffd and text behind it", 0, 0, "a.b.c.d and text behind it"},
		{"\xff\xd8\xff\xe0\x00\x10", 0, 0, "hex ffd8ffe00010"},
		{long, 100, 106, "…" + strings.Repeat("a", 40) + "NEEDLE" + strings.Repeat("b", 112) + "…"},
		{"abc", 2, 99, "abc"},
		{"", 0, 0, ""},
	} {
		if got := Excerpt([]byte(c.data), c.start, c.end); got != c.want {
			t.Errorf("%.20q: got %q, want %q", c.data, got, c.want)
		}
	}
}

func FuzzExcerpt(f *testing.F) {
	f.Add([]byte("plain text"), 1, 3)
	f.Add([]byte("\xff\xfe\x00 mixed \u4f60"), 0, 4)
	f.Add([]byte(strings.Repeat("你好 ", 200)), 300, 306)
	f.Fuzz(func(t *testing.T, data []byte, start, end int) {
		got := Excerpt(data, start, end)
		if !utf8.ValidString(got) || utf8.RuneCountInString(got) > MaxExcerpt {
			t.Fatalf("%q is not UTF-8 or too long", got)
		}
		for _, r := range got {
			if !unicode.IsPrint(r) {
				t.Fatalf("%q holds %q", got, r)
			}
		}
	})
}
