package canary

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"strconv"
	"strings"
)

// binaryForms are the ways in which binary formats store the values that have a
// size of their own. They have no writing.
func binaryForms(canary int, c *Canary) []pattern {
	var out []pattern
	raw := func(form string, b []byte) {
		out = append(out, pattern{canary: canary, form: form, text: b})
	}
	switch c.Kind {
	case Place:
		return placePatterns(canary, c.Value)
	case AndroidID, MAC, BSSID, AdvertisingID:
		b, err := hex.DecodeString(hexDigits(c.Value))
		if err != nil {
			return nil
		}
		raw("raw", b)
		if len(b) >= 8 {
			std, web := base64.RawStdEncoding.EncodeToString(b), base64.RawURLEncoding.EncodeToString(b)
			out = append(out, pattern{canary: canary, form: "raw/base64", text: []byte(std)})
			if web != std {
				out = append(out, pattern{canary: canary, form: "raw/base64url", text: []byte(web)})
			}
		}
		if len(b) == 8 {
			raw("int64", reversed(b))
		}
		if len(b) == 16 {
			// The first three fields are little-endian in a GUID (MS-DTYP 2.3.4).
			guid := append(append(append(reversed(b[:4]), reversed(b[4:6])...), reversed(b[6:8])...), b[8:]...)
			raw("raw-guid", guid)
		}
	case IMEI, IMSI:
		d := onlyDigits(c.Value)
		if n, err := strconv.ParseUint(d, 10, 64); err == nil {
			raw("int64", binary.LittleEndian.AppendUint64(nil, n))
			raw("int64-be", binary.BigEndian.AppendUint64(nil, n))
			raw("varint", binary.AppendUvarint(nil, n)) // protobuf.dev, "Base 128 varints"
		}
		out = append(out, semiOctets(canary, d)...)
	case ICCID:
		d := onlyDigits(c.Value)
		out = append(out, semiOctets(canary, d)...)
		out = append(out, semiOctets(canary, iccidWritings(d)[1].text)...)
	case Phone, ContactPhone, SMSSender:
		if strings.HasPrefix(c.Value, "+") {
			out = semiOctets(canary, onlyDigits(c.Value))
		}
	}
	return out
}

// semiOctets are digits as SIM cards and SMS PDUs store them: two to a byte,
// the first one in the low half, filled up with F (3GPP TS 23.040, section
// 9.1.2.3); as bytes and in hex.
func semiOctets(canary int, d string) []pattern {
	d += strings.Repeat("f", len(d)%2)
	swapped := make([]byte, 0, len(d))
	for i := 0; i < len(d); i += 2 {
		swapped = append(swapped, d[i+1], d[i])
	}
	b, err := hex.DecodeString(string(swapped))
	if err != nil {
		return nil
	}
	return []pattern{
		{canary: canary, form: "semi-octets/hex", text: swapped, fold: true},
		{canary: canary, form: "semi-octets", text: b},
	}
}

func reversed(b []byte) []byte {
	out := make([]byte, len(b))
	for i, c := range b {
		out[len(b)-1-i] = c
	}
	return out
}
