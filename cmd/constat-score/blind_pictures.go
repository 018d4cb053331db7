package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	imagedraw "image/draw"
	"image/jpeg"
	"image/png"
	"io/fs"
	"path"
	"slices"
	"strings"

	scale "golang.org/x/image/draw"

	"constat/inspect"
)

// shot is one camera picture of the collection: its file, and what is seen on
// it, made smaller.
type shot struct {
	name string
	raw  []byte
	seen image.Image
}

// shots reads the collection. The large files are left to the other splits: they
// cost the time.
func (b *builder) shots() (files, seen, placed []shot) {
	names, _ := fs.Glob(b.data, "photos/metadata-extractor/*")
	for _, n := range names {
		ext := strings.ToLower(path.Ext(n))
		if ext != ".jpg" && ext != ".heic" || strings.Contains(n, "FLIR") {
			continue
		}
		s := shot{name: path.Base(n), raw: b.read(n)}
		if len(s.raw) > 2<<20 {
			continue
		}
		if hasGPS(s.raw) {
			placed = append(placed, s)
		} else {
			files = append(files, s)
		}
		if ext != ".jpg" {
			continue
		}
		img, err := jpeg.Decode(bytes.NewReader(s.raw))
		if err != nil {
			continue
		}
		s.seen = img
		r := img.Bounds()
		if l := max(r.Dx(), r.Dy()); l > 1600 {
			small := image.NewRGBA(image.Rect(0, 0, r.Dx()*1600/l, r.Dy()*1600/l))
			scale.ApproxBiLinear.Scale(small, small.Bounds(), img, r, scale.Src, nil)
			s.seen = small
		}
		seen = append(seen, s)
	}
	return files, seen, placed
}

// copied is a part of a picture, its longer side of most pixels, as JPEG.
func (g *blindGen) copied(s shot, most, quality int) []byte {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, g.cut(s, most), &jpeg.Options{Quality: quality}); err != nil {
		panic(err) // a bytes.Buffer takes everything
	}
	return b.Bytes()
}

// cut takes off up to a tenth at each side.
func (g *blindGen) cut(s shot, most int) image.Image {
	r := s.seen.Bounds()
	r.Min.X += g.IntN(1 + r.Dx()/10)
	r.Min.Y += g.IntN(1 + r.Dy()/10)
	r.Max.X -= g.IntN(1 + r.Dx()/10)
	r.Max.Y -= g.IntN(1 + r.Dy()/10)
	w, h := r.Dx(), r.Dy()
	if l := max(w, h); l > most {
		w, h = w*most/l, h*most/l
	}
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	scale.ApproxBiLinear.Scale(out, out.Bounds(), s.seen, r, scale.Src, nil)
	return out
}

func pngOf(img image.Image) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		panic(err) // a bytes.Buffer takes everything
	}
	return b.Bytes()
}

// flat is a picture of plain areas, as screens and drawings are.
func (g *blindGen) flat(w, h, areas int) image.Image {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	imagedraw.Draw(img, img.Bounds(), image.White, image.Point{}, imagedraw.Src)
	for range areas {
		x, y := g.IntN(w), g.IntN(h)
		c := color.RGBA{uint8(g.Uint32()), uint8(g.Uint32()), uint8(g.Uint32()), 255}
		imagedraw.Draw(img, image.Rect(x, y, x+8+g.IntN(w/3), y+4+g.IntN(h/12)), &image.Uniform{c}, image.Point{}, imagedraw.Src)
	}
	return img
}

// cameraName is a file name as cameras of phones give it.
func (g *blindGen) cameraName() string {
	t := g.moment()
	switch g.IntN(5) {
	case 0:
		return t.Format("20060102_150405") + ".jpg"
	case 1:
		return "IMG" + t.Format("20060102150405") + ".jpg"
	case 2:
		return "PXL_" + t.Format("20060102_150405") + g.digits(3) + ".MP.jpg"
	case 3:
		return "IMG_" + g.digits(4) + ".HEIC"
	}
	return "IMG_" + t.Format("20060102_150405") + "_HDR.jpg"
}

