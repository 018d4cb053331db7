package detect

import (
	"bytes"
	"fmt"
	"image"
	_ "image/jpeg" // for the dimensions
	_ "image/png"
	"strings"

	"constat/inspect"
	"constat/proxy/flow"

	"github.com/bep/imagemeta"
	_ "golang.org/x/image/webp"
)

// Photo recognises camera pictures, and lists of them.
//
// A picture is told from a web page's images by what a camera writes into it,
// by its size, by the name of its file and by which way it went: pictures that
// come down as answers to plain requests for a file are a page's, unless they
// say where or by which camera they were taken.
var Photo = inspect.Detector{
	Name:   "photo",
	Class:  inspect.Photo,
	Doc:    "looks for pictures a camera took, in any part, by their bytes, metadata, size, file name and direction, and for records that describe such pictures",
	Detect: detectPhoto,
}

// picture is what is known of one picture.
type picture struct {
	format        string
	width, height int
	camera        string // model, "" unknown
	gps, taken    bool
	named         string // camera-like file name next to it
	page          bool   // came down as the answer to a plain request for a file
}

// Least sizes of a camera picture, and of a picture worth a suspicion.
const (
	photoLong, photoShort = 640, 480
	thumbLong, thumbShort = 150, 100
)

func detectPhoto(t *inspect.Tree) []inspect.Finding {
	var out []inspect.Finding
	seen := 0
	for _, p := range t.Parts {
		format := imageFormat(p.Data)
		if format == "" || p.Same != nil {
			continue
		}
		if seen++; seen > 64 {
			break // the rest of a page's images
		}
		pic := look(t, p, format)
		if confidence, why := pic.weigh(p); confidence != "" {
			out = append(out, inspect.Finding{
				Confidence: confidence, Direction: p.Direction, Path: p.Path,
				Excerpt: pic.caption(),
				Reason:  fmt.Sprintf("A picture (%s) %s; %s.", pic.caption(), route(p), why),
			})
		}
	}
	return append(out, detectPhotoRecords(t)...)
}

// imageFormat names the format that the first bytes give away, for formats that
// cameras write or that their pictures are turned into.
func imageFormat(b []byte) string {
	if len(b) < 32 {
		return ""
	}
	switch b[0] {
	case 0xff:
		if b[1] == 0xd8 && b[2] == 0xff {
			return "JPEG"
		}
	case 0x89:
		if string(b[1:8]) == "PNG\r\n\x1a\n" {
			return "PNG"
		}
	case 'R':
		if string(b[:4]) == "RIFF" && string(b[8:12]) == "WEBP" {
			return "WebP"
		}
	case 'I', 'M':
		if string(b[:4]) == "II*\x00" || string(b[:4]) == "MM\x00*" {
			return "TIFF"
		}
	case 0:
		if string(b[4:8]) == "ftyp" {
			switch string(b[8:11]) {
			case "hei", "hev", "mif", "msf":
				return "HEIC"
			case "avi":
				return "AVIF"
			}
		}
	}
	return ""
}

func look(t *inspect.Tree, p *inspect.Part, format string) *picture {
	pic := &picture{format: format}
	if cfg, _, err := image.DecodeConfig(bytes.NewReader(p.Data)); err == nil {
		pic.width, pic.height = cfg.Width, cfg.Height
	}
	pic.metadata(p.Data)
	pic.named = cameraNameNear(t, p)
	s := t.Subject
	pic.page = p.Direction == flow.Down && s.Method == "GET" && p.Parent == nil
	return pic
}

// metadata reads what a camera wrote. The reader is bounded in tags and time,
// and what is broken counts as absent.
func (pic *picture) metadata(data []byte) {
	format, ok := map[string]imagemeta.ImageFormat{
		"JPEG": imagemeta.JPEG, "PNG": imagemeta.PNG, "WebP": imagemeta.WebP,
		"TIFF": imagemeta.TIFF, "HEIC": imagemeta.HEIF, "AVIF": imagemeta.AVIF,
	}[pic.format]
	if !ok {
		return
	}
	defer func() { _ = recover() }() // a hostile file costs its metadata only
	var maker string
	_, _ = imagemeta.Decode(imagemeta.Options{
		R: bytes.NewReader(data), ImageFormat: format, Sources: imagemeta.EXIF,
		LimitNumTags: 2000, LimitTagSize: 64 << 10,
		HandleTag: func(info imagemeta.TagInfo) error {
			switch info.Tag {
			case "Make":
				maker = fmt.Sprint(info.Value)
			case "Model":
				pic.camera = fmt.Sprint(info.Value)
			case "GPSLatitude":
				pic.gps = true
			case "DateTimeOriginal", "ExposureTime", "FNumber", "ISO", "FocalLength":
				pic.taken = true
			}
			return nil
		},
	})
	pic.camera = strings.TrimSpace(pic.camera)
	if pic.camera == "" {
		pic.camera = strings.TrimSpace(maker)
	}
}

