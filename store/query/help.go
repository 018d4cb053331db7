package query

import (
	"fmt"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
)

// Help describes the filter language, one field to a line.
func Help() string {
	var b strings.Builder
	for _, f := range Fields {
		fmt.Fprintf(&b, "  %s %s %s\n", text.Pad(f.Name+":", 12, ' '), text.Pad(f.Example, 46, ' '), f.Doc)
	}
	return b.String()
}
