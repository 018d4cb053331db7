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
	Doc:    "looks for pictures a camera took, in any part, by their bytes, metadata, size, file name and direction, for records that describe such pictures, and for the place and the camera's number in their metadata",
	Detect: detectPhoto,
}

// picture is what is known of one picture.
type picture struct {
	format string
	metadata
	bare   bool   // metadata without pixels
	named  string // camera-like file name next to it
	screen bool   // named as screenshots are, or of the size of a phone's screen
	page   bool   // came down as the answer to a plain request for a file
}

// Least sizes of a camera picture, and of a picture worth a suspicion.
const (
	photoLong, photoShort = 640, 480
	thumbLong, thumbShort = 150, 100
)

func detectPhoto(t *inspect.Tree) []inspect.Finding {
	var out []inspect.Finding
	seen := 0
	parts := partsOf(t, mayBePicture)
	for p := parts.next(); p != nil; p = parts.next() {
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
				Reason:  fmt.Sprintf("%s (%s) %s; %s.", pic.what(), pic.caption(), route(p), why),
			})
			out = append(out, pic.besides(p)...)
		}
	}
	return append(out, detectPhotoRecords(t)...)
}

// mayBePicture asks for the bytes that imageFormat asks for.
func mayBePicture(c *inspect.Column) bool {
	return c.Max >= 32 && c.Holds&(inspect.Controls|inspect.NonASCII|inspect.UpperCase) != 0
}

