package decode

import (
	"testing"

	"constat/inspect/inspecttest"
)

func TestDecoders(t *testing.T) {
	inspecttest.Decoders(t, inspecttest.Config{Decoders: All})
}

func TestComplete(t *testing.T) {
	inspecttest.Complete(t, ".", "Decoder")
}
