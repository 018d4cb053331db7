package main

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"encoding/hex"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"

	"constat/inspect"
)

// sealed is JSON encrypted with a key that nobody keeps: AES in CBC with
// padding, in GCM with its tag, or in counter mode.
func sealed(g *gen, mode string) (iv, out []byte) {
	plain := js(m{"e": times(g, 4, 12, func(int) m { return m{"k": pick(g, g.notes), "t": g.when()} })})
	block, err := aes.NewCipher(g.bytes(16))
	if err != nil {
		panic(err) // the key has the right length
	}
	switch mode {
	case "cbc":
		iv = g.bytes(16)
		n := 16 - len(plain)%16
		plain = append(plain, bytes.Repeat([]byte{byte(n)}, n)...)
		out = make([]byte, len(plain))
		cipher.NewCBCEncrypter(block, iv).CryptBlocks(out, plain)
	case "ctr":
		iv = g.bytes(16)
		out = make([]byte, len(plain))
		cipher.NewCTR(block, iv).XORKeyStream(out, plain)
	case "gcm":
		aead, err := cipher.NewGCM(block)
		if err != nil {
			panic(err) // AES has blocks of 16 bytes
		}
		iv = g.bytes(12)
		out = aead.Seal(nil, iv, plain, nil)
	}
	return iv, out
}

// cipherText is sealed without the rest.
func cipherText(g *gen, mode string) []byte { _, out := sealed(g, mode); return out }

func urlSafe(b []byte) string {
	return strings.TrimRight(strings.NewReplacer("+", "-", "/", "_").Replace(b64(b)), "=")
}

