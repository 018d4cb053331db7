package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// dataFolder is a small folder of labelled data with invented contents.
func dataFolder(t *testing.T) string {
	dir := t.TempDir()
	write := func(name, text string) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var sms, greetings strings.Builder
	for i := range 40 {
		fmt.Fprintf(&sms, "ham\tSee you at platform %d, I have the tickets\n", i)
		fmt.Fprintf(&greetings, `{"lang":"en","kind":"greeting","text":"Happy birthday number %d, and many more to come!"}`+"\n", i)
	}
	write("sms/uci-sms-spam-collection/SMSSpamCollection", sms.String())
	write("greetings/greetings.jsonl", greetings.String())
	write("device-stats/mozilla-telemetry/core.json", `{"device":"LGE-Nexus 5","os":"Android","osversion":"23","arch":"armeabi-v7a","locale":"en-US","clientId":"6763e028-d9b2-49a9-b221-a82d62465322"}`)
	return dir
}

func TestScore(t *testing.T) {
	dir := dataFolder(t)
	var first, second, stderr bytes.Buffer
	if status := run([]string{"-data", dir}, &first, &stderr); status != 0 {
		t.Fatalf("status %d: %s%s", status, first.String(), stderr.String())
	}
	if status := run([]string{"-data", dir}, &second, &stderr); status != 0 {
		t.Fatal("second run failed")
	}
	a, b := withoutTiming(first.String()), withoutTiming(second.String())
	if a != b {
		t.Errorf("two runs differ:\n%s\n%s", a, b)
	}
	for _, want := range []string{"sms", "greeting_content", "left out: payloads/sdk-loopback/truth.json is absent"} {
		if !strings.Contains(a, want) {
			t.Errorf("output lacks %q:\n%s", want, a)
		}
	}
	if strings.Contains(a, "tickets") {
		t.Error("output quotes a message")
	}
}

func withoutTiming(s string) string {
	var out []string
	for line := range strings.Lines(s) {
		if !strings.Contains(line, "labelled requests") {
			out = append(out, line)
		}
	}
	return strings.Join(out, "")
}

func TestExitStatus(t *testing.T) {
	for _, tc := range []struct {
		args []string
		want int
	}{
		{nil, 2},
		{[]string{"-data", t.TempDir(), "extra"}, 2},
		{[]string{"-data", t.TempDir(), "-half", "third"}, 2},
		{[]string{"-data", t.TempDir(), "-min", "2"}, 1},
		{[]string{"-data", dataFolder(t), "-min", "1.01"}, 1},
	} {
		var out bytes.Buffer
		if got := run(tc.args, &out, &out); got != tc.want {
			t.Errorf("%v: status %d, want %d\n%s", tc.args, got, tc.want, out.String())
		}
	}
}
