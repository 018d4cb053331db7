package report

import (
	"strings"

	"constat/inspect"
)

// stepsOf writes a path as steps in words. part, when not nil, is where it leads; its
// parents say how many bytes each step gave.
func (l *language) stepsOf(path inspect.Path, part *inspect.Part) []string {
	sizes := map[inspect.Path]int{}
	for p := part; p != nil; p = p.Parent {
		sizes[p.Path] = len(p.Data)
	}
	var out []string
	at := inspect.Path("")
	for i, step := range path.Steps() {
		name, arg := inspect.SplitStep(step)
		var s string
		switch {
		case i > 0:
			at += inspect.Path("|" + step)
			s = upper(l.deed(name, arg))
		case l.has("root." + step):
			at = inspect.Path(step)
			s = l.say("root." + step)
		default:
			at = inspect.Path(step)
			s = l.say("root.other", l.quoted(short(step, 80)))
		}
		if n, ok := sizes[at]; ok {
			s = l.say("step.sized", s, l.count("step.bytes", int64(n)))
		} else {
			s = l.say("step.plain", s)
		}
		out = append(out, s)
	}
	return out
}

// deed says what a decoder does.
func (l *language) deed(name, arg string) string {
	key, shown, named := "deed."+name, l.quoted(short(arg, 200)), strings.ReplaceAll(name, "_", " ")
	if !l.has(key) || name == "other" || name == "with" {
		key = "deed.other"
	}
	switch {
	case arg == "":
		return l.say(key, shown, named)
	case l.has(key + ".of"):
		return l.say(key+".of", shown, named)
	}
	return l.say("deed.with", shown, l.say(key, shown, named))
}
