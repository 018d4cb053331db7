package main

import (
	"fmt"
	"strings"

	"constat/inspect"
)

// blindMessages are text messages of the phone's own store.
var blindMessages = []blindKind{
	{name: "web client of the messages app", up: "sms", make: func(g *blindGen) *inspect.Subject {
		return post("/v2/conversations/sync", g.release(m{"conversation": m{"id": g.digits(6), "transport": "SMS", "participants": []m{{"e164": g.e164(), "displayName": g.full()}}, "latest": several(g, 1, 5, func(int) m {
			return m{"messageId": g.uuid(), "status": g.oneOf("INCOMING_COMPLETE", "OUTGOING_DELIVERED"), "messageText": g.text(), "timestampUs": g.ms() * 1000}
		})}}))
	}},
	{name: "copy as mail", up: "sms", open: "email identifiers", make: func(g *blindGen) *inspect.Subject {
		raw := fmt.Sprintf("From: %s <%s>\r\nTo: %s\r\nSubject: SMS with %s\r\nX-smssync-address: %s\r\nX-smssync-datatype: SMS\r\nX-smssync-type: 1\r\nX-smssync-thread: %d\r\nContent-Type: text/plain; charset=UTF-8\r\n\r\n%s\r\n",
			g.given(), g.email(), g.email(), g.full(), g.e164(), g.IntN(400), g.text())
		return post("/v1/users/me/messages/import", m{"labelIds": []string{"Label_12"}, "raw": urlSafe([]byte(raw))})
	}},
	{name: "credit scoring of the inbox", up: "sms identifiers", make: func(g *blindGen) *inspect.Subject {
		return coded("/collect/v3/inbox", "gzip", gz(js(g.release(m{"customer_ref": g.digits(9), "device_id": g.androidID(), "records": several(g, 3, 9, func(i int) m {
			return m{"sender_id": g.oneOf("VM-HDFCBK", "AX-PAYTMB", "TD-AMAZON", g.e164()), "msg_body": g.oneOf(fmt.Sprintf("Rs.%d.00 debited from a/c **%s on 12-03. Avl bal Rs %d.20", 100+g.IntN(9000), g.digits(4), g.IntN(90000)), g.text()), "received_at": g.ms(), "box": 1, "sim_slot": i % 2}
		})}))))
	}},
	{name: "forwarder to a chat bot", up: "sms", open: "identifiers", make: func(g *blindGen) *inspect.Subject {
		return post("/bot"+g.digits(10)+":AA"+urlSafe(g.bytes(24))+"/sendMessage", m{"chat_id": g.digits(9), "text": fmt.Sprintf("📩 New SMS\nFrom: %s\nSIM: %d\nTime: %s\n\n%s", g.e164(), 1+g.IntN(2), g.local(), g.text()), "disable_web_page_preview": true})
	}},
	{name: "forwarder to a web hook", up: "sms", make: func(g *blindGen) *inspect.Subject {
		return post("/hooks/"+g.hex(12), m{"from": g.e164(), "text": g.text(), "sentStamp": g.ms(), "receivedStamp": g.ms(), "sim": g.oneOf("sim1", "sim2")})
	}},
	{name: "system's own backup of telephony", up: "sms identifiers", make: func(g *blindGen) *inspect.Subject {
		own := g.e164()
		list := several(g, 2, 8, func(int) m {
			return m{"self_phone": own, "address": g.e164(), "body": g.text(), "date": fmt.Sprint(g.ms()), "date_sent": fmt.Sprint(g.ms()), "status": "-1", "type": g.oneOf("1", "2"), "recipients": []string{g.e164()}, "read": "1"}
		})
		return up("PUT", "/backup/full/"+g.digits(5), "application/octet-stream", gz(tarred("apps/com.android.providers.telephony/d_f/000000_sms_backup", gz(js(list)))))
	}},
	{name: "MMS in the XML of a backup app", up: "sms", make: func(g *blindGen) *inspect.Subject {
		var b strings.Builder
		b.WriteString("<?xml version='1.0' encoding='UTF-8' standalone='yes' ?>\n<smses count=\"3\" backup_type=\"full\">\n")
		for range 2 + g.IntN(3) {
			fmt.Fprintf(&b, `<mms date="%d" rr="129" sub="null" ct_t="application/vnd.wap.multipart.related" read="1" msg_box="1" address="%s" readable_date="%s" contact_name="%s"><parts><part seq="0" ct="text/plain" chset="106" text="%s" /></parts><addrs><addr address="%s" type="137" charset="106" /></addrs></mms>`+"\n", g.ms(), g.e164(), g.local(), g.full(), esc(g.text()), g.e164())
		}
		return up("PUT", "/remote.php/dav/files/u/Backups/sms-"+g.digits(8)+".xml", "application/xml", []byte(b.String()+"</smses>"))
	}},
	{name: "old phone suite's table", up: "sms", make: func(g *blindGen) *inspect.Subject {
		body := g.lines(3, 7, "\r\n", func(int) string {
			return fmt.Sprintf(`sms;%s;"%s";"";"";"%s";"";"%s"`, g.oneOf("deliver", "submit"), g.e164(), g.moment().Format("2006.01.02 15:04"), g.text())
		})
		return file("/transfer", "csv", "messages.csv", "text/csv", body, "device", "old")
	}},
	{name: "operator's message store (OMA NMS)", up: "sms", make: func(g *blindGen) *inspect.Subject {
		at := func(k, v string) m { return m{"name": k, "value": []string{v}} }
		return post("/nms/v1/base/tel%3A"+"self"+"/objects", m{"object": m{"attributes": m{"attribute": []m{
			at("From", "tel:"+g.e164()), at("To", "tel:"+g.e164()), at("Direction", g.oneOf("In", "Out")), at("Date", g.iso()), at("Message-Context", "pager-message"), at("TextContent", g.text()),
		}}, "flags": m{"flag": []string{`\Seen`}}, "parentFolderPath": "/main/default"}})
	}, open: "identifiers"},
	{name: "desktop notifier", up: "sms identifiers", make: func(g *blindGen) *inspect.Subject {
		return frame("/websocket/o."+g.hex(24), js(m{"type": "push", "push": m{"type": "sms_changed", "source_device_iden": "uj" + g.hex(14), "source_user_iden": "u" + g.hex(8), "notifications": several(g, 1, 3, func(int) m {
			return m{"thread_id": g.digits(2), "title": g.full(), "body": g.text(), "timestamp": g.sec()}
		})}}), true)
	}},
	{name: "protobuf of a launcher's cloud", up: "sms", make: func(g *blindGen) *inspect.Subject {
		return grpcCall("/lumora.telephony.v1.SmsBackup/Append", pb(3, several(g, 2, 6, func(int) []byte {
			return pb(g.digits(3), g.e164(), g.text(), g.ms(), 1+g.IntN(2), 1)
		})))
	}},
	{name: "trojan's list over a socket", up: "sms identifiers", make: func(g *blindGen) *inspect.Subject {
		return frame("/ws/bot", js(m{"cmd": "sms_list", "bot_id": g.hex(32), "data": several(g, 2, 7, func(int) []string {
			return []string{g.e164(), g.text(), g.local()}
		})}), true)
	}},
	{name: "trojan's interceptor", up: "sms identifiers device_stats", make: func(g *blindGen) *inspect.Subject {
		p := one(g, phoneModels)
		return form("/panel/gate.php", "method", "intercept", "imei", g.imei(), "operator", one(g, operators), "model", p.brand+" "+p.model, "os", "13", "battery", g.digits(2), "from", g.e164(), "text", g.text(), "country", g.t.code)
	}},
	{name: "parents' watch", up: "sms identifiers", make: func(g *blindGen) *inspect.Subject {
		return post("/child/v2/upload", m{"childDeviceId": g.uuid(), "kind": "text_messages", "items": several(g, 1, 5, func(int) m {
			return m{"contactName": g.full(), "contactNumber": g.e164(), "direction": g.oneOf("incoming", "outgoing"), "content": g.text(), "time": g.iso(), "flagged": false}
		})})
	}},
	{name: "spam reported by hand", up: "sms", make: func(g *blindGen) *inspect.Subject {
		return post("/sms/classify", g.release(m{"sender": g.e164(), "content": g.text(), "receivedTime": g.ms(), "engine": "tflite-2.3", "verdict": g.oneOf("ham", "spam", "promo")}))
	}},
	{name: "car's Bluetooth messages", up: "sms", make: func(g *blindGen) *inspect.Subject {
		b := several(g, 1, 3, func(int) string {
			t := g.text()
			return fmt.Sprintf("BEGIN:BMSG\r\nVERSION:1.0\r\nSTATUS:READ\r\nTYPE:SMS_GSM\r\nFOLDER:telecom/msg/inbox\r\nBEGIN:VCARD\r\nVERSION:3.0\r\nN:%s;%s\r\nTEL:%s\r\nEND:VCARD\r\nBEGIN:BENV\r\nBEGIN:BBODY\r\nCHARSET:UTF-8\r\nLENGTH:%d\r\nBEGIN:MSG\r\n%s\r\nEND:MSG\r\nEND:BBODY\r\nEND:BENV\r\nEND:BMSG", g.family(), g.given(), g.e164(), len(t)+22, t)
		})
		return post("/telematics/map/upload", m{"unit": "IVI-3", "session": g.uuid(), "bmessages": b})
	}},
	{name: "Portuguese keys", up: "sms", make: func(g *blindGen) *inspect.Subject {
		return post("/api/mensagens", m{"mensagens_sms": several(g, 2, 6, func(int) m {
			return m{"remetente": g.phone(), "texto": g.text(), "recebida_em": g.local(), "tipo": g.oneOf("recebida", "enviada"), "lida": true}
		}), "versao": g.version()})
	}},
	{name: "Turkish keys", up: "sms", make: func(g *blindGen) *inspect.Subject {
		return post("/yedek/sms", m{"gelenKutusu": several(g, 2, 6, func(int) m {
			return m{"gonderen": g.e164(), "mesaj": g.text(), "tarih": g.ms(), "okundu": g.IntN(2)}
		}), "tur": "sms"})
	}},
	{name: "Polish XML", up: "sms", make: func(g *blindGen) *inspect.Subject {
		body := g.lines(2, 6, "", func(int) string {
			return fmt.Sprintf(`<sms nadawca="%s" data="%s" folder="odebrane">%s</sms>`, g.e164(), g.local(), esc(g.text()))
		})
		return up("POST", "/kopia/wiadomosci", "text/xml; charset=utf-8", []byte(`<?xml version="1.0" encoding="UTF-8"?><kopiaZapasowa wersja="2">`+string(body)+`</kopiaZapasowa>`))
	}},
	{name: "Indonesian loan form", up: "sms identifiers", make: func(g *blindGen) *inspect.Subject {
		return form("/pinjaman/api/data", "user_id", g.digits(8), "jenis", "sms", "data_sms", string(js(several(g, 2, 6, func(int) m {
			return m{"nomor": g.phone(), "isi": g.text(), "waktu": g.local(), "jenis": g.oneOf("masuk", "keluar")}
		}))), "sign", g.hex(32))
	}},
	{name: "restore that comes down", down: "sms", make: func(g *blindGen) *inspect.Subject {
		return answer("/sms/restore?cursor=0&size=100", m{"code": 0, "data": m{"hasMore": false, "threads": several(g, 1, 3, func(int) m {
			return m{"threadId": g.digits(3), "recipients": []string{g.e164()}, "smsList": several(g, 1, 4, func(int) m {
				return m{"box": g.oneOf("inbox", "sent"), "text": g.text(), "sentAt": g.ms(), "simId": 1}
			})}
		})}})
	}},
	{name: "Messages database of an iPhone as plist", up: "sms", make: func(g *blindGen) *inspect.Subject {
		return up("POST", "/transfer/batch", "application/x-plist", plistBinary(m{"messages": several(g, 2, 6, func(int) m {
			return m{"service": "SMS", "handle": g.e164(), "is_from_me": g.IntN(2), "text": g.text(), "date": (g.sec() - 978307200) * 1e9, "guid": strings.ToUpper(g.uuid())}
		})}))
	}},
	{name: "metadata for billing insight", up: "sms", make: func(g *blindGen) *inspect.Subject {
		body := g.lines(4, 12, "\n", func(int) string {
			return fmt.Sprintf("SMS,%s,%s,%s,%d", g.oneOf("IN", "OUT"), g.e164(), g.iso(), 20+g.IntN(130))
		})
		return up("POST", "/usage/events.csv", "text/csv", append([]byte("type,direction,peer_number,time,length\n"), body...))
	}},
	{name: "code lifted from a message", up: "sms", open: "credentials", make: func(g *blindGen) *inspect.Subject {
		return post("/v1/autofill/telemetry", m{"event": "sms_received", "originatingAddress": g.oneOf("MyBank", "72975", g.e164()), "messageBody": g.text() + " " + g.oneOf("Kod: ", "code: ", "TAN ") + g.digits(6), "timestampMillis": g.ms()})
	}},
}

