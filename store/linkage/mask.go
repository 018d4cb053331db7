package linkage

import "unicode/utf8"

// Mask hides the middle of a value: "3520…1481". It shows at most half of it, and
// of less than six characters nothing.
func Mask(value string) string {
	n := utf8.RuneCountInString(value)
	show := min(4, n/4)
	if n < 6 {
		return "…"
	}
	runes := []rune(value)
	return string(runes[:show]) + "…" + string(runes[n-show:])
}

// Masked returns l with all values masked.
func (l *Linkage) Masked() *Linkage {
	out := *l
	out.Values = make([]Value, len(l.Values))
	for i, v := range l.Values {
		v.Value = Mask(v.Value)
		if v.DigestOf != nil {
			d := *v.DigestOf
			d.Of, d.digest = Mask(d.Of), ""
			v.DigestOf = &d
		}
		companions := make([]Companion, len(v.Companions))
		for j, c := range v.Companions {
			companions[j] = Companion{Mask(c.Value), c.Requests}
		}
		v.Companions = companions
		out.Values[i] = v
	}
	return &out
}
