package canary

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
)

// Photo is what is known of a planted picture.
type Photo struct {
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"` // lower-case hex, as the other hashes
	SHA1   string `json:"sha1"`
	MD5    string `json:"md5"`
	// Luma is the brightness of 64 by 64 cells of the picture, row by row, by which
	// it is known again when it was compressed again, resized, turned, mirrored or
	// cropped a little; nil if the pixels could not be read.
	Luma   []byte `json:"luma,omitempty"`
	Width  int    `json:"width,omitempty"`
	Height int    `json:"height,omitempty"`
	// DHash is read and ignored: personas of before Luma have it.
	DHash string `json:"dhash,omitempty"`
	// Anchor is 32 bytes of the file's compressed pixels, as hex, and Offset
	// where they stand: the start of an exact copy inside anything larger.
	Anchor string `json:"anchor"`
	Offset int64  `json:"offset"`
	// ID is the text planted in the metadata, "" when there is none.
	ID string `json:"id,omitempty"`
	// Data is the file itself, kept for pictures made by New so that the kit
	// can be written again.
	Data []byte `json:"data,omitempty"`
}

const anchorSize = 32

// NewPhoto describes the picture file data. Formats whose pixels cannot be
// read here (HEIC, AVIF) have no Luma and are found by their bytes, their hashes
// and the pictures inside them only.
func NewPhoto(data []byte) (*Photo, error) {
	if len(data) < 4*anchorSize {
		return nil, errors.New("picture is too small")
	}
	s256, s1, m5 := sha256.Sum256(data), sha1.Sum(data), md5.Sum(data)
	p := &Photo{
		Size:   int64(len(data)),
		SHA256: hex.EncodeToString(s256[:]),
		SHA1:   hex.EncodeToString(s1[:]),
		MD5:    hex.EncodeToString(m5[:]),
	}
	// The middle of a compressed picture is as good as random; step on where
	// it is not.
	for at := len(data) / 2; at+anchorSize <= len(data); at += anchorSize {
		if anchor := data[at : at+anchorSize]; distinct(anchor) > anchorSize/2 {
			p.Anchor, p.Offset = hex.EncodeToString(anchor), int64(at)
			break
		}
	}
	if p.Anchor == "" {
		return nil, errors.New("picture has too little content to be recognised")
	}
	p.look(data)
	return p, nil
}

// Look takes the pixels from another file with the same picture, for a format
// that is not read here: a JPEG of the HEIC that p describes. It reports whether
// that could be read.
func (p *Photo) Look(picture []byte) bool {
	p.look(picture)
	return len(p.Luma) > 0
}

// look fills in what the pixels say.
func (p *Photo) look(data []byte) {
	img, ok := decodeImage(data)
	if !ok {
		return
	}
	p.Width, p.Height = img.Bounds().Dx(), img.Bounds().Dy()
	p.Luma = make([]byte, lumaSide*lumaSide)
	for i, v := range luma(img) {
		p.Luma[i] = byte(min(max(v+0.5, 0), 255))
	}
}

func distinct(b []byte) int {
	var seen [256]bool
	n := 0
	for _, c := range b {
		if !seen[c] {
			seen[c] = true
			n++
		}
	}
	return n
}

func (p *Photo) check() error {
	for _, f := range []struct {
		name, value string
		size        int
	}{
		{"sha256", p.SHA256, 64},
		{"sha1", p.SHA1, 40},
		{"md5", p.MD5, 32},
		{"anchor", p.Anchor, 2 * anchorSize},
	} {
		if len(f.value) != f.size || hexDigits(f.value) != f.value {
			return fmt.Errorf("photo.%s: want %d lower-case hex digits", f.name, f.size)
		}
	}
	if len(p.Luma) > 0 && (len(p.Luma) != lumaSide*lumaSide || p.Width <= 0 || p.Height <= 0) {
		return fmt.Errorf("photo.luma: want %d bytes, and width and height beside them", lumaSide*lumaSide)
	}
	if p.Offset < 0 || p.Size <= 0 || p.Offset+anchorSize > p.Size {
		return errors.New("photo.offset: outside the file")
	}
	if p.ID != "" && entropy(p.ID, inSentence) < minEntropy {
		return errors.New("photo.id: too plain to be proof")
	}
	if len(p.Data) > 0 {
		if sum := sha256.Sum256(p.Data); hex.EncodeToString(sum[:]) != p.SHA256 {
			return errors.New("photo.data: is not the file that sha256 names")
		}
	}
	return nil
}

// patterns lists what betrays the photo in text or bytes.
func (p *Photo) patterns(canary int) []pattern {
	var out []pattern
	for _, h := range []struct{ name, value string }{{"sha256", p.SHA256}, {"sha1", p.SHA1}, {"md5", p.MD5}} {
		sum, err := hex.DecodeString(h.value)
		if err != nil {
			continue
		}
		for _, d := range digestForms(h.name, sum) {
			out = append(out, pattern{canary: canary, form: d.form("file"), text: []byte(d.text), fold: d.fold})
		}
	}
	if anchor, err := hex.DecodeString(p.Anchor); err == nil {
		out = append(out, pattern{canary: canary, form: "file", text: anchor, photo: true})
	}
	if p.ID != "" {
		out = append(out, patternsOf(canary, writing{form: "exif", text: p.ID, fold: true})...)
	}
	return out
}

// copyAt says which bytes of data are a copy of the file, given that the anchor
// stands at start. When only a piece of the file is there, it says so.
func (p *Photo) copyAt(data []byte, start int) (form string, from, to int) {
	first := int64(start) - p.Offset
	if first >= 0 && first+p.Size <= int64(len(data)) {
		from, to = int(first), int(first+p.Size)
		if sum := sha256.Sum256(data[from:to]); hex.EncodeToString(sum[:]) == p.SHA256 {
			return "file", from, to
		}
	}
	return "file-piece", start, start + anchorSize
}
