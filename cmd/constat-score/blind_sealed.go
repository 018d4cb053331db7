package main

import (
	"archive/zip"
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"math/big"
	"strings"

	"golang.org/x/crypto/chacha20poly1305"

	"constat/inspect"
)

// secretRecord is what an app seals: some hundred bytes to a few thousand.
func (g *blindGen) secretRecord() []byte {
	return js(m{"records": several(g, 5, 16, func(int) m { return m{"t": g.memo(), "w": g.ms(), "k": g.hex(8)} })})
}

// chacha is a nonce and plain sealed with ChaCha20-Poly1305.
func (g *blindGen) chacha(plain []byte) (nonce, out []byte) {
	aead, err := chacha20poly1305.New(g.bytes(32))
	if err != nil {
		panic(err) // the key has the right length
	}
	nonce = g.bytes(12)
	return nonce, aead.Seal(nil, nonce, plain, nil)
}

// aesGCM is a nonce and plain sealed with AES-256-GCM.
func (g *blindGen) aesGCM(plain []byte) (nonce, out []byte) {
	block, err := aes.NewCipher(g.bytes(32))
	if err != nil {
		panic(err) // the key has the right length
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err) // AES has blocks of 16 bytes
	}
	nonce = g.bytes(12)
	return nonce, aead.Seal(nil, nonce, plain, nil)
}

// aesCBC is a vector and plain in AES-256-CBC with PKCS #7.
func (g *blindGen) aesCBC(plain []byte) (iv, out []byte) {
	block, err := aes.NewCipher(g.bytes(32))
	if err != nil {
		panic(err) // the key has the right length
	}
	n := 16 - len(plain)%16
	plain = append(bytes.Clone(plain), bytes.Repeat([]byte{byte(n)}, n)...)
	iv, out = g.bytes(16), make([]byte, len(plain))
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(out, plain)
	return iv, out
}

// rsaWrap is a key of 32 bytes in PKCS #1 v1.5 padding, raised to 65537 by a
// modulus of 2048 bits that nobody can factor in time to read it.
func (g *blindGen) rsaWrap() []byte {
	n := g.bytes(256)
	n[0], n[255] = n[0]|0x80, n[255]|1
	padded := append([]byte{0, 2}, bytes.Repeat([]byte{0x5a}, 221)...)
	copy(padded[2:], bytes.ReplaceAll(g.bytes(221), []byte{0}, []byte{1}))
	padded = append(append(padded, 0), g.bytes(32)...)
	c := new(big.Int).Exp(new(big.Int).SetBytes(padded), big.NewInt(65537), new(big.Int).SetBytes(n))
	return c.FillBytes(make([]byte, 256))
}

// armored is data as OpenPGP writes it in text (RFC 9580, 6).
func armored(data []byte) string {
	s := b64(data)
	var b strings.Builder
	b.WriteString("-----BEGIN PGP MESSAGE-----\n\n")
	for ; len(s) > 64; s = s[64:] {
		b.WriteString(s[:64] + "\n")
	}
	b.WriteString(s + "\n-----END PGP MESSAGE-----\n")
	return b.String()
}

// pgp is a session key packet and a sealed data packet (RFC 9580, 5.1 and 5.13).
func (g *blindGen) pgp() []byte {
	_, out := g.aesGCM(g.secretRecord())
	key := append(append([]byte{3}, g.bytes(8)...), 1)
	key = append(binary.BigEndian.AppendUint16(key, 2048), g.rsaWrap()...)
	packet := func(tag byte, body []byte) []byte {
		return append(binary.BigEndian.AppendUint32([]byte{0xc0 | tag, 0xff}, uint32(len(body))), body...)
	}
	return append(packet(1, key), packet(18, append([]byte{1}, out...))...)
}

