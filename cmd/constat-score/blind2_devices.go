package main

import (
	"google.golang.org/protobuf/encoding/protowire"

	"constat/inspect"
	"constat/proxy/flow"
)

// noise are random bytes.
func noise(n int) content { return func(w *world) []byte { return w.bytes(n) } }

// freshDevices say what the phone is, what is on it and whether there is something newer.
var freshDevices = []fresh{
	{"crash of an app", "device_stats> ?identifiers", postJSON("crash.bugcatcher.example/v3/report", `{"exception":"java.lang.NullPointerException: at com.example.cart.Total.sum(Total.kt:41)","device":{"manufacturer":"Xiaomi","deviceModel":"$model","totalRam":5872025600,"freeDisk":$d10},"os":{"name":"Android","apiLevel":33},"battery":0.41,"orientation":"portrait"}`)},
	{"minidump form", "device_stats> ?identifiers ?opaque", inParts("crash.browser.example/submit", "upload_file_minidump", "m.dmp", "application/octet-stream", around("MDMP", noise(200), ""), "prod", "Browser_Android", "ptype", "renderer", "device_model", "$model", "android_build_fp", "google/lynx/lynx:14/AP1A/$d8:user/release-keys", "available_ram_mb", "$d4")},
	{"shebei xinxi", "device_stats> ?identifiers", send("POST", "tongji.shoujiruanjian.example/xinxi", appForm, field("p", zip64(text(`{"jixing":"$model","pinpai":"Redmi","xitong":"Android 12","fenbianlv":"1080x2400","neicun":"6GB","dianliang":$n100,"wangluo":"wifi"}`))))},
	{"Hungarian notation, device", "device_stats>", send("POST", "stat.softkey.example/d", "application/msgpack", as(msgpack, `{"strModel":"$model","nBatteryLevel":$n100,"nScreenW":1080,"nScreenH":2400,"lFreeMem":$d9,"strNetType":"LTE"}`))},
	{"MDM, query of a phone, plist", "device_stats> ?identifiers", send("PUT", "mdm.school.example/checkin", "application/x-apple-aspen-mdm", as(plistXML, `{"Status":"Acknowledged","QueryResponses":{"ModelName":"iPhone","ProductName":"$model","OSVersion":"17.4","BuildVersion":"21E219","BatteryLevel":0.83,"DeviceCapacity":119.2,"AvailableDeviceCapacity":41.7}}`))},
	{"headers of a game", "device_stats>", with(postJSON("api.puzzle.example/start", `{"level":12}`), "X-Device-Model: $model", "X-Device-Ram: 5734", "X-Screen: 1080x2340", "X-Battery: $n100", "X-Gpu: Adreno 619")},
	{"query of an old SDK", "device_stats> ?identifiers", ask("ads.oldnet.example/m/ad", "dn", "samsung,$model,a53x", "w", "1080", "h", "2340", "sc_a", "2.81", "ct", "3", "mr", "1", "bl", "$n100", "vv", "3")},
	{"OTLP resource", "device_stats> ?identifiers", postJSON("otel.shopapp.example/v1/metrics", `{"resourceMetrics":[{"resource":{"attributes":[{"key":"device.model.identifier","value":{"stringValue":"$model"}},{"key":"os.name","value":{"stringValue":"Android"}},{"key":"os.version","value":{"stringValue":"14"}},{"key":"device.manufacturer","value":{"stringValue":"OPPO"}}]},"scopeMetrics":[{"metrics":[{"name":"app.battery.drain","gauge":{"dataPoints":[{"asDouble":3.2}]}},{"name":"app.mem.rss","gauge":{"dataPoints":[{"asInt":"$d9"}]}}]}]}]}`)},
	{"thermal log of an OEM", "device_stats>", send("POST", "log.oemcloud.example/bugreport", "text/plain", text("ro.product.model=$model\nro.build.display.id=TP1A.220624.014.A536BXXU5\nro.board.platform=s5e8825\nbattery.level=$n100\nbattery.temperature=312\ncpu.temp=48.2\nMemAvailable: $d7 kB\nuptime=$d6\n"))},
	{"telefon, Spanish operator", "device_stats>", postJSON("qos.operadora.example/medicion", `{"marca":"Motorola","modelo":"$model","version_so":"13","bateria":$n100,"tecnologia":"4G","rsrp":-101,"rsrq":-12,"memoria_libre_mb":$d4}`)},
	{"speed test", "device_stats> ?identifiers", send("POST", "results.netspeed.example/save.php", appForm, fields("device", "$model", "os", "android-13", "connection", "wifi", "wifi_rssi", "-58", "cpu_cores", "8", "ram_mb", "$d4", "download_kbps", "$d5", "upload_kbps", "$d5"))},
	{"health of a battery, XML", "device_stats>", send("POST", "care.oem.example/diag", "text/xml", text(`<Diag><Model>$model</Model><FirmwareBuild>UP1A.231005.007</FirmwareBuild><Battery level="$n100" cycles="$d3" health="good" voltageMv="4102"/><Storage totalMb="118000" freeMb="$d5"/></Diag>`))},
	{"ustroystvo", "device_stats>", send("POST", "stat.vkladka.example/start", "application/cbor", as(cbor, `{"ustroystvo":{"model":"$model","proizvoditel":"Tecno","ekran":"720x1600","pamyat_mb":3891,"zaryad":$n100},"set":"wifi"}`))},
	{"counters of a keyboard", "device_stats>", postJSON("usage.quickkeys.example/daily", `{"day":"$day","deviceModel":"$model","keystrokes":$d4,"suggestionsAccepted":$d3,"sessions":$d2,"avgSpeedCpm":211,"screenOnMinutes":$d3}`)},
	{"ANR over gRPC", "device_stats>", send("POST", "anr.bugcatcher.example/anr.v1.Reports/Send", "application/grpc", as(grpcOf, `{"a_model":"$model","b_fingerprint":"samsung/a53xnaxx/a53x:13/TP1A.220624.014/A536BXXU5CWB5:user/release-keys","c_board":"s5e8825","d_ram":$d9}`))},
	{"perangkat", "device_stats>", postForm("api.pinjamcepat.example/v3/perangkat", "merek", "vivo", "model_perangkat", "$model", "versi_android", "12", "baterai", "$n100", "resolusi_layar", "1080x2408", "total_ram", "$d10", "is_rooted", "0")},

	// What is on the phone.
	{"list of packages", "app_list>", postJSON("api.pinjamcepat.example/v3/nasabah/apk", `{"pkgs":[⟦,|"$pkg"⟧,"com.android.vending","com.google.android.youtube"]}`)},
	{"packages with commas", "app_list>", postForm("sdk.adgraph.example/inv", "pl", "⟦,|$pkg⟧,com.facebook.katana,com.instagram.android", "n", "9")},
	{"MDM, applications, plist", "app_list>", send("PUT", "mdm.school.example/connect", "text/xml", as(plistXML, `{"Status":"Acknowledged","InstalledApplicationList":[⟦,|{"Identifier":"$pkg","Name":"$app","ShortVersion":"4.2","BundleSize":$d8}⟧]}`))},
	{"minutes by app", "app_list> ?device_stats", postJSON("report.familycare.example/usage", `{"day":"$day","foregroundMs":{"com.whatsapp":$d6,"com.zhiliaoapp.musically":$d6,"com.roblox.client":$d6,"com.snapchat.android":$d5}}`)},
	{"launcher, shortcuts", "app_list>", postJSON("sync.homelaunch.example/layout", `{"page":0,"cells":[⟦,|{"xy":"$n4,$n5","cmp":"$pkg/.MainActivity"}⟧,{"xy":"3,3","cmp":"com.instagram.android/.Home"}]}`)},
	{"aplikasi, attributes", "app_list>", send("POST", "mdm.kantor.example/inventaris", "application/xml", text(`<Inventaris>⟦|<Aplikasi nama="$app" paket="$pkg" versi="2.$n9"/>⟧<Aplikasi nama="Kamera" paket="com.sec.android.app.camera" versi="1.0"/></Inventaris>`))},
	{"yingyong liebiao", "app_list>", send("POST", "tongji.shoujiruanjian.example/yingyong", appForm, field("p", zip64(text(`{"yingyong_liebiao":[⟦,|{"baoming":"$pkg","mingcheng":"$app","anzhuang_shijian":$ms}⟧]}`))))},
	{"output of pm", "app_list> ?identifiers", send("POST", "panel.track-it.example/gate.php", "text/plain", text("⟦\n|package:$pkg⟧\npackage:com.google.android.gms\npackage:com.android.chrome\n"))},
	{"notifications by app", "app_list> ?device_stats", postJSON("wear.band.example/stats", `{"notif":[{"app":"WhatsApp","cnt":$d2},{"app":"Gmail","cnt":$d1},{"app":"Telegram","cnt":$d2},{"app":"Bumble","cnt":$d1}],"day":"$day"}`)},
	{"aplicativos", "app_list>", send("POST", "coleta.credito.example/perfil", "application/msgpack", as(msgpack, `{"aplicativos_instalados":[⟦,|{"pacote":"$pkg","nome":"$app"}⟧,{"pacote":"br.com.itau","nome":"Itaú"}]}`))},
	{"gRPC, packages by value", "app_list>", send("POST", "protect.scan.example/scan.v1.Scanner/Submit", "application/grpc", as(grpcOf, `{"found":[⟦,|{"a":"$pkg","b":"$h64"}⟧,{"a":"com.facebook.orca","b":"$h64"}]}`))},
	{"names that people see", "app_list>", postJSON("quiz.persona.example/apps", `{"installedApps":["WhatsApp","Duolingo","Tinder","Binance","Strava"],"platform":"ios"}`)},
	{"battery by app", "app_list> device_stats>", postJSON("care.oem.example/power", `{"model":"$model","level":$n100,"drainByApp":[{"pkg":"com.whatsapp","mah":31},{"pkg":"com.spotify.music","mah":120},{"pkg":"com.waze","mah":210}]}`)},
	{"schemes that open", "app_list>", postJSON("sdk.deeplinks.example/probe", `{"canOpen":{"whatsapp://":true,"tg://":true,"fb://":false,"uber://":true,"grindr://":true}}`)},
	{"table of a backup tool", "app_list>", send("PUT", "bk.vaultbox.example/apps.csv", "text/csv", text("package,label,versionCode,apkSize\n⟦\n|$pkg,$app,$d4,$d8⟧\n"))},
	{"ustanovlennye", "app_list>", send("POST", "stat.vkladka.example/progi", appJSON, gzipped(text(`{"ustanovlennye_prilozheniya":[⟦,|{"paket":"$pkg","nazvanie":"$app"}⟧,{"paket":"com.vkontakte.android","nazvanie":"VK"}]}`)), "Content-Encoding: gzip")},

	// Is there something newer?
	{"OTA of an OEM", "update_check= ?identifiers ?device_stats", reply(postJSON("ota.oem.example/v2/check", `{"codename":"lynx","currentBuild":"14.0.$d2","channel":"stable"}`), appJSON, text(`{"hasUpdate":true,"build":"14.0.99","sizeBytes":$d9,"sha256":"$h64","url":"https://dl.oem.example/$h12.zip"}`))},
	{"Sparkle-like appcast", "update_check=", fetch("apps.editor.example/appcast.xml?appVersion=$d3", "application/rss+xml", text(`<rss xmlns:sparkle="http://www.andymatuschak.org/xml-namespaces/sparkle"><channel><item><title>Version 3.2</title><sparkle:version>$d3</sparkle:version><enclosure url="https://apps.editor.example/3.2.zip" sparkle:shortVersionString="3.2" length="$d8"/></item></channel></rss>`))},
	{"Omaha", "update_check= ?device_stats ?identifiers", reply(postJSON("update.browserparts.example/service/update2/json", `{"request":{"protocol":"3.1","app":[{"appid":"{$u}","version":"1.0.$d2","updatecheck":{}}],"@os":"android"}}`), appJSON, text(`)]}'
{"response":{"protocol":"3.1","app":[{"appid":"{$u}","status":"ok","updatecheck":{"status":"noupdate"}}]}}`))},
	{"jiancha gengxin", "update_check=", reply(ask("gengxin.shoujiruanjian.example/jiancha", "baoming", "cn.example.rili", "banbenhao", "$d3"), appJSON, text(`{"youxinban":true,"zuixin_banben":"5.1.2","xiazai_dizhi":"https://xiazai.example/$h8.apk","gengxin_shuoming":"修复已知问题"}`))},
	{"cek versi", "update_check=", reply(ask("api.dompet.example/cek-versi", "versi_sekarang", "4.$n9.1", "platform", "android"), appJSON, text(`{"versi_terbaru":"4.11.0","wajib_perbarui":false,"catatan":"Perbaikan bug"}`))},
	{"code push", "update_check= ?identifiers", reply(ask("codepush.hotpatch.example/v0.1/public/codepush/update_check", "deployment_key", "$h32", "app_version", "2.3.1", "package_hash", "$h64"), appJSON, text(`{"update_info":{"is_available":false,"should_run_binary_version":false,"target_binary_range":"2.3.1"}}`))},
	{"definitions of a scanner, XML", "update_check=", reply(send("POST", "defs.antivirus.example/chk", "text/xml", text(`<UpdateQuery product="mobile"><Engine cur="8.1.$d2"/><Signatures cur="$d8"/></UpdateQuery>`)), "text/xml", text(`<UpdateReply><Signatures latest="$d8" url="/d/$h8.bin" size="$d7"/></UpdateReply>`))},
	{"obnovlenie", "update_check=", reply(postForm("api.taksi.example/obnovlenie", "tekushchaya_versiya", "5.0.$d1"), appJSON, text(`{"est_obnovlenie":true,"novaya_versiya":"5.2.0","obyazatelno":false,"ssylka":"https://dl.taksi.example/t.apk"}`))},
	{"firmware of a watch", "update_check= ?device_stats ?identifiers", reply(ask("fw.band.example/firmware/latest", "product", "band7", "current", "1.17.8"), appJSON, text(`{"latest":"1.18.2","mandatory":false,"changelog":"Stability","md5":"$h32","fileUrl":"https://fw.band.example/$h8.bin"}`))},
	{"store, versions of packages", "update_check=", reply(postJSON("store.apks.example/v1/updates", `{"apps":[{"package":"org.example.reader","vc":$d4},{"package":"org.example.maps","vc":$d4}]}`), appJSON, text(`{"updates":[{"package":"org.example.reader","vc":99999,"apkUrl":"https://store.apks.example/r.apk","whatsNew":"Fixes"}]}`))},
	{"configuration by its tag", "update_check=", reply(postJSON("cfg.remoteconf.example/v1/fetch", `{"configVersion":"$d3","appVersion":"8.1","checkForUpdate":true}`), appJSON, text(`{"updateAvailable":false,"configVersion":"$d3"}`))},
	{"forced upgrade over gRPC-web JSON", "update_check=", reply(postJSON("api.rides.example/app.v1.Versions/CheckUpgrade", `{"appVersionName":"6.4.1","platform":"ANDROID"}`), appJSON, text(`{"upgradeType":"SOFT","minVersion":"6.0.0","latestVersion":"6.7.0","storeUrl":"market://details?id=com.example.rides"}`))},
	{"plist of an iOS carrier", "update_check=", reply(ask("mesu.fruitcloud.example/assets/softwareupdate", "installed", "17.4"), "application/xml", as(plistXML, `{"Assets":[{"OSVersion":"17.5","Build":"21F79","_DownloadSize":$d9,"SUDocumentationID":"iOS175"}]}`))},
	{"comprobar actualizacion", "update_check=", reply(ask("api.banco.example/app/comprobar-actualizacion", "versionActual", "9.2.$d1"), appJSON, text(`{"hayActualizacion":true,"versionNueva":"9.4.0","obligatoria":true}`))},
}

