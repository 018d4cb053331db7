package detect

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// lexicon knows families of field names. Looking a name up that is in none is
// cheap, because most names are.
type lexicon[T comparable] struct {
	words map[string]T
	// may holds, by first byte, the lengths that words have, as bits.
	may [256]uint64
}

// newLexicon turns lists of words into a lexicon. A word in two lists is a
// mistake in this package, found when it is loaded.
func newLexicon[T comparable](lists map[T]string) *lexicon[T] {
	l := &lexicon[T]{words: make(map[string]T)}
	for family, words := range lists {
		for w := range strings.FieldsSeq(words) {
			if _, twice := l.words[w]; twice {
				panic("detect: word " + w + " is in two families")
			}
			l.words[w] = family
			l.may[w[0]] |= 1 << len(w)
		}
	}
	foldWords(l)
	return l
}

// foldWords adds the words as squeeze writes them.
func foldWords[T comparable](l *lexicon[T]) {
	for _, w := range slices.Sorted(maps.Keys(l.words)) {
		f := folded(w)
		if _, known := l.words[f]; f != "" && !known {
			l.words[f] = l.words[w]
			l.may[f[0]] |= 1 << len(f)
		}
	}
}

// of returns the family of a field's name, the zero value if it is in none.
func (l *lexicon[T]) of(name string) T {
	var buf [maxName]byte
	return l.word(squeeze(&buf, name))
}

// word is like of, for a name that is squeezed.
func (l *lexicon[T]) word(w []byte) (none T) {
	if len(w) == 0 || l.may[w[0]]>>len(w)&1 == 0 {
		return none
	}
	return l.words[string(w)]
}

// endings knows families by the ends of names.
type endings[T comparable] struct {
	byLast [256][]nameEnd[T] // by last byte, longest first
}

type nameEnd[T comparable] struct {
	end string
	of  T
}

func newEndings[T comparable](lists map[T]string) *endings[T] {
	e := new(endings[T])
	for family, ends := range lists {
		for end := range strings.FieldsSeq(ends) {
			if f := folded(end); f != end && f != "" {
				e.byLast[f[len(f)-1]] = append(e.byLast[f[len(f)-1]], nameEnd[T]{f, family})
			}
			last := end[len(end)-1]
			e.byLast[last] = append(e.byLast[last], nameEnd[T]{end, family})
		}
	}
	for i := range e.byLast {
		slices.SortFunc(e.byLast[i], func(a, b nameEnd[T]) int {
			return cmp.Or(len(b.end)-len(a.end), strings.Compare(a.end, b.end))
		})
	}
	return e
}

// of returns the family of a squeezed name that is longer than one of the ends,
// the zero value if there is none.
func (e *endings[T]) of(w []byte) (none T) {
	for _, x := range e.byLast[w[len(w)-1]] {
		if len(w) > len(x.end) && string(w[len(w)-len(x.end):]) == x.end {
			return x.of
		}
	}
	return none
}

// phrases knows families of names by their last words: imei, deviceImei and
// x-acme-device-imei are one family.
type phrases[T comparable] struct {
	whole *lexicon[T] // words that must be all of the name
	last  *lexicon[T] // words that may end a longer one
	ends  [1024]uint64
}

// newPhrases makes phrases of words that must stand alone and of words that may
// stand behind others.
func newPhrases[T comparable](whole, last map[T]string) *phrases[T] {
	p := &phrases[T]{whole: newLexicon(whole), last: newLexicon(last)}
	for _, words := range []map[string]T{p.whole.words, p.last.words} {
		for w := range words {
			p.end(w)
		}
	}
	for w := range writings {
		p.end(w)
	}
	return p
}

func (p *phrases[T]) end(w string) {
	if w = strings.TrimRight(w, "0123456789"); len(w) < 2 {
		return
	}
	i := uint16(w[len(w)-2])<<8 | uint16(w[len(w)-1])
	p.ends[i>>6] |= 1 << (i & 63)
}

