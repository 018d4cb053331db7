package inspect

import "testing"

func TestFormWords(t *testing.T) {
	for _, tc := range []struct{ kind, form, want string }{
		{"phone", "sha256(e164)/hex", "SHA-256 of the number in E.164, hex"},
		{"contact_phone", "e164", "the number in E.164"},
		{"imei", "imei", "the IMEI"},
		{"imei", "md5(md5(imei))/hex", "MD5 of the hex of the MD5 of the IMEI, hex"},
		{"imei", "sha1(imei)/base64url-16", "SHA-1 of the IMEI, the first 16 characters of its base64url"},
		{"mac", "sha1(colons-upper)/base64", "SHA-1 of the address in upper case with colons, base64"},
		{"sms_text", "utf16be/hex", "the text as utf16be, hex"},
		{"sms_text", "text/utf16be/hex", "the text, big-endian UTF-16, hex"},
		{"photo", "sha256(file)/hex", "SHA-256 of the picture's file, hex"},
		{"photo", "file", "the picture's file, byte for byte"},
		{"photo", "dhash-turned-cropped", "the picture by its pixels, turned and cropped"},
		{"photo", "dhash-thumbnail", "the picture by its pixels, compressed again or resized, in a thumbnail"},
		{"place", "geohash", "the place as a geohash"},
		{"shoe", "made-up", "the shoe as made up"},
		{"", "", "the  as "},
		{"imei", "md5(", "MD5 of the IMEI as "},
	} {
		if got := FormWords(tc.kind, tc.form); got != tc.want {
			t.Errorf("%s of a %s: %q, want %q", tc.form, tc.kind, got, tc.want)
		}
	}
}
