package main

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"html"
	"math/rand/v2"
	"mime/multipart"
	"net/textproto"
	"net/url"
	"time"

	"constat/inspect"
	"constat/proxy/flow"
)

// message is a text message with invented everything but its text.
type message struct {
	text, address string
	date          int64 // milliseconds since 1970
	kind          int   // 1 received, 2 sent
	read          int
	thread        int
}

// newMessage gives text a sender: mostly a number of a range for fiction, at
// times a short code or a company's word.
func newMessage(r *rand.Rand, text string) message {
	msg := message{
		text: text, date: 1388534400000 + r.Int64N(380_000_000_000), kind: 1 + r.IntN(2), read: r.IntN(2), thread: 1 + r.IntN(80),
	}
	switch n := r.IntN(10); {
	case n < 6:
		msg.address = fmt.Sprintf("+336399%05d", r.IntN(100000))
	case n == 6:
		msg.address = fmt.Sprintf("+447700900%03d", r.IntN(1000))
	case n == 7:
		msg.address = fmt.Sprintf("06 39 98 %02d %02d", r.IntN(100), r.IntN(100))
	case n == 8:
		msg.address = fmt.Sprint(30000 + r.IntN(60000))
	default:
		msg.address = []string{"EDF", "MyBank", "Orange", "AVRIJHC739A", "Info-Post"}[r.IntN(5)]
	}
	return msg
}

// smsShape is one envelope that programs send messages in.
type smsShape struct {
	name string
	down bool
	make func(r *rand.Rand, msgs []message) *inspect.Subject
}

func (s smsShape) direction() flow.Direction {
	if s.down {
		return flow.Down
	}
	return flow.Up
}

const (
	appJSON = "application/json"
	appForm = "application/x-www-form-urlencoded"
)

// rows makes one object of each message.
func rows(msgs []message, f func(message) m) []m {
	var out []m
	for _, x := range msgs {
		out = append(out, f(x))
	}
	return out
}

func provider(x message) m {
	return m{"_id": x.date % 1000, "address": x.address, "body": x.text, "date": x.date, "type": x.kind, "read": x.read, "thread_id": x.thread}
}

func gz(b []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = w.Write(b) // a bytes.Buffer takes everything
	_ = w.Close()
	return out.Bytes()
}

func b64(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

// upload is a multipart body with one file.
func upload(field, file, contentType string, content []byte, extra map[string]string) (body []byte, header string) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	_ = w.SetBoundary("-------------------------7da24f2e50046")
	for k, v := range extra {
		_ = w.WriteField(k, v)
	}
	h := make(textproto.MIMEHeader)
	h.Set("Content-Disposition", fmt.Sprintf(`form-data; name="%s"; filename="%s"`, field, file))
	h.Set("Content-Type", contentType)
	p, err := w.CreatePart(h)
	if err != nil {
		panic(err) // a bytes.Buffer takes everything
	}
	_, _ = p.Write(content)
	_ = w.Close()
	return b.Bytes(), w.FormDataContentType()
}

