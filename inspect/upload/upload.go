// Package upload puts files together again that were sent in several requests:
// resumable uploads, multipart uploads to object stores, and forms that carry
// one chunk each.
//
// It is a pure function of the exchanges: Recognise says which piece of which
// upload an exchange carries, and Join puts the pieces of one together. Finding
// the other exchanges is the business of who has them. It does not look into
// what is put together.
package upload

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"constat/inspect"
)

// Piece is what one exchange carries of an upload.
type Piece struct {
	Key string // the same for all pieces of one upload, and for no others
	// AnyPath says that other pieces may have been sent to other paths of the
	// host; they have the same path else.
	AnyPath bool
	// InBody says that only the body shows what piece it is.
	InBody bool

	Data []byte // shared with the Subject; empty when the exchange only begins or ends the upload
	// At is where Data belongs: an offset in bytes or, when Numbered, its number.
	At       int64
	Numbered bool
	Block    string   // its name, where pieces have names instead of numbers
	Order    []string // the names of all blocks, in the exchange that ends such an upload

	Total int64 // bytes of the whole, 0 unknown
	Count int64 // pieces of the whole, 0 unknown
	// MayEnd says that the upload may be complete with this exchange, and End
	// that it is.
	MayEnd, End bool

	Name, Media string // of the file, as declared
	Exchange    int64  // set by the caller
}

// near is how many pieces are expected to be on their way at a time: a client
// that sends several at once does not end with the last one.
const near = 8

// Recognise says which piece s carries, if any. For a Piece that is not InBody,
// the bodies of s need not be there.
func Recognise(s *inspect.Subject) (p Piece, ok bool) {
	if s.Frame != nil || s.Method != http.MethodPost && s.Method != http.MethodPut && s.Method != http.MethodPatch {
		return Piece{}, false
	}
	for _, by := range protocols {
		if p, ok := by(s); ok {
			p.Media = cmp.Or(p.Media, s.Request.Header.Get("Content-Type"))
			return p, true
		}
	}
	return Piece{}, false
}

// May reports, from the head of a request alone, whether Recognise could say
// that s is a piece.
func May(s *inspect.Subject) bool {
	h := s.Request.Header
	for _, name := range []string{"Content-Range", "Upload-Offset", "Upload-Length", "Upload-Complete", "X-Goog-Upload-Command", "X-Entity-Length", "Dropbox-Api-Arg"} {
		if h[name] != nil {
			return true
		}
	}
	return strings.HasPrefix(h.Get("Content-Type"), "multipart/form-data") || strings.Contains(s.Query, "=")
}

var protocols = []func(*inspect.Subject) (Piece, bool){contentRange, tus, goog, rupload, dropbox, s3, azure, form}

// key tells uploads of different hosts and protocols apart.
func key(protocol string, s *inspect.Subject, more ...string) string {
	return strings.Join(append([]string{protocol, s.Host}, more...), "\x00")
}

// contentRange is a part of a file sent with its place (RFC 9110 section
// 14.4), as Google's and Microsoft's resumable uploads do.
func contentRange(s *inspect.Subject) (Piece, bool) {
	unit, spec, _ := strings.Cut(s.Request.Header.Get("Content-Range"), " ")
	span, total, ok := strings.Cut(spec, "/")
	first, last, ok2 := strings.Cut(span, "-")
	a, ok3 := number(first)
	b, ok4 := number(last)
	if !strings.EqualFold(unit, "bytes") || !ok || !ok2 || !ok3 || !ok4 || b < a {
		return Piece{}, false
	}
	p := Piece{Key: key("content-range", s, s.Path, s.Query), Data: s.Request.Body, At: a}
	if n, ok := number(total); ok {
		p.Total, p.End = n, b+1 == n
	}
	p.MayEnd = p.End
	return p, true
}

// tus is the tus protocol (tus.io/protocols/resumable-upload 1.0.0) and the
// one that the IETF makes of it (draft-ietf-httpbis-resumable-upload).
func tus(s *inspect.Subject) (Piece, bool) {
	h := s.Request.Header
	total, known := number(h.Get("Upload-Length"))
	at, placed := number(h.Get("Upload-Offset"))
	complete := h.Get("Upload-Complete")
	if h.Get("Tus-Resumable") == "" && complete == "" && h.Get("Content-Type") != "application/offset+octet-stream" {
		return Piece{}, false
	}
	switch {
	case s.Method == http.MethodPost && !placed && (known || complete != ""): // begins it
		at, err := url.Parse(s.Response.Header.Get("Location"))
		if err != nil || at.Path == "" || at.Host != "" && at.Hostname() != s.Host {
			return Piece{}, false
		}
		p := Piece{Key: key("tus", s, path.Join("/", relative(s.Path, at.Path))), AnyPath: true, Total: total, Name: tusName(h.Get("Upload-Metadata"))}
		if h.Get("Tus-Resumable") == "" || h.Get("Content-Type") == "application/offset+octet-stream" {
			p.Data = s.Request.Body
		}
		return p, true
	case placed:
		p := Piece{Key: key("tus", s, path.Join("/", s.Path)), AnyPath: true, Data: s.Request.Body, At: at, Total: total, MayEnd: true, End: complete == "?1"}
		return p, true
	}
	return Piece{}, false
}

