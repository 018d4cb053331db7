package canary

import (
	"bytes"
	"image"
	_ "image/jpeg" // formats that hashImage reads
	_ "image/png"
	"math/bits"

	_ "golang.org/x/image/webp"
)

// maxPixels bounds the pictures that are decoded: 40 megapixels, 120 MB as
// JPEG in memory at worst.
const maxPixels = 40_000_000

// sameDistance is up to how many of 64 bits may differ between pictures that
// are taken to be the same one, resized or compressed again.
const sameDistance = 10

// difference is the difference hash of a picture.
type difference struct {
	bits          uint64
	width, height int
}

// hashImage decodes data, within bounds, and hashes its pixels. A decoder that
// panics on hostile data is taken to have failed.
func hashImage(data []byte) (d difference, ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	cfg, _, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil || cfg.Width < 9 || cfg.Height < 8 || cfg.Width > maxPixels/cfg.Height {
		return difference{}, false
	}
	img, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return difference{}, false
	}
	return difference{dHash(img), cfg.Width, cfg.Height}, true
}

// dHash is the 64-bit difference hash (N. Krawetz, "Kind of like that", 2013):
// the picture shrunk to nine by eight cells, one bit for each neighbours that
// get brighter from left to right.
func dHash(img image.Image) uint64 {
	b := img.Bounds()
	var cell [8][9]float64
	for y := range 8 {
		for x := range 9 {
			cell[y][x] = brightness(img, image.Rect(
				b.Min.X+x*b.Dx()/9, b.Min.Y+y*b.Dy()/8,
				b.Min.X+(x+1)*b.Dx()/9, b.Min.Y+(y+1)*b.Dy()/8))
		}
	}
	var h uint64
	for y := range 8 {
		for x := range 8 {
			h <<= 1
			if cell[y][x+1] > cell[y][x] {
				h |= 1
			}
		}
	}
	return h
}

// brightness is the mean luma of at most 32 by 32 samples of r.
func brightness(img image.Image, r image.Rectangle) float64 {
	stepX, stepY := max(1, r.Dx()/32), max(1, r.Dy()/32)
	var sum float64
	var n int
	for y := r.Min.Y; y < r.Max.Y; y += stepY {
		for x := r.Min.X; x < r.Max.X; x += stepX {
			if ycc, ok := img.(*image.YCbCr); ok {
				sum += float64(ycc.Y[ycc.YOffset(x, y)]) * 257
			} else {
				cr, cg, cb, _ := img.At(x, y).RGBA()
				sum += 0.299*float64(cr) + 0.587*float64(cg) + 0.114*float64(cb)
			}
			n++
		}
	}
	return sum / float64(max(n, 1))
}

// sameShape says whether two pictures have the same proportions within 3 %, as
// resizing keeps them.
func sameShape(w1, h1, w2, h2 int) bool {
	a, b := float64(w1)*float64(h2), float64(w2)*float64(h1)
	return a < b*1.03 && b < a*1.03
}

func distance(a, b uint64) int { return bits.OnesCount64(a ^ b) }