func (pic *picture) caption() string {
	out := pic.format
	if pic.width > 0 {
		out += fmt.Sprintf(", %d×%d", pic.width, pic.height)
	}
	if pic.camera != "" {
		out += ", camera " + shortName(pic.camera)
	}
	if pic.gps {
		out += ", with a place"
	}
	if pic.named != "" {
		out += ", file " + shortName(pic.named)
	}
	return out
}

func (pic *picture) atLeast(long, short int) bool {
	return max(pic.width, pic.height) >= long && min(pic.width, pic.height) >= short
}

// weigh decides, and says why.
func (pic *picture) weigh(p *inspect.Part) (inspect.Confidence, string) {
	size := pic.atLeast(photoLong, photoShort)
	lossy := pic.format == "JPEG" || pic.format == "HEIC" || pic.format == "AVIF" || pic.format == "WebP"
	switch {
	case pic.gps && (pic.camera != "" || pic.taken):
		return inspect.Probable, "it says with which camera and where it was taken"
	case p.Direction == flow.Up:
		switch {
		case pic.camera != "" || pic.taken:
			return inspect.Probable, "it says with which camera it was taken"
		case pic.named != "":
			return inspect.Probable, "its file is named as cameras name theirs"
		case pic.format == "HEIC":
			return inspect.Probable, "phones' cameras write this format"
		case lossy && size:
			return inspect.Probable, "it has a camera picture's format and size"
		case pic.format == "JPEG" && (pic.width == 0 || pic.atLeast(thumbLong, thumbShort)):
			return inspect.Suspected, "it could be a camera picture made smaller"
		}
	case pic.named != "" && !pic.page:
		return inspect.Probable, "its file is named as cameras name theirs"
	case pic.camera != "" && pic.taken && (size || !pic.page):
		return inspect.Probable, "it says with which camera it was taken"
	case pic.camera != "" && pic.taken:
		return inspect.Suspected, "it says with which camera it was taken"
	case pic.format == "HEIC":
		return inspect.Suspected, "phones' cameras write this format"
	}
	return "", ""
}

// cameraNameNear looks for a camera-like file name beside p, around the layers
// that were taken off to reach it, and in the request's path.
func cameraNameNear(t *inspect.Tree, p *inspect.Part) string {
	for at := p; at != nil; at = at.Parent {
		siblings := t.Parts
		if at.Parent != nil {
			siblings = at.Parent.Children
		}
		for i, c := range siblings {
			if i > 200 {
				break
			}
			if at.Parent == nil && (c.Parent != nil || c.Direction != p.Direction) {
				continue
			}
			if at.Parent != nil && c.Group != at.Group {
				continue
			}
			if len(c.Data) <= 200 && c.Kind == inspect.Text {
				if name := cameraName(string(c.Data)); name != "" {
					return name
				}
			}
		}
	}
	if p.Direction == flow.Up {
		return cameraName(t.Subject.Path)
	}
	return ""
}

// cameraName returns the file name in s if a camera could have given it:
// IMG_20140731_134500.jpg, DSC01234.JPG, PXL_…, DCIM/Camera/20140731_134500.jpg.
func cameraName(s string) string {
	dcim := containsFold(s, "dcim/") || containsFold(s, "/camera/")
	name := s
	if i := strings.LastIndexAny(name, `/\`); i >= 0 {
		name = name[i+1:]
	}
	if i := strings.IndexAny(name, `?#"`); i >= 0 {
		name = name[:i]
	}
	dot := strings.LastIndexByte(name, '.')
	if dot < 3 || !pictureExtension(name[dot+1:]) {
		return ""
	}
	if dcim {
		return name
	}
	stem := name[:dot]
	digits := 0
	for i := range len(stem) {
		if stem[i]-'0' < 10 {
			digits++
		}
	}
	for _, prefix := range []string{"img_", "img-", "dsc", "dscf", "dscn", "pxl_", "mvimg_", "pano_", "burst", "wp_", "photo_", "pic_", "cimg", "p_20", "imag", "image_20", "hdr_", "portrait_"} {
		if len(stem) > len(prefix) && equalFold(stem[:len(prefix)], prefix) && digits >= 4 && (stem[len(prefix)]-'0' < 10 || stem[len(prefix)] == '_') {
			return name
		}
	}
	// 20140731_134500
	if len(stem) >= 15 && allDigits([]byte(stem[:8])) && (stem[8] == '_' || stem[8] == '-') && allDigits([]byte(stem[9:15])) && (stem[0] == '2' || stem[0] == '1') {
		return name
	}
	return ""
}

