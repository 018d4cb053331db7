package report

import "encoding/json"

// The queries below read tables of a case rather than its public views: damage and
// runs are in no view. A change of the schema that breaks them fails the tests.

const newestReports = `report r WHERE r.id = (SELECT max(n.id) FROM report n WHERE n.exchange = r.exchange AND n.frame = r.frame)`

func (g *gatherer) damage() error {
	const grouped = `
		SELECT ifnull(d.value ->> 'decoder', ''), ifnull(d.value ->> 'reason', ''), count(*), count(DISTINCT exchange), min(exchange)
		FROM (SELECT r.exchange, r.damage FROM ` + newestReports + ` AND r.damage IS NOT NULL) q, json_each(q.damage) d
		GROUP BY 1, 2`
	var err error
	g.doc.Damage, err = collect(g, grouped+` ORDER BY 3 DESC, 1, 2 LIMIT ?`, []any{maxDamage},
		func(scan func(...any) error) (d DamageRow, err error) {
			return d, scan(&d.Decoder, &d.Reason, &d.Count, &d.Requests, &d.Example)
		})
	if err != nil {
		return err
	}
	if len(g.doc.Damage) == maxDamage {
		if err := g.tx.QueryRowContext(g.ctx, `SELECT count(*) - ? FROM (`+grouped+`)`, maxDamage).Scan(&g.doc.MoreDamage); err != nil {
			return err
		}
	}
	return g.tx.QueryRowContext(g.ctx, `
		SELECT (SELECT count(*) FROM exchange e WHERE NOT EXISTS(SELECT 1 FROM report r WHERE r.exchange = e.id AND r.frame = 0)),
			(SELECT count(DISTINCT r.exchange) FROM `+newestReports+` AND r.damage IS NOT NULL AND json_array_length(r.damage) > 0)`).
		Scan(&g.doc.Coverage.Missing, &g.doc.Coverage.DamagedReport)
}

func (g *gatherer) runs() error {
	var err error
	g.doc.Runs, err = collect(g, `SELECT began, tool, settings FROM run ORDER BY id DESC LIMIT ?`, []any{maxRuns},
		func(scan func(...any) error) (r Run, err error) {
			var settings string
			if err := scan(stamp{&r.Began}, &r.Tool, &settings); err != nil {
				return r, err
			}
			m := map[string]string{}
			if err := json.Unmarshal([]byte(settings), &m); err != nil {
				return r, err
			}
			r.Settings = pairs(m)
			return r, nil
		})
	return err
}
