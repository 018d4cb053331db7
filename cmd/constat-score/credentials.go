package main

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strings"

	"constat/inspect"
)

// login is a name and the class that goes with it: an address or a number is an
// identifier of the user, a nickname is left open.
var loginOpen = classes(inspect.Identifiers)

var credentialsFamily = family{
	class: inspect.Credentials, rounds: 12,
	dialects: openAll(loginOpen, []dialect{
		{name: "user name and password", path: "/login", value: func(g *gen) any {
			return m{"username": strings.ToLower(g.oneOf("amelia", "odile", "kern", "rohan")) + g.digits(2), "password": g.secret()}
		}},
		{name: "e-mail and password", path: "/api/v1/sessions", value: func(g *gen) any {
			return m{"session": m{"email": g.email(), "password": g.secret(), "remember": true}}
		}},
		{name: "registration", path: "/signup", value: func(g *gen) any {
			s := g.secret()
			return m{"email": g.email(), "password": s, "password_confirmation": s, "terms": true}
		}},
		{name: "change of the password", path: "/account/password", value: func(g *gen) any {
			return m{"oldPassword": g.secret(), "newPassword": g.secret()}
		}},
		{name: "short keys", path: "/l", value: func(g *gen) any { return m{"u": g.email(), "pwd": g.secret()} }},
		{name: "hashed password", path: "/auth", value: func(g *gen) any {
			return m{"login": g.email(), "passwd_md5": md5hex(g.secret())}
		}},
		{name: "one-time code", path: "/verify", value: func(g *gen) any {
			return m{"phone": g.e164(), "otp": g.digits(6)}
		}},
		{name: "code of an SMS", path: "/sms/verify", value: func(g *gen) any {
			return m{"verificationId": g.hex(20), "smsCode": g.digits(6)}
		}},
		{name: "second factor", path: "/2fa", value: func(g *gen) any {
			return m{"two_factor_code": g.digits(6), "trust": false}
		}},
		{name: "PIN", path: "/wallet/unlock", value: func(g *gen) any { return m{"pin": g.digits(4), "attempt": 1} }},
		{name: "refresh token in JSON", path: "/oauth/token", value: func(g *gen) any {
			return m{"grant_type": "refresh_token", "refresh_token": "1//" + g.hex(40), "client_id": "app"}
		}},
		{name: "camel case refresh token", path: "/auth/refresh", value: func(g *gen) any {
			return m{"refreshToken": b64(g.bytes(32))}
		}},
		{name: "seed words", path: "/wallet/backup", value: func(g *gen) any {
			words := strings.Fields("abandon ability orbit candy zebra mimic lunar ladder violin tissue quantum prize oxygen novel moral kidney island helmet glove fabric easily dune coral bridge")
			return m{"mnemonic": strings.Join(some(g, words, 12, 12), " ")}
		}},
		{name: "Wi-Fi passwords", path: "/wifi/backup", open: classes(inspect.Location), value: func(g *gen) any {
			return m{"networks": times(g, 1, 4, func(int) m { return m{"ssid": pick(g, ssids), "psk": g.secret() + g.secret(), "security": "WPA2"} })}
		}},
		{name: "password manager", path: "/vault/import", open: classes(inspect.BrowsingHistory), value: func(g *gen) any {
			return m{"logins": times(g, 1, 4, func(int) m {
				return m{"url": "https://" + pick(g, domains) + "/login", "username": g.email(), "password": g.secret()}
			})}
		}},
		{name: "French keys", path: "/connexion", value: func(g *gen) any {
			return m{"identifiant": g.email(), "mot_de_passe": g.secret()}
		}},
		{name: "German keys", path: "/anmelden", value: func(g *gen) any {
			return m{"benutzername": g.email(), "kennwort": g.secret()}
		}},
		{name: "Chinese keys", path: "/denglu", value: func(g *gen) any { return m{"用户名": g.email(), "密码": g.secret()} }},
		{name: "mail account set up", path: "/provision", value: func(g *gen) any {
			return m{"account": m{"imapHost": "imap.example.org", "imapPort": 993, "imapUser": g.email(), "imapPassword": g.secret()}}
		}},
		{name: "form scraped by a script", path: "/log", value: func(g *gen) any {
			return m{"event": "form_submit", "fields": []m{{"name": "email", "value": g.email()}, {"name": "password", "value": g.secret()}}}
		}},
		{name: "tracker event", path: "/track", value: func(g *gen) any {
			return m{"event": "login_failed", "properties": m{"user_email": g.email(), "entered_password": g.secret(), "reason": "bad credentials"}}
		}},

		{name: "Spanish keys", path: "/entrar", unseen: true, value: func(g *gen) any {
			return m{"usuario": g.email(), "contraseña": g.secret()}
		}},
		{name: "Russian keys", path: "/vhod", unseen: true, value: func(g *gen) any { return m{"логин": g.email(), "пароль": g.secret()} }},
		{name: "Japanese keys", path: "/roguin", unseen: true, value: func(g *gen) any { return m{"ユーザー名": g.email(), "パスワード": g.secret()} }},
		{name: "passcode of a phone", path: "/recovery", unseen: true, value: func(g *gen) any {
			return m{"deviceLabel": "phone", "unlockPasscode": g.digits(6)}
		}},
		{name: "security question", path: "/reset", unseen: true, value: func(g *gen) any {
			return m{"email": g.email(), "securityQuestion": "first pet", "securityAnswer": pick(g, g.given), "newPwd": g.secret()}
		}},
	}),
	wholes: openWholes(loginOpen, []whole{
		{name: "form", make: func(g *gen) *inspect.Subject {
			return form("/login", g.oneOf("user", "login", "log", "j_username"), g.email(), g.oneOf("password", "passwd", "pwd", "j_password"), g.secret(), "submit", "1")
		}},
		{name: "form, OAuth password grant", make: func(g *gen) *inspect.Subject {
			return form("/oauth/token", "grant_type", "password", "username", g.email(), "password", g.secret(), "client_id", "android")
		}},
		{name: "form, OAuth refresh", make: func(g *gen) *inspect.Subject {
			return form("/oauth2/v4/token", "grant_type", "refresh_token", "refresh_token", "1//0"+g.hex(30), "client_id", "app.example")
		}},
		{name: "query", make: func(g *gen) *inspect.Subject {
			return query("/api/login.php", "uname", g.email(), "pass", g.secret())
		}},
		{name: "Basic authorization with a user's password", make: func(g *gen) *inspect.Subject {
			s := subject("GET", "/remote.php/dav/")
			s.Request.Header.Set("Authorization", "Basic "+b64([]byte(g.email()+":"+g.secret())))
			return s
		}},
		{name: "multipart", make: func(g *gen) *inspect.Subject {
			return multipartFields("/session", "user[email]", g.email(), "user[password]", g.secret())
		}},
		{name: "private key in PEM", make: func(g *gen) *inspect.Subject {
			return up("POST", "/keys", "application/x-pem-file", privateKey(g))
		}},
		{name: "private key in JSON", make: func(g *gen) *inspect.Subject {
			return up("POST", "/backup/keys", appJSON, js(m{"type": "service", "private_key": string(privateKey(g)), "note": "backup"}))
		}},
		{name: "OpenSSH key file", unseen: true, make: func(g *gen) *inspect.Subject {
			body := b64(append([]byte("openssh-key-v1\x00\x00\x00\x00\x04none\x00\x00\x00\x04none"), g.bytes(230)...))
			var lines []string
			for len(body) > 70 {
				lines, body = append(lines, body[:70]), body[70:]
			}
			text := "-----BEGIN OPENSSH PRIVATE KEY-----\n" + strings.Join(append(lines, body), "\n") + "\n-----END OPENSSH PRIVATE KEY-----\n"
			b, ct := upload("file", "id_ed25519", "application/octet-stream", []byte(text), nil)
			return up("POST", "/upload", ct, b)
		}},
		{name: "JSON web key with its private part", unseen: true, make: func(g *gen) *inspect.Subject {
			return up("POST", "/jwk", appJSON, js(m{"kty": "EC", "crv": "P-256", "x": strings.TrimRight(b64(g.bytes(32)), "="), "y": strings.TrimRight(b64(g.bytes(32)), "="), "d": strings.TrimRight(b64(g.bytes(32)), "=")}))
		}},
		{name: "WireGuard configuration", unseen: true, make: func(g *gen) *inspect.Subject {
			return up("PUT", "/vpn.conf", "text/plain", []byte(fmt.Sprintf("[Interface]\nPrivateKey = %s\nAddress = 10.0.0.2/32\n[Peer]\nPublicKey = %s\n", b64(g.bytes(32)), b64(g.bytes(32)))))
		}},
		{name: "otpauth address", unseen: true, make: func(g *gen) *inspect.Subject {
			return up("POST", "/authenticator/export", appJSON, js(m{"accounts": []string{"otpauth://totp/Example:" + g.email() + "?secret=JBSWY3DPEHPK3PX" + g.oneOf("P", "Q", "R") + "&issuer=Example"}}))
		}},
		{name: "WebSocket log-in", unseen: true, make: func(g *gen) *inspect.Subject {
			return frame("/ws", js(m{"op": "auth", "user": g.email(), "pass": g.secret()}), true)
		}},
	}),
}

// privateKey is a key of its own for each sample, and of no use to anybody.
func privateKey(g *gen) []byte {
	der, err := x509.MarshalPKCS8PrivateKey(ed25519.NewKeyFromSeed(g.bytes(ed25519.SeedSize)))
	if err != nil {
		panic(err) // ed25519 keys can be written
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}
