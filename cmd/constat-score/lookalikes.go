package main

import (
	"fmt"
	"net/url"

	"constat/inspect"
	"constat/proxy/flow"
)

// lookalikes are requests made of the texts of the corpora that resemble a class
// and are none, or are another.
func (b *builder) lookalikes() {
	if len(b.messages) == 0 || len(b.presets) == 0 {
		b.notes = append(b.notes, "requests that resemble a class: no texts to make them of")
		return
	}
	r := b.rand("negatives")
	text := func() string { return b.messages[r.IntN(len(b.messages))] }
	wish := func() string { return b.presets[r.IntN(len(b.presets))].Text }
	uuid := func() string {
		return fmt.Sprintf("%08x-%04x-4%03x-a%03x-%012x", r.Uint32(), r.IntN(1<<16), r.IntN(1<<12), r.IntN(1<<12), r.Int64N(1<<48))
	}
	list := func(n int, f func(i int) m) []m {
		var out []m
		for i := range n {
			out = append(out, f(i))
		}
		return out
	}
	when := func() int64 { return 1388534400000 + r.Int64N(380_000_000_000) }
	kinds := []struct {
		name string
		make func() *inspect.Subject
	}{
		{"chat up", func() *inspect.Subject {
			return up("POST", "/v3/messages", appJSON, js(m{"conversationId": uuid(), "from": fmt.Sprint(1000000000 + r.IntN(1e9)), "to": fmt.Sprint(1000000000 + r.IntN(1e9)), "text": text(), "timestamp": when(), "type": 1}))
		}},
		{"chat room down", func() *inspect.Subject {
			return down("/rooms/7/messages?count=20", appJSON, js(list(8, func(i int) m {
				return m{"id": uuid(), "userId": uuid(), "nickname": "user" + fmt.Sprint(i), "text": wish(), "createdAt": when()}
			})))
		}},
		{"chat names only", func() *inspect.Subject {
			return up("POST", "/send", appJSON, js(m{"sender": "alice", "recipient": "bob", "message": text(), "timestamp": when()}))
		}},
		{"comments", func() *inspect.Subject {
			return down("/comments?article=7&page=2", appJSON, js(list(6, func(i int) m {
				return m{"id": i, "author": "Odile", "body": text(), "date": "2014-07-31"}
			})))
		}},
		{"contact form", func() *inspect.Subject {
			return up("POST", "/contact", appForm, []byte(url.Values{"name": {"Camille"}, "email": {"camille@example.org"}, "phone": {"+33639984712"}, "message": {text()}, "date": {"2014-07-31"}}.Encode()))
		}},
		{"news", func() *inspect.Subject {
			return down("/news?category=world&page=1", appJSON, js(list(6, func(i int) m {
				return m{"id": i, "title": text(), "text": wish(), "url": "https://example.org/a", "published": "2014-07-31"}
			})))
		}},
		{"poem in an article", func() *inspect.Subject {
			return down("/article/9", appJSON, js(m{"id": 9, "title": "Un poème", "author": "Odile", "url": "https://example.org/9", "published": "2014-07-31", "paragraphs": []string{wish(), wish(), wish()}}))
		}},
		{"weather", func() *inspect.Subject {
			return down("/weather?lat=48.8&lon=2.3&lang=fr", appJSON, js(m{"daily": list(5, func(i int) m {
				return m{"id": 500 + i, "text": "Light rain in the morning and sun later on", "temperature": 20 + i, "wind": 3}
			})}))
		}},
		{"products", func() *inspect.Subject {
			return down("/products?category=toys&page=1", appJSON, js(list(6, func(i int) m {
				return m{"id": i, "name": "Toy", "description": text(), "price": 9.5, "sku": "K-" + fmt.Sprint(i)}
			})))
		}},
		{"suggestions", func() *inspect.Subject {
			return down("/complete?q=happy&client=app&hl=fr", appJSON, js([]any{"happy", []string{"happy birthday", "happy new year", "happy meal", "happy feet"}}))
		}},
		{"update check", func() *inspect.Subject {
			s := down("/update/check?version=1.2.3&os=android&lang=fr&channel=stable", appJSON, js(m{"latest": "1.2.4", "notes": []string{"Fixes a crash on start.", "The list of messages opens faster now."}}))
			return s
		}},
		{"font", func() *inspect.Subject {
			return down("/fonts/roboto.woff2", "font/woff2", append([]byte("wOF2\x00\x01\x00\x00"), make([]byte, 4000)...))
		}},
		{"translations", func() *inspect.Subject {
			return down("/i18n/fr.json", appJSON, js(m{"title": "Bonjour", "ok": "D'accord", "hint": "Appuyez pour envoyer un message", "errors": []string{"Le réseau ne répond pas.", "Le message n'a pas pu être envoyé."}}))
		}},
		{"web page", func() *inspect.Subject {
			return down("/index.html", "text/html", []byte("<!doctype html><title>Vœux</title><p>"+wish()+"</p><p>"+wish()+"</p>"))
		}},
		{"notes up", func() *inspect.Subject {
			return up("POST", "/notes/sync", appJSON, js(m{"entries": list(4, func(i int) m { return m{"id": uuid(), "snippet": text(), "modifyDate": when(), "colorId": 0} })}))
		}},
		{"mail up", func() *inspect.Subject {
			return up("POST", "/mail/send", appJSON, js(m{"from": "a@example.org", "to": "b@example.org", "subject": "Bonjour", "body": text(), "date": when()}))
		}},
		{"directory", func() *inspect.Subject {
			return down("/places?q=cafe", appJSON, js(list(4, func(i int) m {
				return m{"id": i, "name": "Café", "phone": "+33639981212", "address": "1 rue de la Gare", "city": "Lyon", "text": text(), "rating": 4}
			})))
		}},
		{"call log up", func() *inspect.Subject {
			return up("POST", "/calls", appJSON, js(m{"calls": list(4, func(i int) m {
				return m{"number": "+33639981212", "date": when(), "duration": 60 + i, "type": 1 + i%3}
			})}))
		}},
		{"contacts up", func() *inspect.Subject {
			return up("POST", "/contacts", appJSON, js(m{"contacts": list(4, func(i int) m { return m{"displayName": "Odile V.", "phone": "+33639987755", "note": text()} })}))
		}},
		{"login", func() *inspect.Subject {
			return up("POST", "/login", appForm, []byte("user=camille&password=secret&client_id=web&grant_type=password"))
		}},
		{"search up", func() *inspect.Subject {
			return up("POST", "/search", appJSON, js(m{"query": text(), "limit": 10, "lang": "fr"}))
		}},
		{"review up", func() *inspect.Subject {
			return up("POST", "/reviews", appJSON, js(m{"product": 12, "rating": 5, "title": "Très bien", "text": text(), "date": when()}))
		}},
		{"reminders down", func() *inspect.Subject {
			return down("/todo", appJSON, js(list(5, func(i int) m { return m{"id": i, "text": text(), "done": false, "due": "2014-08-01"} })))
		}},
		{"questions down", func() *inspect.Subject {
			return down("/faq?lang=en", appJSON, js(list(5, func(i int) m {
				return m{"id": i, "question": "How do I change my password?", "answer": "Open the settings and tap Password.", "url": "/faq/1"}
			})))
		}},
		{"phone shop down", func() *inspect.Subject {
			return down("/products/7", appJSON, js(m{"brand": "Xiaomi", "model": "Redmi Note 8", "screen": "1080x2340", "battery": 4000, "memory": 4096, "cpu": "Snapdragon 665"}))
		}},
	}
	for i := range 20 * len(kinds) {
		k := kinds[i/2%len(kinds)]
		x := b.add("lookalike "+k.name, i, k.make(), "", "")
		x.want, x.open = lookalikes[k.name].want, lookalikes[k.name].open
	}
}

// lookalikes says which of the kinds above are something after all.
var lookalikes = map[string]struct {
	want map[inspect.Class]flow.Direction
	open []inspect.Class
}{
	"chat up":         {open: classes(inspect.Identifiers)},
	"contact form":    {want: wanted(flow.Up, inspect.Identifiers)},
	"notes up":        {want: wanted(flow.Up, inspect.Notes)},
	"mail up":         {want: wanted(flow.Up, inspect.Email), open: classes(inspect.Identifiers)},
	"call log up":     {want: wanted(flow.Up, inspect.CallLog)},
	"contacts up":     {want: wanted(flow.Up, inspect.Contacts)},
	"login":           {want: wanted(flow.Up, inspect.Credentials), open: classes(inspect.Identifiers)},
	"update check":    {want: wanted("", inspect.UpdateCheck)},
	"reminders down":  {want: wanted(flow.Down, inspect.Notes)},
	"chat names only": {open: classes(inspect.Identifiers)},
}

func wanted(d flow.Direction, list ...inspect.Class) map[inspect.Class]flow.Direction {
	out := make(map[inspect.Class]flow.Direction)
	for _, c := range list {
		out[c] = d
	}
	return out
}