// freshSealed are encrypted bytes.
var freshSealed = []fresh{
	{"plain body", "opaque>", send("POST", "t.collector.example/b", "application/octet-stream", noise(1800))},
	{"JSON, base64", "opaque>", postJSON("api.wallet.example/secure", `{"v":3,"iv":"$r12","ct":"$r1200","tag":"$r16"}`)},
	{"JSON, hex", "opaque>", postJSON("api.loans.example/enc", `{"encData":"$h2400","keyIndex":4}`)},
	{"form, URL-safe base64", "opaque>", send("POST", "log.sdkstats.example/l", appForm, field("d", inURL64(noise(1500)), "k", "7"))},
	{"gRPC, bytes in a field", "opaque>", send("POST", "msg.secretchat.example/Relay/Put", "application/grpc", func(w *world) []byte {
		b := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), 42)
		return grpcFrame(protowire.AppendBytes(protowire.AppendTag(b, 2, protowire.BytesType), w.bytes(1600)))
	})},
	{"frame of a socket", "opaque>", socket("ws.secretchat.example/v2", flow.Up, false, noise(900))},
	{"encrypted data in XML", "opaque>", send("POST", "idp.amt.example/saml", "text/xml", text(`<EncryptedData xmlns="http://www.w3.org/2001/04/xmlenc#"><EncryptionMethod Algorithm="http://www.w3.org/2009/xmlenc11#aes256-gcm"/><CipherData><CipherValue>$r1400</CipherValue></CipherData></EncryptedData>`))},
	{"armoured message", "opaque>", send("PUT", "drop.whistle.example/m", "text/plain", text("-----BEGIN PGP MESSAGE-----\n\n$r48\n$r48\n$r48\n$r48\n$r48\n$r48\n$r48\n$r48\n$r48\n$r48\n$r48\n$r48\n$r48\n$r48\n$r48\n$r48\n=Ab3d\n-----END PGP MESSAGE-----\n"))},
	{"file in a form", "opaque>", inParts("bk.vaultbox.example/up", "chunk", "part-$n9.enc", "application/octet-stream", noise(2400), "offset", "0")},
	{"gzip around it", "opaque>", send("POST", "t.collector.example/b2", "application/octet-stream", gzipped(noise(1500)), "Content-Encoding: gzip")},
	{"JWE", "opaque>", func(w *world) *inspect.Subject {
		seg := func(n int) string { return string(inURL64(noise(n))(w)) }
		head := string(inURL64(text(`{"alg":"RSA-OAEP-256","enc":"A256GCM","kid":"k1"}`))(w))
		return send("POST", "pay.cards.example/tokenize", "application/jose", text(head+"."+seg(256)+"."+seg(12)+"."+seg(900)+"."+seg(16)))(w)
	}},
	{"header", "opaque>", with(ask("api.loans.example/home"), "X-Enc-Context: $r900")},
	{"msgpack, base64", "opaque>", send("POST", "c2.watcher.example/e", "application/msgpack", as(msgpack, `{"s":"$h8","p":"$r1300"}`))},
	{"MQTT payload", "opaque> ?identifiers", socket("mq.lock.example/mqtt", flow.Up, false, mqtt("d/$h8/e2e", noise(1100)))},
	{"query", "opaque>", ask("px.adplatform.example/e", "enc", "$r800")},
	{"age file", "opaque>", send("PUT", "s3.objects.example/b/backup.age", "application/octet-stream", around("age-encryption.org/v1\n-> X25519 $h43\n$h43\n--- $h43\n", noise(2000), ""))},
}
