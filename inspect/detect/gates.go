package detect

import (
	"bytes"
	"strings"

	"constat/inspect"
	"constat/proxy/flow"
)

// The gates say of a whole document, by its columns, that a detector can find
// nothing in it, before any record of it is looked at. A gate asks for less than
// the detector does: what it turns away, the detector would have turned away.

// view is a document as a gather sees it.
type view struct {
	*inspect.Document
	tree *inspect.Tree
	g    *gather
	// columns remembers what g.column says of the elements of arrays.
	columns *memo[bool]

	// See survey. The cards of a document are partial when they are made where plots
	// live only.
	surveyed, partial bool
	renamed           answer // see renames
	spots             []spot
	at                []uint8 // spot of each column
}

// column says that b can be the name of a column that matters.
func (v *view) column(b []byte) bool {
	if v.columns == nil {
		v.columns = new(memo[bool])
	}
	return v.columns.ofBytes(b, v.g.column)
}

// What the names of places are asked for.
var (
	inNotes    = keyedBy(notePlaces)
	inCalls    = keyedBy(callPlaces)
	inSearches = keyedBy(searchLists)
	inVisits   = keyedBy(webPlaces)
	noteKeys   = keyedIn(noteFolds)
	callKeys   = keyedIn(callFolds)
	smsKeys    = keyedIn(smsFolds)
)

const anyDigit = inspect.Digits | inspect.NonASCII

// hasText says that a field of c is a text or bytes.
func hasText(c *inspect.Column) bool { return c.Has(inspect.Text) || c.Has(inspect.Bytes) }

// hasValue says that a field of c is a text, bytes or a number.
func hasValue(c *inspect.Column) bool { return hasText(c) || c.Has(inspect.Number) }

// renames says that cells of cards can have other names than their parts: those
// of flat names and numbered ones, of lists of names and values, of tables, of lists
// side by side, of properties, and of strings that hold several values.
func (v *view) renames() bool {
	if v.renamed == notAsked {
		if v.renamed = doesNot; v.mayRename() {
			v.renamed = does
		}
	}
	return v.renamed == does
}

// answer is that of a question which is asked once.
type answer uint8

const (
	notAsked answer = iota
	doesNot
	does
)

func (v *view) mayRename() bool {
	numbered, key, value := 0, false, false
	arrays, lists := 0, v.Rows // columns of elements; lists can stand side by side
	names := nameShapes.In(v.tree)
	for i := range v.Columns {
		c := &v.Columns[i]
		s := names.OfColumn(c)
		if s.flat || s.wrap {
			return true
		}
		if s.numbered {
			numbered += c.Fields
		}
		key = key || s.key
		value = value || s.value || strings.HasSuffix(c.Place, ".value")
		if !c.Elements {
			continue
		}
		arrays++
		lists = lists || arrays > 1
		if hasText(c) && c.Holds&joints != 0 && c.Fields >= minJoined {
			return true
		}
	}
	if numbered >= 4 || key && value || lists && v.aside() {
		return true
	}
	if v.Rows {
		texts := false
		for i := range v.Columns {
			c := &v.Columns[i]
			texts = texts || hasText(c) && (c.Elements || c.First.Decoder() == "xml")
		}
		for _, r := range v.Records {
			if !texts {
				break // names of columns and of types are texts
			}
			if isArray(r) && (v.isHead(r) || len(r.Fields) > 2 && propertyTypes[string(r.Fields[1].Data)]) {
				return true
			}
		}
	}
	return false
}

// aside says that there are two lists that are called after columns.
func (v *view) aside() bool {
	n := 0
	known := v.g.lists.In(v.tree)
	for i := range v.Columns {
		c := &v.Columns[i]
		if !c.Elements {
			continue
		}
		if known.OfName(c.Place) {
			n += c.Fields // each may be of another list
		}
	}
	return n >= 4
}

// joints are what can stand between the values in one string.
const joints = inspect.Bars | inspect.Controls | inspect.Semicolons | inspect.Commas | inspect.Equals | inspect.Colons | inspect.Hashes | inspect.Carets | inspect.Tildes

// keyed is something that is found out of each of the names in a place.
type keyed[T ~bool | ~uint32] struct {
	key func(key string) T
	in  *inspect.NameFacts[T] // of all names of a place together
}

// families are those of a lexicon, each as a bit.
type families uint32

