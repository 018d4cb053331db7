package decode

import (
	"bytes"
	"io"
	"mime"
	"strings"

	"golang.org/x/text/encoding/htmlindex"

	"constat/inspect"
)

// Mail takes a mail message apart into the fields of its header, with encoded
// words decoded, and its body. The argument is the field's name as it is written,
// or "body".
//
// What is not declared must begin with fields of a header, one of which only
// mail has.
var Mail = inspect.Decoder{
	Name:   "mail",
	Doc:    "takes mail messages (RFC 5322, encoded words of RFC 2047) apart into header fields and body",
	Min:    32,
	First:  uppers + lowers,
	Holds:  inspect.Colons | inspect.Newlines,
	Decode: decodeMail,
}

const (
	mailHead   = 256 << 10 // bytes of the header that are looked at
	mailFields = 500
)

// mailNames are the fields that tell mail from other text: 2 those that nothing
// else has.
var mailNames = map[string]int{
	"from": 1, "to": 1, "subject": 1, "date": 1, "cc": 1, "reply-to": 1, "sender": 1, "content-type": 1,
	"received": 2, "return-path": 2, "mime-version": 2, "message-id": 2, "delivered-to": 2, "dkim-signature": 2,
	"in-reply-to": 2, "x-mailer": 2, "bcc": 1, "x-received": 2, "arc-seal": 2, "authentication-results": 2,
}

func decodeMail(w *inspect.Work, p *inspect.Part) ([]inspect.Child, error) {
	d := p.Data
	isMail := p.Media == "message/rfc822" && p.Coding == ""
	if class[d[0]]&(upper|lower) == 0 || !isMail && !looksMail(d) {
		return nil, nil
	}
	if bytes.HasPrefix(d, []byte("From ")) { // the line that mailboxes put in front
		_, d, _ = bytes.Cut(d, []byte("\n"))
	}
	var children []inspect.Child
	var seen names
	body := inspect.Child{Name: "body", Group: "body"}
	for len(d) > 0 {
		line, rest := mailField(d)
		d = rest
		if len(line) == 0 {
			body.Data = d
			break
		}
		colon := bytes.IndexByte(line, ':')
		if colon < 0 || !inLetters(line[:colon]) {
			if len(children) == 0 {
				return nil, nil
			}
			return children, broken("mail", errXML)
		}
		if len(children) == min(mailFields, w.Parts()-1) {
			return children, inspect.ErrParts
		}
		if !w.Take(len(line)) {
			return children, inspect.ErrBytes
		}
		name, value := string(line[:colon]), unfoldMail.Replace(string(bytes.TrimSpace(line[colon+1:])))
		switch strings.ToLower(name) {
		case "content-type":
			body.ContentType = value
		case "content-transfer-encoding":
			body.Coding = transferCoding(value)
		}
		if strings.Contains(value, "=?") {
			if !w.Take(3 * len(value)) {
				return children, inspect.ErrBytes
			}
			if plain, err := mailWords.DecodeHeader(value); err == nil {
				value = plain
			}
		}
		children = append(children, inspect.Child{
			Arg: seen.unique(name), Name: name, Group: "header", Kind: inspect.Text, Data: []byte(value),
		})
	}
	if len(children) < 2 {
		return nil, nil
	}
	if len(body.Data) > 0 {
		body.Arg = seen.unique("body")
		children = append(children, body)
	}
	return children, nil
}

// transferCoding returns the name of a transfer encoding that changes bytes, ""
// for the others.
func transferCoding(value string) string {
	switch value = strings.ToLower(strings.TrimSpace(value)); value {
	case "base64", "quoted-printable":
		return value
	}
	return ""
}

// unfoldMail undoes the folding of fields (RFC 5322 section 2.2.3), which leaves
// the white space.
var unfoldMail = strings.NewReplacer("\r\n", "", "\n", "")

var mailWords = mime.WordDecoder{CharsetReader: func(charset string, r io.Reader) (io.Reader, error) {
	e, err := htmlindex.Get(charset)
	if err != nil {
		return nil, err
	}
	return e.NewDecoder().Reader(r), nil
}}

// mailField cuts the first field with the lines that are folded into it off d.
// An empty line is the end of the header.
func mailField(d []byte) (line, rest []byte) {
	end := 0
	for {
		n := bytes.IndexByte(d[end:], '\n')
		if n < 0 {
			return bytes.TrimRight(d, "\r"), nil
		}
		end += n + 1
		if end == len(d) || d[end] != ' ' && d[end] != '\t' || end <= 2 {
			return bytes.TrimRight(d[:end], "\r\n"), d[end:]
		}
	}
}

// looksMail says that d begins with the header of a mail.
func looksMail(d []byte) bool {
	// Most text shows in its first bytes that it is none.
	const longest = 40
	colon := bytes.IndexByte(d[:min(len(d), longest)], ':')
	if colon < 0 || bytes.IndexByte(d[:min(len(d), mailHead)], '\n') < 0 {
		return false
	}
	if !inLetters(d[:colon]) && !bytes.HasPrefix(d, []byte("From ")) {
		return false
	}
	if bytes.HasPrefix(d, []byte("From ")) {
		_, d, _ = bytes.Cut(d, []byte("\n"))
	}
	sum, fields := 0, 0
	seen := make(map[string]bool, 8)
	whole := len(d) <= mailHead
	d = d[:min(len(d), mailHead)]
	for len(d) > 0 && fields < mailFields {
		line, rest := mailField(d)
		if len(line) == 0 {
			whole = true
			break
		}
		if rest == nil && !whole {
			break
		}
		d = rest
		colon := bytes.IndexByte(line, ':')
		if colon < 0 || !inLetters(line[:colon]) {
			return false
		}
		fields++
		name := strings.ToLower(string(line[:colon]))
		if !seen[name] {
			sum += mailNames[name]
		}
		seen[name] = true
	}
	return whole && (seen["from"] && sum >= 3 || sum >= 5)
}
