package store

import (
	_ "embed"
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

// migrations make each version of the schema from the one before.
var migrations = [schemaVersion]string{schema1, schema2, schema3}

// standIns make a case of an older schema, which reading must not change, look
// like one of this schema to one connection: views in its temporary schema,
// which come before those of the case itself.
var standIns = [schemaVersion]string{
	1: tempViews(`
		CREATE VIEW report AS SELECT id, seq, exchange, frame, time, version, parts, tags, direction, owner, country, findings, hits, damage,
			NULL AS identifying FROM main.report;
		CREATE VIEW address AS SELECT 0 AS id, 0 AS seq, '' AS time, '' AS host, '' AS server_ip, '' AS owner, '' AS country, '' AS domain,
			'' AS company, 0 AS asn, '' AS as_holder, '' AS registry, '' AS cloud, '' AS data WHERE 0;` + viewsOf(schema2) + noDeclarations + viewsOf(schema3)),
	2: tempViews(noDeclarations + viewsOf(schema3)),
}

const noDeclarations = `
		CREATE VIEW declaration AS SELECT 0 AS id, 0 AS seq, '' AS time, '' AS topic, '' AS subject, '' AS content WHERE 0;`

// viewsOf is the end of a schema, from its first view on.
func viewsOf(schema string) string { return schema[strings.Index(schema, "\nCREATE VIEW "):] }

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
