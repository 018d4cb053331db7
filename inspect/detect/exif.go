package detect

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/bep/imagemeta"
)

// Bounds on the metadata of one picture.
const (
	maxTags = 2000
	maxTag  = 64 << 10
	maxXMP  = 64 << 10
)

// metadata is what the maker of a picture wrote into it (Exif 2.32, JEITA
// CP-3451E; XMP, ISO 16684-1).
type metadata struct {
	width, height int
	maker, model  string
	taken         bool   // a time of capture, or an exposure
	time          string // of capture, as written
	placed        bool
	lat, lon      float64 // when placed
	serial        string  // of the camera body or the lens
	owner         string
	serialOf      string // what serial or owner is, for people
}

// readMetadata reads what a picture says of itself. The reader is bounded in
// tags and sizes, and what is broken counts as absent.
func readMetadata(data []byte, format string) (m metadata) {
	f, ok := map[string]imagemeta.ImageFormat{
		"JPEG": imagemeta.JPEG, "PNG": imagemeta.PNG, "WebP": imagemeta.WebP,
		"TIFF": imagemeta.TIFF, "HEIC": imagemeta.HEIF, "AVIF": imagemeta.AVIF,
	}[format]
	if !ok {
		return m
	}
	defer func() { _ = recover() }() // a hostile file costs its metadata only
	var latRef, lonRef string
	var lat, lon float64
	var gps int // bit 0: latitude, bit 1: longitude
	result, _ := imagemeta.Decode(imagemeta.Options{
		R: bytes.NewReader(data), ImageFormat: f, Sources: imagemeta.EXIF | imagemeta.XMP | imagemeta.CONFIG,
		LimitNumTags: maxTags, LimitTagSize: maxTag,
		HandleXMP: func(r io.Reader) error {
			packet, err := io.ReadAll(io.LimitReader(r, maxXMP))
			if err != nil {
				return err
			}
			m.xmp(string(packet))
			_, err = io.Copy(io.Discard, r)
			return err
		},
		HandleTag: func(info imagemeta.TagInfo) error {
			text := func() string { return strings.Trim(fmt.Sprint(info.Value), " \x00") }
			switch info.Tag {
			case "Make":
				m.maker = text()
			case "Model":
				m.model = text()
			case "GPSLatitude":
				if v, ok := info.Value.(float64); ok {
					lat, gps = v, gps|1
				}
			case "GPSLongitude":
				if v, ok := info.Value.(float64); ok {
					lon, gps = v, gps|2
				}
			case "GPSLatitudeRef":
				latRef = text()
			case "GPSLongitudeRef":
				lonRef = text()
			case "DateTimeOriginal":
				m.taken, m.time = true, text()
			case "ExposureTime", "FNumber", "ISO", "FocalLength":
				m.taken = true
			case "SerialNumber", "BodySerialNumber":
				m.serial, m.serialOf = text(), "the serial number of the camera"
			case "LensSerialNumber":
				if m.serial == "" {
					m.serial, m.serialOf = text(), "the serial number of the lens"
				}
			case "OwnerName", "CameraOwnerName":
				m.owner = text()
			}
			return nil
		},
	})
	if gps == 3 {
		m.place(signed(lat, latRef, "S"), signed(lon, lonRef, "W"))
	}
	m.width, m.height = result.ImageConfig.Width, result.ImageConfig.Height
	return m
}

func signed(v float64, ref, negative string) float64 {
	if strings.HasPrefix(ref, negative) {
		return -math.Abs(v)
	}
	return v
}

// place notes where the picture was taken. Zero and zero is what cameras write
// that do not know.
func (m *metadata) place(lat, lon float64) {
	if math.Abs(lat) <= 90 && math.Abs(lon) <= 180 && (lat != 0 || lon != 0) {
		m.lat, m.lon, m.placed = lat, lon, true
	}
}

// xmp reads the few properties that matter out of a packet, as attributes or as
// elements.
func (m *metadata) xmp(packet string) {
	get := func(name string) string {
		i := strings.Index(packet, name)
		if i < 0 {
			return ""
		}
		rest := packet[i+len(name):]
		if len(rest) < 3 {
			return ""
		}
		end := -1
		switch {
		case rest[0] == '=' && (rest[1] == '"' || rest[1] == '\''):
			end = strings.IndexByte(rest[2:], rest[1])
			rest = rest[2:]
		case rest[0] == '>':
			end = strings.IndexByte(rest[1:], '<')
			rest = rest[1:]
		}
		if end < 0 || end > 200 {
			return ""
		}
		return strings.TrimSpace(rest[:end])
	}
	if m.model == "" {
		m.model = get("tiff:Model")
	}
	if m.maker == "" {
		m.maker = get("tiff:Make")
	}
	if m.time == "" {
		m.time = get("exif:DateTimeOriginal")
		m.taken = m.taken || m.time != ""
	}
	lat, ok1 := xmpDegrees(get("exif:GPSLatitude"))
	lon, ok2 := xmpDegrees(get("exif:GPSLongitude"))
	if ok1 && ok2 && !m.placed {
		m.place(lat, lon)
	}
	if s := get("aux:SerialNumber"); s != "" && m.serial == "" {
		m.serial, m.serialOf = s, "the serial number of the camera"
	}
	if s := get("aux:OwnerName"); s != "" && m.owner == "" {
		m.owner = s
	}
}

// xmpDegrees reads "48,51.5022N" or "48,51,30N" (XMP Specification part 2,
// section 1.2.7.4).
func xmpDegrees(s string) (v float64, ok bool) {
	if len(s) < 4 {
		return 0, false
	}
	scale := 1.0
	for i, f := range strings.Split(s[:len(s)-1], ",") {
		x, err := strconv.ParseFloat(f, 64)
		if err != nil || i > 2 || x < 0 {
			return 0, false
		}
		v += x / scale
		scale *= 60
	}
	switch s[len(s)-1] {
	case 'S', 'W':
		return -v, true
	case 'N', 'E':
		return v, true
	}
	return 0, false
}

// camera is the model, or the maker when there is none.
func (m *metadata) camera() string {
	if m.model != "" {
		return m.model
	}
	return m.maker
}

// serialed says that the serial number is one: cameras without write zeros or
// words.
func (m *metadata) serialed() bool {
	digits := 0
	for i := range len(m.serial) {
		if c := m.serial[i]; c-'1' < 9 {
			digits++
		}
	}
	return len(m.serial) >= 6 && len(m.serial) <= 64 && digits >= 3
}
