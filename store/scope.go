package store

import "time"

// Scope is a part of a case: the sessions that have one of the names and all of
// the factors, and of these what one device did. The zero value is the whole case,
// also what lies outside of any session.
type Scope struct {
	IDs      []int64           `json:"session_ids,omitempty"` // of sessions; empty: any
	Sessions []string          `json:"sessions,omitempty"`    // names; empty: any
	Factors  map[string]string `json:"factors,omitempty"`     // as declared by the marks; "" stands for not declared
	Device   string            `json:"device,omitempty"`      // "": any
	Domains  []string          `json:"domains,omitempty"`     // of hosts, in small letters; empty: any
}

// Session is a stretch of a case with declared conditions.
type Session struct {
	ID      int64             `json:"id"` // of the mark that opened it
	Name    string            `json:"name"`
	Factors map[string]string `json:"factors,omitempty"`
	Note    string            `json:"note,omitempty"`
	Opened  time.Time         `json:"opened"`
	Closed  time.Time         `json:"closed,omitzero"` // zero while it is open
	// Stopped says that it belongs to a protocol that was stopped before the end of
	// the session: it is shorter than it should be, and no fair repeat of others.
	Stopped bool `json:"stopped,omitempty"`
}

// Coverage says what part of the traffic of a Scope could be seen. What did not
// come through the door at all is in none of its numbers: Escapes names it. What was
// refused reached nobody: it is in Outcomes only. A
// connection belongs to the session in which it was opened, a request to that in
// which it began, so the bytes of a long connection can be those of an earlier
// session.
type Coverage struct {
	Sessions    int           `json:"sessions"`
	Duration    time.Duration `json:"duration_ns"` // of the sessions together; of the whole case from its first connection to its last
	Connections int64         `json:"connections"`
	Readable    int64         `json:"readable_connections"` // intercepted or plain
	BytesUp     int64         `json:"bytes_up"`
	BytesDown   int64         `json:"bytes_down"`
	// ReadableUp and ReadableDown are the bytes of the readable connections.
	ReadableUp   int64 `json:"readable_bytes_up"`
	ReadableDown int64 `json:"readable_bytes_down"`
	Requests     int64 `json:"requests"`
	// OpaqueRequests were decrypted and sent something that is measured to be
	// encrypted by the app itself; OpaqueUp are the bytes of their bodies and frames, of
	// HTTP only: what is not HTTP is in no Readable connection.
	OpaqueRequests int64 `json:"opaque_requests"`
	OpaqueUp       int64 `json:"opaque_bytes_up"`
	Truncated      int64 `json:"truncated_bodies"` // either direction
	NotInspected   int64 `json:"not_inspected"`    // requests without a report
	Failed         int64 `json:"failed_requests"`
	// Outcomes counts all connections by what became of them, most bytes first.
	Outcomes []Outcome `json:"outcomes"`
	// Unread are hosts of which no connection could be read, most bytes first, at
	// most 100; MoreUnread says how many there are besides.
	Unread     []UnreadHost `json:"never_read"`
	MoreUnread int64        `json:"more_never_read,omitempty"`
	// Lookups are the questions to the DNS that the doors saw.
	Lookups int64 `json:"lookups,omitempty"`
	// Escapes are words for what can leave a phone without passing the doors that
	// the scope's traffic came in by, sorted: "dns", "mobile_data", "quic", "raw_sockets",
	// "udp", "icmp", "sms", "before_tunnel", "vpn_bypass", and "unknown" for captures of
	// other tools.
	Escapes []string `json:"escapes"`
}

// ShareUp is the share, 0 to 1, of the bytes from the phone that could be read: 1
// when there were none.
func (c *Coverage) ShareUp() float64 {
	if c.BytesUp == 0 {
		return 1
	}
	return float64(c.ReadableUp) / float64(c.BytesUp)
}

// Outcome counts connections with one outcome, and one cause where it is known.
type Outcome struct {
	Outcome     string `json:"outcome"`
	Alert       string `json:"alert,omitempty"` // TLS alert of the phone
	Readable    bool   `json:"readable"`
	Connections int64  `json:"connections"`
	BytesUp     int64  `json:"bytes_up"`
	BytesDown   int64  `json:"bytes_down"`
}

// UnreadHost is a host of which nothing could be read.
type UnreadHost struct {
	Host        string `json:"host"`
	Outcome     string `json:"outcome"` // of the newest connection
	Connections int64  `json:"connections"`
	BytesUp     int64  `json:"bytes_up"`
	BytesDown   int64  `json:"bytes_down"`
}
