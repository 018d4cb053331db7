package upload

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"slices"
	"strings"
	"testing"

	"constat/inspect"
)

var file = func() []byte {
	b := make([]byte, 1000)
	r := rand.New(rand.NewPCG(1, 1))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}()

// request is one exchange; fields are "Name: value" lines, of the answer behind
// an empty line.
func request(method, target string, body []byte, fields ...string) *inspect.Subject {
	s := &inspect.Subject{Method: method, Scheme: "https", Host: "up.example.com", Status: 200}
	s.Path, s.Query, _ = strings.Cut(target, "?")
	s.Request = inspect.Content{Header: make(http.Header), Body: body}
	s.Response.Header = make(http.Header)
	h := s.Request.Header
	for _, f := range fields {
		if f == "" {
			h = s.Response.Header
			continue
		}
		name, value, _ := strings.Cut(f, ": ")
		h.Add(name, value)
	}
	return s
}

// chunk is a form with fields "name=value" and the file data.
func chunk(target string, data []byte, fields ...string) *inspect.Subject {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, f := range fields {
		name, value, _ := strings.Cut(f, "=")
		w.WriteField(name, value)
	}
	part, _ := w.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {`form-data; name="file"; filename="blob"`}, "Content-Type": {"application/octet-stream"},
	})
	part.Write(data)
	w.Close()
	return request("POST", target, b.Bytes(), "Content-Type: "+w.FormDataContentType())
}

// The formats are those of the protocols' public documents; the values are
// invented.
var uploads = map[string][]*inspect.Subject{
	"content-range": {
		request("PUT", "/upload?upload_id=xa298sd_f", file[:400], "Content-Range: bytes 0-399/1000", "Content-Type: image/jpeg"),
		request("PUT", "/upload?upload_id=xa298sd_f", file[400:800], "Content-Range: bytes 400-799/1000"),
		request("PUT", "/upload?upload_id=xa298sd_f", file[800:], "Content-Range: bytes 800-999/1000"),
	},
	"content-range, total known at the end": {
		request("PUT", "/upload?upload_id=xa298sd_f", file[:400], "Content-Range: bytes 0-399/*"),
		request("PUT", "/upload?upload_id=xa298sd_f", file[400:], "Content-Range: bytes 400-999/1000"),
	},
	"tus": {
		request("POST", "/files", nil, "Tus-Resumable: 1.0.0", "Upload-Length: 1000", "Upload-Metadata: is_new,filename aG9saWRheS5qcGc=", "", "Location: https://up.example.com/files/24e5"),
		request("PATCH", "/files/24e5", file[:700], "Tus-Resumable: 1.0.0", "Upload-Offset: 0", "Content-Type: application/offset+octet-stream"),
		request("PATCH", "/files/24e5", file[700:], "Tus-Resumable: 1.0.0", "Upload-Offset: 700", "Content-Type: application/offset+octet-stream"),
	},
	"tus, first bytes with the creation, relative location": {
		request("POST", "/files/", file[:10], "Tus-Resumable: 1.0.0", "Upload-Length: 1000", "Content-Type: application/offset+octet-stream", "", "Location: 24e5"),
		request("PATCH", "/files/24e5", file[10:], "Tus-Resumable: 1.0.0", "Upload-Offset: 10", "Content-Type: application/offset+octet-stream"),
	},
	"resumable uploads of the IETF": {
		request("POST", "/up", file[:100], "Upload-Complete: ?0", "Upload-Draft-Interop-Version: 6", "", "Location: /up/b5"),
		request("PATCH", "/up/b5", file[100:], "Upload-Complete: ?1", "Upload-Offset: 100"),
	},
	"x-goog-upload": {
		request("POST", "/v1/uploads?upload_id=A1", file[:512], "X-Goog-Upload-Command: upload", "X-Goog-Upload-Offset: 0"),
		request("POST", "/v1/uploads?upload_id=A1", file[512:], "X-Goog-Upload-Command: upload, finalize", "X-Goog-Upload-Offset: 512"),
	},
	"x-entity": {
		request("POST", "/rupload/1_0_77", file[:600], "X-Entity-Length: 1000", "Offset: 0", "X-Entity-Name: 1_0_77"),
		request("POST", "/rupload/1_0_77", file[600:], "X-Entity-Length: 1000", "Offset: 600", "X-Entity-Name: 1_0_77"),
	},
	"upload session": {
		func() *inspect.Subject {
			s := request("POST", "/2/files/upload_session/start", file[:300], `Dropbox-API-Arg: {"close":false}`)
			s.Response.Body = []byte(`{"session_id":"1234faaf"}`)
			return s
		}(),
		request("POST", "/2/files/upload_session/append_v2", file[300:600], `Dropbox-API-Arg: {"cursor":{"session_id":"1234faaf","offset":300}}`),
		request("POST", "/2/files/upload_session/finish", file[600:], `Dropbox-API-Arg: {"cursor":{"session_id":"1234faaf","offset":600},"commit":{"path":"/Camera/IMG_1.jpg"}}`),
	},
	"s3": {
		request("PUT", "/bucket/IMG_1.jpg?partNumber=1&uploadId=VXBs", file[:500]),
		request("PUT", "/bucket/IMG_1.jpg?partNumber=2&uploadId=VXBs", file[500:]),
		request("POST", "/bucket/IMG_1.jpg?uploadId=VXBs", []byte("<CompleteMultipartUpload><Part><PartNumber>1</PartNumber></Part></CompleteMultipartUpload>")),
	},
	"block list, not in the order of sending": {
		request("PUT", "/c/IMG_1.jpg?comp=block&blockid=QkI%3D", file[500:]),
		request("PUT", "/c/IMG_1.jpg?comp=block&blockid=QUE%3D", file[:500]),
		request("PUT", "/c/IMG_1.jpg?comp=blocklist", []byte(`<?xml version="1.0"?><BlockList><Latest>QUE=</Latest><Latest>QkI=</Latest></BlockList>`)),
	},
	"form, counted from one": {
		chunk("/upload", file[:512], "resumableChunkNumber=1", "resumableTotalChunks=2", "resumableIdentifier=1000-img", "resumableFilename=img.jpg"),
		chunk("/upload", file[512:], "resumableChunkNumber=2", "resumableTotalChunks=2", "resumableIdentifier=1000-img", "resumableFilename=img.jpg"),
	},
	"form, counted from zero": {
		chunk("/upload", file[:512], "dzuuid=77-1", "dzchunkindex=0", "dztotalchunkcount=2"),
		chunk("/upload", file[512:], "dzuuid=77-1", "dzchunkindex=1", "dztotalchunkcount=2"),
	},
	"chunk as the body, its place in the query": {
		request("POST", "/u?chunk=0&chunks=3&name=p1.jpg", file[:100], "Content-Type: application/octet-stream"),
		request("POST", "/u?chunk=1&chunks=3&name=p1.jpg", file[100:200], "Content-Type: application/octet-stream"),
		request("POST", "/u?chunk=2&chunks=3&name=p1.jpg", file[200:], "Content-Type: application/octet-stream"),
	},
}

