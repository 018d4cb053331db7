package inspect

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"constat/proxy/flow"
)

// An upload of ten thousand messages is proved by the first ones, and a body
// made to break decoders shows it by the first breaks.
const (
	mostFindings = 500 // of one detector
	mostDamage   = 500 // of one Subject
	mostValues   = 64  // of one Subject
)

// detect runs one detector and completes what it says. A finding that names no
// part cannot be proved: it becomes Damage.
func (b *build) detect(d *Detector) (found []Finding) {
	defer func() {
		if recover() != nil {
			b.hurt("", d.Name, damagePanic)
			found = nil
		}
	}()
	list := d.Detect(&b.t)
	if len(list) > mostFindings {
		b.hurt("", d.Name, damageFindings)
		list = list[:mostFindings]
	}
	for _, f := range list {
		p := b.t.Part(f.Path)
		if p == nil || f.Confidence.Rank() == 0 {
			b.hurt(f.Path, d.Name, "finding without a part or a confidence")
			continue
		}
		f.Path = Path(strings.Clone(string(f.Path))) // a path shares the memory of its siblings'
		f.Class = cmp.Or(f.Class, d.Class)
		f.Detector = cmp.Or(f.Detector, d.Name)
		f.Direction = cmp.Or(f.Direction, p.Direction)
		if f.Start < 0 || f.End > len(p.Data) || f.Start >= f.End {
			f.Start, f.End = 0, 0
		}
		if f.Excerpt == "" {
			f.Excerpt = Excerpt(p.Data, f.Start, f.End)
		} else {
			f.Excerpt = Excerpt([]byte(f.Excerpt), 0, 0)
		}
		f.Reason = strings.ToValidUTF8(f.Reason, ".")
		found = append(found, f)
	}
	return found
}

func (b *build) own(o *Owner) {
	defer func() {
		if recover() != nil {
			b.hurt("", "owner", damagePanic)
		}
	}()
	*o = b.in.cfg.Owners.Lookup(b.t.Subject.Host, b.t.Subject.Server)
}

// values runs Config.Values. One without a part is left out: nobody could check
// it.
func (b *build) values() (list []Value) {
	defer func() {
		if recover() != nil {
			b.hurt("", "values", damagePanic)
			list = nil
		}
	}()
	for _, v := range b.in.cfg.Values(&b.t) {
		p := b.t.Part(v.Path)
		if p == nil {
			b.hurt(v.Path, "values", "value without a part")
			continue
		}
		if len(list) == mostValues {
			b.hurt("", "values", damageValues)
			break
		}
		v.Direction = cmp.Or(v.Direction, p.Direction)
		v.Value, v.Name, v.Path = strings.Clone(v.Value), strings.Clone(v.Name), Path(strings.Clone(string(v.Path)))
		list = append(list, v)
	}
	return list
}

// sayUpload names the exchanges that an upload was put together from in the
// findings about it: one exchange alone does not show them.
func (b *build) sayUpload(list []Finding) {
	u := b.t.Subject.Upload
	if u == nil {
		return
	}
	const most = 20
	var ids []string
	for i, id := range u.Exchanges {
		if i == most {
			ids = append(ids, "…")
			break
		}
		ids = append(ids, strconv.FormatInt(id, 10))
	}
	note := " The file was sent in pieces, in requests " + strings.Join(ids, ", ") + "."
	for i := range list {
		if root, _, _ := strings.Cut(string(list[i].Path), "|"); root == "upload" {
			list[i].Reason += note
		}
	}
}

func sortFindings(list []Finding) []Finding {
	slices.SortStableFunc(list, func(x, y Finding) int {
		return cmp.Or(
			cmp.Compare(x.Class, y.Class), cmp.Compare(y.Direction, x.Direction), // up first
			cmp.Compare(y.Confidence.Rank(), x.Confidence.Rank()), // surest first
			cmp.Compare(x.Detector, y.Detector), cmp.Compare(x.Path, y.Path),
			cmp.Compare(x.Start, y.Start), cmp.Compare(x.End, y.End),
			cmp.Compare(x.Reason, y.Reason), cmp.Compare(x.Excerpt, y.Excerpt),
		)
	})
	return slices.Compact(list)
}

func sortDamage(list []Damage) []Damage {
	slices.SortFunc(list, func(x, y Damage) int {
		return cmp.Or(cmp.Compare(x.Path, y.Path), cmp.Compare(x.Decoder, y.Decoder), cmp.Compare(x.Reason, y.Reason))
	})
	list = slices.Compact(list)
	if len(list) > mostDamage {
		list = append(list[:mostDamage:mostDamage], Damage{Reason: damageDamage})
	}
	return list
}

// directionRank orders what left the phone before what came to it.
func directionRank(d flow.Direction) int {
	if d == flow.Up {
		return 0
	}
	return 1
}
