package canary

import (
	"bytes"
	"encoding/binary"
	"image"
	_ "image/jpeg" // formats that decodeImage reads
	_ "image/png"
	"math"
	"math/bits"
	"slices"

	_ "golang.org/x/image/webp"
)

const (
	// maxDecoded bounds the memory of one decoded picture.
	maxDecoded = 64 << 20
	// maxDensity is how many pixels a byte of a picture may stand for: the
	// strongest compression of a photo stays below 60, a bomb is far above.
	maxDensity = 250
	// leastLong and leastShort are the smallest sides of a picture that is
	// compared: the thumbnails that cameras write have 160 by 120.
	leastLong, leastShort = 64, 40
)

// decodeImage decodes data, within bounds. A decoder that panics on hostile data
// is taken to have failed.
func decodeImage(data []byte) (img image.Image, ok bool) {
	defer func() {
		if recover() != nil {
			img, ok = nil, false
		}
	}()
	if cost, _, _ := decodeCost(data); cost == 0 || cost > maxDecoded {
		return nil, false
	}
	img, _, err := image.Decode(bytes.NewReader(data))
	if err != nil || img.Bounds().Empty() {
		return nil, false
	}
	return img, true
}

// decodeCost tells from the head of a picture how many bytes its pixels take
// while it is decoded, 0 if it is none or too small to compare.
func decodeCost(data []byte) (cost int64, width, height int) {
	defer func() {
		if recover() != nil {
			cost = 0
		}
	}()
	cfg, format, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil || max(cfg.Width, cfg.Height) < leastLong || min(cfg.Width, cfg.Height) < leastShort {
		return 0, 0, 0
	}
	pixels := int64(cfg.Width) * int64(cfg.Height)
	if pixels/maxDensity > int64(len(data)) {
		return 0, 0, 0
	}
	cost = pixels * 4
	switch {
	case format == "jpeg":
		samples, progressive := jpegSamples(data)
		cost = int64(float64(pixels) * samples)
		if progressive {
			cost *= 5 // all coefficients, as 32-bit integers, beside the samples
		}
	case format == "png" && deep(data):
		cost = pixels * 8
	}
	return cost, cfg.Width, cfg.Height
}

// deep says that a PNG has 16 bits a sample (PNG specification, section 11.2.1).
func deep(data []byte) bool { return len(data) > 24 && data[24] == 16 }

// jpegSamples reads the frame header (ITU-T T.81 B.2.2): how many samples there
// are per pixel, and whether the coding is progressive.
func jpegSamples(data []byte) (perPixel float64, progressive bool) {
	for at := 2; at+4 <= len(data) && data[at] == 0xff; {
		marker := data[at+1]
		if marker == 0xff {
			at++
			continue
		}
		size := int(binary.BigEndian.Uint16(data[at+2:]))
		if marker >= 0xc0 && marker <= 0xc2 && at+10 <= len(data) {
			n := int(data[at+9])
			var all, most float64
			for i := 0; i < n && at+12+3*i < len(data); i++ {
				hv := data[at+11+3*i]
				area := float64(hv>>4) * float64(hv&15)
				all, most = all+area, max(most, area)
			}
			if most > 0 {
				return all / most, marker == 0xc2
			}
			return 3, marker == 0xc2
		}
		at += 2 + size
	}
	return 3, true
}

// A picture is compared as a square of lumaSide by lumaSide cells of mean
// brightness, whatever its proportions, which are compared apart.
const lumaSide = 64

// luma returns the square of a picture.
func luma(img image.Image) *[lumaSide * lumaSide]float32 {
	w, h, px := reduced(img)
	p := integrate(w, h, px)
	var out [lumaSide * lumaSide]float32
	for y := range lumaSide {
		for x := range lumaSide {
			out[y*lumaSide+x] = p.mean(
				float32(x)*float32(w)/lumaSide, float32(y)*float32(h)/lumaSide,
				float32(x+1)*float32(w)/lumaSide, float32(y+1)*float32(h)/lumaSide)
		}
	}
	return &out
}

// reduced returns the brightness of img, from 0 to 255, at most 256 cells wide
// and high.
func reduced(img image.Image) (w, h int, px []float32) {
	const most = 256
	b := img.Bounds()
	w, h = min(b.Dx(), most), min(b.Dy(), most)
	px = make([]float32, w*h)
	at := brightness(img)
	for y := range h {
		y0, y1 := b.Min.Y+y*b.Dy()/h, b.Min.Y+(y+1)*b.Dy()/h
		stepY := max(1, (y1-y0)/6)
		for x := range w {
			x0, x1 := b.Min.X+x*b.Dx()/w, b.Min.X+(x+1)*b.Dx()/w
			stepX := max(1, (x1-x0)/6)
			var sum float32
			var n int
			for j := y0; j < y1; j += stepY {
				for i := x0; i < x1; i += stepX {
					sum += at(i, j)
					n++
				}
			}
			px[y*w+x] = sum / float32(max(n, 1))
		}
	}
	return w, h, px
}

