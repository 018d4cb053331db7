package main

import (
	"fmt"

	"constat/inspect"
)

// photoFamily describes pictures without sending them.
var photoFamily = family{
	class: inspect.Photo, rounds: 8,
	dialects: []dialect{
		{name: "file name, hash and size", path: "/gallery/create", value: func(g *gen) any {
			return m{"items": times(g, 1, 5, func(int) m {
				return m{"fileName": photoName(g), "sha1": g.hex(40), "size": 100000 + g.IntN(9000000), "dateTaken": g.when()}
			})}
		}},
		{name: "media store columns", path: "/bak/images", value: func(g *gen) any {
			return m{"images": times(g, 1, 6, func(int) m {
				return m{"_display_name": photoName(g), "_data": "/storage/emulated/0/DCIM/Camera/" + photoName(g), "_size": 100000 + g.IntN(9000000), "datetaken": g.when(), "mime_type": "image/jpeg", "width": 4032, "height": 3024}
			})}
		}},
		{name: "EXIF fields", path: "/exif", open: classes(inspect.DeviceStats), value: func(g *gen) any {
			return m{"photo": m{"FileName": photoName(g), "DateTimeOriginal": "2019:07:14 18:02:11", "FNumber": 1.8, "ExposureTime": "1/60", "ISOSpeedRatings": 100, "FocalLength": 4.25, "ImageWidth": 4032, "ImageLength": 3024}}
		}},
		{name: "EXIF fields with place", path: "/assets", also: classes(inspect.Location), open: classes(inspect.DeviceStats), value: func(g *gen) any {
			lat, lon := g.point(5)
			return m{"asset": m{"filename": photoName(g), "checksum": g.hex(40), "exif": m{"latitude": lat, "longitude": lon, "dateTimeOriginal": g.iso(), "make": "Google"}}}
		}},
		{name: "question which are there", path: "/assets/bulk-upload-check", value: func(g *gen) any {
			return m{"assets": times(g, 1, 6, func(int) m {
				return m{"id": photoName(g), "checksum": b64(g.bytes(20)), "fileSize": g.IntN(9000000)}
			})}
		}},
		{name: "gallery that comes down", path: "/gallery/user/galleries?pageNum=0", down: true, value: func(g *gen) any {
			return m{"galleries": times(g, 1, 5, func(int) m {
				return m{"id": g.digits(6), "fileName": photoName(g), "sha1": g.hex(40), "size": 100000 + g.IntN(9000000), "exifInfo": m{"dateTime": g.iso()}}
			}), "isLastPage": true}
		}},
		{name: "iOS photo library", path: "/photos/records", unseen: true, value: func(g *gen) any {
			return m{"records": times(g, 1, 4, func(int) m {
				return m{"recordType": "CPLMaster", "filenameEnc": b64([]byte("IMG_" + g.digits(4) + ".HEIC")), "originalFilename": "IMG_" + g.digits(4) + ".HEIC", "resOriginalFingerprint": b64(g.bytes(21)), "resOriginalFileSize": g.IntN(4000000), "originalCreationDate": g.when()}
			})}
		}},
		{name: "screenshots folder", path: "/index", unseen: true, value: func(g *gen) any {
			return m{"files": times(g, 2, 6, func(int) m {
				return m{"path": "/sdcard/DCIM/Camera/" + photoName(g), "md5": g.hex(32), "mtime": g.sec(), "len": g.IntN(4000000)}
			})}
		}},
	},
}

func photoName(g *gen) string {
	return fmt.Sprintf(g.oneOf("IMG_2019%04d_180211.jpg", "PXL_2021%04d_101533210.jpg", "2020%04d_173012.jpg", "DSC_0%04d.JPG", "IMG_%04d.HEIC"), 101+g.IntN(1100))
}

// photoShapes are envelopes of a picture's own bytes; the unseen ones are held
// out.
var photoShapes = []struct {
	name   string
	unseen bool
	make   func(g *gen, ext, media string, data []byte) *inspect.Subject
}{
	{"put", false, func(_ *gen, _, media string, data []byte) *inspect.Subject {
		return up("PUT", "/objects/1", media, data)
	}},
	{"multipart", false, func(_ *gen, ext, media string, data []byte) *inspect.Subject {
		body, ct := upload("file", "upload"+ext, media, data, nil)
		return up("POST", "/upload", ct, body)
	}},
	{"base64", false, func(_ *gen, _, _ string, data []byte) *inspect.Subject {
		return up("POST", "/sync", appJSON, js(m{"id": 1, "image": b64(data)}))
	}},
	{"octets without a type", true, func(_ *gen, _, _ string, data []byte) *inspect.Subject {
		return up("POST", "/put", "application/octet-stream", data)
	}},
	{"zip", true, func(_ *gen, ext, _ string, data []byte) *inspect.Subject {
		return up("PUT", "/album.zip", "application/zip", zipped(map[string][]byte{"1" + ext: data}))
	}},
	{"protobuf", true, func(_ *gen, _, _ string, data []byte) *inspect.Subject {
		return up("POST", "/media", "application/x-protobuf", protobuf(m{"a": "v1", "b": string(data)}))
	}},
	{"websocket", true, func(_ *gen, _, _ string, data []byte) *inspect.Subject { return frame("/live", data, false) }},
	{"data address in a form", true, func(_ *gen, _, media string, data []byte) *inspect.Subject {
		return form("/save.php", "img", "data:"+media+";base64,"+b64(data))
	}},
}
