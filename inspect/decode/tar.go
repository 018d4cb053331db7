package decode

import (
	"bytes"
	"strconv"

	"constat/inspect"
)

// Tar takes the files out of a tar archive. The argument is the file's name.
// Links, devices and directories have no content and are left out; of a sparse
// file what was stored is one piece.
var Tar = inspect.Decoder{
	Name:   "tar",
	Doc:    "takes the files out of ustar, pax (POSIX.1-2017 pax, Extended Description) and GNU tar archives",
	Min:    tarBlock,
	Decode: decodeTar,
}

const (
	tarBlock = 512
	tarName  = 4096 // bytes of a name in an extended header
)

func decodeTar(w *inspect.Work, p *inspect.Part) ([]inspect.Child, error) {
	d := p.Data
	if len(d) < tarBlock || string(d[257:262]) != "ustar" || !tarSum(d) {
		return nil, nil
	}
	var children []inspect.Child
	var seen names
	var longName string // of the file that follows
	longSize := -1
	for len(d) >= tarBlock && d[0] != 0 {
		if !tarSum(d) {
			return children, broken("tar", errField)
		}
		h := d[:tarBlock]
		size := tarNumber(h[124:136])
		kind := h[156]
		if longSize >= 0 && kind != 'x' && kind != 'g' && kind != 'L' && kind != 'K' {
			size, longSize = longSize, -1
		}
		d = d[tarBlock:]
		if size < 0 {
			return children, broken("tar", errField)
		}
		content := d[:min(size, len(d))]
		cut := len(content) < size
		d = d[min(len(content)+(-len(content)&(tarBlock-1)), len(d)):]
		switch kind {
		case 'x':
			name, n := paxRecords(content)
			if name != "" {
				longName = name
			}
			longSize = n
		case 'L': // GNU: the name is the content
			longName = string(bytes.TrimRight(content[:min(len(content), tarName)], "\x00"))
		case 'g', 'K':
		case 0, '0', '7', 'S':
			name := longName
			if name == "" {
				name = tarString(h[:100])
				if prefix := tarString(h[345:500]); prefix != "" && h[262] == 0 { // GNU has other things there
					name = prefix + "/" + name
				}
			}
			longName = ""
			if len(content) == 0 {
				break
			}
			if len(children) >= w.Parts() {
				return children, inspect.ErrParts
			}
			arg := seen.unique(name)
			children = append(children, inspect.Child{Arg: arg, Name: name, Group: arg, Media: mediaOf(name, content), Data: content[:len(content):len(content)]})
		default:
			longName = ""
		}
		if cut {
			return children, broken("tar", errEnd)
		}
	}
	return children, nil
}

// tarSum checks the sum of the header at d, which counts its own field as
// spaces.
func tarSum(d []byte) bool {
	sum := 8 * int(' ')
	for i, c := range d[:tarBlock] {
		if i < 148 || i >= 156 {
			sum += int(c)
		}
	}
	return tarNumber(d[148:156]) == sum
}

// tarNumber reads a number in octal, or, with the first bit set, in binary as
// GNU writes large ones. It is negative when there is none.
func tarNumber(b []byte) int {
	if b[0]&0x80 != 0 {
		n := int(b[0] & 0x7f)
		for _, c := range b[1:] {
			if n > 1<<40 {
				return -1
			}
			n = n<<8 | int(c)
		}
		return n
	}
	text := bytes.Trim(b, " \x00")
	if len(text) == 0 {
		return 0
	}
	n, err := strconv.ParseInt(string(text), 8, 48)
	if err != nil || n < 0 {
		return -1
	}
	return int(n)
}

func tarString(b []byte) string {
	b, _, _ = bytes.Cut(b, []byte{0})
	return string(b)
}

// paxRecords reads the name and the size in an extended header: records of a
// length, a space, KEY=VALUE and a line feed. size is negative when not said.
func paxRecords(b []byte) (name string, size int) {
	size = -1
	for len(b) > 0 {
		digits, _, ok := bytes.Cut(b[:min(len(b), 10)], []byte(" "))
		n, err := strconv.Atoi(string(digits))
		if !ok || err != nil || n <= len(digits)+1 || n > len(b) {
			return name, size
		}
		record := bytes.TrimSuffix(b[len(digits)+1:n], []byte("\n"))
		b = b[n:]
		switch key, value, _ := bytes.Cut(record, []byte("=")); string(key) {
		case "path":
			name = string(value[:min(len(value), tarName)])
		case "size":
			if v, err := strconv.ParseInt(string(value), 10, 48); err == nil && v >= 0 {
				size = int(v)
			}
		}
	}
	return name, size
}