// blindPictures are camera pictures, and what describes them.
func (b *builder) blindPictures() []blindKind {
	files, seen, placed := b.shots()
	out := slices.Clone(blindAlbums)
	send := func(name, also, open string, list []shot, f func(g *blindGen, s shot) *inspect.Subject) {
		if len(list) > 0 {
			out = append(out, blindKind{name: name, up: strings.TrimSpace("photo " + also), open: open, make: func(g *blindGen) *inspect.Subject { return f(g, one(g, list)) }})
		}
	}
	send("signed address of a bucket", "", "", seen, func(g *blindGen, s shot) *inspect.Subject {
		return up("PUT", "/media-in/"+g.uuid()+"?X-Amz-Expires=900&X-Amz-Signature="+g.hex(64), "image/jpeg", g.copied(s, 1280, 82))
	})
	send("messenger's small copy", "", "", seen, func(g *blindGen, s shot) *inspect.Subject {
		return file("/upload", "media", "IMG-"+g.moment().Format("20060102")+"-WA"+g.digits(4)+".jpg", "image/jpeg", g.copied(s, 900, 65), "chat", g.hex(8))
	})
	send("identity check", "", "identifiers", seen, func(g *blindGen, s shot) *inspect.Subject {
		return post("/kyc/v2/document", m{"applicantId": g.hex(24), "documentType": "SELFIE", "file": m{"content": b64(g.copied(s, 640, 75)), "mime": "image/jpeg"}})
	})
	send("data address in GraphQL", "", "", seen, func(g *blindGen, s shot) *inspect.Subject {
		return gqlPost("AddPhoto", "mutation AddPhoto($img: String!) { addPhoto(image: $img) { id } }", m{"img": "data:image/jpeg;base64," + b64(g.copied(s, 800, 70))})
	})
	send("resumable upload", "", "", seen, func(g *blindGen, s shot) *inspect.Subject {
		data := g.copied(s, 1280, 80)
		half := len(data) / 2
		x := up("PATCH", "/files/"+g.hex(32), "application/offset+octet-stream", data[half:])
		x.Request.Header.Set("Upload-Offset", fmt.Sprint(half))
		x.Upload = &inspect.Upload{Data: data, Name: g.cameraName(), Media: "image/jpeg", Exchanges: []int64{3, 4}}
		return x
	})
	send("field of a gRPC message", "", "", seen, func(g *blindGen, s shot) *inspect.Subject {
		return grpcCall("/media.v1.Media/PutThumb", pb(g.uuid(), g.copied(s, 512, 70), g.ms()))
	})
	send("frame of a socket", "", "", seen, func(g *blindGen, s shot) *inspect.Subject {
		return frame("/cam/live", g.copied(s, 640, 50), false)
	})
	send("camera folder in a tar", "", "", seen, func(g *blindGen, s shot) *inspect.Subject {
		return up("PUT", "/nas/backup.tgz", "application/gzip", gz(tarred("DCIM/Camera/"+g.cameraName(), g.copied(s, 1024, 80))))
	})
	send("SOAP with base64", "", "", seen, func(g *blindGen, s shot) *inspect.Subject {
		return up("POST", "/claims/upload.asmx", "text/xml", []byte(`<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body><AddPicture><claim>`+g.digits(7)+`</claim><picture>`+b64(g.copied(s, 800, 70))+`</picture></AddPicture></soap:Body></soap:Envelope>`))
	})
	send("data of a plist", "", "", seen, func(g *blindGen, s shot) *inspect.Subject {
		return up("POST", "/share/stream", "text/xml", []byte(`<?xml version="1.0"?><plist version="1.0"><dict><key>photoGuid</key><string>`+g.uuid()+`</string><key>derivative</key><data>`+b64(g.copied(s, 640, 70))+`</data></dict></plist>`))
	})
	send("binary of msgpack", "", "", seen, func(g *blindGen, s shot) *inspect.Subject {
		data := g.copied(s, 700, 70)
		body := append([]byte{0x82, 0xa2}, "id\x07\xa3img\xc6"...)
		return up("POST", "/live/frame", "application/msgpack", append(binary.BigEndian.AppendUint32(body, uint32(len(data))), data...))
	})
	send("camera picture turned into PNG", "", "", seen, func(g *blindGen, s shot) *inspect.Subject {
		return file("/scan", "image", "scan.png", "image/png", pngOf(g.cut(s, 480)), "mode", "document")
	})
	send("search by picture", "", "", seen, func(g *blindGen, s shot) *inspect.Subject {
		return file("/lens/upload?ep=cntpubu&hl="+g.t.code, "encoded_image", "image.jpg", "image/jpeg", g.copied(s, 1000, 75), "processed_image_dimensions", "1000,750")
	})
	send("spy's front camera", "identifiers", "", seen, func(g *blindGen, s shot) *inspect.Subject {
		return form("/c2/img.php", "id", g.androidID(), "cam", "front", "jpg", b64(g.copied(s, 480, 60)))
	})
	send("original with the place", "location", "device_stats identifiers", placed, func(g *blindGen, s shot) *inspect.Subject {
		return up("PUT", "/webdav/Photos/"+g.day()+"/"+g.cameraName(), "application/octet-stream", s.raw)
	})
	send("original with the place in a form", "location", "device_stats identifiers", placed, func(g *blindGen, s shot) *inspect.Subject {
		return file("/api/assets", "assetData", g.cameraName(), "application/octet-stream", s.raw, "deviceAssetId", g.digits(7))
	})
	send("original without a place", "", "device_stats identifiers", files, func(g *blindGen, s shot) *inspect.Subject {
		return file("/photos/library/upload", "photo", g.cameraName(), "application/octet-stream", s.raw, "album", g.hex(8))
	})
	send("original in a zip", "", "device_stats identifiers", files, func(g *blindGen, s shot) *inspect.Subject {
		return up("POST", "/transfer/bundle", "application/zip", zipped(map[string][]byte{"DCIM/100APPLE/" + g.cameraName(): s.raw, "manifest.json": js(m{"count": 1})}))
	})
	if all := slices.Concat(files, placed); len(all) > 0 {
		out = append(out, blindKind{name: "original that comes down from one's cloud", down: "photo", open: "device_stats identifiers location", make: func(g *blindGen) *inspect.Subject {
			return withResponseName(down("/my/photos/"+g.uuid()+"/original", "application/octet-stream", one(g, all).raw), g.cameraName())
		}})
	}
	return out
}

