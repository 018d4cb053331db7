package main

import (
	"fmt"
	"strings"

	"constat/inspect"
)

// deviceFields is what the phone is and how it is, without any id.
func deviceFields(g *gen) m {
	d := models[g.IntN(len(models))]
	return m{
		"manufacturer": d.make, "model": d.model, "os": "Android", "os_version": fmt.Sprint(9 + g.IntN(6)), "battery_level": 1 + g.IntN(100),
		"charging": g.IntN(2) == 1, "screen": "1080x2340", "mem_total_mb": 4096, "mem_free_mb": g.IntN(4000), "network": g.oneOf("wifi", "4g", "5g"), "carrier": g.oneOf(carriersOfPhones...),
	}
}

var deviceStatsFamily = family{
	class: inspect.DeviceStats, rounds: 12,
	dialects: []dialect{
		{name: "flat fields", path: "/stat", value: func(g *gen) any { return deviceFields(g) }},
		{name: "nested by topic", path: "/telemetry", value: func(g *gen) any {
			d := models[g.IntN(len(models))]
			return m{"device": m{"brand": d.make, "model": d.model, "board": d.code}, "battery": m{"level": 0.62, "temperature": 31.5, "status": "discharging"}, "memory": m{"total": 3902341120, "available": 1204224000}, "storage": m{"free": 20512}}
		}},
		{name: "build properties", path: "/props", value: func(g *gen) any {
			d := models[g.IntN(len(models))]
			return m{"ro.product.model": d.model, "ro.product.manufacturer": d.make, "ro.build.version.release": "11", "ro.build.version.sdk": 30, "ro.hardware": "qcom"}
		}},
		{name: "dollar keys", path: "/sa", value: func(g *gen) any {
			d := models[g.IntN(len(models))]
			return m{"event": "AppStart", "properties": m{"$manufacturer": d.make, "$model": d.model, "$os": "Android", "$os_version": "10", "$screen_width": 1080, "$screen_height": 2340, "$network_type": "WIFI", "$carrier": g.oneOf(carriersOfPhones...)}}
		}},
		{name: "ad request", path: "/openrtb", value: func(g *gen) any {
			d := models[g.IntN(len(models))]
			return m{"device": m{"make": d.make, "model": d.model, "os": "android", "osv": "12", "h": 2340, "w": 1080, "ppi": 440, "connectiontype": 2, "carrier": g.oneOf(carriersOfPhones...)}}
		}},
		{name: "crash", path: "/crash", value: func(g *gen) any {
			d := models[g.IntN(len(models))]
			return m{"exception": "java.lang.NullPointerException", "stack": "at a.b.c(Unknown:12)", "device_model": d.model, "os_version": "9", "free_memory": 204800, "uptime_ms": g.IntN(9000000), "battery": 0.4, "orientation": "portrait", "rooted": false}
		}},
		{name: "counters", path: "/usage", value: func(g *gen) any {
			return m{"screen_on_count": g.IntN(90), "unlock_count": g.IntN(90), "app_launches": g.IntN(300), "uptime": g.IntN(900000), "reboot_count": g.IntN(4), "battery_level": g.IntN(100), "model": models[g.IntN(len(models))].model}
		}},
		{name: "short keys", path: "/d", value: func(g *gen) any {
			d := models[g.IntN(len(models))]
			return m{"mf": d.make, "md": d.model, "ov": "11", "sw": 1080, "sh": 2340, "net": "wifi", "bat": g.IntN(100), "ram": 3741}
		}},
		{name: "French keys", path: "/stats", value: func(g *gen) any {
			d := models[g.IntN(len(models))]
			return m{"fabricant": d.make, "modele": d.model, "version_android": "10", "batterie": g.IntN(100), "memoire_libre": 912, "reseau": "wifi", "operateur": "Orange F"}
		}},
		{name: "German keys", path: "/stats", value: func(g *gen) any {
			d := models[g.IntN(len(models))]
			return m{"hersteller": d.make, "modell": d.model, "akku": g.IntN(100), "speicher_frei": 20512, "netzwerk": "wlan", "bildschirm": "1080x2400"}
		}},
		{name: "Chinese keys", path: "/tongji", value: func(g *gen) any {
			d := models[g.IntN(len(models))]
			return m{"厂商": d.make, "型号": d.model, "系统版本": "10", "电量": g.IntN(100), "内存": 4096, "分辨率": "1080x2340", "网络": "wifi", "运营商": "中国移动"}
		}},
		{name: "network state", path: "/net", value: func(g *gen) any {
			return m{"network_type": "LTE", "carrier": g.oneOf(carriersOfPhones...), "roaming": false, "signal_strength": -80 - g.IntN(30), "rx_bytes": g.IntN(9000000), "tx_bytes": g.IntN(900000), "device_model": models[g.IntN(len(models))].model}
		}},
		{name: "iOS", path: "/ios", value: func(g *gen) any {
			return m{"machine": "iPhone14,5", "systemName": "iOS", "systemVersion": "16.4.1", "batteryState": 2, "batteryLevel": 0.8, "freeDiskSpace": 41231231, "physicalMemory": 3959422976, "screenScale": 3, "screenBounds": "390x844", "thermalState": 0}
		}},
		{name: "performance", path: "/perf", value: func(g *gen) any {
			return m{"cpu_usage": 0.31, "cpu_cores": 8, "mem_used": 2091, "mem_total": 4096, "fps": 57, "battery_temp": 33.1, "model": models[g.IntN(len(models))].model, "disk_free": 10240}
		}},

		{name: "Spanish keys", path: "/estado", unseen: true, value: func(g *gen) any {
			d := models[g.IntN(len(models))]
			return m{"fabricante": d.make, "modelo": d.model, "bateria": g.IntN(100), "memoria_libre": 800, "pantalla": "720x1600", "red": "wifi", "operadora": "Movistar"}
		}},
		{name: "Russian keys", path: "/stat", unseen: true, value: func(g *gen) any {
			d := models[g.IntN(len(models))]
			return m{"производитель": d.make, "модель": d.model, "батарея": g.IntN(100), "память": 4096, "экран": "1080x2340", "сеть": "wifi", "оператор": "МегаФон"}
		}},
		{name: "Japanese keys", path: "/tokei", unseen: true, value: func(g *gen) any {
			d := models[g.IntN(len(models))]
			return m{"メーカー": d.make, "機種": d.model, "バッテリー": g.IntN(100), "空きメモリ": 912, "画面": "1080x2340", "回線": "wifi"}
		}},
		{name: "OpenTelemetry attributes", path: "/v1/metrics", unseen: true, value: func(g *gen) any {
			d := models[g.IntN(len(models))]
			kv := func(k string, v any) m { return m{"key": k, "value": m{"stringValue": fmt.Sprint(v)}} }
			return m{"resourceMetrics": []m{{"resource": m{"attributes": []m{kv("device.manufacturer", d.make), kv("device.model.identifier", d.model), kv("os.name", "Android"), kv("os.version", "13"), kv("battery.level", g.IntN(100)), kv("memory.free", 912)}}}}}
		}},
	},
	wholes: []whole{
		{name: "query", make: func(g *gen) *inspect.Subject {
			d := models[g.IntN(len(models))]
			return query("/ad", "brand", d.make, "model", d.model, "osv", "11", "w", "1080", "h", "2340", "net", "wifi", "bat", fmt.Sprint(g.IntN(100)), "carrier", g.oneOf(carriersOfPhones...))
		}},
		{name: "form", make: func(g *gen) *inspect.Subject {
			d := models[g.IntN(len(models))]
			return form("/stat", "device", d.code, "model", d.model, "androidVersion", "28", "screen", "1080x2340", "battery", fmt.Sprint(g.IntN(100)), "ram", "4096", "connectionType", "WIFI")
		}},
		{name: "headers", make: func(g *gen) *inspect.Subject {
			d := models[g.IntN(len(models))]
			s := subject("GET", "/feed")
			for k, v := range map[string]string{"X-Device-Model": d.model, "X-Device-Brand": d.make, "X-Os-Version": "12", "X-Screen-Density": "440", "X-Network-Type": "wifi", "X-Battery-Level": fmt.Sprint(g.IntN(100))} {
				s.Request.Header.Set(k, v)
			}
			return s
		}},
		{name: "text report of a bug", unseen: true, make: func(g *gen) *inspect.Subject {
			d := models[g.IntN(len(models))]
			return up("POST", "/bugreport", "text/plain", []byte(strings.Join([]string{"Device: " + d.make + " " + d.model, "Android version: 11", "Kernel: 4.14.117", "Battery: " + fmt.Sprint(g.IntN(100)) + "%", "Free RAM: 912 MB", "Screen: 1080x2340", "Uptime: 3 days"}, "\n")))
		}},
		{name: "log in lines of key=value", unseen: true, make: func(g *gen) *inspect.Subject {
			d := models[g.IntN(len(models))]
			return up("POST", "/log", "text/plain", []byte(fmt.Sprintf("ts=%d model=%q manufacturer=%q os=Android osv=12 battery=%d charging=false mem_free=812 net=wifi screen=1080x2400", g.sec(), d.model, d.make, g.IntN(100))))
		}},
	},
}
