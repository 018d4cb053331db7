package main

import (
	"bytes"
	"fmt"
	"strings"

	"constat/inspect"
)

// onPhone draws some apps and makes a value of each.
func onPhone[T any](g *gen, f func(a app) T) []T {
	var out []T
	for _, a := range some(g, apps, 4, 16) {
		out = append(out, f(a))
	}
	return out
}

func (g *gen) version() string { return fmt.Sprintf("%d.%d.%d", 1+g.IntN(20), g.IntN(30), g.IntN(100)) }

var appListFamily = family{
	class: inspect.AppList, byValue: true, rounds: 12,
	dialects: []dialect{
		{name: "package names", path: "/packageList", value: func(g *gen) any {
			return m{"packages": onPhone(g, func(a app) string { return a.pkg })}
		}},
		{name: "package manager's records", path: "/installed", value: func(g *gen) any {
			return m{"installedApps": onPhone(g, func(a app) m {
				return m{"packageName": a.pkg, "versionName": g.version(), "versionCode": g.IntN(90000), "firstInstallTime": g.when(), "lastUpdateTime": g.when(), "system": false}
			})}
		}},
		{name: "name and package", path: "/v1/apps", value: func(g *gen) any {
			return m{"appList": onPhone(g, func(a app) m { return m{"appName": a.name, "pkg": a.pkg, "ver": g.version()} })}
		}},
		{name: "short keys", path: "/al", value: func(g *gen) any {
			return m{"al": onPhone(g, func(a app) m { return m{"p": a.pkg, "v": g.IntN(9000)} })}
		}},
		{name: "usage", path: "/usage", open: classes(inspect.DeviceStats), value: func(g *gen) any {
			return m{"usageStats": onPhone(g, func(a app) m {
				return m{"package": a.pkg, "totalTimeInForeground": g.IntN(9000000), "lastTimeUsed": g.when(), "launchCount": g.IntN(60)}
			})}
		}},
		{name: "foreground events", path: "/batch", open: classes(inspect.DeviceStats), value: func(g *gen) any {
			return m{"events": onPhone(g, func(a app) m {
				return m{"event": "app_foreground", "properties": m{"package_name": a.pkg, "duration": g.IntN(900)}}
			})}
		}},
		{name: "iOS bundles", path: "/mdm/installed", value: func(g *gen) any {
			return m{"InstalledApplicationList": onPhone(g, func(a app) m {
				return m{"Identifier": a.bundle, "Name": a.name, "ShortVersion": g.version(), "BundleSize": g.IntN(90000000)}
			})}
		}},
		{name: "URL schemes that answer", path: "/canOpen", value: func(g *gen) any {
			return m{"installed_schemes": some(g, []string{"whatsapp", "fb", "instagram", "twitter", "tg", "snapchat", "grindr", "spotify", "uber", "alipay", "weixin", "tinder"}, 4, 9)}
		}},
		{name: "joined by commas", path: "/ad/req", value: func(g *gen) any {
			return m{"imp": 1, "applist": strings.Join(onPhone(g, func(a app) string { return a.pkg }), ",")}
		}},
		{name: "map of versions", path: "/bulkCheck", value: func(g *gen) any {
			all := make(m)
			for _, a := range some(g, apps, 5, 14) {
				all[a.pkg] = g.IntN(90000)
			}
			return m{"apps": all}
		}},
		{name: "with hashes of files", path: "/av/scan", value: func(g *gen) any {
			return m{"scan": onPhone(g, func(a app) m {
				return m{"pkg": a.pkg, "apk_sha256": g.hex(64), "cert_sha1": g.hex(40), "installer": "com.android.vending"}
			})}
		}},
		{name: "running processes", path: "/proc", value: func(g *gen) any {
			return m{"running": onPhone(g, func(a app) m { return m{"process": a.pkg, "pid": 1000 + g.IntN(30000), "importance": 100} })}
		}},
		{name: "Chinese keys", path: "/yingyong", value: func(g *gen) any {
			return m{"应用列表": onPhone(g, func(a app) m { return m{"包名": a.pkg, "应用名": a.name, "版本": g.version()} })}
		}},
		{name: "French keys", path: "/applis", value: func(g *gen) any {
			return m{"applications_installees": onPhone(g, func(a app) m { return m{"nom": a.name, "paquet": a.pkg, "version": g.version()} })}
		}},
		{name: "German keys", path: "/apps", value: func(g *gen) any {
			return m{"installierte_apps": onPhone(g, func(a app) m { return m{"name": a.name, "paket": a.pkg, "version": g.version()} })}
		}},
		{name: "names only", path: "/profile/apps", value: func(g *gen) any {
			return m{"installed_apps": onPhone(g, func(a app) string { return a.name })}
		}},
		{name: "traffic per app", path: "/v1/traffic/report", open: classes(inspect.DeviceStats), value: func(g *gen) any {
			return m{"traffic": onPhone(g, func(a app) m { return m{"package": a.pkg, "rx": g.IntN(9000000), "tx": g.IntN(900000)} })}
		}},
		{name: "battery use per app", path: "/battery", open: classes(inspect.DeviceStats), value: func(g *gen) any {
			return m{"batteryUsage": onPhone(g, func(a app) m { return m{"uid_pkg": a.pkg, "mah": float64(g.IntN(900)) + 0.5, "fg_ms": g.IntN(900000)} })}
		}},
		{name: "notifications by app", path: "/notif", value: func(g *gen) any {
			return m{"notification_stats": onPhone(g, func(a app) m { return m{"pkg": a.pkg, "posted": g.IntN(50), "dismissed": g.IntN(40)} })}
		}},

		{name: "Spanish keys", path: "/aplicaciones", unseen: true, value: func(g *gen) any {
			return m{"aplicaciones_instaladas": onPhone(g, func(a app) m { return m{"nombre": a.name, "paquete": a.pkg} })}
		}},
		{name: "Russian keys", path: "/prilozheniya", unseen: true, value: func(g *gen) any {
			return m{"приложения": onPhone(g, func(a app) m { return m{"название": a.name, "пакет": a.pkg} })}
		}},
		{name: "installed and removed", path: "/pkg/delta", unseen: true, value: func(g *gen) any {
			return m{"add": onPhone(g, func(a app) string { return a.pkg }), "del": []string{}, "seq": g.IntN(99)}
		}},
		{name: "bit map of known apps with names", path: "/probe", unseen: true, value: func(g *gen) any {
			all := make(m)
			for _, a := range some(g, apps, 8, 16) {
				all[a.pkg] = g.IntN(3) > 0
			}
			return m{"is_installed": all}
		}},
		{name: "component names", path: "/launcher/backup", unseen: true, value: func(g *gen) any {
			return m{"favorites": onPhone(g, func(a app) m {
				return m{"intent": "#Intent;component=" + a.pkg + "/.MainActivity;end", "title": a.name, "screen": g.IntN(4)}
			})}
		}},
		{name: "APK paths", path: "/paths", unseen: true, value: func(g *gen) any {
			return m{"sourceDirs": onPhone(g, func(a app) string { return "/data/app/" + a.pkg + "-1/base.apk" })}
		}},
	},
	wholes: []whole{
		{name: "query of names", make: func(g *gen) *inspect.Subject {
			return query("/ads", "installed", strings.Join(onPhone(g, func(a app) string { return a.pkg }), ","), "fmt", "json")
		}},
		{name: "form of names with bars", make: func(g *gen) *inspect.Subject {
			return form("/a/list", "apps", strings.Join(onPhone(g, func(a app) string { return a.pkg + ":" + g.version() }), "|"), "n", "1")
		}},
		{name: "lines of a shell", make: func(g *gen) *inspect.Subject {
			return up("POST", "/adb", "text/plain", []byte(strings.Join(onPhone(g, func(a app) string { return "package:" + a.pkg }), "\n")))
		}},
		{name: "log lines of launches", make: func(g *gen) *inspect.Subject {
			return up("POST", "/log", "text/plain", []byte(strings.Join(onPhone(g, func(a app) string { return g.date() + " I/ActivityManager: START u0 cmp=" + a.pkg + "/.Main" }), "\n")))
		}},
		{name: "store's update request in protobuf", unseen: true, make: func(g *gen) *inspect.Subject {
			return up("POST", "/fdfe/bulkDetails", "application/x-protobuf", protobuf(m{"docs": onPhone(g, func(a app) m { return m{"docid": a.pkg, "v": g.IntN(90000)} })}))
		}},
		{name: "MDM answer as plist", unseen: true, make: func(g *gen) *inspect.Subject {
			return up("PUT", "/mdm/server", "application/x-apple-aspen-mdm", plistXML(m{"Status": "Acknowledged", "InstalledApplicationList": onPhone(g, func(a app) m { return m{"Identifier": a.bundle, "Name": a.name, "Version": g.version()} })}))
		}},
		{name: "JSON in a multipart field", unseen: true, make: func(g *gen) *inspect.Subject {
			var b bytes.Buffer
			for _, a := range some(g, apps, 4, 9) {
				fmt.Fprintf(&b, "%s\t%s\n", a.name, a.pkg)
			}
			return multipartFields("/device/info", "apps", b.String(), "sep", "tab")
		}},
	},
}
