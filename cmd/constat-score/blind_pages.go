package main

import (
	"fmt"
	"net/url"
	"strings"

	"constat/inspect"
)

// blindPages are pages that were opened and words that were searched for, told
// to somebody else.
var blindPages = []blindKind{
	{name: "browser sync in batches", up: "browsing_history", make: func(g *blindGen) *inspect.Subject {
		return post("/1.5/"+g.digits(8)+"/storage/history", several(g, 2, 7, func(int) m {
			return m{"id": urlSafe(g.bytes(9)), "payload": string(js(m{"histUri": g.page(), "title": g.title(), "visits": []m{{"date": g.ms() * 1000, "type": 1}}}))}
		}))
	}, open: "identifiers"},
	{name: "safe browsing with the whole address", up: "browsing_history", make: func(g *blindGen) *inspect.Subject {
		return post("/safe/v1/verdict", g.release(m{"clientState": b64(g.bytes(12)), "entry": m{"url": g.page(), "referrer": g.page(), "navType": "LINK"}}))
	}},
	{name: "web shield of an antivirus", up: "browsing_history identifiers", make: func(g *blindGen) *inspect.Subject {
		return grpcCall("/urlinfo.v4.UrlInfo/Check", pb(g.uuid(), several(g, 1, 4, func(int) []byte { return pb(g.page(), g.page(), g.ms()) }), "4.1"))
	}},
	{name: "shopping helper on every page", up: "browsing_history identifiers", make: func(g *blindGen) *inspect.Subject {
		return query("/v2/merchant", "u", g.page(), "r", g.page(), "t", g.title(), "uid", g.uuid(), "sub", "ext-3")
	}},
	{name: "address bar that asks its own firm", open: "browsing_history", make: func(g *blindGen) *inspect.Subject {
		return query("/complete/search", "client", "mobile-browser", "q", g.words(), "hl", g.t.code, "sugkey", g.hex(20))
	}},
	{name: "spy's screen reader of the address bar", up: "browsing_history identifiers", make: func(g *blindGen) *inspect.Subject {
		return post("/upload/web", m{"imei": g.imei(), "browsing": several(g, 1, 5, func(int) m {
			return m{"browser": g.oneOf("com.android.chrome", "com.brave.browser"), "link": g.page(), "caption": g.title(), "opened": g.local()}
		})})
	}},
	{name: "proxy's saver statistics", up: "browsing_history", make: func(g *blindGen) *inspect.Subject {
		return up("POST", "/saver/log", "text/plain", g.lines(3, 9, "\n", func(int) string {
			return fmt.Sprintf("%d\tGET\t%s\t200\t%d\t%d", g.ms(), g.page(), g.IntN(90000), g.IntN(900))
		}))
	}},
	{name: "tag of a page, in a browser's beacon", up: "browsing_history identifiers", open: "device_stats", make: func(g *blindGen) *inspect.Subject {
		return up("POST", "/g/collect?v=2&tid=G-"+strings.ToUpper(g.hex(8))+"&cid="+g.digits(9)+"."+g.digits(10)+"&sr=412x915&ul="+g.t.code+"&dl="+url.QueryEscape(g.page())+"&dt="+url.QueryEscape(g.title()), "text/plain;charset=UTF-8", []byte("en=page_view&_ee=1&epn.percent=90"))
	}},
	{name: "pixel of a network on somebody's page", up: "browsing_history identifiers", make: func(g *blindGen) *inspect.Subject {
		return query("/tr/", "id", g.digits(15), "ev", "PageView", "dl", g.page(), "rl", g.page(), "if", "false", "fbp", "fb.1."+fmt.Sprint(g.ms())+"."+g.digits(10), "ts", fmt.Sprint(g.ms()))
	}},
	{name: "in-app browser of a social app", up: "browsing_history", make: func(g *blindGen) *inspect.Subject {
		return post("/iab/events", g.release(m{"iab_session": g.uuid(), "landing_url": g.page(), "steps": several(g, 1, 4, func(int) m { return m{"url": g.page(), "dwell_ms": g.IntN(90000)} })}))
	}},
	{name: "reading list to a cloud", up: "browsing_history", open: "notes", make: func(g *blindGen) *inspect.Subject {
		return post("/v3/send", m{"actions": several(g, 1, 5, func(int) m { return m{"action": "opened", "url": g.page(), "title": g.title(), "time": g.sec()} })})
	}},
	{name: "keyboard that logs searches", up: "browsing_history", open: "identifiers", make: func(g *blindGen) *inspect.Subject {
		return post("/ime/log", m{"editorInfo": m{"packageName": "com.android.chrome", "imeAction": "search"}, "committed": several(g, 1, 5, func(int) m { return m{"searchText": g.words(), "at": g.ms()} })})
	}},
	{name: "smart TV's searches", up: "browsing_history identifiers device_stats", make: func(g *blindGen) *inspect.Subject {
		return post("/tvsearch/log", m{"psid": g.hex(32), "modelName": "OLED55C3", "firmware": "03.20.60", "resolution": "3840x2160", "voiceQueries": several(g, 1, 4, func(int) m { return m{"utterance": g.words(), "ts": g.ms()} })})
	}},
	{name: "DNS logger of a family filter", up: "browsing_history identifiers", make: func(g *blindGen) *inspect.Subject {
		return post("/profiles/"+g.hex(6)+"/logs", m{"device": m{"id": g.hex(12), "name": g.given() + "'s phone"}, "visited": several(g, 3, 9, func(int) m { return m{"url": g.page(), "category": "health", "action": "allow", "at": g.iso()} })})
	}},
	{name: "history database in a zip", up: "browsing_history", make: func(g *blindGen) *inspect.Subject {
		db := sqliteFile("moz_places", several(g, 4, 12, func(i int) m {
			return m{"id": int64(i), "url": g.page(), "title": g.title(), "rev_host": "gro.aidepikiw.ne.", "visit_count": int64(1 + g.IntN(9)), "last_visit_date_local": g.ms()}
		}))
		return up("PUT", "/profile.zip", "application/zip", zipped(map[string][]byte{"places.sqlite": db, "prefs.js": []byte("user_pref(\"app.update.lastUpdateTime\", 1);\n")}))
	}},
	{name: "Safari's history as plist", up: "browsing_history", make: func(g *blindGen) *inspect.Subject {
		return up("POST", "/ck/records", "application/x-plist", plistBinary(m{"WebHistoryDates": several(g, 2, 6, func(int) m {
			return m{"": g.page(), "title": g.title(), "lastVisitedDate": fmt.Sprint(g.sec() - 978307200), "visitCount": 1 + g.IntN(4)}
		}), "WebHistoryFileVersion": 1}))
	}},
	{name: "Polish keys", up: "browsing_history", make: func(g *blindGen) *inspect.Subject {
		return post("/historia", m{"odwiedzone_strony": several(g, 2, 6, func(int) m { return m{"adres": g.page(), "tytul": g.title(), "kiedy": g.local()} })})
	}},
	{name: "Portuguese keys", up: "browsing_history", make: func(g *blindGen) *inspect.Subject {
		return post("/historico", m{"historico_navegacao": several(g, 2, 6, func(int) m { return m{"endereco": g.page(), "titulo": g.title(), "acessado_em": g.local()} }), "buscas": []string{g.words(), g.words()}})
	}},
	{name: "Turkish keys", up: "browsing_history", make: func(g *blindGen) *inspect.Subject {
		return post("/gecmis", m{"gecmis": several(g, 2, 6, func(int) m { return m{"adres": g.page(), "baslik": g.title(), "ziyaret": g.ms()} })})
	}},
	{name: "Indonesian search log", up: "browsing_history identifiers", make: func(g *blindGen) *inspect.Subject {
		return form("/log/pencarian", "perangkat", g.uuid(), "kata_kunci", g.words(), "mesin", "google", "waktu", g.local(), "mode_samaran", "1")
	}},
	{name: "event of a browser's own analytics", up: "browsing_history identifiers", make: func(g *blindGen) *inspect.Subject {
		return coded("/logtail/web", "gzip", gz(js(m{"__topic__": "nav", "__tags__": m{"utdid": b64(g.bytes(18))}, "__logs__": several(g, 2, 6, func(int) m {
			return m{"ev": "web_open", "web_url": g.page(), "web_title": g.title(), "incognito": fmt.Sprint(g.IntN(2)), "t": fmt.Sprint(g.ms())}
		})})))
	}},
	{name: "GraphQL of a bookmarker's visits", up: "browsing_history", make: func(g *blindGen) *inspect.Subject {
		return gqlPost("TrackVisits", "mutation TrackVisits($visits: [VisitInput!]!) { trackVisits(visits: $visits) }", m{"visits": several(g, 2, 5, func(int) m { return m{"pageUrl": g.page(), "pageTitle": g.title(), "visitedAt": g.iso()} })})
	}},
}

