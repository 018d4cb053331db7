package canary

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"

	"constat/inspect"
	"constat/inspect/inspecttest"

	scale "golang.org/x/image/draw"
)

func read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func asJPEG(t testing.TB, img image.Image, quality int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: quality}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func asPNG(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func resized(img image.Image, w int) *image.RGBA {
	h := img.Bounds().Dy() * w / img.Bounds().Dx()
	dst := image.NewRGBA(image.Rect(0, 0, w, h))
	scale.ApproxBiLinear.Scale(dst, dst.Bounds(), img, img.Bounds(), scale.Src, nil)
	return dst
}

func cropped(img image.Image, left, top, right, bottom float64) *image.RGBA {
	b := img.Bounds()
	w, h := float64(b.Dx()), float64(b.Dy())
	dst := image.NewRGBA(image.Rect(0, 0, int(w*(1-left-right)), int(h*(1-top-bottom))))
	scale.Draw(dst, dst.Bounds(), img, b.Min.Add(image.Pt(int(w*left), int(h*top))), scale.Src)
	return dst
}

// mapped makes a picture of w by h whose points are at those of img that at
// names.
func mapped(img image.Image, w, h int, at func(x, y int) (int, int)) *image.RGBA {
	dst := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			i, j := at(x, y)
			dst.Set(x, y, img.At(i, j))
		}
	}
	return dst
}

// TestAlteredPhotos: a planted photo is known again in what apps make of it, be
// it drawn or taken, and nothing else is taken for it.
func TestAlteredPhotos(t *testing.T) {
	inspecttest.Alone(t)
	drawn := invented(t, "fr").Get("photo-1").Photo.Data
	for _, source := range []struct {
		name string
		data []byte
	}{{"drawn", drawn}, {"taken", read(t, "testdata/photos/yard.jpg")}} {
		photo, err := NewPhoto(source.data)
		if err != nil {
			t.Fatal(err)
		}
		m := matcher(t, Canary{Name: "photo", Kind: PhotoFile, Photo: photo})
		img, ok := decodeImage(source.data)
		if !ok {
			t.Fatal("not decoded")
		}
		w, h := img.Bounds().Dx(), img.Bounds().Dy()
		gray, dark := image.NewGray(img.Bounds()), image.NewRGBA(img.Bounds())
		scale.Draw(gray, gray.Bounds(), img, img.Bounds().Min, scale.Src)
		for y := range h {
			for x := range w {
				c := color.RGBAModel.Convert(img.At(x, y)).(color.RGBA)
				dark.SetRGBA(x, y, color.RGBA{uint8(int(c.R) * 9 / 10), uint8(int(c.G) * 8 / 10), uint8(int(c.B) * 7 / 10), 255})
			}
		}
		half := resized(img, w/2)
		hw, hh := half.Bounds().Dx(), half.Bounds().Dy()
		small := asJPEG(t, resized(img, 160), 60)
		for _, tc := range []struct {
			how, form string
			data      []byte
		}{
			{"quality 30", "dhash", asJPEG(t, img, 30)},
			{"320 pixels", "dhash", asJPEG(t, resized(img, 320), 60)},
			{"PNG", "dhash", asPNG(t, half)},
			{"96 pixels", "dhash", asJPEG(t, resized(img, 96), 70)},
			{"cropped by 8 % on all sides", "dhash-cropped", asJPEG(t, cropped(img, .08, .08, .08, .08), 75)},
			{"cropped unevenly and made smaller", "dhash-cropped", asJPEG(t, resized(cropped(img, .02, .07, .08, 0), 320), 50)},
			{"turned by 90°", "dhash-turned", asJPEG(t, mapped(half, hh, hw, func(x, y int) (int, int) { return y, hh - 1 - x }), 70)},
			{"turned by 180°", "dhash-turned", asJPEG(t, mapped(half, hw, hh, func(x, y int) (int, int) { return hw - 1 - x, hh - 1 - y }), 70)},
			{"turned by 270°", "dhash-turned", asJPEG(t, mapped(half, hh, hw, func(x, y int) (int, int) { return hw - 1 - y, x }), 70)},
			{"mirrored", "dhash-mirrored", asJPEG(t, mapped(half, hw, hh, func(x, y int) (int, int) { return hw - 1 - x, y }), 70)},
			{"turned and cropped", "dhash-turned-cropped", asJPEG(t, cropped(mapped(half, hh, hw, func(x, y int) (int, int) { return y, hh - 1 - x }), .05, .05, .05, .05), 70)},
			{"without colour", "dhash", asJPEG(t, gray, 60)},
			{"darker and warmer", "dhash", asJPEG(t, dark, 60)},
			{"after other bytes", "dhash", append([]byte("\x00\x00\x00\x18ftypheic and so on "), small...)},
			{"as the thumbnail of another", "dhash-thumbnail", withThumbnail(t, small)},
			{"cropped too far", "", asJPEG(t, cropped(img, .3, .3, .3, .3), 75)},
			{"a part of it over a card", "", asJPEG(t, cropped(img, 0, 0, 0, .5), 75)},
		} {
			got := ""
			for _, hit := range m.Match(&inspect.Part{Data: tc.data}) {
				got += hit.Form
			}
			if got != tc.form {
				t.Errorf("%s, %s: form %q, want %q", source.name, tc.how, got, tc.form)
			}
		}
	}
	yard, err := NewPhoto(read(t, "testdata/photos/yard.jpg"))
	if err != nil {
		t.Fatal(err)
	}
	m := matcher(t, Canary{Name: "photo", Kind: PhotoFile, Photo: yard})
	if hits := m.Match(&inspect.Part{Data: read(t, "testdata/photos/yard.webp")}); len(hits) != 1 || hits[0].Form != "dhash" {
		t.Errorf("as WebP: %v", hits)
	}
	if hits := m.Match(&inspect.Part{Data: drawn}); len(hits) > 0 {
		t.Errorf("another picture: %v", hits)
	}
}

