package e2e

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
)

// A stranger gets the bundle of the demonstration, the checker and the key.
func TestBundleOfTheDemo(t *testing.T) {
	checker := filepath.Join(t.TempDir(), "constat-verify")
	build := exec.Command("go", "build", "-o", checker, "constat/cmd/constat-verify")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%s\n%s", err, out)
	}
	check := func(status int, args ...string) string {
		t.Helper()
		cmd := exec.Command(checker, args...)
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		if got := cmd.ProcessState.ExitCode(); got != status {
			t.Fatalf("constat-verify %s: exit status %d, want %d\n%s", strings.Join(args, " "), got, status, out)
		}
		return string(out)
	}
	dir := filepath.Join(t.TempDir(), "demo")
	constat(t, 0, "demo", "--dir", dir)
	file, ca := filepath.Join(dir, "demo.constat"), filepath.Join(dir, "ca")
	key := sqlite(t, file, "SELECT verifier FROM genesis")
	export := func(name string, args ...string) string {
		t.Helper()
		out := filepath.Join(dir, name)
		_, said := constat(t, 0, append([]string{"export", "bundle", "--case", file, "--ca-dir", ca, "--out", out}, args...)...)
		if !strings.Contains(said, "no time stamp") {
			t.Errorf("it does not say that there is no time stamp:\n%s", said)
		}
		return out
	}
	full := export("full.constat.zip")
	if info, err := os.Stat(full); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	said := check(3, full, "--key", key)
	for _, want := range []string{"VERIFIED, with reservations", "There is no time stamp", "What is not proved", "That nothing else was sent"} {
		if !strings.Contains(said, want) {
			t.Errorf("it does not say %q:\n%s", want, said)
		}
	}
	check(3, full)
	other := strings.Replace(key, "+A", "+B", 1)
	check(1, full, "--key", other)

	if out := byHand(t, full); !strings.Contains(out, "commitment: OK") || !strings.Contains(out, "leaf: OK") || !strings.Contains(out, "inclusion: OK") {
		t.Errorf("by hand:\n%s", out)
	}

	// Redacted ones, and one for a recipient only.
	for name, args := range map[string][]string{
		"masked": {"--redact", "masked"}, "hashes": {"--redact", "hashes"}, "chosen": {"--filter", "tag:sms"}, "hidden": {"--hide", "class:photo,host:stats.vendor.example"},
		"unsigned": {"--unsigned"},
	} {
		out := check(3, export(name+".constat.zip", args...), "--key", key)
		if name == "unsigned" != strings.Contains(out, "manifests are not signed") {
			t.Errorf("%s:\n%s", name, out)
		}
	}
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	sealed := export("for-you.constat.zip.age", "--to", identity.Recipient().String())
	if out := check(1, sealed); !strings.Contains(out, "age --decrypt") {
		t.Errorf("an encrypted bundle: %s", out)
	}
	f, err := os.Open(sealed)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := age.Decrypt(f, identity)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(full)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(plain, want) {
		t.Error("what was encrypted is not the bundle")
	}

	bad := bytes.Clone(want)
	bad[len(bad)/2] ^= 1
	damaged := filepath.Join(dir, "damaged.zip")
	if err := os.WriteFile(damaged, bad, 0o600); err != nil {
		t.Fatal(err)
	}
	if out := check(1, damaged, "--key", key); !strings.Contains(out, "NOT VERIFIED") || !strings.Contains(out, "was changed") {
		t.Errorf("a changed bundle:\n%s", out)
	}
	if entries, err := filepath.Glob(filepath.Join(dir, ".constat*")); err != nil || len(entries) > 0 {
		t.Errorf("left behind: %v %v", entries, err)
	}

	for want, args := range map[string][]string{
		"--out":            {},
		"masked or hashes": {"--out", "x", "--redact", "some"},
		"class:NAME":       {"--out", "x", "--hide", "class:nonsense"},
		"age1":             {"--out", "x", "--to", "somebody"},
		"use one of them":  {"--out", "x", "--tsa", "http://tsa.example", "--tsr", "y"},
		"http or https":    {"--out", "x", "--tsa", "tsa.example"},
	} {
		if _, said := constat(t, 2, append([]string{"export", "bundle", "--case", file}, args...)...); !strings.Contains(said, want) {
			t.Errorf("%v: %s", args, said)
		}
	}
	if _, said := constat(t, 1, "export", "bundle", "--case", file, "--ca-dir", t.TempDir(), "--out", filepath.Join(dir, "y")); !strings.Contains(said, "--unsigned") {
		t.Errorf("without the key: %s", said)
	}
}

// byHand pastes the commands of a bundle's VERIFY.md into a shell.
func byHand(t *testing.T, bundle string) string {
	t.Helper()
	unzip := need(t, "unzip")
	for _, tool := range []string{"openssl", "sha256sum", "base64", "od", "sed"} {
		need(t, tool)
	}
	guide, err := exec.Command(unzip, "-p", bundle, "*/verify/VERIFY.md").Output()
	if err != nil {
		t.Fatal(err)
	}
	var script strings.Builder
	inside := false
	for line := range strings.Lines(string(guide)) {
		switch {
		case strings.HasPrefix(line, "```"):
			inside = strings.HasPrefix(line, "```sh")
		case inside:
			script.WriteString(line)
		}
	}
	cmd := exec.Command("sh", "-c", script.String())
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "BUNDLE="+bundle, "TMPDIR="+cmd.Dir)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s\n%s", err, out)
	}
	return string(out)
}