// blindApps are names of apps on the phone.
var blindApps = []blindKind{
	{name: "launcher's desktop", up: "app_list", make: func(g *blindGen) *inspect.Subject {
		list := g.appList(5, 14)
		return put("/v1/desktop/layout", m{"screens": []m{{"items": eachOf(list, func(i int, a app) m {
			return m{"cell": i, "component": a.pkg + "/" + a.pkg + ".MainActivity", "label": a.name}
		})}}})
	}},
	{name: "antivirus's cloud check", up: "app_list", open: "identifiers", make: func(g *blindGen) *inspect.Subject {
		return pbPost("/cloud/scan", pb(2, eachOf(g.appList(4, 12), func(_ int, a app) []byte { return pb(a.pkg, g.IntN(90000), g.bytes(20), g.bytes(16)) })))
	}},
	{name: "store's updates question", up: "app_list update_check", make: func(g *blindGen) *inspect.Subject {
		list := g.appList(4, 12)
		s := post("/store/api/updates", m{"installed": eachOf(list, func(_ int, a app) m {
			return m{"packageName": a.pkg, "versionCode": g.IntN(90000), "signature": g.hex(32)}
		}), "locale": g.t.code})
		return answered(s, appJSON, js(m{"updates": []m{{"packageName": list[0].pkg, "versionName": g.version(), "versionCode": 90001, "size": g.IntN(90000000), "changelog": "Fixes"}}}))
	}},
	{name: "ad SDK's probe", up: "app_list identifiers", make: func(g *blindGen) *inspect.Subject {
		return post("/sdk/config", g.release(m{"gaid": g.uuid(), "lnchd": strings.Join(eachOf(g.appList(4, 12), func(_ int, a app) string { return a.pkg }), "|")}))
	}},
	{name: "screen time of a family app", up: "app_list identifiers", open: "device_stats", make: func(g *blindGen) *inspect.Subject {
		return post("/screentime/day", m{"kidDevice": g.uuid(), "date": g.day(), "usage": eachOf(g.appList(4, 9), func(_ int, a app) m { return m{"app": a.name, "package": a.pkg, "minutes": g.IntN(180)} })})
	}},
	{name: "permissions audit", up: "app_list", make: func(g *blindGen) *inspect.Subject {
		return post("/privacy/audit", m{"apps": eachOf(g.appList(4, 9), func(_ int, a app) m {
			return m{"id": a.pkg, "granted": []string{"android.permission.CAMERA", "android.permission.READ_CONTACTS"}, "lastAccess": g.ms()}
		})})
	}},
	{name: "MDM of Android work profiles", up: "app_list device_stats identifiers", make: func(g *blindGen) *inspect.Subject {
		p := one(g, phoneModels)
		return post("/emm/v1/devices/"+g.hex(16)+"/status", m{"hardwareInfo": m{"brand": p.brand, "model": p.model, "serialNumber": g.serial()}, "softwareInfo": m{"androidVersion": "14", "androidBuildNumber": p.build, "securityPatchLevel": "2024-03-05"}, "memoryInfo": m{"totalRam": "5900000000"}, "applicationReports": eachOf(g.appList(4, 9), func(_ int, a app) m {
			return m{"packageName": a.pkg, "displayName": a.name, "versionName": g.version(), "state": "INSTALLED"}
		})})
	}},
	{name: "bank's fraud check", up: "app_list device_stats identifiers", make: func(g *blindGen) *inspect.Subject {
		p := one(g, phoneModels)
		return up("POST", "/fp/v3", "text/plain", []byte(b64(js(m{"root": false, "emu": false, "model": p.model, "fingerprint": p.brand + "/" + p.device + ":13/" + p.build, "android_id": g.androidID(), "apps": eachOf(g.appList(6, 12), func(_ int, a app) string { return a.pkg })}))))
	}},
	{name: "trojan looking for banks", up: "app_list identifiers", make: func(g *blindGen) *inspect.Subject {
		return form("/o1o/a3.php", "p", string(js(m{"id": g.hex(16), "apk": strings.Join(eachOf(g.appList(4, 12), func(_ int, a app) string { return a.pkg }), ",")})))
	}},
	{name: "usage events of a maker", up: "app_list", open: "device_stats", make: func(g *blindGen) *inspect.Subject {
		return coded("/o/usage", "gzip", gz(g.lines(6, 15, "\n", func(int) string {
			return fmt.Sprintf("%d|%s|%s|%d", g.ms(), g.oneOf("MOVE_TO_FOREGROUND", "MOVE_TO_BACKGROUND"), one(g, phoneApps).pkg, g.IntN(9))
		})))
	}},
	{name: "notification log", up: "app_list", make: func(g *blindGen) *inspect.Subject {
		return post("/notif/v2/stats", m{"records": eachOf(g.appList(4, 9), func(_ int, a app) m {
			return m{"pn": a.pkg, "channel": "default", "cnt": g.IntN(40), "clicked": g.IntN(9)}
		}), "dayBucket": g.day()})
	}},
	{name: "iOS bundle identifiers in a plist", up: "app_list identifiers", make: func(g *blindGen) *inspect.Subject {
		return up("PUT", "/mdm/checkin", "application/x-apple-aspen-mdm; charset=UTF-8", plistXML(m{"CommandUUID": g.uuid(), "Status": "Acknowledged", "UDID": strings.ToUpper(g.hex(8) + "-" + g.hex(16)), "ManagedApplicationList": eachOf(g.appList(4, 9), func(_ int, a app) any { return m{"BundleIdentifier": a.bundle, "State": "Managed"} })}))
	}},
	{name: "names alone, shown to an advertiser", up: "app_list", make: func(g *blindGen) *inspect.Subject {
		return query("/seg", "apps_installed", strings.Join(eachOf(g.appList(4, 9), func(_ int, a app) string { return a.name }), ";"), "os", "android")
	}},
	{name: "Portuguese keys", up: "app_list", make: func(g *blindGen) *inspect.Subject {
		return post("/aplicativos", m{"aplicativos_instalados": eachOf(g.appList(4, 9), func(_ int, a app) m {
			return m{"nome": a.name, "pacote": a.pkg, "versao": g.version()}
		})})
	}},
	{name: "Turkish keys", up: "app_list", make: func(g *blindGen) *inspect.Subject {
		return post("/uygulamalar", m{"yuklu_uygulamalar": eachOf(g.appList(4, 9), func(_ int, a app) m { return m{"ad": a.name, "paket": a.pkg} })})
	}},
	{name: "Korean keys", up: "app_list", make: func(g *blindGen) *inspect.Subject {
		return post("/apps", m{"설치된앱": eachOf(g.appList(4, 9), func(_ int, a app) m { return m{"앱이름": a.name, "패키지명": a.pkg} })})
	}},
	{name: "Indonesian CSV", up: "app_list", make: func(g *blindGen) *inspect.Subject {
		return file("/unggah", "data", "daftar_aplikasi.csv", "text/csv", append([]byte("nama,paket,versi\n"), strings.Join(eachOf(g.appList(4, 9), func(_ int, a app) string { return a.name + "," + a.pkg + "," + g.version() }), "\n")...), "jenis", "aplikasi")
	}},
	{name: "device set up from an old one", up: "app_list", make: func(g *blindGen) *inspect.Subject {
		return up("POST", "/restore/plan", "application/msgpack", msgpack(m{"apps": eachOf(g.appList(4, 12), func(_ int, a app) m { return m{"pkg": a.pkg, "ver": g.IntN(90000), "data": true} })}))
	}},
	{name: "VPN's split list", up: "app_list", make: func(g *blindGen) *inspect.Subject {
		return put("/settings/sync", m{"splitTunneling": m{"mode": "exclude", "packages": eachOf(g.appList(3, 7), func(_ int, a app) string { return a.pkg })}})
	}},
	{name: "battery blame", up: "app_list device_stats", make: func(g *blindGen) *inspect.Subject {
		return post("/power/report", m{"level": g.IntN(100), "temperature": 31.5, "voltage": 3987, "consumers": eachOf(g.appList(4, 9), func(_ int, a app) m {
			return m{"packageName": a.pkg, "wakelockMs": g.IntN(900000), "percent": float64(g.IntN(300)) / 10}
		})})
	}},
	{name: "game booster's games", up: "app_list", make: func(g *blindGen) *inspect.Subject {
		return post("/gamespace/list", m{"games": eachOf(g.appList(3, 6), func(_ int, a app) m {
			return m{"pkg": a.pkg, "title": a.name, "playTime": g.IntN(900000), "lastPlay": g.ms()}
		})})
	}},
}

// eachOf makes a value of each of a list.
func eachOf[A, B any](list []A, f func(i int, a A) B) (out []B) {
	for i, a := range list {
		out = append(out, f(i, a))
	}
	return out
}