func relative(base, to string) string {
	if strings.HasPrefix(to, "/") {
		return to
	}
	return path.Join(path.Dir(base), to)
}

// tusName takes the file name out of "filename d29ybGQ=,is_confidential".
func tusName(metadata string) string {
	for pair := range strings.SplitSeq(metadata, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(pair), " ")
		if name != "filename" && name != "name" {
			continue
		}
		if b, err := base64.StdEncoding.DecodeString(value); err == nil {
			return string(b)
		}
	}
	return ""
}

// goog is Google's other resumable protocol, with headers X-Goog-Upload-….
func goog(s *inspect.Subject) (Piece, bool) {
	h := s.Request.Header
	command := h.Get("X-Goog-Upload-Command")
	at, ok := number(h.Get("X-Goog-Upload-Offset"))
	if !ok || !strings.Contains(command, "upload") && !strings.Contains(command, "finalize") {
		return Piece{}, false
	}
	p := Piece{Key: key("x-goog-upload", s, s.Path, s.Query), Data: s.Request.Body, At: at, End: strings.Contains(command, "finalize")}
	p.MayEnd = p.End
	return p, true
}

// rupload is a request with the length of the whole and an offset, as
// Facebook's apps send files.
func rupload(s *inspect.Subject) (Piece, bool) {
	h := s.Request.Header
	total, ok := number(h.Get("X-Entity-Length"))
	at, ok2 := number(h.Get("Offset"))
	if !ok || !ok2 {
		return Piece{}, false
	}
	return Piece{
		Key: key("x-entity", s, s.Path, h.Get("X-Entity-Name")), Data: s.Request.Body, At: at, Total: total, MayEnd: true,
		Name: h.Get("X-Entity-Name"), Media: h.Get("X-Entity-Type"),
	}, true
}

// dropbox is an upload session (dropbox.com/developers/documentation/http,
// upload_session): the place of a piece is JSON in a header.
func dropbox(s *inspect.Subject) (Piece, bool) {
	text := s.Request.Header.Get("Dropbox-Api-Arg")
	if text == "" || len(text) > 16<<10 {
		return Piece{}, false
	}
	var arg struct {
		Cursor struct {
			Session string `json:"session_id"`
			Offset  int64  `json:"offset"`
		} `json:"cursor"`
		Commit *struct {
			Path string `json:"path"`
		} `json:"commit"`
	}
	if json.Unmarshal([]byte(text), &arg) != nil {
		return Piece{}, false
	}
	p := Piece{AnyPath: true, Data: s.Request.Body, At: arg.Cursor.Offset, Media: "application/octet-stream"}
	session := arg.Cursor.Session
	if session == "" && strings.HasSuffix(s.Path, "/upload_session/start") { // the answer names it
		var answer struct {
			Session string `json:"session_id"`
		}
		if len(s.Response.Body) <= 4<<10 && json.Unmarshal(s.Response.Body, &answer) == nil {
			session = answer.Session
		}
		p.InBody = true
	}
	if arg.Commit != nil {
		p.End, p.MayEnd, p.Name = true, true, path.Base(arg.Commit.Path)
	}
	p.Key = key("dropbox", s, session)
	return p, p.At >= 0 && (session != "" || p.InBody && !p.End)
}

// s3 is a multipart upload to an object store (Amazon S3 API reference,
// UploadPart and CompleteMultipartUpload), which many others copy.
func s3(s *inspect.Subject) (Piece, bool) {
	if !strings.Contains(s.Query, "uploadId=") {
		return Piece{}, false
	}
	q, _ := url.ParseQuery(s.Query)
	id := q.Get("uploadId")
	if id == "" {
		return Piece{}, false
	}
	p := Piece{Key: key("s3", s, s.Path, id), Numbered: true, Name: path.Base(s.Path)}
	if n, ok := number(q.Get("partNumber")); ok {
		p.At, p.Data = n, s.Request.Body
		return p, n > 0
	}
	p.At, p.End, p.MayEnd = -1, true, true
	return p, s.Method == http.MethodPost
}

