package main

import (
	"fmt"
	"strings"

	"constat/inspect"
)

// blindNotes are what users wrote down.
var blindNotes = []blindKind{
	{name: "note app with a rich tree", up: "notes", make: func(g *blindGen) *inspect.Subject {
		return post("/v1/nodes/changes", g.release(m{"nodes": several(g, 1, 3, func(int) m {
			return m{"id": g.hex(12) + "." + g.hex(16), "kind": "notes#node", "type": "NOTE", "title": g.todo(), "parentId": "root", "children": []m{{"type": "LIST_ITEM", "text": g.memo()}}, "timestamps": m{"created": g.iso(), "userEdited": g.iso()}}
		}), "targetVersion": g.hex(8)}))
	}},
	{name: "vault's file with front matter", up: "notes", make: func(g *blindGen) *inspect.Subject {
		return up("PUT", "/webdav/Notes/"+g.day()+".md", "text/markdown; charset=utf-8", []byte(fmt.Sprintf("---\ncreated: %s\ntags: [journal]\n---\n# %s\n\n%s\n\n- [ ] %s\n- [x] %s\n", g.iso(), g.day(), g.memo(), g.todo(), g.todo())))
	}},
	{name: "Nextcloud-like notes", up: "notes", make: func(g *blindGen) *inspect.Subject {
		return put("/index.php/apps/notes/api/v1/notes/"+g.digits(3), m{"title": g.todo(), "content": g.memo(), "category": "privat", "favorite": false, "modified": g.sec()})
	}},
	{name: "CalDAV event put", up: "notes", open: "identifiers", make: func(g *blindGen) *inspect.Subject {
		d := g.moment()
		return up("PUT", "/calendars/u/personal/"+g.uuid()+".ics", "text/calendar; charset=utf-8", []byte(fmt.Sprintf("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//DAVx5/4.3//\r\nBEGIN:VEVENT\r\nDTSTAMP:%s\r\nUID:%s\r\nDTSTART;TZID=Europe/Warsaw:%s\r\nSUMMARY:%s\r\nDESCRIPTION:%s\r\nBEGIN:VALARM\r\nTRIGGER:-PT15M\r\nEND:VALARM\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n", d.Format("20060102T150405Z"), g.uuid(), d.Format("20060102T150405"), g.todo(), g.memo())))
	}},
	{name: "calendar that comes down by CalDAV", down: "notes", make: func(g *blindGen) *inspect.Subject {
		return multistatus("/caldav/u/home", "cal:calendar-data", several(g, 1, 4, func(int) string {
			return fmt.Sprintf("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:%s\r\nDTSTART:%s\r\nSUMMARY:%s\r\nLOCATION:%s\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n", g.uuid(), g.moment().Format("20060102T150405Z"), g.todo(), "Praxis")
		}))
	}},
	{name: "task app's sync commands", up: "notes", make: func(g *blindGen) *inspect.Subject {
		return form("/sync/v9/sync", "sync_token", "*", "commands", string(js(several(g, 1, 4, func(int) m {
			return m{"type": "item_add", "uuid": g.uuid(), "temp_id": g.uuid(), "args": m{"content": g.todo(), "due": m{"string": "tomorrow", "lang": g.t.code}, "priority": 1 + g.IntN(4)}}
		}))))
	}},
	{name: "event of a family calendar", up: "notes", make: func(g *blindGen) *inspect.Subject {
		return gqlPost("CreateEvent", "mutation CreateEvent($e: EventInput!) { createEvent(event: $e) { id } }", m{"e": m{"title": g.todo(), "startsAt": g.iso(), "endsAt": g.iso(), "allDay": false, "note": g.memo(), "calendarId": g.uuid()}})
	}},
	{name: "diary with mood and place", up: "notes location", make: func(g *blindGen) *inspect.Subject {
		lat, lon := g.at()
		return post("/sync/entries", m{"entries": several(g, 1, 3, func(int) m {
			return m{"journalId": g.digits(2), "creationDate": g.iso(), "text": g.memo(), "mood": 1 + g.IntN(5), "location": m{"latitude": lat, "longitude": lon, "placeName": "home"}}
		})})
	}},
	{name: "protobuf of a notes app", up: "notes", make: func(g *blindGen) *inspect.Subject {
		return grpcCall("/notes.v1.Notes/Sync", pb(several(g, 1, 4, func(int) []byte {
			return pb(g.uuid(), g.todo(), g.memo(), g.ms(), 0)
		})))
	}},
	{name: "clipper of a watch", up: "notes", make: func(g *blindGen) *inspect.Subject {
		return post("/voice-notes", m{"note": m{"transcript": g.memo(), "durationMs": g.IntN(60000), "language": g.t.code, "recordedAt": g.iso()}})
	}},
	{name: "reminders in a binary plist", up: "notes", make: func(g *blindGen) *inspect.Subject {
		return up("POST", "/ckdatabase/modify", "application/x-plist", plistBinary(m{"records": several(g, 1, 4, func(int) m {
			return m{"recordType": "Reminder", "TitleDocument": g.todo(), "NotesDocument": g.memo(), "Completed": 0, "DueDate": g.sec()}
		})}))
	}},
	{name: "CBOR of an e-reader's annotations", up: "notes", make: func(g *blindGen) *inspect.Subject {
		return up("POST", "/annotations", "application/cbor", cbor(m{"bookId": g.digits(8), "annotations": several(g, 1, 4, func(int) m {
			return m{"kind": "note", "userNote": g.memo(), "position": g.IntN(9000), "createdAt": g.ms()}
		})}))
	}},
	{name: "lock-screen memo of a maker's cloud", up: "notes identifiers", make: func(g *blindGen) *inspect.Subject {
		return coded("/memo/v2/batch", "gzip", gz(js(m{"deviceId": g.hex(32), "memos": several(g, 1, 4, func(int) m {
			return m{"memoId": g.uuid(), "memoText": g.memo(), "color": "#FFF4C2", "lastModified": g.ms(), "pinned": true}
		})})))
	}},
	{name: "Italian keys of a list", up: "notes", make: func(g *blindGen) *inspect.Subject {
		return post("/promemoria", m{"promemoria": several(g, 1, 5, func(int) m {
			return m{"titolo": g.todo(), "testo": g.memo(), "scadenza": g.day(), "completato": false}
		})})
	}},
	{name: "Portuguese keys of a notebook", up: "notes", make: func(g *blindGen) *inspect.Subject {
		return post("/caderno/salvar", m{"anotacoes": several(g, 1, 4, func(int) m { return m{"titulo": g.todo(), "conteudo": g.memo(), "criada_em": g.local()} })})
	}},
	{name: "Turkish keys of a notebook", up: "notes", make: func(g *blindGen) *inspect.Subject {
		return post("/notlar", m{"notlar": several(g, 1, 4, func(int) m { return m{"baslik": g.todo(), "icerik": g.memo(), "tarih": g.ms()} })})
	}},
	{name: "Korean keys of a memo", up: "notes", make: func(g *blindGen) *inspect.Subject {
		return post("/memo/save", m{"메모": several(g, 1, 4, func(int) m { return m{"제목": g.todo(), "내용": g.memo(), "작성일": g.local()} })})
	}},
	{name: "Ukrainian form of a to-do", up: "notes", make: func(g *blindGen) *inspect.Subject {
		return form("/zavdannia", "завдання", g.todo(), "нотатка", g.memo(), "термін", g.day())
	}},
	{name: "backup of a notes app as zip", up: "notes", make: func(g *blindGen) *inspect.Subject {
		files := make(map[string][]byte)
		for i := range 2 + g.IntN(3) {
			files[fmt.Sprintf("Notes/%02d %s.txt", i, strings.ReplaceAll(g.todo(), "/", "-"))] = []byte(g.memo() + "\n\n" + g.memo())
		}
		files["index.json"] = js(m{"app": "notes", "version": 2})
		return up("PUT", "/files/notes-backup.zip", "application/zip", zipped(files))
	}},
	{name: "SQLite of a note app", up: "notes", make: func(g *blindGen) *inspect.Subject {
		return up("PUT", "/cloud/db/notes.db", "application/octet-stream", sqliteFile("note", several(g, 3, 8, func(i int) m {
			return m{"_id": int64(i), "title": g.todo(), "body": g.memo(), "created": g.ms(), "modified": g.ms(), "trashed": int64(0)}
		})))
	}},
	{name: "work calendar that goes to an assistant", up: "notes", open: "identifiers contacts", make: func(g *blindGen) *inspect.Subject {
		return post("/copilot/context", m{"calendar": several(g, 2, 5, func(int) m {
			return m{"subject": g.topic(), "start": m{"dateTime": g.iso(), "timeZone": "UTC"}, "end": m{"dateTime": g.iso(), "timeZone": "UTC"}, "attendees": []m{{"email": g.email()}}, "isOrganizer": true}
		})})
	}},
	{name: "shopping list that comes down", down: "notes", make: func(g *blindGen) *inspect.Subject {
		return answer("/lists/"+g.hex(8)+"/tasks", m{"list": "Home", "tasks": several(g, 2, 7, func(int) m {
			return m{"taskId": g.uuid(), "title": g.todo(), "completed": g.IntN(2) == 0, "dueDate": g.day(), "note": ""}
		})})
	}},
}

