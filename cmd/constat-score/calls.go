package main

import (
	"bytes"
	"fmt"
	"strings"

	"constat/inspect"
)

// calls draws a log of calls and makes a value of each.
func calls(g *gen, f func(c call) m) []m {
	return times(g, 2, 9, func(int) m { return f(newCall(g)) })
}

type call struct {
	number, name string
	kind         int // 1 in, 2 out, 3 missed
	start        int64
	seconds      int
}

func newCall(g *gen) call {
	c := call{number: g.phone(), name: g.person().full, kind: 1 + g.IntN(3), start: g.when()}
	if c.kind != 3 {
		c.seconds = 3 + g.IntN(2000)
	}
	return c
}

func (c call) word(list ...string) string { return list[c.kind-1] }

var callLogFamily = family{
	class: inspect.CallLog, byValue: true, rounds: 12,
	dialects: []dialect{
		{name: "provider columns", path: "/bak/calls", value: func(g *gen) any {
			return m{"calls": calls(g, func(c call) m {
				return m{"_id": g.IntN(9999), "number": c.number, "date": c.start, "duration": c.seconds, "type": c.kind, "new": 0, "presentation": 1}
			})}
		}},
		{name: "provider columns with cached name", path: "/sync", open: classes(inspect.Contacts), value: func(g *gen) any {
			return m{"data": calls(g, func(c call) m {
				return m{"number": c.number, "name": c.name, "date": c.start, "duration": c.seconds, "type": c.kind, "geocoded_location": "Lyon"}
			})}
		}},
		{name: "direction in words", path: "/v2/call-history", value: func(g *gen) any {
			return m{"callHistory": calls(g, func(c call) m {
				return m{"phoneNumber": c.number, "direction": c.word("incoming", "outgoing", "missed"), "durationSeconds": c.seconds, "startedAt": g.iso()}
			})}
		}},
		{name: "snake case", path: "/api/call_logs", value: func(g *gen) any {
			return m{"call_logs": calls(g, func(c call) m {
				return m{"call_number": c.number, "call_type": c.word("INCOMING", "OUTGOING", "MISSED"), "call_duration": c.seconds, "call_date": g.date()}
			})}
		}},
		{name: "short keys", path: "/u/cl", value: func(g *gen) any {
			return m{"cl": calls(g, func(c call) m { return m{"n": c.number, "t": c.kind, "d": c.seconds, "ts": c.start} })}
		}},
		{name: "Chinese keys", path: "/thjl", value: func(g *gen) any {
			return m{"通话记录": calls(g, func(c call) m {
				return m{"号码": c.number, "通话时间": g.date(), "时长": c.seconds, "类型": c.word("呼入", "呼出", "未接")}
			})}
		}},
		{name: "French keys", path: "/journal", value: func(g *gen) any {
			return m{"journal_appels": calls(g, func(c call) m {
				return m{"numero": c.number, "duree": c.seconds, "sens": c.word("entrant", "sortant", "manqué"), "date": g.date()}
			})}
		}},
		{name: "German keys", path: "/anrufliste", value: func(g *gen) any {
			return m{"anrufe": calls(g, func(c call) m {
				return m{"rufnummer": c.number, "dauer": c.seconds, "richtung": c.word("eingehend", "ausgehend", "verpasst"), "zeitpunkt": g.date()}
			})}
		}},
		{name: "loan application", path: "/app/data/calllog", value: func(g *gen) any {
			return m{"callRecordList": calls(g, func(c call) m {
				return m{"phone": c.number, "callTime": c.start, "duration": c.seconds, "callType": c.kind}
			})}
		}},
		{name: "caller and callee", path: "/cdr", value: func(g *gen) any {
			own := g.e164()
			return m{"records": calls(g, func(c call) m {
				from, to := c.number, own
				if c.kind == 2 {
					from, to = to, from
				}
				return m{"caller": from, "callee": to, "begin": c.start / 1000, "length": c.seconds, "answered": c.kind != 3}
			})}
		}, open: classes(inspect.Identifiers)},
		{name: "event of a tracker", path: "/v1/track", value: func(g *gen) any {
			c := newCall(g)
			return m{"event": "call_ended", "properties": m{"peer_number": c.number, "call_direction": c.word("in", "out", "missed"), "duration_sec": c.seconds, "ended_at": c.start}}
		}},
		{name: "missed calls", path: "/missed", value: func(g *gen) any {
			return m{"missedCalls": times(g, 1, 5, func(int) m { return m{"from": g.phone(), "at": g.iso(), "rings": 1 + g.IntN(9)} })}
		}},
		{name: "spyware answer", path: "/gate", value: func(g *gen) any {
			return m{"cmd": "get_calls", "res": calls(g, func(c call) m {
				return m{"num": c.number, "type": c.word("Incoming", "Outgoing", "Missed"), "dur": c.seconds, "date": g.date()}
			})}
		}},
		{name: "spam guard's report", path: "/harassIntercept/intercepts", value: func(g *gen) any {
			return m{"intercepts": times(g, 1, 4, func(int) m {
				return m{"number": g.phone(), "interceptTime": g.when(), "blockType": 3, "ringTime": g.IntN(30), "type": "call"}
			})}
		}},
		{name: "statistics per peer", path: "/behaviour", value: func(g *gen) any {
			return m{"call_summary": times(g, 3, 7, func(int) m {
				return m{"phone_number": g.phone(), "incoming_calls": g.IntN(20), "outgoing_calls": g.IntN(20), "total_duration": g.IntN(9000), "last_call": g.day()}
			})}
		}},
		{name: "grouped by day", path: "/calls/days", value: func(g *gen) any {
			return m{"days": times(g, 1, 3, func(int) m {
				return m{"day": g.day(), "entries": calls(g, func(c call) m { return m{"tel": c.number, "secs": c.seconds, "outgoing": c.kind == 2} })}
			})}
		}},
		{name: "cloud copy", path: "/phonecall/full?limit=100", down: true, value: func(g *gen) any {
			return m{"entries": calls(g, func(c call) m {
				return m{"id": g.digits(9), "number": c.number, "date": c.start, "duration": c.seconds, "type": c.word("incoming", "outgoing", "missed")}
			})}
		}},

		{name: "Spanish keys", path: "/llamadas", unseen: true, value: func(g *gen) any {
			return m{"llamadas": calls(g, func(c call) m {
				return m{"numero": c.number, "duracion": c.seconds, "tipo": c.word("entrante", "saliente", "perdida"), "fecha": g.date()}
			})}
		}},
		{name: "Russian keys", path: "/zvonki", unseen: true, value: func(g *gen) any {
			return m{"звонки": calls(g, func(c call) m {
				return m{"номер": c.number, "длительность": c.seconds, "тип": c.word("входящий", "исходящий", "пропущенный"), "время": g.date()}
			})}
		}},
		{name: "Japanese keys", path: "/tsuwa", unseen: true, value: func(g *gen) any {
			return m{"通話履歴": calls(g, func(c call) m {
				return m{"電話番号": c.number, "通話時間": c.seconds, "種別": c.word("着信", "発信", "不在着信"), "日時": g.date()}
			})}
		}},
		{name: "rows without names", path: "/dump", unseen: true, value: func(g *gen) any {
			var rows [][]any
			for range 4 + g.IntN(6) {
				c := newCall(g)
				rows = append(rows, []any{c.number, c.kind, c.start, c.seconds})
			}
			return m{"t": "call_log", "rows": rows}
		}},
		{name: "hashed peers", path: "/graph", unseen: true, value: func(g *gen) any {
			return m{"calls": calls(g, func(c call) m {
				return m{"peerHash": sha256hex(c.number), "direction": c.word("IN", "OUT", "MISSED"), "duration": c.seconds, "timestamp": c.start}
			})}
		}},
		{name: "iOS call database", path: "/icloud/callhistory", unseen: true, value: func(g *gen) any {
			return m{"ZCALLRECORD": calls(g, func(c call) m {
				return m{"ZADDRESS": c.number, "ZDATE": float64(c.start)/1000 - 978307200, "ZDURATION": float64(c.seconds) + 0.5, "ZORIGINATED": b2i(c.kind == 2), "ZANSWERED": b2i(c.kind != 3)}
			})}
		}},
	},
	wholes: []whole{
		{name: "XML backup", open: classes(inspect.Contacts), make: func(g *gen) *inspect.Subject {
			return up("PUT", "/backup/calls.xml", "text/xml", callsXML(g))
		}},
		{name: "XML backup in zip", open: classes(inspect.Contacts), make: func(g *gen) *inspect.Subject {
			return up("PUT", "/backup/calls.zip", "application/zip", zipped(map[string][]byte{"calls-2020.xml": callsXML(g)}))
		}},
		{name: "form of one call", make: func(g *gen) *inspect.Subject {
			c := newCall(g)
			return form("/call/notify", "number", c.number, "state", c.word("IDLE", "IDLE", "MISSED"), "direction", c.word("in", "out", "in"), "duration", fmt.Sprint(c.seconds), "time", fmt.Sprint(c.start))
		}},
		{name: "query of one call", make: func(g *gen) *inspect.Subject {
			c := newCall(g)
			return query("/cl", "num", c.number, "calltype", c.word("incoming", "outgoing", "missed"), "dur", fmt.Sprint(c.seconds), "date", g.date())
		}},
		{name: "CSV with headline", make: func(g *gen) *inspect.Subject {
			var b bytes.Buffer
			b.WriteString("Number,Type,Date,Duration\n")
			for range 3 + g.IntN(5) {
				c := newCall(g)
				fmt.Fprintf(&b, "%s,%s,%s,%d\n", c.number, c.word("Incoming", "Outgoing", "Missed"), g.date(), c.seconds)
			}
			body, ct := upload("log", "calllog.csv", "text/csv", b.Bytes(), nil)
			return up("POST", "/import", ct, body)
		}},
		{name: "iCalendar of calls", unseen: true, open: classes(inspect.Notes), make: func(g *gen) *inspect.Subject {
			var b bytes.Buffer
			b.WriteString("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n")
			for range 2 + g.IntN(3) {
				c := newCall(g)
				fmt.Fprintf(&b, "BEGIN:VEVENT\r\nUID:%s\r\nDTSTART:20200412T101500Z\r\nSUMMARY:%s\r\nDESCRIPTION:%s\\, %d s\r\nCATEGORIES:Call log\r\nEND:VEVENT\r\n", g.uuid(), c.word("Incoming call", "Outgoing call", "Missed call")+" "+c.number, c.number, c.seconds)
			}
			b.WriteString("END:VCALENDAR\r\n")
			return up("PUT", "/caldav/calls/1.ics", "text/calendar", b.Bytes())
		}},
		{name: "lines of text", unseen: true, make: func(g *gen) *inspect.Subject {
			lines := times(g, 3, 7, func(int) string {
				c := newCall(g)
				return fmt.Sprintf("%s\t%s\t%s\t%ds", g.date(), c.word("IN", "OUT", "MISSED"), c.number, c.seconds)
			})
			return up("POST", "/calllog.txt", "text/plain", []byte(strings.Join(lines, "\n")))
		}},
	},
}

func callsXML(g *gen) []byte {
	var b bytes.Buffer
	n := 2 + g.IntN(6)
	fmt.Fprintf(&b, "<?xml version='1.0' encoding='UTF-8' standalone='yes' ?>\n<calls count=\"%d\">\n", n)
	for range n {
		c := newCall(g)
		fmt.Fprintf(&b, "  <call number=\"%s\" duration=\"%d\" date=\"%d\" type=\"%d\" presentation=\"1\" readable_date=\"%s\" contact_name=\"%s\" />\n", esc(c.number), c.seconds, c.start, c.kind, g.date(), esc(c.name))
	}
	b.WriteString("</calls>")
	return b.Bytes()
}
