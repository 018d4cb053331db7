package report

import (
	"testing"

	"constat/inspect/decode"
)

func TestEveryStepHasWords(t *testing.T) {
	for _, d := range decode.All {
		for _, l := range languages {
			if !l.has("deed." + d.Name) {
				t.Errorf("%s: no words for the step %s", l.code, d.Name)
			}
		}
	}
}
