package store

import (
	"context"
	"fmt"
	"iter"
	"time"

	"constat/inspect"
	"constat/store/evidence"
)

// Sighting is what one request, or one WebSocket message of it, carried of values
// that could be identifiers, as its newest report says.
type Sighting struct {
	Exchange, Frame int64 // Frame 0: the request and its response
	Time            time.Time
	Device          string // "" for an imported request: a file is no phone
	Host, Path      string
	Values          []inspect.Value
}

// CountSightings returns about how many Sightings there are: at most one for each
// report.
func (r *Reader) CountSightings(ctx context.Context) (n int64, err error) {
	err = r.db.QueryRowContext(ctx, "SELECT count(*) FROM report WHERE identifying IS NOT NULL").Scan(&n)
	if err != nil {
		return 0, sqlError("read values", err)
	}
	return n, nil
}

// Sightings yields what carried values, in the order of exchanges and their frames.
// The Sighting and its list are used again for the next one. It reads in pages, so
// it sees what is committed meanwhile.
func (r *Reader) Sightings(ctx context.Context) iter.Seq2[*Sighting, error] {
	const query = `
		SELECT r.exchange, r.frame, e.began, iif(e.door = 'import', '', e.device), e.host, e.path, r.identifying
		FROM report r JOIN exchange e ON e.id = r.exchange
		WHERE (r.exchange, r.frame) > (?, ?) AND r.identifying IS NOT NULL
		  AND r.id = (SELECT max(n.id) FROM report n WHERE n.exchange = r.exchange AND n.frame = r.frame)
		ORDER BY r.exchange, r.frame LIMIT ?`
	const page = 512
	type line struct {
		Sighting
		began, identifying string
	}
	read := func(exchange, frame int64, lines []line) ([]line, error) {
		rows, err := r.db.QueryContext(ctx, query, exchange, frame, page)
		if err != nil {
			return nil, sqlError("read values", err)
		}
		defer rows.Close()
		for rows.Next() {
			var l line
			if err := rows.Scan(&l.Exchange, &l.Frame, &l.began, &l.Device, &l.Host, &l.Path, &l.identifying); err != nil {
				return nil, sqlError("read values", err)
			}
			lines = append(lines, l)
		}
		if err := rows.Err(); err != nil {
			return nil, sqlError("read values", err)
		}
		return lines, nil
	}
	return func(yield func(*Sighting, error) bool) {
		var lines []line
		var values []inspect.Value
		exchange, frame := int64(0), int64(-1)
		for {
			var err error
			if lines, err = read(exchange, frame, lines[:0]); err != nil {
				yield(nil, err)
				return
			}
			for i := range lines {
				l := &lines[i]
				if l.Time, err = evidence.ParseTime(l.began); err == nil {
					values, err = appendValues(values[:0], l.identifying)
				}
				if err != nil {
					yield(nil, fmt.Errorf("read values of request %d: %w", l.Exchange, err))
					return
				}
				l.Values = values
				exchange, frame = l.Exchange, l.Frame
				if !yield(&l.Sighting, nil) {
					return
				}
			}
			if len(lines) < page {
				return
			}
		}
	}
}