var opaqueFamily = family{
	class: inspect.Opaque, rounds: 12,
	skip: []string{"form, percent twice", "csv", "query, base64url", "header, base64"},
	dialects: []dialect{
		{name: "data field", path: "/api/v1/c", value: func(g *gen) any { return m{"data": b64(cipherText(g, "cbc"))} }},
		{name: "iv and data", path: "/enc", value: func(g *gen) any {
			iv, out := sealed(g, "cbc")
			return m{"iv": b64(iv), "data": b64(out), "alg": "AES-128-CBC"}
		}},
		{name: "wrapped key", path: "/mistat", value: func(g *gen) any {
			return m{"key": b64(g.bytes(256)), "sid": g.digits(6), "p": b64(cipherText(g, "cbc"))}
		}},
		{name: "hex", path: "/s", value: func(g *gen) any { return m{"payload": hex.EncodeToString(cipherText(g, "ctr"))} }},
		{name: "base64url", path: "/g", value: func(g *gen) any { return m{"x": urlSafe(cipherText(g, "gcm"))} }},
		{name: "GCM with nonce and tag", path: "/t", value: func(g *gen) any {
			iv, out := sealed(g, "gcm")
			return m{"nonce": b64(iv), "ciphertext": b64(out[:len(out)-16]), "tag": b64(out[len(out)-16:])}
		}},
		{name: "several records", path: "/events", value: func(g *gen) any {
			return m{"v": 3, "records": times(g, 2, 4, func(int) m { return m{"enc": b64(cipherText(g, "cbc")), "n": g.IntN(9)} })}
		}},
		{name: "hidden among clear fields", path: "/log", value: func(g *gen) any {
			return m{"app": "a", "ver": g.version(), "count": 3, "content": b64(cipherText(g, "ctr")), "sign": g.hex(32)}
		}},

		{name: "JWE parts (RFC 7516, JSON)", path: "/jwe", unseen: true, value: func(g *gen) any {
			iv, out := sealed(g, "gcm")
			return m{"protected": urlSafe(js(m{"alg": "RSA-OAEP", "enc": "A128GCM"})), "encrypted_key": urlSafe(g.bytes(256)), "iv": urlSafe(iv), "ciphertext": urlSafe(out[:len(out)-16]), "tag": urlSafe(out[len(out)-16:])}
		}},
		{name: "base64 in lines", path: "/pem", unseen: true, value: func(g *gen) any {
			s := b64(cipherText(g, "cbc"))
			var lines []string
			for len(s) > 76 {
				lines, s = append(lines, s[:76]), s[76:]
			}
			return m{"body": strings.Join(append(lines, s), "\r\n")}
		}},
	},
	wholes: []whole{
		{name: "bare body, CBC", make: func(g *gen) *inspect.Subject {
			return up("POST", "/c", "application/octet-stream", cipherText(g, "cbc"))
		}},
		{name: "bare body, GCM with nonce in front", make: func(g *gen) *inspect.Subject {
			iv, out := sealed(g, "gcm")
			return up("POST", "/v2/blob", "application/x-encrypted", append(iv, out...))
		}},
		{name: "bare body without a type", make: func(g *gen) *inspect.Subject { return up("POST", "/r", "", cipherText(g, "ctr")) }},
		{name: "bare body called JSON", make: func(g *gen) *inspect.Subject { return up("POST", "/r", appJSON, cipherText(g, "ctr")) }},
		{name: "base64 body", make: func(g *gen) *inspect.Subject {
			return up("POST", "/app_logs", "envelope/json", []byte(b64(cipherText(g, "cbc"))))
		}},
		{name: "hex body", make: func(g *gen) *inspect.Subject {
			return up("POST", "/h", "text/plain", []byte(hex.EncodeToString(cipherText(g, "cbc"))))
		}},
		{name: "form field", make: func(g *gen) *inspect.Subject {
			return form("/p", "param", b64(cipherText(g, "cbc")), "s", "1")
		}},
		{name: "form field with key fields", make: func(g *gen) *inspect.Subject {
			return form("/p", "q", b64(cipherText(g, "cbc")), "ek", b64(g.bytes(128)), "kv", "2")
		}},
		{name: "query field", make: func(g *gen) *inspect.Subject { return query("/i", "e", urlSafe(cipherText(g, "ctr")[:160])) }},
		{name: "gzip in front of encryption", make: func(g *gen) *inspect.Subject {
			block, err := aes.NewCipher(g.bytes(32))
			if err != nil {
				panic(err) // the key has the right length
			}
			out := gz(js(times(g, 9, 20, func(int) string { return pick(g, g.mails) })))
			cipher.NewCTR(block, g.bytes(16)).XORKeyStream(out, out)
			return up("POST", "/z", "application/octet-stream", out)
		}},
		{name: "encryption in a gzip body", make: func(g *gen) *inspect.Subject {
			return coded("/z", "gzip", gz(js(m{"d": b64(cipherText(g, "cbc"))})))
		}},
		{name: "multipart file", make: func(g *gen) *inspect.Subject {
			body, ct := upload("file", "log.enc", "application/octet-stream", cipherText(g, "cbc"), map[string]string{"v": "2"})
			return up("POST", "/upload", ct, body)
		}},
		{name: "WebSocket binary", make: func(g *gen) *inspect.Subject { return frame("/tunnel", cipherText(g, "gcm"), false) }},
		{name: "licence request of DRM", make: func(g *gen) *inspect.Subject {
			var msg []byte
			msg = protowire.AppendVarint(protowire.AppendTag(msg, 1, protowire.VarintType), 1)
			msg = protowire.AppendBytes(protowire.AppendTag(msg, 2, protowire.BytesType), cipherText(g, "cbc"))
			msg = protowire.AppendBytes(protowire.AppendTag(msg, 3, protowire.BytesType), g.bytes(256))
			return up("POST", "/license", "application/octet-stream", msg)
		}},
		{name: "protobuf in gRPC with a sealed field", make: func(g *gen) *inspect.Subject {
			var msg []byte
			msg = protowire.AppendString(protowire.AppendTag(msg, 1, protowire.BytesType), "v1")
			msg = protowire.AppendBytes(protowire.AppendTag(msg, 4, protowire.BytesType), cipherText(g, "gcm"))
			return up("POST", "/pkg.Service/Put", "application/grpc", grpcFrame(msg))
		}},
		{name: "own framing: magic, length, sealed", make: func(g *gen) *inspect.Subject {
			out := cipherText(g, "cbc")
			head := binary.BigEndian.AppendUint32([]byte("\x01TDP"), uint32(len(out)))
			return up("POST", "/mmtls/0", "application/octet-stream", append(head, out...))
		}},

		{name: "JWE, compact", unseen: true, make: func(g *gen) *inspect.Subject {
			iv, out := sealed(g, "gcm")
			return up("POST", "/token", "application/jose", []byte(strings.Join([]string{urlSafe(js(m{"alg": "RSA-OAEP-256", "enc": "A128GCM"})), urlSafe(g.bytes(256)), urlSafe(iv), urlSafe(out[:len(out)-16]), urlSafe(out[len(out)-16:])}, ".")))
		}},
		{name: "OpenSSL's Salted__", unseen: true, make: func(g *gen) *inspect.Subject {
			return up("POST", "/x", "text/plain", []byte(b64(append(append([]byte("Salted__"), g.bytes(8)...), cipherText(g, "cbc")...))))
		}},
		{name: "base64 in base64", unseen: true, make: func(g *gen) *inspect.Subject {
			return form("/y", "d", b64([]byte(b64(cipherText(g, "cbc")))))
		}},
		{name: "sealed value in a header", unseen: true, make: func(g *gen) *inspect.Subject {
			return withHeader(subject("GET", "/w"), "X-Payload", b64(cipherText(g, "cbc")[:192]))
		}},
		{name: "sealed file in a zip", unseen: true, make: func(g *gen) *inspect.Subject {
			return up("PUT", "/bundle.zip", "application/zip", zipped(map[string][]byte{"data.bin": append(cipherText(g, "ctr"), cipherText(g, "ctr")...)}))
		}},
		{name: "CMS-like DER", unseen: true, make: func(g *gen) *inspect.Subject {
			out := cipherText(g, "cbc")
			der := append([]byte{0x30, 0x82}, binary.BigEndian.AppendUint16(nil, uint16(len(out)+19))...)
			der = append(der, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x03, 0x02, 0x01, 0x00, 0x80)
			der = append(append(der, 0x82), binary.BigEndian.AppendUint16(nil, uint16(len(out)))...)
			return up("POST", "/cms", "application/pkcs7-mime", append(der, out...))
		}},
	},
}
