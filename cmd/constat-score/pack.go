package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"html"
	"maps"
	"math"
	"slices"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
)

// The writers here are made after the formats' specifications and share nothing
// with the decoders that they are used on. A value is what js takes: maps with
// string keys, slices, strings, numbers, booleans and nil. Maps are written in
// the order of their keys, so that the same seed gives the same bytes.

// tree brings the values of the tables, such as []m and []string, to the few
// types that the writers know.
func tree(v any) any {
	switch x := v.(type) {
	case m:
		out := make(m, len(x))
		for k, v := range x {
			out[k] = tree(v)
		}
		return out
	case []m:
		return treeList(x)
	case []string:
		return treeList(x)
	case []float64:
		return treeList(x)
	case []int:
		return treeList(x)
	case []int64:
		return treeList(x)
	case [][]any:
		return treeList(x)
	case []any:
		return treeList(x)
	case map[string]string:
		out := make(m, len(x))
		for k, v := range x {
			out[k] = v
		}
		return out
	case int:
		return int64(x)
	case nil, string, int64, float64, bool:
		return x
	}
	panic(fmt.Sprintf("tree: %T", v))
}

func treeList[T any](list []T) []any {
	out := make([]any, len(list))
	for i, v := range list {
		out[i] = tree(v)
	}
	return out
}

func keys(x m) []string { return slices.Sorted(maps.Keys(x)) }

// msgpack: https://github.com/msgpack/msgpack/blob/master/spec.md
func msgpack(v any) []byte { return appendMsgpack(nil, tree(v)) }

func appendMsgpack(b []byte, v any) []byte {
	head := func(n, small int, fix, wide byte) {
		if n < small {
			b = append(b, fix|byte(n))
			return
		}
		b = binary.BigEndian.AppendUint16(append(b, wide), uint16(n))
	}
	switch x := v.(type) {
	case nil:
		return append(b, 0xc0)
	case bool:
		return append(b, 0xc2+byte(b2i(x)))
	case string:
		if n := len(x); n < 32 {
			b = append(b, 0xa0|byte(n))
		} else if n < 256 {
			b = append(b, 0xd9, byte(n))
		} else {
			b = binary.BigEndian.AppendUint16(append(b, 0xda), uint16(n))
		}
		return append(b, x...)
	case int64:
		if x >= 0 && x < 128 {
			return append(b, byte(x))
		}
		return binary.BigEndian.AppendUint64(append(b, 0xd3), uint64(x))
	case float64:
		return binary.BigEndian.AppendUint64(append(b, 0xcb), math.Float64bits(x))
	case []any:
		head(len(x), 16, 0x90, 0xdc)
		for _, v := range x {
			b = appendMsgpack(b, v)
		}
		return b
	case m:
		head(len(x), 16, 0x80, 0xde)
		for _, k := range keys(x) {
			b = appendMsgpack(appendMsgpack(b, k), x[k])
		}
		return b
	}
	panic("msgpack")
}

// cbor: RFC 8949.
func cbor(v any) []byte { return appendCBOR(nil, tree(v)) }

func appendCBOR(b []byte, v any) []byte {
	head := func(major byte, n uint64) {
		switch {
		case n < 24:
			b = append(b, major<<5|byte(n))
		case n < 256:
			b = append(b, major<<5|24, byte(n))
		case n < 1<<16:
			b = binary.BigEndian.AppendUint16(append(b, major<<5|25), uint16(n))
		default:
			b = binary.BigEndian.AppendUint64(append(b, major<<5|27), n)
		}
	}
	switch x := v.(type) {
	case nil:
		return append(b, 0xf6)
	case bool:
		return append(b, 0xf4+byte(b2i(x)))
	case string:
		head(3, uint64(len(x)))
		return append(b, x...)
	case int64:
		if x < 0 {
			head(1, uint64(-1-x))
		} else {
			head(0, uint64(x))
		}
		return b
	case float64:
		return binary.BigEndian.AppendUint64(append(b, 0xfb), math.Float64bits(x))
	case []any:
		head(4, uint64(len(x)))
		for _, v := range x {
			b = appendCBOR(b, v)
		}
		return b
	case m:
		head(5, uint64(len(x)))
		for _, k := range keys(x) {
			b = appendCBOR(appendCBOR(b, k), x[k])
		}
		return b
	}
	panic("cbor")
}

