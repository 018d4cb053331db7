package doctor

import (
	"strconv"
	"strings"
)

// Platform is what a device is, as far as it can be guessed: it decides what its
// owner has to tap. The empty one is not known.
type Platform string

// The platforms.
const (
	Android Platform = "android"
	Apple   Platform = "apple"
	Desktop Platform = "desktop" // a program on the computer that runs Constat
)

// signs are what tells a platform: hosts that its system asks by itself, beginnings
// of names of apps, and words that people write when they declare a device.
var signs = []struct {
	platform          Platform
	host, app, spoken []string
}{
	{
		Android,
		[]string{"connectivitycheck.gstatic.com", "connectivitycheck.android.com", "play.googleapis.com", "android.googleapis.com", "connect.rom.miui.com"},
		[]string{"com.android.", "com.google.android."},
		[]string{"android", "miui", "hyperos", "lineage", "one ui", "oneui", "coloros", "emui", "pixel", "redmi", "xiaomi", "galaxy", "samsung", "huawei", "oneplus"},
	},
	{
		Apple,
		[]string{"captive.apple.com", "gdmf.apple.com", "mesu.apple.com", "init.push.apple.com", "gateway.icloud.com", "gs-loc.apple.com"},
		[]string{"com.apple."},
		[]string{"iphone", "ipad", "ios", "ipados"},
	},
}

// guess collects signs of one device's platform.
type guess struct {
	android, apple bool
	version        int // of Android, 0 when nobody said
}

func (g *guess) mark(p Platform) {
	g.android = g.android || p == Android
	g.apple = g.apple || p == Apple
}

// saw takes note of a connection.
func (g *guess) saw(host, app string) {
	for _, s := range signs {
		for _, h := range s.host {
			if host == h {
				g.mark(s.platform)
			}
		}
		for _, a := range s.app {
			if strings.HasPrefix(app, a) {
				g.mark(s.platform)
			}
		}
	}
}

// heard takes note of what somebody declared: words, between which is what is no
// letter or digit.
func (g *guess) heard(text string) {
	text = " " + strings.Map(func(r rune) rune {
		if r < '0' || r > '9' && r < 'a' || r > 'z' {
			return ' '
		}
		return r
	}, strings.ToLower(text)) + " "
	if _, rest, ok := strings.Cut(text, " android "); ok {
		word, _, _ := strings.Cut(rest, " ")
		if n, err := strconv.Atoi(word); err == nil {
			g.version = n
		}
	}
	for _, s := range signs {
		for _, w := range s.spoken {
			if strings.Contains(text, " "+w+" ") {
				g.mark(s.platform)
			}
		}
	}
}

// platform is the one that all signs agree on.
func (g *guess) platform(device string) Platform {
	switch {
	case g.android && !g.apple:
		return Android
	case g.apple && !g.android:
		return Apple
	case !g.android && (device == "::1" || strings.HasPrefix(device, "127.")):
		return Desktop
	}
	return ""
}

// chromiumApps are browsers of Chromium's family on phones.
var chromiumApps = []string{
	"com.android.chrome", "com.chrome.beta", "com.chrome.dev", "com.chrome.canary", "org.chromium.chrome", "com.brave.browser",
	"com.microsoft.emmx", "com.opera.browser", "com.sec.android.app.sbrowser", "com.vivaldi.browser", "com.google.android.googlequicksearchbox",
}

// chromiumCiphers is the part of JA4 that stands for the cipher suites of Chromium's
// network library (github.com/FoxIO-LLC/ja4, README).
const chromiumCiphers = "_8daaf6152771_"

func isChromium(app, ja4 string) bool {
	for _, a := range chromiumApps {
		if app == a {
			return true
		}
	}
	return strings.Contains(ja4, chromiumCiphers)
}