// withThumbnail is a picture of something else with a thumbnail in its metadata.
func withThumbnail(t testing.TB, thumbnail []byte) []byte {
	plain := asJPEG(t, image.NewGray(image.Rect(0, 0, 640, 480)), 50)
	out := append([]byte(nil), plain[:2]...)
	out = append(out, 0xff, 0xe1)
	out = binary.BigEndian.AppendUint16(out, uint16(2+6+len(thumbnail)))
	out = append(out, "Exif\x00\x00"...)
	return append(append(out, thumbnail...), plain[2:]...)
}

// TestStrangers: none of many drawn pictures is taken for another, in any
// position.
func TestStrangers(t *testing.T) {
	inspecttest.Alone(t)
	var p Persona
	p.Version, p.Name = FormatVersion, "many"
	var files [][]byte
	for i := range 6 {
		photo, err := drawPhoto(newRand(uint64(i)), scene{id: "constat-0123456789ABCDEF", model: "x"})
		if err != nil {
			t.Fatal(err)
		}
		p.Canaries = append(p.Canaries, Canary{Name: string(rune('a' + i)), Kind: PhotoFile, Photo: photo})
		img, _ := decodeImage(photo.Data)
		files = append(files, asJPEG(t, resized(img, 320), 40))
		photo.ID = ""
	}
	m, err := NewMatcher(&p)
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range files {
		for _, h := range m.Match(&inspect.Part{Data: f}) {
			if h.Canary != p.Canaries[i].Name {
				t.Errorf("%s taken for %s", p.Canaries[i].Name, h.Canary)
			}
		}
	}
}

// TestPictureBombs: what claims more pixels than its bytes can hold, or than
// memory should, is not decoded.
func TestPictureBombs(t *testing.T) {
	inspecttest.Alone(t)
	chunk := func(kind string, data []byte) []byte {
		b := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
		b = append(append(b, kind...), data...)
		return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
	}
	header := func(w, h uint32, depth, color byte) []byte {
		b := binary.BigEndian.AppendUint32(nil, w)
		b = binary.BigEndian.AppendUint32(b, h)
		return append([]byte("\x89PNG\r\n\x1a\n"), chunk("IHDR", append(b, depth, color, 0, 0, 0))...)
	}
	pad := make([]byte, 1<<20)
	for _, tc := range []struct {
		name   string
		data   []byte
		decode bool
	}{
		{"60,000 by 60,000", append(header(60000, 60000, 8, 2), pad...), false},
		{"a megapixel in a hundred bytes", append(header(1000, 1000, 8, 2), pad[:100]...), false},
		{"16 bits a sample", append(header(4000, 3000, 16, 6), pad...), false},
		{"too small to compare", append(header(32, 32, 8, 2), pad...), false},
		{"twelve megapixels", append(header(4000, 3000, 8, 2), pad...), true},
		{"largest integers", append(header(0x7fffffff, 0x7fffffff, 8, 2), pad...), false},
	} {
		cost, _, _ := decodeCost(tc.data)
		if got := cost > 0 && cost <= maxDecoded; got != tc.decode {
			t.Errorf("%s: would be decoded: %t, want %t", tc.name, got, tc.decode)
		}
	}
	// Below one root no more than a number of pictures is decoded.
	photo, err := NewPhoto(read(t, "testdata/photos/yard.jpg"))
	if err != nil {
		t.Fatal(err)
	}
	m := matcher(t, Canary{Name: "photo", Kind: PhotoFile, Photo: photo})
	root := &inspect.Part{Path: "request.body", Data: []byte("{}")}
	img, _ := decodeImage(read(t, "testdata/photos/yard.jpg"))
	r := newRand(1)
	for range mostPictures + 20 {
		noise := image.NewGray(image.Rect(0, 0, 80, 95))
		for j := range noise.Pix {
			noise.Pix[j] = byte(r.Uint32())
		}
		root.Children = append(root.Children, &inspect.Part{Path: "request.body|x", Parent: root, Data: asPNG(t, noise), Depth: 1})
	}
	last := &inspect.Part{Path: "request.body|last", Parent: root, Data: asPNG(t, img), Depth: 1}
	root.Children = append(root.Children, last)
	if hits := m.Match(root); len(hits) > 0 {
		t.Error("the limit on pictures does not hold")
	}
	root.Children = []*inspect.Part{last}
	if hits := m.Match(root); len(hits) != 1 || hits[0].Path != last.Path {
		t.Errorf("hits %v, want one at %s", hits, last.Path)
	}
}