func newKeyed[T ~bool | ~uint32](key func(key string) T, or func(a, b T) T) keyed[T] {
	return keyed[T]{key, inspect.NewNameFacts(func(place string) (it T) {
		for place != "" {
			rest, last := lastKey(place)
			if last != "" {
				it = or(it, key(last))
			}
			if rest == place {
				break
			}
			place = rest
		}
		return it
	})}
}

// keyedBy asks for one of the words.
func keyedBy(words *stems) *keyed[bool] {
	k := newKeyed(func(key string) bool { return mentions(key, words) }, func(a, b bool) bool { return a || b })
	return &k
}

// keyedIn asks for families of a lexicon.
func keyedIn[T ~uint8](l *lexicon[T]) *keyed[families] {
	k := newKeyed(func(key string) families { return 1 << l.of(key) &^ 1 }, func(a, b families) families { return a | b })
	return &k
}

// placed says that one of the names around the records of the document is what k
// asks for: those of the objects that they stand in, and with outside of the fields
// that the document was in.
func (v *view) placed(outside bool, k *keyed[bool]) bool {
	some := false
	eachKey(v, k, func(it bool) { some = some || it })
	return some || outside && v.around(k.key)
}

// foldsOf returns what the names around the records are.
func (v *view) foldsOf(k *keyed[families]) (all families) {
	eachKey(v, k, func(it families) { all |= it })
	return all
}

func eachKey[T ~bool | ~uint32](v *view, k *keyed[T], say func(it T)) {
	last := ""
	shapes, places := nameShapes.In(v.tree), k.in.In(v.tree)
	for i := range v.Columns {
		c := &v.Columns[i]
		if shapes.OfColumn(c).flat {
			for word := range strings.FieldsFuncSeq(c.Name, func(r rune) bool { return r == '[' || r == ']' || r == '.' }) {
				say(k.key(word))
			}
		}
		if c.Place != last {
			last = c.Place
			say(places.OfName(last))
		}
	}
}

// around says that the name of one of the fields that the document was in
// satisfies f.
func (v *view) around(f func(key string) bool) bool {
	c := card{parent: v.Parent}
	for key := range c.where() {
		if f(key) {
			return true
		}
	}
	return false
}

// eventful says that a value holds one of the words that outerEvent would look at.
func (v *view) eventful(words *stems) bool {
	names := eventFacts.In(v.tree)
	var seen valueMemo
	look := func(value []byte) bool { return mentions(string(value), words) }
	protobuf := v.Parent.Children[0].Decoder() == "protobuf"
	for _, p := range v.Parent.Children {
		if p.Kind > inspect.Text || len(p.Data) < 2 || len(p.Data) > maxName {
			continue
		}
		if (names.Of(p) || protobuf || strings.HasSuffix(string(p.Path), "[0]")) && seen.of(p.Data, look) {
			return true
		}
	}
	return false
}

var eventFacts = inspect.NewNameFacts(func(name string) bool { return eventNames[name] })

// event says that a field that is called as those are that say what happened
// holds a value that satisfies f.
func (v *view) event(f func(value []byte) bool) bool {
	names := eventFacts.In(v.tree)
	var seen valueMemo
	for _, p := range v.Parent.Children {
		if p.Kind <= inspect.Text && len(p.Data) > 2 && len(p.Data) <= maxName && names.Of(p) && seen.of(p.Data, f) {
			return true
		}
	}
	return false
}

// valueMemo remembers what was found out of the last values. It keeps them as they
// are.
type valueMemo struct {
	values [16][]byte
	found  [16]bool
}

func (m *valueMemo) of(b []byte, look func([]byte) bool) bool {
	if len(b) == 0 {
		return look(b)
	}
	i := (uint(b[0]) + 5*uint(b[len(b)-1]) + 11*uint(b[len(b)/2]) + 31*uint(len(b))) & 15
	if string(m.values[i]) != string(b) {
		m.values[i], m.found[i] = b, look(b)
	}
	return m.found[i]
}

func isNoteEvent(value []byte) bool {
	return mentions(string(value), notePlaces) || mentions(string(value), calendarPlaces)
}

// callColumn is what the name of a column says about calls.
type callColumn struct {
	family callField
	date   bool
}

var callColumns = inspect.NewNameFacts(func(name string) callColumn {
	return callColumn{callFamily(name), len(name) > 3 && (mentions(name, dateNames) || endsInAt(name))}
})

