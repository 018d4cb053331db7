package report

import (
	"bytes"
	"os"
	"strings"
	"testing"
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
