package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A table that cannot be used is said before a case is made, and by its name.
func TestOwnerFlags(t *testing.T) {
	dir := t.TempDir()
	table := filepath.Join(dir, "countries.mmdb")
	if err := os.WriteFile(table, []byte("1.0.0.0,1.0.0.255,AU\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	har := filepath.Join(dir, "a.har")
	if err := os.WriteFile(har, []byte(`{"log":{"version":"1.2","entries":[]}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	made := filepath.Join(dir, "new.constat")
	for _, args := range [][]string{
		{"import", har, "--case", made, "--ca-dir", dir, "--owner-country", table},
		{"run", "--case", made, "--ca-dir", dir, "--listen", "127.0.0.1:0", "--ui", "off", "--owner-as", table},
		{"run", "--case", made, "--ca-dir", dir, "--listen", "127.0.0.1:0", "--ui", "off", "--owner-as", filepath.Join(dir, "countries.mmdb.absent")},
	} {
		cmd := newRoot()
		cmd.SetArgs(args)
		cmd.SetOut(&bytes.Buffer{})
		cmd.SetErr(&bytes.Buffer{})
		err := cmd.ExecuteContext(t.Context())
		if err == nil || !strings.Contains(err.Error(), "countries.mmdb") {
			t.Errorf("%s: %v", args[0], err)
		}
		if _, err := os.Stat(made); !os.IsNotExist(err) {
			t.Errorf("%s made a case", args[0])
		}
	}
}
