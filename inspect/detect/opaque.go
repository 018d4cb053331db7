package detect

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"strings"

	"constat/inspect"
	"constat/proxy/flow"
)

// Opaque measures bytes that go up and that nothing could be taken out of: are
// they spread as evenly as encrypted or random bytes are?
//
// What is recognised as compressed, as a picture, a font, a film or an archive
// is not measured, nor are tokens, signatures and hashes, which are meant to
// look like that and hold nothing. Containers of encrypted data are known by
// their structure.
var Opaque = inspect.Detector{
	Name:   "opaque",
	Class:  inspect.Opaque,
	Doc:    "measures bytes that nothing could be taken out of, and says so if they are as evenly spread as encrypted bytes",
	Detect: detectOpaque,
}

const (
	leastOpaque = 64
	leastShort  = 32      // beside fields that are named for a cipher
	mostOpaque  = 1 << 20 // bytes that are measured
	maxOpaque   = 16      // findings
)

func detectOpaque(t *inspect.Tree) []inspect.Finding {
	var out []inspect.Finding
	for p := range upParts(t, areLong) {
		if len(out) == maxOpaque {
			break
		}
		if p.Kind > inspect.Text || len(p.Data) < leastShort || !ungated && isLineOfWords(p) {
			continue
		}
		if p.Parent == nil {
			switch p.Decoder() {
			case "request.body", "upload", "frame", "request.query":
			case "request.header":
				if len(p.Data) < 172 || alike[p.Name] || strings.HasSuffix(p.Name, "Authorization") {
					continue
				}
			default:
				continue // tokens
			}
		} else if inHeader(p) && (len(p.Data) < 128 || strings.HasPrefix(string(p.Path), "request.cookie:") || strings.HasPrefix(string(p.Path), "request.header:Authorization")) {
			continue
		}
		if f, ok := opaque(p); ok {
			out = append(out, f)
		}
	}
	docs := t.Documents()
	for i := range docs {
		d := &docs[i]
		if d.Parent == nil || !goesUp(d) || !hasNumbers(d) && !ungated {
			continue
		}
		for _, r := range d.Records {
			if len(out) == maxOpaque {
				return out
			}
			if len(r.Fields) < leastOpaque {
				continue
			}
			if f, ok := listedBytes(r); ok {
				out = append(out, f)
			}
		}
	}
	return out
}

// areLong picks columns of texts and bytes that are long enough.
func areLong(d *inspect.Document, may []bool) bool {
	some := false
	for i := range d.Columns {
		c := &d.Columns[i]
		may[i] = c.Max >= leastShort && hasText(c)
		some = some || may[i]
	}
	return some
}

// isLineOfWords says that p is one line of printable ASCII with a blank in it, which
// is no container, and neither itself nor a piece of it is spelled in an alphabet of
// bytes.
func isLineOfWords(p *inspect.Part) bool {
	const other = inspect.Controls | inspect.NonASCII | inspect.Newlines | inspect.Dots | inspect.Colons
	if h := p.Holds(); h&other != 0 || h&inspect.Spaces == 0 || p.Coding != "" {
		return false
	}
	d := bytes.TrimSpace(p.Data)
	return bytes.IndexByte(d, ' ') > 0 && sealed(p.Data) == ""
}

// hasNumbers says that d can hold a list of numbers that is long enough.
func hasNumbers(d *inspect.Document) bool {
	n := 0
	for i := range d.Columns {
		if c := &d.Columns[i]; c.Has(inspect.Number) && (c.Elements || c.First.Decoder() == "xml") {
			n += c.Fields
		}
	}
	return n >= leastOpaque || severalDecoders(d)
}

