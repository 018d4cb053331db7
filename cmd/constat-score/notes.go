package main

import (
	"bytes"
	"fmt"
	"strings"

	"constat/inspect"
)

func memos(g *gen, f func(title, text string) m) []m {
	return times(g, 1, 5, func(int) m {
		g.speak()
		text := pick(g, g.notes)
		title, _, _ := strings.Cut(text, " ")
		return f(strings.Trim(title, ":,"), text)
	})
}

var notesFamily = family{
	class: inspect.Notes, rounds: 12,
	dialects: []dialect{
		{name: "title and content", path: "/notes/sync", value: func(g *gen) any {
			return m{"notes": memos(g, func(title, text string) m {
				return m{"id": g.hex(8), "title": title, "content": text, "createdAt": g.when(), "modifiedAt": g.when()}
			})}
		}},
		{name: "phone maker's cloud", path: "/note/full", value: func(g *gen) any {
			return m{"entries": memos(g, func(_, text string) m {
				return m{"id": g.digits(12), "snippet": text, "createDate": g.when(), "modifyDate": g.when(), "colorId": g.IntN(5), "folderId": "0", "alertDate": 0}
			})}
		}},
		{name: "note with blocks", path: "/api/doc/save", value: func(g *gen) any {
			return m{"note": m{"noteId": g.hex(10), "blocks": memos(g, func(_, text string) m { return m{"type": "paragraph", "text": text} }), "updated": g.iso()}}
		}},
		{name: "to-do list", path: "/tasks/sync", value: func(g *gen) any {
			return m{"tasks": times(g, 2, 6, func(int) m {
				return m{"title": pick(g, g.todos), "done": g.IntN(2) == 1, "due": g.day(), "priority": g.IntN(4)}
			})}
		}},
		{name: "to-do items in snake case", path: "/api/todo_items", value: func(g *gen) any {
			return m{"todo_list": "Home", "todo_items": times(g, 2, 6, func(int) m {
				return m{"todo_text": pick(g, g.todos), "is_completed": 0, "reminder_at": g.sec()}
			})}
		}},
		{name: "checklist", path: "/keep", value: func(g *gen) any {
			return m{"nodes": []m{{"type": "LIST", "title": g.oneOf("Saturday", "Samedi", "周六"), "items": times(g, 2, 6, func(int) m { return m{"text": pick(g, g.todos), "checked": false} })}}}
		}},
		{name: "diary", path: "/journal/entries", value: func(g *gen) any {
			return m{"journalEntries": memos(g, func(_, text string) m {
				return m{"date": g.day(), "mood": g.oneOf("good", "low", "tired"), "entry": text}
			})}
		}},
		{name: "calendar events", path: "/calendar/upload", value: func(g *gen) any {
			return m{"events": times(g, 1, 5, func(int) m {
				return m{"title": pick(g, g.subjects), "dtstart": g.when(), "dtend": g.when(), "eventLocation": pick(g, g.streets), "description": pick(g, g.notes), "allDay": 0}
			})}
		}},
		{name: "calendar entry, start and end", path: "/calendars/primary/events", value: func(g *gen) any {
			return m{"summary": pick(g, g.subjects), "description": pick(g, g.notes), "start": m{"dateTime": g.iso(), "timeZone": "Europe/Paris"}, "end": m{"dateTime": g.iso()}, "reminders": m{"useDefault": true}}
		}},
		{name: "reminders", path: "/reminders", value: func(g *gen) any {
			return m{"reminders": times(g, 1, 4, func(int) m {
				return m{"reminder": pick(g, g.todos), "remindAt": g.when(), "repeat": "none"}
			})}
		}},
		{name: "memo", path: "/memo/put", value: func(g *gen) any {
			return m{"memo": pick(g, g.notes), "memo_id": g.IntN(900), "memo_date": g.date()}
		}},
		{name: "French keys", path: "/bloc", value: func(g *gen) any {
			return m{"notes": memos(g, func(title, text string) m {
				return m{"titre": title, "texte": text, "cree_le": g.date(), "modifie_le": g.date(), "epingle": false}
			})}
		}},
		{name: "German keys", path: "/notizen", value: func(g *gen) any {
			return m{"notizen": memos(g, func(title, text string) m {
				return m{"titel": title, "inhalt": text, "erstellt": g.date(), "geaendert": g.date()}
			})}
		}},
		{name: "Chinese keys", path: "/bianqian", value: func(g *gen) any {
			return m{"便签": memos(g, func(title, text string) m {
				return m{"标题": title, "内容": text, "创建时间": g.date(), "修改时间": g.date()}
			})}
		}},
		{name: "event of a tracker", path: "/t", value: func(g *gen) any {
			return m{"event": "note_saved", "properties": m{"note_title": "", "note_text": pick(g, g.notes), "note_length": 80, "created": g.when()}}
		}},
		{name: "Markdown of a vault", path: "/vault/push", value: func(g *gen) any {
			return m{"files": memos(g, func(title, text string) m {
				return m{"path": "Notes/" + title + ".md", "content": "# " + title + "\n\n" + text, "mtime": g.when()}
			})}
		}},
		{name: "notes that come down", path: "/notes?since=0", down: true, value: func(g *gen) any {
			return m{"notes": memos(g, func(title, text string) m {
				return m{"id": g.hex(8), "title": title, "content": text, "modified": g.sec(), "category": "", "favorite": false}
			})}
		}},
		{name: "to-dos that come down", path: "/tasks/v1/lists/1/tasks", down: true, value: func(g *gen) any {
			return m{"kind": "tasks#tasks", "items": times(g, 2, 5, func(int) m {
				return m{"id": g.hex(10), "title": pick(g, g.todos), "status": "needsAction", "due": g.iso(), "notes": pick(g, g.notes)}
			})}
		}},

		{name: "Spanish keys", path: "/apuntes", unseen: true, value: func(g *gen) any {
			return m{"notas": memos(g, func(title, text string) m {
				return m{"titulo": title, "contenido": text, "creada": g.date(), "modificada": g.date()}
			})}
		}},
		{name: "Japanese keys", path: "/memo", unseen: true, value: func(g *gen) any {
			return m{"メモ": memos(g, func(title, text string) m {
				return m{"題名": title, "本文": text, "作成日時": g.date(), "更新日時": g.date()}
			})}
		}},
		{name: "Russian keys", path: "/zametki", unseen: true, value: func(g *gen) any {
			return m{"заметки": memos(g, func(title, text string) m {
				return m{"заголовок": title, "текст": text, "создано": g.date(), "изменено": g.date()}
			})}
		}},
		{name: "rich text operations", path: "/delta", unseen: true, value: func(g *gen) any {
			return m{"noteId": g.hex(8), "rev": g.IntN(50), "delta": m{"ops": []m{{"insert": pick(g, g.notes) + "\n"}, {"attributes": m{"bold": true}, "insert": pick(g, g.todos)}}}}
		}},
		{name: "voice memo transcript", path: "/memos/transcripts", unseen: true, value: func(g *gen) any {
			return m{"voiceMemo": m{"recordedAt": g.iso(), "durationSec": g.IntN(200), "transcript": pick(g, g.notes)}}
		}},
	},
	wholes: []whole{
		{name: "iCalendar", make: func(g *gen) *inspect.Subject {
			s := up("PUT", "/caldav/cal/"+g.uuid()+".ics", "text/calendar; charset=utf-8", ical(g, "VEVENT"))
			return s
		}},
		{name: "iCalendar to-do", make: func(g *gen) *inspect.Subject {
			return up("PUT", "/caldav/tasks/"+g.hex(8)+".ics", "text/calendar", ical(g, "VTODO"))
		}},
		{name: "iCalendar file in multipart", make: func(g *gen) *inspect.Subject {
			body, ct := upload("ics", "calendar.ics", "text/calendar", ical(g, "VEVENT"), nil)
			return up("POST", "/backup", ct, body)
		}},
		{name: "CalDAV report that comes down", down: true, make: func(g *gen) *inspect.Subject {
			s := down("/caldav/cal/", "application/xml", []byte(`<?xml version="1.0"?><d:multistatus xmlns:d="DAV:" xmlns:cal="urn:ietf:params:xml:ns:caldav"><d:response><d:href>/c/1.ics</d:href><d:propstat><d:prop><cal:calendar-data>`+esc(string(ical(g, "VEVENT")))+`</cal:calendar-data></d:prop></d:propstat></d:response></d:multistatus>`))
			s.Method = "REPORT"
			return s
		}},
		{name: "form of a note", make: func(g *gen) *inspect.Subject {
			return form("/note/save", "note_title", pick(g, g.todos), "note_body", pick(g, g.notes), "tags", "", "pinned", "0")
		}},
		{name: "WebDAV text file", make: func(g *gen) *inspect.Subject {
			return up("PUT", "/remote.php/dav/files/me/Notes/"+g.oneOf("Home", "Ideas", "Diary")+".md", "text/markdown", []byte("# "+pick(g, g.todos)+"\n\n"+pick(g, g.notes)+"\n\n- [ ] "+pick(g, g.todos)+"\n- [x] "+pick(g, g.todos)+"\n"))
		}},
		{name: "ENML", unseen: true, make: func(g *gen) *inspect.Subject {
			return up("POST", "/edam/note", "application/xml", []byte(`<?xml version="1.0" encoding="UTF-8"?><!DOCTYPE en-export SYSTEM "http://xml.evernote.com/pub/evernote-export3.dtd"><en-export><note><title>`+esc(pick(g, g.todos))+
				`</title><content><![CDATA[<en-note><div>`+esc(pick(g, g.notes))+`</div></en-note>]]></content><created>20140731T114500Z</created></note></en-export>`))
		}},
		{name: "org-mode file", unseen: true, make: func(g *gen) *inspect.Subject {
			return up("PUT", "/sync/inbox.org", "text/org", []byte("* TODO "+pick(g, g.todos)+"\n  DEADLINE: <2021-03-04 Thu>\n* Notes\n"+pick(g, g.notes)+"\n"))
		}},
	},
}