// may says no to most names that are in no family.
func (p *phrases[T]) may(name string) bool {
	n := len(name)
	for n > 0 && (name[n-1]-'0' < 10 || name[n-1] == ']' || name[n-1] == ')' || name[n-1] == '_' || name[n-1] == '-') {
		n--
	}
	if n < 2 {
		return false
	}
	a, b := name[n-2], name[n-1]
	return a < 'A' || a == '_' || p.has(a, b) || b|0x20 == 's' && n > 2 && p.has(name[n-3], a)
}

func (p *phrases[T]) has(a, b byte) bool {
	if a-'A' < 26 {
		a |= 0x20
	}
	if b-'A' < 26 {
		b |= 0x20
	}
	i := uint16(a)<<8 | uint16(b)
	return p.ends[i>>6]&(1<<(i&63)) != 0
}

// phrase is what is known of a name.
type phrase[T comparable] struct {
	of     T
	before wordFlags // what the words in front say
	hashed bool      // a word says so
	whole  bool      // nothing stands in front
}

// writings are words that say how a value is written and not what it is.
var writings = func() map[string]bool {
	m := make(map[string]bool)
	for w := range strings.FieldsSeq("hash hashed md5 sha sha1 sha256 sha512 digest hmac sm3 raw value val str string enc encrypted hex plain lower lowercase number no num") {
		m[w] = true
	}
	return m
}()

// hashes are those that say that a value is a hash.
var hashes = map[string]bool{
	"hash": true, "hashed": true, "md5": true, "sha": true, "sha1": true, "sha256": true, "sha512": true, "digest": true, "hmac": true, "sm3": true,
}

// wordFlags say what words in front of a name's last ones make of it.
type wordFlags uint8

const (
	ofThing   wordFlags = 1 << iota // of a product, an order, a message
	ofOther                         // of somebody else: a contact, a shop
	ofRequest                       // of a request, a session, a span
	ofQuality                       // has, is, show, forgot: of a flag or a rule
	ofPlace                         // the place of something else, or the edge of a map
)

var frontWords = newFlags(map[wordFlags]string{
	ofThing: `product order item article message msg txn transaction payment invoice shipment shipping cart checkout sku offer brand category campaign creative
		image file video photo post comment thread conversation chat room channel group page view layout template theme widget element node block menu song track album artist playlist
		movie episode season book game team league ticket job task release test experiment feature flag segment audience document doc folder object asset media content story feed
		coupon voucher subscription plan bundle collection catalog listing variant warehouse promo promotion banner placement slot deal quiz question course lesson
		workspace project build commit branch issue label column row table schema record entity model query report dashboard pipeline stream topic queue partition`,
	ofOther: `contact contacts recipient recipients receiver to cc bcc reply replyto peer callee caller friend shop merchant seller vendor company support emergency author target other
		referrer invitee supplier agent driver buyer invited guest sender from billing business organization organisation org tenant team support help sales store partner employer
		creator assignee owner follower following publisher provider contractor doctor patient opponent winner recommended mentioned parent`,
	ofRequest: `request req session trace span event correlation batch nonce csrf xsrf upload download call connection conn operation op process thread transaction trx invocation activity
		screen visit pageview impression click hit auction bid log crash error exception insert idempotency state challenge push notification job run execution tx cursor sync window tab frame`,
	ofQuality: `has is show forgot require requires required min max valid invalid enable enabled disable disabled can allow allowed need needs verify verified confirmed use with count num
		total missing supports support no without reset forgotten`,
	ofPlace: `dest destination drop dropoff place venue hotel ne sw nw se min max north south east west map viewport target end bbox bounds delta span search center centre city`,
})

// newFlags is newLexicon for words that may be in several families.
func newFlags[T ~uint8 | ~uint16 | ~uint32](lists map[T]string) *lexicon[T] {
	l := &lexicon[T]{words: make(map[string]T)}
	for family, words := range lists {
		for w := range strings.FieldsSeq(words) {
			l.words[w] |= family
			l.may[w[0]] |= 1 << len(w)
		}
	}
	foldWords(l)
	return l
}

