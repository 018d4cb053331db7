package canary

import (
	"encoding/binary"
	"math"
	"math/bits"
	"strconv"
)

// number is a planted string of digits, or one coordinate of a planted place.
type number struct {
	digits string
	canary int
	form   string
	// open, when not 0, is how many digits of any value must follow: the
	// software version of an IMEISV.
	open int
	// weak numbers count only where something says what they are.
	weak bool

	coordinate axis
	value      float64 // degrees, when coordinate is not 0
}

type axis uint8

const (
	latitude axis = 1 + iota
	longitude
)

// keyDigits is how many leading digits the first look-up uses.
const keyDigits = 4

// nearby is how far apart, in bytes, two things may be that count only
// together.
const nearby = 256

// maxDigits is the longest string of digits that is looked at.
const maxDigits = 24

// numbers finds digit strings however they are grouped: one pass over words of
// eight bytes stops where digits begin; the first two bytes there, and then the
// first four digits, separators left out, tell whether any planted number begins
// like that. A run inside a longer run is not found.
type numbers struct {
	list []number
	// start[k]..start[k+1] are the positions in order of the numbers that
	// begin with the four digits k.
	start [10000 + 1]int32
	order []int32
	// begin has a bit for each two bytes, little-endian, that such a number may
	// begin with in a text: two digits, or one and a separator.
	begin [1 << 16 / 64]uint64
}

func newNumbers(list []number) *numbers {
	n := &numbers{list: list}
	byKey := make(map[int][]int32)
	add := func(key string, i int) {
		k, err := strconv.Atoi(key[:keyDigits])
		if err != nil {
			return
		}
		for _, have := range byKey[k] {
			if have == int32(i) {
				return
			}
		}
		byKey[k] = append(byKey[k], int32(i))
	}
	for i, x := range list {
		if x.coordinate == 0 {
			add(x.digits, i)
			continue
		}
		// A coordinate is written with three decimals or more, cut or rounded.
		abs := math.Abs(x.value)
		cut := strconv.FormatFloat(math.Trunc(abs*1000)/1000, 'f', 3, 64)
		add(onlyDigits(cut), i)
		add(onlyDigits(strconv.FormatFloat(abs, 'f', 3, 64)), i)
		add(onlyDigits(strconv.FormatFloat(math.Round(abs*1e6), 'f', 0, 64))+"0000", i)
	}
	for k := range 10000 {
		n.start[k] = int32(len(n.order))
		n.order = append(n.order, byKey[k]...)
		if len(byKey[k]) == 0 {
			continue
		}
		for _, second := range append([]byte(" .-/(),\xc2\xe2"), byte('0'+k/100%10)) {
			pair := uint(second)<<8 | uint('0'+k/1000)
			n.begin[pair>>6] |= 1 << (pair & 63)
		}
	}
	n.start[10000] = int32(len(n.order))
	return n
}

// separator returns the length of the separator between groups of digits at
// the start of b: space, dot, hyphen, slash, bracket, no-break space, narrow
// no-break space, no-break hyphen.
func separator(b []byte) int {
	switch b[0] {
	case ' ', '.', '-', '/', '(', ')':
		return 1
	case 0xc2:
		if len(b) > 1 && b[1] == 0xa0 {
			return 2
		}
	case 0xe2:
		if len(b) > 2 && b[1] == 0x80 && (b[2] == 0xaf || b[2] == 0x91) {
			return 3
		}
	}
	return 0
}

// maxSeparators is how many separators may stand between two groups: ") " and
// " (0) " exist.
const maxSeparators = 2

// run is a string of digits with its separators left out.
type run struct {
	digits [maxDigits]byte
	end    [maxDigits]int32 // where the digit ends in the data
	last   [maxDigits]bool  // no digit follows directly
	n      int
}

// read fills r with at most limit digits from data[at:], which starts with one.
func (r *run) read(data []byte, at, limit int) {
	r.n = 0
	for r.n < limit {
		for at < len(data) && data[at]-'0' < 10 && r.n < limit {
			r.digits[r.n] = data[at]
			at++
			r.end[r.n] = int32(at)
			r.last[r.n] = at == len(data) || data[at]-'0' > 9
			r.n++
		}
		for range maxSeparators {
			if at >= len(data) {
				return
			}
			w := separator(data[at:])
			if w == 0 {
				break
			}
			at += w
		}
		if at >= len(data) || data[at]-'0' > 9 {
			return
		}
	}
}

