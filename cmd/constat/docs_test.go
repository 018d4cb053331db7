package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"constat/inspect/decode"
	"constat/inspect/detect"
	"constat/inspect/inspecttest"
)

// docs/decoders.md says what the decoders and detectors say of themselves.
func TestDecodersDocument(t *testing.T) {
	var b strings.Builder
	b.WriteString(`# Decoders and detectors

The steps that paths are made of, and what is looked for in what they give. The page is written from the lists
` + "`decode.All` and `detect.All`" + ` by ` + "`go test ./cmd/constat -run Document -update`" + `.

## Decoders

| step | what it does |
|---|---|
`)
	cell := strings.NewReplacer("|", "\\|", "\n", " ")
	for _, d := range decode.All {
		fmt.Fprintf(&b, "| `%s` | %s |\n", d.Name, cell.Replace(d.Doc))
	}
	b.WriteString(`
At most 8 steps follow each other, 20,000 pieces and 64 MiB are made of one request, and 16 MiB of a body are looked at. What
is broken, encrypted or beyond that is listed as damage in the report on the request. A step that makes several pieces
names the one meant behind a colon: ` + "`json:device.imei`, `zip:photos/1.jpg`, `form:data`" + `.

## Detectors

| detector | class | what it looks for |
|---|---|---|
`)
	for _, d := range detect.All {
		fmt.Fprintf(&b, "| `%s` | `%s` | %s |\n", d.Name, d.Class, cell.Replace(d.Doc))
	}
	b.WriteString("\nWhat each class means is in [classes.md](classes.md), how well they are recognised in [accuracy.md](accuracy.md).\n")
	const file = "../../docs/decoders.md"
	if inspecttest.Update() {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != b.String() {
		t.Error("docs/decoders.md is not what the lists say; run go test ./cmd/constat -run Document -update")
	}
}
