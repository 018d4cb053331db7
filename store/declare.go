package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"constat/store/evidence"
)

// Declaration is what a person states and the traffic cannot show. Of a topic and
// subject the newest counts.
type Declaration struct {
	ID      int64           `json:"id"`
	Time    time.Time       `json:"time"`
	Session int64           `json:"session_id,omitempty"` // that was open, 0 outside any
	Topic   string          `json:"topic"`
	Subject string          `json:"subject"` // what of the topic it is about, "" when there is one only; it is not sealed
	Content json.RawMessage `json:"content"` // a JSON object
}

// The topics that Constat itself writes and reads; there may be others.
const (
	TopicDevice   = "device"   // a phone: model, build, os, rom, sim, …; the subject is its name in the case
	TopicOperator = "operator" // who runs the test: name, organisation, contact, …
	TopicClock    = "clock"    // offset_ms of a clock to true time; the subject is whose, "" for this machine's
	TopicProtocol = "protocol" // a run of a protocol; the subject names the run
	TopicPass     = "pass"     // what somebody has set of a host: that it passes unread, or never does; the subject is the host
	TopicStep     = "step"     // a step of a protocol and its outcome; the subject is that of the run
)

const (
	maxDeclaration = 64 << 10
	maxSubject     = 200
)

// ErrDeclaration means that what is declared has not the form of a declaration.
var ErrDeclaration = errors.New("cannot be declared")

var topicForm = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)

// Declare records what a person states. content becomes JSON, which must be an
// object of at most 64 KiB; in the log it is sealed, so that it can be withheld
// from an export.
func (c *Case) Declare(ctx context.Context, topic, subject string, content any) error {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // it is read by people
	err := enc.Encode(content)
	text := strings.TrimSuffix(b.String(), "\n")
	switch {
	case err != nil:
		return fmt.Errorf("declare %s: %w", topic, err)
	case !topicForm.MatchString(topic):
		return fmt.Errorf("topic %w: it is a word of lower-case letters", ErrDeclaration)
	case len(subject) > maxSubject || !utf8.ValidString(subject):
		return fmt.Errorf("subject of %s %w: it is text of at most %d bytes", topic, ErrDeclaration, maxSubject)
	case len(text) > maxDeclaration || !strings.HasPrefix(text, "{"):
		return fmt.Errorf("%s %w: it is names and values, at most %d KiB of them", topic, ErrDeclaration, maxDeclaration>>10)
	}
	d := &declaration{Time: c.cfg.Clock(), Topic: topic, Subject: subject, Content: text}
	return c.writer.control(ctx, func() error {
		err := c.writer.transaction(func() error { return insertRecord(c.writer, declarationKind, c.declarationID+1, d) })
		if err == nil {
			c.declarationID++
		}
		return err
	})
}

// Declarations returns what was declared of a topic, "" for all, oldest first.
func (r *Reader) Declarations(ctx context.Context, topic string) ([]Declaration, error) {
	return r.declarations(ctx, "SELECT id FROM declaration WHERE ?1 = '' OR topic = ?1", topic)
}

// Declared returns what counts: of each topic and subject the newest declaration,
// oldest first. Without a topic it returns those of all, but for the steps of
// protocols, which may be many.
func (r *Reader) Declared(ctx context.Context, topic string) ([]Declaration, error) {
	return r.declarations(ctx, "SELECT max(id) FROM declaration WHERE topic = ?1 OR ?1 = '' AND topic <> '"+TopicStep+"' GROUP BY topic, subject", topic)
}

// declarations reads those whose ids a query gives.
func (r *Reader) declarations(ctx context.Context, ids, topic string) (out []Declaration, err error) {
	rows, err := r.db.QueryContext(ctx, "SELECT id, time, ifnull(session_id, 0), topic, subject, content FROM declarations WHERE id IN ("+ids+") ORDER BY id", topic)
	if err != nil {
		return nil, sqlError("read declarations", err)
	}
	defer rows.Close()
	for rows.Next() {
		var d Declaration
		var at, content string
		if err := rows.Scan(&d.ID, &at, &d.Session, &d.Topic, &d.Subject, &content); err != nil {
			return nil, sqlError("read declarations", err)
		}
		if d.Time, err = evidence.ParseTime(at); err != nil {
			return nil, fmt.Errorf("read declaration %d: %w", d.ID, err)
		}
		if d.Content = json.RawMessage(content); !json.Valid(d.Content) {
			return nil, fmt.Errorf("read declaration %d: its content is not JSON", d.ID)
		}
		out = append(out, d)
	}
	if err := rows.Err(); err != nil {
		return nil, sqlError("read declarations", err)
	}
	return out, nil
}
