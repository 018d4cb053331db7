package detect

import (
	"iter"
	"strings"

	"constat/inspect"
)

// maxPairs bounds how many fields are made of lists of keys and values.
const maxPairs = 4096

// records yields the records of t, and behind them those that are written as
// lists of keys and values, as OpenTelemetry does:
// [{"key": "model", "value": {"stringValue": "X"}}, …].
func records(t *inspect.Tree) iter.Seq[inspect.Record] {
	return func(yield func(inspect.Record) bool) {
		var paired []*inspect.Part
		for r := range t.Records() {
			if r.Parent == nil {
				continue // headers and cookies
			}
			if !yield(r) {
				return
			}
			if len(paired) == 0 || paired[len(paired)-1] != r.Parent {
				for _, f := range r.Fields {
					if f.Name == "key" && f.Kind == inspect.Text {
						paired = append(paired, r.Parent)
						break
					}
				}
			}
		}
		for _, parent := range paired {
			for _, r := range pairs(parent) {
				if !yield(r) {
					return
				}
			}
		}
	}
}

// pairs makes records of the lists of keys and values among the children of
// parent. Their fields are the values, named by their keys.
func pairs(parent *inspect.Part) []inspect.Record {
	keys := make(map[string]string) // by group of the pair
	for _, c := range parent.Children {
		if c.Name == "key" && c.Kind == inspect.Text && len(c.Data) <= 64 && len(keys) < maxPairs {
			keys[c.Group] = string(c.Data)
		}
	}
	var out []inspect.Record
	at := make(map[string]int)
	for _, c := range parent.Children {
		group := strings.TrimSuffix(c.Group, ".value")
		key, ok := keys[group]
		if !ok || c.Name == "key" || group == c.Group && c.Name != "value" {
			continue
		}
		list := group
		if strings.HasSuffix(group, "]") {
			list = group[:strings.LastIndexByte(group, '[')]
		}
		i, ok := at[list]
		if !ok {
			i = len(out)
			at[list] = i
			out = append(out, inspect.Record{Parent: parent, Group: list, Direction: parent.Direction})
		}
		field := &inspect.Part{
			Path: c.Path, Direction: c.Direction, Data: c.Data, Name: key, Group: list,
			Kind: c.Kind, Depth: c.Depth, Parent: parent,
		}
		out[i].Fields = append(out[i].Fields, field)
	}
	return out
}

// nesting finds the objects that stand inside an object, such as sender.number.
// It remembers how far it came, since records follow each other in the order of
// their fields: going through all records of a part reads its children once.
type nesting struct {
	parent *inspect.Part
	at     int
}

// in yields the fields of the objects inside the object r that stand within a
// few dozen values of its first field.
func (n *nesting) in(r inspect.Record) iter.Seq[*inspect.Part] {
	const before, behind = 24, 72
	return func(yield func(*inspect.Part) bool) {
		if r.Parent == nil || len(r.Fields) == 0 {
			return
		}
		if n.parent != r.Parent {
			n.parent, n.at = r.Parent, 0
		}
		children := r.Parent.Children
		for n.at < len(children) && children[n.at] != r.Fields[0] {
			n.at++
		}
		for i := max(0, n.at-before); i < len(children) && i < n.at+behind; i++ {
			c := children[i]
			rest, ok := strings.CutPrefix(c.Group, r.Group)
			if !ok || rest == "" || rest[0] != '.' && (r.Group != "" || rest[0] == '[') {
				continue
			}
			if !yield(c) {
				return
			}
		}
	}
}

// maxName is the longest field name that is looked up.
const maxName = 48

// squeeze writes a field's name into buf in lower case, without anything but
// letters, digits and what is not ASCII: sender_number, senderNumber and
// $senderNumber are one. Of a name with brackets, such as PHP's rows[0][body],
// it takes the last word. The result is nil if the name is too long.
func squeeze(buf *[maxName]byte, name string) []byte {
	if n := len(name); n > 2 && name[n-1] == ']' {
		if i := strings.LastIndexByte(name, '['); i > 0 && i < n-2 {
			name = name[i+1 : n-1]
		}
	}
	n := 0
	for i := range len(name) {
		c := name[i]
		switch {
		case c-'A' < 26:
			c += 'a' - 'A'
		case c-'a' < 26, c-'0' < 10, c >= 0x80:
		default:
			continue
		}
		if n == maxName {
			return nil
		}
		buf[n] = c
		n++
	}
	return buf[:n]
}