// protobuf numbers the keys of each map in their order: https://protobuf.dev/programming-guides/encoding/
func protobuf(v any) []byte {
	v = tree(v)
	if list, ok := v.([]any); ok {
		v = m{"items": list}
	}
	return appendMessage(nil, v.(m))
}

func appendMessage(b []byte, x m) []byte {
	for i, k := range keys(x) {
		b = appendField(b, protowire.Number(i+1), x[k])
	}
	return b
}

func appendField(b []byte, n protowire.Number, v any) []byte {
	switch x := v.(type) {
	case nil:
		return b
	case bool:
		return protowire.AppendVarint(protowire.AppendTag(b, n, protowire.VarintType), uint64(b2i(x)))
	case string:
		return protowire.AppendString(protowire.AppendTag(b, n, protowire.BytesType), x)
	case int64:
		return protowire.AppendVarint(protowire.AppendTag(b, n, protowire.VarintType), uint64(x))
	case float64:
		return protowire.AppendFixed64(protowire.AppendTag(b, n, protowire.Fixed64Type), math.Float64bits(x))
	case m:
		return protowire.AppendBytes(protowire.AppendTag(b, n, protowire.BytesType), appendMessage(nil, x))
	case []any:
		for _, v := range x {
			if inner, ok := v.([]any); ok {
				v = m{"items": inner}
			}
			b = appendField(b, n, v)
		}
		return b
	}
	panic("protobuf")
}

// grpcFrame is one length-prefixed message of gRPC over HTTP/2.
func grpcFrame(b []byte) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(b))), b...)
}

func esc(s any) string { return html.EscapeString(fmt.Sprint(s)) }

// xmlName makes a key a name; XML has no spaces or brackets in names.
func xmlName(k string) string {
	k = strings.Map(func(r rune) rune {
		if strings.ContainsRune(" $[]()/:@#", r) {
			return '_'
		}
		return r
	}, k)
	if k == "" || k[0] >= '0' && k[0] <= '9' {
		k = "n" + k
	}
	return k
}

// xmlOf writes elements for keys, and the singular of a list's key, or "item",
// for what is in it.
func xmlOf(root string, v any) []byte {
	var b bytes.Buffer
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n")
	writeXML(&b, root, tree(v))
	return b.Bytes()
}

func writeXML(b *bytes.Buffer, name string, v any) {
	name = xmlName(name)
	switch x := v.(type) {
	case m:
		fmt.Fprintf(b, "<%s>", name)
		for _, k := range keys(x) {
			writeXML(b, k, x[k])
		}
		fmt.Fprintf(b, "</%s>\n", name)
	case []any:
		fmt.Fprintf(b, "<%s>", name)
		item := "item"
		if strings.HasSuffix(name, "s") && len(name) > 3 {
			item = strings.TrimSuffix(name, "s")
		}
		for _, v := range x {
			writeXML(b, item, v)
		}
		fmt.Fprintf(b, "</%s>\n", name)
	case nil:
		fmt.Fprintf(b, "<%s/>", name)
	default:
		fmt.Fprintf(b, "<%s>%s</%s>", name, esc(x), name)
	}
}