func pictureExtension(ext string) bool {
	return equalFoldAny([]byte(ext), "jpg", "jpeg", "heic", "heif", "webp", "avif", "png", "dng", "tif", "tiff", "raw", "arw", "cr2", "nef")
}

// photoField is a family of field names in a description of a picture.
type photoField uint8

const (
	photoNone photoField = iota
	photoName
	photoHash
	photoSize
	photoPlace
	photoExif
	photoTaken
	photoShape
	photoCount
)

var photoWords = newLexicon(map[photoField]string{
	photoName:  `filename name file path localpath filepath title displayname originalname originalfilename imagename picname photoname uri data nom dateiname`,
	photoHash:  `sha1 md5 sha256 hash checksum digest sha1base16 filehash fingerprint etag crc32 sum sha hashvalue`,
	photoSize:  `size filesize length bytes bytesize contentlength sizebytes`,
	photoPlace: `gps latitude lat gpslatitude geo geoinfo location lng longitude coordinates gpslat`,
	photoExif:  `exif exifinfo model camera cameramodel make orientation iso fnumber exposuretime focallength aperture lensmodel gpslatituderef`,
	photoTaken: `datetaken taken takenat datetimeoriginal datetime creationdate createdate captured captureddate shottime taketime phototime datemodified dateadded creationtime`,
	photoShape: `width height imagewidth imageheight imagelength resolution`,
})

var photoLabels = [photoCount]string{
	photoName: "file name", photoHash: "hash", photoSize: "size", photoPlace: "place",
	photoExif: "camera data", photoTaken: "time taken", photoShape: "dimensions",
}

// detectPhotoRecords finds records that describe pictures without holding them.
func detectPhotoRecords(t *inspect.Tree) []inspect.Finding {
	var out []inspect.Finding
	var in *inspect.Part
	var inside nesting
	count, first := 0, 0
	flush := func() {
		if count > 1 {
			out[first].Reason += fmt.Sprintf(" It is one of %d such records in the same place.", count)
		}
	}
	for r := range records(t) {
		if len(r.Fields) < 2 {
			continue
		}
		name, seen := readPhoto(r, &inside)
		if name == nil {
			continue
		}
		if r.Parent != in {
			if len(out) >= maxFindings {
				break
			}
			flush()
			in, count, first = r.Parent, 0, len(out)
		}
		if count++; count > maxNamed {
			continue
		}
		var have []string
		for f := photoName; f < photoCount; f++ {
			if seen[f] {
				have = append(have, photoLabels[f])
			}
		}
		out = append(out, inspect.Finding{
			Confidence: inspect.Probable, Direction: r.Direction, Path: name.Path,
			Reason: fmt.Sprintf("A record that describes a camera picture, with %s, %s.", list(have), route(name)),
		})
	}
	flush()
	return out
}

// readPhoto returns the field that names a camera's file, if r says enough
// besides the name, and what it says.
func readPhoto(r inspect.Record, inside *nesting) (name *inspect.Part, seen [photoCount]bool) {
	var buf [maxName]byte
	for _, f := range r.Fields {
		if f.Kind == inspect.Text && len(f.Data) <= 300 && photoWords.of(f.Name) == photoName && cameraName(string(f.Data)) != "" {
			name = f
			break
		}
	}
	if name == nil {
		return nil, seen
	}
	seen[photoName] = true
	note := func(f *inspect.Part, word []byte) {
		w := photoWords.word(word)
		switch {
		case w == photoNone || w == photoName || len(f.Data) == 0:
		case w == photoHash && (len(f.Data) < 8 || len(f.Data) > 128):
		case w == photoSize && !allDigits(f.Data):
		default:
			seen[w] = true
		}
	}
	for _, f := range r.Fields {
		note(f, squeeze(&buf, f.Name))
	}
	for f := range inside.in(r) {
		note(f, squeeze(&buf, f.Name))
	}
	besides := 0
	for f := photoHash; f < photoCount; f++ {
		if seen[f] {
			besides++
		}
	}
	if besides >= 2 || seen[photoPlace] || seen[photoHash] {
		return name, seen
	}
	return nil, seen
}
