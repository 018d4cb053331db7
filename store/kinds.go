package store

import (
	"net/netip"
	"time"

	"constat/inspect"
	"constat/proxy/flow"
)

// The kinds of record, each one entry. Its columns, in this order, make the
// table, the INSERT, the leaf in the log and the verifier's SELECT; the SQL of
// the tables in schema_1.sql and on is compared with it by a test. What a stranger may
// want hidden later is sealed: see package evidence.
var (
	genesisKind = newSpec(
		"genesis",
		text("case_id", func(r *genesis) *string { return &r.CaseID }),
		stamp("created", func(r *genesis) *time.Time { return &r.Created }),
		text("tool", func(r *genesis) *string { return &r.Tool }),
		number("format", func(r *genesis) *int64 { return &r.Format }),
		text("verifier", func(r *genesis) *string { return &r.Verifier }),
	)
	runKind = newSpec(
		"run",
		stamp("began", func(r *run) *time.Time { return &r.Began }),
		text("tool", func(r *run) *string { return &r.Tool }),
		sealed(text("settings", func(r *run) *string { return &r.Settings })),
	)
	personaKind = newSpec(
		"persona",
		stamp("time", func(r *persona) *time.Time { return &r.Time }),
		text("name", func(r *persona) *string { return &r.Name }),
		sealed(blob("persona", func(r *persona) *[]byte { return &r.Persona })),
	)
	markKind = newSpec(
		"mark",
		stamp("time", func(r *mark) *time.Time { return &r.Time }),
		text("name", func(r *mark) *string { return &r.Name }),
		text("factors", func(r *mark) *string { return &r.Factors }),
		sealed(text("note", func(r *mark) *string { return &r.Note })),
	)
	connectionKind = newSpec(
		flow.KindConnection,
		stamp("opened", func(r *flow.Connection) *time.Time { return &r.Opened }),
		span("duration_us", func(r *flow.Connection) *time.Duration { return &r.Duration }),
		text("door", func(r *flow.Connection) *string { return &r.Door }),
		text("device", func(r *flow.Connection) *string { return &r.Device }),
		address("client", func(r *flow.Connection) *addrPort { return &r.Client }),
		text("host", func(r *flow.Connection) *string { return &r.Host }),
		number("port", func(r *flow.Connection) *uint16 { return &r.Port }),
		address("server", func(r *flow.Connection) *addrPort { return &r.Server }),
		text("sni", func(r *flow.Connection) *string { return &r.SNI }),
		text("alpn", func(r *flow.Connection) *string { return &r.ALPN }),
		text("ja4", func(r *flow.Connection) *string { return &r.JA4 }),
		handshake("client", func(r *flow.Connection) **flow.TLS { return &r.ClientTLS }),
		handshake("server", func(r *flow.Connection) **flow.TLS { return &r.ServerTLS }),
		number("bytes_up", func(r *flow.Connection) *int64 { return &r.BytesUp }),
		number("bytes_down", func(r *flow.Connection) *int64 { return &r.BytesDown }),
		text("outcome", func(r *flow.Connection) *flow.Outcome { return &r.Outcome }),
		text("reason", func(r *flow.Connection) *string { return &r.Reason }),
		sealed(blob("first_up", func(r *flow.Connection) *[]byte { return &r.FirstUp })),
		sealed(blob("first_down", func(r *flow.Connection) *[]byte { return &r.FirstDown })),
		later(optional("transport", func(r *flow.Connection) *string { return &r.Transport })),
		later(optional("app", func(r *flow.Connection) *string { return &r.App })),
		later(reference("lookup", func(r *flow.Connection) *int64 { return &r.Lookup })),
		later(optional("http2", func(r *flow.Connection) *string { return &r.HTTP2 })),
		later(optional("protocol", func(r *flow.Connection) *string { return &r.Protocol })),
	)
	exchangeKind = newSpec(
		flow.KindExchange,
		number("connection", func(r *flow.Exchange) *int64 { return &r.Connection }),
		text("device", func(r *flow.Exchange) *string { return &r.Device }),
		text("door", func(r *flow.Exchange) *string { return &r.Door }),
		stamp("began", func(r *flow.Exchange) *time.Time { return &r.Began }),
		span("duration_us", func(r *flow.Exchange) *time.Duration { return &r.Duration }),
		text("method", func(r *flow.Exchange) *string { return &r.Method }),
		text("scheme", func(r *flow.Exchange) *string { return &r.Scheme }),
		text("host", func(r *flow.Exchange) *string { return &r.Host }),
		number("port", func(r *flow.Exchange) *uint16 { return &r.Port }),
		sealed(text("path", func(r *flow.Exchange) *string { return &r.Path })),
		sealed(text("query", func(r *flow.Exchange) *string { return &r.Query })),
		address("server", func(r *flow.Exchange) *addrPort { return &r.Server }),
		text("request_proto", func(r *flow.Exchange) *string { return &r.Request.Proto }),
		flag("request_exact", func(r *flow.Exchange) *bool { return &r.Request.Exact }),
		sealed(blob("request_head", func(r *flow.Exchange) *[]byte { return &r.Request.Head })),
		sealed(blob("request_trailer", func(r *flow.Exchange) *[]byte { return &r.Request.Trailer })),
		body("request_", func(r *flow.Exchange) **flow.Body { return &r.Request.Body }),
		number("status", func(r *flow.Exchange) *int { return &r.Status }),
		text("response_proto", func(r *flow.Exchange) *string { return &r.Response.Proto }),
		flag("response_exact", func(r *flow.Exchange) *bool { return &r.Response.Exact }),
		sealed(blob("response_head", func(r *flow.Exchange) *[]byte { return &r.Response.Head })),
		sealed(blob("response_trailer", func(r *flow.Exchange) *[]byte { return &r.Response.Trailer })),
		body("response_", func(r *flow.Exchange) **flow.Body { return &r.Response.Body }),
		sealed(text("error", func(r *flow.Exchange) *string { return &r.Error })),
		later(optional("app", func(r *flow.Exchange) *string { return &r.App })),
		later(sealed(blob("interim", func(r *flow.Exchange) *[]byte { return &r.Interim }))),
	)
	frameKind = newSpec(
		flow.KindFrame,
		number("exchange", func(r *flow.Frame) *int64 { return &r.Exchange }),
		stamp("time", func(r *flow.Frame) *time.Time { return &r.Time }),
		text("direction", func(r *flow.Frame) *flow.Direction { return &r.Direction }),
		number("opcode", func(r *flow.Frame) *uint8 { return &r.Opcode }),
		flag("deflated", func(r *flow.Frame) *bool { return &r.Deflated }),
		body("", func(r *flow.Frame) **flow.Body { return &r.Payload }),
	)
	lookupKind = newSpec(
		flow.KindLookup,
		stamp("time", func(r *flow.Lookup) *time.Time { return &r.Time }),
		span("duration_us", func(r *flow.Lookup) *time.Duration { return &r.Duration }),
		text("door", func(r *flow.Lookup) *string { return &r.Door }),
		text("device", func(r *flow.Lookup) *string { return &r.Device }),
		text("app", func(r *flow.Lookup) *string { return &r.App }),
		address("client", func(r *flow.Lookup) *addrPort { return &r.Client }),
		text("over", func(r *flow.Lookup) *string { return &r.Over }),
		address("server", func(r *flow.Lookup) *addrPort { return &r.Server }),
		address("resolver", func(r *flow.Lookup) *addrPort { return &r.Resolver }),
		text("name", func(r *flow.Lookup) *string { return &r.Name }),
		text("type", func(r *flow.Lookup) *string { return &r.Type }),
		text("code", func(r *flow.Lookup) *string { return &r.Code }),
		sealed(text("error", func(r *flow.Lookup) *string { return &r.Error })),
		sealed(lines("answers", func(r *flow.Lookup) *[]string { return &r.Answers })),
		addresses("addresses", func(r *flow.Lookup) *[]netip.Addr { return &r.Addresses }),
		flag("stripped", func(r *flow.Lookup) *bool { return &r.Stripped }),
	)
	reportKind = newSpec(
		"report",
		number("exchange", func(r *report) *int64 { return &r.Exchange }),
		number("frame", func(r *report) *int64 { return &r.Frame }),
		stamp("time", func(r *report) *time.Time { return &r.Time }),
		text("version", func(r *report) *string { return &r.Version }),
		number("parts", func(r *report) *int { return &r.Parts }),
		text("tags", func(r *report) *string { return &r.Tags }),
		text("direction", func(r *report) *string { return &r.Direction }),
		text("owner", func(r *report) *string { return &r.Owner.Name }),
		text("country", func(r *report) *string { return &r.Owner.Country }),
		sealed(optional("findings", func(r *report) *string { return &r.Findings })),
		sealed(optional("hits", func(r *report) *string { return &r.Hits })),
		sealed(optional("damage", func(r *report) *string { return &r.Damage })),
		later(sealed(optional("identifying", func(r *report) *string { return &r.Identifying }))),
	)
	addressKind = newSpec(
		"address",
		stamp("time", func(r *place) *time.Time { return &r.Time }),
		text("host", func(r *place) *string { return &r.Host }),
		text("server_ip", func(r *place) *string { return &r.IP }),
		text("owner", func(r *place) *string { return &r.Owner.Name }),
		text("country", func(r *place) *string { return &r.Owner.Country }),
		text("domain", func(r *place) *string { return &r.Owner.Domain }),
		text("company", func(r *place) *string { return &r.Owner.Company }),
		number("asn", func(r *place) *uint32 { return &r.Owner.AS }),
		text("as_holder", func(r *place) *string { return &r.Owner.ASHolder }),
		text("registry", func(r *place) *string { return &r.Owner.Registry }),
		text("cloud", func(r *place) *string { return &r.Owner.Cloud }),
		text("data", func(r *place) *string { return &r.Owner.Data }),
	)
	declarationKind = newSpec(
		"declaration",
		stamp("time", func(r *declaration) *time.Time { return &r.Time }),
		text("topic", func(r *declaration) *string { return &r.Topic }),
		text("subject", func(r *declaration) *string { return &r.Subject }),
		sealed(text("content", func(r *declaration) *string { return &r.Content })),
	)
)