// blindGreetings are preset texts that come down to a request that names nobody.
var blindGreetings = []blindKind{
	{name: "wishes of a keyboard", down: "greeting_content", make: func(g *blindGen) *inspect.Subject {
		return answer("/kb/phrases?locale="+g.t.code+"&pack=festive", m{"pack": "festive", "phrases": several(g, 3, 9, func(i int) m { return m{"phraseId": i + 100, "phrase": g.wish(), "usage": g.IntN(900)} })})
	}},
	{name: "festival messages of a maker", down: "greeting_content", make: func(g *blindGen) *inspect.Subject {
		return answer("/festival/v2/sms?festival=newyear", m{"ret": 0, "body": m{"festivalName": "newyear", "smsTemplates": several(g, 3, 9, func(i int) m { return m{"sid": 8000 + i, "content": g.wish(), "hot": g.IntN(100)} })}})
	}},
	{name: "XML of cards", down: "greeting_content", make: func(g *blindGen) *inspect.Subject {
		return down("/ecards/birthday.xml", "application/xml", xmlOf("cards", m{"cards": several(g, 3, 8, func(i int) m { return m{"id": i, "occasion": "birthday", "verse": g.wish()} })}))
	}},
	{name: "status texts", down: "greeting_content", make: func(g *blindGen) *inspect.Subject {
		return answer("/status/list?page=2&cat=love", m{"success": true, "status_list": several(g, 4, 12, func(i int) m {
			return m{"s_id": fmt.Sprint(i), "s_text": g.wish(), "s_cat": "Love", "s_copy": g.IntN(5000)}
		})})
	}},
	{name: "jokes of the day", down: "greeting_content", make: func(g *blindGen) *inspect.Subject {
		jokes := []string{
			"Why did the scarecrow win a prize? Because he was outstanding in his field.", "— Doctor, nobody ever listens to me. — Next, please!", "My boss told me to have a good day, so I went home.",
			"Kommt ein Pferd in die Bar. Fragt der Wirt: Warum so ein langes Gesicht?", "¿Qué hace una abeja en el gimnasio? ¡Zum-ba!", "Що каже один рушник іншому? Сухо тут у вас.", "老师问小明：你的作业呢？小明说：被风吹走了。",
		}
		return answer("/jokes/random?amount=5", m{"error": false, "amount": 5, "jokes": several(g, 4, 6, func(i int) m {
			return m{"category": "Misc", "type": "single", "joke": one(g, jokes), "safe": true, "id": i}
		})})
	}},
	{name: "poems by chapter", down: "greeting_content", make: func(g *blindGen) *inspect.Subject {
		poems := []string{
			"床前望月光，\n疑是窗上霜。\n起身推门看，\n故乡在远方。", "The evening folds its paper boats\nand sends them down the lane,\nand every lamp that nods its head\nis asking you again.",
			"У вікні мовчить зима,\nна шибці квітка біла,\nа ти прийшла — і вже нема\nні холоду, ні тіла.", "La luna se sentó en el mar\nvestida de jazmín,\ny el mar se puso a recordar\nel nombre de un violín.",
		}
		return answer("/poetry?theme=love&limit=4", several(g, 3, 5, func(i int) m { return m{"poem_id": i, "lines": strings.Split(one(g, poems), "\n"), "theme": "love"} }))
	}},
	{name: "grouped by holiday", down: "greeting_content", make: func(g *blindGen) *inspect.Subject {
		return answer("/templates/messages.json", m{"updated": g.day(), "holidays": m{"birthday": several(g, 2, 5, func(int) string { return g.wish() }), "new_year": several(g, 2, 5, func(int) string { return g.wish() })}})
	}},
	{name: "GraphQL of a card app", down: "greeting_content", make: func(g *blindGen) *inspect.Subject {
		s := gqlPost("Captions", "query Captions($occasion: String!) { captions(occasion: $occasion) { id text } }", m{"occasion": "wedding", "first": 20})
		return answered(s, appJSON, js(m{"data": m{"captions": several(g, 3, 9, func(i int) m { return m{"id": fmt.Sprint(i), "text": g.wish()} })}}))
	}},
	{name: "CSV of quotes", down: "greeting_content", make: func(g *blindGen) *inspect.Subject {
		return down("/data/quotes_"+g.t.code+".csv", "text/csv; charset=utf-8", append([]byte("id,category,quote\n"), g.lines(4, 12, "\n", func(i int) string { return fmt.Sprintf(`%d,wishes,"%s"`, i, g.wish()) })...))
	}},
	{name: "base64 list of a widget", down: "greeting_content", make: func(g *blindGen) *inspect.Subject {
		return answer("/widget/today", m{"v": 1, "blob": b64(gz(js(m{"greetings": several(g, 4, 9, func(int) string { return g.wish() })})))})
	}},
	{name: "protobuf of phrases", down: "greeting_content", make: func(g *blindGen) *inspect.Subject {
		return down("/assets/phrases.pb", "application/x-protobuf", pb(g.t.code, several(g, 4, 9, func(i int) []byte { return pb(i+1, g.wish(), "holiday") })))
	}},
	{name: "SMS collection of a shop of texts", down: "greeting_content", make: func(g *blindGen) *inspect.Subject {
		return answer("/smscollection/getSms?categoryId=7&start=0&end=20", m{"SmsList": several(g, 4, 12, func(i int) m { return m{"SmsId": i, "SmsText": g.wish(), "CategoryId": 7} })})
	}},
	{name: "stickers with their words", down: "greeting_content", make: func(g *blindGen) *inspect.Subject {
		return answer("/cards/feed?lang="+g.t.code, m{"items": several(g, 3, 8, func(i int) m {
			return m{"id": i, "greeting": g.wish(), "background": fmt.Sprintf("https://cdn.example.net/bg/%d.webp", i), "occasion": g.oneOf("birthday", "eid", "christmas", "women_day")}
		})})
	}},
	{name: "Chinese SMS library", down: "greeting_content", make: func(g *blindGen) *inspect.Subject {
		return answer("/duanxin/list.do?type=3", m{"状态": 0, "短信库": several(g, 3, 9, func(i int) m { return m{"序号": i, "短信": g.wish(), "类别": "节日"} })})
	}},
	{name: "Turkish library", down: "greeting_content", make: func(g *blindGen) *inspect.Subject {
		return answer("/mesajlar?kategori=bayram", m{"kategori": "bayram", "mesajlar": several(g, 3, 9, func(i int) m { return m{"sira": i, "mesaj": g.wish()} })})
	}},
	{name: "Arabic library", down: "greeting_content", make: func(g *blindGen) *inspect.Subject {
		return answer("/rasail/eid", m{"القسم": "تهاني", "رسائل": several(g, 3, 9, func(i int) m { return m{"رقم": i, "نص": g.wish()} })})
	}},
	{name: "Vietnamese library", down: "greeting_content", make: func(g *blindGen) *inspect.Subject {
		return answer("/loi-chuc/tet", m{"chu_de": "tet", "loi_chuc": several(g, 3, 9, func(i int) m { return m{"stt": i, "noi_dung": g.wish()} })})
	}},
	{name: "Polish library", down: "greeting_content", make: func(g *blindGen) *inspect.Subject {
		return answer("/zyczenia?okazja=urodziny", several(g, 3, 9, func(i int) m { return m{"id": i, "zyczenia": g.wish(), "okazja": "urodziny"} }))
	}},
	{name: "plist in an app's bundle of texts", down: "greeting_content", make: func(g *blindGen) *inspect.Subject {
		return down("/content/Greetings.plist", "application/x-plist", plistXML(m{"Christmas": several(g, 2, 6, func(int) string { return g.wish() }), "Birthday": several(g, 2, 6, func(int) string { return g.wish() })}))
	}},
	{name: "socket that offers texts", down: "greeting_content", make: func(g *blindGen) *inspect.Subject {
		s := frame("/live", js(m{"topic": "templates", "event": "list", "payload": m{"templates": several(g, 3, 9, func(i int) m { return m{"tid": i, "body": g.wish()} })}}), true)
		s.FrameDirection = "down"
		return s
	}},
	{name: "JSONP of blessings", down: "greeting_content", make: func(g *blindGen) *inspect.Subject {
		return down("/blessing/list?cb=jsonp_"+g.digits(4), "application/javascript", []byte("jsonp_1("+string(js(m{"total": 300, "list": several(g, 3, 9, func(i int) m { return m{"id": i, "blessing": g.wish()} })}))+")"))
	}},
}
