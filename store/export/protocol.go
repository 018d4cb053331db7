package export

import (
	"context"
	"encoding/json"
	"io"
	"strings"

	"constat/store"
	"constat/store/evidence"
)

// maxStatements bounds the protocol: marks and runs are made by people.
const maxStatements = 100_000

// statement is a record that a person or the program made about the capture: a run, a
// mark, a persona, a declaration. Its columns are those of the record.
type statement struct {
	kind   string
	fields map[string]any
}

// state notes a record that is no traffic. Of bytes only their length is said: a
// persona is in the records.
func (e *export) state(l *store.Logged, hide func(string) bool) {
	if len(e.statements) == maxStatements {
		return
	}
	f := map[string]any{"id": l.ID, "entry": l.Seq}
	for i, c := range l.Kind.Columns {
		v := l.Values[i]
		switch {
		case c.Sealed && hide != nil && hide(c.Name):
			f[c.Name] = nil
		case v.Type == evidence.Text && strings.HasPrefix(v.Text, "{") && json.Valid([]byte(v.Text)):
			f[c.Name] = json.RawMessage(v.Text)
		case v.Type == evidence.Text:
			f[c.Name] = strings.ToValidUTF8(v.Text, "\uFFFD")
		case v.Type == evidence.Int:
			f[c.Name] = v.Int
		}
	}
	e.statements = append(e.statements, statement{l.Kind.Name, f})
}

// protocol is what data/protocol.json holds.
type protocol struct {
	Format  int    `json:"format"`
	Case    string `json:"case"`
	Created string `json:"created"`
	Tool    string `json:"tool"`
	Export  string `json:"export_tool"`
	Covers  struct {
		Entries    int64  `json:"entries"`
		Withheld   int64  `json:"withheld"`
		Checkpoint string `json:"newest_checkpoint"`
	} `json:"covers"`
	Shows    Level    `json:"shows"`
	CA       []string `json:"ca_sha256"` // of the authority that the phone trusted
	Devices  []string `json:"devices"`
	Sessions []any    `json:"sessions"`
	// Coverage is of the whole case, also of what is withheld here.
	Coverage []coverage `json:"coverage_of_case"`
	// By kind, in the order of the log: genesis, run, persona, mark, declaration.
	Statements map[string][]map[string]any `json:"statements"`
}

type coverage struct {
	Session     string `json:"session"`
	Outcome     string `json:"outcome"`
	Readable    bool   `json:"readable"`
	Connections int64  `json:"connections"`
	Up          int64  `json:"bytes_up"`
	Down        int64  `json:"bytes_down"`
}

func (e *export) writeProtocol(ctx context.Context, w io.Writer, r *store.Reader, _ About) error {
	p := protocol{
		Format: evidence.FormatVersion, Case: e.info.ID, Created: evidence.FormatTime(e.info.Created), Tool: e.info.Tool, Export: e.opt.Build,
		Shows: e.opt.Level, CA: []string{}, Devices: []string{}, Sessions: []any{}, Coverage: []coverage{}, Statements: map[string][]map[string]any{},
	}
	p.Covers.Entries, p.Covers.Withheld, p.Covers.Checkpoint = e.sealing.Size, e.summary.Withheld, e.sealing.Time
	for _, s := range e.statements {
		p.Statements[s.kind] = append(p.Statements[s.kind], s.fields)
		if settings, ok := s.fields["settings"].(json.RawMessage); ok {
			var known struct {
				CA string `json:"ca_sha256"`
			}
			if json.Unmarshal(settings, &known) == nil && known.CA != "" && (len(p.CA) == 0 || p.CA[len(p.CA)-1] != known.CA) {
				p.CA = append(p.CA, known.CA)
			}
		}
	}
	err := rows(ctx, r, "SELECT DISTINCT device FROM connections UNION SELECT DISTINCT device FROM requests ORDER BY 1 LIMIT 1000", nil, func(scan func(...any) error) error {
		var device string
		err := scan(&device)
		p.Devices = append(p.Devices, device)
		return err
	})
	if err != nil {
		return err
	}
	sessions, err := r.Sessions(ctx)
	if err != nil {
		return err
	}
	for _, s := range sessions {
		p.Sessions = append(p.Sessions, map[string]any{
			"id": s.ID, "name": s.Name, "factors": s.Factors, "note": s.Note,
			"opened": evidence.FormatTime(s.Opened), "closed": evidence.FormatTime(s.Closed),
		})
	}
	err = rows(ctx, e.r, "SELECT session, outcome, readable, connections, bytes_up, bytes_down FROM coverage ORDER BY session, outcome", nil, func(scan func(...any) error) error {
		var c coverage
		err := scan(&c.Session, &c.Outcome, &c.Readable, &c.Connections, &c.Up, &c.Down)
		p.Coverage = append(p.Coverage, c)
		return err
	})
	if err != nil {
		return err
	}
	return writeJSON(w, p)
}

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
