package report

import (
	"testing"

	"constat/inspect/decode"
)

func TestEveryStepHasWords(t *testing.T) {
	for _, d := range decode.All {
		if deeds[d.Name].plain == "" {
			t.Errorf("no words for the step %s", d.Name)
		}
	}
}