// brightness returns a function that gives the luma of one pixel (ITU-R BT.601).
func brightness(img image.Image) func(x, y int) float32 {
	switch img := img.(type) {
	case *image.YCbCr:
		return func(x, y int) float32 { return float32(img.Y[img.YOffset(x, y)]) }
	case *image.Gray:
		return func(x, y int) float32 { return float32(img.Pix[img.PixOffset(x, y)]) }
	case *image.RGBA:
		return func(x, y int) float32 { return rgb(img.Pix[img.PixOffset(x, y):]) }
	case *image.NRGBA:
		return func(x, y int) float32 {
			p := img.Pix[img.PixOffset(x, y):]
			return rgb(p) * float32(p[3]) / 255
		}
	}
	return func(x, y int) float32 {
		r, g, b, _ := img.At(x, y).RGBA()
		return (0.299*float32(r) + 0.587*float32(g) + 0.114*float32(b)) / 257
	}
}

func rgb(p []byte) float32 {
	return 0.299*float32(p[0]) + 0.587*float32(p[1]) + 0.114*float32(p[2])
}

// integral holds the sums of all rectangles that begin in the upper left corner
// (F. Crow, "Summed-area tables for texture mapping", 1984).
type integral struct {
	w, h int
	sum  []float64
}

func integrate(w, h int, px []float32) *integral {
	t := &integral{w, h, make([]float64, (w+1)*(h+1))}
	for y := range h {
		var row float64
		for x := range w {
			row += float64(px[y*w+x])
			t.sum[(y+1)*(w+1)+x+1] = t.sum[y*(w+1)+x+1] + row
		}
	}
	return t
}

// at is the sum of the rectangle from the corner to x, y, which need not be
// whole.
func (t *integral) at(x, y float32) float64 {
	x, y = min(max(x, 0), float32(t.w)), min(max(y, 0), float32(t.h))
	i, j := min(int(x), t.w-1), min(int(y), t.h-1)
	fx, fy := float64(x)-float64(i), float64(y)-float64(j)
	up, low := t.sum[j*(t.w+1)+i:], t.sum[(j+1)*(t.w+1)+i:]
	return (up[0]*(1-fx)+up[1]*fx)*(1-fy) + (low[0]*(1-fx)+low[1]*fx)*fy
}

func (t *integral) mean(x0, y0, x1, y1 float32) float32 {
	area := float64(x1-x0) * float64(y1-y0)
	return float32((t.at(x1, y1) - t.at(x0, y1) - t.at(x1, y0) + t.at(x0, y0)) / area)
}

// window is a rectangle of a picture in parts of its width and height.
type window struct{ x, y, w, h float32 }

var whole = window{0, 0, 1, 1}

// grid is the brightness of n by m cells of a window.
func (t *integral) grid(out []float32, n, m int, v window) {
	x0, y0 := v.x*float32(t.w), v.y*float32(t.h)
	dx, dy := v.w*float32(t.w)/float32(n), v.h*float32(t.h)/float32(m)
	var above, below [lumaSide + 1]float64
	for i := range n + 1 {
		above[i] = t.at(x0+float32(i)*dx, y0)
	}
	for j := range m {
		y := y0 + float32(j+1)*dy
		for i := range n + 1 {
			below[i] = t.at(x0+float32(i)*dx, y)
		}
		for i := range n {
			out[j*n+i] = float32(below[i+1] - below[i] - above[i+1] + above[i])
		}
		above, below = below, above
	}
}

// difference is a difference hash of 16 by 16 bits.
type difference [4]uint64

// hash is the difference hash (N. Krawetz, "Kind of like that", 2013) of a
// window: one bit for each two neighbours that get brighter from left to right.
func (t *integral) hash(v window) (d difference) {
	var cell [17 * 16]float32
	t.grid(cell[:], 17, 16, v)
	for y := range 16 {
		for x := range 16 {
			if cell[y*17+x+1] > cell[y*17+x] {
				d[y/4] |= 1 << (y%4*16 + x)
			}
		}
	}
	return d
}

