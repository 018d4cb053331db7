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
	// uploadPieces is how many of them are looked at, the nearest first.
	uploadPieces = 512
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
		Request:  inspect.Content{Header: inspect.ParseHead(e.Request.Head)},
		Response: inspect.Content{Header: inspect.ParseHead(e.Response.Head)},
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
	candidates, err := list(ctx, r.db, exchangeKind, `id > ? AND id < ? AND id <> ? AND host = ? AND (path = ? OR ?)
		AND method IN ('POST', 'PUT', 'PATCH') ORDER BY abs(id - ?) LIMIT ?`,
		e.ID-uploadReach, e.ID+uploadAhead, e.ID, e.Host, e.Path, last.AnyPath, e.ID, uploadPieces)
	if err != nil {
		return nil, err
	}
	// Bodies are read that turn out to be no pieces, and pieces that were sent
	// again and again: nobody may make that cost more than a large upload does.
	var others []upload.Piece
	budget := 2 * limit
	for _, c := range candidates {
		c.record.ID = c.id
		p, err := r.piece(ctx, c.record, last, limit, &budget)
		if err != nil {
			return nil, err
		}
		if p.Key == last.Key {
			others = append(others, p)
		}
		if budget <= 0 {
			break
		}
	}
	return upload.Join(last, others, int(limit)), nil
}

// piece is the piece that e carries, the zero value if it carries none of the
// upload that ends with last. What it reads is taken off budget.
func (r *Reader) piece(ctx context.Context, e *flow.Exchange, last upload.Piece, limit int64, budget *int64) (_ upload.Piece, err error) {
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
	*budget -= int64(len(s.Request.Body))
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
