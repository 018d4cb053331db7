package report

import (
	"time"

	"constat/inspect"
	"constat/store/claim"
	"constat/store/compare"
)

// Document is the content of a report. Lists that are cut short say so in the
// field beside them whose name begins with More.
type Document struct {
	Lang   string `json:"lang"` // of the sentences and labels; reasons are recorded in English
	Title  string `json:"title"`
	Banner string `json:"banner,omitempty"`

	BannerLang string    `json:"-"`
	Generated  time.Time `json:"generated"`
	Build      string    `json:"build,omitempty"`

	Case     Case        `json:"case"`
	Summary  []Paragraph `json:"summary"`
	Classes  []ClassRow  `json:"classes"`
	Hosts    []HostRow   `json:"hosts"`
	Canaries []CanaryRow `json:"canaries"`
	Exhibits []Exhibit   `json:"exhibits"`

	Identifiers Identifiers `json:"identifiers"`

	// Answers and Comparisons are those that the report was given.
	Answers     []claim.Answer       `json:"answers"`
	Comparisons []compare.Comparison `json:"comparisons"`
	Photos      []Photo              `json:"photos"`
	ShowPhotos  bool                 `json:"-"`
	Flow        Flow                 `json:"flow"`

	Coverage Coverage    `json:"coverage"`
	Timeline Timeline    `json:"timeline"`
	Sessions []Session   `json:"sessions"`
	Declared []Declared  `json:"declared"` // newest of each topic and subject
	Damage   []DamageRow `json:"damage"`
	Runs     []Run       `json:"runs"`
	Log      Log         `json:"log"`

	Addresses []AddressRow `json:"addresses"`
	// OwnerTables says which tables AddressRow and HostRow come from and how old
	// those are; more than one text if inspections differ.
	OwnerTables []string `json:"owner_tables"`

	MoreHosts    int64 `json:"more_hosts,omitempty"`
	MoreAddress  int64 `json:"more_addresses,omitempty"`
	MoreCanaries int64 `json:"more_canaries,omitempty"`
	MoreDamage   int64 `json:"more_damage,omitempty"`
	MorePhotos   int64 `json:"more_photos,omitempty"`
}

// Case is what is known of the case as a whole.
type Case struct {
	ID       string    `json:"id"`
	File     string    `json:"file"` // name without folder
	Created  time.Time `json:"created"`
	Tool     string    `json:"tool"`
	Persona  string    `json:"persona,omitempty"`
	First    time.Time `json:"first"` // of the traffic; zero when there is none
	Last     time.Time `json:"last"`
	Requests int64     `json:"requests"`
	Plain    int64     `json:"plain_requests"` // without encryption
	Devices  []Device  `json:"devices"`
	Imported int64     `json:"imported_requests,omitempty"`
	Raw      int64     `json:"not_http,omitempty"` // of Requests: stretches of what is not HTTP
}

// Device is a phone of the case.
type Device struct {
	Name     string `json:"name"`
	Requests int64  `json:"requests"`
}

// Paragraph is a piece of the page of plain words.
type Paragraph struct {
	Heading   string   `json:"heading"`
	Sentences []string `json:"sentences"`
}

// ClassRow counts what was found of one class in one direction.
type ClassRow struct {
	Class      inspect.Class      `json:"class"`
	Label      string             `json:"label"`
	Direction  string             `json:"direction"` // "up", "down"
	Requests   int64              `json:"requests"`
	Hosts      int64              `json:"hosts"`
	HostNames  []string           `json:"host_names"` // at most five, busiest first
	Confidence inspect.Confidence `json:"confidence"` // the best
	Confirmed  int64              `json:"confirmed"`  // requests by their best confidence
	Probable   int64              `json:"probable"`
	Suspected  int64              `json:"suspected"`
	Exhibits   []int              `json:"exhibits"` // numbers
	Share      float64            `json:"-"`        // of the longest bar
}

// HostRow is who received requests.
type HostRow struct {
	Host        string   `json:"host"`
	Owner       string   `json:"owner,omitempty"`   // company that is known to use the domain
	Domain      string   `json:"domain,omitempty"`  // registrable
	Country     string   `json:"country,omitempty"` // declared for the address
	Addresses   []string `json:"addresses"`         // at most four
	Certificate string   `json:"certificate,omitempty"`
	TLS         []string `json:"tls"` // versions that the server agreed to
	Plain       int64    `json:"plain_requests,omitempty"`
	Raw         int64    `json:"without_tls,omitempty"` // what is neither HTTP nor in TLS
	Apps        []string `json:"apps,omitempty"`        // at most four, busiest first
	LookedUp    []string `json:"looked_up,omitempty"`   // names that the phone had been told this address for, at most four
	Requests    int64    `json:"requests"`
	BytesUp     int64    `json:"bytes_up"`
	BytesDown   int64    `json:"bytes_down"`
	Tags        []string `json:"tags"`
}

