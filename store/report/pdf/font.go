package pdf

import (
	"bytes"
	"compress/gzip"
	"embed"
	"encoding/binary"
	"fmt"
	"io"
	"sync"

	"github.com/go-text/typesetting/font"
	"github.com/go-text/typesetting/language"
)

//go:embed fonts/*.ttf.gz
var fontFiles embed.FS

// source is a font file of this package; it is read when it is first needed.
type source struct {
	file    string
	scripts []language.Script // that it is the first choice for

	once sync.Once
	data []byte
	font *font.Font
	err  error
}

// The fonts. Which one draws a character: that of the character's script, else that
// of the style, else the first of rest that has it.
var (
	sansRegular  = &source{file: "NotoSans-Regular"}
	sansBold     = &source{file: "NotoSans-Bold"}
	serifRegular = &source{file: "NotoSerif-Regular"}
	serifBold    = &source{file: "NotoSerif-Bold"}
	monoRegular  = &source{file: "NotoSansMono-Regular"}

	byScript = []*source{
		{file: "NotoSansDevanagari-Regular", scripts: []language.Script{language.Devanagari}},
		{file: "NotoSansArabic-Regular", scripts: []language.Script{language.Arabic}},
		{file: "NotoSansHebrew-Regular", scripts: []language.Script{language.Hebrew}},
		{file: "NotoSansThai-Regular", scripts: []language.Script{language.Thai}},
		{file: "NotoSansBengali-Regular", scripts: []language.Script{language.Bengali}},
		{file: "NotoSansTamil-Regular", scripts: []language.Script{language.Tamil}},
		{file: "NotoSansTelugu-Regular", scripts: []language.Script{language.Telugu}},
		{file: "NotoSansGujarati-Regular", scripts: []language.Script{language.Gujarati}},
		{file: "NotoSansGurmukhi-Regular", scripts: []language.Script{language.Gurmukhi}},
		{file: "NotoSansKannada-Regular", scripts: []language.Script{language.Kannada}},
		{file: "NotoSansMalayalam-Regular", scripts: []language.Script{language.Malayalam}},
		{file: "NotoSansSinhala-Regular", scripts: []language.Script{language.Sinhala}},
		{file: "NotoSansKhmer-Regular", scripts: []language.Script{language.Khmer}},
		{file: "NotoSansLao-Regular", scripts: []language.Script{language.Lao}},
		{file: "NotoSansMyanmar-Regular", scripts: []language.Script{language.Myanmar}},
		{file: "NotoSansEthiopic-Regular", scripts: []language.Script{language.Ethiopic}},
		{file: "DroidSansFallbackFull", scripts: []language.Script{language.Han, language.Hiragana, language.Katakana, language.Bopomofo}},
		{file: "NanumGothicCoding", scripts: []language.Script{language.Hangul}},
	}
	rest = []*source{sansRegular, {file: "DejaVuSans"}, byScript[len(byScript)-2], monoRegular}
)

// load unpacks and parses the font.
func (s *source) load() error {
	s.once.Do(func() {
		f, err := fontFiles.Open("fonts/" + s.file + ".ttf.gz")
		if err != nil {
			s.err = err
			return
		}
		defer f.Close()
		z, err := gzip.NewReader(f)
		if err != nil {
			s.err = err
			return
		}
		if s.data, s.err = io.ReadAll(z); s.err != nil {
			return
		}
		face, err := font.ParseTTF(bytes.NewReader(s.data))
		if err != nil {
			s.err = fmt.Errorf("font %s: %w", s.file, err)
			return
		}
		s.font = face.Font
	})
	return s.err
}

// face is a font as one document uses it.
type face struct {
	*font.Face
	name   string
	number int // of the resource
	tables map[string][]byte
	long   bool // the table of offsets has four bytes each
	upem   float64
	hheas  int // metrics in hmtx

	glyphs  []font.GID          // used, in the order of their new numbers; 0 is .notdef
	numbers map[font.GID]uint16 // new, by old
	text    map[uint16][]rune   // that a glyph stands for
}

func newFace(s *source, number int) (*face, error) {
	if err := s.load(); err != nil {
		return nil, err
	}
	f := &face{Face: font.NewFace(s.font), name: s.file, number: number, tables: map[string][]byte{}, numbers: map[font.GID]uint16{}, text: map[uint16][]rune{}}
	count := int(binary.BigEndian.Uint16(s.data[4:]))
	for i := range count {
		r := s.data[12+16*i:]
		at, n := binary.BigEndian.Uint32(r[8:]), binary.BigEndian.Uint32(r[12:])
		f.tables[string(r[:4])] = s.data[at : at+n]
	}
	f.long = binary.BigEndian.Uint16(f.tables["head"][50:]) == 1
	f.upem = float64(s.font.Upem())
	f.hheas = int(binary.BigEndian.Uint16(f.tables["hhea"][34:]))
	f.use(0)
	return f, nil
}

// use gives a glyph its number in the subset.
func (f *face) use(g font.GID) uint16 {
	if n, ok := f.numbers[g]; ok {
		return n
	}
	n := uint16(len(f.glyphs))
	f.glyphs = append(f.glyphs, g)
	f.numbers[g] = n
	return n
}

// width is the advance of a glyph in thousandths of the size.
func (f *face) width(g font.GID) float64 { return float64(f.metric(g)) * 1000 / f.upem }

