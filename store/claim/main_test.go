package claim_test

import (
	"fmt"
	"os"
	"testing"
)

var scratch string

func mkdirTemp() (string, error) { return os.MkdirTemp(scratch, "ca-") }

func TestMain(m *testing.M) {
	var err error
	if scratch, err = os.MkdirTemp("", "claim-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	status := m.Run()
	if err := os.RemoveAll(scratch); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(status)
}
