package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"constat/inspect/decode"
	"constat/inspect/detect"
	"constat/inspect/inspecttest"
	"constat/store/claim"
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

// docs/claims.md lists the claims that the program brings along.
func TestClaimsDocument(t *testing.T) {
	const file, begin, end = "../../docs/claims.md", "<!-- built-in claims: written by go test ./cmd/constat -run Document -update -->\n", "<!-- end -->\n"
	var b strings.Builder
	cell := strings.NewReplacer("|", "\\|", "\n", " ")
	for _, name := range claim.BuiltIn {
		set, err := claim.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "| `%s` | said by | question | one row | no row |\n|---|---|---|---|---|\n", set.Name)
		for _, c := range set.Claims {
			opposite := map[string]string{claim.Supports: "refuted", claim.Refutes: "supported"}[c.OneRow]
			switch c.Absence {
			case claim.Never:
				opposite = "undecided"
			case claim.WithExample:
				opposite += ", given an example"
			}
			when := ""
			if !c.Said.When.IsZero() {
				when = ", " + c.Said.When.Format("2006-01")
			}
			fmt.Fprintf(&b, "| %s %s | %s%s | %s | %s | %s |\n", c.ID, cell.Replace(c.Title.In("en")), cell.Replace(c.Said.Who), when,
				cell.Replace(c.Question.In("en")), map[string]string{claim.Supports: "supported", claim.Refutes: "refuted"}[c.OneRow], opposite)
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), begin)
	old, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no place for the list", file)
	}
	if inspecttest.Update() {
		if err := os.WriteFile(file, []byte(before+begin+b.String()+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if old != b.String() {
		t.Error("docs/claims.md does not list the claims; run go test ./cmd/constat -run Document -update")
	}
}
