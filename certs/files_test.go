package certs

import (
	"bytes"
	"encoding/pem"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestSameCAAgain(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "deep", "ca")
	first, err := LoadOrCreate(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	again, err := LoadOrCreate(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if first.Fingerprint() != again.Fingerprint() {
		t.Error("a second start made another CA")
	}
	if first.leaf.Equal(again.leaf) {
		t.Error("two runs share the leaf key")
	}
	if err := os.Remove(filepath.Join(dir, CertFile)); err != nil {
		t.Fatal(err)
	}
	healed, err := LoadOrCreate(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	copied, err := os.ReadFile(filepath.Join(dir, CertFile))
	if err != nil || !bytes.Equal(copied, first.PEM()) || healed.Fingerprint() != first.Fingerprint() {
		t.Errorf("%s was not written again: %v", CertFile, err)
	}
}

// TestProcessesRace starts this test binary many times on one empty directory.
func TestProcessesRace(t *testing.T) {
	if dir := os.Getenv("CERTS_TEST_RACE"); dir != "" {
		ca, err := LoadOrCreate(dir, Options{})
		if err != nil {
			t.Fatal(err)
		}
		os.Stdout.WriteString("fingerprint " + ca.Fingerprint() + "\n")
		return
	}
	dir := filepath.Join(t.TempDir(), "ca")
	var cmds []*exec.Cmd
	var outs []*bytes.Buffer
	for range 8 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestProcessesRace$")
		cmd.Env = append(os.Environ(), "CERTS_TEST_RACE="+dir)
		out := new(bytes.Buffer)
		cmd.Stdout, cmd.Stderr = out, out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		cmds, outs = append(cmds, cmd), append(outs, out)
	}
	seen := map[string]bool{}
	for i, cmd := range cmds {
		if err := cmd.Wait(); err != nil {
			t.Fatalf("%v\n%s", err, outs[i])
		}
		_, fp, ok := strings.Cut(outs[i].String(), "fingerprint ")
		if !ok {
			t.Fatalf("no fingerprint in %q", outs[i])
		}
		seen[fp[:64]] = true
	}
	if len(seen) != 1 {
		t.Errorf("8 processes got %d CAs", len(seen))
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".ca-*")); len(left) > 0 {
		t.Errorf("temporary files are left: %v", left)
	}
}

func TestSweep(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ca")
	if _, err := LoadOrCreate(dir, Options{}); err != nil {
		t.Fatal(err)
	}
	old, young := filepath.Join(dir, ".ca-1.tmp"), filepath.Join(dir, ".ca-2.tmp")
	for _, path := range []string{old, young} {
		if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	past := time.Now().Add(-2 * time.Hour)
	if err := os.Chtimes(old, past, past); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadOrCreate(dir, Options{}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(old); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what a crash left is still there: %v", err)
	}
	if _, err := os.Stat(young); err != nil {
		t.Errorf("what another process may be writing is gone: %v", err)
	}
}

func TestKeyFileAsOpenSSLSeesIt(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ca")
	if _, err := LoadOrCreate(dir, Options{}); err != nil {
		t.Fatal(err)
	}
	out := openssl(t, "pkey", "-in", filepath.Join(dir, KeyFile), "-noout", "-text")
	if !strings.Contains(out, "NIST CURVE: P-256") {
		t.Errorf("openssl pkey: %s", out)
	}
}

// TestOwnCA takes CAs that openssl made, as people have them.
func TestOwnCA(t *testing.T) {
	for _, tt := range []struct {
		name  string
		steps [][]string // KEY and CERT stand for the files
	}{
		{"rsa", [][]string{{"req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "KEY", "-out", "CERT", "-subj", "/CN=Own RSA", "-days", "30"}}},
		{"rsa pkcs1", [][]string{
			{"genrsa", "-traditional", "-out", "KEY", "2048"},
			{"req", "-x509", "-new", "-key", "KEY", "-out", "CERT", "-subj", "/CN=Own PKCS1", "-days", "30"},
		}},
		{"ec with parameters", [][]string{
			{"ecparam", "-name", "secp384r1", "-genkey", "-out", "KEY"},
			{"req", "-x509", "-new", "-key", "KEY", "-out", "CERT", "-subj", "/CN=Own EC", "-days", "30"},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "ca")
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			key, cert := filepath.Join(dir, KeyFile), filepath.Join(dir, CertFile)
			for _, step := range tt.steps {
				args := strings.Split(strings.NewReplacer("KEY", key, "CERT", cert).Replace(strings.Join(step, "\n")), "\n")
				openssl(t, args...)
			}
			if err := os.Chmod(key, 0o600); err != nil {
				t.Fatal(err)
			}
			ca, err := LoadOrCreate(dir, Options{})
			if err != nil {
				t.Fatal(err)
			}
			leaf, err := ca.Leaf("example.com")
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, "leaf.pem")
			if err := os.WriteFile(path, certPEM(leaf.Leaf), 0o600); err != nil {
				t.Fatal(err)
			}
			out := openssl(t, "verify", "-purpose", "sslserver", "-verify_hostname", "example.com", "-CAfile", cert, path)
			if !strings.HasSuffix(out, ": OK\n") {
				t.Error(out)
			}
		})
	}
}

func passphrase(p string) func(bool) (string, error) {
	return func(bool) (string, error) { return p, nil }
}

func TestPassphrase(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ca")
	var asked []bool
	opt := Options{scryptWork: 10, Passphrase: func(confirm bool) (string, error) {
		asked = append(asked, confirm)
		return "correct horse", nil
	}}
	first, err := LoadOrCreate(dir, opt)
	if err != nil {
		t.Fatal(err)
	}
	stored, err := os.ReadFile(filepath.Join(dir, KeyFile))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(stored, []byte("-----BEGIN AGE ENCRYPTED FILE-----\n")) || bytes.Contains(stored, []byte("PRIVATE KEY")) {
		t.Errorf("key file is not wrapped: %.60q", stored)
	}
	again, err := LoadOrCreate(dir, opt)
	if err != nil {
		t.Fatal(err)
	}
	if first.Fingerprint() != again.Fingerprint() {
		t.Error("another CA came back")
	}
	if len(asked) < 2 || !asked[0] || asked[len(asked)-1] {
		t.Errorf("asked with confirm %v", asked)
	}
	if _, err := LoadOrCreate(dir, Options{Passphrase: passphrase("wrong")}); !errors.Is(err, ErrPassphrase) {
		t.Errorf("wrong passphrase: %v", err)
	}
	if _, err := LoadOrCreate(dir, Options{Passphrase: passphrase("")}); !errors.Is(err, ErrPassphrase) {
		t.Errorf("empty passphrase: %v", err)
	}
	if _, err := LoadOrCreate(dir, Options{}); err == nil || !strings.Contains(err.Error(), "passphrase") {
		t.Errorf("no passphrase: %v", err)
	}
	refuse := errors.New("no terminal")
	if _, err := LoadOrCreate(dir, Options{Passphrase: func(bool) (string, error) { return "", refuse }}); !errors.Is(err, refuse) {
		t.Errorf("asking fails: %v", err)
	}
	if _, err := LoadOrCreate(filepath.Join(t.TempDir(), "ca"), Options{Passphrase: passphrase("")}); err == nil {
		t.Error("an empty passphrase was accepted for a new CA")
	}
}

func TestWrappedKeyDamaged(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ca")
	opt := Options{scryptWork: 10, Passphrase: passphrase("p")}
	if _, err := LoadOrCreate(dir, opt); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, KeyFile)
	stored, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	block, rest := pem.Decode(stored)
	for i := range block.Bytes {
		damaged := *block
		damaged.Bytes = bytes.Clone(block.Bytes)
		damaged.Bytes[i] ^= 1
		if err := os.WriteFile(path, append(pem.EncodeToMemory(&damaged), rest...), 0o600); err != nil {
			t.Fatal(err)
		}
		if i > 30 && i%16 != 0 {
			continue // a sample is enough
		}
		if _, err := LoadOrCreate(dir, opt); err == nil {
			t.Fatalf("byte %d changed: no error", i)
		}
	}
}

func TestBrokenDirectories(t *testing.T) {
	in2037 := func() time.Time { return time.Date(2037, 1, 1, 0, 0, 0, 0, time.UTC) }
	in1970 := func() time.Time { return time.Unix(0, 0) }
	now2026 := func() time.Time { return time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC) }
	other := filepath.Join(t.TempDir(), "other")
	if _, err := LoadOrCreate(other, Options{}); err != nil {
		t.Fatal(err)
	}
	cp := func(from, to string) error {
		data, err := os.ReadFile(from)
		if err != nil {
			return err
		}
		return os.WriteFile(to, data, 0o600)
	}
	// keyOnly cuts the certificate out of a key file.
	keyOnly := func(path string) error {
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		block, _ := pem.Decode(data)
		return os.WriteFile(path, pem.EncodeToMemory(block), 0o600)
	}
	for _, tt := range []struct {
		name  string
		spoil func(key, cert string) error
		clock func() time.Time
		want  string // "" for success
	}{
		{name: "whole", spoil: func(string, string) error { return nil }},
		{name: "key gone", spoil: func(key, _ string) error { return os.Remove(key) }, want: "no ca.key"},
		{name: "key empty", spoil: func(key, _ string) error { return os.Truncate(key, 0) }, want: "holds no key"},
		{name: "key is rubbish", spoil: func(key, _ string) error {
			return os.WriteFile(key, []byte("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"), 0o600)
		}, want: "can be read"},
		{name: "key is huge", spoil: func(key, _ string) error { return os.Truncate(key, 1<<30) }, want: "not a file of a CA"},
		{name: "key is a directory", spoil: func(key, _ string) error { os.Remove(key); return os.Mkdir(key, 0o700) }, want: "not a file of a CA"},
		{name: "key open to others", spoil: func(key, _ string) error { return os.Chmod(key, 0o644) }, want: "chmod 600 "},
		{name: "key open to the group", spoil: func(key, _ string) error { return os.Chmod(key, 0o640) }, want: "chmod 600 "},
		{name: "certificate of another", spoil: func(_, cert string) error { return cp(filepath.Join(other, CertFile), cert) }, want: "do not belong together"},
		{name: "certificate is rubbish", spoil: func(_, cert string) error { return os.WriteFile(cert, []byte("x"), 0o600) }, want: "do not belong together"},
		{name: "key of another, without certificate", spoil: func(key, _ string) error {
			return errors.Join(cp(filepath.Join(other, KeyFile), key), keyOnly(key))
		}, want: "do not belong together"},
		{name: "key without certificate", spoil: func(key, _ string) error { return keyOnly(key) }},
		{name: "no certificate at all", spoil: func(key, cert string) error { return errors.Join(keyOnly(key), os.Remove(cert)) }, want: "holds no certificate"},
		{name: "directory open to others", spoil: func(key, _ string) error { return os.Chmod(filepath.Dir(key), 0o777) }, want: "chmod 700 "},
		{name: "expired", spoil: func(string, string) error { return nil }, clock: in2037, want: "expired on 2036-11-17"},
		{name: "clock before the CA", spoil: func(string, string) error { return nil }, clock: in1970, want: "set the clock"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "ca")
			if _, err := LoadOrCreate(dir, Options{Clock: now2026}); err != nil {
				t.Fatal(err)
			}
			if err := tt.spoil(filepath.Join(dir, KeyFile), filepath.Join(dir, CertFile)); err != nil {
				t.Fatal(err)
			}
			clock := now2026
			if tt.clock != nil {
				clock = tt.clock
			}
			_, err := LoadOrCreate(dir, Options{Clock: clock})
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("error %v", err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("error %v, want one with %q", err, tt.want)
			case err != nil && strings.Contains(err.Error(), "BEGIN"):
				t.Errorf("error holds file contents: %v", err)
			}
		})
	}
}

func TestRefusedNamesOfCA(t *testing.T) {
	for _, name := range []string{strings.Repeat("x", 33), "a\nb", "é"} {
		if _, err := LoadOrCreate(filepath.Join(t.TempDir(), "ca"), Options{Name: name}); err == nil {
			t.Errorf("a CA was called %q", name)
		}
	}
}
