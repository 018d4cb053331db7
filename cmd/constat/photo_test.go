package main

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"constat/inspect"
	"constat/inspect/canary"
	"constat/proxy/flow"
)

// A phone keeps its photos as HEIC, and its apps send JPEGs of them.
func TestPlantedHEIC(t *testing.T) {
	if !oneInstalled() {
		t.Skip("no program here reads HEIC; install heif-convert (Debian: libheif-examples) and run the test again")
	}
	dir := t.TempDir()
	data, err := os.ReadFile("../../inspect/canary/testdata/photos/cheers.heic")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "IMG_0001.HEIC")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := canary.New(bytes.NewReader(make([]byte, 32)), "fr")
	if err != nil {
		t.Fatal(err)
	}
	note, err := addPhotos(p, dir)
	if err != nil || strings.Contains(note, "by their bytes only") {
		t.Fatalf("%q, %v", note, err)
	}
	m, err := canary.NewMatcher(p)
	if err != nil {
		t.Fatal(err)
	}
	sent := smallJPEG(t, rendition(file))
	hits := m.Match(&inspect.Part{Path: "request.body", Direction: flow.Up, Data: sent, Media: "image/jpeg"})
	if len(hits) != 1 || hits[0].Kind != string(canary.PhotoFile) {
		t.Errorf("a JPEG of %d bytes: hits %+v", len(sent), hits)
	}
	if data := rendition(filepath.Join(dir, "absent.heic")); data != nil {
		t.Errorf("of a file that is not there a picture of %d bytes was made", len(data))
	}
}

func oneInstalled() bool {
	for _, c := range converters {
		if _, err := exec.LookPath(c[0]); err == nil {
			return true
		}
	}
	return false
}

// smallJPEG makes a picture small, bad and gray.
func smallJPEG(t *testing.T, data []byte) []byte {
	t.Helper()
	img, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	b := img.Bounds()
	const width = 320
	out := image.NewGray(image.Rect(0, 0, width, width*b.Dy()/b.Dx()))
	for y := range out.Rect.Dy() {
		for x := range width {
			at := img.At(b.Min.X+x*b.Dx()/width, b.Min.Y+y*b.Dx()/width)
			out.Set(x, y, color.GrayModel.Convert(at))
		}
	}
	var buf bytes.Buffer
	if err := jpeg.Encode(&buf, out, &jpeg.Options{Quality: 30}); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}
