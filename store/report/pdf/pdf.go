// Package pdf writes PDF files (ISO 32000-1): pages with text in any of the world's
// larger scripts, lines, areas, small pictures, links and bookmarks. It embeds the
// glyphs that it uses, so that a file looks the same everywhere.
//
// Text is shaped, so that Devanagari or Arabic join as they should, and runs of
// different scripts and directions may stand in one line; what no font here has, and
// what cannot be seen, is written as its number. The text of a page can be searched
// and copied.
//
// The same calls give the same bytes. A Doc belongs to one goroutine. Lengths are in
// points of 1/72 inch from the upper left corner of a page. Files are tagged: assistive
// technology reads headings, lists, tables and figures in the order of their elements.
package pdf

import (
	"bytes"
	"compress/zlib"
	"crypto/sha256"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
)

// Info describes a document.
type Info struct {
	Title, Subject, Author, Creator string
	Lang                            string // BCP 47
	Created                         time.Time
}

// Color is red, green and blue.
type Color [3]uint8

// Doc is a document that is being written.
type Doc struct {
	info  Info
	pages []*Page
	faces []*face
	known map[*source]*face
	marks []mark
	names map[string]place

	root *Element
	at   *Element // that text is drawn into; nil for decoration

	layout layout
	err    error
}

type mark struct {
	level int
	title string
	place
}

type place struct {
	page int
	y    float64
}

// New begins a document.
func New(info Info) *Doc {
	d := &Doc{info: info, known: map[*source]*face{}, names: map[string]place{}, root: &Element{role: "Document"}}
	d.layout.init(d)
	return d
}

// Page is a page that is being drawn.
type Page struct {
	Width, Height float64

	doc    *Doc
	number int
	out    bytes.Buffer
	images []picture
	links  []*link
	marked marked
	owners []*Element // of marked content, by its number
}

type picture struct {
	data          []byte
	width, height int
}

type link struct {
	x, y, width, height float64
	target              string

	element *Element
	object  int // when written
}

// Page adds a page.
func (d *Doc) Page(width, height float64) *Page {
	p := &Page{Width: width, Height: height, doc: d, number: len(d.pages)}
	d.pages = append(d.pages, p)
	return p
}

// Pages are the pages so far.
func (d *Doc) Pages() []*Page { return d.pages }

// Bookmark adds an entry to the outline; level 1 is the highest.
func (d *Doc) Bookmark(level int, title string, p *Page, y float64) {
	d.marks = append(d.marks, mark{level, title, place{p.number, y}})
}

// Name gives a place a name that links can go to as "#name".
func (d *Doc) Name(name string, p *Page, y float64) { d.names[name] = place{p.number, y} }

func number(f float64) string {
	s := strconv.FormatFloat(f, 'f', 2, 64)
	s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	if s == "-0" || s == "" {
		return "0"
	}
	return s
}

func (c Color) operands() string {
	return number(float64(c[0])/255) + " " + number(float64(c[1])/255) + " " + number(float64(c[2])/255)
}

func (p *Page) op(format string, args ...any) { fmt.Fprintf(&p.out, format+"\n", args...) }

func (p *Page) up(y float64) string { return number(p.Height - y) }

// Fill fills a rectangle.
func (p *Page) Fill(x, y, width, height float64, c Color) {
	p.decorate()
	p.fill(x, y, width, height, c)
}

func (p *Page) fill(x, y, width, height float64, c Color) {
	p.op("%s rg %s %s %s %s re f", c.operands(), number(x), p.up(y+height), number(width), number(height))
}

// Line draws a line; dash is the length of its dashes, 0 for none.
func (p *Page) Line(x0, y0, x1, y1, width, dash float64, c Color) {
	p.decorate()
	p.op("q %s RG %s w %s %s %s m %s %s l S Q", c.operands(), number(width), dashes(dash), number(x0), p.up(y0)+"", number(x1), p.up(y1))
}

func dashes(dash float64) string {
	if dash == 0 {
		return "[] 0 d"
	}
	return "[" + number(dash) + "] 0 d"
}

// Frame draws a rectangle's outline.
func (p *Page) Frame(x, y, width, height, line, dash float64, c Color) {
	p.decorate()
	p.op("q %s RG %s w %s %s %s %s %s re S Q", c.operands(), number(line), dashes(dash), number(x), p.up(y+height), number(width), number(height))
}