// recognise gives the exchanges the numbers 1, 2, ….
func recognise(t *testing.T, list []*inspect.Subject) []Piece {
	t.Helper()
	var out []Piece
	for i, s := range list {
		p, ok := Recognise(s)
		if !ok || !May(s) {
			t.Fatalf("exchange %d is not recognised", i)
		}
		p.Exchange = int64(i + 1)
		out = append(out, p)
	}
	return out
}

func TestJoin(t *testing.T) {
	for name, list := range uploads {
		t.Run(name, func(t *testing.T) {
			pieces := recognise(t, list)
			for i, s := range list {
				if !pieces[i].InBody {
					head := *s
					head.Request.Body = nil
					if p, ok := Recognise(&head); !ok || p.Key != pieces[i].Key {
						t.Errorf("exchange %d is not recognised by its head", i)
					}
				}
				if pieces[i].Key != pieces[0].Key {
					t.Errorf("exchange %d has another key", i)
				}
				if !pieces[i].AnyPath && s.Path != list[0].Path {
					t.Errorf("exchange %d must say that paths differ", i)
				}
			}
			last := pieces[len(pieces)-1]
			if !last.MayEnd {
				t.Fatal("the last piece does not end it")
			}
			u := Join(last, pieces[:len(pieces)-1], 1<<20)
			if u == nil || !bytes.Equal(u.Data, file) || u.Truncated {
				t.Fatalf("put together: %+v", u)
			}
			for i, p := range pieces {
				if (len(p.Data) > 0) != slices.Contains(u.Exchanges, int64(i+1)) {
					t.Errorf("exchanges %v: %d has %d bytes", u.Exchanges, i+1, len(p.Data))
				}
			}
			// Sent again, and pieces of other uploads beside.
			stranger := last
			stranger.Key, stranger.Data, stranger.Exchange = "other", []byte("x"), 77
			again := slices.Concat(pieces[:len(pieces)-1], []Piece{stranger}, pieces[:len(pieces)-1])
			if u := Join(last, again, 1<<20); u == nil || !bytes.Equal(u.Data, file) {
				t.Errorf("with repeats: %+v", u)
			}
			if u := Join(last, pieces[:len(pieces)-1], 100); u == nil || !bytes.Equal(u.Data, file[:100]) || !u.Truncated {
				t.Errorf("held to 100 bytes: %+v", u)
			}
			// What lacks its beginning is not put together wrongly.
			if u := Join(last, nil, 1<<20); u != nil {
				t.Errorf("without the rest: %+v", u)
			}
			for i := range pieces[:len(pieces)-1] {
				without := slices.Delete(slices.Clone(pieces[:len(pieces)-1]), i, i+1)
				u := Join(last, without, 1<<20)
				if len(pieces[i].Data) > 0 && u != nil && (!u.Truncated || !bytes.HasPrefix(file, u.Data)) {
					t.Errorf("without piece %d: %d bytes, truncated %t", i, len(u.Data), u.Truncated)
				}
			}
		})
	}
}

