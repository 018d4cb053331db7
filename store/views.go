package store

// Views names the public views, the interface that docs/schema.md describes.
var Views = []string{
	"requests", "findings", "canary_hits", "connections", "hosts", "addresses", "identifiers", "identifier_uses", "sessions", "coverage", "declarations", "dns",
}
