package inspect

import "strings"

// kindWords names a kind of planted value as people do.
var kindWords = map[string]string{
	"phone": "phone number", "imei": "IMEI", "imsi": "IMSI", "iccid": "SIM card number", "serial": "serial number",
	"android_id": "ANDROID_ID", "advertising_id": "advertising id", "mac": "MAC address", "ssid": "Wi-Fi name",
	"bssid": "access point address", "email": "e-mail address", "name": "name", "contact_name": "contact's name",
	"contact_phone": "contact's number", "contact_email": "contact's e-mail address", "sms_text": "text message",
	"sms_sender": "sender's number", "note": "note", "url": "web address", "place": "place", "photo": "photo", "other": "value",
}

// valueWords names the value itself inside a description of its form.
var valueWords = map[string]string{
	"phone": "number", "contact_phone": "number", "sms_sender": "number", "contact_name": "name", "contact_email": "e-mail address",
	"sms_text": "text", "note": "text", "ssid": "name", "bssid": "address", "mac": "address", "url": "address", "iccid": "number", "photo": "picture",
}

// writingWords say how a value is written; "" for its usual writing.
var writingWords = map[string]string{
	"digits": "in digits only", "e164": "in E.164", "00-prefix": "with 00 in front of the country code",
	"national": "in national form", "national-spaced": "in national form with spaces", "e164-spaced": "in E.164 with spaces",
	"no-trunk": "without country code and leading zero", "last9": "without all but its last 9 digits",
	"trunk-in-brackets": "with country code and leading zero", "semi-octets": "in swapped half bytes",
	"imei": "", "imei-14": "without its check digit", "imeisv": "with a software version", "imei-zero": "with 0 for its check digit", "imsi": "", "iccid": "",
	"iccid-no-check": "without its check digit", "iccid-check": "with a check digit", "decimal": "as a decimal number",
	"decimal-signed": "as a signed decimal number", "int64": "as a 64-bit number", "int64-be": "as a big-endian 64-bit number",
	"varint": "as a varint", "raw": "in its bytes", "raw-guid": "in the bytes of a GUID",
	"hex": "in hex digits", "hex-upper": "in upper-case hex digits", "uuid": "with dashes", "uuid-upper": "in upper case with dashes",
	"colons": "with colons", "colons-upper": "in upper case with colons", "dashes": "with dashes", "dashes-upper": "in upper case with dashes",
	"dots": "with dots", "spaces": "with spaces", "plain": "without separators", "no-zeros": "with colons and without leading zeros", "plain-upper": "in upper case without separators",
	"serial": "", "serial-lower": "in lower case", "serial-upper": "in upper case", "ssid": "", "ssid-lower": "in lower case",
	"ssid-upper": "in upper case", "other": "", "other-lower": "in lower case", "other-upper": "in upper case",
	"email": "", "email-lower": "in lower case", "no-plus-tag": "without its +tag", "no-dots": "without dots before the @",
	"no-dots-no-plus-tag": "without dots and +tag before the @",
	"name":                "", "name-lower": "in lower case", "name-unaccented": "without accents", "name-unaccented-lower": "in lower case without accents",
	"name-reversed": "with the family name first", "name-reversed-lower": "in lower case with the family name first",
	"name-reversed-unaccented": "without accents with the family name first",
	"name-joined":              "in one word", "name-joined-lower": "in one word in lower case", "name-joined-unaccented": "in one word without accents",
	"name-in-fields": "in two fields", "name-in-fields-lower": "in two fields in lower case",
	"text": "", "text-unaccented": "without accents", "text-respaced": "with other spaces",
	"text-respaced-unaccented": "with other spaces without accents", "text-part": "in part", "text-part-unaccented": "in part without accents",
	"token": "by an unlikely word of it", "text-rewritten": "in other case, accents, spaces or punctuation",
	"text-quoted": "quoted in part", "text-in-pieces": "cut in several pieces",
	"url": "", "url-no-scheme": "without its scheme", "url-path": "without its host", "url-query": "by its query",
	"geohash": "as a geohash", "plus-code": "as a Plus Code", "degrees-minutes-seconds": "in degrees, minutes and seconds",
	"degrees-minutes": "in degrees and minutes", "float64": "as 64-bit floating-point numbers", "float64-be": "as big-endian 64-bit floating-point numbers",
	"float32": "as 32-bit floating-point numbers", "float32-be": "as big-endian 32-bit floating-point numbers",
	"file": "file, byte for byte", "file-piece": "file, in part", "file-name": "by its file name", "exif": "by the text planted in its metadata",
	"dhash": "by its pixels, compressed again or resized", "dhash-cropped": "by its pixels, cropped",
	"dhash-turned": "by its pixels, turned", "dhash-turned-cropped": "by its pixels, turned and cropped",
	"dhash-mirrored": "by its pixels, mirrored", "dhash-mirrored-cropped": "by its pixels, mirrored and cropped",
}

var hashWords = map[string]string{
	"md5": "MD5", "sha1": "SHA-1", "sha224": "SHA-224", "sha256": "SHA-256", "sha384": "SHA-384", "sha512": "SHA-512",
	"sha3-256": "SHA3-256", "blake2b-256": "BLAKE2b-256",
}

var encodingWords = map[string]string{
	"hex": "hex", "hex-16": "16 characters of its hex", "hex-32": "32 characters of its hex", "base64url-16": "the first 16 characters of its base64url",
	"raw": "as bytes", "percent": "percent-encoded", "percent-twice": "percent-encoded twice", "json-escaped": "escaped as in JSON",
	"utf16le": "UTF-16", "utf16be": "big-endian UTF-16",
}

// KindWords names a kind of planted value, as in Hit.Kind, for people.
func KindWords(kind string) string {
	if w, ok := kindWords[kind]; ok {
		return w
	}
	return kind
}

// FormWords describes the form of a hit for people: "sha256(e164)/hex" of a
// "phone" is "SHA-256 of the number in E.164, hex".
func FormWords(kind, form string) string {
	writing, encodings, _ := strings.Cut(form, "/")
	var hashes []string
	for {
		name, inner, ok := strings.Cut(writing, "(")
		if !ok || hashWords[name] == "" {
			break
		}
		hashes = append(hashes, hashWords[name])
		writing = strings.TrimSuffix(inner, ")")
	}
	var b strings.Builder
	for i, h := range hashes {
		b.WriteString(h + " of the ")
		if i < len(hashes)-1 {
			b.WriteString("hex of the ")
		}
	}
	if len(hashes) == 0 {
		b.WriteString("the ")
	}
	value, ok := valueWords[kind]
	if !ok {
		value = KindWords(kind)
	}
	writing, thumbnail := strings.CutSuffix(writing, "-thumbnail")
	how, ok := writingWords[writing]
	if writing == "file" || writing == "file-piece" {
		value = "picture's"
	}
	b.WriteString(value)
	switch {
	case !ok:
		b.WriteString(" as " + strings.ReplaceAll(writing, "-", " "))
	case len(hashes) > 0 && writing == "file":
		b.WriteString(" file")
	case how != "":
		b.WriteString(" " + how)
	}
	if thumbnail {
		b.WriteString(", in a thumbnail")
	}
	for encodings != "" {
		var e string
		e, encodings, _ = strings.Cut(encodings, "/")
		if w, ok := encodingWords[e]; ok {
			e = w
		}
		b.WriteString(", " + e)
	}
	return b.String()
}