// callNeed asks for a number, and for what says when, how long and which way.
func callNeed(v *view) bool {
	var have [callCount]bool
	dates, event := false, false
	names := callColumns.In(v.tree)
	for i := range v.Columns {
		c := &v.Columns[i]
		if c.First.Decoder() == "vobject" {
			return true
		}
		n := names.OfColumn(c)
		have[n.family] = true
		dates = dates || n.date
		event = event || eventNames[c.Name]
	}
	for w, folds := callNone, v.foldsOf(callKeys); w < callCount; w++ {
		have[w] = have[w] || folds>>w&1 != 0
	}
	if v.renames() {
		return true
	}
	if have[callNumber] || have[callPeer] {
		signs := 0
		for _, b := range []bool{have[callDate] || have[callEnd] || dates, have[callDuration], have[callType] || have[callFlag]} {
			if b {
				signs++
			}
		}
		if signs > 1 || signs > 0 && (event || have[callMark]) || have[callMark] {
			return true
		}
		if signs > 0 && callPlaced(v) {
			return true
		}
	}
	// Cards whose names say nothing.
	for _, r := range v.Records {
		short := true
		for _, f := range r.Fields {
			if len(f.Name) > 2 && !allDigits([]byte(f.Name)) {
				short = false
				break
			}
		}
		if short {
			return true
		}
	}
	for i := range v.Columns {
		if c := &v.Columns[i]; c.Elements && c.Holds&anyDigit != 0 && (hasText(c) || callPlaced(v)) {
			return true // bare values are guessed at
		}
	}
	return false
}

func callPlaced(v *view) bool {
	return pathMentions(v.tree, callPlaces) || v.placed(true, inCalls)
}

// callLive asks of each plot for what weigh asks for: for a number, and for what says
// when, how long or which way. Of cards whose names say nothing it asks for a value
// that is a number.
func callLive(v *view) bool {
	type signs struct{ number, sign, loose bool }
	var of [mostSpots]signs
	var room sieve
	loose := room.of(v.Document)
	names := callColumns.In(v.tree)
	some, folded := false, false
	for i := range v.Columns {
		c, s := &v.Columns[i], v.spotOf(i)
		n, x := names.OfColumn(c), &of[s.plot]
		w := n.family
		if folded = folded || s.via != ""; s.via != "" && (w == callNone || c.Name == "address") {
			if w = callFolds.of(s.via); w == callMark || w == callNumber && c.Name == "name" {
				w = callNone
			}
		}
		short := len(c.Name) <= 2 || allDigits([]byte(c.Name))
		switch w {
		case callNumber, callPeer:
			x.number = true
		case callDate, callEnd, callDuration, callType, callFlag:
			x.sign = true
		}
		x.sign = x.sign || n.date || short && c.Holds&anyDigit != 0
		if (short || c.Elements) && c.Holds&anyDigit != 0 && c.Max >= 7 && hasValue(c) {
			x.loose = true
			loose[i] = true
		}
	}
	guess := false
	for i := range v.spots {
		x := &of[i]
		if x.number && x.sign {
			v.spots[i].live = true
			some = true
		}
		guess = guess || x.loose && !v.spots[i].live
	}
	if !guess || !folded && !v.wide(leastGuessed) {
		return some
	}
	for _, p := range v.Parent.Children {
		if !loose[p.Column()] || !isGuessed(p) && (len(p.Children) != 1 || !isGuessed(readable(p))) {
			continue
		}
		v.grow(v.spotAt(p))
		some = true
	}
	return some
}

// leastGuessed is the least number of cells of a card that guessCall reads.
const leastGuessed = 3

// wide says that a record has n fields.
func (v *view) wide(n int) bool {
	for i := range v.Records {
		if len(v.Records[i].Fields) >= n {
			return true
		}
	}
	return false
}

// isGuessed says that guessCall takes p for a number.
func isGuessed(p *inspect.Part) bool {
	switch {
	case len(p.Data) < 7 || len(p.Data) > 40:
		return false
	case p.Kind == inspect.Number:
		return (p.Data[0] == '0' || p.Holds()&^inspect.Digits != 0) && telephone(p.Data) == fullPhone
	}
	return p.Kind <= inspect.Text && holdsPhone(p, bareDigits)
}

// callMay asks for digits.
func callMay(c *inspect.Column) bool {
	return hasValue(c) && c.Holds&anyDigit != 0 && c.Max >= 3 && (c.Min <= 40 || c.Elements)
}

