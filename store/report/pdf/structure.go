package pdf

import (
	"fmt"
	"strconv"
	"strings"
)

// Element is a piece of a document's logical structure, by which assistive technology
// reads a file (ISO 32000-1, 14.7 and 14.8): a heading, a paragraph, a cell. It may go
// on over pages. Elements in which nothing was drawn are left out.
type Element struct {
	role  string
	alt   string
	scope string
	span  int // columns of a cell, 0 for one
	kids  []content
}

// content is something in an element: another one, marked content of a page, or a link.
type content struct {
	element *Element
	page    *Page
	mark    int
	link    *link
}

// Root is the element of the whole document.
func (d *Doc) Root() *Element { return d.root }

// Add adds an element to the end of e. role is one of the standard types: "H1" to
// "H6", "P", "L", "LI", "Lbl", "LBody", "Table", "TR", "TH", "TD", "Sect", "Figure".
func (e *Element) Add(role string) *Element {
	x := &Element{role: role}
	e.kids = append(e.kids, content{element: x})
	return x
}

// Figure adds a picture and what is said in its place.
func (e *Element) Figure(alt string) *Element {
	x := e.Add("Figure")
	x.alt = alt
	return x
}

// Head adds the head of columns, "Column", or of rows, "Row", that is so many columns wide.
func (e *Element) Head(scope string, columns int) *Element {
	x := e.Add("TH")
	x.scope, x.span = scope, columns
	return x
}

// Into makes text that is drawn from here on belong to e, and returns what it belonged
// to before; nil makes it decoration, such as the feet of pages. Lines and areas are
// decoration wherever they stand, but for those of a figure.
func (d *Doc) Into(e *Element) (before *Element) {
	before, d.at = d.at, e
	return before
}

// marked is what the open marked content of a page belongs to.
type marked struct {
	open    bool
	element *Element // nil: decoration
}

// belong makes what follows on the page belong to e: marked content goes on until
// something else comes.
func (p *Page) belong(e *Element) {
	if p.marked.open && p.marked.element == e {
		return
	}
	p.finish()
	p.marked = marked{true, e}
	if e == nil {
		p.out.WriteString("/Artifact BMC\n")
		return
	}
	p.mark(e, e.role, "")
}

// mark begins marked content of an element.
func (p *Page) mark(e *Element, tag, properties string) {
	fmt.Fprintf(&p.out, "/%s << /MCID %d %s>> BDC\n", tag, len(p.owners), properties)
	e.kids = append(e.kids, content{page: p, mark: len(p.owners)})
	p.owners = append(p.owners, e)
}

// spoken makes what follows belong to e, with properties of its own. Readers of
// structure do not expect marked content inside that of an element.
func (p *Page) spoken(e *Element, properties string) {
	switch {
	case properties == "":
		p.belong(e)
	case e == nil:
		p.belong(nil)
		fmt.Fprintf(&p.out, "/Span << %s>> BDC\n", properties)
	default:
		p.finish()
		p.marked = marked{}
		p.mark(e, "Span", properties)
	}
}

// finish ends marked content.
func (p *Page) finish() {
	if p.marked.open {
		p.out.WriteString("EMC\n")
		p.marked.open = false
	}
}

// decorate is belong for lines and areas.
func (p *Page) decorate() {
	if e := p.doc.at; e != nil && e.role == "Figure" {
		p.belong(e)
		return
	}
	p.belong(nil)
}

// filled reports whether something is in an element. Cells count also when they are
// empty, as others of the row would stand in their columns.
func (e *Element) filled() bool {
	if e.role == "TH" || e.role == "TD" {
		return true
	}
	for _, k := range e.kids {
		if k.element == nil || k.element.filled() {
			return true
		}
	}
	return false
}

// structure writes the tree of elements, and the table by which a reader comes from
// what it found on a page to its element (ISO 32000-1, 14.7.4.4). The keys of pages are
// their numbers; those of links follow.
func (f *file) structure(d *Doc, pages []int) (root int) {
	root = f.reserve()
	objects := map[*Element]int{}
	top := f.element(d.root, root, pages, objects)
	nums := make([]string, 0, len(d.pages))
	for i, p := range d.pages {
		owners := make([]string, len(p.owners))
		for j, e := range p.owners {
			owners[j] = reference(objects[e])
		}
		nums = append(nums, fmt.Sprintf("%d [%s]", i, strings.Join(owners, " ")))
	}
	for i, l := range d.anchors() {
		nums = append(nums, fmt.Sprintf("%d %s", len(d.pages)+i, reference(objects[l.element])))
	}
	parents := f.add("<< /Nums [%s] >>", strings.Join(nums, " "))
	f.put(root, "<< /Type /StructTreeRoot /K %s /ParentTree %s /ParentTreeNextKey %d >>", reference(top), reference(parents), len(nums))
	return root
}

// anchors are the links that belong to an element and lead somewhere, in the order of
// their keys.
func (d *Doc) anchors() (list []*link) {
	for _, p := range d.pages {
		for _, l := range p.links {
			if l.element != nil && l.object != 0 {
				list = append(list, l)
			}
		}
	}
	return list
}

// element writes an element and those in it, which are as deep as the caller of Add
// made them.
func (f *file) element(e *Element, parent int, pages []int, objects map[*Element]int) int {
	self := f.reserve()
	objects[e] = self
	var kids []string
	var page *Page // of marks that are only numbers
	for _, k := range e.kids {
		switch {
		case k.element != nil:
			if k.element.filled() {
				kids = append(kids, reference(f.element(k.element, self, pages, objects)))
			}
		case k.link == nil && (page == nil || page == k.page):
			page = k.page
			kids = append(kids, strconv.Itoa(k.mark))
		case k.link == nil:
			kids = append(kids, fmt.Sprintf("<< /Type /MCR /Pg %s /MCID %d >>", reference(pages[k.page.number]), k.mark))
		case k.link.object != 0:
			kids = append(kids, fmt.Sprintf("<< /Type /OBJR /Pg %s /Obj %s >>", reference(pages[k.page.number]), reference(k.link.object)))
		}
	}
	more := ""
	if e.alt != "" {
		more += " /Alt " + textString(e.alt)
	}
	if e.scope != "" {
		more += " /A << /O /Table /Scope /" + e.scope
		if e.span > 1 {
			more += fmt.Sprintf(" /ColSpan %d", e.span)
		}
		more += " >>"
	}
	if page != nil {
		more += " /Pg " + reference(pages[page.number])
	}
	f.put(self, "<< /S /%s /P %s%s /K [%s] >>", e.role, reference(parent), more, strings.Join(kids, " "))
	return self
}
