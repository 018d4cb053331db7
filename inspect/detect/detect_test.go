package detect

import (
	"bytes"
	"testing"

	"constat/inspect"
	"constat/inspect/canary"
	"constat/inspect/decode"
	"constat/inspect/inspecttest"
)

func TestCases(t *testing.T) {
	inspecttest.Detectors(t, inspecttest.Config{
		Decoders:  decode.All,
		Detectors: All,
		Persona: func(data []byte) (inspect.Matcher, error) {
			p, err := canary.Read(bytes.NewReader(data))
			if err != nil {
				return nil, err
			}
			return canary.NewMatcher(p)
		},
	})
}

func TestComplete(t *testing.T) {
	inspecttest.Complete(t, ".", "Detector")
}