// listedBytes looks at a list of numbers that are bytes, signed or not.
func listedBytes(r inspect.Record) (f inspect.Finding, ok bool) {
	n := len(r.Fields)
	if n < leastOpaque || r.Direction != flow.Up || r.Parent == nil {
		return f, false
	}
	if first := r.Fields[0]; first.Kind != inspect.Number || len(first.Data) > 4 || isTokenName(first.Name) || !isArray(r) {
		return f, false
	}
	n = min(n, 1<<16)
	data := make([]byte, n)
	for i, p := range r.Fields[:n] {
		d := p.Data
		negative := len(d) > 1 && d[0] == '-'
		if negative {
			d = d[1:]
		}
		if len(d) > 3 || !allDigits(d) {
			return f, false
		}
		x := 0
		for _, c := range d {
			x = x*10 + int(c-'0')
		}
		if x > 255 || negative && x > 128 {
			return f, false
		}
		if negative {
			x = -x
		}
		data[i] = byte(x)
	}
	if m := measure(data); hasMagic(data) || !m.even() {
		return f, false
	}
	return inspect.Finding{
		Confidence: inspect.Suspected, Direction: flow.Up, Path: r.Fields[0].Path,
		Reason: fmt.Sprintf("The list holds %s numbers that are bytes, as evenly spread as encrypted or random bytes.", thousands(n)),
	}, true
}

// opaque looks at one part.
func opaque(p *inspect.Part) (f inspect.Finding, ok bool) {
	f = inspect.Finding{Confidence: inspect.Probable, Direction: flow.Up, Path: p.Path}
	if p.Coding == "aes128gcm" && isContentCoding(p.Data) {
		f.Reason = "The body has the content coding aes128gcm (RFC 8188), by its header and by its own: it is encrypted, and nothing in it can be read."
		return f, true
	}
	if what := sealedFile(p.Data); what != "" {
		f.Reason = "The value is " + what + ", by its structure: it is encrypted, and its contents cannot be read."
		return f, true
	}
	if p.Coding != "" || isMedia(p.Media) {
		return f, false
	}
	if what := sealed(p.Data); what != "" && (!isTokenName(p.Name) || what == fernet && len(p.Data) >= leastLetter) {
		f.Reason = "The value is " + what + ", by its structure: it is encrypted, and nothing in it can be read."
		return f, true
	}
	data, written := p.Data, ""
	switch {
	case len(p.Children) > 0:
		if !isBare(p) {
			return f, false
		}
		return f, false // its child is looked at
	case printable(p):
		data, written = decodedText(p)
		if data == nil {
			return symbols(p, f)
		}
		if what := sealed(data); what != "" {
			f.Reason = "The value is " + what + ", by its structure: it is encrypted, and nothing in it can be read."
			return f, true
		}
	}
	if len(data) < leastShort || hasMagic(data) || isTokenName(p.Name) {
		return f, false
	}
	beside := cipherField(p)
	// A hash is as even as anything and no message.
	hashLike := len(data) == 64 || len(data) == 48 || len(data) == 32
	if hashLike && strings.Contains(written, "hex") && !cipherNames.of(p.Name) {
		return f, false
	}
	if len(data) < leastOpaque && beside == "" || hashLike && p.Parent != nil && beside == "" && !(len(data) == 64 && contentNames.of(p.Name)) {
		return f, false
	}
	data = data[:min(len(data), mostOpaque)]
	m := measure(data)
	again := 0
	if !m.even() {
		if m, again = unrepeated(data); again == 0 {
			return f, false
		}
	}
	aligned := len(p.Data) <= mostOpaque && len(data)%16 == 0
	f.Confidence = inspect.Suspected
	if len(data) >= 128 && (aligned || beside != "" || len(data) >= 1024) && len(data) >= leastOpaque {
		f.Confidence = inspect.Probable
	}
	figures := []string{thousands(len(data)) + " bytes", strconv.FormatFloat(m.entropy, 'f', 2, 64) + " bits a byte"}
	if m.most < 7.9 {
		figures[1] += " of " + strconv.FormatFloat(m.most, 'f', 2, 64) + " that so many random bytes have"
	}
	switch {
	case again > 0:
		f.Confidence = inspect.Suspected
		figures = append(figures, thousands(again)+" of its blocks of 16 come again, as those of a cipher without chaining do for equal text")
	case aligned:
		figures = append(figures, "a multiple of 16")
	}
	if beside != "" {
		figures = append(figures, "next to a field named "+beside)
	}
	f.Reason = fmt.Sprintf("What went up to this host%s is as evenly spread as encrypted or random bytes and has the form of no known format: %s.", written, strings.Join(figures, ", "))
	return f, true
}