var smsShapes = []smsShape{
	{"provider columns", false, func(r *rand.Rand, msgs []message) *inspect.Subject {
		return up("POST", "/v1/sync", appJSON, js(m{"device": "d1", "messages": rows(msgs, provider)}))
	}},
	{"bare array", false, func(r *rand.Rand, msgs []message) *inspect.Subject {
		return up("PUT", "/backup/42", appJSON, js(rows(msgs, func(x message) m {
			return m{"from": x.address, "text": x.text, "timestamp": x.date / 1000, "box": []string{"", "inbox", "sent"}[x.kind]}
		})))
	}},
	{"form with gzip in base64", false, func(r *rand.Rand, msgs []message) *inspect.Subject {
		return up("POST", "/sa?project=p", appForm, []byte("data_list="+url.QueryEscape(b64(gz(js(rows(msgs, provider)))))+"&gzip=1"))
	}},
	{"form fields", false, func(r *rand.Rand, msgs []message) *inspect.Subject {
		x := msgs[0]
		return up("POST", "/sms/forward", appForm, []byte(url.Values{"sender": {x.address}, "message": {x.text}, "time": {time.UnixMilli(x.date).UTC().Format(time.RFC3339)}}.Encode()))
	}},
	{"report", false, func(r *rand.Rand, msgs []message) *inspect.Subject {
		x := msgs[0]
		return up("POST", "/smsReport/report", appJSON, js(m{"smsText": x.text, "senderNumber": x.address, "receiveTime": x.date}))
	}},
	{"gzip body", false, func(r *rand.Rand, msgs []message) *inspect.Subject {
		s := up("POST", "/ingest", appJSON, gz(js(m{"sms": rows(msgs, func(x message) m {
			return m{"number": x.address, "content": x.text, "date": time.UnixMilli(x.date).UTC().Format("2006-01-02 15:04:05"), "type": x.kind}
		})})))
		s.Request.Header.Set("Content-Encoding", "gzip")
		return s
	}},
	{"multipart JSON", false, func(r *rand.Rand, msgs []message) *inspect.Subject {
		body, ct := upload("backup", "sms.json", appJSON, js(m{"count": len(msgs), "sms": rows(msgs, provider)}), map[string]string{"device": "d1"})
		return up("POST", "/upload", ct, body)
	}},
	{"event properties", false, func(r *rand.Rand, msgs []message) *inspect.Subject {
		return up("POST", "/v1/batch", appJSON, js(m{"batch": []m{{"event": "sync", "properties": m{"items": rows(msgs, provider)}}}}))
	}},
	{"JSON in a string", false, func(r *rand.Rand, msgs []message) *inspect.Subject {
		return up("POST", "/track", appJSON, js(m{"payload": string(js(m{"list": rows(msgs, provider)}))}))
	}},
	{"NDJSON", false, func(r *rand.Rand, msgs []message) *inspect.Subject {
		var b bytes.Buffer
		for _, x := range append(msgs, msgs...) {
			b.Write(js(m{"phoneNumber": x.address, "messageBody": x.text, "receivedAt": x.date, "threadId": x.thread}))
			b.WriteByte('\n')
		}
		return up("POST", "/bulk", "application/x-ndjson", b.Bytes())
	}},
	{"cloud copy", true, func(r *rand.Rand, msgs []message) *inspect.Subject {
		return down("/sms/1001/full/thread?limit=100", appJSON, js(m{"result": "ok", "data": m{"entries": rows(msgs, func(x message) m {
			return m{"id": fmt.Sprint(x.date % 9999), "snippet": x.text, "recipients": x.address, "localTime": x.date, "folder": "0", "unread": x.read, "threadId": fmt.Sprint(x.thread)}
		})}}))
	}},
	{"nested sender", false, func(r *rand.Rand, msgs []message) *inspect.Subject {
		return up("POST", "/messages/import", appJSON, js(m{"rows": rows(msgs, func(x message) m {
			return m{"content": x.text, "sentAt": x.date, "direction": []string{"", "incoming", "outgoing"}[x.kind], "contact": m{"phone": x.address}}
		})}))
	}},
	{"snake names", false, func(r *rand.Rand, msgs []message) *inspect.Subject {
		return up("POST", "/api/sms_logs", appJSON, js(m{"sms_logs": rows(msgs, func(x message) m {
			return m{"sms_from": x.address, "sms_body": x.text, "sms_date": x.date, "sms_type": fmt.Sprint(x.kind)}
		})}))
	}},
	{"French names", false, func(r *rand.Rand, msgs []message) *inspect.Subject {
		return up("POST", "/sauvegarde/sms", appJSON, js(m{"messages": rows(msgs, func(x message) m {
			return m{"expediteur": x.address, "texte": x.text, "date": time.UnixMilli(x.date).UTC().Format("02/01/2006 15:04"), "lu": x.read}
		})}))
	}},
	{"German names", false, func(r *rand.Rand, msgs []message) *inspect.Subject {
		return up("POST", "/sicherung/sms", appJSON, js(m{"nachrichten": rows(msgs, func(x message) m {
			return m{"absender": x.address, "nachricht": x.text, "datum": x.date, "gelesen": x.read == 1}
		})}))
	}},
	{"Chinese names", false, func(r *rand.Rand, msgs []message) *inspect.Subject {
		return up("POST", "/api/upload", appJSON, js(m{"短信": rows(msgs, func(x message) m {
			return m{"号码": x.address, "内容": x.text, "时间": x.date, "类型": x.kind, "已读": x.read}
		})}))
	}},
	{"PHP form", false, func(r *rand.Rand, msgs []message) *inspect.Subject {
		v := make(url.Values)
		for i, x := range msgs {
			p := fmt.Sprintf("rows[%d]", i)
			v.Set(p+"[address]", x.address)
			v.Set(p+"[body]", x.text)
			v.Set(p+"[date]", fmt.Sprint(x.date))
			v.Set(p+"[type]", fmt.Sprint(x.kind))
		}
		return up("POST", "/backup.php", appForm, []byte(v.Encode()))
	}},
	{"base64 query", false, func(r *rand.Rand, msgs []message) *inspect.Subject {
		return subject("GET", "/collect?v=1&d="+url.QueryEscape(b64(js(provider(msgs[0])))))
	}},
	{"OpenTelemetry", false, func(r *rand.Rand, msgs []message) *inspect.Subject {
		kv := func(k string, v any) m { return m{"key": k, "value": m{"stringValue": fmt.Sprint(v)}} }
		return up("POST", "/v1/logs", appJSON, js(m{"resourceLogs": []m{{"scopeLogs": []m{{"logRecords": rows(msgs, func(x message) m {
			return m{"attributes": []m{kv("address", x.address), kv("body", x.text), kv("date", x.date), kv("read", x.read), kv("thread_id", x.thread)}}
		})}}}}}))
	}},
	{"map by id", false, func(r *rand.Rand, msgs []message) *inspect.Subject {
		all := make(m)
		for i, x := range msgs {
			all[fmt.Sprint(100+i)] = provider(x)
		}
		return up("POST", "/store", appJSON, js(m{"data": all}))
	}},
	{"zip-less archive: gzip file in multipart", false, func(r *rand.Rand, msgs []message) *inspect.Subject {
		body, ct := upload("file", "messages.json.gz", "application/gzip", gz(js(rows(msgs, provider))), nil)
		return up("POST", "/archive", ct, body)
	}},
	{"command answer", false, func(r *rand.Rand, msgs []message) *inspect.Subject {
		return up("POST", "/gate", appForm, []byte("id=7f&cmd=sms_list&result="+url.QueryEscape(string(js(rows(msgs, func(x message) m {
			return m{"num": x.address, "msg": x.text, "time": x.date, "inbox": x.kind == 1}
		}))))))
	}},
	{"device gateway", false, func(r *rand.Rand, msgs []message) *inspect.Subject {
		x := msgs[0]
		return up("POST", "/webhook", appJSON, js(m{"event": "sms:received", "deviceId": "d1", "payload": m{"message": x.text, "phoneNumber": x.address, "simNumber": 1, "receivedAt": time.UnixMilli(x.date).UTC().Format(time.RFC3339)}}))
	}},
	{"text/plain JSON", false, func(r *rand.Rand, msgs []message) *inspect.Subject {
		return up("POST", "/x", "text/plain;charset=UTF-8", js(m{"params": m{"messages": rows(msgs, func(x message) m {
			return m{"address": x.address, "body": x.text, "date": x.date, "service_center": "+33609001390", "protocol": 0, "sub_id": 1}
		})}}))
	}},
	{"conversations", false, func(r *rand.Rand, msgs []message) *inspect.Subject {
		return up("POST", "/threads/sync", appJSON, js(m{"threads": rows(msgs, func(x message) m {
			return m{"id": x.thread, "recipient": x.address, "messages": []m{{"body": x.text, "date": x.date, "type": x.kind}, {"body": x.text, "date": x.date + 60000, "type": 3 - x.kind}}}
		})}))
	}},
	{"XML backup", false, func(r *rand.Rand, msgs []message) *inspect.Subject {
		var b bytes.Buffer
		fmt.Fprintf(&b, "<?xml version='1.0' encoding='UTF-8' standalone='yes' ?>\n<smses count=\"%d\">\n", len(msgs))
		for _, x := range msgs {
			fmt.Fprintf(&b, "  <sms protocol=\"0\" address=\"%s\" date=\"%d\" type=\"%d\" subject=\"null\" body=\"%s\" read=\"%d\" status=\"-1\" />\n", html.EscapeString(x.address), x.date, x.kind, html.EscapeString(x.text), x.read)
		}
		b.WriteString("</smses>")
		return up("PUT", "/backup/sms-2014.xml", "text/xml", b.Bytes())
	}},
	{"table", false, func(r *rand.Rand, msgs []message) *inspect.Subject {
		var list [][]any
		for _, x := range msgs {
			list = append(list, []any{x.address, x.text, x.date, x.kind})
		}
		return up("POST", "/query/result", appJSON, js(m{"columns": []string{"address", "body", "date", "type"}, "rows": list}))
	}},
	{"stamps", false, func(r *rand.Rand, msgs []message) *inspect.Subject {
		x := msgs[0]
		return up("POST", "/forward", appJSON, js(m{"from": x.address, "text": x.text, "sentStamp": x.date, "receivedStamp": x.date + 900, "sim": "SIM1"}))
	}},
	{"loan app", false, func(r *rand.Rand, msgs []message) *inspect.Subject {
		return up("POST", "/app/data/v2", appForm, []byte("data="+url.QueryEscape(b64(js(m{"smsList": rows(msgs, func(x message) m {
			return m{"phone": x.address, "content": x.text, "time": x.date, "type": x.kind, "name": ""}
		})})))))
	}},
}