// AddressRow is an address that answered, with the roles of those behind it kept
// apart.
type AddressRow struct {
	Address  string   `json:"address"`
	Hosts    []string `json:"hosts"` // at most six, busiest first
	More     int      `json:"more_hosts,omitempty"`
	AS       uint32   `json:"as,omitempty"` // that announces it
	ASHolder string   `json:"as_holder,omitempty"`
	Cloud    string   `json:"cloud,omitempty"`    // hosting company whose network that is
	Registry string   `json:"registry,omitempty"` // never an owner
	Country  string   `json:"country,omitempty"`  // declared for it
	Requests int64    `json:"requests"`
}

// CanaryRow is a planted value that was found.
type CanaryRow struct {
	Canary    string        `json:"canary"`
	Kind      string        `json:"kind"`
	Class     inspect.Class `json:"class"`
	Direction string        `json:"direction"`
	Forms     []string      `json:"forms"`
	Requests  int64         `json:"requests"`
	Hosts     []string      `json:"hosts"`
	Path      string        `json:"path"` // one of the places
	First     int64         `json:"first_request"`
}

// Exhibit is an exchange that decides an answer.
type Exhibit struct {
	Number    int       `json:"number"`
	Request   int64     `json:"request_id"`
	Time      time.Time `json:"time"`
	Session   string    `json:"session,omitempty"`
	Device    string    `json:"device"`
	Method    string    `json:"method"` // "" when it is not HTTP
	URL       string    `json:"url"`
	Protocol  string    `json:"protocol,omitempty"` // that what is not HTTP looks like
	App       string    `json:"app,omitempty"`
	Host      string    `json:"host"`
	Status    int       `json:"status,omitempty"`
	Error     string    `json:"error,omitempty"`
	Proto     string    `json:"http_version,omitempty"`
	Server    string    `json:"server_ip,omitempty"`
	Owner     string    `json:"owner,omitempty"`
	Country   string    `json:"country,omitempty"`
	Network   string    `json:"network,omitempty"` // AS and holder
	Cloud     string    `json:"cloud,omitempty"`
	Up        int64     `json:"request_bytes"`
	Down      int64     `json:"response_bytes"`
	UpHash    string    `json:"request_sha256,omitempty"`
	DownHash  string    `json:"response_sha256,omitempty"`
	Truncated bool      `json:"truncated,omitempty"`
	Places    []Place   `json:"places"`
	More      int64     `json:"more_findings,omitempty"`
	Answers   []string  `json:"cited_by,omitempty"` // ids of the claims whose answers cite it

	raw string // for people, what it is when it is not HTTP
}

// Place is a part of an exchange in which something was found, and how it follows
// from the stored bytes.
type Place struct {
	Path     inspect.Path `json:"path"`
	Frame    int64        `json:"frame_id,omitempty"`
	Findings []FindingRow `json:"findings"`
	Steps    []string     `json:"steps,omitempty"`
	Quote    *Quote       `json:"quote,omitempty"`
	Problem  string       `json:"problem,omitempty"` // why the path could not be replayed
}

// FindingRow is a finding.
type FindingRow struct {
	Class      inspect.Class      `json:"class"`
	Direction  string             `json:"direction"`
	Confidence inspect.Confidence `json:"confidence"`
	Detector   string             `json:"detector"`
	Reason     string             `json:"reason"`
	Excerpt    string             `json:"excerpt,omitempty"`
	Start      int                `json:"start,omitempty"`
	End        int                `json:"end,omitempty"`

	path  inspect.Path
	frame int64
}

// Quote shows the deciding bytes among those around them.
type Quote struct {
	Text   bool   `json:"text"` // the three are text; otherwise they are in Dump
	Before string `json:"before,omitempty"`
	Match  string `json:"match,omitempty"`
	Tail   string `json:"tail,omitempty"` // the end of the match, when CutInside bytes are left out
	After  string `json:"after,omitempty"`
	// Cut says that bytes were left out before, inside or after.
	CutBefore bool      `json:"cut_before,omitempty"`
	CutInside int       `json:"cut_inside,omitempty"`
	CutAfter  bool      `json:"cut_after,omitempty"`
	Dump      []DumpRow `json:"dump,omitempty"`
	Start     int       `json:"start"` // of Match in the part
	Size      int       `json:"size"`  // of the part
	SHA256    string    `json:"sha256"`
	Above     bool      `json:"above,omitempty"` // the part is shown inside the layer above it
	Image     string    `json:"-"`               // data: URL of a small picture that was made here
	ImageInfo string    `json:"image,omitempty"`
}

// Photo is a picture that was found.
type Photo struct {
	Request   int64     `json:"request_id"`
	Exhibit   int       `json:"exhibit,omitempty"` // in which it is shown
	Time      time.Time `json:"time"`
	Host      string    `json:"host"`
	Direction string    `json:"direction"`
	Info      string    `json:"image"`
	SHA256    string    `json:"sha256"`
	Caption   string    `json:"-"`
	Image     string    `json:"-"` // data: URL of a small picture that was made here
}

