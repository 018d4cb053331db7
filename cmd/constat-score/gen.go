package main

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"time"
)

// gen draws the contents of one sample. The contents of the two halves come
// from different parts of every list.
type gen struct {
	*rand.Rand
	odd bool
	tongue
}

func newGen(r *rand.Rand, odd bool) *gen {
	g := &gen{Rand: r, odd: odd}
	g.speak()
	return g
}

// speak changes the language.
func (g *gen) speak() { g.tongue = tongues[g.IntN(len(tongues))] }

// pick takes one of the half of list that belongs to g.
func pick[T any](g *gen, list []T) T {
	n := (len(list) + 1 - b2i(g.odd)) / 2
	if n == 0 {
		return list[0]
	}
	return list[2*g.IntN(n)+b2i(g.odd)]
}

// some takes between least and most different ones of list, whatever the half.
func some[T any](g *gen, list []T, least, most int) []T {
	var out []T
	for i, j := range g.Perm(len(list)) {
		if i >= least && i >= least+(most-least)*(1+g.IntN(3))/3 || i >= most {
			break
		}
		out = append(out, list[j])
	}
	return out
}

// times calls f between least and most times.
func times[T any](g *gen, least, most int, f func(i int) T) []T {
	out := make([]T, least+g.IntN(most-least+1))
	for i := range out {
		out[i] = f(i)
	}
	return out
}

type person struct{ given, family, full, phone, email string }

func (g *gen) person() person {
	p := person{given: pick(g, g.given), family: pick(g, g.tongue.family), phone: g.phone()}
	p.full = p.given + " " + p.family
	if g.familyFirst {
		p.full = p.family + p.given
	}
	p.email = g.email()
	return p
}

func (g *gen) people(least, most int) []person {
	return times(g, least, most, func(int) person { return g.person() })
}

// phone is a number in one of the ways that the country writes it.
func (g *gen) phone() string { return g.digitsFor(g.numbers[g.IntN(len(g.numbers))]) }

// e164 is a number in the international form.
func (g *gen) e164() string {
	return g.digitsFor(strings.NewReplacer(" ", "", "(", "", ")", "", "-", "").Replace(g.numbers[0]))
}

func (g *gen) digitsFor(pattern string) string {
	b := []byte(pattern)
	for i := range b {
		if b[i] == 'x' {
			b[i] = byte('0' + g.IntN(10))
		}
	}
	return string(b)
}

func (g *gen) email() string {
	user := []string{"amelia", "odile.v", "j-petersen", "yutong", "k.hasegawa", "vsevolod", "t_alattar", "rohan99", "malee", "ines.q", "post", "theo"}
	host := []string{"example.org", "mail.example.com", "example.net", "post.example.de", "courriel.example.fr", "example.co.jp"}
	return fmt.Sprintf("%s%d@%s", pick(g, user), g.IntN(1000), pick(g, host))
}

func (g *gen) bytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(g.Uint32())
	}
	return b
}

func (g *gen) hex(n int) string { return hex.EncodeToString(g.bytes((n + 1) / 2))[:n] }

func (g *gen) digits(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte('0' + g.IntN(10))
	}
	if b[0] == '0' {
		b[0] = '7'
	}
	return string(b)
}

func (g *gen) uuid() string {
	b := g.bytes(16)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// luhn appends the check digit.
func luhn(s string) string {
	sum := 0
	for i := range len(s) {
		d := int(s[len(s)-1-i] - '0')
		if i%2 == 0 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return s + string(byte('0'+(10-sum%10)%10))
}

func (g *gen) imei() string {
	return luhn([]string{"35209900", "86412604", "35733509", "01332700"}[g.IntN(4)] + g.digits(6))
}

func (g *gen) imsi() string {
	return []string{"20801", "26201", "46000", "52001", "40445", "310150"}[g.IntN(6)] + g.digits(10)
}

func (g *gen) iccid() string {
	return luhn("89" + []string{"33", "49", "86", "66"}[g.IntN(4)] + g.digits(14))
}
func (g *gen) androidID() string { return g.hex(16) }
func (g *gen) serial() string {
	return "R" + strings.ToUpper(g.hex(2)) + g.digits(2) + strings.ToUpper(g.hex(6))
}

func (g *gen) mac(sep string) string {
	b := g.bytes(6)
	b[0] &= 0xfc
	if sep == "" {
		return hex.EncodeToString(b)
	}
	out := make([]string, 6)
	for i, x := range b {
		out[i] = fmt.Sprintf("%02x", x)
	}
	return strings.Join(out, sep)
}

// point is a place near one of the list, with n decimals.
func (g *gen) point(n int) (lat, lon float64) {
	p := pick(g, places)
	f := math.Pow10(n)
	round := func(x float64) float64 {
		x = math.Round((x+(g.Float64()-0.5)*0.08)*f) / f
		if s := fmt.Sprintf("%.*f", n, x); strings.HasSuffix(s, "0") {
			x += 3 / f // a last zero is not written
		}
		return math.Round(x*f) / f
	}
	return round(p[0]), round(p[1])
}

// near is a place a few steps from another.
func (g *gen) near(lat, lon float64) (float64, float64) {
	step := func(x float64) float64 { return math.Round((x+(g.Float64()-0.5)*0.004)*1e5) / 1e5 }
	return step(lat), step(lon)
}

// when is a time between 2014 and 2026 in milliseconds.
func (g *gen) when() int64  { return 1388534400000 + g.Int64N(380_000_000_000) }
func (g *gen) sec() int64   { return g.when() / 1000 }
func (g *gen) iso() string  { return time.UnixMilli(g.when()).UTC().Format(time.RFC3339) }
func (g *gen) day() string  { return time.UnixMilli(g.when()).UTC().Format("2006-01-02") }
func (g *gen) date() string { return time.UnixMilli(g.when()).UTC().Format("2006-01-02 15:04:05") }

// url is the address of a page that somebody read.
func (g *gen) url() string {
	d := pick(g, domains)
	switch g.IntN(4) {
	case 0:
		return fmt.Sprintf("https://%s/%s/%d.html", d, pick(g, []string{"article", "thread", "wiki", "gesundheit", "actualites", "news"}), g.IntN(99999))
	case 1:
		return fmt.Sprintf("https://%s/search?q=%s", d, strings.ReplaceAll(pick(g, []string{"divorce lawyer", "shingles pain", "used cello", "night train", "job centre", "hay fever"}), " ", "+"))
	case 2:
		return fmt.Sprintf("http://www.%s/%s/%s?id=%d", d, g.hex(4), pick(g, []string{"debt-advice", "hiv-test", "mieterrecht", "grossesse", "visa"}), g.IntN(9999))
	}
	return fmt.Sprintf("https://%s/p/%s#comments", d, pick(g, []string{"leaving-the-church", "coming-out-at-work", "union-vote", "second-opinion"}))
}

func (g *gen) secret() string {
	return pick(g, []string{"Zebra-", "tr0mpete", "Kühlschrank", "hunter", "correct horse ", "月が綺麗", "S0mmer!", "Пароль", "qwertz", "lapin."}) + fmt.Sprint(100+g.IntN(900))
}

func md5hex(s string) string    { x := md5.Sum([]byte(s)); return hex.EncodeToString(x[:]) }
func sha1hex(s string) string   { x := sha1.Sum([]byte(s)); return hex.EncodeToString(x[:]) }
func sha256hex(s string) string { x := sha256.Sum256([]byte(s)); return hex.EncodeToString(x[:]) }

func (g *gen) oneOf(list ...string) string { return list[g.IntN(len(list))] }