// partedNeed asks for somebody whom a message is from or to.
func partedNeed(v *view) bool {
	for i := range v.Columns {
		if c := &v.Columns[i]; c.Elements && c.Max > 20 && c.Has(inspect.Text) && c.Holds&anyDigit != 0 {
			return true // strings that hold several values
		} else if titleNames[c.Name] && c.Has(inspect.Text) && c.Holds&anyDigit != 0 && c.Min <= 40 {
			return true // a notice of a message
		}
	}
	names := smsNames.In(v.tree)
	for i := range v.Columns {
		if w := names.OfColumn(&v.Columns[i]); w == smsAddress || w == smsPeer {
			return true
		}
	}
	return v.foldsOf(smsKeys)>>smsAddress&1 != 0 || v.renames()
}

func partedMay(c *inspect.Column) bool {
	return c.Holds&anyDigit != 0 && c.Max >= 3 && (c.Min <= 40 || c.Elements) && (c.Has(inspect.Text) || hasValue(c) && smsWords.of(c.Name) == smsAddress)
}

// contactMay asks for digits, an at sign or what can be a hash.
func contactMay(c *inspect.Column) bool {
	const mixed = inspect.UpperCase | inspect.LowerCase
	const marks = inspect.Pluses | inspect.Slashes | inspect.Hyphens | inspect.Underscores
	switch {
	case c.Max < 5:
		return false
	case c.Has(inspect.Number) && c.Max >= 8 && contactWords.of(c.Name) == contactPhone:
		return true
	case !hasText(c):
		return false
	}
	return c.Holds&(anyDigit|inspect.Ats) != 0 || c.Holds&mixed == mixed && c.Holds&marks != 0 || len(c.Name) >= 8 && telephone([]byte(c.Name)) == fullPhone
}

// contactName is what a name says about contacts.
type contactSays struct {
	family contactField
	phone  bool // it is a telephone number
}

var contactNames = inspect.NewNameFacts(func(name string) contactSays {
	return contactSays{contactFamily(name), len(name) >= 7 && telephone([]byte(name)) == fullPhone}
})

// contactLive asks of each plot for a telephone number, an address or a hash.
func contactLive(v *view) bool {
	names := contactNames.In(v.tree)
	var room sieve
	may := room.of(v.Document)
	some := false
	for i := range v.Columns {
		c, s := &v.Columns[i], v.spotOf(i)
		n := names.OfColumn(c)
		_, key := lastKey(s.folding.place)
		if n.phone || len(key) >= 7 && telephone([]byte(key)) == fullPhone {
			v.grow(s)
			some = true
		}
		number := c.Has(inspect.Number) && c.Max >= 7 && (n.family == contactPhone || n.family == contactFace || s.via != "" && contactFolds.of(s.via) == contactPhone)
		if c.Max >= 5 && (number || hasText(c) && (c.Taken || c.Holds&(anyDigit|inspect.Ats) != 0 || c.Holds&inspect.Letters == inspect.Letters)) {
			may[i] = true
			some = true
		}
	}
	if !some {
		return false
	}
	some = false
	for _, p := range v.Parent.Children {
		if !may[p.Column()] || !reaches(p) && (len(p.Children) != 1 || !reaches(readable(p))) {
			continue
		}
		v.grow(v.spotAt(p))
	}
	for i := range v.spots {
		s := &v.spots[i]
		if !v.lives(s) {
			continue
		}
		some = true
		// Who somebody is may hang on what the object around says.
		for _, place := range []string{s.place, s.folding.place} {
			outer, _ := lastKey(place)
			for j := range v.spots {
				if outer != "" && v.spots[j].folding.place == outer {
					v.grow(&v.spots[j])
				}
			}
		}
	}
	return some
}

// reaches says that p can be how somebody is reached, or a hash of that.
func reaches(p *inspect.Part) bool {
	switch {
	case p.Kind == inspect.Number:
		return len(p.Data) >= 7 && telephone(p.Data) >= bareDigits
	case p.Kind > inspect.Text:
		return false
	}
	return holdsPhone(p, bareDigits) || p.Holds()&inspect.Ats != 0 && isMailAddress(p.Data) || isDigest(p) || p.Holds()&listed != 0 && listOfPhones(p.Data) > 0
}

// mailNeed asks for an address, or for mailboxes one of which is called inbox.
func mailNeed(v *view) bool {
	short := false
	for i := range v.Columns {
		c := &v.Columns[i]
		if !hasText(c) {
			continue
		}
		if c.Taken || c.Holds&inspect.Ats != 0 || c.Name == "mailbox" {
			return true
		}
		short = short || c.Min <= 5 && c.Max >= 5
	}
	return short && v.mailboxes() || v.renames()
}

// leastBoxes is how many mailboxes are a list of them.
const leastBoxes = 3

