package report

import (
	"bytes"
	"os"
	"testing"
	"time"
)

func (b *builder) options() Options {
	return Options{
		Title: "What the phone sent", Banner: "INVENTED: every server, message and person in this case was made up for a demonstration.",
		Build: "constat v0.0-test", Now: func() time.Time { return b.now }, Inspector: b.in,
	}
}

func TestAffair(t *testing.T) {
	b := newBuilder(t)
	b.affair()
	var out bytes.Buffer
	if err := Write(t.Context(), &out, &b.c.Reader, b.options()); err != nil {
		t.Fatal(err)
	}
	if path := os.Getenv("REPORT_OUT"); path != "" {
		if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