// digitsIn returns a word with bit 7 of each byte set that is a digit in w.
func digitsIn(w uint64) uint64 {
	w ^= 0x3030303030303030
	return ^(w&0x7f7f7f7f7f7f7f7f + 0x7676767676767676 | w) & 0x8080808080808080
}

// scan calls found for each planted number in data, with where it stands,
// until found returns false.
func (n *numbers) scan(data []byte, found func(number int32, start, end int) bool) {
	if len(n.order) == 0 {
		return
	}
	before := uint64(0) // bit 7 is set when the byte before is a digit
	for at := 0; at < len(data); at += 8 {
		digits := digitsIn(load(data[at:]))
		starts := digits &^ (digits<<8 | before)
		before = digits >> 56
		for ; starts != 0; starts &= starts - 1 {
			i := at + bits.TrailingZeros64(starts)>>3
			if i > len(data)-keyDigits {
				return
			}
			if i > 0 && data[i-1] == '%' {
				// Two hex digits of a percent-encoded byte are no digits.
				if data[i+1]-'0' > 9 || data[i+2]-'0' > 9 {
					continue
				}
				i += 2
			}
			if pair := uint(binary.LittleEndian.Uint16(data[i:])); n.begin[pair>>6]&(1<<(pair&63)) == 0 {
				continue
			}
			if !n.at(data, i, found) {
				return
			}
		}
	}
}

// at looks at the digit group that starts at i.
func (n *numbers) at(data []byte, i int, found func(number int32, start, end int) bool) bool {
	key, got := 0, 0
	for at, gap := i, 0; got < keyDigits && at < len(data); {
		c := data[at] - '0'
		if c < 10 {
			key, gap = key*10+int(c), 0
			got++
			at++
			continue
		}
		w := separator(data[at:])
		if data[at] == ',' && got <= 3 && gap == 0 {
			w = 1 // the decimal comma of a coordinate
		}
		if gap++; w == 0 || gap > maxSeparators {
			return true
		}
		at += w
	}
	if got < keyDigits || n.start[key] == n.start[key+1] {
		return true
	}
	var r run
	r.read(data, i, maxDigits)
	for _, x := range n.order[n.start[key]:n.start[key+1]] {
		num := &n.list[x]
		if num.coordinate != 0 {
			if end := num.coordinateAt(data, i); end > 0 && !found(x, i, end) {
				return false
			}
			continue
		}
		want := len(num.digits) + num.open
		if num.open > 0 && r.n >= want && int(r.end[want-1])-i != want {
			continue // the digits after it are somebody else's
		}
		if r.n < want || !r.last[want-1] || string(r.digits[:len(num.digits)]) != num.digits {
			continue
		}
		if !found(x, i, int(r.end[want-1])) {
			return false
		}
	}
	return true
}

// float32Step is what a coordinate loses at most in a binary32.
const float32Step = 8e-6

// coordinateAt says whether the number at data[i] is this coordinate, cut or
// rounded to three decimals or more, or as an integer of millionths or
// ten-millionths of a degree, and returns where it ends, else 0.
func (x *number) coordinateAt(data []byte, i int) int {
	negative := i > 0 && data[i-1] == '-'
	if i > 1 && data[i-1] == '.' && data[i-2]-'0' < 10 {
		return 0 // decimals of another number
	}
	var value, scale float64
	at, whole := i, 0
	for ; at < len(data) && data[at]-'0' < 10 && whole < 11; at++ {
		value = value*10 + float64(data[at]-'0')
		whole++
	}
	if at < len(data) && data[at]-'0' < 10 {
		return 0
	}
	places := 0
	if whole <= 3 && at+1 < len(data) && (data[at] == '.' || data[at] == ',') && data[at+1]-'0' < 10 {
		scale = 1
		for at++; at < len(data) && data[at]-'0' < 10; at++ {
			if places < 9 {
				scale /= 10
				value += float64(data[at]-'0') * scale
				places++
			}
		}
	}
	// The hemisphere may stand in a field of its own, or behind the number.
	if negative || x.value < 0 && places >= 5 {
		value = -value
	}
	switch {
	case whole <= 3 && places >= 3:
		tolerance := math.Max(scale, 1e-7) * 1.001
		if places >= 7 {
			tolerance = float32Step // it went through a binary32
		}
		if math.Abs(value-x.value) < tolerance {
			return at
		}
	case places == 0 && whole >= 6:
		if math.Abs(value/1e7-x.value) < 1.5e-6 || math.Abs(value/1e6-x.value) < 1.5e-6 {
			return at
		}
	}
	return 0
}