// blindSealed are bytes that are encrypted.
var blindSealed = []blindKind{
	{name: "messenger's envelope", up: "opaque", open: "identifiers", make: func(g *blindGen) *inspect.Subject {
		return put("/v1/messages/"+g.uuid()+"?story=false", m{"messages": several(g, 1, 2, func(i int) m {
			_, out := g.aesCBC(g.secretRecord())
			body := append([]byte{0x33}, pb(g.bytes(32), g.IntN(90), g.IntN(90), out)...)
			return m{"type": 1, "destinationDeviceId": i + 1, "destinationRegistrationId": g.IntN(16000), "content": b64(append(body, g.bytes(8)...))}
		}), "timestamp": g.ms(), "online": false, "urgent": true})
	}},
	{name: "chunk of an encrypted backup", up: "opaque", make: func(g *blindGen) *inspect.Subject {
		_, out := g.chacha(g.secretRecord())
		return up("PUT", "/backups/"+g.uuid()+"/chunk/0007", "application/octet-stream", out)
	}},
	{name: "PGP in JSON", up: "opaque", make: func(g *blindGen) *inspect.Subject {
		return post("/mail/v4/messages", m{"Message": m{"ToList": []m{}, "Subject": "...", "Body": armored(g.pgp()), "MIMEType": "text/html"}, "Action": 0})
	}, open: "email"},
	{name: "PGP as a file", up: "opaque", make: func(g *blindGen) *inspect.Subject {
		return file("/drop", "file", "report.pgp", "application/pgp-encrypted", g.pgp(), "to", "desk")
	}},
	{name: "age file", up: "opaque", make: func(g *blindGen) *inspect.Subject {
		_, out := g.chacha(g.secretRecord())
		head := "age-encryption.org/v1\n-> X25519 " + strings.TrimRight(b64(g.bytes(32)), "=") + "\n" + strings.TrimRight(b64(g.bytes(32)), "=") + "\n--- " + strings.TrimRight(b64(g.bytes(32)), "=") + "\n"
		return up("PUT", "/sync/db.age", "application/octet-stream", append(append([]byte(head), g.bytes(16)...), out...))
	}},
	{name: "Fernet in a form", up: "opaque", make: func(g *blindGen) *inspect.Subject {
		iv, out := g.aesCBC(g.secretRecord())
		token := append(binary.BigEndian.AppendUint64([]byte{0x80}, uint64(g.sec())), iv...)
		token = append(append(token, out...), g.bytes(32)...)
		return form("/c/report", "v", "3", "token", urlSafe(token)+"=")
	}},
	{name: "Noise in a socket", up: "opaque", make: func(g *blindGen) *inspect.Subject {
		_, out := g.aesGCM(g.secretRecord())
		return frame("/ws/chat", append([]byte{byte(len(out) >> 16), byte(len(out) >> 8), byte(len(out))}, out...), false)
	}},
	{name: "key id, message key, sealed", up: "opaque", make: func(g *blindGen) *inspect.Subject {
		_, out := g.aesCBC(g.secretRecord())
		return up("POST", "/api", "application/octet-stream", append(g.bytes(24), out...))
	}},
	{name: "zip with a password", up: "opaque", make: func(g *blindGen) *inspect.Subject {
		plain := g.secretRecord()
		_, out := g.aesGCM(plain)
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		f, err := w.CreateRaw(&zip.FileHeader{Name: "logs/today.log", Method: zip.Store, Flags: 1, CRC32: crc32.ChecksumIEEE(plain), CompressedSize64: uint64(len(out)), UncompressedSize64: uint64(len(plain))})
		if err != nil {
			panic(err) // a bytes.Buffer takes everything
		}
		_, _ = f.Write(out)
		_ = w.Close()
		return up("POST", "/logs/upload.zip", "application/zip", b.Bytes())
	}},
	{name: "vault's cipher strings", up: "opaque", open: "credentials", make: func(g *blindGen) *inspect.Subject {
		c := func(plain []byte) string {
			iv, out := g.aesCBC(plain)
			return "2." + b64(iv) + "|" + b64(out) + "|" + b64(g.bytes(32))
		}
		return post("/api/ciphers", m{"type": 2, "favorite": false, "name": c([]byte(g.todo())), "notes": c(g.secretRecord()), "secureNote": m{"type": 0}})
	}},
	{name: "wrapped key and data in XML", up: "opaque", make: func(g *blindGen) *inspect.Subject {
		_, out := g.aesCBC(g.secretRecord())
		return up("POST", "/saml/acs", "text/xml", []byte(fmt.Sprintf(`<xenc:EncryptedData xmlns:xenc="http://www.w3.org/2001/04/xmlenc#" Type="http://www.w3.org/2001/04/xmlenc#Element"><xenc:EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#aes256-cbc"/><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><xenc:EncryptedKey><xenc:CipherData><xenc:CipherValue>%s</xenc:CipherValue></xenc:CipherData></xenc:EncryptedKey></ds:KeyInfo><xenc:CipherData><xenc:CipherValue>%s</xenc:CipherValue></xenc:CipherData></xenc:EncryptedData>`, b64(g.rsaWrap()), b64(out))))
	}},
	{name: "hex in capitals", up: "opaque", make: func(g *blindGen) *inspect.Subject {
		_, out := g.aesCBC(g.secretRecord())
		return form("/statis/v2", "ver", "2", "secdata", strings.ToUpper(hex.EncodeToString(out)), "t", fmt.Sprint(g.sec()))
	}},
	{name: "sealed part beside its description", up: "opaque", make: func(g *blindGen) *inspect.Subject {
		nonce, out := g.chacha(g.secretRecord())
		return file("/v2/blobs", "content", "blob", "application/octet-stream", append(nonce, out...), "meta", string(js(m{"alg": "chacha20poly1305", "keyVersion": 3, "len": len(out)})))
	}},
	{name: "encrypted database", up: "opaque", make: func(g *blindGen) *inspect.Subject {
		plain := bytes.Repeat([]byte("SQLite format 3\x00 page "), 180)
		_, out := g.aesCBC(plain)
		return up("PUT", "/backup/msgstore.db.crypt", "application/octet-stream", append(g.bytes(16), out...))
	}},
	{name: "oblivious request (RFC 9458)", up: "opaque", make: func(g *blindGen) *inspect.Subject {
		_, out := g.aesGCM(g.secretRecord())
		return up("POST", "/gateway", "message/ohttp-req", append(append([]byte{1, 0, 0x20, 0, 1, 0, 1}, g.bytes(32)...), out...))
	}},
	{name: "CBOR with a byte string", up: "opaque", make: func(g *blindGen) *inspect.Subject {
		_, out := g.aesGCM(g.secretRecord())
		body := append([]byte{0xa2, 0x61, 'n', 0x4c}, g.bytes(12)...)
		body = append(body, 0x61, 'c', 0x59)
		return up("POST", "/cose", "application/cbor", append(binary.BigEndian.AppendUint16(body, uint16(len(out))), out...))
	}},
	{name: "msgpack with binary", up: "opaque", make: func(g *blindGen) *inspect.Subject {
		_, out := g.chacha(g.secretRecord())
		body := append([]byte{0x82, 0xa1, 'v', 0x02, 0xa4}, "data\xc5"...)
		return up("POST", "/e2e/push", "application/msgpack", append(binary.BigEndian.AppendUint16(body, uint16(len(out))), out...))
	}},
	{name: "plist with data", up: "opaque", make: func(g *blindGen) *inspect.Subject {
		_, out := g.aesGCM(g.secretRecord())
		return up("POST", "/ck/keychain", "text/xml", []byte(`<?xml version="1.0"?><plist version="1.0"><dict><key>class</key><string>genp</string><key>v_Data</key><data>`+b64(out)+`</data><key>gencount</key><integer>2</integer></dict></plist>`))
	}, open: "credentials"},
	{name: "sealed field of an ad SDK", up: "opaque", make: func(g *blindGen) *inspect.Subject {
		_, out := g.aesCBC(g.secretRecord())
		return pbPost("/api/ad/union/sdk", pb(2, pb("4.9.1", "android"), out, g.ms()))
	}},
	{name: "compressed, sealed, in a query", up: "opaque", make: func(g *blindGen) *inspect.Subject {
		_, out := g.aesCBC(gz(g.secretRecord()))
		return query("/st/b", "a", "17", "z", urlSafe(out))
	}},
	{name: "web push (RFC 8291)", up: "opaque", make: func(g *blindGen) *inspect.Subject {
		_, out := g.aesGCM(g.secretRecord())
		head := append(g.bytes(16), 0, 0, 16, 0, 65, 4)
		s := up("POST", "/wpush/v2/"+urlSafe(g.bytes(60)), "application/octet-stream", append(append(head, g.bytes(64)...), out...))
		s.Request.Header.Set("Content-Encoding", "aes128gcm")
		s.Request.Header.Set("TTL", "86400")
		return s
	}},
	{name: "sealed lines of an app's log", up: "opaque", make: func(g *blindGen) *inspect.Subject {
		return up("POST", "/xlog", "text/plain", g.lines(3, 6, "\n", func(int) string {
			_, out := g.aesCBC(g.secretRecord())
			return b64(out)
		}))
	}},
	{name: "body with an encoded key in a header", up: "opaque identifiers", make: func(g *blindGen) *inspect.Subject {
		iv, out := g.aesGCM(g.secretRecord())
		s := up("POST", "/r/v5", "application/json", js(m{"payload": b64(out), "iv": hex.EncodeToString(iv)}))
		s = withHeader(s, "X-Encrypted-Key", b64(g.rsaWrap()))
		return withHeader(s, "X-Device-Id", g.uuid())
	}},
}
