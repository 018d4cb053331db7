package main

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/base32"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/url"
	"strings"

	"constat/inspect"
)

// password is one that somebody made up.
func (g *blindGen) password() string {
	return g.oneOf("Papuga", "kedi.Pamuk", "Wojtek!", "rio-de-", "bibimbap", "Žluťoučký", "Pa$$w0rd", "monkeyFace", "Nonna_", "сонечко", "turtle soup ", "azerty") + g.digits(1+g.IntN(4)) + g.oneOf("", "!", "#", "_x")
}

// blindSecrets are passwords, codes, keys and tokens that renew a log-in.
var blindSecrets = []blindKind{
	{name: "bank's log-in with a device", up: "credentials identifiers", make: func(g *blindGen) *inspect.Subject {
		return post("/mobile/auth/v2/login", g.release(m{"customerNumber": g.digits(8), "mpin": g.digits(6), "deviceId": g.uuid()}))
	}},
	{name: "mail account of a client", up: "credentials identifiers", make: func(g *blindGen) *inspect.Subject {
		return post("/setup/detect", m{"email": g.email(), "password": g.password(), "incoming": m{"server": "imap.example.com", "port": 993, "security": "SSL"}})
	}},
	{name: "cloud identity (SRP replaced by a password)", up: "credentials identifiers", make: func(g *blindGen) *inspect.Subject {
		return post("/accounts/verifyPassword?key=test", m{"email": g.email(), "password": g.password(), "returnSecureToken": true, "clientType": "CLIENT_TYPE_ANDROID"})
	}},
	{name: "token that renews, form", up: "credentials", make: func(g *blindGen) *inspect.Subject {
		return form("/connect/token", "client_id", "mobile.app", "scope", "openid offline_access", "grant_type", "refresh_token", "refresh_token", urlSafe(g.bytes(48)))
	}},
	{name: "token that renews, protobuf over JSON", up: "credentials identifiers", make: func(g *blindGen) *inspect.Subject {
		return post("/v1/token:refresh", g.release(m{"refreshToken": "AMf-" + urlSafe(g.bytes(80)), "installId": g.hex(22)}))
	}},
	{name: "code of a text message", up: "credentials identifiers", make: func(g *blindGen) *inspect.Subject {
		return post("/auth/otp/confirm", m{"msisdn": g.e164(), "otpCode": g.digits(6), "verificationId": urlSafe(g.bytes(24))})
	}},
	{name: "SOAP of an old bank", up: "credentials", open: "identifiers", make: func(g *blindGen) *inspect.Subject {
		return up("POST", "/services/Auth", "text/xml", []byte(fmt.Sprintf(`<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Header><wsse:Security xmlns:wsse="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"><wsse:UsernameToken><wsse:Username>%s</wsse:Username><wsse:Password>%s</wsse:Password></wsse:UsernameToken></wsse:Security></soapenv:Header><soapenv:Body><logon/></soapenv:Body></soapenv:Envelope>`, g.digits(8), esc(g.password()))))
	}},
	{name: "Digest-less router app", up: "credentials", make: func(g *blindGen) *inspect.Subject {
		return withHeader(get("/cgi-bin/luci/admin/status"), "Authorization", "Basic "+b64([]byte("admin:"+g.password())))
	}},
	{name: "camera's stream address", up: "credentials", make: func(g *blindGen) *inspect.Subject {
		return post("/camera/add", m{"name": "garden", "streamUrl": "rtsp://" + g.oneOf("admin", "viewer") + ":" + url.PathEscape(g.password()) + "@192.168.1." + g.digits(2) + ":554/Streaming/Channels/101"})
	}},
	{name: "Wi-Fi handed to a plug", up: "credentials", open: "location", make: func(g *blindGen) *inspect.Subject {
		return post("/device/provision", m{"ssid": one(g, accessPoints), "passphrase": g.password(), "timezone": "Europe/Rome", "token": g.hex(14)})
	}},
	{name: "Wi-Fi store of a system backup", up: "credentials", open: "location", make: func(g *blindGen) *inspect.Subject {
		body := g.lines(1, 4, "", func(int) string {
			return fmt.Sprintf(`<Network><WifiConfiguration><string name="ConfigKey">&quot;%[1]s&quot;WPA_PSK</string><string name="SSID">&quot;%[1]s&quot;</string><string name="PreSharedKey">&quot;%[2]s&quot;</string></WifiConfiguration></Network>`, one(g, accessPoints), esc(g.password()))
		})
		return up("PUT", "/backup/WifiConfigStore.xml", "application/octet-stream", []byte(`<?xml version='1.0' encoding='utf-8' standalone='yes' ?><WifiBackupData><float name="Version" value="1.2" /><NetworkList>`+string(body)+`</NetworkList></WifiBackupData>`))
	}},
	{name: "password manager's CSV", up: "credentials", open: "identifiers browsing_history", make: func(g *blindGen) *inspect.Subject {
		return file("/import", "file", "passwords.csv", "text/csv", append([]byte("name,url,username,password\n"), g.lines(2, 7, "\n", func(int) string {
			return fmt.Sprintf("shop,https://shop.example/login,%s,\"%s\"", g.email(), g.password())
		})...), "source", "browser")
	}},
	{name: "SSH key of a terminal app", up: "credentials", make: func(g *blindGen) *inspect.Subject {
		key := ed25519.NewKeyFromSeed(g.bytes(32))
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			panic(err) // the key is of a kind that PKCS #8 knows
		}
		return post("/vault/hosts", m{"hosts": []m{{"label": "nas", "address": "192.168.1.9", "identity": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))}}})
	}},
	{name: "wallet's key in hex", up: "credentials", make: func(g *blindGen) *inspect.Subject {
		return post("/wallet/import", m{"chain": "eth", "privateKey": "0x" + g.hex(64), "label": "main"})
	}},
	{name: "EC key in a form", up: "credentials", make: func(g *blindGen) *inspect.Subject {
		d := g.bytes(32)
		d[0] &= 0x7f
		d[31] |= 1
		key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), new(big.Int).SetBytes(d).FillBytes(make([]byte, 32)))
		if err != nil {
			panic(err) // below the order of the curve
		}
		der, err := x509.MarshalECPrivateKey(key)
		if err != nil {
			panic(err)
		}
		return form("/cert/upload", "alias", "vpn", "pem", string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})))
	}},
	{name: "seed phrase with its order", up: "credentials", make: func(g *blindGen) *inspect.Subject {
		list := strings.Fields("ocean matrix velvet rabbit orphan puzzle canyon sister tobacco winter giraffe lemon harvest elbow crater double magnet zebra")
		var words []string
		for _, i := range g.Perm(len(list))[:12] {
			words = append(words, list[i])
		}
		return post("/recover", m{"mnemonic": strings.Join(words, " "), "passphrase": "", "coin": "BTC"})
	}},
	{name: "second factor's seeds", up: "credentials", open: "identifiers", make: func(g *blindGen) *inspect.Subject {
		return put("/2fa/backup", m{"services": several(g, 1, 4, func(int) m {
			return m{"name": "Forum", "secret": base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(g.bytes(20)), "otp": m{"digits": 6, "period": 30, "tokenType": "TOTP"}}
		})})
	}},
	{name: "socket's log-in", up: "credentials", open: "identifiers", make: func(g *blindGen) *inspect.Subject {
		return frame("/xmpp-websocket", []byte(`<auth xmlns="urn:ietf:params:xml:ns:xmpp-sasl" mechanism="PLAIN">`+b64([]byte("\x00"+g.given()+"\x00"+g.password()))+`</auth>`), true)
	}},
	{name: "phisher's overlay", up: "credentials identifiers", make: func(g *blindGen) *inspect.Subject {
		return form("/inj/save.php", "botid", g.hex(16), "inject", "bank_ing", "data", string(js(m{"login": g.digits(10), "haslo": g.password(), "sms": g.digits(6)})))
	}},
	{name: "keylogger's password fields", up: "credentials identifiers", make: func(g *blindGen) *inspect.Subject {
		return post("/kl", m{"did": g.androidID(), "keys": several(g, 1, 2, func(int) m {
			return m{"app": one(g, phoneApps).pkg, "field": "password", "isPassword": true, "text": g.password(), "t": g.ms()}
		})})
	}},
	{name: "Portuguese form", up: "credentials", open: "identifiers", make: func(g *blindGen) *inspect.Subject {
		return form("/entrar", "cpf", g.digits(11), "senha", g.password(), "lembrar", "on")
	}},
	{name: "Italian keys", up: "credentials identifiers", make: func(g *blindGen) *inspect.Subject {
		return post("/accesso", m{"posta": g.email(), "parola_chiave": g.password(), "ricordami": true})
	}},
	{name: "Turkish keys", up: "credentials identifiers", make: func(g *blindGen) *inspect.Subject {
		return post("/giris", m{"telefon": g.e164(), "sifre": g.password()})
	}},
	{name: "Korean keys", up: "credentials", open: "identifiers", make: func(g *blindGen) *inspect.Subject {
		return post("/login", m{"아이디": "user" + g.digits(3), "비밀번호": g.password(), "자동로그인": false})
	}},
	{name: "Ukrainian keys", up: "credentials identifiers", make: func(g *blindGen) *inspect.Subject {
		return post("/vhid", m{"пошта": g.email(), "пароль": g.password()})
	}},
	{name: "GraphQL log-in", up: "credentials identifiers", make: func(g *blindGen) *inspect.Subject {
		return gqlPost("SignIn", "mutation SignIn($input: SignInInput!) { signIn(input: $input) { token } }", m{"input": m{"emailAddress": g.email(), "password": g.password(), "rememberMe": true}})
	}},
	{name: "new password twice", up: "credentials", make: func(g *blindGen) *inspect.Subject {
		p := g.password()
		return put("/me/password", m{"currentPassword": g.password(), "newPassword": p, "newPasswordConfirmation": p})
	}},
}