// unrepeated measures data without the blocks of 16 bytes that are there before.
// A cipher that is used block by block gives equal blocks for equal text (NIST SP
// 800-38A section 6.1), so that the whole is less even than its blocks are. again
// is 0 when it is not so.
func unrepeated(d []byte) (m distribution, again int) {
	const block = 16
	if len(d)%block != 0 || len(d) < 6*block {
		return m, 0
	}
	seen := make(map[[block]byte]bool, min(len(d)/block, 4096))
	rest := make([]byte, 0, min(len(d), 64<<10))
	for i := 0; i < len(d) && i < 64<<10; i += block {
		b := [block]byte(d[i:])
		if seen[b] {
			again++
			continue
		}
		seen[b] = true
		rest = append(rest, b[:]...)
	}
	if again == 0 || len(rest) < leastOpaque {
		return m, 0
	}
	if m = measure(rest); !m.even() {
		return m, 0
	}
	return m, again
}

// isBare says that p was not taken apart into anything but bytes.
func isBare(p *inspect.Part) bool { return isWhole(p) }

func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// decodedText undoes hexadecimal or base64 where no decoder did, since what came
// out meant nothing.
func decodedText(p *inspect.Part) (data []byte, written string) {
	d := bytes.TrimSpace(p.Data)
	if len(d) > 2*mostOpaque {
		return nil, ""
	}
	if bytes.IndexByte(d, '\n') > 0 {
		return decodedLines(d)
	}
	d = longestPiece(d)
	var all uint16
	for _, c := range d {
		all |= charOf[c]
		if all&(chOther|chDot) != 0 {
			return nil, ""
		}
	}
	if all&^(chDigit|chHexLower|chHexUpper|chLower|chUpper) == 0 && len(d)%2 == 0 && isHexDigits(d) {
		if all&(chLower|chUpper) == 0 {
			return nil, "" // a number
		}
		out := make([]byte, len(d)/2)
		if _, err := hex.Decode(out, d); err != nil {
			return nil, ""
		}
		return out, ", written in hexadecimal,"
	}
	if all&chDigit == 0 || all&chLower == 0 || all&chUpper == 0 {
		return nil, ""
	}
	d = bytes.TrimRight(d, "=")
	enc := base64.RawStdEncoding
	if bytes.ContainsAny(d, "-_") {
		enc = base64.RawURLEncoding
	}
	out := make([]byte, enc.DecodedLen(len(d)))
	n, err := enc.Decode(out, d)
	if err != nil {
		return nil, ""
	}
	return out[:n], ", written in base64,"
}

// decodedLines undoes base64 line by line, as logs that are sealed entry by entry
// have it, or as one text is wrapped.
func decodedLines(d []byte) (data []byte, written string) {
	out := make([]byte, 0, len(d)/4*3)
	for line := range bytes.SplitSeq(d, []byte("\n")) {
		line = bytes.TrimSuffix(line, []byte("\r"))
		if len(line) == 0 {
			continue
		}
		var all uint16
		for _, c := range line {
			if all |= charOf[c]; all&(chOther|chDot) != 0 {
				return nil, ""
			}
		}
		enc := base64.RawStdEncoding
		if all&chURL != 0 {
			enc = base64.RawURLEncoding
		}
		line = bytes.TrimRight(line, "=")
		if len(line) > 4 && all&(chLower|chUpper|chDigit) == 0 {
			return nil, ""
		}
		n := len(out)
		out = append(out, make([]byte, enc.DecodedLen(len(line)))...)
		k, err := enc.Decode(out[n:], line)
		if err != nil {
			return nil, ""
		}
		out = out[:n+k]
	}
	return out, ", written in lines of base64,"
}

// longestPiece cuts what stands in front of a long value with a colon, and takes
// the longest of a few pieces that full stops join, as programs write a vector, a
// value and a tag. What begins as signed tokens do is left whole.
func longestPiece(d []byte) []byte {
	if i := bytes.IndexByte(d[:min(len(d), 16)], ':'); i > 0 && len(d) > 80 {
		d = d[i+1:]
	}
	if bytes.HasPrefix(d, []byte("eyJ")) {
		return d
	}
	if n := bytes.Count(d[:min(len(d), 4096)], []byte(".")); n == 0 || n > 4 {
		return d
	}
	var longest []byte
	for piece := range bytes.SplitSeq(d, []byte(".")) {
		if len(piece) > len(longest) {
			longest = piece
		}
	}
	return longest
}

