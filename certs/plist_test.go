package certs

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"io"
	"testing"
)

// parsePlist reads the part of Apple's XML property lists that profiles use.
func parsePlist(t *testing.T, data []byte) any {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(data))
	for {
		tok, err := d.Token()
		if err != nil {
			t.Fatalf("property list: %v", err)
		}
		if el, ok := tok.(xml.StartElement); ok && el.Name.Local == "plist" {
			v, _ := plistValue(t, d)
			if _, end := plistValue(t, d); !end {
				t.Fatal("property list holds more than one value")
			}
			return v
		}
	}
}

// plistValue returns the next value, or end when the enclosing element ends.
func plistValue(t *testing.T, d *xml.Decoder) (v any, end bool) {
	t.Helper()
	for {
		tok, err := d.Token()
		if err == io.EOF {
			t.Fatal("property list ends early")
		}
		if err != nil {
			t.Fatalf("property list: %v", err)
		}
		var el xml.StartElement
		switch tok := tok.(type) {
		case xml.EndElement:
			return nil, true
		case xml.StartElement:
			el = tok
		default:
			continue
		}
		switch el.Name.Local {
		case "dict":
			dict := map[string]any{}
			for {
				key, end := plistValue(t, d)
				if end {
					return dict, false
				}
				value, end := plistValue(t, d)
				if end {
					t.Fatalf("property list: key %v has no value", key)
				}
				dict[key.(string)] = value
			}
		case "array":
			var array []any
			for {
				value, end := plistValue(t, d)
				if end {
					return array, false
				}
				array = append(array, value)
			}
		}
		var text string
		if err := d.DecodeElement(&text, &el); err != nil {
			t.Fatalf("property list: %v", err)
		}
		switch el.Name.Local {
		case "key", "string", "integer":
			return text, false
		case "true", "false":
			return el.Name.Local == "true", false
		case "data":
			der, err := base64.StdEncoding.DecodeString(text)
			if err != nil {
				t.Fatalf("property list: %v", err)
			}
			return der, false
		}
		t.Fatalf("property list: element %s", el.Name.Local)
	}
}
