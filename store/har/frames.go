package har

import (
	"encoding/json"
	"time"

	"constat/proxy/flow"
)

// rawFrame is one element of _webSocketMessages, as Chrome writes it
// (https://developer.chrome.com/blog/new-in-devtools-76/#websocket) and mitmproxy and
// HTTP Toolkit after it: data is base64 unless opcode is 1.
type rawFrame struct {
	Type     text   `json:"type"` // "send", "receive"
	Time     text   `json:"time"` // seconds since 1970
	Opcode   number `json:"opcode"`
	Data     text   `json:"data"`
	Encoding text   `json:"_encoding"` // Constat's own
	Deflated bool   `json:"_deflated"`
	Exact    text   `json:"_time"`
}

// maxFrames bounds the WebSocket messages of one entry.
const maxFrames = 1_000_000

// frames fills in the entry's Frames.
func (c *converter) frames(x *flow.Exchange) {
	if len(c.raw.Messages) == 0 {
		return
	}
	switch x.Scheme {
	case "http":
		x.Scheme = "ws"
	case "https":
		x.Scheme = "wss"
	}
	last := x.Began
	for i, raw := range c.raw.Messages {
		if i >= maxFrames {
			c.problem("there are more than %d WebSocket messages: the rest is left out", maxFrames)
			break
		}
		var r rawFrame
		if raw[0] != '{' || json.Unmarshal(raw, &r) != nil {
			c.problem("WebSocket message %d cannot be read: left out", i)
			continue
		}
		f := &flow.Frame{Direction: flow.Down, Opcode: 1, Deflated: r.Deflated}
		switch r.Type.s {
		case "send", "request":
			f.Direction = flow.Up
		case "receive", "response":
		default:
			c.problem("WebSocket message %d does not say which way it went: downwards is assumed", i)
		}
		if r.Opcode.set && r.Opcode.f >= 0 && r.Opcode.f < 16 {
			f.Opcode = uint8(r.Opcode.f)
		}
		f.Time = frameTime(r, last)
		last = f.Time
		data := []byte(r.Data.s)
		if f.Opcode != 1 || r.Encoding.s == "base64" {
			if decoded, ok := decodeBase64(r.Data.s); ok {
				data = decoded
			} else {
				c.problem("WebSocket message %d is not text and not base64: it is kept as written", i)
			}
		}
		f.Payload = flow.BodyOf(data)
		c.entry.Frames = append(c.entry.Frames, f)
	}
}

func frameTime(r rawFrame, last time.Time) time.Time {
	for _, t := range []text{r.Exact, r.Time} {
		if at, _, ok := parseTime(t); ok {
			return at
		}
	}
	return last
}
