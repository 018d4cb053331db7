package pdf

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

var keep = flag.String("keep", "", "write the test's file here")

// samples are texts of many scripts, some of them in one line.
var samples = []string{
	"Latin: The safe’s combination is 7741 – café, naïve, ﬁn, Ærøskøbing, Đà Nẵng, Łódź",
	"Кириллица: Код от сейфа 7741, никому не говори. Українська: ґанок, її",
	"Ελληνικά: Ο κωδικός του χρηματοκιβωτίου",
	"中文：保险箱的密码是7741，请不要告诉任何人。繁體：請不要告訴任何人",
	"日本語：金庫の暗証番号は7741です。カタカナ 한국어: 금고 비밀번호",
	"हिन्दी: तिजोरी का कोड ७७४१ है, किसी को मत बताना। क्षत्रिय, र्कि, श्री",
	"العربية: رمز الخزنة 7741 لا تخبر أحدا",
	"עברית: הקוד של הכספת הוא 7741",
	"ไทย: รหัสตู้เซฟ বাংলা: সিন্দুকের কোড தமிழ்: பெட்டி తెలుగు: పెట్టె ગુજરાતી ਪੰਜਾਬੀ ಕನ್ನಡ മലയാളം සිංහල ខ្មែរ ລາວ မြန်မာ አማርኛ ქართული Հայերեն",
	"Mixed: SMS «Привет» 你好 नमस्ते مرحبا done. ↑ ● ○ → ☎ ✓ 😀 № €",
	"Hidden: a\u202eb\u0007c\u200bd\ue000e\U0010fffdf",
}

func sample(t testing.TB) (*Doc, []byte) {
	t.Helper()
	d := New(Info{Title: "Ça – 你好 (hi)", Subject: "test", Creator: "test", Lang: "fr", Created: time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)})
	p := d.Page(595, 842)
	d.Bookmark(1, "Première – 第一", p, 0)
	d.Bookmark(2, "Second (2)", p, 100)
	d.Bookmark(2, "Third", p, 200)
	d.Bookmark(1, "Fourth", p, 300)
	d.Name("top", p, 0)
	y := 40.0
	for _, bold := range []bool{false, true} {
		for _, s := range samples {
			for _, line := range d.Layout([]Span{{s, Style{Size: 11, Bold: bold, Link: "#top"}}}, 500, 0) {
				p.Draw(line, 40, y)
				y += line.Height
			}
			y += 4
		}
	}
	p.Fill(40, y, 100, 10, Color{200, 0, 0})
	p.Line(40, y+20, 500, y+20, 1, 3, Color{})
	p.Band(40, y+30, 200, y+40, 12, Color{0, 100, 200})
	p.Frame(40, y+60, 50, 20, 0.5, 0, Color{})
	p.Link(40, y, 100, 10, "https://example.org/a?b=(c)")
	p.Link(40, y, 100, 10, "#nowhere")
	var out bytes.Buffer
	if _, err := d.WriteTo(&out); err != nil {
		t.Fatal(err)
	}
	return d, out.Bytes()
}