// kinds lists all kinds.
var kinds = []*kind{
	genesisKind.kind, runKind.kind, personaKind.kind, markKind.kind,
	connectionKind.kind, exchangeKind.kind, frameKind.kind, reportKind.kind, addressKind.kind, declarationKind.kind, lookupKind.kind,
}

// format is the version of what records and leaves mean. The genesis says the one
// that a case began with; records of later formats may follow, when a later
// version went on with the case.
//
// Format 2 adds the column identifying to report, which is in a leaf only where
// it is not NULL, and the kind address. All leaves of format 1 are the same in it.
// Format 3 adds the kind declaration, and changes nothing else. Format 4 adds the
// kind lookup, and columns to connection and exchange that are in a leaf only where
// they are not NULL.
const format = 4

// genesis is the first record of a case.
type genesis struct {
	CaseID   string // ULID
	Created  time.Time
	Tool     string
	Format   int64
	Verifier string // of the key that signs all checkpoints
}

// run is one time that the case was opened for writing.
type run struct {
	Began    time.Time
	Tool     string
	Settings string // JSON object
}

// persona is the planted identity from Time on.
type persona struct {
	Time    time.Time
	Name    string
	Persona []byte
}

// mark ends a session and, with a name, begins the next.
type mark struct {
	Time    time.Time
	Name    string
	Factors string // JSON object
	Note    string
}

// report is an inspect.Report on an exchange, or on one of its frames when
// Frame is not 0.
type report struct {
	Exchange, Frame        int64
	Time                   time.Time
	Version                string
	Parts                  int
	Tags                   string // classes, sorted, separated by spaces
	Direction              string // "up", "down", "both" or ""
	Owner                  inspect.Owner
	Findings, Hits, Damage string // JSON lists, "" when empty
	Identifying            string // appendValues, "" when empty

	// Where the exchange went, for noteAddress; no part of the record.
	host string
	ip   netip.Addr
}

// place is who answers behind a host name and an address, from a time on.
type place struct {
	Time     time.Time
	Host, IP string
	Owner    inspect.Owner
}

// declaration is what a person states, from Time on.
type declaration struct {
	Time           time.Time
	Topic, Subject string
	Content        string // JSON object
}
