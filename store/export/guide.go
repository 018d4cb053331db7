package export

import (
	_ "embed"
	"io"
	"text/template"

	"constat/store/evidence"
)

// guide.md is verify/VERIFY.md: how to check this very bundle with common tools only.
//
//go:embed guide.md
var guideText string

var guide = template.Must(template.New("VERIFY.md").Parse(guideText))

type guideData struct {
	Case, Folder, Verifier, Time, Build string
	Size                                int64
	Level                               Level
	Signed, Stamped                     bool
	Withheld                            int64
	Example                             *guideExample
}

type guideExample struct {
	Seq, ID      int64
	Kind, Column string
	Proof        string
}

func (e *export) guide() error {
	d := guideData{
		Case: e.info.ID, Folder: evidence.BagDir(e.info.ID), Verifier: e.info.Verifier, Time: e.sealing.Time, Build: e.opt.Build,
		Size: e.sealing.Size, Level: e.opt.Level, Signed: e.opt.Signer != nil, Stamped: e.token != nil, Withheld: e.summary.Withheld,
	}
	if x := e.example; x != nil {
		d.Example = &guideExample{x.seq, x.id, x.kind, x.column, evidence.InclusionName(x.seq)}
	}
	return e.b.Add(evidence.GuideName, func(w io.Writer) error { return guide.Execute(w, d) })
}
