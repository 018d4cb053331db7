package decode

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	_ "image/gif"
	_ "image/jpeg"
	_ "image/png"
	"strconv"

	_ "golang.org/x/image/bmp"
	_ "golang.org/x/image/webp"

	"constat/inspect"
)

// Image takes the texts out of the head of a picture, and notes those whose
// pixels nobody will look at, because there are too many of them.
var Image = inspect.Decoder{
	Name:   "image",
	Doc:    "takes the texts out of JPEG (ITU-T T.81 B.2.4.5) and PNG (W3C PNG section 11.3.3), and notes pictures with too many pixels to be compared",
	Min:    24,
	First:  "\xff\x89GRB",
	Sees:   inspect.Binary,
	Decode: decodeImage,
}

const (
	// maxPixels is above what phones take in one picture, and more than is
	// decoded to compare it.
	maxPixels = 44 << 20
	// densePixels is how many pixels a byte may stand for from leastDense pixels
	// on: pictures of life stay below 60.
	densePixels = 250
	leastDense  = 4 << 20
)

var (
	errPixels = errors.New("image: too many pixels to be compared")
	errDense  = errors.New("image: more pixels than its bytes can hold")
)

func decodeImage(_ *inspect.Work, p *inspect.Part) (texts []inspect.Child, err error) {
	d := p.Data
	switch {
	case d[0] == 0xff && d[1] == 0xd8:
		texts = jpegTexts(d)
	case d[0] == 0x89 && d[1] == 'P':
		texts = pngTexts(d)
	case d[0] == 'G' && d[1] == 'I', d[0] == 'R' && d[1] == 'I', d[0] == 'B' && d[1] == 'M':
	default:
		return nil, nil
	}
	c, _, err := image.DecodeConfig(bytes.NewReader(d))
	if err != nil {
		return texts, nil // nobody will decode its pixels
	}
	switch n := int64(c.Width) * int64(c.Height); {
	case n > leastDense && n/densePixels > int64(len(d)):
		return texts, errDense
	case n > maxPixels:
		return texts, errPixels
	}
	return texts, nil
}

// maxTexts bounds the texts of one picture.
const maxTexts = 64

func addText(texts []inspect.Child, name string, data []byte) []inspect.Child {
	if data = bytes.TrimRight(data, "\x00"); len(data) == 0 || len(texts) == maxTexts {
		return texts
	}
	return append(texts, inspect.Child{Arg: strconv.Itoa(len(texts)), Name: name, Data: data})
}

// jpegTexts returns the comments in front of the pixels.
func jpegTexts(d []byte) (texts []inspect.Child) {
	for d = d[2:]; len(d) >= 4 && d[0] == 0xff && d[1] != 0xda; {
		if d[1] == 0xff { // a fill byte
			d = d[1:]
			continue
		}
		n := 2 + int(binary.BigEndian.Uint16(d[2:]))
		if n < 4 || n > len(d) {
			break
		}
		if d[1] == 0xfe {
			texts = addText(texts, "comment", d[4:n])
		}
		d = d[n:]
	}
	return texts
}

// pngTexts returns the texts that are not compressed.
func pngTexts(d []byte) (texts []inspect.Child) {
	for d = d[8:]; len(d) >= 12; {
		n := binary.BigEndian.Uint32(d)
		if int64(n) > int64(len(d)-12) {
			break
		}
		body := d[8 : 8+n]
		name, text, ok := bytes.Cut(body, []byte{0})
		switch kind := string(d[4:8]); {
		case !ok || len(name) > 79:
		case kind == "tEXt":
			texts = addText(texts, string(name), text)
		case kind == "iTXt" && len(text) > 2 && text[0] == 0: // flags, language, translated name
			_, text, _ = bytes.Cut(text[2:], []byte{0})
			_, text, _ = bytes.Cut(text, []byte{0})
			texts = addText(texts, string(name), text)
		}
		d = d[12+n:]
	}
	return texts
}
