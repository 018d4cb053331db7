package report

import (
	"constat/store/linkage"
)

// Bounds on the lists of identifiers.
const (
	maxIdentifiers = 25
	maxLaws        = 40
)

// Identifiers is what links transmissions. All values in it are masked.
type Identifiers struct {
	Requests   int64           `json:"requests"` // that carried values
	Distinct   int64           `json:"values_seen"`
	Sessions   int             `json:"sessions"`
	Resets     int             `json:"resets"`
	Values     []linkage.Value `json:"values"` // in two requests or more
	Fields     []linkage.Field `json:"fields"`
	MoreValues int64           `json:"more_values,omitempty"`
	MoreFields int64           `json:"more_fields,omitempty"`
	Limits     []string        `json:"limits,omitempty"`
}

func (g *gatherer) identifiers() error {
	l, err := linkage.Analyse(g.ctx, g.r, linkage.Options{})
	if err != nil {
		return err
	}
	fields := l.Telling(false)
	l = l.Masked()
	g.doc.Identifiers = Identifiers{
		Requests: l.Requests, Distinct: l.Distinct, Sessions: l.Sessions, Resets: l.Resets,
		Values: l.Values[:min(len(l.Values), maxIdentifiers)], Fields: fields[:min(len(fields), maxLaws)],
		MoreValues: l.MoreValues + int64(max(0, len(l.Values)-maxIdentifiers)), MoreFields: int64(max(0, len(fields)-maxLaws)),
		Limits: l.Limits,
	}
	return nil
}