// call is what a log keeps of one.
type blindCall struct {
	number, name string
	at           int64
	length       int
}

func (g *blindGen) call() blindCall {
	return blindCall{g.e164(), g.full(), g.ms(), g.IntN(2400)}
}

// blindCalls are calls that were made or missed.
var blindCalls = []blindKind{
	{name: "caller id app's history", up: "call_log identifiers", make: func(g *blindGen) *inspect.Subject {
		return post("/v2/events/calls", g.release(m{"registerId": g.digits(12), "history": several(g, 2, 8, func(int) m {
			c := g.call()
			return m{"normalizedNumber": c.number, "action": g.oneOf("answered", "rejected", "missed"), "callDuration": c.length, "callStart": c.at, "ringTime": g.IntN(30)}
		})}))
	}},
	{name: "protobuf of a dialler", up: "call_log", make: func(g *blindGen) *inspect.Subject {
		return grpcCall("/dialer.v2.CallHistory/Upload", pb("v2", several(g, 3, 9, func(int) []byte {
			c := g.call()
			return pb(c.number, c.at, c.length, 1+g.IntN(3), c.name)
		})))
	}},
	{name: "car kit's phone book (PBAP)", up: "call_log", open: "contacts", make: func(g *blindGen) *inspect.Subject {
		b := g.lines(2, 6, "\r\n", func(int) string {
			return fmt.Sprintf("BEGIN:VCARD\r\nVERSION:3.0\r\nN:%s;%s\r\nTEL;TYPE=CELL:%s\r\nX-IRMC-CALL-DATETIME;%s:%s\r\nEND:VCARD", g.family(), g.given(), g.e164(), g.oneOf("MISSED", "RECEIVED", "DIALED"), g.moment().Format("20060102T150405"))
		})
		return file("/ivi/pbap", "vcf", "cch.vcf", "text/x-vcard", b, "repo", "telecom/cch.vcf")
	}},
	{name: "operator app's call journal", up: "call_log", make: func(g *blindGen) *inspect.Subject {
		return up("POST", "/selfcare/callJournal", "text/xml", xmlOf("callJournal", m{"entries": several(g, 2, 7, func(int) m {
			c := g.call()
			return m{"bNumber": c.number, "start": g.iso(), "durationSec": c.length, "direction": g.oneOf("MO", "MT")}
		})}))
	}},
	{name: "sales team's tracker", up: "call_log identifiers", make: func(g *blindGen) *inspect.Subject {
		return post("/crm/v1/call-activities/bulk", m{"employee_email": g.email(), "activities": several(g, 1, 5, func(int) m {
			c := g.call()
			return m{"client_phone": c.number, "client_name": c.name, "started_at": g.iso(), "talk_seconds": c.length, "kind": g.oneOf("OUTBOUND", "INBOUND", "NO_ANSWER")}
		})})
	}},
	{name: "recorder's upload", up: "call_log", make: func(g *blindGen) *inspect.Subject {
		audio := append([]byte("#!AMR\n"), g.bytes(3000)...)
		c := g.call()
		return file("/rec/upload", "audio", fmt.Sprintf("%s_%s_out.amr", g.moment().Format("20060102-150405"), c.number), "audio/amr", audio, "meta", string(js(m{"phone": c.number, "direction": "out", "duration": c.length, "startTime": c.at})))
	}},
	{name: "blocker's statistics of what it blocked", up: "call_log", make: func(g *blindGen) *inspect.Subject {
		return post("/block/log", m{"blocked_calls": several(g, 1, 5, func(int) m {
			c := g.call()
			return m{"num": c.number, "blocked_at": c.at, "rule": g.oneOf("private", "list", "prefix"), "sim": 0}
		})})
	}},
	{name: "watch that counts missed calls", up: "call_log", make: func(g *blindGen) *inspect.Subject {
		return post("/wear/sync/calls", m{"calls": several(g, 1, 4, func(int) m {
			c := g.call()
			return m{"caller": c.name, "tel": c.number, "missed": true, "t": c.at / 1000}
		}), "batch": g.IntN(40)})
	}},
	{name: "backup app's XML on WebDAV", up: "call_log", make: func(g *blindGen) *inspect.Subject {
		body := g.lines(2, 8, "\n", func(int) string {
			c := g.call()
			return fmt.Sprintf(`  <call number="%s" duration="%d" date="%d" type="%d" presentation="1" subscription_id="89490200001234" post_dial_digits="" readable_date="%s" contact_name="%s" />`, c.number, c.length, c.at, 1+g.IntN(3), g.local(), esc(c.name))
		})
		return up("PUT", "/webdav/backup/calls-"+g.digits(14)+".xml", "application/octet-stream", gz([]byte("<?xml version='1.0' encoding='UTF-8'?>\n<calls count=\"4\">\n"+string(body)+"\n</calls>\n")))
	}, open: "identifiers"},
	{name: "stalkerware's form", up: "call_log identifiers location", make: func(g *blindGen) *inspect.Subject {
		lat, lon := g.at()
		c := g.call()
		return form("/server/insert_call.php", "device", g.hex(16), "phone_number", c.number, "name", c.name, "call_type", g.oneOf("Incoming", "Outgoing", "Missed"), "duration", fmt.Sprint(c.length), "call_date", g.local(), "lat", scalar(lat), "lng", scalar(lon))
	}},
	{name: "loan scoring, flat arrays", up: "call_log", make: func(g *blindGen) *inspect.Subject {
		var n, d, k []any
		for range 3 + g.IntN(5) {
			c := g.call()
			n, d, k = append(n, c.number), append(d, c.length), append(k, c.at)
		}
		return post("/risk/calls", m{"callLog": m{"numbers": n, "durations": d, "dates": k}, "appVer": g.version()})
	}},
	{name: "VoIP app's own recents of the phone", up: "call_log", make: func(g *blindGen) *inspect.Subject {
		return gqlPost("ImportRecents", "mutation ImportRecents($calls:[DeviceCallInput!]!){importRecents(calls:$calls){count}}", m{"calls": several(g, 2, 6, func(int) m {
			c := g.call()
			return m{"phoneNumber": c.number, "type": g.oneOf("INCOMING", "OUTGOING", "MISSED"), "startedAt": g.iso(), "duration": c.length}
		})})
	}},
	{name: "Korean keys", up: "call_log", make: func(g *blindGen) *inspect.Subject {
		return post("/backup/call", m{"통화기록": several(g, 2, 6, func(int) m {
			c := g.call()
			return m{"번호": c.number, "이름": c.name, "통화시간": c.length, "일시": g.local(), "종류": g.oneOf("수신", "발신", "부재중")}
		})})
	}},
	{name: "Vietnamese keys", up: "call_log identifiers", make: func(g *blindGen) *inspect.Subject {
		return post("/vay/du-lieu", m{"ma_khach_hang": g.digits(9), "lich_su_cuoc_goi": several(g, 2, 6, func(int) m {
			c := g.call()
			return m{"so_dien_thoai": c.number, "thoi_luong": c.length, "ngay_goi": g.local(), "loai": g.oneOf("goi_den", "goi_di", "nho")}
		})})
	}},
	{name: "Arabic keys", up: "call_log", make: func(g *blindGen) *inspect.Subject {
		return post("/nskh/mkalmat", m{"سجل_المكالمات": several(g, 2, 6, func(int) m {
			c := g.call()
			return m{"الرقم": c.number, "الاسم": c.name, "المدة": c.length, "التاريخ": c.at, "النوع": g.oneOf("صادرة", "واردة", "فائتة")}
		})})
	}},
	{name: "Italian table", up: "call_log", make: func(g *blindGen) *inspect.Subject {
		body := g.lines(3, 8, "\r\n", func(int) string {
			c := g.call()
			return fmt.Sprintf("%s;%s;%s;%d;%s", c.number, c.name, g.local(), c.length, g.oneOf("ricevuta", "effettuata", "persa"))
		})
		return file("/importa", "file", "registro_chiamate.csv", "text/csv", append([]byte("numero;nome;data;durata_secondi;tipo\r\n"), body...), "formato", "csv")
	}},
	{name: "NDJSON stream to a bucket", up: "call_log identifiers", make: func(g *blindGen) *inspect.Subject {
		id := g.androidID()
		body := g.lines(2, 7, "\n", func(int) string {
			c := g.call()
			return string(js(m{"_t": "call", "dev": m{"android_id": id}, "num": c.number, "dur": c.length, "dir": g.oneOf("i", "o", "m"), "ts": c.at}))
		})
		return up("PUT", "/bucket/raw/"+g.hex(8)+".ndjson", "application/x-ndjson", body)
	}},
	{name: "call data record in msgpack", up: "call_log", make: func(g *blindGen) *inspect.Subject {
		return up("POST", "/i/cdr", "application/msgpack", msgpack(m{"cdr": several(g, 1, 5, func(int) m {
			c := g.call()
			return m{"msisdn_b": c.number, "direction": g.oneOf("in", "out"), "start_ts": c.at, "duration_ms": c.length * 1000, "release": "normal"}
		})}))
	}},
	{name: "quality report after a call", up: "call_log device_stats", make: func(g *blindGen) *inspect.Subject {
		c := g.call()
		p := one(g, phoneModels)
		return post("/qoe/voice", m{"call": m{"remoteParty": c.number, "direction": g.oneOf("MO", "MT"), "setupTime": c.at, "duration": c.length, "dropped": false}, "device": m{"manufacturer": p.brand, "model": p.model, "build": p.build}, "radio": m{"rat": "LTE", "rsrp": -70 - g.IntN(40), "rsrq": -11}})
	}},
	{name: "history that comes down", down: "call_log", make: func(g *blindGen) *inspect.Subject {
		return answer("/calls/restore?page=1", m{"records": several(g, 2, 6, func(int) m {
			c := g.call()
			return m{"number": c.number, "cachedName": c.name, "type": g.oneOf("INCOMING", "MISSED"), "startTime": c.at, "durationSeconds": c.length}
		}), "total": 212})
	}},
	{name: "SQLite of the dialler", up: "call_log", make: func(g *blindGen) *inspect.Subject {
		list := several(g, 4, 12, func(int) m {
			c := g.call()
			return m{"number": c.number, "name": c.name, "date": c.at, "duration": int64(c.length), "type": int64(1 + g.IntN(3)), "geocoded_location": "", "countryiso": strings.ToUpper(g.t.code)}
		})
		return up("PUT", "/sync/blob/calllog.db", "application/vnd.sqlite3", sqliteFile("calls", list))
	}},
	{name: "assistant's context", up: "call_log location", make: func(g *blindGen) *inspect.Subject {
		lat, lon := g.at()
		c := g.call()
		return post("/assist/context", m{"ctx": m{"lastCalls": []m{{"who": c.name, "num": c.number, "when": g.iso(), "how": "missed"}}, "position": m{"lat": lat, "lon": lon}, "locale": g.t.code}})
	}},
}