// azure is a block blob (learn.microsoft.com/rest/api/storageservices,
// Put Block and Put Block List).
func azure(s *inspect.Subject) (Piece, bool) {
	if !strings.Contains(s.Query, "comp=block") || s.Method != http.MethodPut {
		return Piece{}, false
	}
	q, _ := url.ParseQuery(s.Query)
	p := Piece{Key: key("block", s, s.Path), Name: path.Base(s.Path)}
	switch q.Get("comp") {
	case "block":
		p.Block, p.Data = q.Get("blockid"), s.Request.Body
		return p, p.Block != ""
	case "blocklist":
		p.InBody, p.End, p.MayEnd = true, true, true
		p.Order = elements(s.Request.Body)
		return p, len(p.Order) > 0
	}
	return Piece{}, false
}

// maxBlocks is the number of blocks that a blob may have.
const maxBlocks = 50_000

// elements returns the texts in a flat XML list.
func elements(b []byte) (texts []string) {
	for len(texts) < maxBlocks {
		_, after, ok := bytes.Cut(b, []byte{'>'})
		if !ok {
			break
		}
		text, rest, _ := bytes.Cut(after, []byte{'<'})
		if text = bytes.TrimSpace(text); len(text) > 0 && len(text) <= 128 {
			texts = append(texts, string(text))
		}
		b = rest
	}
	return texts
}

// The names that libraries give to the fields of a chunk, without separators
// and in lower case: resumable.js, flow.js, Dropzone, Plupload, Fine Uploader,
// WebUploader, and what people write themselves.
var (
	indexNames = words("chunk chunkindex chunknumber chunkno currentchunk resumablechunknumber flowchunknumber dzchunkindex qqpartindex partindex partnumber blockindex sliceindex slicenumber index seq")
	countNames = words("chunks chunkcount chunkscount totalchunks chunktotal totalchunk resumabletotalchunks flowtotalchunks dztotalchunkcount qqtotalparts partcount totalparts parts blockcount slicecount slices total")
	idNames    = words("resumableidentifier flowidentifier dzuuid qquuid fileid uploadid taskid uuid guid identifier filemd5 filehash md5 hash id name filename resumablefilename flowfilename qqfilename")
	fileNames  = words("filename name resumablefilename flowfilename qqfilename originalname")
)

func words(list string) map[string]bool {
	set := make(map[string]bool)
	for _, w := range strings.Fields(list) {
		set[w] = true
	}
	return set
}

// plain removes what naming styles differ in.
func plain(name string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "", ".", "").Replace(name))
}

const (
	maxFields = 64
	maxField  = 4 << 10 // bytes of a field that is not the file
)

// form is a form, or a query, with the number of a chunk, how many there are,
// and whose they are; the chunk is the file of the form, or the body.
func form(s *inspect.Subject) (Piece, bool) {
	fields := make(map[string]string)
	add := func(name, value string) {
		if name = plain(name); len(fields) < maxFields && fields[name] == "" {
			fields[name] = value
		}
	}
	if strings.Contains(s.Query, "=") {
		q, _ := url.ParseQuery(s.Query)
		for _, name := range slices.Sorted(maps.Keys(q)) {
			add(name, q.Get(name))
		}
	}
	p := Piece{Data: s.Request.Body, Numbered: true}
	media, params, err := mime.ParseMediaType(s.Request.Header.Get("Content-Type"))
	if err == nil && media == "multipart/form-data" {
		p.InBody = true
		p.Data, p.Name, p.Media = parts(s.Request.Body, params["boundary"], add)
	} else if len(fields) < 3 || media == "application/json" || media == "application/x-www-form-urlencoded" {
		return Piece{}, false
	}
	index, ok := one(fields, indexNames)
	count, ok2 := one(fields, countNames)
	at, ok3 := number(index)
	n, ok4 := number(count)
	// Bytes, not chunks: an index or a count of this size would be a file of
	// terabytes.
	if !ok || !ok2 || !ok3 || !ok4 || n < 2 || n > 1<<20 || at > n {
		return Piece{}, false
	}
	var id []string
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if idNames[name] {
			id = append(id, name+"="+fields[name])
		}
	}
	if len(id) == 0 {
		return Piece{}, false
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if fileNames[name] && (p.Name == "" || p.Name == "blob") {
			p.Name = fields[name]
		}
	}
	p.Key, p.At, p.Count, p.MayEnd = key("form", s, append(id, s.Path)...), at, n, at >= n-near
	return p, true
}

