package canary

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"math/rand/v2"
	"time"
)

// scene is what a planted picture says of itself.
type scene struct {
	id       string
	model    string
	lat, lon float64
	time     time.Time
}

// drawPhoto draws a picture that looks like nothing, with the id as a row of
// light and dark squares in its pixels, and writes the metadata of a camera.
func drawPhoto(r *rand.Rand, s scene) (*Photo, error) {
	var buf bytes.Buffer
	if err := jpeg.Encode(&buf, draw(r, s.id), &jpeg.Options{Quality: 82}); err != nil {
		return nil, err
	}
	data := withEXIF(buf.Bytes(), s)
	p, err := NewPhoto(data)
	if err != nil {
		return nil, err
	}
	p.ID, p.Data = s.id, data
	return p, nil
}

const (
	photoWidth  = 1024
	photoHeight = 768
)

// draw paints coarse random fields, smoothed into each other, then noise, and
// the bits of id along the lower edge.
func draw(r *rand.Rand, id string) *image.RGBA {
	const gx, gy = 10, 9
	var field [gy][gx][3]float64
	for y := range gy {
		for x := range gx {
			for c := range 3 {
				field[y][x][c] = 30 + 195*r.Float64()
			}
		}
	}
	img := image.NewRGBA(image.Rect(0, 0, photoWidth, photoHeight))
	for y := range photoHeight {
		fy := float64(y) / photoHeight * (gy - 1)
		y0 := int(fy)
		for x := range photoWidth {
			fx := float64(x) / photoWidth * (gx - 1)
			x0 := int(fx)
			var rgb [3]uint8
			noise := r.Float64()*12 - 6
			for c := range 3 {
				top := field[y0][x0][c]*(1-fx+float64(x0)) + field[y0][x0+1][c]*(fx-float64(x0))
				low := field[y0+1][x0][c]*(1-fx+float64(x0)) + field[y0+1][x0+1][c]*(fx-float64(x0))
				v := top*(1-fy+float64(y0)) + low*(fy-float64(y0)) + noise
				rgb[c] = uint8(math.Max(0, math.Min(255, v)))
			}
			img.SetRGBA(x, y, color.RGBA{rgb[0], rgb[1], rgb[2], 255})
		}
	}
	const side = 8
	for i := range len(id) * 8 {
		c := color.RGBA{16, 16, 16, 255}
		if id[i/8]>>(7-i%8)&1 == 1 {
			c = color.RGBA{240, 240, 240, 255}
		}
		x, y := i%(photoWidth/side)*side, photoHeight-side*(2+i/(photoWidth/side))
		for dy := range side {
			for dx := range side {
				img.SetRGBA(x+dx, y+dy, c)
			}
		}
	}
	return img
}

// withEXIF inserts an Exif segment after the start marker of a JPEG file (Exif
// 2.32 section 4.5, JEITA CP-3451E).
func withEXIF(file []byte, s scene) []byte {
	exif := append([]byte("Exif\x00\x00"), tiff(s)...)
	out := []byte{0xff, 0xd8, 0xff, 0xe1}
	out = binary.BigEndian.AppendUint16(out, uint16(len(exif)+2))
	out = append(out, exif...)
	return append(out, file[2:]...)
}

// field types of TIFF 6.0 section 2.
const (
	tByte      = 1
	tASCII     = 2
	tLong      = 4
	tRational  = 5
	tUndefined = 7
)

type entry struct {
	tag, kind uint16
	count     uint32
	value     []byte
}

func ascii(tag uint16, s string) entry {
	return entry{tag, tASCII, uint32(len(s) + 1), append([]byte(s), 0)}
}

// tiff is the TIFF structure of an Exif segment, big endian: image file
// directory 0 at byte 8, then the Exif and the GPS directories.
func tiff(s scene) []byte {
	stamp := s.time.Format("2006:01:02 15:04:05")
	exif := []entry{
		ascii(0x9003, stamp), // DateTimeOriginal
		{0x9286, tUndefined, uint32(8 + len(s.id)), append([]byte("ASCII\x00\x00\x00"), s.id...)}, // UserComment
	}
	north, east := "N", "E"
	if s.lat < 0 {
		north = "S"
	}
	if s.lon < 0 {
		east = "W"
	}
	gps := []entry{
		{0, tByte, 4, []byte{2, 3, 0, 0}},
		ascii(1, north),
		{2, tRational, 3, degrees(s.lat)},
		ascii(3, east),
		{4, tRational, 3, degrees(s.lon)},
	}
	main := func(exifAt, gpsAt uint32) []entry {
		return []entry{
			ascii(0x010f, "Constat"), // Make
			ascii(0x0110, s.model),   // Model
			ascii(0x0132, stamp),     // DateTime
			{0x8769, tLong, 1, binary.BigEndian.AppendUint32(nil, exifAt)},
			{0x8825, tLong, 1, binary.BigEndian.AppendUint32(nil, gpsAt)},
		}
	}
	const start = 8
	exifAt := uint32(start + len(directory(main(0, 0), 0)))
	gpsAt := exifAt + uint32(len(directory(exif, 0)))
	out := append([]byte("MM\x00*"), 0, 0, 0, start)
	out = append(out, directory(main(exifAt, gpsAt), start)...)
	out = append(out, directory(exif, exifAt)...)
	return append(out, directory(gps, gpsAt)...)
}

// directory writes one image file directory that will stand at byte at, with
// its long values behind it.
func directory(entries []entry, at uint32) []byte {
	b := binary.BigEndian.AppendUint16(nil, uint16(len(entries)))
	rest := at + uint32(2+12*len(entries)+4)
	var long []byte
	for _, e := range entries {
		b = binary.BigEndian.AppendUint16(b, e.tag)
		b = binary.BigEndian.AppendUint16(b, e.kind)
		b = binary.BigEndian.AppendUint32(b, e.count)
		if len(e.value) <= 4 {
			b = append(b, append(bytes.Clone(e.value), 0, 0, 0, 0)[:4]...)
			continue
		}
		b = binary.BigEndian.AppendUint32(b, rest+uint32(len(long)))
		long = append(long, e.value...)
		if len(long)%2 == 1 {
			long = append(long, 0)
		}
	}
	b = binary.BigEndian.AppendUint32(b, 0)
	return append(b, long...)
}

// degrees are three rationals: degrees, minutes, seconds to a ten-thousandth.
func degrees(v float64) []byte {
	v = math.Abs(v)
	deg := math.Floor(v)
	minutes := math.Floor((v - deg) * 60)
	seconds := math.Round((v - deg - minutes/60) * 3600 * 10000)
	var b []byte
	for _, x := range []uint32{uint32(deg), 1, uint32(minutes), 1, uint32(seconds), 10000} {
		b = binary.BigEndian.AppendUint32(b, x)
	}
	return b
}