// contentNames are names of what is said, not of what it is checked with.
var contentNames = newLexicon(map[bool]string{true: `data payload content body msg message text params param blob info req request value values d p q x m packet raw frame envelope input stat statvalue log logs event events report`})

// leastSymbols is how many signs are needed to say that they are evenly spread.
const leastSymbols = 256

// symbols measures a value that is spelled in an alphabet that nobody knows: are
// its signs evenly spread, as those of base64 with its letters exchanged are?
func symbols(p *inspect.Part, f inspect.Finding) (inspect.Finding, bool) {
	d := bytes.TrimSpace(p.Data)
	if len(d) < leastSymbols || len(d) > mostOpaque || isTokenName(p.Name) {
		return f, false
	}
	var count [256]int
	for i, c := range d {
		if c <= ' ' || c >= 0x7f {
			return f, false
		}
		if count[c]++; i == 4*leastSymbols && count[c] > i/4 {
			return f, false
		}
	}
	kinds, chi := 0, 0.0
	for _, n := range count {
		if n > 0 {
			kinds++
		}
	}
	if kinds < 30 || len(d) < 4*kinds {
		return f, false
	}
	mean := float64(len(d)) / float64(kinds)
	for _, n := range count {
		if n > 0 {
			e := float64(n) - mean
			chi += e * e / mean
		}
	}
	if free := float64(kinds - 1); chi > free+5*math.Sqrt(2*free) {
		return f, false
	}
	f.Confidence = inspect.Suspected
	f.Reason = fmt.Sprintf("What went up to this host is spelled with %d signs that are as evenly spread as those of encrypted or random data, and it is in no known writing: %s signs.", kinds, thousands(len(d)))
	return f, true
}

// distribution is how the values of bytes are spread.
type distribution struct {
	n       int
	entropy float64 // bits a byte
	most    float64 // that n random bytes have on average
	chi     float64 // chi-square over 256 values
	runs    float64 // chi-square of the upper halves of neighbours
}

func measure(d []byte) distribution {
	var count [256]int
	var high [256]int
	var last byte
	for i, c := range d {
		count[c]++
		if i > 0 {
			high[last&0xf0|c>>4]++
		}
		last = c
	}
	m := distribution{n: len(d)}
	n := float64(len(d))
	for _, k := range count {
		if k > 0 {
			x := float64(k) / n
			m.entropy -= x * math.Log2(x)
		}
		e := float64(k) - n/256
		m.chi += e * e / (n / 256)
	}
	for _, k := range high {
		e := float64(k) - (n-1)/256
		m.runs += e * e / ((n - 1) / 256)
	}
	m.most = expectedEntropy(n)
	return m
}

// expectedEntropy is about the entropy that n random bytes show: less than 8 by
// the bias of Miller and Madow (1955), and for few bytes what their number allows.
func expectedEntropy(n float64) float64 {
	if n >= 1024 {
		return 8 - 255/(2*n*math.Ln2)
	}
	// The mean over a Poisson distribution of how often each value comes.
	lambda := n / 256
	p, sum := math.Exp(-lambda), 0.0
	for k := 1; k < 40; k++ {
		p *= lambda / float64(k)
		x := float64(k) / n
		sum -= 256 * p * x * math.Log2(x)
	}
	return sum
}

// even says that the bytes are spread as random ones are. Chi-square over 256
// values has mean 255 and standard deviation 22.6, which small samples keep:
// the limits are six and more standard deviations away.
func (m distribution) even() bool {
	if m.n < leastOpaque {
		// Too few for more than: hardly any byte comes again.
		return m.entropy >= m.most-0.25
	}
	if m.entropy < m.most-0.22 || m.n >= 1024 && m.entropy < 7.2 {
		return false
	}
	limit := 255 + 5*22.6
	return m.chi < limit && m.runs < limit && m.chi > 255-6*22.6
}

