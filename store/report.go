package store

import (
	"encoding/json"
	"errors"
	"fmt"

	"constat/inspect"
	"constat/proxy/flow"
)

// maxFindings bounds the findings, and hits, of one report: the view findings
// numbers them within a million.
const maxFindings = 100_000

// newReport writes a report down as a record, but for what it is on and when it
// was made.
func newReport(rep *inspect.Report, version string) (report, error) {
	r := report{Version: version, Parts: rep.Parts, Owner: rep.Owner, Direction: direction(rep)}
	for i, t := range rep.Tags() {
		if i > 0 {
			r.Tags += " "
		}
		r.Tags += string(t)
	}
	var err1, err2, err3 error
	r.Findings, err1 = jsonList(rep.Findings)
	r.Hits, err2 = jsonList(rep.Hits)
	r.Damage, err3 = jsonList(rep.Damage)
	if err := errors.Join(err1, err2, err3); err != nil {
		return r, fmt.Errorf("write report: %w", err)
	}
	r.Identifying = valuesJSON(rep.Values)
	return r, nil
}

func jsonList[T any](list []T) (string, error) {
	if len(list) == 0 {
		return "", nil
	}
	j, err := json.Marshal(list[:min(len(list), maxFindings)])
	return string(j), err
}

// direction sums up which way what was found travelled.
func direction(rep *inspect.Report) string {
	up, down := false, false
	for _, f := range rep.Findings {
		up = up || f.Direction == flow.Up
		down = down || f.Direction == flow.Down
	}
	switch {
	case up && down:
		return "both"
	case up:
		return string(flow.Up)
	case down:
		return string(flow.Down)
	}
	return ""
}

// report reads the record back.
func (r *report) report() (*inspect.Report, error) {
	out := &inspect.Report{Parts: r.Parts, Owner: r.Owner}
	for _, l := range []struct {
		text string
		into any
	}{{r.Findings, &out.Findings}, {r.Hits, &out.Hits}, {r.Damage, &out.Damage}} {
		if l.text == "" {
			continue
		}
		if err := json.Unmarshal([]byte(l.text), l.into); err != nil {
			return nil, fmt.Errorf("read report on exchange %d: %w", r.Exchange, err)
		}
	}
	var err error
	if out.Values, err = parseValues(r.Identifying); err != nil {
		return nil, fmt.Errorf("read report on exchange %d: %w", r.Exchange, err)
	}
	return out, nil
}