// mailboxes says that there are enough for a list of them.
func (v *view) mailboxes() bool {
	inbox := false
	for _, p := range v.Parent.Children {
		if len(p.Data) == 5 && p.Data[0]|0x20 == 'i' && p.Kind <= inspect.Text && bytes.EqualFold(p.Data, []byte("inbox")) {
			inbox = true
			break
		}
	}
	if !inbox || v.Parent.Parent != nil { // the list may be one of documents
		return inbox
	}
	n := 0
	for _, p := range v.Parent.Children {
		if p.Kind <= inspect.Text && len(p.Data) >= 4 && isMailRole(p.Data) {
			if n++; n == leastBoxes {
				return true
			}
		}
	}
	return false
}

// noteNeed asks for something written, and for what says that it is a note, a
// task or an entry of a calendar.
func noteNeed(v *view) bool {
	var have [noteCount]int
	own, check, event, short := false, false, false, false
	names := noteNames.In(v.tree)
	for i := range v.Columns {
		c := &v.Columns[i]
		if c.First.Decoder() == "vobject" {
			return true
		}
		n := 1
		if c.Elements {
			n = 2
		}
		name := names.OfColumn(c)
		have[name.family] += n
		short = short || len(c.Name) > 0 && len(c.Name) <= 2 && hasText(c) && c.Holds&inspect.Spaces != 0
		own = own || len(c.Name) > 3 && name.placed
		event = event || eventNames[c.Name]
		switch c.Name {
		case "checked", "isChecked", "is_checked", "done":
			check = true
		}
		own = own || name.file && hasText(c) && (c.Taken || c.Holds&inspect.Dots != 0)
	}
	for w, folds := noteText, v.foldsOf(noteKeys); w < noteCount; w++ {
		if folds>>w&1 != 0 {
			have[w] += 2
		}
	}
	if v.Rows {
		for _, r := range v.Records[:min(len(v.Records), 64)] {
			if len(r.Fields) > 2 && propertyTypes[string(r.Fields[1].Data)] && isArray(r) {
				return true // jCal
			}
		}
	}
	switch {
	case v.renames():
		return true
	case have[noteText]+have[noteTitle] == 0 && !own:
		return v.Parent.Direction == flow.Up && (short && (event || pathMentions(v.tree, notePlaces)) || v.placed(true, inNotes))
	case own, check, have[noteDue] > 0, have[noteStart] > 0 && have[noteTitle] > 0:
		return true
	case have[noteMark] > 0 && have[noteDate] > 0 && have[noteText] > 0:
		return true
	case event && v.event(isNoteEvent):
		return true
	}
	return pathMentions(v.tree, notePlaces) || v.placed(true, inNotes)
}

// noteSigns are what the columns of a plot say that can make a card of it a note.
type noteSigns uint16

const (
	noteTexts   noteSigns = 1 << iota // a text by its name
	noteTitles                        // a title
	noteStarts                        // of an entry in a calendar
	noteDues                          // tasks have it
	noteMarks                         // notes have it
	noteDates                         // when it was made or changed
	noteOwned                         // a name is that of notes
	noteChecks                        // it can be ticked off
	notePrivate                       // a name is that of the user's own notes
	noteWritten                       // a text of several words, whatever its name
	noteShort                         // one under a name that says nothing
	noteNamed                         // a name can make that the rest says little against it
)

// noteHints is what stands around the cards of a plot.
type noteHints struct {
	up, path, placed bool
	event            func() bool
}

// can says that a card with these signs can be a note: it asks for what weigh
// asks for.
func (x noteSigns) can(h *noteHints) bool {
	has := func(all noteSigns) bool { return x&all == all }
	written := x&(noteTexts|noteTitles) != 0
	switch {
	case has(notePrivate) && h.up, has(noteStarts | noteTitles):
		return true
	case has(noteOwned) && (written || has(noteDues)):
		return true
	case written && (h.placed || h.path || has(noteDues) || has(noteChecks) && h.up || has(noteMarks|noteTexts|noteDates)):
		return true
	case !h.up || !written && !has(noteWritten):
		return false
	case h.placed, has(noteShort) && h.path:
		return true
	}
	return (written || has(noteShort)) && h.event()
}