func withResponseName(s *inspect.Subject, name string) *inspect.Subject {
	s.Response.Header.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	return s
}

// blindAlbums describe camera pictures without sending them.
var blindAlbums = []blindKind{
	{name: "gallery's question which are new", up: "photo", make: func(g *blindGen) *inspect.Subject {
		return post("/gallery/v4/diff", m{"localAssets": several(g, 2, 8, func(int) m {
			return m{"name": g.cameraName(), "md5": g.hex(32), "bytes": 900000 + g.IntN(6000000), "modified": g.ms()}
		}), "albumPath": "/DCIM/Camera"})
	}},
	{name: "photo rows in protobuf", up: "photo", make: func(g *blindGen) *inspect.Subject {
		return grpcCall("/photos.backup.v2.Backup/Index", pb(several(g, 2, 8, func(int) []byte {
			return pb(g.cameraName(), g.bytes(20), 900000+g.IntN(6000000), g.ms(), 4000, 3000)
		})))
	}},
	{name: "gallery's database", up: "photo", make: func(g *blindGen) *inspect.Subject {
		return up("PUT", "/sync/gallery.db", "application/x-sqlite3", sqliteFile("cloud_media", several(g, 4, 12, func(i int) m {
			return m{"local_id": int64(i), "file_name": g.cameraName(), "sha1": g.hex(40), "size": int64(900000 + g.IntN(6000000)), "date_taken": g.ms(), "mime_type": "image/jpeg"}
		})))
	}},
	{name: "faces found in pictures", up: "photo", make: func(g *blindGen) *inspect.Subject {
		return post("/faces/index", m{"photos": several(g, 1, 4, func(int) m {
			return m{"file": g.cameraName(), "sha256": g.hex(64), "takenAt": g.iso(), "faces": []m{{"box": []int{120, 80, 340, 300}, "cluster": g.IntN(40)}}}
		})})
	}},
	{name: "camera's own statistics", up: "photo", open: "device_stats", make: func(g *blindGen) *inspect.Subject {
		return post("/camera/exif/report", m{"shots": several(g, 1, 4, func(int) m {
			return m{"filename": g.cameraName(), "exif": m{"ExposureTime": "1/120", "FNumber": 1.8, "ISO": 64 + g.IntN(900), "FocalLength": 5.43, "Flash": 16, "DateTimeOriginal": g.moment().Format("2006:01:02 15:04:05"), "LensModel": "back wide camera"}}
		})})
	}},
	{name: "XML listing of a folder", up: "photo", make: func(g *blindGen) *inspect.Subject {
		return up("POST", "/dlna/index", "text/xml", xmlOf("folder", m{"files": several(g, 2, 6, func(int) m {
			return m{"path": "/storage/emulated/0/DCIM/Camera/" + g.cameraName(), "length": 900000 + g.IntN(6000000), "sha1": g.hex(40), "taken": g.iso()}
		})}))
	}},
	{name: "table of a cleaner app", up: "photo", make: func(g *blindGen) *inspect.Subject {
		return up("POST", "/similar/photos.csv", "text/csv", append([]byte("file,size,phash,date_taken\n"), g.lines(3, 9, "\n", func(int) string {
			return fmt.Sprintf("DCIM/Camera/%s,%d,%s,%s", g.cameraName(), 900000+g.IntN(6000000), g.hex(16), g.iso())
		})...))
	}},
	{name: "Portuguese keys of an album", up: "photo location", make: func(g *blindGen) *inspect.Subject {
		return post("/album/fotos", m{"fotos": several(g, 1, 4, func(int) m {
			lat, lon := g.at()
			return m{"nome_arquivo": g.cameraName(), "tamanho": 900000 + g.IntN(6000000), "hash": g.hex(40), "tirada_em": g.iso(), "latitude": lat, "longitude": lon}
		})})
	}},
	{name: "cloud album that comes down", down: "photo", make: func(g *blindGen) *inspect.Subject {
		return answer("/v2/mediaItems?pageSize=50", m{"mediaItems": several(g, 2, 6, func(int) m {
			return m{"id": "AB" + urlSafe(g.bytes(40)), "mimeType": "image/jpeg", "filename": g.cameraName(), "mediaMetadata": m{"creationTime": g.iso(), "width": "4000", "height": "3000", "photo": m{"cameraMake": "Google", "cameraModel": "Pixel 8", "focalLength": 6.9, "apertureFNumber": 1.68, "isoEquivalent": 52}}}
		})})
	}},
	{name: "screenshot that goes up", open: "photo", make: func(g *blindGen) *inspect.Subject {
		return file("/feedback", "screenshot", "Screenshot_"+g.moment().Format("20060102-150405")+".png", "image/png", pngOf(g.flat(540, 1170, 60)), "text", g.todo())
	}},
}
