package main

import (
	"fmt"
	"net/url"
	"strings"

	"constat/inspect"
)

// sdkFamily are requests in the shapes that widely used kits document, with
// invented contents. What a kit sends is several classes at once.
var sdkFamily = family{
	class: inspect.Identifiers, rounds: 6, name: "kits",
	wholes: []whole{
		{name: "attribution, form", also: stats, make: func(g *gen) *inspect.Subject {
			d := models[g.IntN(len(models))]
			return form("/session", "gps_adid", g.uuid(), "android_uuid", g.uuid(), "device_name", d.model, "device_manufacturer", d.make, "device_type", "phone", "os_name", "android", "os_version", "11", "screen_size", "normal", "screen_density", "high", "display_height", "2340", "display_width", "1080", "hardware_name", d.code, "cpu_type", "arm64-v8a", "app_token", g.hex(12), "session_count", "4", "tracking_enabled", "1", "network_type", "13")
		}},
		{name: "attribution, JSON", also: stats, make: func(g *gen) *inspect.Subject {
			d := models[g.IntN(len(models))]
			return up("POST", "/api/v6.2/androidevent?app_id=com.example.app", appJSON, js(m{"advertiserId": g.uuid(), "uid": g.digits(13) + "-" + g.digits(19), "brand": d.make, "model": d.model, "sdk": "30", "deviceType": "user", "carrier": g.oneOf(carriersOfPhones...), "network": "WIFI", "batteryLevel": "82.0", "lang": g.code, "deviceData": m{"arch": "", "btl": "82.0", "btch": "no", "cpu_abi": "arm64-v8a", "sensors": []m{{"sN": "bma", "sT": 1, "sV": "x"}}, "dim": m{"x_px": "1080", "y_px": "2340"}}}))
		}},
		{name: "deep links", also: stats, make: func(g *gen) *inspect.Subject {
			d := models[g.IntN(len(models))]
			return up("POST", "/v1/install", appJSON, js(m{"hardware_id": g.androidID(), "is_hardware_id_real": true, "google_advertising_id": g.uuid(), "brand": d.make, "model": d.model, "screen_dpi": 440, "screen_height": 2340, "screen_width": 1080, "wifi": true, "os": "Android", "os_version": 30, "branch_key": "key_live_" + g.hex(20)}))
		}},
		{name: "social network's app events", open: classes(inspect.DeviceStats), make: func(g *gen) *inspect.Subject {
			d := models[g.IntN(len(models))]
			return form("/v12.0/123/activities", "event", "CUSTOM_APP_EVENTS", "advertiser_id", g.uuid(), "anon_id", "XZ"+g.uuid(), "advertiser_tracking_enabled", "true",
				"extinfo", string(js([]any{"a2", "com.example.app", 41, "1.2", "11", d.model, "fr_FR", "CET", g.oneOf(carriersOfPhones...), 1080, 2340, "2.75", 8, 48, 21, "Europe/Paris"})),
				"custom_events", string(js([]m{{"_eventName": "fb_mobile_activate_app", "_logTime": g.sec()}})))
		}},
		{name: "product analytics, form with JSON", also: stats, make: func(g *gen) *inspect.Subject {
			d := models[g.IntN(len(models))]
			return form("/", "v", "2", "client", g.hex(32), "e", string(js([]m{{"event_type": "open", "device_id": g.uuid() + "R", "user_id": g.digits(8), "platform": "Android", "os_name": "android", "os_version": "11", "device_brand": d.make, "device_model": d.model, "carrier": g.oneOf(carriersOfPhones...), "uuid": g.uuid()}})), "upload_time", fmt.Sprint(g.when()))
		}},
		{name: "people profile in base64", make: func(g *gen) *inspect.Subject {
			return form("/engage/", "data", b64(js(m{"$token": g.hex(32), "$distinct_id": g.uuid(), "$set": m{"$email": g.email(), "$phone": g.e164(), "$name": g.person().full}})))
		}},
		{name: "push registration", open: classes(inspect.DeviceStats), make: func(g *gen) *inspect.Subject {
			d := models[g.IntN(len(models))]
			return up("POST", "/api/v1/players", appJSON, js(m{"app_id": g.uuid(), "device_type": 1, "identifier": g.hex(22) + ":APA91b" + g.hex(80), "ad_id": g.uuid(), "device_model": d.model, "device_os": "11", "language": g.code, "timezone": 3600, "game_version": "3", "rooted": false}))
		}},
		{name: "web tag with the page", also: classes(inspect.BrowsingHistory), open: classes(inspect.DeviceStats), make: func(g *gen) *inspect.Subject {
			return query("/g/collect", "v", "2", "tid", "G-"+strings.ToUpper(g.hex(8)), "cid", g.digits(9)+"."+g.digits(10), "sid", g.digits(10), "ul", g.code, "sr", "1080x2340", "dl", g.url(), "dt", pick(g, g.pages), "en", "page_view")
		}},
		{name: "auction with place", also: classes(inspect.DeviceStats, inspect.Location), make: func(g *gen) *inspect.Subject {
			d := models[g.IntN(len(models))]
			lat, lon := g.point(4)
			return up("POST", "/openrtb/2.5", appJSON, js(m{"id": g.uuid(), "imp": []m{{"id": "1", "banner": m{"w": 320, "h": 50}}}, "app": m{"bundle": "com.example.app", "ver": "2.1"}, "device": m{"ifa": g.uuid(), "make": d.make, "model": d.model, "os": "Android", "osv": "11", "w": 1080, "h": 2340, "carrier": g.oneOf(carriersOfPhones...), "connectiontype": 2, "geo": m{"lat": lat, "lon": lon, "type": 1}}, "user": m{"id": g.hex(32)}}))
		}},
		{name: "crash envelope with user", also: stats, make: func(g *gen) *inspect.Subject {
			d := models[g.IntN(len(models))]
			return up("POST", "/api/4/envelope/", "application/x-sentry-envelope", []byte(string(js(m{"event_id": g.hex(32)}))+"\n"+string(js(m{"type": "event"}))+"\n"+
				string(js(m{"level": "fatal", "user": m{"id": g.uuid(), "email": g.email()}, "contexts": m{"device": m{"manufacturer": d.make, "model": d.model, "battery_level": 71, "free_memory": 902341120, "storage_size": 52341233664, "screen_dpi": 440, "orientation": "portrait", "boot_time": g.iso()}, "os": m{"name": "Android", "version": "11", "kernel_version": "4.14"}}, "exception": m{"values": []m{{"type": "IllegalStateException", "stacktrace": m{"frames": []m{{"module": "com.example.app.Main", "function": "run", "lineno": 12}}}}}}}))+"\n"))
		}},
		{name: "marketing cloud, several identities", open: classes(inspect.DeviceStats), make: func(g *gen) *inspect.Subject {
			return up("POST", "/users/track", appJSON, js(m{"attributes": []m{{"external_id": g.digits(8), "email": g.email(), "phone": g.e164(), "push_tokens": []m{{"app_id": g.uuid(), "token": g.hex(64)}}}}, "events": []m{{"name": "opened", "time": g.iso(), "external_id": g.digits(8)}}}))
		}},
		{name: "Chinese market statistics", also: stats, make: func(g *gen) *inspect.Subject {
			d := models[g.IntN(len(models))]
			return up("POST", "/unify_logs", appJSON, js(m{"header": m{"idmd5": g.hex(32), "oaid": g.uuid(), "device_id": g.imei(), "device_model": d.model, "device_brand": d.make, "device_manufacturer": d.make, "os": "Android", "os_version": "11", "resolution": "2340*1080", "cpu": "arm64", "access": "wifi", "carrier": "中国移动", "mc": g.mac(":"), "timezone": 8}, "body": m{"sessions": []m{{"id": g.hex(32), "duration": 4100}}}}))
		}},
		{name: "ad network's initialisation", also: stats, make: func(g *gen) *inspect.Subject {
			d := models[g.IntN(len(models))]
			return query("/games/1234/configuration", "advertisingTrackingId", g.uuid(), "limitAdTracking", "false", "deviceModel", d.model, "deviceMake", d.make, "osVersion", "11", "screenWidth", "1080", "screenHeight", "2340", "screenDensity", "440", "connectionType", "wifi", "networkOperatorName", g.oneOf(carriersOfPhones...), "freeMemory", "912331", "batteryLevel", "0.8")
		}},
		{name: "installation service", make: func(g *gen) *inspect.Subject {
			return up("POST", "/v1/projects/example/installations", appJSON, js(m{"fid": "d" + g.hex(21), "appId": "1:" + g.digits(12) + ":android:" + g.hex(20), "authVersion": "FIS_v2", "sdkVersion": "a:17.0.0"}))
		}},

		{name: "session replay", unseen: true, also: stats, make: func(g *gen) *inspect.Subject {
			d := models[g.IntN(len(models))]
			return up("POST", "/api/v2/rum", "text/plain", []byte(string(js(m{"type": "view", "usr": m{"id": g.digits(8), "email": g.email()}, "session": m{"id": g.uuid()}, "device": m{"type": "mobile", "name": d.model, "model": d.model, "brand": d.make, "architecture": "arm64"}, "os": m{"name": "Android", "version": "11"}, "connectivity": m{"status": "connected", "interfaces": []string{"wifi"}}, "view": m{"url": "com/example/Main", "cpu_ticks_per_second": 31.5, "memory_average": 123456789, "refresh_rate_average": 59.9}}))+"\n"))
		}},
		{name: "engagement, list of events", unseen: true, also: stats, make: func(g *gen) *inspect.Subject {
			d := models[g.IntN(len(models))]
			return up("POST", "/a1?os=Android&t=40901", appJSON, js([]m{{"type": "meta", "g": "__" + g.hex(32), "id": g.digits(8), "af": m{"Make": d.make, "Model": d.model, "OS Version": "11", "Carrier": g.oneOf(carriersOfPhones...), "wdt": 2.8, "hgt": 5.9, "dpi": 440, "useIP": false, "GoogleAdID": g.uuid()}}, {"type": "event", "evtName": "App Launched", "evtData": m{"Bluetooth Enabled": true}}}))
		}},
		{name: "network beacon", unseen: true, also: stats, make: func(g *gen) *inspect.Subject {
			d := models[g.IntN(len(models))]
			return form("/b/ss/app/0/JAVA", "ndh", "1", "aid", strings.ToUpper(g.hex(16)+"-"+g.hex(16)), "mid", g.digits(38), "a.DeviceName", d.model, "a.OSVersion", "Android 11", "a.Resolution", "1080x2340", "a.CarrierName", g.oneOf(carriersOfPhones...), "a.Launches", "31", "a.HourOfDay", "12", "vid", g.uuid())
		}},
		{name: "first-party cookie of a tag, to somebody else", unseen: true, open: classes(inspect.BrowsingHistory), make: func(g *gen) *inspect.Subject {
			return query("/tr/", "id", g.digits(15), "ev", "PageView", "dl", g.url(), "fbp", "fb.1."+fmt.Sprint(g.when())+"."+g.digits(10), "ud[em]", sha256hex(g.email()), "ud[ph]", sha256hex(g.e164()))
		}},
		{name: "anti-fraud fingerprint", unseen: true, also: stats, make: func(g *gen) *inspect.Subject {
			d := models[g.IntN(len(models))]
			return up("POST", "/fp/clear.png", appJSON, js(m{"fp": m{"AndroidID": g.androidID(), "IMEI": g.imei(), "MACAddress": g.mac(":"), "SerialNumber": g.serial(), "DeviceModel": d.model, "Brand": d.make, "BatteryLevel": 80, "TotalRAM": 3902341120, "FreeDisk": 20512, "Kernel": "4.14.117", "Rooted": 0, "ScreenSize": "1080x2340"}}))
		}},
		{name: "snow-white query of a pixel", unseen: true, open: classes(inspect.DeviceStats), make: func(g *gen) *inspect.Subject {
			return query("/i", "e", "pv", "duid", g.uuid(), "nuid", g.uuid(), "uid", g.digits(8), "res", "1080x2340", "lang", g.code, "url", url.QueryEscape("app://home"))
		}},
	},
}

var stats = classes(inspect.DeviceStats)
