package decode

import "strconv"

// names makes the arguments of siblings unique: of fields of one name the second
// is NAME#1, the third NAME#2. The zero value is ready for use.
type names struct {
	first string
	count int
	next  map[string]int // names given so far, and the number to try next
}

func (n *names) unique(name string) string {
	n.count++
	if n.count == 1 {
		n.first = name
		return name
	}
	if n.next == nil {
		n.next = make(map[string]int, 8)
		n.next[n.first] = 1
	}
	i, taken := n.next[name]
	if !taken {
		n.next[name] = 1
		return name
	}
	for ; ; i++ {
		arg := name + "#" + strconv.Itoa(i)
		if _, taken := n.next[arg]; !taken {
			n.next[name], n.next[arg] = i+1, 1
			return arg
		}
	}
}
