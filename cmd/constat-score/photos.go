package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io/fs"
	"math/rand/v2"
	"path"
	"strings"

	"constat/inspect"
	"constat/proxy/flow"
)

// photos sends the collection up in the ways that phones do, and down as clouds
// do; pictures that no camera took are drawn, and sent as web pages do.
func (b *builder) photos() {
	files, _ := fs.Glob(b.data, "photos/metadata-extractor/*")
	if len(files) == 0 {
		b.notes = append(b.notes, "photos/metadata-extractor is absent")
	}
	n := 0
	for _, f := range files {
		data := b.read(f)
		name := path.Base(f)
		ext := strings.ToLower(path.Ext(f))
		media := map[string]string{".jpg": "image/jpeg", ".heic": "image/heic", ".webp": "image/webp", ".png": "image/png", ".avif": "image/avif"}[ext]
		// The PNG files and the transparent ones are drawings.
		drawn := ext == ".png" || strings.Contains(name, "Alpha")
		where := hasGPS(data)
		for k, shape := range photoShapes {
			// The large ones go in two envelopes only: they cost the time.
			if k > 2 && (len(data) > 1<<20 || (k+n)%3 != 0) {
				continue
			}
			g := newGen(b.rand("photos "+name), n%2 == 1)
			// A picture's own fields say with what it was taken, and with which
			// serial number.
			x := b.add("photos "+shape.name+" "+name, n, shape.make(g, ext, media, data), "", "", inspect.DeviceStats, inspect.Identifiers)
			x.unseen = shape.unseen
			x.want = make(map[inspect.Class]flow.Direction)
			if !drawn {
				x.want[inspect.Photo] = flow.Up
			}
			if where {
				x.want[inspect.Location] = flow.Up
			}
		}
		n++
	}
	r := b.rand("photos")
	// A few drawings do for all: what counts is their kind.
	photo, banner, product, avatar, thumb := draw(r, 1280, 960), draw(r, 1280, 310), draw(r, 800, 800), draw(r, 200, 200), draw(r, 64, 64)
	tile, icon := drawPNG(r, 256), drawPNG(r, 96)
	for i := range 40 {
		b.add("photos camera name", i, up("POST", fmt.Sprintf("/put?name=IMG_20140731_1345%02d.jpg", i), "image/jpeg", photo), inspect.Photo, flow.Up)
		b.add("photos record", i, up("POST", "/gallery/create", appJSON, js(m{"content": m{"fileName": "IMG_20140731_134500.jpg", "sha1": "11f6ad8ec52a2984abaafd7c3b516503785c2072", "size": 100000 + i, "dateTaken": 1406800000123 + i}})), inspect.Photo, flow.Up)
		b.add("photos banner", i, down("/static/banner.jpg", "image/jpeg", banner), "", "")
		b.add("photos product", i, down("/img/p/12.jpg", "image/jpeg", product), "", "")
		b.add("photos tile", i, down("/tiles/12/2074/1409.png", "image/png", tile), "", "")
		b.add("photos avatar", i, down("/avatars/u1.jpg?s=200", "image/jpeg", avatar), "", "")
		b.add("photos icon up", i, up("POST", "/icons", "image/png", icon), "", "")
		b.add("photos assets", i, down("/assets.json", appJSON, js([]m{{"fileName": "banner_1.jpg", "md5": "d41d8cd98f00b204e9800998ecf8427e", "size": 20480}, {"fileName": "bg.png", "md5": "e41d8cd98f00b204e9800998ecf8427e", "size": 1024}})), "", "")
		b.add("photos thumbnails", i, down("/feed", appJSON, js(m{"items": []m{{"id": i, "thumb": "data:image/jpeg;base64," + b64(thumb)}}})), "", "")
	}
}

func picture(r *rand.Rand, w, h int) image.Image {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	base := color.RGBA{uint8(r.Uint32()), uint8(r.Uint32()), uint8(r.Uint32()), 255}
	for y := range h {
		for x := range w {
			c := base
			c.R += uint8(x * 255 / w)
			c.G += uint8(y * 255 / h)
			img.SetRGBA(x, y, c)
		}
	}
	return img
}

func draw(r *rand.Rand, w, h int) []byte {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, picture(r, w, h), nil); err != nil {
		panic(err) // a bytes.Buffer takes everything
	}
	return b.Bytes()
}

func drawPNG(r *rand.Rand, side int) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, picture(r, side, side)); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// hasGPS looks for a TIFF structure with a GPS directory that has a latitude
// and a longitude other than zero (Exif 2.32, 4.6.6).
func hasGPS(data []byte) bool {
	for i := 0; i+8 < len(data) && i < 1<<20; i++ {
		var order binary.ByteOrder
		switch {
		case string(data[i:i+4]) == "II*\x00":
			order = binary.LittleEndian
		case string(data[i:i+4]) == "MM\x00*":
			order = binary.BigEndian
		default:
			continue
		}
		t := data[i:]
		entry := func(at, tag uint32) (value uint32, ok bool) {
			if uint64(at)+2 > uint64(len(t)) {
				return 0, false
			}
			n := uint32(order.Uint16(t[at:]))
			for e := at + 2; n > 0 && uint64(e)+12 <= uint64(len(t)); n, e = n-1, e+12 {
				if order.Uint16(t[e:]) == uint16(tag) {
					return order.Uint32(t[e+8:]), true
				}
			}
			return 0, false
		}
		gps, ok := entry(order.Uint32(t[4:]), 0x8825)
		if !ok {
			continue
		}
		lat, okLat := entry(gps, 2)
		lon, okLon := entry(gps, 4)
		for _, at := range []uint32{lat, lon} {
			if !okLat || !okLon || uint64(at)+24 > uint64(len(t)) || allZero(t[at:at+4]) && allZero(t[at+8:at+12]) && allZero(t[at+16:at+20]) {
				return false
			}
		}
		return true
	}
	return false
}

func allZero(b []byte) bool { return len(bytes.Trim(b, "\x00")) == 0 }