// one returns the field that has one of names; two that differ are none.
func one(fields map[string]string, names map[string]bool) (value string, ok bool) {
	for name := range names {
		if v, has := fields[name]; has {
			if ok && v != value {
				return "", false
			}
			value, ok = v, true
		}
	}
	return value, ok
}

// parts reads the fields of a multipart form and returns the one file in it.
func parts(body []byte, boundary string, add func(name, value string)) (file []byte, name, media string) {
	if len(body) == 0 || boundary == "" {
		return nil, "", ""
	}
	r := multipart.NewReader(bytes.NewReader(body), boundary)
	for range maxFields {
		part, err := r.NextRawPart()
		if err != nil {
			break
		}
		limit := int64(len(body))
		isFile := part.FileName() != "" || part.Header.Get("Content-Type") == "application/octet-stream"
		if !isFile {
			limit = maxField
		}
		data, _ := io.ReadAll(io.LimitReader(part, limit))
		switch {
		case !isFile:
			add(part.FormName(), string(data))
		case file == nil:
			file, name, media = data, part.FileName(), part.Header.Get("Content-Type")
		}
	}
	return file, name, media
}

// number reads a count or an offset.
func number(s string) (int64, bool) {
	n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
	return n, err == nil && n >= 0
}

// Join puts an upload together that may be complete with last, from the other
// pieces that are known, in the order of their exchanges; those with another key
// are left out. It keeps at most limit bytes. It returns nil when the upload is
// not complete yet, or when it is not one: a file that came in one exchange is
// seen there.
func Join(last Piece, others []Piece, limit int) *inspect.Upload {
	pieces := []Piece{last}
	for _, p := range others {
		if p.Key == last.Key && p.Exchange != last.Exchange {
			pieces = append(pieces, p)
		}
	}
	// What was sent again counts as it was sent last, but of what came after the
	// end only what was missing until then.
	slices.SortStableFunc(pieces, func(a, b Piece) int {
		late := func(p Piece) int64 { return min(0, last.Exchange-p.Exchange) }
		return cmp.Or(cmp.Compare(late(a), late(b)), cmp.Compare(a.Exchange, b.Exchange))
	})
	u := &inspect.Upload{}
	var whole extent
	for _, p := range pieces {
		u.Name, u.Media = cmp.Or(u.Name, p.Name), cmp.Or(u.Media, p.Media)
		whole.total, whole.count = max(whole.total, p.Total), max(whole.count, p.Count)
	}
	pieces = inOrder(pieces, last)
	size := int64(0)
	next := int64(0) // number of the piece that must follow
	for i, p := range pieces {
		data := p.Data
		switch {
		case last.Order != nil: // has been put in order
		case p.Numbered && i == 0 && p.At <= 1, p.Numbered && i > 0 && p.At == next:
			next = p.At + 1
		case !p.Numbered && p.At <= size:
			data = data[min(size-p.At, int64(len(data))):]
		default:
			whole.gap = true
		}
		if whole.gap {
			break
		}
		if whole.pieces++; len(data) == 0 {
			continue
		}
		size += int64(len(data))
		if room := limit - len(u.Data); len(data) > room {
			data, u.Truncated = data[:room], true
		}
		u.Data = append(u.Data, data...)
		u.Exchanges = append(u.Exchanges, p.Exchange)
	}
	whole.gap = whole.gap || last.Order != nil && len(pieces) < len(last.Order)
	if !whole.complete(size, last.End) {
		if !last.End {
			return nil
		}
		u.Truncated = true
	}
	slices.Sort(u.Exchanges)
	if u.Exchanges = slices.Compact(u.Exchanges); len(u.Exchanges) < 2 {
		return nil
	}
	return u
}

// extent is how far an upload goes and how far it was put together.
type extent struct {
	total, count, pieces int64
	gap                  bool
}

func (e *extent) complete(size int64, end bool) bool {
	switch {
	case e.gap:
		return false
	case e.total > 0:
		return size >= e.total
	case e.count > 0:
		return e.pieces >= e.count
	}
	return end
}

// inOrder returns the pieces that have data in the order of the file. Of those
// at the same place the one sent last counts.
func inOrder(pieces []Piece, last Piece) []Piece {
	blocks := make(map[string]Piece)
	places := make(map[int64]Piece)
	for _, p := range pieces {
		switch {
		case len(p.Data) == 0:
		case last.Order != nil:
			blocks[p.Block] = p
		default:
			places[p.At] = p
		}
	}
	var out []Piece
	for _, name := range last.Order {
		p, ok := blocks[name]
		if !ok { // what follows would stand at the wrong place
			break
		}
		out = append(out, p)
	}
	for _, at := range slices.Sorted(maps.Keys(places)) {
		out = append(out, places[at])
	}
	return out
}
