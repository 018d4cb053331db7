package inspect

import (
	"bytes"
	"strings"
)

// mediaType returns the type/subtype of a Content-Type in lower case, without
// looking at the parameters (RFC 9110 section 8.3.1).
func mediaType(contentType string) string {
	if i := strings.IndexByte(contentType, ';'); i >= 0 {
		contentType = contentType[:i]
	}
	return strings.ToLower(strings.TrimSpace(contentType))
}

// magics are the first bytes of formats that hold payloads, from the formats'
// own specifications.
var magics = []struct{ magic, media string }{
	{"\xff\xd8\xff", "image/jpeg"},                        // ITU-T T.81 B.1.1.2: SOI, then a marker
	{"\x89PNG\r\n\x1a\n", "image/png"},                    // RFC 2083 section 3.1
	{"GIF87a", "image/gif"},                               // GIF89a specification, section 17
	{"GIF89a", "image/gif"},                               //
	{"\x1f\x8b\x08", "application/gzip"},                  // RFC 1952 section 2.3.1
	{"\x28\xb5\x2f\xfd", "application/zstd"},              // RFC 8878 section 3.1.1
	{"PK\x03\x04", "application/zip"},                     // APPNOTE.TXT 4.3.7
	{"%PDF-", "application/pdf"},                          // ISO 32000-1 7.5.2
	{"bplist0", "application/x-plist"},                    // CFBinaryPList.c
	{"SQLite format 3\x00", "application/x-sqlite3"},      // sqlite.org/fileformat2.html 1.3.1
	{"II*\x00", "image/tiff"},                             // TIFF 6.0 section 2
	{"MM\x00*", "image/tiff"},                             //
	{"Exif\x00\x00", "application/x-exif"},                // Exif 2.32 4.7.2
	{"OggS", "application/ogg"},                           // RFC 3533 section 6
	{"#!AMR", "audio/amr"},                                // RFC 4867 section 5.1
	{"ID3", "audio/mpeg"},                                 // id3v2.4.0 section 3.1
	{"\x1aE\xdf\xa3", "video/webm"},                       // RFC 8794 section 8.1
	{"<?xml ", "application/xml"},                         // XML 1.0 section 2.8
	{"dex\n03", "application/vnd.android.dex"},            // Dalvik executable format
	{"\x7fELF", "application/x-elf"},                      // ELF
	{"-----BEGIN ", "application/x-pem-file"},             // RFC 7468 section 2
	{"\xef\xbb\xbf", "text/plain"},                        // RFC 3629 section 6
	{"\x00asm", "application/wasm"},                       // WebAssembly core 5.5.16
	{"wOF2", "font/woff2"},                                // W3C WOFF2 section 4.1
	{"\x00\x00\x01\x00", "image/vnd.microsoft.icon"},      // ICO
	{"BEGIN:VCARD", "text/vcard"},                         // RFC 6350 section 6.1.1
	{"BEGIN:VCALENDAR", "text/calendar"},                  // RFC 5545 section 3.4
	{"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"}, // 7zFormat.txt
}

// Recognise returns the media type that the first bytes of data give away, ""
// when they do not.
func Recognise(data []byte) string {
	if len(data) < 12 {
		return ""
	}
	switch c := data[0]; { // most parts are text and begin with none of these
	case c >= 'a' && c <= 'z' && c != 'w' && c != 'd', c >= '0' && c <= '6', c == '{', c == '[':
		return ""
	}
	for _, m := range magics {
		if m.magic[0] == data[0] && len(data) > len(m.magic) && string(data[:len(m.magic)]) == m.magic {
			return m.media
		}
	}
	if string(data[:4]) == "RIFF" && string(data[8:12]) == "WEBP" { // RFC 9649 section 2.4
		return "image/webp"
	}
	if string(data[4:8]) == "ftyp" { // ISO 14496-12 section 4.3
		switch brand := data[8:12]; {
		case bytes.HasPrefix(brand, []byte("hei")), bytes.HasPrefix(brand, []byte("hev")), bytes.HasPrefix(brand, []byte("mif1")), bytes.HasPrefix(brand, []byte("msf1")):
			return "image/heic"
		case bytes.HasPrefix(brand, []byte("avi")):
			return "image/avif"
		}
		return "video/mp4"
	}
	return ""
}
