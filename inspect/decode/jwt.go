package decode

import (
	"bytes"
	"encoding/base64"

	"constat/inspect"
)

// JWT takes a signed JSON Web Token apart into "header" and "claims". It does
// not look at the signature.
var JWT = inspect.Decoder{
	Name:   "jwt",
	Doc:    "takes the header and the claims out of a JSON Web Token (RFC 7519, RFC 7515 section 7.1)",
	Min:    12,
	First:  "e",
	Holds:  inspect.Dots,
	Decode: decodeJWT,
}

func decodeJWT(w *inspect.Work, p *inspect.Part) ([]inspect.Child, error) {
	d := p.Data
	if d[0] != 'e' || d[1] != 'y' { // base64url of `{"`, and of "{ "
		return nil, nil
	}
	header, rest, ok := bytes.Cut(d, []byte("."))
	claims, signature, ok2 := bytes.Cut(rest, []byte("."))
	if !ok || !ok2 || bytes.IndexByte(signature, '.') >= 0 {
		return nil, nil
	}
	var children []inspect.Child
	for _, part := range []struct {
		name string
		text []byte
	}{{"header", header}, {"claims", claims}} {
		out := make([]byte, base64.RawURLEncoding.DecodedLen(len(part.text)))
		n, err := base64.RawURLEncoding.Decode(out, part.text)
		if err != nil || n == 0 || out[0] != '{' {
			return nil, nil
		}
		if part.name == "header" && !bytes.Contains(out[:n], []byte(`"alg"`)) { // required by RFC 7515 section 4.1.1
			return nil, nil
		}
		if !w.Take(n) {
			return children, inspect.ErrBytes
		}
		children = append(children, inspect.Child{Arg: part.name, Name: part.name, Group: part.name, Media: "application/json", Data: out[:n]})
	}
	return children, nil
}