func (d difference) distance(e difference) (n int) {
	for i := range d {
		n += bits.OnesCount64(d[i] ^ e[i])
	}
	return n
}

// edgeSide is the side of the square whose differences are correlated.
const edgeSide = 32

// edges are the differences between neighbours, to the right and downwards, of
// a window. A few hard edges must not outweigh everything else: they are cut
// off at two and a half times the mean. norm is the length of the vector.
type edges struct {
	v    [2 * edgeSide * edgeSide]float32
	norm float32
}

func (t *integral) edges(e *edges, v window) {
	var cell [edgeSide * edgeSide]float32
	t.grid(cell[:], edgeSide, edgeSide, v)
	scale := float32(edgeSide*edgeSide) / (v.w * v.h * float32(t.w) * float32(t.h))
	var total float32
	for y := range edgeSide {
		for x := range edgeSide {
			i := y*edgeSide + x
			var right, down float32
			if x+1 < edgeSide {
				right = (cell[i+1] - cell[i]) * scale
			}
			if y+1 < edgeSide {
				down = (cell[i+edgeSide] - cell[i]) * scale
			}
			e.v[2*i], e.v[2*i+1] = right, down
			total += abs32(right) + abs32(down)
		}
	}
	most := 2.5 * total / float32(len(e.v))
	var norm float32
	for i, x := range e.v {
		x = min(max(x, -most), most)
		e.v[i] = x
		norm += x * x
	}
	e.norm = float32(math.Sqrt(float64(norm)))
}

func abs32(x float32) float32 {
	if x < 0 {
		return -x
	}
	return x
}

// correlation is 1 for the same edges, whatever the contrast, and about 0 for
// those of two pictures that have nothing in common.
func (e *edges) correlation(f *edges) float32 {
	if e.norm < 1 || f.norm < 1 {
		return 0 // flat
	}
	var sum float32
	for i := range e.v {
		sum += e.v[i] * f.v[i]
	}
	return sum / (e.norm * f.norm)
}

const (
	// sameBits is up to how many of 256 bits of the difference hash may differ
	// for two pictures to be compared more closely; unrelated ones differ in
	// about 128.
	sameBits = 84
	// sameEdges is from which correlation of their edges on two pictures are
	// one. cmd/constat-score measures it on real photos: see photomatch.go.
	sameEdges = 0.72
	// leastKept is how much of the width and of the height a copy must show:
	// eight in a hundred may be cut off on each side.
	leastKept = 0.835
)

// planted is a photo that can be recognised by its pixels.
type planted struct {
	canary        int
	width, height int
	cells         *integral
	full          edges
	hash          difference
}

func newPlanted(canary int, p *Photo) *planted {
	if len(p.Luma) != lumaSide*lumaSide || p.Width <= 0 || p.Height <= 0 {
		return nil
	}
	px := make([]float32, len(p.Luma))
	for i, v := range p.Luma {
		px[i] = float32(v)
	}
	out := &planted{canary: canary, width: p.Width, height: p.Height, cells: integrate(lumaSide, lumaSide, px)}
	out.cells.edges(&out.full, whole)
	out.hash = out.cells.hash(whole)
	return out
}

// candidate is a picture that may be a copy of a planted one.
type candidate struct {
	width, height int
	turned        [8]turned
}

// turned is a candidate turned by 0, 90, 180 or 270 degrees and then, from the
// fifth on, mirrored.
type turned struct {
	cells *integral
	hash  difference
	edges edges
}

func newCandidate(img image.Image) *candidate {
	l := luma(img)
	c := &candidate{width: img.Bounds().Dx(), height: img.Bounds().Dy()}
	for i := range c.turned {
		t := &c.turned[i]
		t.cells = integrate(lumaSide, lumaSide, turn(l[:], i))
		t.hash = t.cells.hash(whole)
		t.cells.edges(&t.edges, whole)
	}
	return c
}

// turn turns a square clockwise by how%4 quarters, and mirrors it when how > 3.
func turn(px []float32, how int) []float32 {
	const last = lumaSide - 1
	out := make([]float32, len(px))
	for y := range lumaSide {
		for x := range lumaSide {
			i, j := x, y
			if how > 3 {
				i = last - i
			}
			switch how % 4 {
			case 1:
				i, j = j, last-i
			case 2:
				i, j = last-i, last-j
			case 3:
				i, j = last-j, i
			}
			out[y*lumaSide+x] = px[j*lumaSide+i]
		}
	}
	return out
}

