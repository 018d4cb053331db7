package export

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"time"

	"constat/store/evidence"
)

const (
	stampTimeout = 30 * time.Second
	maxAnswer    = 64 << 10
)

// Stamper returns a function for Options.Stamp that asks the authority at address over
// HTTP (RFC 3161 section 3.4).
func Stamper(address string) (func(ctx context.Context, checkpoint []byte) (*evidence.Token, error), error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, errors.New("a time-stamping authority has an http or https address")
	}
	return func(ctx context.Context, checkpoint []byte) (*evidence.Token, error) {
		t, err := ask(ctx, u.String(), checkpoint)
		if err != nil {
			return nil, fmt.Errorf("ask %s for a time stamp: %w", u.Host, err)
		}
		return t, nil
	}, nil
}

func ask(ctx context.Context, address string, data []byte) (*evidence.Token, error) {
	ctx, stop := context.WithTimeout(ctx, stampTimeout)
	defer stop()
	nonce, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 64))
	if err != nil {
		return nil, err
	}
	query, err := evidence.TimestampRequest(data, nonce)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(query))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/timestamp-query")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("it answered %s", resp.Status)
	}
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return nil, err
	}
	return evidence.ParseToken(answer, data, nonce)
}