// sealed names a container of encrypted data, "" if d is none.
func sealed(d []byte) string {
	switch d[0] {
	case 'e':
		if isJWE(d) {
			return "a JSON Web Encryption (RFC 7516)"
		}
	case 'a':
		if bytes.HasPrefix(d, []byte("age-encryption.org/v1\n")) {
			return "a file of the program age (age-encryption.org/v1)"
		}
	case '-':
		switch {
		case bytes.HasPrefix(d, []byte("-----BEGIN PGP MESSAGE-----")):
			return "an OpenPGP message (RFC 9580)"
		case bytes.HasPrefix(d, []byte("-----BEGIN AGE ENCRYPTED FILE-----")):
			return "a file of the program age (age-encryption.org/v1)"
		case bytes.HasPrefix(d, []byte("-----BEGIN CMS-----")), bytes.HasPrefix(d, []byte("-----BEGIN PKCS7-----")):
			_, text, _ := bytes.Cut(d[:min(len(d), 2048)], []byte("\n"))
			der, _ := base64.StdEncoding.DecodeString(string(text[:min(len(text), 64)]))
			if isEnveloped(der) {
				return "an encrypted message of the Cryptographic Message Syntax (RFC 5652)"
			}
		}
	case 'S':
		if bytes.HasPrefix(d, []byte("Salted__")) && len(d) >= 32 && len(d)%16 == 0 {
			return "encrypted by openssl enc with a password"
		}
	case 'U':
		if bytes.HasPrefix(d, []byte("U2FsdGVkX1")) && len(d) >= 44 {
			return "encrypted by openssl enc or CryptoJS with a password, in base64"
		}
	case '1', '2', '3', '4', '5', '6', '7':
		if isCipherString(d) {
			return "a type, a vector, a cipher text and a code that checks it, joined as vaults of passwords write them"
		}
	case '$':
		if bytes.HasPrefix(d, []byte("$ANSIBLE_VAULT;")) {
			return "a vault of Ansible"
		}
	case 'g':
		if len(d) >= 100 && len(d)%4 == 0 && bytes.HasPrefix(d, []byte("gAAAAA")) {
			return fernet
		}
	case 0x30:
		if isEnveloped(d) {
			return "an encrypted message of the Cryptographic Message Syntax (RFC 5652)"
		}
	case 0x84, 0x85, 0xc1, 0xc3, 0x8c:
		if isOpenPGP(d) {
			return "an OpenPGP message (RFC 9580)"
		}
	}
	return ""
}

// fernet is a format of which short ones are tickets, and those of at least
// leastLetter characters carry more than a name and a date.
const (
	fernet      = "a Fernet token"
	leastLetter = 360
)

// isContentCoding reads the header of RFC 8188 section 2.1: a salt of 16 bytes,
// the size of the records and the id of the key.
func isContentCoding(d []byte) bool {
	if len(d) < 21+18 {
		return false
	}
	size := uint64(d[16])<<24 | uint64(d[17])<<16 | uint64(d[18])<<8 | uint64(d[19])
	head := 21 + int(d[20])
	return size >= 18 && head+18 <= len(d)
}

// maxEntries bounds the entries of an archive that are asked whether they are
// encrypted.
const maxEntries = 64

// sealedFile names a file whose contents are encrypted and whose head is not, ""
// if d is none.
func sealedFile(d []byte) string {
	if len(d) < 64 {
		return ""
	}
	switch d[0] {
	case 'P':
		if string(d[1:4]) == "K\x03\x04" && hasSealedEntry(d) {
			return "a zip archive with an encrypted entry (APPNOTE.TXT section 4.4.4, bit 0)"
		}
	case '7':
		// The coder of AES, in a header that is itself not packed.
		if string(d[1:6]) == "z\xbc\xaf\x27\x1c" && bytes.Contains(d[max(6, len(d)-4096):], []byte("\x06\xf1\x07\x01")) {
			return "a 7z archive with encrypted contents"
		}
	case 0x03:
		if string(d[1:4]) == "\xd9\xa2\x9a" && (string(d[4:8]) == "\x67\xfb\x4b\xb5" || string(d[4:8]) == "\x65\xfb\x4b\xb5") {
			return "a database of passwords in the format KDBX"
		}
	case 'A':
		if bytes.HasPrefix(d, []byte("ANDROID BACKUP\n")) && bytes.Contains(d[:64], []byte("\nAES-256\n")) {
			return "an encrypted backup of Android"
		}
	case 0xd0:
		if string(d[1:8]) == "\xcf\x11\xe0\xa1\xb1\x1a\xe1" && bytes.Contains(d[:min(len(d), 64<<10)], []byte("E\x00n\x00c\x00r\x00y\x00p\x00t\x00e\x00d\x00P\x00a\x00c\x00k\x00a\x00g\x00e\x00")) {
			return "an encrypted document of an office program (MS-OFFCRYPTO section 2.3.4.4)"
		}
	}
	return ""
}

