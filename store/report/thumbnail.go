package report

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	_ "image/gif" // decoders of the pictures that are shown
	"image/jpeg"
	_ "image/png"

	"golang.org/x/image/draw"
	_ "golang.org/x/image/webp"
)

// Bounds on pictures that are decoded. Larger ones are described only.
const (
	maxPicture = 4 << 20 // bytes
	maxPixels  = 24_000_000
	thumbEdge  = 220 // pixels of the longer side
	blurEdge   = 12
)

// thumbnail describes the picture that data is, "" if it is none that can be read,
// and makes a small copy of it as a data: URL, "" when it is too large. blur makes
// the copy so coarse that nobody can be recognised. Metadata is not copied.
func thumbnail(data []byte, blur bool) (info, url string) {
	c, format, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil || c.Width < 1 || c.Height < 1 {
		return "", ""
	}
	info = fmt.Sprintf("%s, %d × %d pixels, %s", format, c.Width, c.Height, size(int64(len(data))))
	if len(data) > maxPicture || c.Width > maxPixels/c.Height {
		return info, ""
	}
	src, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return info + ", damaged", ""
	}
	edge := thumbEdge
	if blur {
		edge = blurEdge
	}
	small := scale(src, edge, draw.ApproxBiLinear)
	if blur {
		small = scale(small, thumbEdge, draw.CatmullRom)
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, small, &jpeg.Options{Quality: 80}); err != nil {
		return info, ""
	}
	return info, "data:image/jpeg;base64," + base64.StdEncoding.EncodeToString(b.Bytes())
}

// scale makes the longer side of src edge pixels long; a picture that is smaller
// stays as it is, unless it is to be enlarged for showing a blur.
func scale(src image.Image, edge int, with draw.Interpolator) image.Image {
	w, h := src.Bounds().Dx(), src.Bounds().Dy()
	longer := max(w, h)
	if longer <= edge && edge == thumbEdge && longer > blurEdge {
		edge = longer
	}
	dst := image.NewRGBA(image.Rect(0, 0, max(1, w*edge/longer), max(1, h*edge/longer)))
	with.Scale(dst, dst.Bounds(), src, src.Bounds(), draw.Src, nil)
	return dst
}
