package dns

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/miekg/dns"

	"constat/proxy/flow"
)

// headerLen is the size of a message's header in bytes (RFC 1035 section 4.1.1).
const headerLen = 12

// maxLine bounds one line of Lookup.Answers, in bytes.
const maxLine = 4 << 10

// localTTL is the lifetime of the answers that are made here, in seconds: short,
// because they hold only while the client is behind this door.
const localTTL = 60

var (
	errNoQuestion = errors.New("not a question")
	errMalformed  = errors.New("malformed query")
)

// question is a message with one question, as it was received.
type question struct {
	msg    []byte
	end    int // of the question
	opcode int
	name   string // as Lookup.Name has it
	typ    uint16
	class  uint16
	edns   bool
	size   int  // largest answer over UDP, in bytes (RFC 6891 section 6.2.3)
	do     bool // DNSSEC OK (RFC 3225)
}

// parseQuestion reads the question of msg and checks that the records behind it are
// whole. With an error other than errNoQuestion the question is nil when it could
// not be read.
func parseQuestion(msg []byte) (*question, error) {
	if len(msg) < headerLen {
		return nil, fmt.Errorf("%w: shorter than a header", errNoQuestion)
	}
	if msg[2]&0x80 != 0 {
		return nil, fmt.Errorf("%w: it is an answer", errNoQuestion)
	}
	q := &question{msg: msg, opcode: int(msg[2] >> 3 & 15), end: headerLen, size: dns.MinMsgSize}
	count := binary.BigEndian.Uint16(msg[4:])
	if count == 0 {
		return nil, fmt.Errorf("%w: it asks nothing", errMalformed)
	}
	end, compressed, ok := skipName(msg, headerLen)
	if !ok || compressed || end+4 > len(msg) {
		return nil, fmt.Errorf("%w: the question is not whole", errMalformed)
	}
	name, _, err := dns.UnpackDomainName(msg, headerLen)
	if err != nil {
		return nil, fmt.Errorf("%w: the question is not whole", errMalformed)
	}
	q.name = rowName(name)
	q.typ, q.class = binary.BigEndian.Uint16(msg[end:]), binary.BigEndian.Uint16(msg[end+2:])
	q.end = end + 4
	if count > 1 {
		return q, fmt.Errorf("%w: %d questions in one message", errMalformed, count)
	}
	return q, q.records()
}

// records reads what follows the question.
func (q *question) records() error {
	off := q.end
	for _, at := range []int{6, 8, 10} {
		for range binary.BigEndian.Uint16(q.msg[at:]) {
			r, err := readRecord(q.msg, off)
			if err != nil {
				return fmt.Errorf("%w: a record is not whole", errMalformed)
			}
			if r.typ == dns.TypeOPT && at == 10 {
				q.edns, q.size, q.do = true, max(int(r.class), dns.MinMsgSize), r.ttl&0x8000 != 0
			}
			off = r.end
		}
	}
	if off != len(q.msg) {
		return fmt.Errorf("%w: %d bytes behind its end", errMalformed, len(q.msg)-off)
	}
	return nil
}

// skipName returns the end of the name at off, and whether part of it is elsewhere
// (RFC 1035 section 4.1.4).
func skipName(msg []byte, off int) (end int, compressed, ok bool) {
	for off < len(msg) {
		switch n := int(msg[off]); {
		case n == 0:
			return off + 1, false, true
		case n < 64:
			off += 1 + n
		case n >= 0xc0:
			return off + 2, true, off+2 <= len(msg)
		default:
			return 0, false, false
		}
	}
	return 0, false, false
}

// record is where a resource record is in its message, and its fixed fields (RFC
// 1035 section 4.1.3).
type record struct {
	start, data, end int
	typ, class       uint16
	ttl              uint32
}

var errRecord = errors.New("record is not whole")

func readRecord(msg []byte, off int) (r record, err error) {
	fixed, _, ok := skipName(msg, off)
	if !ok || fixed+10 > len(msg) {
		return r, errRecord
	}
	r = record{
		start: off, data: fixed + 10,
		typ: binary.BigEndian.Uint16(msg[fixed:]), class: binary.BigEndian.Uint16(msg[fixed+2:]),
		ttl: binary.BigEndian.Uint32(msg[fixed+4:]),
	}
	r.end = r.data + int(binary.BigEndian.Uint16(msg[fixed+8:]))
	if r.end > len(msg) {
		return r, errRecord
	}
	return r, nil
}