// Band fills the area that runs from a left edge of a height to a right edge of the
// same.
func (p *Page) Band(x0, y0, x1, y1, height float64, c Color) {
	p.decorate()
	mid := number((x0 + x1) / 2)
	p.op("%s rg %s %s m %s %s %s %s %s %s c %s %s l %s %s %s %s %s %s c h f", c.operands(),
		number(x0), p.up(y0), mid, p.up(y0), mid, p.up(y1), number(x1), p.up(y1),
		number(x1), p.up(y1+height), mid, p.up(y1+height), mid, p.up(y0+height), number(x0), p.up(y0+height))
}

// JPEG shows a picture of width by height pixels, in three colours.
func (p *Page) JPEG(data []byte, pixelsWide, pixelsHigh int, x, y, width, height float64) {
	p.decorate()
	p.images = append(p.images, picture{data, pixelsWide, pixelsHigh})
	p.op("q %s 0 0 %s %s %s cm /I%d Do Q", number(width), number(height), number(x), p.up(y+height), len(p.images))
}

// Link makes an area go to "#name" or to an address.
func (p *Page) Link(x, y, width, height float64, target string) {
	p.links = append(p.links, &link{x: x, y: y, width: width, height: height, target: target})
}

// textString is a text of the file outside of pages (ISO 32000-1, 7.9.2.2).
func textString(s string) string {
	ascii := true
	for _, r := range s {
		ascii = ascii && r >= ' ' && r < 0x7f
	}
	if ascii {
		return "(" + strings.NewReplacer("\\", "\\\\", "(", "\\(", ")", "\\)").Replace(s) + ")"
	}
	return "<FEFF" + hex16(utf16.Encode([]rune(s))) + ">"
}

func hex16(units []uint16) string {
	var b strings.Builder
	for _, u := range units {
		fmt.Fprintf(&b, "%04X", u)
	}
	return b.String()
}

// file numbers objects and writes them.
type file struct {
	objects [][]byte // the first is number 1
}

func (f *file) reserve() int {
	f.objects = append(f.objects, nil)
	return len(f.objects)
}

func (f *file) put(n int, format string, args ...any) {
	f.objects[n-1] = fmt.Appendf(nil, format, args...)
}

func (f *file) add(format string, args ...any) int {
	n := f.reserve()
	f.put(n, format, args...)
	return n
}

// stream adds a compressed stream.
func (f *file) stream(dict string, data []byte) int {
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	_, _ = z.Write(data) // into memory
	_ = z.Close()
	return f.raw(dict+" /Filter /FlateDecode", b.Bytes())
}

func (f *file) raw(dict string, data []byte) int {
	return f.add("<< %s /Length %d >>\nstream\n%s\nendstream", dict, len(data), data)
}

func reference(n int) string { return strconv.Itoa(n) + " 0 R" }

// WriteTo writes the document, which is finished with it.
func (d *Doc) WriteTo(w io.Writer) (int64, error) {
	if d.err != nil {
		return 0, d.err
	}
	f := &file{}
	catalog, tree, info := f.reserve(), f.reserve(), f.reserve()
	pages := make([]int, len(d.pages))
	for i := range pages {
		pages[i] = f.reserve()
	}
	var fonts strings.Builder
	for _, face := range d.faces {
		fmt.Fprintf(&fonts, "/F%d %s ", face.number, reference(f.font(face)))
	}
	key := len(d.pages)
	for i, p := range d.pages {
		key = f.page(d, p, pages, pages[i], tree, key, fonts.String())
	}
	structure := f.structure(d, pages)
	kids := make([]string, len(pages))
	for i, n := range pages {
		kids[i] = reference(n)
	}
	f.put(tree, "<< /Type /Pages /Count %d /Kids [%s] >>", len(pages), strings.Join(kids, " "))
	created := d.info.Created.UTC().Format("D:20060102150405Z")
	f.put(info, "<< /Title %s /Subject %s /Author %s /Creator %s /Producer (Constat) /CreationDate (%s) /ModDate (%s) >>",
		textString(d.info.Title), textString(d.info.Subject), textString(d.info.Author), textString(d.info.Creator), created, created)
	outline := ""
	if len(d.marks) > 0 {
		outline = " /Outlines " + reference(f.outline(d, pages)) + " /PageMode /UseOutlines"
	}
	f.put(catalog, "<< /Type /Catalog /Pages %s /Lang %s /Metadata %s /ViewerPreferences << /DisplayDocTitle true >> /MarkInfo << /Marked true >> /StructTreeRoot %s%s >>",
		reference(tree), textString(d.info.Lang), reference(f.raw("/Type /Metadata /Subtype /XML", d.xmp())), reference(structure), outline)
	return f.write(w, catalog, info)
}

