package certs

import (
	"archive/zip"
	"bytes"
	"embed"
	"fmt"
	"hash/crc32"
	"strings"
)

// android holds the scripts that put a CA among those that Android's apps trust.
// They carry their sources.
//
//go:embed android
var android embed.FS

// androidFile returns one of them.
func androidFile(name string) []byte {
	data, err := android.ReadFile("android/" + name)
	if err != nil {
		panic(err) // it is embedded
	}
	return data
}

// MagiskModule returns a module for Magisk and KernelSU, as a zip, that puts the CA
// into the system's store of a rooted phone: up to Android 13 as a file under
// /system, from Android 14 on by laying a copy of the store with one more file over
// the one in the APEX, at each start (topjohnwu.github.io/Magisk/guides.html;
// kernelsu.org/guide/module.html). The same CA gives the same bytes.
func (ca *CA) MagiskModule() ([]byte, error) {
	files := []struct {
		name string
		data []byte
	}{
		{"META-INF/com/google/android/update-binary", androidFile("update-binary")},
		{"META-INF/com/google/android/updater-script", []byte("#MAGISK\n")},
		{"README.txt", androidFile("README.txt")},
		{"module.prop", ca.moduleProp()},
		{"post-fs-data.sh", androidFile("post-fs-data.sh")},
		{"service.sh", androidFile("service.sh")},
		{"store.sh", androidFile("store.sh")},
		{"system/etc/security/cacerts/" + ca.AndroidName(), ca.AndroidFile()},
		{"uninstall.sh", androidFile("uninstall.sh")},
	}
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, f := range files {
		h := &zip.FileHeader{
			Name: f.name, Method: zip.Store, // deflate may give other bytes in another version of Go
			CRC32: crc32.ChecksumIEEE(f.data), CompressedSize64: uint64(len(f.data)), UncompressedSize64: uint64(len(f.data)),
		}
		h.SetMode(0o644)
		//lint:ignore SA1019 CreateRaw writes this field, and not Modified. It is 1 January 1980.
		h.ModifiedDate = 1<<5 | 1
		part, err := w.CreateRaw(h) // sizes come first: BusyBox does not read them from behind
		if err == nil {
			_, err = part.Write(f.data)
		}
		if err != nil {
			return nil, fmt.Errorf("write module: %w", err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("write module: %w", err)
	}
	return out.Bytes(), nil
}

// moduleProp describes the module: lines NAME=VALUE.
func (ca *CA) moduleProp() []byte {
	name := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, ca.cert.Subject.CommonName)
	return fmt.Appendf(nil, `id=constat_ca
name=%s
version=%s
versionCode=%s
author=Constat
description=Apps trust this CA: the computer that runs Constat can read what they send. Remove it when the test is over, and restart.
`, name, ca.Fingerprint()[:16], ca.cert.NotBefore.UTC().Format("20060102"))
}

// ADBScript returns a POSIX shell script that puts the CA into the store of a rooted
// phone or emulator over adb ("up"), says whether it is there ("status"), and takes
// it out ("down"); a restart of the phone does that as well.
func (ca *CA) ADBScript() []byte {
	return []byte(strings.NewReplacer(
		"@NAME@", ca.AndroidName(),
		"@CERTIFICATE@", strings.TrimSuffix(string(ca.AndroidFile()), "\n"),
		"@STORE@", strings.TrimSuffix(string(androidFile("store.sh")), "\n"),
	).Replace(string(androidFile("adb.sh"))))
}
