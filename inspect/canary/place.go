package canary

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"
)

// coordinates are the writings of a place as decimal numbers, which numbers
// finds.
func coordinates(canary int, v string) []number {
	lat, lon, err := parsePlace(v)
	if err != nil {
		return nil
	}
	return []number{
		{canary: canary, form: "decimal", coordinate: latitude, value: lat},
		{canary: canary, form: "decimal", coordinate: longitude, value: lon},
	}
}

// placePatterns are the other writings of a place.
func placePatterns(canary int, v string) []pattern {
	lat, lon, err := parsePlace(v)
	if err != nil {
		return nil
	}
	var out []pattern
	add := func(form, text string, word bool) {
		out = append(out, pattern{canary: canary, form: form, text: foldASCII([]byte(text)), fold: true, word: word})
	}
	hash := geohash(lat, lon, 12)
	for n := 7; n <= len(hash); n++ {
		add("geohash", hash[:n], true)
		out[len(out)-1].weak = n == 7 // 35 bits
	}
	code := plusCode(lat, lon)
	add("plus-code", code, true)
	add("plus-code", strings.Replace(code, "+", "%2b", 1), true)
	out = append(out, floats(canary, lat, lon)...)
	return append(out, sexagesimal(canary, lat, lon)...)
}

// floats are the two byte orders of a place's coordinates as IEEE 754 numbers,
// as protobuf, CBOR and MessagePack carry them. A binary64 is proof alone: 52
// bits; what was rounded before, and a binary32, counts with its partner.
func floats(canary int, lat, lon float64) []pattern {
	var out []pattern
	orders := []struct {
		suffix string
		binary.AppendByteOrder
	}{{"", binary.LittleEndian}, {"-be", binary.BigEndian}}
	for _, o := range orders {
		for _, f := range []float64{lat, lon} {
			out = append(out, pattern{canary: canary, form: "float64" + o.suffix, text: o.AppendUint64(nil, math.Float64bits(f))})
		}
		for digits := 4; digits <= 7; digits++ {
			scale := math.Pow10(digits)
			for _, cut := range []func(float64) float64{math.Round, math.Trunc} {
				a, b := cut(lat*scale)/scale, cut(lon*scale)/scale
				if a == lat {
					continue
				}
				out = append(out, pattern{
					canary: canary, form: "float64" + o.suffix, rawNear: true,
					text: o.AppendUint64(nil, math.Float64bits(a)), near: o.AppendUint64(nil, math.Float64bits(b)),
				})
			}
		}
		a, b := o.AppendUint32(nil, math.Float32bits(float32(lat))), o.AppendUint32(nil, math.Float32bits(float32(lon)))
		out = append(out,
			pattern{canary: canary, form: "float32" + o.suffix, text: append(append([]byte(nil), a...), b...)},
			pattern{canary: canary, form: "float32" + o.suffix, text: append(append([]byte(nil), b...), a...)})
	}
	return out
}

// sexagesimal is a place in degrees, minutes and seconds, and in degrees and
// minutes as NMEA 0183 and Exif have them, up to the last whole second or the
// second decimal of a minute. Longitude must stand near latitude.
func sexagesimal(canary int, lat, lon float64) []pattern {
	var out []pattern
	add := func(form string, write func(v float64, up bool) string) {
		seen := make(map[string]bool)
		for i := range 4 {
			a, b := write(math.Abs(lat), i&1 == 1), write(math.Abs(lon), i&2 == 2)
			if seen[a+"\x00"+b] || len(a) < minWindow {
				continue
			}
			seen[a+"\x00"+b] = true
			out = append(out, pattern{canary: canary, form: form, text: foldASCII([]byte(a)), near: foldASCII([]byte(b)), fold: true, word: true})
		}
	}
	for _, sep := range [][2]string{{"°", "'"}, {"°", "′"}, {"° ", "' "}, {"° ", "′ "}, {"°", "’"}, {" deg ", "' "}, {"d", "m"}, {":", ":"}, {"/1,", "/1,"}, {"/1 ", "/1 "}, {"/1, ", "/1, "}} {
		for _, width := range []int{1, 2} {
			add("degrees-minutes-seconds", func(v float64, up bool) string {
				seconds := int(v * 3600)
				if up {
					seconds = int(math.Round(v * 3600))
				}
				return fmt.Sprintf("%d%s%0*d%s%0*d", seconds/3600, sep[0], width, seconds/60%60, sep[1], width, seconds%60)
			})
		}
	}
	minutes := func(deg int) func(v float64, up bool) string {
		return func(v float64, up bool) string {
			hundredths := int(v * 6000)
			if up {
				hundredths = int(math.Round(v * 6000))
			}
			return fmt.Sprintf("%0*d%02d.%02d", deg, hundredths/6000, hundredths/100%60, hundredths%100)
		}
	}
	// NMEA goes on with more decimals: no word ends here.
	latText, lonText := minutes(2), minutes(3)
	for i := range 4 {
		out = append(out, pattern{
			canary: canary, form: "degrees-minutes", rawNear: true,
			text: []byte(latText(math.Abs(lat), i&1 == 1)), near: []byte(lonText(math.Abs(lon), i&2 == 2)),
		})
	}
	return out
}

// geohash is the code of G. Niemeyer (geohash.org, 2008): bits of longitude and
// latitude in turn, five to a character.
func geohash(lat, lon float64, n int) string {
	const alphabet = "0123456789bcdefghjkmnpqrstuvwxyz"
	lo, hi := [2]float64{-180, -90}, [2]float64{180, 90}
	v := [2]float64{lon, lat}
	out := make([]byte, n)
	for i := range 5 * n {
		axis := i % 2
		mid := (lo[axis] + hi[axis]) / 2
		out[i/5] <<= 1
		if v[axis] >= mid {
			out[i/5] |= 1
			lo[axis] = mid
		} else {
			hi[axis] = mid
		}
	}
	for i, c := range out {
		out[i] = alphabet[c]
	}
	return string(out)
}

// plusCode is the ten-digit Open Location Code (github.com/google/open-location-code,
// "Open Location Code Specification").
func plusCode(lat, lon float64) string {
	const alphabet = "23456789CFGHJMPQRVWX"
	// In units of the last pair, 1/8000 of a degree.
	y := min(int((lat+90)*8000), 180*8000-1)
	x := int(math.Mod(lon+180, 360) * 8000)
	var out [11]byte
	for i := 4; i >= 0; i-- {
		at := 2 * i
		if i == 4 {
			at++
		}
		out[at], out[at+1] = alphabet[y%20], alphabet[x%20]
		y, x = y/20, x/20
	}
	out[8] = '+'
	return string(out[:])
}
