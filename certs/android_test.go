package certs

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

func testCA(t *testing.T) *CA {
	t.Helper()
	ca, err := LoadOrCreate(t.TempDir(), Options{Clock: func() time.Time { return time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC) }})
	if err != nil {
		t.Fatal(err)
	}
	return ca
}

// unzip returns the files of a module by their names.
func unzip(t *testing.T, data []byte) map[string]string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		files[f.Name] = string(text)
	}
	return files
}

func TestMagiskModule(t *testing.T) {
	ca := testCA(t)
	data, err := ca.MagiskModule()
	if err != nil {
		t.Fatal(err)
	}
	again, err := ca.MagiskModule()
	if err != nil || !bytes.Equal(data, again) {
		t.Errorf("other bytes the second time, %v", err)
	}
	files := unzip(t, data)
	hash := strings.TrimSpace(openssl(t, "x509", "-in", write(t, "ca.pem", ca.PEM()), "-noout", "-subject_hash_old"))
	if got := files["system/etc/security/cacerts/"+hash+".0"]; got != string(ca.PEM()) {
		t.Errorf("the certificate is not under the name that OpenSSL gives it: %q", got)
	}
	for _, name := range []string{"META-INF/com/google/android/update-binary", "post-fs-data.sh", "service.sh", "store.sh", "uninstall.sh", "README.txt"} {
		if len(files[name]) < 50 {
			t.Errorf("no %s", name)
		}
	}
	if files["META-INF/com/google/android/updater-script"] != "#MAGISK\n" {
		t.Error("Magisk would not take it for a module")
	}
	for _, want := range []string{
		`(?m)^id=[a-zA-Z][a-zA-Z0-9._-]+$`, `(?m)^name=Constat CA [0-9A-F]{4} [0-9A-F]{4}$`, `(?m)^version=[0-9a-f]{16}$`, `(?m)^versionCode=20261118$`,
		`(?m)^author=.+$`, `(?m)^description=.+$`,
	} {
		if !regexp.MustCompile(want).MatchString(files["module.prop"]) {
			t.Errorf("module.prop has no %s:\n%s", want, files["module.prop"])
		}
	}
	for name, text := range files {
		if strings.Contains(text, "PRIVATE KEY") || strings.Contains(text, "\r") {
			t.Errorf("%s holds what it must not", name)
		}
	}
}

// A name that somebody else gave to a CA does not add lines.
func TestModuleNameIsOneLine(t *testing.T) {
	ca := testCA(t)
	cert := *ca.cert
	cert.Subject.CommonName = "a\nid=other\x1b[1mé"
	prop := string((&CA{cert: &cert}).moduleProp())
	if strings.Count(prop, "\n") != 6 || !strings.Contains(prop, "name=a?id=other?[1m?\n") {
		t.Errorf("%q", prop)
	}
}

// The scripts are POSIX shell, by the shells that there are here; phones have mksh
// and BusyBox.
func TestScripts(t *testing.T) {
	scripts := map[string][]byte{"adb.sh as written": testCA(t).ADBScript()}
	err := fs.WalkDir(android, ".", func(path string, d fs.DirEntry, err error) error {
		if data, _ := android.ReadFile(path); bytes.HasPrefix(data, []byte("#!")) {
			scripts[filepath.Base(path)] = data
		}
		return err
	})
	if err != nil || len(scripts) != 7 {
		t.Fatalf("%d scripts, %v", len(scripts), err)
	}
	for name, data := range scripts {
		path := write(t, "script", data)
		checks := [][]string{{"sh", "-n", path}}
		for _, shell := range [][]string{{"dash", "-n"}, {"busybox", "sh", "-n"}, {"mksh", "-n"}, {"shellcheck", "-s", "sh"}} {
			if _, err := exec.LookPath(shell[0]); err == nil {
				checks = append(checks, append(slices.Clone(shell), path))
			}
		}
		for _, c := range checks {
			if out, err := exec.Command(c[0], c[1:]...).CombinedOutput(); err != nil {
				t.Errorf("%s: %s: %v\n%s", name, c[0], err, out)
			}
		}
	}
}