// hasSealedEntry walks the directory at the end of a zip archive, and where there
// is none looks at the first entry alone.
func hasSealedEntry(d []byte) bool {
	end := bytes.LastIndex(d[max(0, len(d)-1024):], []byte("PK\x05\x06"))
	if d[6]&1 != 0 || end < 0 {
		return d[6]&1 != 0
	}
	end += max(0, len(d)-1024)
	if end+20 > len(d) {
		return false
	}
	at := int(uint32(d[end+16]) | uint32(d[end+17])<<8 | uint32(d[end+18])<<16 | uint32(d[end+19])<<24)
	for range maxEntries {
		if at < 0 || at+46 > end || string(d[at:at+4]) != "PK\x01\x02" {
			return false
		}
		if d[at+8]&1 != 0 {
			return true
		}
		at += 46 + int(d[at+28]) + int(d[at+29])<<8 + int(d[at+30]) + int(d[at+31])<<8 + int(d[at+32]) + int(d[at+33])<<8
	}
	return false
}

// isCipherString takes a digit for the algorithm, a full stop, and base64 of a
// vector of 16 bytes, of whole blocks and of a code of 32 bytes, between bars.
func isCipherString(d []byte) bool {
	if len(d) < 2+24+1+24 || d[1] != '.' || d[26] != '|' || len(d) > 2*mostOpaque {
		return false
	}
	vector, rest, _ := bytes.Cut(d[2:], []byte("|"))
	text, code, checked := bytes.Cut(rest, []byte("|"))
	if checked && len(code) != 44 || len(text) < 24 || len(text)%4 != 0 {
		return false
	}
	n := len(text)/4*3 - bytes.Count(text[len(text)-2:], []byte("="))
	for _, piece := range [][]byte{vector, text, code} {
		for _, c := range bytes.TrimRight(piece, "=") {
			if charOf[c]&(chDigit|chLower|chUpper|chStd) == 0 {
				return false
			}
		}
	}
	return n%16 == 0
}

// isJWE takes the compact form: five pieces, the first of which names the
// algorithm of the content.
func isJWE(d []byte) bool {
	if len(d) < 64 || d[1] != 'y' || bytes.Count(d, []byte(".")) != 4 {
		return false
	}
	header, _, _ := bytes.Cut(d, []byte("."))
	if len(header) > 4096 {
		return false
	}
	out, err := base64.RawURLEncoding.DecodeString(string(header))
	return err == nil && bytes.Contains(out, []byte(`"enc"`)) && bytes.Contains(out, []byte(`"alg"`))
}

// isEnveloped looks for the object identifier of EnvelopedData,
// EncryptedData or AuthEnvelopedData behind the first length.
func isEnveloped(d []byte) bool {
	if len(d) < 32 || d[0] != 0x30 {
		return false
	}
	i := bytes.Index(d[:24], []byte("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07"))
	return i >= 2 && i <= 6 && (d[i+10] == 3 || d[i+10] == 6) ||
		bytes.HasPrefix(d[min(4, len(d)):], []byte("\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x17"))
}

// isOpenPGP takes a packet with an encrypted session key, version 3, and an
// algorithm that there is (RFC 9580 sections 5.1 and 5.3).
func isOpenPGP(d []byte) bool {
	if len(d) < 64 {
		return false
	}
	body, length := 2, int(d[1])
	switch d[0] {
	case 0x85:
		body, length = 3, int(d[1])<<8|int(d[2])
	case 0xc1, 0xc3:
		if d[1] >= 192 && d[1] < 224 {
			body, length = 3, (int(d[1])-192)<<8+int(d[2])+192
		}
	}
	next := body + length
	if length < 4 || next >= len(d) || d[body] != 3 && d[body] != 4 {
		return false
	}
	switch d[next] { // the data, or one more key
	case 0xd2, 0xd4, 0xc9, 0xc1, 0xc3, 0x84, 0x85, 0x8c, 0xa4, 0xa6, 0xa5:
	default:
		return false
	}
	if d[0] == 0xc3 || d[0] == 0x8c {
		return d[body+1] >= 7 && d[body+1] <= 13 || d[body+1] <= 4
	}
	return true
}

