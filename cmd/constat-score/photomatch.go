package main

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"constat/inspect"
	"constat/inspect/canary"
	"constat/proxy/flow"

	scale "golang.org/x/image/draw"
)

// photoFile is one picture of the collection.
type photoFile struct {
	name string
	data []byte
}

// photoMatches plants each photo of the collection in turn and looks for it in
// altered copies of itself and of all others: how many copies are known again,
// and how many pictures are taken for another. Two files of one picture count as
// one picture.
func photoMatches(out io.Writer, b *builder) (ok bool, err error) {
	files, _ := fs.Glob(b.data, "photos/metadata-extractor/*")
	var list []*photoFile
	byName := make(map[string]*photoFile)
	p := &canary.Persona{Version: canary.FormatVersion, Name: "photos"}
	for _, f := range files {
		data := b.read(f)
		photo, err := canary.NewPhoto(data)
		if err != nil {
			b.notes = append(b.notes, path.Base(f)+": "+err.Error())
			continue
		}
		byName[path.Base(f)] = &photoFile{name: path.Base(f), data: data}
		list = append(list, byName[path.Base(f)])
		p.Canaries = append(p.Canaries, canary.Canary{Name: path.Base(f), Kind: canary.PhotoFile, Value: path.Base(f), Photo: photo})
	}
	if len(list) == 0 {
		return true, nil
	}
	m, err := canary.NewMatcher(p)
	if err != nil {
		return false, err
	}
	known, all, strangers, pairs := make(map[string]int), make(map[string]int), 0, 0
	var kinds, missed, wrong []string
	for _, f := range list {
		copies := []altered{{"as it is", f.data}}
		// The icons and banners of the collection are no photos.
		if img, _, err := image.Decode(bytes.NewReader(f.data)); err == nil && min(img.Bounds().Dx(), img.Bounds().Dy()) >= 200 {
			copies = append(copies, alter(img)...)
		}
		for _, c := range copies {
			if all[c.how] == 0 {
				kinds = append(kinds, c.how)
			}
			all[c.how]++
			found := false
			others := make(map[string]bool)
			for _, h := range m.Match(&inspect.Part{Data: c.data, Direction: flow.Up}) {
				if h.Canary == f.name {
					found = true
				} else if !twins(byName[h.Canary], f) {
					others[h.Canary] = true
				}
			}
			pairs += len(list) - 1
			for o := range others {
				strangers++
				wrong = append(wrong, f.name+" "+c.how+" taken for "+o)
			}
			if found {
				known[c.how]++
			} else {
				missed = append(missed, f.name+" "+c.how)
			}
		}
	}
	fmt.Fprintf(out, "\nplanted photos: %d, compared %d times with copies of others: %d taken for another\n", len(list), pairs, strangers)
	sum, of := 0, 0
	for _, k := range kinds {
		fmt.Fprintf(out, "  %-22s %d of %d known again\n", k, known[k], all[k])
		sum, of = sum+known[k], of+all[k]
	}
	slices.Sort(wrong)
	listed(out, "photos taken for another", wrong)
	listed(out, "photos not known again", missed)
	return strangers == 0 && ratio(sum, of) >= 0.98, nil
}

func listed(out io.Writer, title string, rows []string) {
	if len(rows) > 0 {
		fmt.Fprintf(out, "%s:\n  %s\n", title, strings.Join(rows, "\n  "))
	}
}

// twins says that two files hold one picture: one is the other with other
// metadata, or is called as the other in another format.
func twins(a, b *photoFile) bool {
	stem := func(s string) string {
		_, s, _ = strings.Cut(s, "__")
		s = strings.TrimSuffix(s, path.Ext(s))
		return strings.NewReplacer("Lossless", "", "Lossy", "").Replace(s)
	}
	middle := a.data[len(a.data)/2:][:64]
	return stem(a.name) == stem(b.name) || bytes.Contains(b.data, middle)
}

type altered struct {
	how  string
	data []byte
}

// alter makes the copies of a picture that apps make.
func alter(img image.Image) []altered {
	var out []altered
	add := func(how string, img image.Image, quality int) {
		var b bytes.Buffer
		err := error(nil)
		if quality == 0 {
			err = png.Encode(&b, img)
		} else {
			err = jpeg.Encode(&b, img, &jpeg.Options{Quality: quality})
		}
		if err == nil {
			out = append(out, altered{how, b.Bytes()})
		}
	}
	small := resize(img, 1024)
	add("quality 30", small, 30)
	add("320 pixels", resize(img, 320), 60)
	add("160 pixels", resize(img, 160), 60)
	add("96 pixels", resize(img, 96), 60)
	add("320 pixels, PNG", resize(img, 320), 0)
	w, h := small.Bounds().Dx(), small.Bounds().Dy()
	crop := func(l, t, r, b float64) image.Image {
		return small.SubImage(image.Rect(int(l*float64(w)), int(t*float64(h)), w-int(r*float64(w)), h-int(b*float64(h))))
	}
	add("cropped 5 %", crop(0.05, 0.05, 0.05, 0.05), 75)
	add("cropped 8 %", crop(0.08, 0.08, 0.08, 0.08), 75)
	add("cropped at one side", crop(0.08, 0, 0, 0), 75)
	add("cropped unevenly", crop(0.01, 0.06, 0.07, 0.02), 50)
	add("cropped, 320 pixels", resize(crop(0.04, 0.06, 0.02, 0.08), 320), 40)
	for _, t := range []struct {
		how string
		at  func(x, y, w, h int) (int, int)
		odd bool
	}{
		{"turned by 90°", func(x, y, _, h int) (int, int) { return y, h - 1 - x }, true},
		{"turned by 180°", func(x, y, w, h int) (int, int) { return w - 1 - x, h - 1 - y }, false},
		{"turned by 270°", func(x, y, w, _ int) (int, int) { return w - 1 - y, x }, true},
		{"mirrored", func(x, y, w, _ int) (int, int) { return w - 1 - x, y }, false},
	} {
		src := resize(img, 640)
		w, h := src.Bounds().Dx(), src.Bounds().Dy()
		dst := image.NewRGBA(image.Rect(0, 0, w, h))
		if t.odd {
			dst = image.NewRGBA(image.Rect(0, 0, h, w))
		}
		for y := range dst.Bounds().Dy() {
			for x := range dst.Bounds().Dx() {
				i, j := t.at(x, y, w, h)
				dst.Set(x, y, src.At(i, j))
			}
		}
		add(t.how, dst, 70)
	}
	gray, tinted := image.NewGray(small.Bounds()), image.NewRGBA(small.Bounds())
	for y := range h {
		for x := range w {
			c := color.RGBAModel.Convert(small.At(x, y)).(color.RGBA)
			gray.Set(x, y, c)
			c.R, c.B = uint8(min(255, int(c.R)*115/100)), uint8(int(c.B)*85/100)
			tinted.SetRGBA(x, y, c)
		}
	}
	add("without colour", gray, 70)
	add("warmer", tinted, 70)
	return out
}

// resize makes the longer side of img at most most pixels.
func resize(img image.Image, most int) *image.RGBA {
	w, h := img.Bounds().Dx(), img.Bounds().Dy()
	if l := max(w, h); l > most {
		w, h = max(1, w*most/l), max(1, h*most/l)
	}
	dst := image.NewRGBA(image.Rect(0, 0, w, h))
	scale.CatmullRom.Scale(dst, dst.Bounds(), img, img.Bounds(), scale.Src, nil)
	return dst
}
