package detect

import (
	"bytes"
	"encoding/binary"
	"math"
	"strings"
	"testing"
)

// segment is a JPEG that consists of one APP1 segment.
func segment(contents string) []byte {
	b := []byte{0xff, 0xd8, 0xff, 0xe1}
	b = binary.BigEndian.AppendUint16(b, uint16(2+len(contents)))
	return append(append(b, contents...), 0xff, 0xd9)
}

func TestXMP(t *testing.T) {
	const xmp = "http://ns.adobe.com/xap/1.0/\x00"
	for _, tc := range []struct {
		packet string
		want   metadata
	}{
		{`<rdf:Description tiff:Make="A" tiff:Model='Invented One' exif:GPSLatitude="43,28.5N" exif:GPSLongitude="11,30W"/>`, metadata{maker: "A", model: "Invented One", placed: true, lat: 43.475, lon: -11.5}},
		{`<exif:GPSLatitude>43,28,30S</exif:GPSLatitude><exif:GPSLongitude>11,30,0E</exif:GPSLongitude>`, metadata{placed: true, lat: -43.475, lon: 11.5}},
		{`<exif:DateTimeOriginal>2024-04-12T08:15:37</exif:DateTimeOriginal>`, metadata{taken: true, time: "2024-04-12T08:15:37"}},
		{`<x aux:SerialNumber="418027731952" aux:OwnerName="A B"/>`, metadata{serial: "418027731952", owner: "A B", serialOf: "the serial number of the camera"}},
		{`exif:GPSLatitude="43,28.5N"`, metadata{}},                            // half a place
		{`exif:GPSLatitude="0,0N" exif:GPSLongitude="0,0E"`, metadata{}},       // no place
		{`exif:GPSLatitude="NaN,0N" exif:GPSLongitude="1e999,0E"`, metadata{}}, // no numbers
		{`exif:GPSLatitude="99,0N" exif:GPSLongitude="11,0E"`, metadata{}},     // beyond the pole
		{`exif:GPSLatitude="1,2,3,4N" exif:GPSLongitude="11,0E"`, metadata{}},  // too many parts
		{`tiff:Model="` + strings.Repeat("x", 300) + `"`, metadata{}},          // no name is so long
		{`tiff:Model="`, metadata{}},                                           // unclosed
		{strings.Repeat("tiff:Model=", 5000), metadata{}},                      // nothing
		{strings.Repeat(" ", 60000) + `tiff:Model="Invented One"`, metadata{model: "Invented One"}},
	} {
		got := readMetadata(segment(xmp+tc.packet), "JPEG")
		got.width, got.height = 0, 0
		if math.Abs(got.lat-tc.want.lat) < 1e-9 && math.Abs(got.lon-tc.want.lon) < 1e-9 {
			got.lat, got.lon = tc.want.lat, tc.want.lon
		}
		if got != tc.want {
			t.Errorf("%.60s: got %+v, want %+v", tc.packet, got, tc.want)
		}
	}
}

// TestHostileMetadata: directories that point at themselves, at nothing and at
// everything cost the metadata only.
func TestHostileMetadata(t *testing.T) {
	ifd := func(entries int, tag uint16, kind uint16, count, offset uint32) string {
		b := []byte("MM\x00*\x00\x00\x00\x08")
		b = binary.BigEndian.AppendUint16(b, uint16(entries))
		for range min(entries, 4000) {
			b = binary.BigEndian.AppendUint16(b, tag)
			b = binary.BigEndian.AppendUint16(b, kind)
			b = binary.BigEndian.AppendUint32(b, count)
			b = binary.BigEndian.AppendUint32(b, offset)
		}
		return string(binary.BigEndian.AppendUint32(b, 8))
	}
	for name, tiff := range map[string]string{
		"a directory inside itself": ifd(1, 0x8769, 4, 1, 8),
		"a place inside itself":     ifd(1, 0x8825, 4, 1, 8),
		"more entries than bytes":   ifd(65535, 0x0110, 2, 4, 0),
		"a model of 4 GiB":          ifd(1, 0x0110, 2, 0xffffffff, 8),
		"rationals of 32 GiB":       ifd(1, 0x0110, 5, 0xffffffff, 8),
		"a value behind the end":    ifd(1, 0x0110, 2, 20, 0xfffffff0),
		"thousands of models":       ifd(4000, 0x0110, 2, 4000, 8),
	} {
		for format, data := range map[string][]byte{"JPEG": segment("Exif\x00\x00" + tiff), "TIFF": []byte(tiff)} {
			if m := readMetadata(data, format); m.placed || m.serialed() {
				t.Errorf("%s in %s: %+v", name, format, m)
			}
		}
	}
}

func FuzzMetadata(f *testing.F) {
	f.Add(segment("Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x10\x00\x02\x00\x00\x00\x04ABC\x00\x00\x00\x00\x00"))
	f.Add(segment("http://ns.adobe.com/xap/1.0/\x00<x exif:GPSLatitude=\"43,28.5N\" exif:GPSLongitude=\"11,30W\"/>"))
	f.Add([]byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic\x00\x00\x00\x10meta\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		format := imageFormat(data)
		if format == "Exif" {
			data, format = bytes.TrimPrefix(data, []byte("Exif\x00\x00")), "TIFF"
		}
		if m := readMetadata(data, format); m.placed && !(math.Abs(m.lat) <= 90 && math.Abs(m.lon) <= 180) {
			t.Errorf("a place at %v, %v", m.lat, m.lon)
		}
	})
}
