package protocol

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestDocument compares docs/protocols.md with the template and the protocols.
func TestDocument(t *testing.T) {
	doc, err := os.ReadFile("../../docs/protocols.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(doc), "```yaml\n"+Template+"```\n") {
		t.Error("docs/protocols.md has another template than template.yaml")
	}
	list, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range list {
		if row := fmt.Sprintf("| `%s` | %d | %s | ", p.ID, p.Sessions(), p.Waits()); !strings.Contains(string(doc), row) {
			t.Errorf("docs/protocols.md has no row %s", row)
		}
	}
}
