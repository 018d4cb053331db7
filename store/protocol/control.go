package protocol

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"constat/store"
)

func parseState(content json.RawMessage) (*State, error) {
	s := new(State)
	if err := json.Unmarshal(content, s); err != nil {
		return nil, err
	}
	if s.Run == "" || s.SHA256 == "" || s.Done < 0 {
		return nil, errors.New("not the state of a run")
	}
	return s, nil
}

// control watches the session of a control.
type control struct {
	run     *Run
	control Control
	opened  bool
	session int64
	before  int64  // newest request when the session was opened
	token   string // newest word that was sent on purpose
	canary  string // name of the planted value that went with it, "" for none
}

// open opens the session, of any phase.
func (c *control) open(ctx context.Context, name string, factors map[string]string, note string) error {
	db := c.run.Reader.DB()
	if err := db.QueryRowContext(ctx, "SELECT ifnull((SELECT id FROM requests ORDER BY id DESC LIMIT 1), 0)").Scan(&c.before); err != nil {
		return fmt.Errorf("read case: %w", err)
	}
	if err := c.run.Case.Mark(ctx, name, factors, note); err != nil {
		return err
	}
	c.opened = true
	if err := db.QueryRowContext(ctx, "SELECT ifnull(max(id), 0) FROM sessions WHERE name = ?", name).Scan(&c.session); err != nil {
		return fmt.Errorf("read case: %w", err)
	}
	return nil
}

// send has a page opened on purpose, with a word that is in no other request.
func (c *control) send(ctx context.Context, at Place, s Step, record *stepRecord) error {
	c.token = "constat" + strings.ToLower(rand.Text()[:10])
	q := url.Values{"c": {c.token}}
	if c.run.Planted != nil {
		if name, value, ok := c.run.Planted(s.Send.Canary); ok {
			c.canary = name
			q.Set("v", value)
		}
	}
	record.What, record.Link = "send", s.Send.URL+"?"+q.Encode()
	if record.Text == "" {
		record.Text = "Open this page in the phone's browser:"
	}
	return c.run.Person.Do(ctx, at, record.Text, record.Link)
}

// check says what the control showed, nil when the phase is none.
func (c *control) check(ctx context.Context) (*ControlOutcome, error) {
	switch c.control {
	case Positive:
		return c.positive(ctx)
	case Negative:
		return c.negative(ctx)
	}
	return nil, nil
}

const lookEvery = 300 * time.Millisecond

// positive waits until what was sent is in the case. Inspection follows the capture,
// so the planted value is found later than the request.
func (c *control) positive(ctx context.Context) (*ControlOutcome, error) {
	deadline := time.NewTimer(c.run.Seen)
	defer deadline.Stop()
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		request, hit, err := c.seen(ctx)
		if err != nil {
			return nil, err
		}
		if request > 0 && (hit || c.canary == "") {
			o := &ControlOutcome{Control: Positive, Session: c.session, Passed: true, Request: request}
			o.Sentence = fmt.Sprintf("Positive control: seen, in request %d.", request)
			if c.canary == "" {
				o.Sentence = fmt.Sprintf("Positive control: seen, in request %d. The case has no planted values, so that finding them was not tested.", request)
			}
			return o, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-look.C:
		case <-deadline.C:
			return c.notSeen(ctx, request)
		}
	}
}

// seen returns the request that has the word, 0 if none has, and whether the
// planted value was found in it.
func (c *control) seen(ctx context.Context) (request int64, hit bool, err error) {
	err = c.run.Reader.DB().QueryRowContext(ctx, `SELECT ifnull(max(r.id), 0), ifnull(max(EXISTS(
			SELECT 1 FROM canary_hits h WHERE h.request_id = r.id AND h.canary = ? AND h.direction = 'up')), 0)
		FROM requests r WHERE r.id > ? AND r.session_id = ? AND instr(r.query, ?) > 0`, c.canary, c.before, c.session, c.token).Scan(&request, &hit)
	if err != nil {
		return 0, false, fmt.Errorf("read case: %w", err)
	}
	return request, hit, nil
}

// notSeen says why, as far as it can be told.
func (c *control) notSeen(ctx context.Context, request int64) (*ControlOutcome, error) {
	o := &ControlOutcome{Control: Positive, Session: c.session, Request: request}
	why := "no connection came: check the phone's proxy setting."
	if request > 0 {
		why = fmt.Sprintf("request %d came, and the planted value was not found in it: check that inspection is on and that the persona is the case's.", request)
	} else {
		connections, refused, err := c.connections(ctx)
		if err != nil {
			return nil, err
		}
		switch {
		case refused > 0:
			why = "the phone refused the certificate: check that it is installed and trusted."
		case connections > 0:
			why = "other connections came: check that the page was opened with the whole address."
		}
	}
	o.Sentence = "Positive control: NOT seen; " + why + " Until it is, that something was not seen means nothing."
	return o, nil
}

// connections counts those of the session, and the ones whose certificate the phone
// refused.
func (c *control) connections(ctx context.Context) (all, refused int64, err error) {
	where, args := store.Scope{IDs: []int64{c.session}, Device: c.run.Device}.Where()
	err = c.run.Reader.DB().QueryRowContext(ctx, "SELECT count(*), ifnull(sum(outcome IN ('client_refused', 'suspected_pin')), 0) FROM connections WHERE "+where, args...).
		Scan(&all, &refused)
	if err != nil {
		return 0, 0, fmt.Errorf("read case: %w", err)
	}
	return all, refused, nil
}

func (c *control) negative(ctx context.Context) (*ControlOutcome, error) {
	connections, _, err := c.connections(ctx)
	if err != nil {
		return nil, err
	}
	var requests, first int64
	where, args := store.Scope{IDs: []int64{c.session}, Device: c.run.Device}.Where()
	err = c.run.Reader.DB().QueryRowContext(ctx, "SELECT count(*), ifnull(min(id), 0) FROM requests WHERE "+where, args...).Scan(&requests, &first)
	if err != nil {
		return nil, fmt.Errorf("read case: %w", err)
	}
	o := &ControlOutcome{Control: Negative, Session: c.session, Passed: requests+connections == 0, Request: first}
	o.Sentence = "Negative control: nothing came, as it should be."
	if !o.Passed {
		o.Sentence = fmt.Sprintf("Negative control: FAILED; requests: %d, connections: %d. Something else than the phone uses the door, or the phone was not off.", requests, connections)
	}
	return o, nil
}
