package e2e

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"constat/proxy/wireguard/wgtest"
)

// TestIdleInTheTunnel is two thousand connections of four phones in the tunnel, on each
// of which one request was made and nothing since. One phone can have 512.
func TestIdleInTheTunnel(t *testing.T) {
	if !ownNetwork(t) {
		return
	}
	w := newWorld(t)
	w.enrol()
	for n := range 4 {
		constat(t, 0, "device", "add", fmt.Sprint("phone-", n), "--ca-dir", w.caDir())
	}
	w.start()
	var clients []*talker
	const warm, each = 50, 450 // the first ones pay for what is needed once
	for n := range 4 {
		text, _ := constat(t, 0, "device", "show", fmt.Sprint("phone-", n), "--ca-dir", w.caDir(), "--endpoint", "127.0.0.1:"+tunnelPort)
		phone := wgtest.NewPhone(t, text)
		d := &doorway{name: "wireguard", command: phone.Command, w: w}
		clients = append(clients, d.talker(t, "idle", "-url", "https://origin.test"))
		clients[n].do(warm)
	}
	before, _ := w.c.rss()
	for _, c := range clients {
		c.do(each)
	}
	after, peak := w.c.rss()
	one := (after - before) / (4 * each)
	t.Logf("%d idle connections through WireGuard: %d KiB of resident memory each, connection to the server included (%d MiB in all, peak %d MiB)", 4*(warm+each), one>>10, after>>20, peak>>20)
	if one > 64<<10 {
		t.Errorf("an idle connection costs %d KiB, want 64 at most", one>>10)
	}
	for _, c := range clients { // and they are all alive
		c.do(0)
	}
	w.c.stop()
	if got := w.c.sql("SELECT count(*), count(DISTINCT connection_id), count(DISTINCT device) FROM requests WHERE path = '/idle' AND status = 200"); got != "4000|2000|4" {
		t.Errorf("requests, connections, devices: %s", got)
	}
}

// TestDoorFigures prints how fast a download of 200 MB is by each door, in the same run.
// It asserts no time, and runs when it is asked to.
func TestDoorFigures(t *testing.T) {
	if os.Getenv("CONSTAT_FIGURES") == "" {
		t.Skip("figures: CONSTAT_FIGURES=1 go test -v -run TestDoorFigures ./cmd/constat/e2e")
	}
	if !ownNetwork(t) {
		return
	}
	w := newWorld(t)
	w.enrol()
	profile := []string{}
	if name := os.Getenv("CONSTAT_PROFILE"); name != "" {
		profile = append(profile, "--cpu-profile", name)
	}
	w.start(append(profile, "--inspect=false")...)
	best := map[string]float64{}
	names := []string{"http", "socks5", "wireguard", "transparent"}
	if os.Getenv("CONSTAT_PROFILE") != "" {
		names = []string{"wireguard"}
	}
	for range 3 {
		for _, name := range names {
			d := w.doorway(t, name)
			before, own := cpu(t, w.c.cmd.Process.Pid), cpu(t, os.Getpid())
			out, err := d.curl(t, "", "-f", "--http1.1", "-o", "/dev/null", "-w", "%{speed_download}", "https://origin.test/noise/200000000")
			if err != nil {
				t.Fatalf("%s %v", out, err)
			}
			speed, err := strconv.ParseFloat(out, 64)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%-12s %6.0f MB/s, seconds of processor time: %.2f in constat, %.2f in the server and in the phone's end of the tunnel", name, speed/1e6, cpu(t, w.c.cmd.Process.Pid)-before, cpu(t, os.Getpid())-own)
			best[name] = max(best[name], speed)
		}
	}
	for _, name := range names {
		t.Logf("%-12s %.2f of the first", name, best[name]/best[names[0]])
	}
	w.c.stop()
}

// cpu is the processor time that a process has used, in seconds.
func cpu(t *testing.T, pid int) float64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), ") ") // the name may hold spaces
	var ticks float64
	for _, field := range strings.Fields(rest)[11:13] { // utime and stime, proc_pid_stat(5)
		n, err := strconv.ParseFloat(field, 64)
		if err != nil {
			t.Fatal(err)
		}
		ticks += n
	}
	return ticks / 100
}
