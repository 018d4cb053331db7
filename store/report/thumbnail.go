package report

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"image"
	_ "image/gif" // decoders of the pictures that are shown
	"image/jpeg"
	_ "image/png"
	"strconv"
	"strings"

	"constat/inspect"

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
func thumbnail(l *language, data []byte, blur bool) (info, url string) {
	c, format, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil || c.Width < 1 || c.Height < 1 {
		return "", ""
	}
	info = l.say("photo.info", strings.ToUpper(format), strconv.Itoa(c.Width), strconv.Itoa(c.Height), l.size(int64(len(data))))
	if len(data) > maxPicture || c.Width > maxPixels/c.Height {
		return info, ""
	}
	src, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return l.say("photo.damaged", info), ""
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

// Bounds on the gallery.
const (
	maxPhotos  = 12
	triedPaths = 60
)

// photos collects the photographs that can be read, what left the phone first.
func (g *gatherer) photos() error {
	g.doc.Photos = []Photo{}
	if g.opt.Inspector == nil {
		return nil
	}
	type found struct {
		photo Photo
		path  inspect.Path
		frame int64
	}
	list, err := collect(g, `
		SELECT request_id, f.frame_id, f.path, f.direction, r.time, r.host FROM findings f JOIN requests r ON r.id = request_id
		WHERE class = 'photo' GROUP BY 1, 2, 3, 4 ORDER BY f.direction = 'up' DESC, max(`+sureness3+`) DESC, request_id LIMIT ?`, []any{triedPaths},
		func(scan func(...any) error) (f found, err error) {
			return f, scan(&f.photo.Request, &f.frame, &f.path, &f.photo.Direction, stamp{&f.photo.Time}, &f.photo.Host)
		})
	if err != nil {
		return err
	}
	exhibit := map[int64]int{}
	for _, e := range g.doc.Exhibits {
		exhibit[e.Request] = e.Number
	}
	known := map[string]bool{}
	for _, f := range list {
		subject, err := g.r.Subject(g.ctx, f.photo.Request, f.frame, maxSubject)
		if err != nil {
			return err
		}
		part, err := g.opt.Inspector.Replay(subject, f.path)
		if err != nil {
			continue // the exhibits say so
		}
		sum := sha256.Sum256(part.Data)
		p := f.photo
		p.SHA256 = hex.EncodeToString(sum[:])
		if known[p.SHA256] {
			continue
		}
		known[p.SHA256] = true
		if len(g.doc.Photos) == maxPhotos {
			g.doc.MorePhotos++
			continue
		}
		if p.Info, p.Image = thumbnail(g.l, part.Data, !g.opt.ShowPhotos); p.Info == "" {
			continue
		}
		p.Exhibit = exhibit[p.Request]
		p.Caption = g.l.say("photo.of", g.l.word("direction", p.Direction), p.Host, p.Info)
		g.doc.Photos = append(g.doc.Photos, p)
	}
	return nil
}