// noteLive asks of each plot for what weigh asks for, and for a record against
// which not more is to be said than weigh bears.
func noteLive(v *view) bool {
	var all, folded [mostSpots]noteSigns
	names := noteNames.In(v.tree)
	plain := true // what is folded is one list of values for each record
	for i := range v.Columns {
		c, s := &v.Columns[i], v.spotOf(i)
		x := noteColumn(c, s, names.OfColumn(c))
		all[s.plot] |= x
		if s.via != "" {
			folded[s.plot] |= x
			plain = plain && c.Elements && !strings.HasSuffix(c.Place, "]")
		}
	}
	some, around, placed := false, v.around(inNotes.key), inNotes.in.In(v.tree)
	hints := noteHints{up: v.Parent.Direction == flow.Up, path: pathMentions(v.tree, notePlaces)}
	said, asked := false, false
	hints.event = func() bool {
		if !asked {
			said, asked = v.eventful(notePlaces), true
		}
		return said
	}
	for i := range v.spots {
		s := &v.spots[i]
		if hints.placed = around || placed.OfName(s.folding.place); s.plot != i || !all[i].can(&hints) {
			continue
		}
		if plain && all[i]&noteStarts == 0 && !folded[i].can(&hints) && v.noNotes(i, all[i]&noteNamed != 0, names) {
			continue
		}
		v.grow(s)
		some = true
	}
	return some
}

func noteColumn(c *inspect.Column, s *spot, n noteName) noteSigns {
	x := n.signs
	w, own := noteIn(c.Name, s.via, s.over, n.family)
	text := hasText(c)
	if own {
		x |= noteOwned
	}
	if own || n.placed || n.file {
		x |= noteNamed
	}
	if n.file && text && (c.Taken || c.Holds&inspect.Dots != 0) {
		x |= noteOwned
	}
	switch {
	case w == noteText && text, text && n.placed:
		x |= noteTexts
	case w == noteTitle && text:
		x |= noteTitles
	case w == noteStart:
		x |= noteStarts
	case w == noteDue:
		x |= noteDues
	case w == noteMark:
		x |= noteMarks
	case w == noteDate:
		x |= noteDates
	}
	if text && (c.Taken || c.Max >= 8 && c.Holds&(inspect.Spaces|inspect.Newlines|inspect.Controls|inspect.NonASCII) != 0) {
		if x |= noteWritten; len(c.Name) <= 2 || allDigits([]byte(c.Name)) {
			x |= noteShort
		}
	}
	return x
}

// noNotes says that in each record of a plot, but for lists inside of it, there is
// more against a note than weigh bears; see noNote.
func (v *view) noNotes(plot int, named bool, names *inspect.Known[noteName]) bool {
	// What a card has room for: a record, and a few lists.
	const most, mostListed = maxCells / 2, maxCells / 16
	need := 1
	if named || v.placed(true, inNotes) {
		need = 2
	}
	lists := 0
	for i := range v.spots {
		if v.spots[i].plot == plot && v.spots[i].via != "" {
			lists++
		}
	}
	if lists > 8 {
		return false
	}
	for i := range v.Records {
		r := &v.Records[i]
		s := v.spotAt(r.Fields[0])
		if s.plot != plot {
			continue
		}
		if s.via != "" {
			if len(r.Fields) > mostListed {
				return false
			}
			continue
		}
		against := 0
		for _, f := range r.Fields {
			if f.Kind != inspect.Null && len(f.Data) > 0 && names.Of(f).family > noteInvite {
				against++
			}
		}
		if against < need || len(r.Fields) > most {
			return false
		}
	}
	return true
}

// webNeed asks for an address, or for words that were searched for.
func webNeed(v *view) bool {
	if v.Parent.Direction != flow.Up {
		return false
	}
	address, encoded, words := false, false, false
	var room sieve
	may := room.of(v.Document)
	names := webFamilies.In(v.tree)
	for i := range v.Columns {
		c := &v.Columns[i]
		if len(c.Name) > 10 && c.Name[0] == 'h' && webURL([]byte(c.Name)) {
			return true
		}
		if !hasText(c) {
			continue
		}
		if w := names.OfColumn(c); w == webSearch || w == webQuery {
			return true
		}
		words = words || wordNames[c.Name] || c.Elements
		// A column of which a field was taken apart can have addresses in what was encoded.
		if encoded = encoded || c.Max >= 16 && len(c.First.Children) == 1; c.Taken || c.Holds&(inspect.Slashes|inspect.Dots) != 0 {
			address = address || c.Holds&(inspect.Slashes|inspect.Dots) != 0
			may[i] = true
		}
	}
	if address || encoded {
		for _, p := range v.Parent.Children {
			if !may[p.Column()] || p.Kind > inspect.Text || len(p.Data) < 4 {
				continue
			}
			if len(p.Children) == 1 {
				p = readable(p)
			}
			d := p.Data
			if len(d) < 4 {
				continue
			}
			if c := d[0]; (c == 'h' || c == 'H') && webURL(d) || c == 'w' && string(d[:4]) == "www." || c == '/' && d[1] == '/' {
				return true
			}
			if len(d) <= maxJoined && indexed(string(p.Path)) && joins(d, func(v []byte) bool { return v[0] == '/' || webURL(v) }) {
				return true
			}
		}
	}
	if words && v.placed(true, inSearches) {
		return true
	}
	return v.sites() || v.renames()
}

