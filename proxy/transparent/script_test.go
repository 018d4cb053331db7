package transparent

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// setups are all kinds of Setup.
func setups() []Setup {
	var all []Setup
	for _, mode := range []Mode{TProxy, Redirect} {
		for _, ports := range [][2]uint16{{8081, 8082}, {8081, 0}, {0, 8082}} {
			for _, dns := range []bool{false, true} {
				for _, v6 := range []bool{false, true} {
					all = append(all, Setup{"wlan0", ports[0], ports[1], mode, dns, v6})
				}
			}
		}
	}
	return all
}

func TestScriptIsShell(t *testing.T) {
	file := filepath.Join(t.TempDir(), "divert.sh")
	for _, s := range setups() {
		text, err := Script(s)
		if err != nil {
			t.Fatalf("%+v: %v", s, err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command("sh", "-n", file).CombinedOutput(); err != nil {
			t.Errorf("%+v: sh -n: %v: %s", s, err, out)
		}
		if shellcheck, err := exec.LookPath("shellcheck"); err == nil {
			if out, err := exec.Command(shellcheck, "--shell=sh", "--severity=style", file).CombinedOutput(); err != nil {
				t.Errorf("%+v: shellcheck: %s", s, out)
			}
		}
		for _, line := range strings.Split(text, "\n") {
			if strings.TrimRight(line, " \t") != line {
				t.Errorf("%+v: %q ends in space", s, line)
			}
		}
	}
}

func TestScriptRefuses(t *testing.T) {
	good := Setup{Interface: "wlan0", TCPPort: 1}
	if _, err := Script(good); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"", "lo", "a b", "wlan0;reboot", "$(reboot)", "'", `"`, "a\nb", "-a", "sixteen-letters-", "wlan0\x00", "ä"} {
		if text, err := Script(Setup{Interface: name, TCPPort: 1}); err == nil || text != "" {
			t.Errorf("interface %q was taken", name)
		}
	}
	for _, s := range []Setup{{Interface: "wlan0"}, {Interface: "wlan0", TCPPort: 1, Mode: 7}} {
		if _, err := Script(s); err == nil {
			t.Errorf("%+v was taken", s)
		}
	}
}