// imageFormat names the format that the first bytes give away, for formats that
// cameras write or that their pictures are turned into.
func imageFormat(b []byte) string {
	if len(b) < 32 {
		return ""
	}
	switch b[0] {
	case 'E': // the contents of a JPEG's APP1 segment, sent alone
		if string(b[1:6]) == "xif\x00\x00" && (string(b[6:10]) == "II*\x00" || string(b[6:10]) == "MM\x00*") {
			return "Exif"
		}
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
	if format == "Exif" {
		pic.metadata, pic.bare = readMetadata(p.Data[6:], "TIFF"), true
	} else {
		pic.metadata = readMetadata(p.Data, format)
		if cfg, _, err := image.DecodeConfig(bytes.NewReader(p.Data)); err == nil {
			pic.width, pic.height = cfg.Width, cfg.Height
		}
	}
	pic.named = pictureNameNear(t, p, cameraName)
	pic.screen = pic.screenSized() || pictureNameNear(t, p, screenshotName) != ""
	s := t.Subject
	pic.page = p.Direction == flow.Down && s.Method == "GET" && p.Parent == nil
	return pic
}

func (pic *picture) what() string {
	if pic.bare {
		return "The metadata of a picture"
	}
	return "A picture"
}

// besides are what the metadata gives away beside the picture. Only what leaves
// the phone says something of it.
func (pic *picture) besides(p *inspect.Part) []inspect.Finding {
	if p.Direction != flow.Up {
		return nil
	}
	var out []inspect.Finding
	if pic.placed {
		at := fmt.Sprintf("%.5f, %.5f", pic.lat, pic.lon)
		when := ""
		if pic.time != "" {
			when = " on " + shortName(pic.time)
		}
		out = append(out, inspect.Finding{
			Class: inspect.Location, Confidence: inspect.Probable, Direction: p.Direction, Path: p.Path,
			Excerpt: "GPS " + at,
			Reason:  fmt.Sprintf("The metadata of a picture that %s says where it was taken%s: %s.", route(p), when, at),
		})
	}
	if pic.serialed() {
		out = append(out, inspect.Finding{
			Class: inspect.Identifiers, Confidence: inspect.Probable, Direction: p.Direction, Path: p.Path,
			Excerpt: shortName(pic.serial),
			Reason:  fmt.Sprintf("The metadata of a picture that %s holds %s, which tells it from all others.", route(p), pic.serialOf),
		})
	}
	return out
}

func (pic *picture) caption() string {
	out := pic.format
	if pic.width > 0 {
		out += fmt.Sprintf(", %d×%d", pic.width, pic.height)
	}
	if c := pic.camera(); c != "" {
		out += ", camera " + shortName(c)
	}
	if pic.placed {
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
	camera := pic.camera()
	switch {
	case pic.placed && (camera != "" || pic.taken):
		return inspect.Probable, "it says with which camera and where it was taken"
	case p.Direction == flow.Up:
		switch {
		case camera != "" && (pic.taken || !pic.bare && pic.format != "PNG") || pic.taken:
			return inspect.Probable, "it says with which camera it was taken"
		case pic.placed:
			return inspect.Probable, "it says where it was taken"
		case pic.bare:
			return "", ""
		case pic.named != "":
			return inspect.Probable, "its file is named as cameras name theirs"
		case pic.format == "HEIC":
			return inspect.Probable, "phones' cameras write this format"
		case pic.screen:
			return inspect.Suspected, "it could be a picture of the phone's screen"
		case lossy && size:
			return inspect.Probable, "it has a camera picture's format and size"
		case pic.format == "PNG" && pic.atLeast(thumbLong, thumbShort) && min(pic.width, pic.height) >= 120 && pic.rich(len(p.Data)):
			return inspect.Suspected, "its pixels are as uneven as those of a camera picture made smaller"
		case pic.format == "JPEG" && (pic.width == 0 || pic.atLeast(thumbLong, thumbShort)):
			return inspect.Suspected, "it could be a camera picture made smaller"
		}
	case pic.bare:
	case pic.named != "" && !pic.page:
		return inspect.Probable, "its file is named as cameras name theirs"
	case camera != "" && pic.taken && (size || !pic.page):
		return inspect.Probable, "it says with which camera it was taken"
	case camera != "" && pic.taken:
		return inspect.Suspected, "it says with which camera it was taken"
	case pic.format == "HEIC":
		return inspect.Suspected, "phones' cameras write this format"
	}
	return "", ""
}

// rich says that a picture without losses takes more than a byte a pixel.
// Drawings, screens and icons pack to a fraction of that; what a sensor saw has
// noise in each pixel.
func (pic *picture) rich(size int) bool {
	return size > pic.width*pic.height
}

// screenWidths are the shorter sides, in pixels, of the screens of phones since
// 2010 that are no usual size of anything else.
var screenWidths = map[int]bool{
	640: true, 720: true, 750: true, 828: true, 1080: true, 1125: true, 1170: true, 1179: true,
	1206: true, 1220: true, 1242: true, 1260: true, 1284: true, 1290: true, 1320: true, 1344: true, 1440: true,
}

// screenSized says that a PNG is as large as the screen of a phone: it could be a
// screenshot, which phones store as PNG and without a camera's metadata.
func (pic *picture) screenSized() bool {
	short, long := min(pic.width, pic.height), max(pic.width, pic.height)
	return pic.format == "PNG" && screenWidths[short] && long*100 >= short*162 && long*100 <= short*240 &&
		pic.width < pic.height // pages show pictures of these widths lying
}

// pictureNameNear looks for a file name that find knows beside p, around the
// layers that were taken off to reach it, and in the request's path.
func pictureNameNear(t *inspect.Tree, p *inspect.Part, find func(string) string) string {
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
				if name := find(string(c.Data)); name != "" {
					return name
				}
			}
		}
	}
	if p.Direction == flow.Up {
		return find(t.Subject.Path)
	}
	return ""
}