// plistXML: https://www.apple.com/DTDs/PropertyList-1.0.dtd
func plistXML(v any) []byte {
	var b bytes.Buffer
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
`)
	writePlist(&b, tree(v))
	b.WriteString("</plist>\n")
	return b.Bytes()
}

func writePlist(b *bytes.Buffer, v any) {
	switch x := v.(type) {
	case m:
		b.WriteString("<dict>\n")
		for _, k := range keys(x) {
			if x[k] == nil {
				continue
			}
			fmt.Fprintf(b, "<key>%s</key>", esc(k))
			writePlist(b, x[k])
		}
		b.WriteString("</dict>\n")
	case []any:
		b.WriteString("<array>\n")
		for _, v := range x {
			writePlist(b, v)
		}
		b.WriteString("</array>\n")
	case string:
		fmt.Fprintf(b, "<string>%s</string>\n", esc(x))
	case int64:
		fmt.Fprintf(b, "<integer>%d</integer>\n", x)
	case float64:
		fmt.Fprintf(b, "<real>%v</real>\n", x)
	case bool:
		fmt.Fprintf(b, "<%t/>\n", x)
	}
}

// plistBinary is Apple's bplist00: objects, a table of their offsets, a trailer.
func plistBinary(v any) []byte {
	var objects [][]byte
	head := func(kind byte, n int) []byte {
		if n < 15 {
			return []byte{kind<<4 | byte(n)}
		}
		return binary.BigEndian.AppendUint16([]byte{kind<<4 | 15, 0x11}, uint16(n))
	}
	var put func(v any) int
	put = func(v any) int {
		at := len(objects)
		objects = append(objects, nil)
		ref := func(b []byte, n int) []byte { return binary.BigEndian.AppendUint16(b, uint16(n)) }
		var b []byte
		switch x := v.(type) {
		case m:
			names := keys(x)
			b = head(0xd, len(names))
			for _, k := range names {
				b = ref(b, put(k))
			}
			for _, k := range names {
				b = ref(b, put(x[k]))
			}
		case []any:
			b = head(0xa, len(x))
			for _, v := range x {
				b = ref(b, put(v))
			}
		case string:
			ascii := true
			var units []uint16
			for _, r := range x {
				ascii = ascii && r < 128
				if r > 0xffff {
					units = append(units, uint16(0xd800+(r-0x10000)>>10), uint16(0xdc00+(r-0x10000)&0x3ff))
				} else {
					units = append(units, uint16(r))
				}
			}
			if ascii {
				b = append(head(5, len(x)), x...)
				break
			}
			b = head(6, len(units))
			for _, u := range units {
				b = binary.BigEndian.AppendUint16(b, u)
			}
		case int64:
			b = binary.BigEndian.AppendUint64([]byte{0x13}, uint64(x))
		case float64:
			b = binary.BigEndian.AppendUint64([]byte{0x23}, math.Float64bits(x))
		case bool:
			b = []byte{8 + byte(b2i(x))}
		case nil:
			b = []byte{0}
		}
		objects[at] = b
		return at
	}
	put(tree(v))
	out := []byte("bplist00")
	var offsets []byte
	for _, o := range objects {
		offsets = binary.BigEndian.AppendUint32(offsets, uint32(len(out)))
		out = append(out, o...)
	}
	table := len(out)
	out = append(append(out, offsets...), 0, 0, 0, 0, 0, 0, 4, 2)
	out = binary.BigEndian.AppendUint64(out, uint64(len(objects)))
	out = binary.BigEndian.AppendUint64(out, 0)
	return binary.BigEndian.AppendUint64(out, uint64(table))
}

// bracketed is v as the names and values of a form, as PHP reads them.
func bracketed(prefix string, v any, set func(k, v string)) {
	switch x := v.(type) {
	case m:
		for _, k := range keys(x) {
			name := k
			if prefix != "" {
				name = prefix + "[" + k + "]"
			}
			bracketed(name, x[k], set)
		}
	case []any:
		if prefix == "" {
			prefix = "data"
		}
		for i, v := range x {
			bracketed(fmt.Sprintf("%s[%d]", prefix, i), v, set)
		}
	case nil:
		set(prefix, "")
	default:
		set(prefix, scalar(x))
	}
}

// scalar is a single value as text, numbers without exponents.
func scalar(v any) string {
	if f, ok := v.(float64); ok {
		return strings.TrimRight(strings.TrimRight(fmt.Sprintf("%.7f", f), "0"), ".")
	}
	return fmt.Sprint(v)
}

func zipped(files map[string][]byte) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		f, err := w.Create(name)
		if err != nil {
			panic(err) // a bytes.Buffer takes everything
		}
		_, _ = f.Write(files[name])
	}
	_ = w.Close()
	return b.Bytes()
}

func tarred(name string, data []byte) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	_ = w.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(data))})
	_, _ = w.Write(data)
	_ = w.Close()
	return b.Bytes()
}

// table finds the list of flat maps in v, which is where the rows are.
func table(v any) (rows []m) {
	switch x := v.(type) {
	case m:
		for _, k := range keys(x) {
			if rows := table(x[k]); rows != nil {
				return rows
			}
		}
	case []any:
		for _, v := range x {
			row, ok := v.(m)
			if !ok {
				return nil
			}
			for _, v := range row {
				switch v.(type) {
				case m, []any:
					return nil
				}
			}
			rows = append(rows, row)
		}
	}
	return rows
}

// sqliteFile is a database of one table with one page of rows, after
// https://www.sqlite.org/fileformat2.html; nil if they do not fit.
func sqliteFile(name string, rows []m) []byte {
	const page = 32768
	columns := keys(rows[0])
	quoted := make([]string, len(columns))
	for i, c := range columns {
		quoted[i] = `"` + c + `"`
	}
	schema := fmt.Sprintf("CREATE TABLE %s (%s)", name, strings.Join(quoted, ", "))
	var cells [][]byte
	for i, row := range rows {
		values := make([]any, len(columns))
		for j, c := range columns {
			values[j] = row[c]
		}
		cells = append(cells, sqliteCell(i+1, values))
	}
	first := sqlitePage(page, 100, [][]byte{sqliteCell(1, []any{"table", name, name, int64(2), schema})})
	second := sqlitePage(page, 0, cells)
	if first == nil || second == nil {
		return nil
	}
	h := first[:100]
	copy(h, "SQLite format 3\x00")
	binary.BigEndian.PutUint16(h[16:], page)
	h[18], h[19], h[21], h[22], h[23] = 1, 1, 64, 32, 32
	for at, n := range map[int]uint32{24: 1, 28: 2, 40: 1, 44: 4, 56: 1, 92: 1, 96: 3045000} {
		binary.BigEndian.PutUint32(h[at:], n)
	}
	return append(first, second...)
}

func sqlitePage(size, start int, cells [][]byte) []byte {
	p := make([]byte, size)
	at, pointer := size, start+8
	for _, c := range cells {
		at -= len(c)
		if at < pointer+2 {
			return nil
		}
		copy(p[at:], c)
		binary.BigEndian.PutUint16(p[pointer:], uint16(at))
		pointer += 2
	}
	p[start] = 13 // a leaf of a table
	binary.BigEndian.PutUint16(p[start+3:], uint16(len(cells)))
	binary.BigEndian.PutUint16(p[start+5:], uint16(at))
	return p
}

func sqliteCell(id int, values []any) []byte {
	var types, body []byte
	for _, v := range values {
		switch x := v.(type) {
		case nil:
			types = append(types, 0)
		case string:
			types = appendSQLiteVarint(types, uint64(13+2*len(x)))
			body = append(body, x...)
		case int64:
			types = append(types, 6)
			body = binary.BigEndian.AppendUint64(body, uint64(x))
		case bool:
			types = append(types, 8+byte(b2i(x)))
		case float64:
			types = append(types, 7)
			body = binary.BigEndian.AppendUint64(body, math.Float64bits(x))
		}
	}
	header := len(types) + 1
	if header > 127 {
		header++
	}
	record := append(append(appendSQLiteVarint(nil, uint64(header)), types...), body...)
	return append(appendSQLiteVarint(appendSQLiteVarint(nil, uint64(len(record))), uint64(id)), record...)
}

func appendSQLiteVarint(b []byte, n uint64) []byte {
	var out []byte
	for out = []byte{byte(n & 127)}; n > 127; {
		n >>= 7
		out = append([]byte{byte(n&127) | 128}, out...)
	}
	return append(b, out...)
}

// csvOf is rows as a spreadsheet exports them.
func csvOf(rows []m, comma string) []byte {
	var b bytes.Buffer
	columns := keys(rows[0])
	b.WriteString(strings.Join(columns, comma) + "\r\n")
	for _, row := range rows {
		for i, c := range columns {
			if i > 0 {
				b.WriteString(comma)
			}
			v := ""
			if row[c] != nil {
				v = scalar(row[c])
			}
			if strings.ContainsAny(v, "\",;\n") {
				v = `"` + strings.ReplaceAll(v, `"`, `""`) + `"`
			}
			b.WriteString(v)
		}
		b.WriteString("\r\n")
	}
	return b.Bytes()
}

// yamlOf is v in block style.
func yamlOf(v any) []byte {
	var b bytes.Buffer
	writeYAML(&b, tree(v), "")
	return b.Bytes()
}

func writeYAML(b *bytes.Buffer, v any, indent string) {
	switch x := v.(type) {
	case m:
		for _, k := range keys(x) {
			switch x[k].(type) {
			case m, []any:
				fmt.Fprintf(b, "%s%s:\n", indent, k)
				writeYAML(b, x[k], indent+"  ")
			default:
				fmt.Fprintf(b, "%s%s: %s\n", indent, k, yamlScalar(x[k]))
			}
		}
	case []any:
		for _, v := range x {
			switch v.(type) {
			case m, []any:
				fmt.Fprintf(b, "%s-\n", indent)
				writeYAML(b, v, indent+"  ")
			default:
				fmt.Fprintf(b, "%s- %s\n", indent, yamlScalar(v))
			}
		}
	}
}

func yamlScalar(v any) string {
	if s, ok := v.(string); ok {
		return string(js(s))
	}
	if v == nil {
		return "~"
	}
	return scalar(v)
}