// rowName is the form of a name that rows have: lower case, without the dot at its
// end, "." for the root. Bytes that are no text are written as \DDD, which can make
// it longer than 253 bytes; its first labels then give way to "…".
func rowName(name string) string {
	name = strings.ToLower(name)
	if name != "." {
		name = strings.TrimSuffix(name, ".")
	}
	const most = 253
	if len(name) <= most {
		return name
	}
	for _, at := range dns.Split(name)[1:] {
		if rest := name[at:]; len("….")+len(rest) <= most {
			return "…." + rest
		}
	}
	return "…"
}

func typeName(t uint16) string {
	if name, ok := dns.TypeToString[t]; ok && t != dns.TypeNone && t != dns.TypeReserved {
		return name
	}
	return "TYPE" + strconv.Itoa(int(t))
}

func opcodeName(code int) string {
	if name, ok := dns.OpcodeToString[code]; ok {
		return name
	}
	return "OPCODE" + strconv.Itoa(code)
}

// codeName is the name of a response code by the registry of IANA, in capitals.
func codeName(code int) string {
	if code == dns.RcodeBadVers { // or BADSIG, which is said in a record of TSIG only
		return "BADVERS"
	}
	if name, ok := dns.RcodeToString[code]; ok {
		return name
	}
	return "RCODE" + strconv.Itoa(code)
}

// header returns an answer to query that is only a header.
func header(query []byte, code int) []byte {
	h := make([]byte, headerLen)
	copy(h, query[:2])
	h[2] = 0x80 | query[2]&0x79              // an answer; operation and RD as asked
	h[3] = 0x80 | query[3]&0x10 | byte(code) // recursion available; CD as asked
	return h
}

// reply returns an answer with the addresses that have the type asked for.
func (q *question) reply(code int, addrs []netip.Addr) []byte {
	b := append(header(q.msg, code), q.msg[headerLen:q.end]...)
	b[5] = 1
	binary.BigEndian.PutUint16(b[6:], uint16(len(addrs)))
	for _, addr := range addrs {
		typ := dns.TypeA
		if addr.Is6() {
			typ = dns.TypeAAAA
		}
		b = append(b, 0xc0, headerLen) // the name of the question
		b = binary.BigEndian.AppendUint16(b, typ)
		b = binary.BigEndian.AppendUint16(b, dns.ClassINET)
		b = binary.BigEndian.AppendUint32(b, localTTL)
		b = binary.BigEndian.AppendUint16(b, uint16(addr.BitLen()/8))
		b = append(b, addr.AsSlice()...)
	}
	if q.edns { // RFC 6891 section 6.1.1
		b[11] = 1
		b = append(b, 0, 0, byte(dns.TypeOPT), 0x04, 0xd0, 0, 0, 0, 0, 0, 0)
		if q.do {
			b[len(b)-4] = 0x80
		}
	}
	return b
}

// answeredBy says whether msg is the answer to q, which was asked with this ID: RFC 5452
// section 9.1. A server that could not read the question need not repeat it.
func (q *question) answeredBy(msg []byte, id uint16) bool {
	if len(msg) < headerLen || binary.BigEndian.Uint16(msg) != id || msg[2]&0x80 == 0 || int(msg[2]>>3&15) != q.opcode {
		return false
	}
	code := int(msg[3] & 15)
	switch binary.BigEndian.Uint16(msg[4:]) {
	case 0:
		return code != dns.RcodeSuccess && code != dns.RcodeNameError
	case 1:
		return len(msg) >= q.end && equalFold(msg[headerLen:q.end-4], q.msg[headerLen:q.end-4]) &&
			string(msg[q.end-4:q.end]) == string(q.msg[q.end-4:q.end])
	}
	return false
}

