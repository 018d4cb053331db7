package dns

import (
	"encoding/binary"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// strip returns answer without hints at encrypted server names and HTTP/3, nil when
// it has none. It fails when a message with records that may have hints cannot be
// read.
func strip(answer []byte) ([]byte, error) {
	if may, err := mayHint(answer); !may || err != nil {
		return nil, err
	}
	var msg dns.Msg
	if err := msg.Unpack(answer); err != nil {
		return nil, err
	}
	altered := false
	for _, section := range []*[]dns.RR{&msg.Answer, &msg.Ns, &msg.Extra} {
		*section = slices.DeleteFunc(*section, func(rr dns.RR) bool {
			var changed, useless bool
			switch rr := rr.(type) {
			case *dns.HTTPS:
				changed, useless = stripRecord(&rr.SVCB)
			case *dns.SVCB:
				changed, useless = stripRecord(rr)
			}
			altered = altered || changed
			return useless
		})
	}
	if !altered {
		return nil, nil
	}
	msg.AuthenticatedData = false // it is said of the records as they were signed
	msg.Compress = true
	return msg.Pack()
}

// mayHint says whether a message has records of the types with parameters. It fails
// when that cannot be told, and for records of HIP beside them: their lists of names
// take 500 times their size.
func mayHint(answer []byte) (may bool, err error) {
	off := headerLen
	for range binary.BigEndian.Uint16(answer[4:]) {
		end, _, ok := skipName(answer, off)
		if !ok || end+4 > len(answer) {
			return false, errRecord
		}
		off = end + 4
	}
	hip := false
	for _, at := range []int{6, 8, 10} {
		for range binary.BigEndian.Uint16(answer[at:]) {
			r, err := readRecord(answer, off)
			if err != nil {
				return false, err
			}
			may = may || r.typ == dns.TypeSVCB || r.typ == dns.TypeHTTPS
			hip = hip || r.typ == dns.TypeHIP
			off = r.end
		}
	}
	if may && hip {
		return false, errRecord
	}
	return may, nil
}

// stripRecord takes ech and h3 out of the parameters of a record. The record is
// useless when HTTP/3 was the only protocol it offered: without the parameter alpn it
// would offer the default one, which no-default-alpn says the server does not speak
// (RFC 9460 section 7.1.2).
func stripRecord(rr *dns.SVCB) (changed, useless bool) {
	noDefault := slices.ContainsFunc(rr.Value, func(v dns.SVCBKeyValue) bool { return v.Key() == dns.SVCB_NO_DEFAULT_ALPN })
	gone := map[dns.SVCBKey]bool{}
	rr.Value = slices.DeleteFunc(rr.Value, func(v dns.SVCBKeyValue) bool {
		switch v := v.(type) {
		case *dns.SVCBECHConfig:
			gone[v.Key()], changed = true, true
		case *dns.SVCBAlpn:
			left := slices.DeleteFunc(slices.Clone(v.Alpn), isHTTP3)
			if len(left) == len(v.Alpn) {
				return false
			}
			changed, v.Alpn = true, left
			gone[v.Key()] = len(left) == 0
		}
		return gone[v.Key()]
	})
	useless = noDefault && gone[dns.SVCB_ALPN]
	rr.Value = slices.DeleteFunc(rr.Value, func(v dns.SVCBKeyValue) bool {
		m, ok := v.(*dns.SVCBMandatory)
		if !ok {
			return false
		}
		m.Code = slices.DeleteFunc(m.Code, func(k dns.SVCBKey) bool { return gone[k] })
		return len(m.Code) == 0
	})
	return changed, useless
}

// isHTTP3 says whether an ALPN is that of HTTP/3 (RFC 9114 section 3.1) or of one of
// its drafts, "h3-29".
func isHTTP3(alpn string) bool { return alpn == "h3" || strings.HasPrefix(alpn, "h3-") }
