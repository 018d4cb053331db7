package main

import (
	"fmt"
	"net/http"
	"strings"

	"constat/inspect"
)

var identifiersFamily = family{
	class: inspect.Identifiers, rounds: 12,
	dialects: []dialect{
		{name: "IMEI and IMSI", path: "/reg", value: func(g *gen) any { return m{"imei": g.imei(), "imsi": g.imsi()} }},
		{name: "ANDROID_ID", path: "/init", value: func(g *gen) any { return m{"android_id": g.androidID(), "sdk": "4.1"} }},
		{name: "advertising id", path: "/ad", value: func(g *gen) any { return m{"gaid": g.uuid(), "lat": 0} }},
		{name: "IDFA in capitals", path: "/ad", value: func(g *gen) any {
			return m{"device": m{"ifa": strings.ToUpper(g.uuid()), "lmt": 0}}
		}},
		{name: "IDFV", path: "/i", value: func(g *gen) any { return m{"idfv": strings.ToUpper(g.uuid()), "bundle": "example.app"} }},
		{name: "serial and MAC", path: "/enrol", value: func(g *gen) any { return m{"serialno": g.serial(), "wifi_mac": g.mac(":")} }},
		{name: "Bluetooth MAC without colons", path: "/bt", value: func(g *gen) any { return m{"btMac": g.mac(""), "name": "phone"} }},
		{name: "phone number of the user", path: "/register", value: func(g *gen) any { return m{"phoneNumber": g.e164(), "country": "FR"} }},
		{name: "SIM numbers", path: "/sim", value: func(g *gen) any {
			return m{"iccid": g.iccid(), "msisdn": strings.TrimPrefix(g.e164(), "+"), "mcc": "208", "mnc": "01"}
		}},
		{name: "user's address", path: "/newsletter", value: func(g *gen) any { return m{"email": g.email(), "optin": true} }},
		{name: "tracker's ids", path: "/batch", value: func(g *gen) any {
			return m{"batch": []m{{"type": "track", "event": "open", "anonymousId": g.uuid(), "userId": g.digits(8), "messageId": g.uuid()}}}
		}},
		{name: "distinct id", path: "/sa", value: func(g *gen) any {
			return m{"distinct_id": g.hex(40), "type": "track", "event": "click", "time": g.when()}
		}},
		{name: "installation id", path: "/v1/installations", value: func(g *gen) any {
			return m{"fid": "c" + g.hex(21), "appId": "1:123:android:9", "installationId": g.uuid()}
		}},
		{name: "client id and account id", path: "/submit", value: func(g *gen) any {
			return m{"clientId": g.uuid(), "account_id": g.digits(10)}
		}},
		{name: "device id in short keys", path: "/u", value: func(g *gen) any { return m{"did": g.hex(32), "uid": g.digits(9), "a": 1} }},
		{name: "hashes of known things", path: "/match", value: func(g *gen) any {
			return m{"imei_md5": md5hex(g.imei()), "androidIdSha1": sha1hex(g.androidID())}
		}},
		{name: "hashed address", path: "/conversions", value: func(g *gen) any {
			return m{"user_data": m{"em": []string{sha256hex(strings.ToLower(g.email()))}, "ph": []string{sha256hex(g.e164())}}, "event_name": "Purchase"}
		}},
		{name: "Chinese market ids", path: "/cn", value: func(g *gen) any { return m{"oaid": g.hex(16), "vaid": g.hex(16), "aaid": g.uuid()} }},
		{name: "French keys", path: "/enreg", value: func(g *gen) any {
			return m{"identifiant_appareil": g.hex(16), "numero_de_serie": g.serial()}
		}},
		{name: "German keys", path: "/geraet", value: func(g *gen) any {
			return m{"geraete_id": g.uuid(), "seriennummer": g.serial(), "telefonnummer": g.e164()}
		}},
		{name: "Chinese keys", path: "/shebei", value: func(g *gen) any { return m{"设备号": g.imei(), "手机号": g.e164()} }},
		{name: "push token and device", path: "/push/register", value: func(g *gen) any {
			return m{"deviceId": g.uuid(), "pushToken": g.hex(22) + ":APA91b" + g.hex(100), "platform": "android"}
		}},
		{name: "in device statistics", path: "/stats", also: classes(inspect.DeviceStats), value: func(g *gen) any {
			v := deviceFields(g)
			v["android_id"], v["imei"] = g.androidID(), g.imei()
			return v
		}},
		{name: "list of ids", path: "/ids", value: func(g *gen) any {
			return m{"identities": []m{{"type": "imei", "value": g.imei()}, {"type": "idfa", "value": g.uuid()}, {"type": "email", "value": g.email()}}}
		}},
		{name: "account profile sent on", path: "/identify", value: func(g *gen) any {
			p := g.person()
			return m{"traits": m{"name": p.full, "email": p.email, "phone": p.phone, "plan": "free"}, "userId": g.digits(7)}
		}},

		{name: "Spanish keys", path: "/alta", unseen: true, value: func(g *gen) any { return m{"numero_de_telefono": g.e164(), "correo": g.email()} }},
		{name: "Russian keys", path: "/reg", unseen: true, value: func(g *gen) any { return m{"имей": g.imei(), "номер_телефона": g.e164()} }},
		{name: "Japanese keys", path: "/toroku", unseen: true, value: func(g *gen) any { return m{"端末ID": g.uuid(), "メールアドレス": g.email()} }},
		{name: "key of a tracker nobody knows", path: "/z", unseen: true, value: func(g *gen) any { return m{"zx": m{"imei1": g.imei(), "imei2": g.imei()}} }},
		{name: "OpenTelemetry resource", path: "/v1/logs", unseen: true, value: func(g *gen) any {
			return m{"resourceLogs": []m{{"resource": m{"attributes": []m{{"key": "device.id", "value": m{"stringValue": g.uuid()}}, {"key": "enduser.id", "value": m{"stringValue": g.digits(8)}}}}}}}
		}},
		{name: "joined in one string", path: "/q", unseen: true, value: func(g *gen) any {
			return m{"d": "imei=" + g.imei() + ";mac=" + g.mac(":") + ";aid=" + g.androidID()}
		}},
		{name: "truncated hash of the IMEI", path: "/w", unseen: true, value: func(g *gen) any {
			return m{"imei_hash": strings.NewReplacer("+", "-", "/", "_").Replace(b64([]byte(sha1hex(g.imei())[:20])))[:16]}
		}},
	},
	wholes: []whole{
		{name: "query, IMEI", make: func(g *gen) *inspect.Subject {
			return query("/config", "imei", g.imei(), "v", "3", "ch", "store")
		}},
		{name: "query, advertising id", make: func(g *gen) *inspect.Subject {
			return query("/pixel", g.oneOf("gaid", "idfa", "advertising_id", "aaid"), g.uuid(), "ev", "install")
		}},
		{name: "query, MAC", make: func(g *gen) *inspect.Subject {
			return query("/hotspot", "client_mac", g.mac(g.oneOf(":", "-")), "ap", "lobby")
		}},
		{name: "query, e-mail address", make: func(g *gen) *inspect.Subject { return query("/unsubscribe", "email", g.email()) }},
		{name: "form", make: func(g *gen) *inspect.Subject {
			return form("/activate", "deviceid", g.hex(32), "android_id", g.androidID(), "mobile", g.e164())
		}},
		{name: "header", make: func(g *gen) *inspect.Subject {
			return withHeader(subject("GET", "/feed"), g.oneOf("X-Device-Id", "X-Android-Id", "X-Imei"), g.imei())
		}},
		{name: "header, installation", make: func(g *gen) *inspect.Subject {
			return withHeader(subject("GET", "/feed"), g.oneOf("X-Client-Uuid", "X-Installation-Id", "Device-Uuid"), g.uuid())
		}},
		{name: "cookie of a device", make: func(g *gen) *inspect.Subject {
			return withHeader(subject("GET", "/"), "Cookie", "lang=fr; deviceId="+g.hex(32)+"; imei="+g.imei())
		}},
		{name: "path, account", make: func(g *gen) *inspect.Subject {
			return subject("GET", "/device/imei/"+g.imei()+"/settings")
		}},
		{name: "JWT with the user's address", unseen: true, make: func(g *gen) *inspect.Subject {
			seg := func(v m) string {
				return strings.TrimRight(strings.NewReplacer("+", "-", "/", "_").Replace(b64(js(v))), "=")
			}
			token := seg(m{"alg": "HS256", "typ": "JWT"}) + "." + seg(m{"email": g.email(), "phone_number": g.e164(), "iat": g.sec()}) + "." + strings.TrimRight(strings.NewReplacer("+", "-", "/", "_").Replace(b64(g.bytes(32))), "=")
			return up("POST", "/link", appJSON, js(m{"id_token": token}))
		}},
		{name: "SIP-like uri of the user", unseen: true, make: func(g *gen) *inspect.Subject {
			return query("/ims/provision", "IMSI", g.imsi(), "IMEI", g.imei(), "terminal_model", "x")
		}},
		{name: "User-Agent with an id", unseen: true, make: func(g *gen) *inspect.Subject {
			return withHeader(subject("GET", "/list"), "User-Agent", fmt.Sprintf("app/3.1 (Android 9; imei:%s; mac:%s)", g.imei(), g.mac(":")))
		}},
	},
}

func withHeader(s *inspect.Subject, name, value string) *inspect.Subject {
	if s.Request.Header == nil {
		s.Request.Header = make(http.Header)
	}
	s.Request.Header.Set(name, value)
	return s
}