// isMedia says that a media type is that of content which is compressed by
// itself, or of a structure that somebody recognised.
func isMedia(media string) bool {
	switch {
	case media == "", media == "application/octet-stream", strings.HasPrefix(media, "text/"), strings.HasPrefix(media, "application/x-www-form"), strings.HasPrefix(media, "envelope/"), strings.HasPrefix(media, "multipart/"):
		return false
	case strings.HasPrefix(media, "image/"), strings.HasPrefix(media, "video/"), strings.HasPrefix(media, "audio/"), strings.HasPrefix(media, "font/"):
		return true
	}
	for _, w := range []string{"zip", "gz", "zstd", "compress", "7z", "rar", "tar", "brotli", "pdf", "sqlite", "wasm", "dex", "elf", "webm", "ogg", "mpeg", "msword", "officedocument", "opendocument", "epub", "java-archive", "android.package", "x-exif", "plist", "timestamp-query", "ocsp", "pkix", "x-x509", "font", "snappy", "lz4", "parquet", "avro", "flac", "torrent", "shockwave"} {
		if strings.Contains(media, w) {
			return true
		}
	}
	return false
}

// compressed are first bytes of formats whose content is as even as if it were
// encrypted.
var compressed = []string{
	"\x1f\x8b", "\x1f\x9d", "BZh", "\xfd7zXZ\x00", "7z\xbc\xaf", "PK\x03\x04", "PK\x05\x06", "PK\x07\x08", "\x28\xb5\x2f\xfd", "\x04\x22\x4d\x18", "\xff\x06\x00\x00sNaPpY", "Rar!\x1a\x07", "LZIP", "\x89LZO", "MSCF", "xar!",
	"\x89PNG", "\xff\xd8\xff", "GIF8", "RIFF", "OggS", "fLaC", "ID3", "\x1aE\xdf\xa3", "wOFF", "wOF2", "OTTO", "\x00\x01\x00\x00\x00", "true\x00", "ttcf", "%PDF", "\x00asm", "dex\n", "\x7fELF", "SQLite format 3",
	"II*\x00", "MM\x00*", "\xff\xfb", "\xff\xf3", "\xff\xf2", "\xff\xf1", "\xff\xf9", "FLV\x01", "\x00\x00\x01\xba", "\x00\x00\x01\xb3", "\x00\x00\x00\x01g", "\x00\x00\x00\x01@", "FORM", "#!AMR", "caff", "\x30\x26\xb2\x75", "ZXC", "bplist", "PAR1", "Obj\x01", "OpusHead", "\xff\x0a", "\x00\x00\x00\x0cJXL", "BC\xc0\xde", "ARC1",
	"\x30\x82", "\x30\x81", "TDF$", "\xca\xfe\xba\xbe", "HDF", "\x89HDF", "glTF", "ustar", "BM", "qoif", "QOI", "KTX", "DDS ", "\xabKTX", "VP8", "AVI ", "MThd", "SIMPLE", "CWS", "ZWS",
}

// hasMagic says that d, or what stands behind a short head in it, begins as
// compressed formats do.
func hasMagic(d []byte) bool {
	for _, m := range compressed {
		if len(d) > len(m) && d[0] == m[0] && string(d[:len(m)]) == m {
			if len(m) == 2 && m[0] == 0xff && d[2]&0x0c == 0x0c { // no sampling rate of MPEG audio
				continue
			}
			return true
		}
	}
	if d[0]&0x0f == 8 && d[0]>>4 <= 7 && (int(d[0])<<8|int(d[1]))%31 == 0 && (d[1] == 0x01 || d[1] == 0x5e || d[1] == 0x9c || d[1] == 0xda) { // RFC 1950
		return true
	}
	if len(d) >= 12 && (string(d[4:8]) == "ftyp" || string(d[4:8]) == "moof" || string(d[4:8]) == "styp" || string(d[4:8]) == "mdat" || string(d[4:8]) == "moov" || string(d[4:8]) == "sidx") { // ISO 14496-12
		return true
	}
	head := d[:min(len(d), 80)]
	for _, m := range []string{"\x1f\x8b\x08", "\x28\xb5\x2f\xfd", "\xff\xd8\xff", "\x89PNG", "PK\x03\x04", "OggS", "ftyp", "WEBP"} {
		if bytes.Contains(head, []byte(m)) {
			return true
		}
	}
	// MPEG transport streams have a sync byte each 188 bytes.
	return len(d) > 188*2 && d[0] == 0x47 && d[188] == 0x47 && d[376] == 0x47
}

