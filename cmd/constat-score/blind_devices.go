package main

import (
	"bytes"
	"fmt"

	"constat/inspect"
)

// blindDevices are what phones are and how they are used.
var blindDevices = []blindKind{
	{name: "crash reporter's protobuf", up: "device_stats", make: func(g *blindGen) *inspect.Subject {
		p := one(g, phoneModels)
		return pbPost("/crash/v2", pb(g.uuid(), pb(p.brand, p.model, p.build, "13", 8, 5800000000, 1), pb("java.lang.NullPointerException", "Attempt to invoke virtual method on a null object reference", "at example.lumora.Main.onCreate(Main.kt:41)"), pb(g.IntN(100), 1, g.IntN(4000000000))))
	}},
	{name: "minidump with annotations", up: "device_stats identifiers", make: func(g *blindGen) *inspect.Subject {
		p := one(g, phoneModels)
		dump := append([]byte("MDMP\x93\xa7\x00\x00\x09\x00\x00\x00\x20\x00\x00\x00"), bytes.Repeat([]byte{0, 0, 1, 0}, 400)...)
		return file("/cr/report", "upload_file_minidump", g.uuid()+".dmp", "application/octet-stream", dump, "annotations", string(js(m{"guid": g.uuid(), "device": p.device, "model": p.model, "brand": p.brand, "android_build_id": p.build, "abi_name": "arm64-v8a"})))
	}},
	{name: "ANR trace", up: "device_stats", make: func(g *blindGen) *inspect.Subject {
		p := one(g, phoneModels)
		return file("/anr", "trace", "anr.txt", "text/plain", []byte(fmt.Sprintf("----- pid %d at %s -----\nCmd line: example.lumora\nBuild fingerprint: '%s/%s/%s:13/%s:user/release-keys'\nABI: 'arm64'\n\"main\" prio=5 tid=1 Blocked\n  at example.lumora.Db.query(Db.kt:88)\n", g.IntN(30000), g.day(), p.brand, p.model, p.device, p.build)), "kind", "anr")
	}},
	{name: "product analytics of a batch", up: "device_stats identifiers", make: func(g *blindGen) *inspect.Subject {
		p := one(g, phoneModels)
		return post("/2/httpapi", m{"api_key": g.hex(32), "events": several(g, 1, 4, func(i int) m {
			return m{"device_id": g.uuid() + "R", "user_id": g.digits(7), "event_type": g.oneOf("open", "purchase", "scroll"), "time": g.ms(), "os_name": "android", "os_version": "13", "device_brand": p.brand, "device_manufacturer": p.brand, "device_model": p.model, "carrier": one(g, operators), "session_id": g.ms(), "event_id": i}
		})})
	}},
	{name: "real user monitoring", up: "device_stats", make: func(g *blindGen) *inspect.Subject {
		p := one(g, phoneModels)
		return up("POST", "/api/v2/rum?ddsource=android", "text/plain;charset=UTF-8", g.lines(1, 3, "\n", func(int) string {
			return string(js(m{"type": "view", "session": m{"id": g.uuid(), "type": "user"}, "view": m{"name": "Home", "time_spent": g.IntN(90000000), "memory_average": 1.3e8, "cpu_ticks_count": 812}, "device": m{"type": "mobile", "name": p.brand + " " + p.model, "model": p.model, "brand": p.brand, "architecture": "aarch64"}, "os": m{"name": "Android", "version": "13"}, "connectivity": m{"status": "connected", "interfaces": []string{"cellular"}, "cellular": m{"technology": "LTE", "carrier_name": one(g, operators)}}}))
		}))
	}},
	{name: "engagement SDK's form of sessions", up: "device_stats identifiers", make: func(g *blindGen) *inspect.Subject {
		p := one(g, phoneModels)
		return form("/i", "begin_session", "1", "app_key", g.hex(40), "device_id", g.hex(16), "metrics", string(js(m{"_device": p.model, "_os": "Android", "_os_version": "13", "_carrier": one(g, operators), "_resolution": "1080x2400", "_density": "XXHDPI", "_locale": g.t.code, "_app_version": g.version()})), "timestamp", fmt.Sprint(g.ms()))
	}},
	{name: "iPhone's analytics lines", up: "device_stats", make: func(g *blindGen) *inspect.Subject {
		p := one(g, iPhones)
		return up("POST", "/submit/ips", "application/octet-stream", gz([]byte(string(js(m{"app_name": "Lumora", "timestamp": g.date(), "bug_type": "309", "os_version": "iPhone OS " + p.system + " (21E236)", "incident_id": g.uuid()}))+"\n"+string(js(m{"modelCode": p.machine, "uptime": g.IntN(900000), "procRole": "Foreground", "osVersion": m{"train": "iPhone OS " + p.system, "build": "21E236", "releaseType": "User"}, "exception": m{"type": "EXC_BAD_ACCESS", "signal": "SIGSEGV"}})))))
	}},
	{name: "metric payload of an iPhone", up: "device_stats", make: func(g *blindGen) *inspect.Subject {
		p := one(g, iPhones)
		return post("/metrickit", m{"metaData": m{"deviceType": p.machine, "osVersion": "iPhone OS " + p.system, "platformArchitecture": "arm64e", "regionFormat": "IT"}, "cpuMetrics": m{"cumulativeCPUTime": fmt.Sprint(g.IntN(900)) + " sec"}, "memoryMetrics": m{"peakMemoryUsage": fmt.Sprint(g.IntN(900000)) + " kB"}, "displayMetrics": m{"averagePixelLuminance": m{"averageValue": "50 apl"}}})
	}},
	{name: "maker's battery health", up: "device_stats identifiers", make: func(g *blindGen) *inspect.Subject {
		return coded("/dq/battery", "gzip", gz(js(m{"sn": g.serial(), "rows": several(g, 3, 9, func(int) m {
			return m{"soc": g.IntN(100), "cycle": g.IntN(600), "fcc": 4321, "temp": 300 + g.IntN(90), "plugged": g.IntN(3), "screenOn": g.IntN(2)}
		})})))
	}},
	{name: "ad SDK's init in msgpack", up: "device_stats identifiers", make: func(g *blindGen) *inspect.Subject {
		p := one(g, phoneModels)
		return up("POST", "/ads/init", "application/x-msgpack", msgpack(m{"sdk": "6.12.1", "device": m{"make": p.brand, "model": p.model, "ifa": g.uuid(), "battery_level": 0.41, "storage_bytes_available": g.IntN(90000000000), "volume_level": 0.5, "is_sd_card_available": 1, "screen": m{"w": 1080, "h": 2400, "dpi": 420}}}))
	}},
	{name: "anti-cheat of a game", up: "device_stats identifiers", make: func(g *blindGen) *inspect.Subject {
		p := one(g, phoneModels)
		return post("/ac/report", m{"role_id": g.digits(10), "udid": g.hex(32), "ram": 7680, "cpu": p.soc, "gpu": "Mali-G68", "device_model": p.brand + " " + p.model, "root": 0, "fps": []int{58, 59, 60, 41}, "ping": g.IntN(200)})
	}},
	{name: "speed test", up: "device_stats", open: "identifiers", make: func(g *blindGen) *inspect.Subject {
		p := one(g, phoneModels)
		return post("/speedtest/result", g.release(m{"down_kbps": g.IntN(200000), "up_kbps": g.IntN(50000), "latency_ms": g.IntN(90), "network": m{"type": "5G", "operator": one(g, operators), "signal_dbm": -60 - g.IntN(50)}, "phone": m{"brand": p.brand, "model": p.model}}))
	}},
	{name: "query of an ad server", up: "device_stats identifiers", make: func(g *blindGen) *inspect.Subject {
		p := one(g, phoneModels)
		return query("/m/ad", "v", "6", "id", g.hex(32), "dn", p.brand+","+p.model+","+p.device, "udid", "ifa:"+g.uuid(), "w", "1080", "h", "2400", "sc", "2.625", "mcc", "222", "mnc", "01", "cn", one(g, operators), "ct", "3", "o", "p")
	}},
	{name: "headers of a streaming app", up: "device_stats", make: func(g *blindGen) *inspect.Subject {
		p := one(g, phoneModels)
		s := withHeader(get("/api/home"), "X-Device-Model", p.brand+" "+p.model)
		s = withHeader(s, "X-Device-Os-Build", p.build)
		return withHeader(s, "X-Screen-Resolution", "1080x2400")
	}},
	{name: "TV box's health", up: "device_stats identifiers", make: func(g *blindGen) *inspect.Subject {
		return up("POST", "/stb/health", "text/xml", xmlOf("health", m{"model": "HG680-P", "stbId": g.digits(17), "mac": g.mac(":"), "cpuUsage": g.IntN(100), "memFreeKb": g.IntN(900000), "uptime": g.IntN(900000), "hdmi": "connected", "firmware": "V" + g.version()}))
	}},
	{name: "Chinese statistics", up: "device_stats identifiers", make: func(g *blindGen) *inspect.Subject {
		p := one(g, phoneModels)
		return coded("/app_logs", "gzip", gz(js(m{"header": m{"设备型号": p.model, "设备品牌": p.brand, "屏幕分辨率": "1080*2400", "运营商": "中国联通", "网络类型": "4G", "可用内存": g.IntN(4000), "系统版本": "13", "oaid": g.hex(16)}})))
	}},
	{name: "Portuguese keys", up: "device_stats", make: func(g *blindGen) *inspect.Subject {
		p := one(g, phoneModels)
		return post("/diagnostico", m{"aparelho": m{"fabricante": p.brand, "modelo": p.model, "bateria": g.IntN(100), "memoria_livre_mb": g.IntN(4000), "rede": "wifi", "tela": "1080x2400"}})
	}},
	{name: "Turkish keys", up: "device_stats", make: func(g *blindGen) *inspect.Subject {
		p := one(g, phoneModels)
		return post("/durum", m{"marka": p.brand, "modeli": p.model, "pil_seviyesi": g.IntN(100), "bos_alan": g.IntN(90000), "ekran": "1080x2400", "baglanti": "4.5G"})
	}},
	{name: "Korean keys", up: "device_stats", make: func(g *blindGen) *inspect.Subject {
		p := one(g, phoneModels)
		return post("/stat", m{"제조사": p.brand, "기종": p.model, "배터리": g.IntN(100), "해상도": "1080x2400", "통신사": "SK Telecom"})
	}},
	{name: "Polish XML", up: "device_stats", make: func(g *blindGen) *inspect.Subject {
		p := one(g, phoneModels)
		return up("POST", "/raport", "text/xml", xmlOf("raport", m{"urzadzenie": m{"producent": p.brand, "model": p.model, "kompilacja": p.build, "bateria": g.IntN(100), "wolna_pamiec": g.IntN(4000)}}))
	}},
	{name: "logcat with properties", up: "device_stats", open: "app_list identifiers", make: func(g *blindGen) *inspect.Subject {
		p := one(g, phoneModels)
		return up("POST", "/feedback/logs", "text/plain", []byte(fmt.Sprintf("[ro.product.manufacturer]: [%s]\n[ro.product.model]: [%s]\n[ro.build.display.id]: [%s]\n[gsm.operator.alpha]: [%s]\n--------- beginning of main\n04-02 10:11:12.345  1234  1234 W Lumora  : slow frame 41ms\n", p.brand, p.model, p.build, one(g, operators))))
	}},
	{name: "web vitals with client hints", up: "device_stats", make: func(g *blindGen) *inspect.Subject {
		p := one(g, phoneModels)
		s := post("/vitals", m{"lcp": g.IntN(4000), "cls": 0.02, "inp": g.IntN(300), "deviceMemory": 8, "hardwareConcurrency": 8, "effectiveType": "4g", "downlink": 9.4, "screen": []int{412, 915}})
		return withHeader(s, "Sec-CH-UA-Model", `"`+p.model+`"`)
	}},
	{name: "usage counters of features", up: "device_stats", make: func(g *blindGen) *inspect.Subject {
		return post("/counters/daily", g.release(m{"day": g.day(), "counters": m{"unlock_count": g.IntN(90), "screen_on_minutes": g.IntN(400), "camera_launch": g.IntN(20), "charge_cycles": g.IntN(3), "bluetooth_on": true, "wifi_bytes": g.IntN(900000000), "mobile_bytes": g.IntN(90000000)}}))
	}},
}