// TestScripts draws many scripts and reads the text back with poppler, where that
// is installed.
func TestScripts(t *testing.T) {
	d, data := sample(t)
	_, again := sample(t)
	if !bytes.Equal(data, again) {
		t.Error("the same calls give other bytes")
	}
	if len(data) > 600_000 {
		t.Errorf("%d bytes: the fonts are not cut to what is used", len(data))
	}
	for _, f := range d.faces {
		if len(f.glyphs) < 2 {
			t.Errorf("%s is in the file and not used", f.name)
		}
	}
	file := filepath.Join(t.TempDir(), "scripts.pdf")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if *keep != "" {
		if err := os.WriteFile(*keep, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := exec.LookPath("qpdf"); err == nil {
		if out, err := exec.Command("qpdf", "--check", file).CombinedOutput(); err != nil {
			t.Errorf("qpdf: %v\n%s", err, out)
		}
	}
	if _, err := exec.LookPath("pdftotext"); err != nil {
		t.Skip("pdftotext is not installed (Debian: poppler-utils; make deps installs it)")
	}
	out, err := exec.Command("pdftotext", "-layout", file, "-").Output()
	if err != nil {
		t.Fatal(err)
	}
	text := string(out)
	for _, want := range []string{
		"The safe’s combination", "Đà Nẵng", "никому не говори", "χρηματοκιβωτίου", "保险箱的密码是7741", "金庫の暗証番号", "금고 비밀번호", "हिन्दी", "क्षत्रिय", "श्री", "किसी को मत बताना।", "☎", "😀", "№ €",
		"⟨U+202E⟩", "⟨U+0007⟩", "⟨U+200B⟩", "⟨U+E000⟩", "⟨U+10FFFD⟩", "தமிழ்", "رمز الخزنة", "تخبر أحدا", "של הכספת", "አማርኛ", "ქართული",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in the text of the page", want)
		}
	}
}

// TestShaping holds that what has to join or change order does.
func TestShaping(t *testing.T) {
	d := New(Info{})
	glyphs := func(s string) (n int, simple bool) {
		line := d.Layout([]Span{{s, Style{Size: 10}}}, 1000, 0)[0]
		simple = true
		for _, p := range line.pieces {
			n += len(p.glyphs)
			simple = simple && p.simple
		}
		return n, simple
	}
	if n, simple := glyphs("क्ष"); n != 1 || simple {
		t.Errorf("a conjunct of three characters has %d glyphs", n)
	}
	if n, simple := glyphs("abc"); n != 3 || !simple {
		t.Errorf("three letters have %d glyphs", n)
	}
	line := d.Layout([]Span{{"कि", Style{Size: 10}}}, 1000, 0)[0]
	vowel, _ := line.pieces[0].face.NominalGlyph('क')
	if g := line.pieces[0].glyphs; len(g) != 2 || g[1].GlyphID != vowel {
		t.Errorf("the vowel sign that stands before its consonant: %v", g)
	}
	one, _ := glyphs("ب")
	line = d.Layout([]Span{{"ببب", Style{Size: 10}}}, 1000, 0)[0]
	if g := line.pieces[0].glyphs; one != 1 || g[0].GlyphID == g[1].GlyphID || g[1].GlyphID == g[2].GlyphID || g[0].TextIndex() != 2 {
		t.Errorf("Arabic letters do not join, or are not drawn from the right: %v", g)
	}
	line = d.Layout([]Span{{"abc אבג 123 def", Style{Size: 10}}}, 1000, 0)[0]
	var seen strings.Builder
	for _, p := range line.pieces {
		for _, g := range p.glyphs {
			seen.WriteRune(p.runes[g.TextIndex()])
		}
	}
	if got := seen.String(); got != "abc 123 גבא def" {
		t.Errorf("a line of two directions is seen as %q", got)
	}
}

func TestLines(t *testing.T) {
	d := New(Info{})
	style := Style{Size: 10}
	lines := d.Layout([]Span{{"one two three four five six seven eight nine ten", style}}, 80, 0)
	for _, line := range lines {
		if line.Width > 80 {
			t.Errorf("a line is %.1f wide", line.Width)
		}
	}
	if len(lines) < 3 {
		t.Errorf("%d lines", len(lines))
	}
	for _, text := range []string{strings.Repeat("x", 500), strings.Repeat("漢", 300), strings.Repeat("sub.", 60) + "example"} {
		lines = d.Layout([]Span{{text, style}}, 100, 0)
		n := 0
		for _, line := range lines {
			if line.Width > 100.5 {
				t.Errorf("a line of a long word is %.1f wide", line.Width)
			}
			for _, p := range line.pieces {
				n += len(p.runes)
			}
		}
		if n != utf8.RuneCountInString(text) {
			t.Errorf("%d characters of %d", n, utf8.RuneCountInString(text))
		}
	}
	if lines = d.Layout([]Span{{"a\n\nb", style}}, 100, 0); len(lines) != 3 {
		t.Errorf("%d lines of three", len(lines))
	}
	if lines = d.Layout(nil, 100, 0); len(lines) != 1 {
		t.Errorf("%d lines of nothing", len(lines))
	}
}

// FuzzLayout lays out any text and writes it.
func FuzzLayout(f *testing.F) {
	for _, s := range samples {
		f.Add(s, 100.0)
	}
	f.Add("\u202e\u2067\u0301\u0301\u200d\u200d\ufe0f", 1.0)
	f.Fuzz(func(t *testing.T, s string, width float64) {
		if len(s) > 2000 {
			return
		}
		d := New(Info{Title: s, Created: time.Unix(0, 0)})
		p := d.Page(500, 500)
		d.Bookmark(1, s, p, 0)
		for _, line := range d.Layout([]Span{{s, Style{Size: 9, Link: s}}, {s, Style{Size: 7, Family: Mono, Bold: true}}}, max(1, min(width, 1e6)), 0) {
			p.Draw(line, 0, 0)
		}
		var out bytes.Buffer
		if _, err := d.WriteTo(&out); err != nil {
			t.Fatal(err)
		}
	})
}

func BenchmarkReport(b *testing.B) {
	for b.Loop() {
		sample(b)
	}
}