// A system of a zygote and an app in namespaces of their own, under this test's
// shell as init: the certificate reaches all of them, and goes again.
const phone = `
set -eu
cd "$1"
mkdir apex system
echo one >apex/11111111.0; echo one >system/11111111.0
export STORES="$PWD/apex $PWD/system $PWD/absent" PATH="$PWD/bin:$PATH"
unshare -m sh -c 'echo $$ >zygote.pid; unshare -m sleep 60 & echo $! >app.pid; wait' &
for _ in $(seq 100); do [ -s app.pid ] && break; sleep 0.05; done
for _ in $(seq 200); do
	[ "$(readlink /proc/$(cat app.pid)/ns/mnt)" = "$(readlink /proc/$(cat zygote.pid)/ns/mnt)" ] || break
	sleep 0.05
done
views() {
	for p in 1 $(cat zygote.pid) $(cat app.pid); do
		nsenter --mount=/proc/$p/ns/mnt -- sh -c 'cd "$0" && echo $(ls apex system)' "$PWD"
	done
}
step() {
	set +e
	sh store.sh "$1" 0123abcd.0 "$PWD/work" >out 2>&1
	echo "$1 $?: $(sed "s,$PWD/,,g;s,process [0-9]*,process N,;s,process N does.*,not seen," out | sort | uniq -c | sed 's,^ *,,')"
	set -e
	views
}
step status; step up; step up; step status
stat -c '%a %n' apex apex/*
step down; step status; step down
ls
kill "$(cat app.pid)" "$(cat zygote.pid)" 2>/dev/null || true
`

func TestStoreScript(t *testing.T) {
	if out, err := exec.Command("unshare", "-m", "-p", "-f", "--mount-proc", "true").CombinedOutput(); err != nil {
		t.Skipf("no namespaces here: %v %s", err, out)
	}
	dir := t.TempDir()
	for name, data := range map[string][]byte{
		"store.sh": androidFile("store.sh"), "0123abcd.0": testCA(t).AndroidFile(),
		// The pidof of this phone knows its one zygote.
		"bin/pidof": []byte("#!/bin/sh\n[ \"$1\" != zygote64 ] || cat " + dir + "/zygote.pid\n"),
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	out, err := exec.Command("unshare", "-m", "-p", "-f", "--mount-proc", "sh", "-c", phone, "phone", dir).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	without := strings.Repeat("apex: 11111111.0 system: 11111111.0\n", 3)
	with := strings.Repeat("apex: 0123abcd.0 11111111.0 system: 0123abcd.0 11111111.0\n", 3)
	in := "0: 1 constat: the certificate is in; close and open apps that were running\n"
	gone := "0: 1 constat: the certificate is out; close and open apps that had it\n"
	want := "status 3: 4 constat: not seen\n" + without + "up " + in + with + "up " + in + with + "status " + in + with +
		"755 apex\n644 apex/0123abcd.0\n644 apex/11111111.0\n" +
		"down " + gone + without + "status 3: 4 constat: not seen\n" + without + "down " + gone + without +
		"0123abcd.0\napex\napp.pid\nbin\nout\nstore.sh\nsystem\nzygote.pid\n"
	if string(out) != want {
		t.Errorf("got:\n%s\nwant:\n%s", out, want)
	}
}

// The script for adb does its work with an adb that runs everything here, whose phone
// gives root in one of three ways, or not at all.
func TestADBScript(t *testing.T) {
	script := write(t, "constat-adb.sh", testCA(t).ADBScript())
	run := func(way string, args ...string) (string, error) {
		dir := t.TempDir()
		adb := filepath.Join(dir, "adb")
		fake := fmt.Sprintf(`#!/bin/sh
PATH=%[1]s/bin:$PATH
case $1 in
get-state) echo device ;;
root | wait-for-device) ;;
push) cp "$2" "$3" %[1]s/ ;;
shell)
	shift
	case $* in
	"mkdir -p /data/local/tmp/constat-ca") ;;
	"id -u") [ %[2]s = root ] && echo 0 || echo 2000 ;;
	"su -c 'id -u'") [ %[2]s = su ] && printf '0\r\n' ;;
	"su 0 sh -c 'id -u'") [ %[2]s = su0 ] && echo 0 ;;
	*) echo "phone: $*"; ls %[1]s; exit 3 ;;
	esac ;;
esac
`, dir, way)
		if err := os.WriteFile(adb, []byte(fake), 0o755); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("sh", append([]string{script}, args...)...)
		cmd.Env = append(os.Environ(), "ADB="+adb)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	name := testCA(t).AndroidName()[8:]
	for way, line := range map[string]string{"root": "%s", "su": "su -c '%s'", "su0": "su 0 sh -c '%s'"} {
		out, err := run(way, "status")
		want := fmt.Sprintf(line, `sh /data/local/tmp/constat-ca/store.sh status /data/local/tmp/constat-ca/[0-9a-f]{8}`+regexp.QuoteMeta(name)+` /data/local/tmp/constat-ca/stores`)
		if !regexp.MustCompile(`^phone: `+want+"\n").MatchString(out) || !strings.Contains(out, "\nstore.sh\n") || err == nil || err.Error() != "exit status 3" {
			t.Errorf("%s: %v\n%s\nwant %s", way, err, out, want)
		}
	}
	if out, err := run("none", "up"); err == nil || !strings.Contains(out, "no root on the phone") {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err := run("root", "sideways"); err == nil || !strings.Contains(out, "want up, down or status") {
		t.Errorf("%v\n%s", err, out)
	}
}
