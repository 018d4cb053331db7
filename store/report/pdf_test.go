package report

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
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