// page writes a page. key is that of its first link in the table of the structure; it
// returns the next.
func (f *file) page(d *Doc, p *Page, pages []int, self, tree, key int, fonts string) int {
	p.finish()
	var images, links []string
	for i, picture := range p.images {
		n := f.raw(fmt.Sprintf("/Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace /DeviceRGB /BitsPerComponent 8 /Filter /DCTDecode", picture.width, picture.height), picture.data)
		images = append(images, fmt.Sprintf("/I%d %s", i+1, reference(n)))
	}
	for _, l := range p.links {
		rect := fmt.Sprintf("[%s %s %s %s]", number(l.x), p.up(l.y+l.height), number(l.x+l.width), p.up(l.y))
		action := ""
		if name, inside := strings.CutPrefix(l.target, "#"); inside {
			to, known := d.names[name]
			if !known {
				continue
			}
			action = fmt.Sprintf("/Dest [%s /XYZ null %s null]", reference(pages[to.page]), d.pages[to.page].up(to.y))
		} else {
			action = "/A << /S /URI /URI " + textString(l.target) + " >>"
		}
		if l.element != nil {
			action += fmt.Sprintf(" /StructParent %d", key)
			key++
		}
		l.object = f.add("<< /Type /Annot /Subtype /Link /Rect %s /Border [0 0 0] %s >>", rect, action)
		links = append(links, reference(l.object))
	}
	annots := ""
	if len(links) > 0 {
		annots = " /Annots [" + strings.Join(links, " ") + "]"
	}
	content := f.stream("", p.out.Bytes())
	f.put(self, "<< /Type /Page /Parent %s /MediaBox [0 0 %s %s] /Contents %s /Resources << /Font << %s>> /XObject << %s >> >> /StructParents %d /Tabs /S%s >>",
		reference(tree), number(p.Width), number(p.Height), reference(content), fonts, strings.Join(images, " "), p.number, annots)
	return key
}

// outline writes the bookmarks as a tree.
func (f *file) outline(d *Doc, pages []int) int {
	type item struct {
		object, parent, prev, next, first, last, count int
		m                                              mark
	}
	root := &item{object: f.reserve()}
	var items []*item
	stack := []*item{root} // one for each level that is open
	for _, m := range d.marks {
		level := min(max(1, m.level), len(stack))
		stack = stack[:level]
		parent := stack[level-1]
		x := &item{object: f.reserve(), parent: parent.object, m: m}
		if parent.first == 0 {
			parent.first = x.object
		} else {
			i := slices.IndexFunc(items, func(y *item) bool { return y.object == parent.last })
			items[i].next, x.prev = x.object, items[i].object
		}
		parent.last = x.object
		parent.count++
		items = append(items, x)
		stack = append(stack, x)
	}
	for _, x := range items {
		b := fmt.Sprintf("<< /Title %s /Parent %s /Dest [%s /XYZ null %s null]", textString(x.m.title), reference(x.parent), reference(pages[x.m.page]), d.pages[x.m.page].up(x.m.y))
		if x.prev != 0 {
			b += " /Prev " + reference(x.prev)
		}
		if x.next != 0 {
			b += " /Next " + reference(x.next)
		}
		if x.first != 0 {
			b += fmt.Sprintf(" /First %s /Last %s /Count -%d", reference(x.first), reference(x.last), x.count)
		}
		f.put(x.object, "%s >>", b)
	}
	f.put(root.object, "<< /Type /Outlines /First %s /Last %s /Count %d >>", reference(root.first), reference(root.last), root.count)
	return root.object
}