// blindIdentities are values that stay with a phone, a SIM or a user.
var blindIdentities = []blindKind{
	{name: "push service's check-in", up: "identifiers", make: func(g *blindGen) *inspect.Subject {
		return form("/c2dm/register3", "X-subtype", g.digits(12), "sender", g.digits(12), "X-app_ver", "512", "X-appid", urlSafe(g.bytes(8)), "X-Goog-Firebase-Installations-Auth", "", "app", "example.lumora", "device", g.digits(19), "cert", g.hex(40))
	}},
	{name: "attribution's postback", up: "identifiers", make: func(g *blindGen) *inspect.Subject {
		return query("/session", "gps_adid", g.uuid(), "android_uuid", g.uuid(), "app_token", "abc1def2ghi3", "environment", "production", "event_buffering_enabled", "0", "tracking_enabled", "1", "sent_at", g.iso())
	}},
	{name: "conversions server to server", up: "identifiers", make: func(g *blindGen) *inspect.Subject {
		return post("/v18.0/"+g.digits(15)+"/events", m{"data": []m{{"event_name": "AddToCart", "event_time": g.sec(), "action_source": "app", "user_data": m{"em": []string{sha256hex(g.email())}, "external_id": []string{sha256hex(g.digits(8))}, "madid": g.uuid()}}}})
	}},
	{name: "game's sign-in as a guest", up: "identifiers", make: func(g *blindGen) *inspect.Subject {
		return post("/Client/LoginWithAndroidDeviceID", m{"TitleId": "A1B2C", "AndroidDeviceId": g.hex(32), "CreateAccount": true, "OS": "Android OS 13"})
	}},
	{name: "game's sign-in, protobuf", up: "identifiers", make: func(g *blindGen) *inspect.Subject {
		return pbPost("/game/login", pb(3, g.imei(), g.mac(":"), g.androidID(), g.uuid()))
	}},
	{name: "customer data platform's profile", up: "identifiers", make: func(g *blindGen) *inspect.Subject {
		return post("/users/track", m{"attributes": []m{{"external_id": g.digits(8), "email": g.email(), "phone": g.e164(), "first_name": g.given(), "email_subscribe": "opted_in"}}})
	}},
	{name: "chat support's visitor", up: "identifiers", make: func(g *blindGen) *inspect.Subject {
		return form("/messenger/web/ping", "app_id", "w8x2k1", "v", "3", "user_data", string(js(m{"user_id": g.digits(7), "email": g.email(), "name": g.full()})), "anonymous_session", "")
	}},
	{name: "SIM's numbers to an operator", up: "identifiers", make: func(g *blindGen) *inspect.Subject {
		return post("/entitlement", m{"terminal_id": g.imei(), "terminal_vendor": "ACME", "app": []string{"ap2004"}, "IMSI": g.imsi(), "iccid": g.iccid(), "token": ""})
	}},
	{name: "router app's bind", up: "identifiers", make: func(g *blindGen) *inspect.Subject {
		return post("/bind", m{"appUuid": g.uuid(), "accountEmail": g.email(), "phoneWifiMac": g.mac("-")})
	}},
	{name: "loyalty card", up: "identifiers", make: func(g *blindGen) *inspect.Subject {
		return post("/loyalty/link", g.release(m{"memberNumber": g.digits(13), "mobile": g.e164(), "birthDate": g.day()}))
	}},
	{name: "hashed ids in a header", up: "identifiers", make: func(g *blindGen) *inspect.Subject {
		return withHeader(get("/v1/feed?page=1"), g.oneOf("X-Device-Hash", "X-Did", "Device-Identifier"), sha256hex(g.androidID()))
	}},
	{name: "ids in a cookie of a network", up: "identifiers", make: func(g *blindGen) *inspect.Subject {
		return withHeader(get("/sync?partner=7&gdpr=1"), "Cookie", "uid="+g.uuid()+"; device_id="+g.hex(32)+"; opt=0")
	}},
	{name: "Chinese maker's headers", up: "identifiers", make: func(g *blindGen) *inspect.Subject {
		s := withHeader(get("/card/v3/home"), "X-OAID", g.hex(16))
		s = withHeader(s, "X-VAID", g.hex(16))
		return withHeader(s, "X-GUID", g.hex(64))
	}},
	{name: "path of a device", up: "identifiers", make: func(g *blindGen) *inspect.Subject {
		return put("/v1/devices/"+g.uuid()+"/subscriptions", m{"deviceSerialNumber": g.serial(), "topics": []string{"news", "sport"}})
	}},
	{name: "Portuguese keys", up: "identifiers", make: func(g *blindGen) *inspect.Subject {
		return post("/cadastro", m{"nome": g.full(), "celular": g.e164(), "e_mail": g.email(), "id_aparelho": g.hex(16)})
	}},
	{name: "Polish form", up: "identifiers", make: func(g *blindGen) *inspect.Subject {
		return form("/rejestracja", "imie", g.given(), "numer_telefonu", g.e164(), "adres_email", g.email(), "zgoda", "1")
	}},
	{name: "Turkish keys", up: "identifiers", make: func(g *blindGen) *inspect.Subject {
		return post("/kayit", m{"cihaz_kimligi": g.hex(16), "cep_telefonu": g.e164(), "eposta": g.email()})
	}},
	{name: "Korean keys", up: "identifiers", make: func(g *blindGen) *inspect.Subject {
		return post("/register", m{"기기고유번호": g.uuid(), "휴대폰번호": g.e164(), "이메일": g.email()})
	}},
	{name: "Vietnamese keys", up: "identifiers", make: func(g *blindGen) *inspect.Subject {
		return post("/dang-ky", m{"ma_thiet_bi": g.hex(16), "so_dien_thoai": g.e164(), "thu_dien_tu": g.email()})
	}},
	{name: "identity graph of a network", up: "identifiers", make: func(g *blindGen) *inspect.Subject {
		return post("/id5/api", m{"partner": 123, "hem": sha256hex(g.email()), "ids": []m{{"source": "aaid", "uids": []m{{"id": g.uuid(), "atype": 1}}}}})
	}},
	{name: "telemetry's resource", up: "identifiers device_stats", make: func(g *blindGen) *inspect.Subject {
		p := one(g, phoneModels)
		kv := func(k, v string) m { return m{"key": k, "value": m{"stringValue": v}} }
		return post("/v1/traces", m{"resourceSpans": []m{{"resource": m{"attributes": []m{kv("service.name", "lumora"), kv("device.id", g.hex(32)), kv("device.model.identifier", p.model), kv("device.manufacturer", p.brand), kv("os.name", "Android"), kv("os.version", "14")}}, "scopeSpans": []m{{"spans": []m{{"traceId": g.hex(32), "spanId": g.hex(16), "name": "cold start", "startTimeUnixNano": fmt.Sprint(g.ms() * 1000000)}}}}}}})
	}},
	{name: "MD5s in base64 of a network", up: "identifiers", make: func(g *blindGen) *inspect.Subject {
		raw, err := hex.DecodeString(md5hex(g.imei()))
		if err != nil {
			panic(err) // md5hex is hex
		}
		return query("/track/click", "imeimd5", b64(raw), "androididmd5", md5hex(g.androidID()), "cid", "441")
	}},
}
