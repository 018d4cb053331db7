package main

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"time"
	"unicode/utf16"

	"constat/inspect"
)

// texts draws messages with invented words.
func texts(g *gen, f func(x message) m) []m {
	return times(g, 2, 6, func(int) m { g.speak(); return f(g.message()) })
}

func (g *gen) message() message {
	x := newMessage(g.Rand, g.oneOf(pick(g, g.notes), pick(g, g.todos), pick(g, g.mails)))
	x.address = g.phone()
	return x
}

// smsFamily are envelopes beside those that the corpora of real messages are
// sent in.
var smsFamily = family{
	class: inspect.SMS, byValue: true, rounds: 8,
	dialects: []dialect{
		{name: "provider columns, invented texts", path: "/bak/sms", value: func(g *gen) any { return m{"sms": texts(g, provider)} }},
		{name: "short keys", path: "/s", value: func(g *gen) any {
			return m{"s": texts(g, func(x message) m { return m{"a": x.address, "b": x.text, "d": x.date, "t": x.kind} })}
		}},
		{name: "spyware answer", path: "/gate", value: func(g *gen) any {
			return m{"cmd": "sms", "list": texts(g, func(x message) m {
				return m{"phone": x.address, "body": x.text, "when": g.date(), "dir": []string{"", "in", "out"}[x.kind]}
			})}
		}},
		{name: "metadata without texts", path: "/meta", value: func(g *gen) any {
			return m{"sms_meta": texts(g, func(x message) m {
				return m{"address": x.address, "date": x.date, "type": x.kind, "thread_id": x.thread, "length": len(x.text)}
			})}
		}},
		{name: "cloud copy, invented texts", path: "/sms/full/thread", down: true, value: func(g *gen) any {
			return m{"data": m{"entries": texts(g, func(x message) m {
				return m{"snippet": x.text, "recipients": x.address, "localTime": x.date, "folder": "1", "unread": 0, "threadId": fmt.Sprint(x.thread)}
			})}}
		}},
		{name: "rows without names", path: "/dump", unseen: true, value: func(g *gen) any {
			var rows [][]any
			for range 3 + g.IntN(4) {
				x := g.message()
				rows = append(rows, []any{x.thread, x.address, x.date, x.kind, x.text})
			}
			return m{"t": "sms", "rows": rows}
		}},
		{name: "Spanish keys", path: "/mensajes", unseen: true, value: func(g *gen) any {
			return m{"mensajes_sms": texts(g, func(x message) m {
				return m{"remitente": x.address, "texto": x.text, "fecha": g.date(), "leido": x.read}
			})}
		}},
		{name: "Russian keys", path: "/soobshcheniya", unseen: true, value: func(g *gen) any {
			return m{"смс": texts(g, func(x message) m {
				return m{"отправитель": x.address, "текст": x.text, "дата": g.date()}
			})}
		}},
		{name: "Japanese keys", path: "/sms", unseen: true, value: func(g *gen) any {
			return m{"ショートメッセージ": texts(g, func(x message) m { return m{"送信元": x.address, "本文": x.text, "受信日時": g.date()} })}
		}},
	},
	wholes: []whole{
		{name: "vMessage", make: func(g *gen) *inspect.Subject {
			var b bytes.Buffer
			for range 2 + g.IntN(3) {
				x := g.message()
				fmt.Fprintf(&b, "BEGIN:VMSG\r\nVERSION:1.1\r\nX-IRMC-TYPE:INET\r\nX-MESSAGE-TYPE:DELIVER\r\nBEGIN:VCARD\r\nVERSION:2.1\r\nTEL:%s\r\nEND:VCARD\r\nBEGIN:VENV\r\nBEGIN:VBODY\r\nDate:%s\r\nSubject;CHARSET=UTF-8:%s\r\nEND:VBODY\r\nEND:VENV\r\nEND:VMSG\r\n",
					x.address, time.UnixMilli(x.date).UTC().Format("2006/01/02 15:04:05"), x.text)
			}
			return up("PUT", "/bak/sms.vmsg", "text/x-vmessage", b.Bytes())
		}},
		{name: "PDU in hex", make: func(g *gen) *inspect.Subject {
			return up("POST", "/modem", appJSON, js(m{"pdu": pdu(g), "index": g.IntN(20)}))
		}},
		{name: "CSV export", make: func(g *gen) *inspect.Subject {
			var b bytes.Buffer
			b.WriteString("Date,Address,Type,Body\n")
			for range 3 + g.IntN(3) {
				x := g.message()
				fmt.Fprintf(&b, "%s,%s,%s,\"%s\"\n", g.date(), x.address, []string{"", "received", "sent"}[x.kind], pick(g, g.todos))
			}
			body, ct := upload("file", "messages.csv", "text/csv", b.Bytes(), nil)
			return up("POST", "/import", ct, body)
		}},
		{name: "iOS message database", unseen: true, make: func(g *gen) *inspect.Subject {
			rows := texts(g, func(x message) m {
				return m{"guid": g.uuid(), "text": x.text, "handle": x.address, "service": "SMS", "date": (x.date/1000 - 978307200) * 1000000000, "is_from_me": b2i(x.kind == 2)}
			})
			for i := range rows {
				rows[i] = tree(rows[i]).(m)
			}
			return up("PUT", "/backup/sms.db", "application/octet-stream", sqliteFile("message", rows))
		}},
		{name: "PDUs in a form", unseen: true, make: func(g *gen) *inspect.Subject { return form("/fwd", "raw", pdu(g), "slot", "0") }},
	},
}

// pdu is an SMS-DELIVER of 3GPP TS 23.040 in UCS-2 with the service centre in
// front.
func pdu(g *gen) string {
	var b []byte
	address := func(digits string) []byte {
		var out []byte
		if len(digits)%2 == 1 {
			digits += "f"
		}
		for i := 0; i < len(digits); i += 2 {
			x, _ := hex.DecodeString(digits[i+1:i+2] + digits[i:i+1])
			out = append(out, x...)
		}
		return out
	}
	smsc := address("33609001390")
	b = append(append(append(b, byte(len(smsc)+1), 0x91), smsc...), 0x04)
	number := "336399" + g.digits(5)
	b = append(append(append(b, byte(len(number)), 0x91), address(number)...), 0x00, 0x08)
	b = append(b, 0x41, 0x70, 0x13, 0x31, 0x54, 0x00, 0x80)
	text := utf16.Encode([]rune(pick(g, g.todos)))
	b = append(b, byte(2*len(text)))
	for _, u := range text {
		b = append(b, byte(u>>8), byte(u))
	}
	return fmt.Sprintf("%X", b)
}
