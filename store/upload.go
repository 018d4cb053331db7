package store

import (
	"context"

	"constat/inspect"
	"constat/inspect/upload"
	"constat/proxy/flow"
)

const (
	// uploadReach is how many exchanges before the one that completes an upload
	// its other pieces are looked for in, and uploadAhead how many after it:
	// pieces that were sent at the same time end in any order.
	uploadReach = 4096
	uploadAhead = 64
)

// mayBePiece says from the head of e whether it could be a piece of an upload.
func mayBePiece(e *flow.Exchange) bool {
	if e.Method == "GET" || e.Request.Body == nil && e.Query == "" {
		return false
	}
	return upload.May(headSubject(e))
}

// headSubject describes an exchange without its bodies.
func headSubject(e *flow.Exchange) *inspect.Subject {
	return &inspect.Subject{
		Method: e.Method, Scheme: e.Scheme, Host: e.Host, Path: e.Path, Query: e.Query, Status: e.Status,
		Request:  inspect.Content{Header: parseHeader(e.Request.Head)},
		Response: inspect.Content{Header: parseHeader(e.Response.Head)},
	}
}

// upload returns the file that e, whose Subject s is, completes; nil if it
// completes none.
func (r *Reader) upload(ctx context.Context, e *flow.Exchange, s *inspect.Subject, limit int64) (*inspect.Upload, error) {
	last, ok := upload.Recognise(s)
	if !ok || !last.MayEnd {
		return nil, nil
	}
	if limit <= 0 {
		limit = defaultBodyBytes
	}
	last.Exchange = e.ID
	ids, err := r.column(ctx, `SELECT id FROM exchange WHERE id > ? AND id < ? AND id <> ? AND host = ? AND (path = ? OR ?)
		AND method IN ('POST', 'PUT', 'PATCH') ORDER BY id`, e.ID-uploadReach, e.ID+uploadAhead, e.ID, e.Host, e.Path, last.AnyPath)
	if err != nil {
		return nil, err
	}
	var others []upload.Piece
	size := int64(len(last.Data))
	for _, id := range ids {
		other, err := r.Exchange(ctx, id)
		if err != nil {
			return nil, err
		}
		p, err := r.piece(ctx, other, last, limit)
		if err != nil {
			return nil, err
		}
		if p.Key != last.Key {
			continue
		}
		others = append(others, p)
		// Pieces that were sent again and again are not worth more memory.
		if size += int64(len(p.Data)); size > 2*limit {
			break
		}
	}
	return upload.Join(last, others, int(limit)), nil
}

// piece is the piece that e carries, the zero value if it carries none of the
// upload that ends with last.
func (r *Reader) piece(ctx context.Context, e *flow.Exchange, last upload.Piece, limit int64) (_ upload.Piece, err error) {
	s := headSubject(e)
	p, ok := upload.Recognise(s)
	switch {
	case ok && (p.Key == last.Key || p.InBody):
	case !ok && last.InBody && !last.AnyPath:
	default:
		return upload.Piece{}, nil
	}
	if s.Request, err = r.content(ctx, &e.Request, limit, nil); err != nil {
		return upload.Piece{}, err
	}
	if p.InBody {
		if s.Response, err = r.content(ctx, &e.Response, limit, nil); err != nil {
			return upload.Piece{}, err
		}
	}
	if p, ok = upload.Recognise(s); !ok {
		return upload.Piece{}, nil
	}
	p.Exchange = e.ID
	return p, nil
}

// column reads one column of numbers.
func (r *Reader) column(ctx context.Context, query string, args ...any) (list []int64, err error) {
	rows, err := r.db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, sqlError("read case", err)
	}
	defer rows.Close()
	for rows.Next() {
		var n int64
		if err := rows.Scan(&n); err != nil {
			return nil, sqlError("read case", err)
		}
		list = append(list, n)
	}
	if err := rows.Err(); err != nil {
		return nil, sqlError("read case", err)
	}
	return list, nil
}