func (f *face) metric(g font.GID) uint16 {
	i := min(int(g), f.hheas-1)
	return binary.BigEndian.Uint16(f.tables["hmtx"][4*i:])
}

func (f *face) bearing(g font.GID) uint16 {
	hmtx := f.tables["hmtx"]
	at := 4*int(g) + 2
	if int(g) >= f.hheas {
		at = 4*f.hheas + 2*(int(g)-f.hheas)
	}
	if at+2 > len(hmtx) {
		return 0
	}
	return binary.BigEndian.Uint16(hmtx[at:])
}

// outline is a glyph's description in the file (OpenType, table glyf).
func (f *face) outline(g font.GID) []byte {
	loca, glyf := f.tables["loca"], f.tables["glyf"]
	var from, to int
	if f.long {
		from, to = int(binary.BigEndian.Uint32(loca[4*g:])), int(binary.BigEndian.Uint32(loca[4*g+4:]))
	} else {
		from, to = 2*int(binary.BigEndian.Uint16(loca[2*g:])), 2*int(binary.BigEndian.Uint16(loca[2*g+2:]))
	}
	return glyf[from:to]
}

// Flags of a part of a composite glyph (OpenType, table glyf).
const (
	argsAreWords = 1 << 0
	haveScale    = 1 << 3
	moreParts    = 1 << 5
	haveXYScale  = 1 << 6
	haveMatrix   = 1 << 7
)

// parts calls each for the place of every glyph number in a composite glyph.
func parts(outline []byte, each func(at int)) {
	if len(outline) < 10 || int16(binary.BigEndian.Uint16(outline)) >= 0 {
		return
	}
	for at := 10; at+4 <= len(outline); {
		flags := binary.BigEndian.Uint16(outline[at:])
		each(at + 2)
		at += 6
		if flags&argsAreWords != 0 {
			at += 2
		}
		switch {
		case flags&haveScale != 0:
			at += 2
		case flags&haveXYScale != 0:
			at += 4
		case flags&haveMatrix != 0:
			at += 8
		}
		if flags&moreParts == 0 {
			return
		}
	}
}

// subset is a font file with the used glyphs only, under their new numbers.
func (f *face) subset() []byte {
	var glyf, loca, hmtx bytes.Buffer
	put16 := func(b *bytes.Buffer, v uint16) { _ = binary.Write(b, binary.BigEndian, v) }
	put32 := func(b *bytes.Buffer, v uint32) { _ = binary.Write(b, binary.BigEndian, v) }
	for i := 0; i < len(f.glyphs); i++ { // parts of composite glyphs are added on the way
		outline := bytes.Clone(f.outline(f.glyphs[i]))
		parts(outline, func(at int) {
			old := font.GID(binary.BigEndian.Uint16(outline[at:]))
			binary.BigEndian.PutUint16(outline[at:], f.use(old))
		})
		put32(&loca, uint32(glyf.Len()))
		glyf.Write(outline)
		for glyf.Len()%4 != 0 {
			glyf.WriteByte(0)
		}
	}
	put32(&loca, uint32(glyf.Len()))
	for _, g := range f.glyphs {
		put16(&hmtx, f.metric(g))
		put16(&hmtx, f.bearing(g))
	}
	head, hhea, maxp := bytes.Clone(f.tables["head"]), bytes.Clone(f.tables["hhea"]), bytes.Clone(f.tables["maxp"])
	binary.BigEndian.PutUint32(head[8:], 0)
	binary.BigEndian.PutUint16(head[50:], 1)
	binary.BigEndian.PutUint16(hhea[34:], uint16(len(f.glyphs)))
	binary.BigEndian.PutUint16(maxp[4:], uint16(len(f.glyphs)))
	tables := []struct {
		tag  string
		data []byte
	}{
		{"cvt ", f.tables["cvt "]},
		{"fpgm", f.tables["fpgm"]},
		{"glyf", glyf.Bytes()},
		{"head", head},
		{"hhea", hhea},
		{"hmtx", hmtx.Bytes()},
		{"loca", loca.Bytes()},
		{"maxp", maxp},
		{"prep", f.tables["prep"]},
	}
	n := 0
	for _, t := range tables {
		if t.data != nil {
			n++
		}
	}
	var out, body bytes.Buffer
	put32(&out, 0x00010000)
	put16(&out, uint16(n))
	power, log := 1, 0
	for power*2 <= n {
		power, log = power*2, log+1
	}
	put16(&out, uint16(power*16))
	put16(&out, uint16(log))
	put16(&out, uint16(n*16-power*16))
	for _, t := range tables {
		if t.data == nil {
			continue
		}
		out.WriteString(t.tag)
		put32(&out, checksum(t.data))
		put32(&out, uint32(12+16*n+body.Len()))
		put32(&out, uint32(len(t.data)))
		body.Write(t.data)
		for body.Len()%4 != 0 {
			body.WriteByte(0)
		}
	}
	out.Write(body.Bytes())
	return out.Bytes()
}

// checksum is that of a table of a font file.
func checksum(data []byte) (sum uint32) {
	for i := 0; i < len(data); i += 4 {
		var word [4]byte
		copy(word[:], data[i:])
		sum += binary.BigEndian.Uint32(word[:])
	}
	return sum
}
