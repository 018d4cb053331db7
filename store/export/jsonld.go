package export

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"time"

	"constat/store"
	"constat/store/evidence"
)

type object = map[string]any

// writeCase writes data/case.jsonld: who captured what, with which program, and which
// files came of it, in the terms of CASE 1.4 and UCO 1.4
// (https://ontology.caseontology.org, https://ontology.unifiedcyberontology.org).
func (e *export) writeCase(ctx context.Context, w io.Writer, r *store.Reader, about About) error {
	id := func(what string) object { return object{"@id": "kb:" + what + "-" + e.uuid(what)} }
	ref := func(what string) string { return "kb:" + what + "-" + e.uuid(what) }
	stamp := func(t time.Time) object { return object{"@type": "xsd:dateTime", "@value": evidence.FormatTime(t)} }
	first, last := e.info.Created, about.Time
	err := rows(ctx, r, "SELECT ifnull(min(time), ''), ifnull(max(time), '') FROM requests", nil, func(scan func(...any) error) error {
		var a, b string
		if err := scan(&a, &b); err != nil || a == "" {
			return err
		}
		var err error
		if first, err = evidence.ParseTime(a); err == nil {
			last, err = evidence.ParseTime(b)
		}
		return err
	})
	if err != nil {
		return err
	}
	graph := []any{
		object{
			"@id": ref("investigation"), "@type": "case-investigation:Investigation",
			"uco-core:name": "Case " + e.info.ID, "uco-core:objectCreatedTime": stamp(e.info.Created),
			"uco-core:object": []any{id("capture"), id("provenance"), id("database"), id("traffic")},
		},
		object{"@id": ref("tool"), "@type": "uco-tool:Tool", "uco-core:name": "Constat", "uco-tool:version": e.info.Tool, "uco-tool:toolType": "intercepting HTTPS proxy"},
		object{
			"@id": ref("capture"), "@type": "case-investigation:InvestigativeAction", "uco-core:name": "capture of a phone's traffic",
			"uco-core:description":  "The phone's connections went through the tool, which recorded them in an append-only log.",
			"uco-action:startTime":  stamp(first),
			"uco-action:endTime":    stamp(last),
			"uco-action:instrument": []any{id("tool")},
			"uco-action:result":     []any{id("provenance"), id("database"), id("traffic")},
		},
		object{
			"@id": ref("provenance"), "@type": "case-investigation:ProvenanceRecord", "uco-core:description": "log with root in proof/checkpoint, signed by " + e.info.Verifier,
			"case-investigation:exhibitNumber": e.info.ID, "uco-core:object": []any{id("database"), id("traffic")},
		},
	}
	for _, f := range []struct{ what, name, media string }{
		{"traffic", "data/capture.har", "application/json"}, {"database", copyName, "application/vnd.sqlite3"},
	} {
		sum, size, ok := e.b.Written(f.name)
		if !ok {
			continue
		}
		graph = append(graph, object{
			"@id": ref(f.what), "@type": "uco-observable:ObservableObject",
			"uco-core:hasFacet": []any{
				object{"@id": ref(f.what + "-file"), "@type": "uco-observable:FileFacet", "uco-observable:fileName": f.name, "uco-observable:sizeInBytes": object{"@type": "xsd:integer", "@value": fmt.Sprint(size)}},
				object{
					"@id": ref(f.what + "-content"), "@type": "uco-observable:ContentDataFacet", "uco-observable:mimeType": f.media,
					"uco-observable:hash": []any{object{
						"@id": ref(f.what + "-hash"), "@type": "uco-types:Hash",
						"uco-types:hashMethod": object{"@type": "uco-vocabulary:HashNameVocab", "@value": "SHA256"},
						"uco-types:hashValue":  object{"@type": "xsd:hexBinary", "@value": fmt.Sprintf("%x", sum)},
					}},
				},
			},
		})
	}
	return writeJSON(w, object{
		"@context": object{
			"kb":                 "http://example.org/kb/",
			"case-investigation": "https://ontology.caseontology.org/case/investigation/",
			"uco-action":         "https://ontology.unifiedcyberontology.org/uco/action/",
			"uco-core":           "https://ontology.unifiedcyberontology.org/uco/core/",
			"uco-observable":     "https://ontology.unifiedcyberontology.org/uco/observable/",
			"uco-tool":           "https://ontology.unifiedcyberontology.org/uco/tool/",
			"uco-types":          "https://ontology.unifiedcyberontology.org/uco/types/",
			"uco-vocabulary":     "https://ontology.unifiedcyberontology.org/uco/vocabulary/",
			"xsd":                "http://www.w3.org/2001/XMLSchema#",
		},
		"@graph": graph,
	})
}

// uuid names a thing in the case: always the same for the same case (RFC 9562, version 8).
func (e *export) uuid(what string) string {
	b := sha256.Sum256([]byte("constat/" + e.info.ID + "/" + what))
	b[6], b[8] = b[6]&0x0f|0x80, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:16])
}