// cipherWords are names of what stands beside encrypted data.
var cipherWords = newLexicon(map[bool]string{true: `iv ivspec initvector initializationvector aeskey enckey encryptedkey encryptkey secretkey ek sid fc encrypt encrypted isencrypted encryption enc cipher ciphertext ciphersuite
	alg algorithm keyid keyversion kid sign signature tag authtag nonce salt ephemeralpublickey epk publickeyhash wrappedkey rsakey sessionkey pubkeyid cryptversion cryptoversion encver encversion encryptversion
	encodetype encrypttype key keyver mac hmac seckey randomkey encryptmode crypto secver sec cipherversion ct sk skey`})

// cipherNames are names of encrypted data itself.
var cipherNames = newLexicon(map[bool]string{true: `ciphertext cipher encrypted encrypteddata encdata encryptdata encryptedpayload encryptedbody encryptedcontent encpayload encryptmsg encryptedmessage securedata encryptbody encryptparams encparams encryptedparams
	encryptedvalue encryptedinfo secdata cipherdata crypted cryptdata encryptinfo encryptedtext sealed sealedbox ephemeraldata`})

// cipherField names the field beside p, or p itself, that speaks of a cipher.
func cipherField(p *inspect.Part) string {
	if cipherNames.of(p.Name) {
		return quoted(p.Name)
	}
	// What base64 was undone of has no neighbours; the field that held it has.
	for q := p; q.Parent != nil && q.Depth > p.Depth-3; q = q.Parent {
		if n := len(q.Parent.Children); n > 1 {
			if n > 4096 {
				return ""
			}
			for _, c := range q.Parent.Children {
				if c != q && c.Group == q.Group && c.Name != q.Name && c.Name != "" && cipherWords.of(c.Name) && c.Decoder() == q.Decoder() {
					return quoted(c.Name)
				}
			}
			return ""
		}
	}
	return ""
}

// isTokenName says that a field is named for what is random by nature: tokens,
// signatures, keys, hashes, receipts.
func isTokenName(name string) bool {
	if name == "" {
		return false
	}
	var buf [maxName]byte
	var starts [maxWords]uint8
	end, n := split(&buf, &starts, name)
	for i := n - 1; i >= 0; i-- {
		w := buf[starts[i]:end]
		if tokenNames.word(w) || i == n-1 && tokenLast.word(w) {
			return true
		}
		end = int(starts[i])
	}
	w := squeeze(&buf, name)
	if tokenNames.word(w) {
		return true
	}
	for _, e := range []string{"token", "signature", "hash", "ticket", "challenge", "cookie", "assertion", "nonce", "session"} {
		if bytes.HasSuffix(w, []byte(e)) {
			return true
		}
	}
	return false
}

var tokenNames = newLexicon(map[bool]string{true: `token tokens bearer cookie csrf xsrf nonce challenge signature hash digest checksum hmac etag captcha recaptcha grecaptcha turnstile hcaptcha ticket
	jwt cert certificate certs publickey pubkey x5c integrity attestation assertion continuation pagetoken sha sha1 sha256 sha384 sha512 md5 crc password passwd pwd
	verifier fingerprint thumbprint vapid p256dh authtag ctoken apikey fcm clientdatajson authenticatordata viewstate eventvalidation samlresponse samlrequest relaystate receipt`})

// tokenLast are words that say so at the end of a name only.
var tokenLast = newLexicon(map[bool]string{true: `session sess auth authorization state sig sign signed mac public key keys salt code cursor page next pass id uuid iv epk proof zkp tag seed random rand refresh access push purchase pin otp secret prio share shares`})
