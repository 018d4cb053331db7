package report

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

func (b *builder) pdf(opt Options) []byte {
	b.t.Helper()
	var out bytes.Buffer
	if err := WritePDF(b.t.Context(), &out, &b.c.Reader, opt); err != nil {
		b.t.Fatal(err)
	}
	return out.Bytes()
}

func TestPDF(t *testing.T) {
	b := newBuilder(t)
	b.affair()
	for _, lang := range Languages() {
		opt := answered(b)
		opt.Lang = lang
		file := b.pdf(opt)
		if *keep != "" {
			if err := os.WriteFile(strings.TrimSuffix(*keep, ".html")+"-"+lang+".pdf", file, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if again := b.pdf(opt); !bytes.Equal(file, again) {
			t.Errorf("%s: the same case gives other bytes", lang)
		}
	}
}

// read gives the text of a PDF file, as poppler reads it.
func read(t *testing.T, file []byte) string {
	t.Helper()
	if _, err := exec.LookPath("pdftotext"); err != nil {
		t.Skip("pdftotext is not installed (Debian: poppler-utils; make deps installs it)")
	}
	name := filepath.Join(t.TempDir(), "report.pdf")
	if err := os.WriteFile(name, file, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("pdftotext", "-layout", name, "-").Output()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := exec.LookPath("qpdf"); err == nil {
		if out, err := exec.Command("qpdf", "--check", name).CombinedOutput(); err != nil {
			t.Errorf("qpdf: %v\n%s", err, out)
		}
	}
	return string(out)
}

// TestPDFSaysTheSame holds that sections, answers, exhibits and the head of the log
// are on paper, and that every page says which case it belongs to.
func TestPDFSaysTheSame(t *testing.T) {
	b := newBuilder(t)
	b.affair()
	d := b.gather()
	text := read(t, b.pdf(answered(b)))
	pages := strings.Split(strings.TrimSuffix(text, "\f"), "\f")
	for i, page := range pages {
		for _, want := range []string{d.Case.ID, d.Log.Root, fmt.Sprintf("%d / %d", i+1, len(pages)), "INVENTED"} {
			if !strings.Contains(page, want) {
				t.Errorf("page %d lacks %q", i+1, want)
			}
		}
	}
	if !strings.Contains(strings.Join(strings.Fields(pages[0]), " "), "never means “not sent”") {
		t.Error("the plain words are not on the first page")
	}
	flat := strings.Join(strings.Fields(text), " ")
	for _, id := range order {
		if want := fmt.Sprintf("%d %s", number(id), english.say("section."+id)); !strings.Contains(flat, want) {
			t.Errorf("section %q is not there", want)
		}
	}
	for _, want := range []string{"refuted", "not decided", "Exhibit 9", "request.body|form:p|base64|json:smsText", "The safe's combination", "ff d8 ff", "bank.example", "made unrecognisable", "Decode it from Base64 (165 bytes)."} {
		if !strings.Contains(flat, want) {
			t.Errorf("%q is not there", want)
		}
	}
}

// TestPDFIsTagged reads a report as assistive technology does: in the order of its
// structure, with headings that follow one another, whole rows, and words for pictures.
func TestPDFIsTagged(t *testing.T) {
	if _, err := exec.LookPath("pdfinfo"); err != nil {
		t.Skip("pdfinfo is not installed (Debian: poppler-utils; make deps installs it)")
	}
	b := newBuilder(t)
	b.affair()
	opt := answered(b)
	opt.Lang = "fr"
	file := b.pdf(opt)
	name := filepath.Join(t.TempDir(), "report.pdf")
	if err := os.WriteFile(name, file, 0o600); err != nil {
		t.Fatal(err)
	}
	info, err := exec.Command("pdfinfo", name).Output()
	if err != nil || !regexp.MustCompile(`Tagged: +yes`).Match(info) || !bytes.Contains(info, []byte(french.say("title"))) {
		t.Fatalf("%v\n%s", err, info)
	}
	out, err := exec.Command("pdfinfo", "-struct-text", name).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	count, level, cells, table, heads := map[string]int{}, 0, 0, 0, 0
	var said strings.Builder
	endOfRow := func() {
		if cells > 0 && heads > 0 && cells != heads {
			t.Errorf("table %d has %d heads and a row of %d cells", table, heads, cells)
		}
		cells = 0
	}
	for _, line := range strings.Split(string(out), "\n") {
		line = strings.TrimSpace(line)
		if quoted := strings.HasPrefix(line, `"`); quoted {
			said.WriteString(strings.Trim(line, `"`))
			continue
		}
		role := strings.TrimRight(strings.SplitN(line, " ", 2)[0], ":")
		count[role]++
		switch role {
		case "Table":
			endOfRow()
			table, heads = table+1, 0
		case "TR":
			if heads == 0 {
				heads = cells
				cells = 0
			}
			endOfRow()
		case "TH", "TD":
			cells++
		case "/ColSpan":
			n, err := strconv.Atoi(strings.Fields(line)[1])
			if err != nil {
				t.Fatal(err)
			}
			cells += n - 1
		case "H1", "H2", "H3", "H4":
			at := int(role[1] - '0')
			if at > level+1 {
				t.Errorf("a heading of level %d follows one of level %d: %s", at, level, line)
			}
			level = at
		}
	}
	endOfRow()
	if count["H1"] != 1 || count["H2"] != len(order)+1 || count["Table"] < 8 || count["LI"] < 20 || count["Figure"] < 3 || count["Link"] < 10 {
		t.Errorf("%v", count)
	}
	if alts := bytes.Count(file, []byte("/Alt ")); alts != count["Figure"] {
		t.Errorf("%d pictures, %d of them with words", count["Figure"], alts)
	}
	flat := strings.Join(strings.Fields(said.String()), " ")
	if !strings.HasPrefix(flat, "INVENTED") || strings.Count(flat, "INVENTED: every server") != 1 {
		t.Errorf("the banner is not said once, first: %.200s", flat)
	}
	opt.Now = func() time.Time { return time.Time{} }
	d, err := Gather(t.Context(), &b.c.Reader, opt)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range d.Summary {
		for _, s := range append(p.Sentences, p.Heading) {
			if want := strings.Join(strings.Fields(s), " "); !strings.Contains(flat, want) {
				t.Errorf("not said: %q", want)
			}
		}
	}
	if strings.Contains(flat, french.say("verify.root")+french.say("colon")) {
		t.Error("the feet of pages are said")
	}
}

// TestPDFInAllScripts quotes messages in many scripts, and a table cell that no page
// holds.
func TestPDFInAllScripts(t *testing.T) {
	b := newBuilder(t)
	messages := []string{"Код от сейфа 7741", "保险箱的密码是7741", "तिजोरी का कोड ७७४१ है", "금고 비밀번호", "\u202eevil\x07 \U000e0041"}
	for i, m := range messages {
		b.wait(time.Second)
		b.exchange("POST", fmt.Sprintf("https://host-%d.example/p", i), "Content-Type: application/json\r\n",
			fmt.Appendf(nil, `{"smsText":%s,"senderNumber":"+33639980123","receiveTime":1793608200000,"type":1,"thread_id":%d}`, quoted(m), i), 200, "", nil)
	}
	b.mark(strings.Repeat("长的名字 ", 400), nil, strings.Repeat("note ", 3000))
	b.inspect()
	opt := b.options()
	opt.MaxDeciding = 10
	close := func(s string) string { return strings.Join(strings.Fields(s), "") }
	text := close(read(t, b.pdf(opt)))
	for _, want := range append(messages[:4], "⟨U+202E⟩evil") {
		if !strings.Contains(text, close(want)) {
			t.Errorf("%q is not on paper", want)
		}
	}
	if n := strings.Count(text, "notenote"); n < 1000 {
		t.Errorf("%d of the words of a long cell are on paper", 2*n)
	}
}