// DumpRow is one line of a hexadecimal dump.
type DumpRow struct {
	Offset string     `json:"offset"`
	Cells  []DumpCell `json:"cells"`
}

// DumpCell is one byte of a DumpRow.
type DumpCell struct {
	Hex  string `json:"hex"`
	Char string `json:"char"`
	Mark bool   `json:"mark,omitempty"`
}

// Coverage says what could and what could not be seen.
type Coverage struct {
	Connections   int64        `json:"connections"`
	Readable      int64        `json:"readable"`
	BytesUp       int64        `json:"bytes_up"`
	BytesDown     int64        `json:"bytes_down"`
	ReadableUp    int64        `json:"readable_bytes_up"`
	ReadableDown  int64        `json:"readable_bytes_down"`
	Outcomes      []OutcomeRow `json:"outcomes"`
	Unread        []UnreadRow  `json:"never_read"`
	MoreUnread    int64        `json:"more_never_read,omitempty"`
	Truncated     int64        `json:"truncated_bodies"`
	Missing       int64        `json:"not_inspected"`
	Failed        int64        `json:"failed_requests"`
	Opaque        int64        `json:"opaque_requests"`
	DamagedReport int64        `json:"requests_with_damage"`

	// Of these a case has none that only came through the HTTP proxy.
	Doors              []DoorRow `json:"doors,omitempty"`
	QUICRefused        int64     `json:"quic_refused,omitempty"` // connections that reached nobody
	PrivateDNSRefused  int64     `json:"private_dns_refused,omitempty"`
	Passing            []PassRow `json:"passing,omitempty"`
	NeverConnected     []NameRow `json:"asked_never_connected,omitempty"`
	NotLookedUp        []BareRow `json:"connected_not_asked,omitempty"`
	MorePassing        bool      `json:"more_passing,omitempty"`
	MoreNeverConnected bool      `json:"more_asked_never_connected,omitempty"`
	MoreNotLookedUp    bool      `json:"more_connected_not_asked,omitempty"`
}

// OutcomeRow counts connections by what became of them.
type OutcomeRow struct {
	Outcome     string  `json:"outcome"`
	Meaning     string  `json:"meaning"`
	Readable    bool    `json:"readable"`
	Connections int64   `json:"connections"`
	Hosts       int64   `json:"hosts"`
	BytesUp     int64   `json:"bytes_up"`
	BytesDown   int64   `json:"bytes_down"`
	Share       float64 `json:"share_of_bytes"`
}

// UnreadRow is a host of which nothing could be read.
type UnreadRow struct {
	Host        string   `json:"host"`
	Address     string   `json:"address,omitempty"` // of the newest connection
	Owner       string   `json:"owner,omitempty"`   // as in HostRow
	Domain      string   `json:"domain,omitempty"`
	Network     string   `json:"network,omitempty"`
	Cloud       string   `json:"cloud,omitempty"`
	Country     string   `json:"country,omitempty"`
	Outcomes    []string `json:"outcomes"`
	Reason      string   `json:"reason,omitempty"` // of the newest
	Alert       string   `json:"alert,omitempty"`
	Protocols   []string `json:"protocols,omitempty"` // that its bytes look like
	Apps        []string `json:"apps,omitempty"`
	Connections int64    `json:"connections"`
	BytesUp     int64    `json:"bytes_up"`
	BytesDown   int64    `json:"bytes_down"`
}

// Session is a stretch with declared conditions.
type Session struct {
	Name     string    `json:"name"`
	Factors  []string  `json:"factors"` // "name=value", sorted
	Note     string    `json:"note,omitempty"`
	Opened   time.Time `json:"opened"`
	Closed   time.Time `json:"closed"` // zero while open
	Requests int64     `json:"requests"`
	BytesUp  int64     `json:"bytes_up"`
	Tags     []string  `json:"tags"` // classes found in it
	last     time.Time
}

// DamageRow counts what could not be looked at.
type DamageRow struct {
	Decoder  string `json:"decoder,omitempty"`
	Reason   string `json:"reason"`
	Count    int64  `json:"count"`
	Requests int64  `json:"requests"`
	Example  int64  `json:"example_request"`
}

// Run is a time that the case was opened for writing.
type Run struct {
	Began    time.Time `json:"began"`
	Tool     string    `json:"tool"`
	Settings []string  `json:"settings"` // "name=value", sorted
}

// Log is what the case's signed log says of itself.
type Log struct {
	Records  int64  `json:"records"`
	Verifier string `json:"verifier"`
	Note     string `json:"checkpoint,omitempty"` // newest signed note
	Size     int64  `json:"checkpoint_size"`
	Root     string `json:"checkpoint_root,omitempty"`
}