// font writes a font as a CIDFontType2 whose character codes are the numbers of
// glyphs (ISO 32000-1, 9.7.4).
func (f *file) font(face *face) int {
	data := face.subset()
	program := f.stream(fmt.Sprintf("/Length1 %d", len(data)), data)
	sum := sha256.Sum256(data)
	tag := make([]byte, 6)
	for i := range tag {
		tag[i] = 'A' + sum[i]%26
	}
	name := string(tag) + "+" + face.name
	head, hhea := face.tables["head"], face.tables["hhea"]
	at := func(table []byte, i int) string {
		return number(float64(int16(uint16(table[i])<<8|uint16(table[i+1]))) * 1000 / face.upem)
	}
	descriptor := f.add("<< /Type /FontDescriptor /FontName /%s /Flags 4 /FontBBox [%s %s %s %s] /ItalicAngle 0 /Ascent %s /Descent %s /CapHeight 714 /StemV 80 /FontFile2 %s >>",
		name, at(head, 36), at(head, 38), at(head, 40), at(head, 42), at(hhea, 4), at(hhea, 6), reference(program))
	var widths strings.Builder
	for i, g := range face.glyphs {
		fmt.Fprintf(&widths, "%d [%s] ", i, number(face.width(g)))
	}
	descendant := f.add("<< /Type /Font /Subtype /CIDFontType2 /BaseFont /%s /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> /FontDescriptor %s /CIDToGIDMap /Identity /DW 0 /W [%s] >>",
		name, reference(descriptor), widths.String())
	unicode := f.stream("", face.cmap())
	return f.add("<< /Type /Font /Subtype /Type0 /BaseFont /%s /Encoding /Identity-H /DescendantFonts [%s] /ToUnicode %s >>", name, reference(descendant), reference(unicode))
}

// cmap says which text each glyph stands for (ISO 32000-1, 9.10.3).
func (f *face) cmap() []byte {
	var b bytes.Buffer
	b.WriteString("/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n" +
		"/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n")
	var codes []uint16
	for n := range uint16(len(f.glyphs)) {
		if len(f.text[n]) > 0 {
			codes = append(codes, n)
		}
	}
	for chunk := range slices.Chunk(codes, 100) {
		fmt.Fprintf(&b, "%d beginbfchar\n", len(chunk))
		for _, n := range chunk {
			fmt.Fprintf(&b, "<%04X> <%s>\n", n, hex16(utf16.Encode(f.text[n])))
		}
		b.WriteString("endbfchar\n")
	}
	b.WriteString("endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n")
	return b.Bytes()
}

// xmp is the metadata for programs that do not read Info.
func (d *Doc) xmp() []byte {
	escape := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;")
	when := d.info.Created.UTC().Format(time.RFC3339)
	return []byte("<?xpacket begin=\"\ufeff\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n" +
		`<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">` +
		`<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:pdf="http://ns.adobe.com/pdf/1.3/">` +
		`<dc:format>application/pdf</dc:format><dc:title><rdf:Alt><rdf:li xml:lang="x-default">` + escape.Replace(visible(d.info.Title)) + `</rdf:li></rdf:Alt></dc:title>` +
		`<dc:language><rdf:Bag><rdf:li>` + escape.Replace(d.info.Lang) + `</rdf:li></rdf:Bag></dc:language>` +
		`<xmp:CreateDate>` + when + `</xmp:CreateDate><xmp:ModifyDate>` + when + `</xmp:ModifyDate><xmp:CreatorTool>` + escape.Replace(visible(d.info.Creator)) + `</xmp:CreatorTool>` +
		`<pdf:Producer>Constat</pdf:Producer></rdf:Description></rdf:RDF></x:xmpmeta>` + "\n<?xpacket end=\"r\"?>")
}

// write writes the objects, the table of where they stand, and the trailer; the
// file's id is a hash of the rest.
func (f *file) write(w io.Writer, catalog, info int) (int64, error) {
	var b bytes.Buffer
	b.WriteString("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
	at := make([]int, len(f.objects))
	for i, o := range f.objects {
		at[i] = b.Len()
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	id := sha256.Sum256(b.Bytes())
	start := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(at)+1)
	for _, x := range at {
		fmt.Fprintf(&b, "%010d 00000 n \n", x)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root %s /Info %s /ID [<%X> <%X>] >>\nstartxref\n%d\n%%%%EOF\n", len(at)+1, reference(catalog), reference(info), id[:16], id[:16], start)
	return b.WriteTo(w)
}
