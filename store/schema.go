package store

import (
	_ "embed"
	"slices"
	"strings"
)

// schema_1.sql makes the tables, triggers and views of version 1.
//
//go:embed schema_1.sql
var schema1 string

// schema_2.sql makes version 2 of version 1.
//
//go:embed schema_2.sql
var schema2 string

// schema_3.sql makes version 3 of version 2.
//
//go:embed schema_3.sql
var schema3 string

// schema_4.sql makes version 4 of version 3.
//
//go:embed schema_4.sql
var schema4 string

// migrations make each version of the schema from the one before.
var migrations = [schemaVersion]string{schema1, schema2, schema3, schema4}

// standIns make a case of an older schema, which reading must not change, look
// like one of this schema to one connection: views in its temporary schema,
// which come before those of the case itself.
var standIns = [schemaVersion]string{
	1: tempViews(`
		CREATE VIEW report AS SELECT id, seq, exchange, frame, time, version, parts, tags, direction, owner, country, findings, hits, damage,
			NULL AS identifying FROM main.report;
		CREATE VIEW address AS SELECT 0 AS id, 0 AS seq, '' AS time, '' AS host, '' AS server_ip, '' AS owner, '' AS country, '' AS domain,
			'' AS company, 0 AS asn, '' AS as_holder, '' AS registry, '' AS cloud, '' AS data WHERE 0;` +
		noDoors + viewsOf(schema2) + noDeclarations + viewsOf(schema3, "requests", "connections", "coverage") + viewsOf(schema4)),
	2: tempViews(noDoors + noDeclarations + viewsOf(schema3, "requests", "connections", "coverage") + viewsOf(schema4)),
	3: tempViews(noDoors + viewsOf(schema4)),
}

const noDeclarations = `
		CREATE VIEW declaration AS SELECT 0 AS id, 0 AS seq, '' AS time, '' AS topic, '' AS subject, '' AS content WHERE 0;`

// noDoors is what cases lack that came in by the HTTP door only.
const noDoors = `
		CREATE VIEW connection AS SELECT *, NULL AS transport, NULL AS app, NULL AS lookup, NULL AS http2, NULL AS protocol FROM main.connection;
		CREATE VIEW exchange AS SELECT *, NULL AS app, NULL AS interim FROM main.exchange;
		CREATE VIEW lookup AS SELECT 0 AS id, 0 AS seq, '' AS time, 0 AS duration_us, '' AS door, '' AS device, '' AS app, '' AS client,
			'' AS over, '' AS server, '' AS resolver, '' AS name, '' AS type, '' AS code, '' AS error, '' AS answers, '' AS addresses,
			0 AS stripped WHERE 0;`

// viewsOf is the end of a schema, from its first view on, but for those views that
// a later schema makes again.
func viewsOf(schema string, but ...string) string {
	var out strings.Builder
	for _, view := range strings.Split(schema, "\nCREATE VIEW ")[1:] {
		if name, _, _ := strings.Cut(view, " "); !slices.Contains(but, name) {
			out.WriteString("\nCREATE VIEW " + view)
		}
	}
	return out.String()
}

func tempViews(script string) string {
	return strings.ReplaceAll(script, "CREATE VIEW ", "CREATE TEMP VIEW ")
}

// standIn is the script for a case of the given version of the schema.
func standIn(version int64) string {
	if version <= 0 || version >= schemaVersion {
		return ""
	}
	return standIns[version]
}
