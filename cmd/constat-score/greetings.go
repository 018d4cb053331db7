package main

import (
	"fmt"
	"math/rand/v2"
	"net/url"

	"constat/inspect"
)

// greetingShape is one envelope that preset texts come down in.
type greetingShape struct {
	name string
	make func(r *rand.Rand, list []preset) *inspect.Subject
}

func each(list []preset, f func(i int, p preset) m) []m {
	var out []m
	for i, p := range list {
		out = append(out, f(i, p))
	}
	return out
}

func plainTexts(list []preset) []string {
	var out []string
	for _, p := range list {
		out = append(out, p.Text)
	}
	return out
}

var greetingShapes = []greetingShape{
	{"entries with marker", func(r *rand.Rand, list []preset) *inspect.Subject {
		return down(fmt.Sprintf("/res/messages?cat=%d&marker=%d&count=20", r.IntN(9), 20000+r.IntN(999)), appJSON,
			js(m{"result": "ok", "data": m{"entries": each(list, func(i int, p preset) m { return m{"mid": 20000 - i, "text": p.Text} })}}))
	}},
	{"categories with messages", func(r *rand.Rand, list []preset) *inspect.Subject {
		half := len(list) / 2
		group := func(id int, title string, part []preset) m {
			return m{"gid": id, "title": title, "descText": "", "count": 300, "imageUrl": "http://img.example.com/1.png", "message": each(part, func(i int, p preset) m { return m{"mid": id*1000 + i, "text": p.Text} })}
		}
		return down("/res/categories?width=1080", appJSON, js(m{"result": "ok", "data": [][]m{{group(3, "笑话", list[:half]), group(7, "Fêtes", list[half:])}}}))
	}},
	{"list with type", func(r *rand.Rand, list []preset) *inspect.Subject {
		return down("/content/list?type=daily&page=2", appJSON, js(m{"code": 0, "list": each(list, func(i int, p preset) m { return m{"id": i + 1, "content": p.Text, "type": p.Kind} })}))
	}},
	{"jokes endpoint", func(r *rand.Rand, list []preset) *inspect.Subject {
		return down("/v1/jokes?limit=10", appJSON, js(m{"jokes": each(list, func(i int, p preset) m { return m{"id": i, "joke": p.Text} })}))
	}},
	{"strings by occasion", func(r *rand.Rand, list []preset) *inspect.Subject {
		half := len(list) / 2
		return down("/greetings/v3.json", appJSON, js(m{"version": 3, "christmas": plainTexts(list[:half]), "birthday": plainTexts(list[half:])}))
	}},
	{"compressed", func(r *rand.Rand, list []preset) *inspect.Subject {
		s := down("/festival/messages?lang="+url.QueryEscape(list[0].Lang)+"&count=20", appJSON, gz(js(each(list, func(i int, p preset) m { return m{"id": i, "category": p.Kind, "text": p.Text, "likes": r.IntN(99)} }))))
		s.Response.Header.Set("Content-Encoding", "gzip")
		return s
	}},
	{"quotes with tags", func(r *rand.Rand, list []preset) *inspect.Subject {
		return down("/quotes?category=wisdom&page=1", appJSON, js(m{"page": 1, "total": 900, "quotes": each(list, func(i int, p preset) m { return m{"id": i, "quote": p.Text, "tags": []string{"life", p.Kind}} })}))
	}},
	{"poems with authors", func(r *rand.Rand, list []preset) *inspect.Subject {
		return down("/poems?dynasty=tang&page=3", appJSON, js(m{"poems": each(list, func(i int, p preset) m {
			return m{"id": i, "title": "无题", "author": "佚名", "content": p.Text, "category": "poem"}
		})}))
	}},
	{"base64 in an answer", func(r *rand.Rand, list []preset) *inspect.Subject {
		return down("/sms/templates?cat=2&start=0", appJSON, js(m{"code": 200, "data": b64(js(m{"items": each(list, func(i int, p preset) m { return m{"id": i, "cat": 2, "text": p.Text} })}))}))
	}},
	{"bare array", func(r *rand.Rand, list []preset) *inspect.Subject {
		return down("/wishes/all.json", appJSON, js(plainTexts(list)))
	}},
	{"posted request", func(r *rand.Rand, list []preset) *inspect.Subject {
		s := down("/api/getMessages", appJSON, js(m{"retcode": 0, "data": m{"total": 500, "rows": each(list, func(i int, p preset) m { return m{"msgId": fmt.Sprint(9000 + i), "msg": p.Text, "catId": 4} })}}))
		s.Method = "POST"
		s.Request.Header.Set("Content-Type", appJSON)
		s.Request.Body = js(m{"cat": 4, "page": 1, "size": 20})
		return s
	}},
	{"grouped object", func(r *rand.Rand, list []preset) *inspect.Subject {
		half := len(list) / 2
		return down("/festival/sms/zh", appJSON, js(m{"groups": []m{{"name": "生日祝福", "sms": plainTexts(list[:half])}, {"name": "新年", "sms": plainTexts(list[half:])}}}))
	}},
}