// split cuts name into words in lower case, which it writes into buf one behind
// the other; starts holds where each begins. n is 0 for a name that is too long.
func split(buf *[maxName]byte, starts *[maxWords]uint8, name string) (length, n int) {
	if k := len(name); k > 2 && name[k-1] == ']' {
		if i := strings.LastIndexByte(name, '['); i > 0 && i < k-2 {
			name = name[i+1 : k-1]
		}
	}
	boundary := true
	for i := range len(name) {
		c := name[i]
		switch {
		case c-'A' < 26:
			if i > 0 && (name[i-1]-'a' < 26 || name[i-1]-'0' < 10) || i > 0 && i+1 < len(name) && name[i-1]-'A' < 26 && name[i+1]-'a' < 26 {
				boundary = true
			}
			c += 'a' - 'A'
		case c-'a' < 26, c-'0' < 10, c >= 0x80:
		default:
			boundary = true
			continue
		}
		if boundary {
			if n == maxWords {
				return 0, 0
			}
			starts[n] = uint8(length)
			n++
			boundary = false
		}
		if length == maxName {
			return 0, 0
		}
		buf[length] = c
		length++
	}
	return length, n
}

// maxWords is of how many words a name may be.
const maxWords = 12

// of returns what is known of name.
func (p *phrases[T]) of(name string) (ph phrase[T]) {
	if len(name) > 2*maxName || !p.may(name) {
		return ph
	}
	var buf [maxName]byte
	var starts [maxWords]uint8
	end, n := split(&buf, &starts, name)
	for first := true; n > 0; first = false {
		if p.find(&ph, buf[:end], starts[:n]) {
			return ph
		}
		w := buf[starts[n-1]:end]
		k := len(w)
		for k > 0 && w[k-1]-'0' < 10 {
			k--
		}
		switch {
		case writings[string(w)] || k > 0 && writings[string(w[:k])] && n > 1:
			ph.hashed = ph.hashed || hashes[string(w)] || hashes[string(w[:k])]
			n--
			end = int(starts[n])
		case k == 0:
			n--
			end = int(starts[n])
		case k < len(w):
			end -= len(w) - k
		case first && w[k-1] == 's' && k > 3:
			end--
		default:
			return ph
		}
	}
	return ph
}

// find looks for the longest ending of words that is in a family.
func (p *phrases[T]) find(ph *phrase[T], w []byte, starts []uint8) bool {
	var none T
	n := len(starts)
	for n > 1 { // md5_imei, x-imei
		word := string(w[starts[0]:starts[1]])
		if !hashes[word] && word != "x" && word != "my" && word != "the" && word != "raw" && word != "enc" {
			break
		}
		ph.hashed = ph.hashed || hashes[word]
		starts, n = starts[1:], n-1
	}
	if f := p.whole.word(w[starts[0]:]); f != none {
		ph.of, ph.whole = f, true
		return true
	}
	for i := range starts {
		f := p.last.word(w[starts[i]:])
		if f == none {
			continue
		}
		ph.of, ph.whole = f, i == 0
		for j := range i {
			end := len(w)
			if j+1 < n {
				end = int(starts[j+1])
			}
			front := w[starts[j]:end]
			ph.before |= frontWords.word(front)
			ph.hashed = ph.hashed || hashes[string(front)]
		}
		return true
	}
	return false
}

// memo remembers what was found out about names, since the records of a list
// repeat them.
type memo[T any] struct {
	names [64]string
	found [64]T
}

// of returns what look says of name.
func (m *memo[T]) of(name string, look func(string) T) T {
	n := len(name)
	if n == 0 || n > 2*maxName {
		var none T
		return none
	}
	i := (uint(name[0]) + 5*uint(name[n-1]) + 11*uint(name[n/2]) + 31*uint(n)) & 63
	if m.names[i] != name {
		m.names[i], m.found[i] = name, look(name)
	}
	return m.found[i]
}