// blindUpdates are questions for newer versions, with their answers.
var blindUpdates = []blindKind{
	{name: "in-app updater", either: "update_check", make: func(g *blindGen) *inspect.Subject {
		return answered(post("/api/app/checkUpgrade", m{"packageName": "example.lumora", "versionCode": g.IntN(900), "channel": "google"}), appJSON, js(m{"code": 0, "data": m{"needUpgrade": g.IntN(2) == 0, "forceUpgrade": false, "latestVersionCode": 901, "latestVersionName": g.version(), "apkUrl": "https://dl.example.net/a.apk", "apkMd5": g.hex(32), "upgradeDesc": g.todo()}}))
	}},
	{name: "no newer, empty answer", either: "update_check", make: func(g *blindGen) *inspect.Subject {
		s := query("/update/v2/check", "app", "lumora", "current_version", g.version(), "arch", "arm64-v8a", "rollout", g.digits(2))
		s.Status = 204
		return s
	}},
	{name: "maker's system update", either: "update_check", up: "device_stats identifiers", make: func(g *blindGen) *inspect.Subject {
		p := one(g, phoneModels)
		return answered(post("/fota/v3/queryPackage", m{"deviceModel": p.model, "currentFirmware": p.build, "androidVersion": "13", "securityPatch": "2024-02-01", "imei": g.imei(), "manualCheck": true}), appJSON, js(m{"resultCode": 0, "firmware": m{"targetVersion": p.build + "X", "packageSize": 1200000000, "md5": g.hex(32), "releaseNote": "Security patch"}}))
	}},
	{name: "system update, up to date", either: "update_check", make: func(g *blindGen) *inspect.Subject {
		return answered(get("/ota/"+one(g, phoneModels).device+"?incremental="+g.digits(10)+"&type=nightly"), appJSON, js(m{"response": []any{}}))
	}},
	{name: "system update list of a community build", either: "update_check", make: func(g *blindGen) *inspect.Subject {
		return answered(get("/api/v1/"+one(g, phoneModels).device+"/nightly/"+g.hex(10)), appJSON, js(m{"response": []m{{"datetime": g.sec(), "filename": "os-20-nightly.zip", "id": g.hex(64), "romtype": "nightly", "size": 1100000000, "url": "https://mirror.example.org/os.zip", "version": "20.0"}}}))
	}},
	{name: "extension's update manifest", either: "update_check", make: func(g *blindGen) *inspect.Subject {
		return answered(query("/service/update2/crx", "response", "updatecheck", "x", "id="+g.hex(32)+"&v="+g.version()+"&uc", "prodversion", "124.0.6367.82"), "text/xml", []byte(`<?xml version="1.0"?><gupdate xmlns="http://www.google.com/update2/response" protocol="2.0"><app appid="x" status="ok"><updatecheck status="noupdate"/></app></gupdate>`))
	}},
	{name: "browser component, JSON with a guard", either: "update_check", make: func(g *blindGen) *inspect.Subject {
		return answered(post("/service/update2/json", m{"request": m{"@os": "android", "@updater": "chromium", "acceptformat": "crx3", "app": []m{{"appid": g.hex(32), "version": "0.0.0.0", "updatecheck": m{}}}, "protocol": "3.1", "requestid": "{" + g.uuid() + "}", "sessionid": "{" + g.uuid() + "}"}}), appJSON, append([]byte(")]}'\n"), js(m{"response": m{"protocol": "3.1", "app": []m{{"appid": "x", "status": "ok", "updatecheck": m{"status": "noupdate"}}}}})...))
	}},
	{name: "remote configuration fetch", either: "update_check", up: "identifiers", make: func(g *blindGen) *inspect.Subject {
		return answered(post("/v1/projects/"+g.digits(12)+"/namespaces/fireperf:fetch", m{"appId": "1:" + g.digits(12) + ":android:" + g.hex(16), "appInstanceId": "c" + urlSafe(g.bytes(15)), "appVersion": g.version(), "lastFetchedTemplateVersion": 41}), appJSON, js(m{"state": "NO_CHANGE", "templateVersion": "41"}))
	}},
	{name: "configuration by its version", either: "update_check", make: func(g *blindGen) *inspect.Subject {
		v := g.IntN(90)
		return answered(query("/config/check", "configVersion", fmt.Sprint(v), "client", g.version()), appJSON, js(m{"latestConfigVersion": v + 1, "configUrl": "https://cdn.example.net/c.json", "updated": true}))
	}},
	{name: "filter lists of a blocker", either: "update_check", make: func(g *blindGen) *inspect.Subject {
		return answered(query("/filters/updates", "filterVersion", g.version(), "app_id", "content-filter", "cid", "3"), appJSON, js(m{"filters": []m{{"filterId": 2, "version": g.version(), "timeUpdated": g.iso()}}, "updateAvailable": true}))
	}},
	{name: "virus signatures", either: "update_check", make: func(g *blindGen) *inspect.Subject {
		return answered(get("/vps/android/signatures.upd?vps_version="+g.digits(8)), "text/plain", []byte("latest="+g.digits(8)+"\nurl=/vps/full.zip\nsize=8812345\nmd5="+g.hex(32)+"\n"))
	}},
	{name: "hot patch", either: "update_check", make: func(g *blindGen) *inspect.Subject {
		return answered(form("/hotfix/query", "appVersion", g.version(), "patchVersion", g.digits(2), "appKey", g.hex(8)), appJSON, js(m{"ret": 0, "patch": m{"version": 12, "url": "https://cdn.example.net/p.zip", "hash": g.hex(40), "mandatory": false}}))
	}},
	{name: "game's resource version", either: "update_check", make: func(g *blindGen) *inspect.Subject {
		return answered(get("/version/android/check.json?clientVersion="+g.version()+"&resVersion="+g.digits(4)), appJSON, js(m{"latestClientVersion": g.version(), "latestResVersion": g.digits(4), "forceUpdate": false, "cdn": "https://res.example.net/"}))
	}},
	{name: "game's hot update manifest", either: "update_check", make: func(g *blindGen) *inspect.Subject {
		return answered(get("/hotupdate/version.manifest?local="+g.version()), appJSON, js(m{"packageUrl": "https://res.example.net/hot/", "remoteManifestUrl": "https://res.example.net/hot/project.manifest", "remoteVersionUrl": "https://res.example.net/hot/version.manifest", "version": g.version()}))
	}},
	{name: "lamp's firmware", either: "update_check", make: func(g *blindGen) *inspect.Subject {
		return answered(get("/v1/firmware/upgrade/check?model=yeelink.light.color4&fw="+g.version()), appJSON, js(m{"curr": g.version(), "latest": g.version(), "isLatest": g.IntN(2) == 0, "upgrading": false}))
	}},
	{name: "watch's firmware in protobuf", either: "update_check", make: func(g *blindGen) *inspect.Subject {
		return answered(pbPost("/firmware/CheckForUpdate", pb("watch-7", g.version(), 1, "stable")), "application/x-protobuf", pb(1, g.version(), "https://fw.example.net/w7.bin", g.IntN(9000000), g.bytes(16)))
	}},
	{name: "list of releases of a code host", either: "update_check", make: func(g *blindGen) *inspect.Subject {
		return answered(get("/repos/example/lumora/releases/latest"), appJSON, js(m{"url": "https://api.example.com/repos/example/lumora/releases/1", "tag_name": "v" + g.version(), "name": g.version(), "draft": false, "prerelease": false, "published_at": g.iso(), "assets": []m{{"name": "lumora-arm64.apk", "size": 31000000, "browser_download_url": "https://dl.example.com/l.apk"}}}))
	}},
	{name: "catalogue index of a free store", open: "update_check", make: func(g *blindGen) *inspect.Subject {
		s := answered(get("/fdroid/repo/entry.json"), appJSON, js(m{"timestamp": g.ms(), "version": 20002, "index": m{"name": "/index-v2.json", "sha256": g.hex(64), "size": 48000000, "numPackages": 4100}}))
		return withHeader(s, "If-None-Match", `"`+g.hex(16)+`"`)
	}},
	{name: "Polish keys", either: "update_check", make: func(g *blindGen) *inspect.Subject {
		return answered(post("/aktualizacja/sprawdz", m{"wersja_aplikacji": g.version(), "system": "android"}), appJSON, js(m{"najnowsza_wersja": g.version(), "wymagana": false, "adres": "https://dl.example.pl/app.apk", "opis": "Poprawki"}))
	}},
	{name: "Turkish keys", either: "update_check", make: func(g *blindGen) *inspect.Subject {
		return answered(query("/guncelleme/kontrol", "surum", g.version(), "platform", "android"), appJSON, js(m{"guncelleme_var": g.IntN(2) == 0, "yeni_surum": g.version(), "zorunlu": false}))
	}},
	{name: "Portuguese keys", either: "update_check", make: func(g *blindGen) *inspect.Subject {
		return answered(query("/verificar-atualizacao", "versao_atual", g.version()), appJSON, js(m{"versao_disponivel": g.version(), "obrigatoria": false, "link": "https://loja.example.com/app"}))
	}},
	{name: "OMA DM session of an operator", either: "update_check", up: "identifiers device_stats", make: func(g *blindGen) *inspect.Subject {
		p := one(g, phoneModels)
		req := fmt.Sprintf(`<?xml version="1.0"?><SyncML xmlns="SYNCML:SYNCML1.2"><SyncHdr><VerDTD>1.2</VerDTD><SessionID>%s</SessionID><Source><LocURI>IMEI:%s</LocURI></Source></SyncHdr><SyncBody><Alert><Data>1226</Data><Item><Meta><Type>org.openmobilealliance.dm.firmwareupdate.userrequest</Type></Meta></Item></Alert><Replace><Item><Source><LocURI>./DevInfo/Mod</LocURI></Source><Data>%s</Data></Item><Item><Source><LocURI>./DevDetail/FwV</LocURI></Source><Data>%s</Data></Item></Replace><Final/></SyncBody></SyncML>`, g.hex(4), g.imei(), p.model, p.build)
		return answered(up("POST", "/v1/device/magicsync/mdm", "application/vnd.syncml.dm+xml", []byte(req)), "application/vnd.syncml.dm+xml", []byte(`<?xml version="1.0"?><SyncML xmlns="SYNCML:SYNCML1.2"><SyncBody><Status><Data>260</Data></Status><Final/></SyncBody></SyncML>`))
	}},
}
