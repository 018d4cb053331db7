package linkage

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"
)

// Digest says that a value is a digest of another one.
type Digest struct {
	Of        string `json:"of"`        // value
	Algorithm string `json:"algorithm"` // "md5", "sha1", "sha256"
	Encoding  string `json:"encoding"`  // "hex", "hex-16", "base64", "base64url", "base64url-16"
	Spelling  string `json:"spelling"`  // of the other value: "plain", "upper", "uuid", "UUID", "mac", "MAC"

	digest string
}

// maxHashed bounds the values whose digests are computed.
const maxHashed = 100_000

var algorithms = []struct {
	name string
	sum  func(dst, data []byte) []byte
}{
	{"md5", func(dst, data []byte) []byte { s := md5.Sum(data); return append(dst, s[:]...) }},
	{"sha1", func(dst, data []byte) []byte { s := sha1.Sum(data); return append(dst, s[:]...) }},
	{"sha256", func(dst, data []byte) []byte { s := sha256.Sum256(data); return append(dst, s[:]...) }},
}

// hash looks for the digests of a value among all values.
func (a *analysis) hash(buf []byte, value string) []byte {
	if len(value) < 8 || strings.HasPrefix(value, "sha256:") {
		return buf
	}
	try := func(text []byte, algorithm, encoding, spelling string) {
		k := a.key(string(text))
		if a.values[k] == nil || string(text) == value {
			return
		}
		if _, known := a.digests[k]; !known {
			a.digests[k] = &Digest{Of: strings.Clone(value), Algorithm: algorithm, Encoding: encoding, Spelling: spelling, digest: string(text)}
		}
	}
	var sum [sha256.Size]byte
	for _, s := range spellings(value) {
		for _, alg := range algorithms {
			d := alg.sum(sum[:0], []byte(s.text))
			buf = hex.AppendEncode(buf[:0], d)
			try(buf, alg.name, "hex", s.name)
			if alg.name == "md5" {
				try(buf[8:24], alg.name, "hex-16", s.name)
			}
			buf = base64.StdEncoding.AppendEncode(buf[:0], d)
			try(buf, alg.name, "base64", s.name)
			buf = base64.RawStdEncoding.AppendEncode(buf[:0], d)
			try(buf, alg.name, "base64", s.name)
			buf = base64.URLEncoding.AppendEncode(buf[:0], d)
			try(buf, alg.name, "base64url", s.name)
			buf = base64.RawURLEncoding.AppendEncode(buf[:0], d)
			try(buf, alg.name, "base64url", s.name)
			try(buf[:16], alg.name, "base64url-16", s.name)
		}
	}
	return buf
}

type spelling struct{ name, text string }

// spellings are the ways to write a value that a program may have hashed: values
// are normalised, and a digest is of what was before.
func spellings(v string) []spelling {
	list := []spelling{{"plain", v}}
	if !isHex(v) {
		return list
	}
	upper := strings.ToUpper(v)
	if upper != v {
		list = append(list, spelling{"upper", upper})
	}
	switch len(v) {
	case 12:
		list = append(list, spelling{"mac", grouped(v, ":", 2, 4, 6, 8, 10)})
		if upper != v {
			list = append(list, spelling{"MAC", grouped(upper, ":", 2, 4, 6, 8, 10)})
		}
	case 32:
		list = append(list, spelling{"uuid", grouped(v, "-", 8, 12, 16, 20)})
		if upper != v {
			list = append(list, spelling{"UUID", grouped(upper, "-", 8, 12, 16, 20)})
		}
	}
	return list
}

func isHex(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

func grouped(s, separator string, at ...int) string {
	var b strings.Builder
	last := 0
	for _, i := range at {
		b.WriteString(s[last:i])
		b.WriteString(separator)
		last = i
	}
	b.WriteString(s[last:])
	return b.String()
}