// screenshotName returns the file name in s if phones name screenshots so.
func screenshotName(s string) string {
	if i := strings.LastIndexAny(s, `/\`); i >= 0 {
		s = s[i+1:]
	}
	dot := strings.LastIndexByte(s, '.')
	if dot < 8 || !pictureExtension(s[dot+1:]) {
		return ""
	}
	for _, prefix := range []string{"screenshot", "screen_shot", "screen shot", "screencapture", "capture_", "bildschirmfoto", "captura"} {
		if len(s) > len(prefix) && equalFold(s[:len(prefix)], prefix) && strings.ContainsAny(s, "0123456789") {
			return s
		}
	}
	return ""
}

// cameraName returns the file name in s if a camera could have given it:
// IMG_20140731_134500.jpg, DSC01234.JPG, PXL_…, DCIM/Camera/20140731_134500.jpg.
func cameraName(s string) string {
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
	if len(name) < len(s) && (containsFold(s, "dcim/") || containsFold(s, "/camera/")) {
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
	// IMG20140731134500
	if len(stem) >= 17 && len(stem) <= 24 && equalFold(stem[:3], "img") && allDigits([]byte(stem[3:17])) && (stem[3] == '2' || stem[3] == '1') {
		return name
	}
	// 20140731_134500
	if len(stem) >= 15 && allDigits([]byte(stem[:8])) && (stem[8] == '_' || stem[8] == '-') && allDigits([]byte(stem[9:15])) && (stem[0] == '2' || stem[0] == '1') {
		return name
	}
	return ""
}

// isCameraFile says that p is the name of a file that a camera gave.
func isCameraFile(p *inspect.Part) bool {
	const more = inspect.Quotes | inspect.Hashes | inspect.Others // behind the name of a file
	n := len(p.Data)
	if n < 5 || n > 300 || p.Holds()&inspect.Dots == 0 || p.Holds()&more == 0 && (p.Data[n-4] != '.' && p.Data[n-5] != '.' || !lastOfPicture[p.Data[n-1]]) {
		return false
	}
	return cameraName(string(p.Data)) != ""
}

// lastOfPicture are the bytes that the extensions of pictures end in, see
// pictureExtension.
var lastOfPicture = [256]bool{'g': true, 'c': true, 'f': true, 'p': true, 'w': true, '2': true, 'G': true, 'C': true, 'F': true, 'P': true, 'W': true}

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
	photoExif:  `exif exifinfo model camera cameramodel make orientation iso fnumber exposuretime focallength aperture lensmodel gpslatituderef exposure shutter shutterspeed fstop aperturefnumber isoequivalent isospeed isospeedratings flash flashfired whitebalance meteringmode lensmake lens cameramake exposurebias exposurecompensation zoomratio digitalzoomratio`,
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
	take := func(r inspect.Record) bool {
		name, seen := readPhoto(r, &inside)
		if name == nil {
			return true
		}
		if r.Parent != in {
			if len(out) >= maxFindings {
				return false
			}
			flush()
			in, count, first = r.Parent, 0, len(out)
		}
		if count++; count > maxNamed {
			return true
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
		return true
	}
	for r := range records(t, photoGate) {
		if len(r.Fields) >= 1 && !take(r) {
			break
		}
	}
	texts := 0
	table := func(c *inspect.Column) bool {
		return c.Max >= 40 && hasText(c) && c.Holds&inspect.Newlines != 0 && c.Holds&inspect.Dots != 0
	}
	parts := partsOf(t, table)
	for p := parts.next(); p != nil; p = parts.next() {
		if texts < maxPhotoTables && p.Direction == flow.Up && len(p.Data) >= 40 && len(p.Data) <= longestLoose && p.Kind <= inspect.Text && len(p.Children) == 0 && p.Same == nil && isPhotoTable(p.Data) {
			texts++
			for _, r := range looseRecords(p) {
				if len(r.Fields) >= 2 && !take(r) {
					break
				}
			}
		}
	}
	flush()
	return out
}

// maxPhotoTables bounds the texts that are read as tables of pictures.
const maxPhotoTables = 16

// isPhotoTable says that d has a first line of names and names of pictures below.
func isPhotoTable(d []byte) bool {
	i := bytes.IndexByte(d[:min(len(d), 512)], '\n')
	if i < 8 || !bytes.ContainsAny(d[:i], ",;\t|") {
		return false
	}
	for _, ext := range []string{".jpg", ".JPG", ".jpeg", ".heic", ".HEIC", ".dng"} {
		if bytes.Contains(d[i:min(len(d), i+1024)], []byte(ext)) {
			return true
		}
	}
	return false
}

// readPhoto returns the field that names a camera's file, if r says enough
// besides the name, and what it says.
func readPhoto(r inspect.Record, inside *nesting) (name *inspect.Part, seen [photoCount]bool) {
	var buf [maxName]byte
	for _, f := range r.Fields {
		if f.Kind == inspect.Text && isCameraFile(f) {
			if photoWords.of(f.Name) == photoName {
				name = f
				break
			}
			if name == nil {
				name = f // by its value: what a field is called is anybody's choice
			}
		}
	}
	unnamed := name == nil
	if unnamed {
		// A picture that goes up can be described without its name.
		for _, f := range r.Fields {
			if f.Direction == flow.Up && f.Kind == inspect.Text && pictureType(f.Data) {
				name = f
				break
			}
		}
	}
	if name == nil {
		return nil, seen
	}
	seen[photoName] = !unnamed
	settings := 0
	note := func(f *inspect.Part, word []byte) {
		w := photoWords.word(word)
		if w == photoNone {
			w = photoSuffix(word)
		}
		switch {
		case w == photoNone || w == photoName || len(f.Data) == 0:
		case w == photoHash && (len(f.Data) < 8 || len(f.Data) > 128):
		case w == photoSize && !allDigits(f.Data):
		default:
			if w == photoExif {
				settings++
			}
			seen[w] = true
		}
	}
	for _, f := range r.Fields {
		if f.Name == "" || f.Name[0]-'0' < 10 {
			if k := photoValue(f); k != photoNone {
				seen[k] = true
			}
			continue
		}
		note(f, squeeze(&buf, f.Name))
	}
	for f := range inside.in(r) {
		note(f, squeeze(&buf, f.Name))
	}
	besides := 0
	if settings >= 2 {
		besides++ // several of its settings say more than one
	}
	for f := photoHash; f < photoCount; f++ {
		if seen[f] {
			besides++
		}
	}
	if unnamed {
		if seen[photoTaken] && (seen[photoHash] || seen[photoPlace]) && (seen[photoShape] || seen[photoSize] || seen[photoExif]) {
			return name, seen
		}
		return nil, seen
	}
	if besides >= 2 || seen[photoPlace] || seen[photoHash] {
		return name, seen
	}
	return nil, seen
}

// photoValue says what a value without a name can be in the description of a
// picture: of messages whose fields have numbers only.
func photoValue(f *inspect.Part) photoField {
	d := f.Data
	switch {
	case f.Kind == inspect.Bytes && (len(d) == 16 || len(d) == 20 || len(d) == 32),
		f.Kind == inspect.Text && (len(d) == 32 || len(d) == 40 || len(d) == 64) && isHexDigits(d):
		return photoHash
	case f.Kind != inspect.Number || !allDigits(d):
	case isTimeNumber(d):
		return photoTaken
	case len(d) >= 5 && len(d) <= 9:
		return photoSize
	case len(d) == 3 || len(d) == 4:
		return photoShape
	}
	return photoNone
}

// photoSuffixes are words that names of fields end in which say more than the
// last word: originalFileSize, asset_checksum.
var photoSuffixes = []struct {
	word  string
	field photoField
}{
	{"checksum", photoHash},
	{"sha1", photoHash},
	{"sha256", photoHash},
	{"md5", photoHash},
	{"hash", photoHash},
	{"digest", photoHash},
	{"fingerprint", photoHash},
	{"size", photoSize},
	{"length", photoSize},
	{"creationdate", photoTaken},
	{"createdat", photoTaken},
	{"takenat", photoTaken},
	{"datetaken", photoTaken},
	{"capturedat", photoTaken},
	{"mtime", photoTaken},
	{"modifiedat", photoTaken},
	{"latitude", photoPlace},
	{"longitude", photoPlace},
}

func photoSuffix(word []byte) photoField {
	for _, s := range photoSuffixes {
		if len(word) >= len(s.word) && string(word[len(word)-len(s.word):]) == s.word {
			return s.field
		}
	}
	return photoNone
}

// pictureType says that b is the media type of a format that cameras write.
func pictureType(b []byte) bool {
	return len(b) >= 9 && (b[0]|0x20 == 'i' || b[0]|0x20 == 'p') && equalFoldAny(b, "image/jpeg", "image/jpg", "image/heic", "image/heif", "image/avif", "image/webp", "image/x-adobe-dng", "public.heic", "public.jpeg")
}