func TestPicturesConcurrently(t *testing.T) {
	photo, err := NewPhoto(read(t, "testdata/photos/yard.jpg"))
	if err != nil {
		t.Fatal(err)
	}
	m := matcher(t, Canary{Name: "photo", Kind: PhotoFile, Photo: photo})
	files := [][]byte{read(t, "testdata/photos/yard.webp"), read(t, "testdata/photos/yard.jpg")}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			if hits := m.Match(&inspect.Part{Data: files[i%2]}); len(hits) == 0 {
				t.Error("not found")
			}
		})
	}
	wg.Wait()
}

// TestFileName: an unlikely file name gives a photo away that is only described.
func TestFileName(t *testing.T) {
	for _, tc := range []struct {
		name string
		want bool
	}{
		{"IMG_20240412_081537_K7WQ2M9RX.jpg", true},
		{"IMG_20240412_081537.jpg", false}, // many have been taken in that second
		{"DSC01234.JPG", false},
		{"3F2504E0-4F89-41D3-9A0C-0305E82C3301.HEIC", true},
		{"", false},
	} {
		c := Canary{Name: "p", Kind: PhotoFile, Value: tc.name}
		if got := c.fileNameIsProof(); got != tc.want {
			t.Errorf("%s is proof: %t, want %t", tc.name, got, tc.want)
		}
	}
}

func TestOldPersona(t *testing.T) {
	p := invented(t, "fr")
	photo := *p.Get("photo-1").Photo
	photo.Luma, photo.DHash = nil, strings.Repeat("0f", 8)
	m := matcher(t, Canary{Name: "photo", Kind: PhotoFile, Photo: &photo})
	img, _ := decodeImage(photo.Data)
	if hits := m.Match(&inspect.Part{Data: asJPEG(t, resized(img, 320), 40)}); len(hits) != 1 {
		t.Errorf("%d hits on a photo of a persona without luma, want 1", len(hits))
	}
}

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 7)) }

// FuzzPictures gives a gallery files that are nearly pictures.
func FuzzPictures(f *testing.F) {
	yard := read(f, "testdata/photos/yard.jpg")
	photo, err := NewPhoto(yard)
	if err != nil {
		f.Fatal(err)
	}
	m := matcher(f, Canary{Name: "photo", Kind: PhotoFile, Photo: photo})
	img, _ := decodeImage(yard)
	f.Add(asJPEG(f, resized(img, 96), 50))
	f.Add(asPNG(f, resized(img, 64)))
	f.Add(read(f, "testdata/photos/yard.webp")[:4000])
	f.Add(withThumbnail(f, asJPEG(f, resized(img, 160), 30)))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, h := range m.Match(&inspect.Part{Data: data}) {
			if h.Start < 0 || h.End > len(data) || h.Start >= h.End {
				t.Errorf("%s at %d to %d of %d", h.Form, h.Start, h.End, len(data))
			}
		}
		if cost, _, _ := decodeCost(data); cost < 0 {
			t.Errorf("costs %d bytes", cost)
		}
	})
}

// BenchmarkPicture is one megapixel that is decoded and compared with three
// planted photos.
func BenchmarkPicture(b *testing.B) {
	p := invented(b, "fr")
	m, err := NewMatcher(p)
	if err != nil {
		b.Fatal(err)
	}
	img, _ := decodeImage(read(b, "testdata/photos/yard.jpg"))
	data := asJPEG(b, mapped(img, 1152, 868, func(x, y int) (int, int) { return x * 400 / 1152, y * 400 / 868 }), 80)
	for b.Loop() {
		m.gallery.verdicts, m.gallery.order = nil, nil
		if hits := m.Match(&inspect.Part{Data: data}); len(hits) > 0 {
			b.Fatal("taken for a planted photo")
		}
	}
}
