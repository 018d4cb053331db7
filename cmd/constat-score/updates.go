package main

import (
	"net/http"

	"constat/inspect"
)

// answered gives a request its answer.
func answered(s *inspect.Subject, contentType string, body []byte) *inspect.Subject {
	s.Status = 200
	if s.Response.Header == nil {
		s.Response.Header = make(http.Header)
	}
	s.Response.Header.Set("Content-Type", contentType)
	s.Response.Body = body
	return s
}

// updateOpen: who asks for a newer version says which phone asks.
var updateOpen = classes(inspect.DeviceStats)

var updateFamily = family{
	class: inspect.UpdateCheck, anyDirection: true, rounds: 12,
	wholes: openWholes(updateOpen, []whole{
		{name: "version in the query, no newer", make: func(g *gen) *inspect.Subject {
			return answered(query("/update/check", "version", g.version(), "platform", "android"), appJSON, js(m{"update_available": false}))
		}},
		{name: "version in the query, newer", make: func(g *gen) *inspect.Subject {
			return answered(query("/api/checkUpdate", "versionCode", g.digits(5), "package", pick(g, apps).pkg, "channel", "stable"), appJSON,
				js(m{"code": 0, "data": m{"hasUpdate": true, "versionName": g.version(), "versionCode": g.IntN(99999), "apkUrl": "https://dl.example.com/a.apk", "md5": g.hex(32), "forceUpdate": false, "changelog": "Fixes"}}))
		}},
		{name: "system update", make: func(g *gen) *inspect.Subject {
			return answered(form("/updates/ota.php", "d", models[g.IntN(12)].code, "v", "V11.0.3.0", "b", "F", "c", "9", "l", "fr_FR"), appJSON,
				js(m{"LatestRom": m{"version": "V11.0.4.0", "filename": "ota_" + g.hex(10) + ".zip", "md5": g.hex(32), "filesize": "2.1G"}, "CurrentRom": m{"version": "V11.0.3.0"}}))
		}},
		{name: "system update, posted", make: func(g *gen) *inspect.Subject {
			return answered(up("POST", "/fota/v2/check", appJSON, js(m{"fingerprint": "google/lynx/lynx:13/TQ3A.230705/10216780:user/release-keys", "currentBuild": "TQ3A." + g.digits(6), "securityPatch": g.day()})), appJSON,
				js(m{"status": "NO_UPDATE"}))
		}},
		{name: "Android checkin-like list of updates", make: func(g *gen) *inspect.Subject {
			return answered(up("POST", "/bulkCheckUpdates", appJSON, js(m{"packageName": pick(g, apps).pkg, "installedVersionCode": g.IntN(9999)})), appJSON, js(m{"latestVersionCode": g.IntN(99999), "updateAvailable": true}))
		}},
		{name: "Omaha", make: func(g *gen) *inspect.Subject {
			return answered(up("POST", "/service/update2", "text/xml", []byte(`<?xml version="1.0"?><request protocol="3.0" updater="app" updaterversion="`+g.version()+`"><app appid="{`+g.hex(8)+`}" version="`+g.version()+`"><updatecheck/></app></request>`)), "text/xml",
				[]byte(`<?xml version="1.0"?><response protocol="3.0"><app status="ok"><updatecheck status="noupdate"/></app></response>`))
		}},
		{name: "Omaha in JSON", make: func(g *gen) *inspect.Subject {
			return answered(up("POST", "/service/update2/json", appJSON, js(m{"request": m{"protocol": "3.1", "app": []m{{"appid": g.hex(32), "version": g.version(), "updatecheck": m{}}}}})), appJSON,
				append([]byte(")]}'\n"), js(m{"response": m{"app": []m{{"status": "ok", "updatecheck": m{"status": "noupdate"}}}}})...))
		}},
		{name: "Sparkle appcast", make: func(g *gen) *inspect.Subject {
			return down("/appcast.xml?appVersion="+g.version(), "application/rss+xml", []byte(`<?xml version="1.0"?><rss version="2.0" xmlns:sparkle="http://www.andymatuschak.org/xml-namespaces/sparkle"><channel><title>Updates</title><item><title>Version `+g.version()+`</title><enclosure url="https://example.com/a.zip" sparkle:version="`+g.digits(3)+`" sparkle:shortVersionString="`+g.version()+`" length="90" type="application/octet-stream"/></item></channel></rss>`))
		}},
		{name: "code push", make: func(g *gen) *inspect.Subject {
			return answered(query("/v0.1/public/codepush/update_check", "deployment_key", g.hex(20), "app_version", g.version(), "package_hash", g.hex(64)), appJSON, js(m{"update_info": m{"is_available": false, "target_binary_range": "1.0.0"}}))
		}},
		{name: "latest release file", make: func(g *gen) *inspect.Subject {
			return down("/releases/latest.json?current="+g.version(), appJSON, js(m{"latestVersion": g.version(), "minimumVersion": g.version(), "url": "https://example.com/app.apk", "sha256": g.hex(64)}))
		}},
		{name: "version.txt", make: func(g *gen) *inspect.Subject {
			return down("/app/android/version.txt", "text/plain", []byte(g.version()+"\n"))
		}},
		{name: "new version of a configuration", make: func(g *gen) *inspect.Subject {
			return answered(query("/config/check", "config_version", g.digits(4), "app_version", g.version()), appJSON, js(m{"needUpdate": true, "configVersion": g.digits(4), "configUrl": "https://example.com/c.json"}))
		}},
		{name: "useful version of a core", make: func(g *gen) *inspect.Subject {
			return answered(query("/api/checkupdate/lastusefulversion", "currentApiVersion", "2", "currentCoreVersion", g.version()), appJSON, js(m{"code": 200, "version": g.version(), "coreUrl": ""}))
		}},
		{name: "virus definitions", make: func(g *gen) *inspect.Subject {
			return answered(query("/av/update", "engine", g.version(), "db_version", g.digits(6), "action", "check"), appJSON, js(m{"latest_db": g.digits(6), "upToDate": false}))
		}},
		{name: "forced update?", make: func(g *gen) *inspect.Subject {
			return answered(up("POST", "/app/version", appJSON, js(m{"os": "android", "appVersion": g.version(), "buildNumber": g.IntN(999)})), appJSON, js(m{"isForceUpdate": false, "latestAppVersion": g.version(), "releaseNotes": "…"}))
		}},
		{name: "GraphQL", make: func(g *gen) *inspect.Subject {
			return answered(up("POST", "/graphql", appJSON, js(m{"operationName": "CheckForUpdate", "query": "query CheckForUpdate($v: String!) { latestRelease(current: $v) { version mandatory } }", "variables": m{"v": g.version()}})), appJSON,
				js(m{"data": m{"latestRelease": m{"version": g.version(), "mandatory": false}}}))
		}},
		{name: "Chinese keys", make: func(g *gen) *inspect.Subject {
			return answered(up("POST", "/gengxin", appJSON, js(m{"当前版本": g.version(), "渠道": "官方"})), appJSON, js(m{"最新版本": g.version(), "需要更新": true, "下载地址": "https://example.com/a.apk"}))
		}},
		{name: "App Store look-up of one's own version", make: func(g *gen) *inspect.Subject {
			return answered(query("/lookup", "bundleId", pick(g, apps).bundle, "current_version", g.version()), appJSON, js(m{"resultCount": 1, "results": []m{{"version": g.version(), "minimumOsVersion": "14.0", "currentVersionReleaseDate": g.iso(), "releaseNotes": "…"}}}))
		}},

		{name: "French keys", unseen: true, make: func(g *gen) *inspect.Subject {
			return answered(query("/maj/verifier", "version_actuelle", g.version()), appJSON, js(m{"mise_a_jour": true, "derniere_version": g.version(), "obligatoire": false}))
		}},
		{name: "German keys", unseen: true, make: func(g *gen) *inspect.Subject {
			return answered(query("/aktualisierung", "version", g.version()), appJSON, js(m{"aktualisierung_vorhanden": false, "neueste_version": g.version()}))
		}},
		{name: "Squirrel", unseen: true, make: func(g *gen) *inspect.Subject {
			s := subject("GET", "/update/darwin/"+g.version())
			s.Status = 204
			return s
		}},
		{name: "binary version list in protobuf", unseen: true, make: func(g *gen) *inspect.Subject {
			return answered(up("POST", "/v4/threatListUpdates:fetch", "application/x-protobuf", protobuf(m{"a": m{"client": "app", "v": g.version()}, "b": "updateCheck"})), "application/x-protobuf", protobuf(m{"status": "noUpdate"}))
		}},
		{name: "manifest, not modified", unseen: true, make: func(g *gen) *inspect.Subject {
			s := subject("HEAD", "/ota/manifest.json?current="+g.version())
			s.Status = 304
			return withHeader(s, "If-None-Match", `"`+g.hex(16)+`"`)
		}},
		{name: "manifest of firmware", unseen: true, make: func(g *gen) *inspect.Subject {
			return answered(query("/firmware/latest", "hw", "B2", "fw", g.version()), appJSON, js(m{"firmware": m{"version": g.version(), "url": "https://example.com/fw.bin", "crc32": g.hex(8), "size": 412334}}))
		}},
		{name: "Expo-like manifest", unseen: true, make: func(g *gen) *inspect.Subject {
			s := down("/manifest", appJSON, js(m{"id": g.uuid(), "createdAt": g.iso(), "runtimeVersion": g.version(), "launchAsset": m{"hash": g.hex(43), "url": "https://example.com/b.js"}, "assets": []m{}}))
			s.Request.Header.Set("Expo-Current-Update-Id", g.uuid())
			s.Request.Header.Set("Expo-Runtime-Version", g.version())
			s.Request.Header.Set("Expo-Platform", "android")
			return s
		}},
		{name: "short words in a query", unseen: true, make: func(g *gen) *inspect.Subject {
			return answered(query("/upgrade", "cur_ver", g.version(), "chan", "beta"), appJSON, js(m{"ret": 0, "upgrade": m{"new_ver": g.version(), "pkg_url": "https://example.com/n.apk", "pkg_size": 41233412, "tips": "…"}}))
		}},
	}),
}