// equalFold compares names in wire form: the sizes of labels are no letters.
func equalFold(a, b []byte) bool {
	return slices.EqualFunc(a, b, func(x, y byte) bool { return lower(x) == lower(y) })
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// facts writes into l what answer says.
func facts(l *flow.Lookup, q *question, answer []byte) {
	code := int(answer[3] & 15)
	off := headerLen
	if answer[5] == 1 {
		off = q.end
	}
	var found aliases
	for i, at := range []int{6, 8, 10} {
		for range binary.BigEndian.Uint16(answer[at:]) {
			r, err := readRecord(answer, off)
			if err != nil {
				l.Error = "the answer is not well formed"
				break
			}
			off = r.end
			if r.typ == dns.TypeOPT && i == 2 {
				code |= int(r.ttl>>24) << 4
			}
			if i == 0 && len(l.Answers) < flow.MaxAnswers {
				rr := unpack(answer, r)
				l.Answers = append(l.Answers, line(answer, r, rr))
				found.add(rr)
			}
		}
		if l.Error != "" {
			break
		}
	}
	l.Code = codeName(code)
	l.Addresses = found.of(q.name)
}

// unpack reads a record, nil when it is not as its type wants it.
func unpack(msg []byte, r record) dns.RR {
	name, _, err := dns.UnpackDomainName(msg, r.start)
	if err != nil || r.typ == dns.TypeHIP { // a list of names of HIP takes 500 times its size
		return nil
	}
	h := dns.RR_Header{Name: name, Rrtype: r.typ, Class: r.class, Ttl: r.ttl, Rdlength: uint16(r.end - r.data)}
	rr, _, err := dns.UnpackRRWithHeader(h, msg[:r.end], r.data)
	if err != nil {
		return nil
	}
	return rr
}

// line writes a record as a master file has it: in the form of its type, or as RFC
// 3597 section 5 writes those that cannot be read.
func line(msg []byte, r record, rr dns.RR) string {
	s := text(rr)
	if s == "" {
		name, _, err := dns.UnpackDomainName(msg, r.start)
		if err != nil {
			name = "?"
		}
		data := msg[r.data:min(r.end, r.data+maxLine/2)]
		s = fmt.Sprintf("%s %d %s %s \\# %d %X", name, r.ttl, dns.Class(r.class), typeName(r.typ), r.end-r.data, data)
	}
	s = visible(s)
	if len(s) > maxLine {
		s = s[:maxLine] + " ; cut"
	}
	return s
}

// text is the form of rr's type. It is empty for those that are unknown, and for
// those that dns cannot write: what it is given comes from servers.
func text(rr dns.RR) (s string) {
	defer func() {
		if recover() != nil {
			s = ""
		}
	}()
	switch rr.(type) {
	case nil, *dns.RFC3597, *dns.OPT:
		return ""
	}
	return rr.String()
}

// visible returns s on one line, with a space for each tab and bytes that are not
// visible ASCII as \DDD.
func visible(s string) string {
	if len(s) > maxLine {
		s = s[:maxLine+1]
	}
	var b strings.Builder
	for _, c := range []byte(s) {
		switch {
		case c == '\t':
			b.WriteByte(' ')
		case c < ' ' || c > '~':
			fmt.Fprintf(&b, "\\%03d", c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// aliases holds what the records of an answer say of names.
type aliases struct {
	to   []alias
	have []owned
}

type (
	alias struct{ from, to string }
	owned struct {
		name string
		addr netip.Addr
	}
)

func (a *aliases) add(rr dns.RR) {
	if rr == nil {
		return
	}
	name := rowName(rr.Header().Name)
	switch rr := rr.(type) {
	case *dns.CNAME:
		a.to = append(a.to, alias{name, rowName(rr.Target)})
	case *dns.A:
		a.own(name, rr.A)
	case *dns.AAAA:
		a.own(name, rr.AAAA)
	case *dns.HTTPS:
		a.service(name, &rr.SVCB)
	case *dns.SVCB:
		a.service(name, rr)
	}
}

// service takes the addresses that a client may use before it has asked for those of
// the target (RFC 9460 section 7.3).
func (a *aliases) service(name string, rr *dns.SVCB) {
	if rr.Target != "." {
		a.to = append(a.to, alias{name, rowName(rr.Target)})
	}
	for _, v := range rr.Value {
		switch v := v.(type) {
		case *dns.SVCBIPv4Hint:
			for _, ip := range v.Hint {
				a.own(name, ip)
			}
		case *dns.SVCBIPv6Hint:
			for _, ip := range v.Hint {
				a.own(name, ip)
			}
		}
	}
}

func (a *aliases) own(name string, ip []byte) {
	if addr, ok := netip.AddrFromSlice(ip); ok && len(a.have) < maxAddresses {
		a.have = append(a.have, owned{name, addr.Unmap()})
	}
}

// maxAddresses bounds the addresses of one answer: a record with hints can have
// thousands.
const maxAddresses = 256

// of returns the addresses of name and of those that it is an alias of.
func (a *aliases) of(name string) (addrs []netip.Addr) {
	names := []string{name}
	for i := 0; i < len(names); i++ {
		for _, al := range a.to {
			if al.from == names[i] && !slices.Contains(names, al.to) {
				names = append(names, al.to)
			}
		}
	}
	for _, o := range a.have {
		if slices.Contains(names, o.name) && !slices.Contains(addrs, o.addr) {
			addrs = append(addrs, o.addr)
		}
	}
	return addrs
}
