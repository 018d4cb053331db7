package decode

import (
	"bytes"
	"strconv"

	"constat/inspect"
)

// Envelope cuts an envelope of error reports into its header and its items, each
// of which has a header of one line of JSON and a payload of the length that the
// header says or up to the end of the line. The argument is "header", or the
// number of the item, with "@header" for the item's header.
var Envelope = inspect.Decoder{
	Name:   "envelope",
	Doc:    "cuts envelopes of error reports (develop.sentry.dev/sdk/data-model/envelopes) into headers and items",
	Min:    16,
	First:  "{",
	Decode: decodeEnvelope,
}

func decodeEnvelope(w *inspect.Work, p *inspect.Part) ([]inspect.Child, error) {
	d := p.Data
	if d[0] != '{' || !isEnvelope(d) {
		return nil, nil
	}
	line, rest, _ := bytes.Cut(d, []byte("\n"))
	children := []inspect.Child{{Arg: "header", Name: "header", Group: "header", Media: "application/json", Data: line}}
	for n := 0; len(rest) > 0; n++ {
		if line, rest, _ = bytes.Cut(rest, []byte("\n")); len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		h, ok := readItemHeader(line)
		if !ok {
			return children, broken("envelope", errXML)
		}
		if len(children)+2 > w.Parts() {
			return children, inspect.ErrParts
		}
		item := strconv.Itoa(n)
		children = append(children, inspect.Child{Arg: item + "@header", Name: "header", Group: item, Media: "application/json", Data: line})
		payload, cut := rest, false
		if h.length < 0 {
			payload, rest, _ = bytes.Cut(rest, []byte("\n"))
		} else {
			cut = len(rest) < h.length
			payload = rest[:min(h.length, len(rest))]
			rest = bytes.TrimPrefix(rest[len(payload):], []byte("\n"))
		}
		if len(payload) > 0 {
			c := inspect.Child{Arg: item, Name: h.kind, Group: item, ContentType: h.contentType, Data: payload}
			if c.ContentType == "" && payload[0] == '{' {
				c.Media = "application/json"
			}
			children = append(children, c)
		}
		if cut {
			return children, broken("envelope", errEnd)
		}
	}
	return children, nil
}

// isEnvelope says that the first two lines of d are the header of an envelope
// and that of an item.
func isEnvelope(d []byte) bool {
	const longest = 8 << 10 // of each header
	end := bytes.IndexByte(d[:min(len(d), longest)], '\n')
	if end < 2 || d[0] != '{' || len(bytes.TrimSpace(d[:end])) == 0 {
		return false
	}
	rest := d[end+1:]
	if len(rest) < 9 || rest[0] != '{' {
		return false
	}
	next := bytes.IndexByte(rest[:min(len(rest), longest)], '\n')
	if next < 0 {
		return false
	}
	h, ok := readItemHeader(rest[:next])
	if !ok {
		return false
	}
	s := scanners.Get().(*scanner)
	defer s.release()
	if s.reset(d[:end], 0, 64); s.value() != nil || len(bytes.TrimSpace(s.d[s.at:])) > 0 {
		return false
	}
	if payload := rest[next+1:]; h.length >= 0 {
		return h.length >= len(payload) || payload[h.length] == '\n'
	}
	for _, l := range s.leaves {
		switch string(s.text[l.arg:l.argEnd]) {
		case "event_id", "sent_at", "dsn":
			return h.fields <= 4
		}
	}
	return false
}

type itemHeader struct {
	kind, contentType string
	length            int // -1: up to the end of the line
	fields            int
}

// readItemHeader reads a line that is a JSON object with a type.
func readItemHeader(line []byte) (h itemHeader, ok bool) {
	h.length = -1
	if len(line) < 8 || line[0] != '{' {
		return h, false
	}
	s := scanners.Get().(*scanner)
	defer s.release()
	if s.reset(line, 0, 64); s.value() != nil || len(bytes.TrimSpace(line[s.at:])) > 0 {
		return h, false
	}
	for _, l := range s.leaves {
		value := string(line[l.start:l.end])
		h.fields++
		switch string(s.text[l.arg:l.argEnd]) {
		case "type":
			h.kind = value
			ok = l.kind == inspect.Text && len(value) > 0 && len(value) <= 64
		case "content_type":
			h.contentType = value
		case "length":
			if n, err := strconv.ParseUint(value, 10, 31); err == nil && l.kind == inspect.Number {
				h.length = int(n)
			}
		}
	}
	return h, ok
}