// webLive asks of each plot for an address of a page, or for words that were
// searched for.
func webLive(v *view) bool {
	names := webNameFacts.In(v.tree)
	searches := v.placed(true, inSearches)
	var room sieve
	may := room.of(v.Document)
	var open [mostSpots]bool // plots that a value can make live
	opened, some := 0, false
	for i := range v.Columns {
		c, s := &v.Columns[i], v.spotOf(i)
		n := names.OfColumn(c)
		text := hasText(c)
		switch {
		case len(c.Name) > 10 && c.Name[0] == 'h' && webURL([]byte(c.Name)),
			text && (c.Taken || n.family == webSearch || n.family == webQuery || n.site && c.Holds&inspect.Dots != 0),
			text && searches && (c.Elements || n.word):
			v.grow(s)
			some = true
		case text && c.Max >= 4 && c.Holds&(inspect.Slashes|inspect.Dots) != 0:
			may[i] = true
			if !open[s.plot] {
				open[s.plot] = true
				opened++
			}
		}
	}
	for i := range open {
		if open[i] && v.spots[i].live {
			open[i] = false
			opened--
		}
	}
	for _, p := range v.Parent.Children {
		if opened == 0 {
			break
		}
		if d := p.Data; p.Kind > inspect.Text || len(d) < 4 || !may[p.Column()] || !(webURL(d) || d[0] == 'w' && string(d[:4]) == "www." || d[0] == '/' && d[1] == '/') {
			continue
		}
		s := v.spotAt(p)
		v.grow(s)
		some = true
		if open[s.plot] {
			open[s.plot] = false
			opened--
		}
	}
	return some
}

// sites says that a field can hold the site of a page alone.
func (v *view) sites() bool {
	for i := range v.Columns {
		if c := &v.Columns[i]; c.Holds&inspect.Dots != 0 && siteNames[c.Name] && hasText(c) {
			return true
		}
	}
	return false
}

// appMay asks for a full stop, or for the end of a scheme.
func appMay(c *inspect.Column) bool {
	const scheme = inspect.Colons | inspect.Slashes
	p := c.First
	if p.Direction != flow.Up {
		return false
	}
	if isPackageKey(c.Name) || strings.HasSuffix(c.Name, "://") {
		return true
	}
	if hasText(c) && c.Max >= 12 && c.Holds&(inspect.Semicolons|inspect.Bars|inspect.Commas) != 0 && appPlaceOf(c.Name) {
		return true
	}
	return hasText(c) && c.Max >= 5 && (c.Holds&inspect.Dots != 0 || c.Holds&scheme == scheme) ||
		len(c.Name) >= 6 && strings.IndexByte(c.Name, '.') > 0 ||
		p.Parent != nil && p.Parent.Name != "" && p.Parent.Children[0] == p && appPlaceOf(p.Parent.Name)
}

// messageGate asks for a text by its name and for whom it is from or to, or for what
// can give a field another name: lists of keys and values, and arrays of texts that
// can be heads of tables.
func messageGate(v *view) bool {
	text, who, chat := false, false, false
	names := smsNames.In(v.tree)
	for i := range v.Columns {
		switch names.OfColumn(&v.Columns[i]) {
		case smsText:
			text = true
		case smsAddress, smsPeer:
			who = true
		case smsChat:
			chat = true
		}
	}
	if text && (who || v.addressed(chat)) {
		return true
	}
	if v.Rows {
		for _, r := range v.Records {
			if isHead(r) {
				return true
			}
		}
	}
	return v.keyed()
}

// addressed says that the place of a record can say whom a message is from or to: a
// number that its list stands under, or an object around the name that a chat
// service calls somebody.
func (v *view) addressed(chat bool) bool {
	last := ""
	for i := range v.Columns {
		c := &v.Columns[i]
		if c.Place == last {
			continue
		}
		last = c.Place
		_, key := lastKey(last)
		if len(key) >= 9 && telephone([]byte(key)) == fullPhone {
			return true
		}
		if !chat {
			continue
		}
		if w := smsWords.of(last[strings.LastIndexByte(last, '.')+1:]); w == smsAddress || w == smsPeer {
			return true
		}
	}
	return false
}