// form says how c is a copy of p, "" when it is none: "dhash" for the same
// picture made smaller or compressed again, "dhash-turned", "dhash-mirrored",
// and each of them with "-cropped".
func (p *planted) form(c *candidate) (form string, score float32) {
	var best struct {
		how     int
		cropped bool
	}
	for _, quarter := range []int{0, 1} {
		w, h := c.width, c.height
		if quarter == 1 {
			w, h = h, w
		}
		ratio := float32(w) * float32(p.height) / (float32(h) * float32(p.width))
		if ratio < leastKept || ratio > 1/leastKept {
			continue
		}
		consider := func(how int, v window) {
			if s, at := p.align(&c.turned[how], v, ratio); s > score {
				score, best.how, best.cropped = s, how, at.w < 0.985 || at.h < 0.985
			}
		}
		if ratio > 0.97 && ratio < 1.03 {
			for how := quarter; how < 8; how += 2 {
				if p.hash.distance(c.turned[how].hash) <= sameBits {
					consider(how, whole)
				}
			}
			if score >= 0.9 {
				break
			}
		}
		var near [8]struct {
			distance int
			at       window
		}
		for i := range near {
			near[i].distance = sameBits + 1
		}
		windows(ratio, func(v window) {
			h := p.cells.hash(v)
			for how := quarter; how < 8; how += 2 {
				if d := h.distance(c.turned[how].hash); d < near[how].distance {
					near[how].distance, near[how].at = d, v
				}
			}
		})
		for how, n := range near {
			if n.distance <= sameBits {
				consider(how, n.at)
			}
		}
	}
	if score < sameEdges {
		return "", score
	}
	form = "dhash"
	switch {
	case best.how > 3:
		form += "-mirrored"
	case best.how > 0:
		form += "-turned"
	}
	if best.cropped {
		form += "-cropped"
	}
	return form, score
}

// windows calls try for the rectangles of a planted picture that a copy with
// ratio times its proportions can show. A crop cuts both sides at one scale.
func windows(ratio float32, try func(window)) {
	const step = 0.02
	for kept := float32(1); kept >= leastKept; kept -= step {
		v := window{w: kept, h: kept}
		if ratio > 1 {
			v.h /= ratio
		} else {
			v.w *= ratio
		}
		if v.w < leastKept || v.h < leastKept {
			return
		}
		nx, ny := int((1-v.w)/step+0.99), int((1-v.h)/step+0.99)
		for j := range ny + 1 {
			for i := range nx + 1 {
				if nx > 0 {
					v.x = (1 - v.w) * float32(i) / float32(nx)
				}
				if ny > 0 {
					v.y = (1 - v.h) * float32(j) / float32(ny)
				}
				try(v)
			}
		}
	}
}

// align moves v, a window of p, and changes its size in smaller and smaller
// steps until its edges are most like those of t.
func (p *planted) align(t *turned, v window, ratio float32) (score float32, at window) {
	var e edges
	try := func(v window) float32 {
		if v.x < -0.005 || v.y < -0.005 || v.x+v.w > 1.005 || v.y+v.h > 1.005 || min(v.w, v.h) < leastKept-0.01 {
			return -1
		}
		p.cells.edges(&e, v)
		return e.correlation(&t.edges)
	}
	at, score = v, try(v)
	for _, step := range []float32{0.01, 0.005, 0.0025} {
		for range 12 {
			moved := false
			for _, d := range [...]window{{x: step}, {x: -step}, {y: step}, {y: -step}, {w: step}, {w: -step}} {
				// Growing keeps the middle where it is, and the proportions.
				next := window{at.x + d.x - d.w/2, at.y + d.y - d.w/2, at.w + d.w, at.h + d.w*at.h/at.w}
				if s := try(next); s > score {
					at, score, moved = next, s, true
				}
			}
			if !moved {
				break
			}
		}
	}
	return score, at
}

// Pictures stand inside larger files: a thumbnail in the metadata of another
// picture, a JPEG in an archive that was not compressed.
var pictureMagics = []string{"\xff\xd8\xff", "\x89PNG\r\n\x1a\n", "WEBPVP8"}

// pictures returns where pictures begin in data, at most limit, in order.
func pictures(data []byte, limit int) []int {
	var out []int
	for i, magic := range pictureMagics {
		for at := 0; len(out) < limit*(i+1); {
			n := bytes.Index(data[at:], []byte(magic))
			if n < 0 {
				break
			}
			start := at + n
			at = start + len(magic)
			if i == 2 {
				if start -= 8; start < 0 || string(data[start:start+4]) != "RIFF" {
					continue
				}
			}
			out = append(out, start)
		}
	}
	slices.Sort(out)
	return out[:min(limit, len(out))]
}