func TestName(t *testing.T) {
	for upload, want := range map[string]string{
		"tus": "holiday.jpg", "s3": "IMG_1.jpg", "upload session": "IMG_1.jpg", "form, counted from one": "img.jpg",
	} {
		pieces := recognise(t, uploads[upload])
		if u := Join(pieces[len(pieces)-1], pieces, 1<<20); u == nil || u.Name != want {
			t.Errorf("%s: %+v, want name %q", upload, u, want)
		}
	}
}

func TestNotPieces(t *testing.T) {
	for name, s := range map[string]*inspect.Subject{
		"a page of a list":        request("POST", "/list?index=1&total=9&id=3", nil, "Content-Type: application/json"),
		"a page that is asked":    request("GET", "/list?chunk=1&chunks=9&name=a", nil),
		"one chunk":               chunk("/upload", file, "chunk=0", "chunks=1", "name=a.jpg"),
		"a form with a file":      chunk("/upload", file, "title=holiday", "total=3"),
		"chunk beyond the end":    chunk("/upload", file, "chunk=9", "chunks=2", "name=a.jpg"),
		"nobody's chunk":          chunk("/upload", file, "chunk=0", "chunks=2"),
		"two numbers that differ": chunk("/upload", file, "chunk=0", "index=1", "chunks=2", "name=a"),
		"a range asked for":       request("GET", "/f", nil, "Range: bytes=0-9"),
		"a range of an answer":    request("GET", "/f", nil, "", "Content-Range: bytes 0-9/100"),
		"a range without a place": request("PUT", "/f", nil, "Content-Range: bytes */100"),
		"a range the wrong way":   request("PUT", "/f", nil, "Content-Range: bytes 9-0/100"),
		"offset of a page":        request("POST", "/f", nil, "Offset: 10"),
		"an upload id alone":      request("PUT", "/b/k?uploadId=77", nil),
	} {
		if p, ok := Recognise(s); ok {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

func FuzzRecognise(f *testing.F) {
	for _, list := range uploads {
		for _, s := range list {
			f.Add(s.Method, s.Path+"?"+s.Query, fmt.Sprint(s.Request.Header.Get("Content-Range")), s.Request.Header.Get("Content-Type"), s.Request.Body)
		}
	}
	f.Fuzz(func(t *testing.T, method, target, contentRange, contentType string, body []byte) {
		s := request(method, target, body, "Content-Range: "+contentRange, "Content-Type: "+contentType, "Upload-Offset: "+contentRange)
		p, ok := Recognise(s)
		if !ok {
			return
		}
		if p.At < 0 && len(p.Data) > 0 || len(p.Data) > len(body) {
			t.Fatalf("%+v", p)
		}
		q := p
		q.Exchange, q.At = 1, 0
		p.Exchange = 2
		if u := Join(p, []Piece{q}, 64); u != nil && (len(u.Data) > 64 || len(u.Exchanges) != 2) {
			t.Fatalf("%+v", u)
		}
	})
}