// keyed says that there are lists of keys and values, see pairs.
func (v *view) keyed() bool {
	key, value := false, false
	for i := range v.Columns {
		c := &v.Columns[i]
		key = key || c.Name == "key" && c.Has(inspect.Text)
		value = value || c.Name == "value" || strings.HasSuffix(c.Place, ".value")
	}
	return key && value
}

// unnamed says that there are a text and a point in time under names that say
// nothing, as detectUnnamed asks for.
func unnamed(d *inspect.Document) bool {
	text, date := false, false
	for i := range d.Columns {
		c := &d.Columns[i]
		if c.Elements || len(c.Name) <= 2 || allDigits([]byte(c.Name)) || c.First.Decoder() == "xml" {
			text = text || hasText(c) && c.Max >= 4
			date = date || c.Max >= 10 && c.Holds&inspect.Digits != 0
		}
	}
	return text && date
}

// appLive asks of each plot for a name that is called after apps, and for a value or
// name that can be that of a package.
func appLive(v *view) bool {
	placed, around := inApps.in.In(v.tree), v.around(inApps.key)
	names := appNameFacts.In(v.tree)
	var room sieve
	may := room.of(v.Document)
	some, open := false, false
	for i := range v.Columns {
		c, s := &v.Columns[i], v.spotOf(i)
		if around || placed.OfName(s.folding.place) || names.OfColumn(c) {
			v.grow(s)
			some = true
		} else if hasText(c) && c.Max >= 5 && (c.Taken || c.Holds&inspect.Dots != 0 || c.Holds&inspect.Slashes != 0 && c.Holds&inspect.Colons != 0) {
			may[i] = true
			open = true
		}
	}
	if !open {
		return some
	}
	for _, p := range v.Parent.Children {
		if !may[p.Column()] || !isAppValue(p) && (len(p.Children) != 1 || !isAppValue(readable(p))) {
			continue
		}
		v.grow(v.spotAt(p))
		some = true
	}
	return some
}

// inApps asks for places of apps, and for names of packages.
var inApps = func() *keyed[bool] {
	k := newKeyed(func(key string) bool { return mentions(key, appPlaces) || isPackageKey(key) }, func(a, b bool) bool { return a || b })
	return &k
}()

// appNameFacts says that a name alone can be that of an app, of a scheme, or of a
// list of apps.
var appNameFacts = inspect.NewNameFacts(func(name string) bool {
	return strings.HasSuffix(name, "://") || isPackageKey(name) || appPlaceOf(name)
})

// isAppValue says that p can be the name of a package, hold several, or open an app.
func isAppValue(p *inspect.Part) bool {
	d := p.Data
	if p.Kind > inspect.Text || len(d) < 4 {
		return false
	}
	if d[len(d)-1] == '/' && bytes.HasSuffix(d, []byte("://")) {
		return true
	}
	if p.Holds()&inspect.Dots == 0 {
		return false
	}
	// Labels on both sides of a full stop, of which a list of packages has many.
	dots := 0
	for i := 1; i+1 < len(d); i++ {
		if d[i] == '.' && isLabelByte(d[i-1]) && isLabelByte(d[i+1]) {
			if dots++; dots == 3 {
				return true
			}
		}
	}
	if dots == 0 {
		return false
	}
	if _, ok := isPackage(d); ok {
		return true
	}
	_, ok := isPackage(packageIn(d))
	return ok
}

func isLabelByte(c byte) bool { return c|0x20-'a' < 26 || c-'0' < 10 || c == '_' || c == '-' }

// photoGate asks for the name of a camera's file, or for the media type of one.
func photoGate(v *view) bool {
	var room sieve
	may := room.of(v.Document)
	some := false
	for i := range v.Columns {
		if c := &v.Columns[i]; c.Max >= 5 && c.Has(inspect.Text) && c.Holds&(inspect.Dots|inspect.Slashes) != 0 {
			may[i] = true
			some = true
		}
	}
	if !some {
		return false
	}
	up := v.Parent.Direction == flow.Up
	for _, p := range v.Parent.Children {
		if may[p.Column()] && p.Kind == inspect.Text && (isCameraFile(p) || up && pictureType(p.Data)) {
			return true
		}
	}
	return false
}