// ical is an object of RFC 5545.
func ical(g *gen, kind string) []byte {
	var b bytes.Buffer
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\r\n", args...) }
	line("BEGIN:VCALENDAR")
	line("VERSION:2.0")
	line("PRODID:-//Example//Calendar 1.0//EN")
	for range 1 + g.IntN(3) {
		line("BEGIN:%s", kind)
		line("UID:%s", g.uuid())
		line("DTSTAMP:20210301T080000Z")
		if kind == "VTODO" {
			line("SUMMARY:%s", pick(g, g.todos))
			line("DUE;VALUE=DATE:20210304")
			line("STATUS:NEEDS-ACTION")
		} else {
			line("DTSTART;TZID=Europe/Paris:20210304T%02d3000", 8+g.IntN(10))
			line("DTEND;TZID=Europe/Paris:20210304T%02d3000", 19)
			line("SUMMARY:%s", pick(g, g.subjects))
			line("DESCRIPTION:%s", strings.NewReplacer(",", "\\,", "\n", "\\n").Replace(pick(g, g.notes)))
			line("LOCATION:%s", strings.ReplaceAll(pick(g, g.streets), ",", "\\,"))
		}
		line("END:%s", kind)
	}
	line("END:VCALENDAR")
	return b.Bytes()
}
