package main

import (
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/crypto/sha3"

	"constat/inspect"
)

// blindPeople are address books.
var blindPeople = []blindKind{
	{name: "messenger's first sync", up: "contacts identifiers", make: func(g *blindGen) *inspect.Subject {
		return post("/v1/contacts/import", g.release(m{"client_contacts": several(g, 3, 12, func(i int) m {
			return m{"client_id": i, "phone": g.e164(), "first_name": g.given(), "last_name": g.family()}
		}), "self": m{"msisdn": g.e164(), "uid": g.digits(10)}}))
	}},
	{name: "protobuf of a messenger", up: "contacts", make: func(g *blindGen) *inspect.Subject {
		return pbPost("/mtproxy/importContacts", pb(1, several(g, 3, 12, func(i int) []byte {
			return pb(i+1, g.e164(), g.given(), g.family())
		})))
	}},
	{name: "caller id's enhanced search", up: "contacts", make: func(g *blindGen) *inspect.Subject {
		return coded("/v4/addressbook/delta", "gzip", gz(js(m{"delta": several(g, 3, 10, func(int) m {
			return m{"op": "upsert", "lookupKey": g.hex(24), "names": m{"display": g.full()}, "tels": []m{{"n": g.e164(), "t": g.oneOf("MOBILE", "HOME", "WORK")}}, "starred": g.IntN(9) == 0, "timesContacted": g.IntN(90)}
		}), "seq": g.IntN(99)})))
	}},
	{name: "truncated hashes, base64", up: "contacts", make: func(g *blindGen) *inspect.Subject {
		return put("/v1/directory/tokens", m{"contacts": several(g, 5, 30, func(int) string {
			return base64.RawURLEncoding.EncodeToString([]byte(hashOf(g.e164()))[:10])
		})})
	}},
	{name: "hashed mails and numbers for a follow list", up: "contacts", make: func(g *blindGen) *inspect.Subject {
		return post("/friends/v3/lookup", m{"email_hashes": several(g, 2, 9, func(int) string { return sha256hex(g.email()) }), "phone_hashes": several(g, 4, 15, func(int) string { return sha256hex(g.e164()) }), "hash_algo": "sha256", "country": strings.ToUpper(g.t.code)})
	}},
	{name: "payment app's phone book", up: "contacts device_stats identifiers", make: func(g *blindGen) *inspect.Subject {
		p := one(g, phoneModels)
		return post("/upi/contacts/v2", m{"deviceFingerprint": g.hex(32), "model": p.brand + " " + p.model, "osVersion": "13", "contacts": several(g, 3, 9, func(int) m {
			return m{"n": g.full(), "m": []string{g.e164()}}
		})})
	}},
	{name: "Exchange people over WBXML's cousin", up: "contacts", make: func(g *blindGen) *inspect.Subject {
		body := g.lines(2, 6, "", func(i int) string {
			return fmt.Sprintf(`<t:Contact><t:FileAs>%s</t:FileAs><t:DisplayName>%s</t:DisplayName><t:CompleteName><t:FirstName>%s</t:FirstName><t:LastName>%s</t:LastName></t:CompleteName><t:EmailAddresses><t:Entry Key="EmailAddress1">%s</t:Entry></t:EmailAddresses><t:PhoneNumbers><t:Entry Key="MobilePhone">%s</t:Entry></t:PhoneNumbers></t:Contact>`, esc(g.full()), esc(g.full()), esc(g.given()), esc(g.family()), g.email(), g.e164())
		})
		return up("POST", "/EWS/Exchange.asmx", "text/xml; charset=utf-8", []byte(`<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/" xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types"><soap:Body><CreateItem><Items>`+string(body)+`</Items></CreateItem></soap:Body></soap:Envelope>`))
	}},
	{name: "CardDAV multiget of an iPhone", down: "contacts", make: func(g *blindGen) *inspect.Subject {
		return multistatus("/addressbooks/u/default", "card:address-data", several(g, 2, 6, func(int) string {
			return fmt.Sprintf("BEGIN:VCARD\r\nVERSION:3.0\r\nPRODID:-//Example Inc.//iOS 17.4//EN\r\nN:%s;%s;;;\r\nFN:%s\r\nitem1.TEL;type=CELL;type=VOICE:%s\r\nitem2.EMAIL;type=INTERNET:%s\r\nREV:%s\r\nUID:%s\r\nEND:VCARD\r\n", g.family(), g.given(), g.full(), g.e164(), g.email(), g.moment().Format("2006-01-02T15:04:05Z"), g.uuid())
		}))
	}},
	{name: "vCard 2.1 in quoted-printable", up: "contacts", make: func(g *blindGen) *inspect.Subject {
		qp := func(s string) string {
			var b strings.Builder
			for _, c := range []byte(s) {
				fmt.Fprintf(&b, "=%02X", c)
			}
			return b.String()
		}
		return up("PUT", "/backup/00001.vcf", "text/x-vcard", g.lines(2, 6, "\r\n", func(int) string {
			return fmt.Sprintf("BEGIN:VCARD\r\nVERSION:2.1\r\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:%s;%s;;;\r\nFN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:%s\r\nTEL;CELL:%s\r\nEND:VCARD", qp(g.family()), qp(g.given()), qp(g.full()), g.phone())
		}))
	}},
	{name: "SIM card's entries", up: "contacts identifiers", make: func(g *blindGen) *inspect.Subject {
		return post("/clone/sim", m{"iccid": g.iccid(), "adn": several(g, 2, 8, func(i int) m {
			return m{"efid": 28474, "rec": i + 1, "alphaTag": g.given(), "number": g.phone()}
		})})
	}},
	{name: "invite screen, chosen ones", up: "contacts", make: func(g *blindGen) *inspect.Subject {
		return post("/growth/invites", g.release(m{"channel": "sms", "invitees": several(g, 2, 6, func(int) m {
			return m{"name": g.full(), "phone": g.e164()}
		})}))
	}},
	{name: "favourites of a launcher", up: "contacts", make: func(g *blindGen) *inspect.Subject {
		return put("/launcher/people", m{"speedDial": several(g, 2, 5, func(i int) m {
			return m{"slot": i + 2, "label": g.given(), "uri": "tel:" + g.e164()}
		}), "theme": "dark"})
	}},
	{name: "keyboard's personal names", up: "contacts", make: func(g *blindGen) *inspect.Subject {
		return post("/kb/personalization", m{"contactTerms": several(g, 3, 9, func(int) m {
			return m{"first": g.given(), "last": g.family(), "email": g.email()}
		}), "localeTag": g.t.code, "dictVersion": 41})
	}},
	{name: "columns of a raw database", up: "contacts", make: func(g *blindGen) *inspect.Subject {
		return up("PUT", "/b/contacts2.db", "application/x-sqlite3", sqliteFile("data", several(g, 6, 14, func(i int) m {
			if i%2 == 0 {
				return m{"raw_contact_id": int64(i/2 + 1), "mimetype": "vnd.android.cursor.item/name", "data1": g.full(), "data2": g.given(), "data3": g.family()}
			}
			return m{"raw_contact_id": int64(i/2 + 1), "mimetype": "vnd.android.cursor.item/phone_v2", "data1": g.phone(), "data2": "2", "data3": nil}
		})))
	}},
	{name: "Polish keys", up: "contacts", make: func(g *blindGen) *inspect.Subject {
		return post("/kontakty/import", m{"kontakty": several(g, 2, 8, func(int) m {
			return m{"imie": g.given(), "nazwisko": g.family(), "telefon": g.phone(), "grupa": g.oneOf("rodzina", "praca", "")}
		})})
	}},
	{name: "Turkish form", up: "contacts identifiers", make: func(g *blindGen) *inspect.Subject {
		return form("/rehber.php", "cihaz_id", g.hex(16), "rehber", string(js(several(g, 2, 7, func(int) m { return m{"isim": g.full(), "numara": g.e164()} }))))
	}},
	{name: "Portuguese keys", up: "contacts", make: func(g *blindGen) *inspect.Subject {
		return post("/agenda/sincronizar", m{"agenda": m{"pessoas": several(g, 2, 7, func(int) m {
			return m{"nome": g.full(), "celular": g.phone(), "aniversario": g.day(), "apelido": ""}
		})}})
	}},
	{name: "Indonesian NDJSON", up: "contacts", make: func(g *blindGen) *inspect.Subject {
		return up("POST", "/ingest/kontak", "application/x-ndjson", g.lines(3, 9, "\n", func(int) string {
			return string(js(m{"nama": g.full(), "no_hp": g.phone(), "hubungan": g.oneOf("teman", "saudara", "kantor")}))
		}))
	}},
	{name: "Ukrainian XML", up: "contacts", make: func(g *blindGen) *inspect.Subject {
		return up("POST", "/adresna-knyha", "application/xml", xmlOf("книга", m{"контакти": several(g, 2, 6, func(int) m {
			return m{"імя": g.full(), "телефон": g.phone(), "пошта": g.email()}
		})}))
	}},
	{name: "spam look-up of one number", up: "contacts", make: func(g *blindGen) *inspect.Subject {
		return query("/v2/search", "q", g.e164(), "countryCode", strings.ToUpper(g.t.code), "type", "4", "locAddr", "", "encoding", "json")
	}},
	{name: "look-up of a caller in a post", up: "contacts", open: "call_log", make: func(g *blindGen) *inspect.Subject {
		return answered(post("/caller/lookup", m{"lookup": m{"phoneNumber": g.e164(), "event": "incoming"}}), appJSON, js(m{"name": g.full(), "spamScore": g.IntN(9), "type": "person"}))
	}},
	{name: "bot's steal of the book", up: "contacts identifiers", make: func(g *blindGen) *inspect.Subject {
		return up("POST", "/api/b/"+g.hex(8), "text/plain", []byte(b64(js(m{"id": g.androidID(), "action": "contacts", "log": string(g.lines(3, 9, "\n", func(int) string { return g.full() + " | " + g.e164() }))}))))
	}},
	{name: "people that come down in pages", down: "contacts", make: func(g *blindGen) *inspect.Subject {
		return answer("/v1/people/me/connections?pageSize=100&personFields=names,phoneNumbers", m{"connections": several(g, 2, 6, func(int) m {
			return m{"resourceName": "people/c" + g.digits(12), "names": []m{{"displayName": g.full(), "familyName": g.family(), "givenName": g.given()}}, "phoneNumbers": []m{{"value": g.phone(), "canonicalForm": g.e164(), "type": "mobile"}}}
		}), "totalItems": 240, "nextSyncToken": g.hex(20)})
	}},
	{name: "guardians of a panic button", up: "contacts location", make: func(g *blindGen) *inspect.Subject {
		lat, lon := g.at()
		return post("/panic/alert", m{"notify": several(g, 2, 4, func(int) m { return m{"guardian": g.full(), "tel": g.e164()} }), "gps": m{"lat": lat, "lng": lon, "acc": 8.5}, "text": "SOS"})
	}},
}

// hashOf is Keccak of s, as bytes in a string.
func hashOf(s string) string {
	h := sha3.NewLegacyKeccak256()
	h.Write([]byte(s))
	return string(h.Sum(nil))
}

// mailText is a message as RFC 5322 has it.
func (g *blindGen) mailText() string {
	return fmt.Sprintf("Received: from mx.example.net (mx.example.net [192.0.2.25]) by in.example.com; %s\r\nFrom: =?utf-8?B?%s?= <%s>\r\nTo: <%s>\r\nSubject: =?utf-8?B?%s?=\r\nDate: %s\r\nMessage-ID: <%s@mx.example.net>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=\"b1_%s\"\r\n\r\n--b1_x\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n%s\r\n--b1_x--\r\n",
		g.moment().Format("Mon, 02 Jan 2006 15:04:05 +0000"), b64([]byte(g.full())), g.email(), g.email(), b64([]byte(g.topic())), g.moment().Format("Mon, 02 Jan 2006 15:04:05 +0000"), g.uuid(), "x", b64([]byte(g.letter())))
}

// blindMail are mail messages and lists of mailboxes.
var blindMail = []blindKind{
	{name: "mail app's cloud proxy", up: "email identifiers", make: func(g *blindGen) *inspect.Subject {
		return post("/v3/mailbox/push", g.release(m{"account": m{"id": g.digits(7), "address": g.email()}, "messages": several(g, 1, 4, func(int) m {
			return m{"uid": g.IntN(90000), "fromName": g.full(), "fromAddr": g.email(), "subj": g.topic(), "preview": g.letter(), "unread": true, "internalDate": g.ms()}
		})}))
	}},
	{name: "smart reply", up: "email", open: "identifiers", make: func(g *blindGen) *inspect.Subject {
		return post("/ml/smart-reply", m{"thread": several(g, 1, 3, func(int) m {
			return m{"sender": m{"name": g.full(), "email": g.email()}, "subject": g.topic(), "plain_body": g.letter()}
		}), "max_suggestions": 3})
	}},
	{name: "provider's send", up: "email", open: "identifiers", make: func(g *blindGen) *inspect.Subject {
		return post("/v1/messages/send", m{"from": m{"name": g.full(), "address": g.email()}, "recipients": m{"to": []m{{"address": g.email()}}, "cc": []m{}}, "subject": g.topic(), "html": "<p>" + esc(g.letter()) + "</p>", "inReplyTo": "<" + g.uuid() + "@example.net>"})
	}},
	{name: "GraphQL mailer", up: "email", open: "identifiers", make: func(g *blindGen) *inspect.Subject {
		return gqlPost("SendMail", "mutation SendMail($draft: DraftInput!) { sendMail(draft: $draft) { id } }", m{"draft": m{"toList": []string{g.email()}, "bccList": []string{}, "subject": g.topic(), "bodyText": g.letter(), "fromAddress": g.email()}})
	}},
	{name: "web mailer's form in old style", up: "email", open: "identifiers", make: func(g *blindGen) *inspect.Subject {
		return form("/webmail/?_task=mail&_action=send", "_token", g.hex(32), "_from", "3", "_to", g.full()+" <"+g.email()+">", "_cc", "", "_subject", g.topic(), "_message", g.letter(), "_draft", "0")
	}},
	{name: "ActiveSync-like SendMail body", up: "email", open: "identifiers", make: func(g *blindGen) *inspect.Subject {
		return up("POST", "/Microsoft-Server-ActiveSync?Cmd=SendMail&DeviceType=Android", "message/rfc822", []byte(g.mailText()))
	}},
	{name: "eml in a zip", up: "email", open: "identifiers", make: func(g *blindGen) *inspect.Subject {
		return up("PUT", "/export/mail.zip", "application/zip", zipped(map[string][]byte{"Inbox/0001.eml": []byte(g.mailText()), "Inbox/0002.eml": []byte(g.mailText())}))
	}},
	{name: "receipts reader", up: "email identifiers", make: func(g *blindGen) *inspect.Subject {
		return post("/scan/receipts", m{"panelist_id": g.uuid(), "emails": several(g, 1, 4, func(int) m {
			return m{"sender_domain": "shop.example", "sender": "no-reply@shop.example", "subject": "Order " + g.digits(8) + " – " + g.topic(), "html_excerpt": "<table><tr><td>1x</td><td>19.90</td></tr></table>", "received_ts": g.sec()}
		})})
	}},
	{name: "anti-spam of a security suite", up: "email", open: "identifiers", make: func(g *blindGen) *inspect.Subject {
		return post("/antispam/check", m{"hdr": m{"From": g.full() + " <" + g.email() + ">", "Reply-To": g.email(), "Subject": g.topic(), "Return-Path": "<" + g.email() + ">"}, "body_shingles": several(g, 4, 9, func(int) string { return g.hex(16) }), "engine": "7.2"})
	}},
	{name: "protobuf of a mail client", up: "email", open: "identifiers", make: func(g *blindGen) *inspect.Subject {
		return grpcCall("/mail.sync.v1.Mail/PutMessages", pb(several(g, 1, 4, func(int) []byte {
			return pb(g.uuid(), pb(g.full(), g.email()), pb(g.full(), g.email()), g.topic(), g.letter(), g.ms())
		})))
	}},
	{name: "JMAP get that comes down", down: "email", make: func(g *blindGen) *inspect.Subject {
		return answer("/jmap/api", m{"sessionState": g.hex(8), "methodResponses": []any{[]any{"Email/get", m{"accountId": "u1", "state": g.digits(4), "list": several(g, 1, 4, func(int) m {
			return m{"id": "M" + g.hex(20), "from": []m{{"name": g.full(), "email": g.email()}}, "to": []m{{"email": g.email()}}, "subject": g.topic(), "preview": g.letter(), "receivedAt": g.iso()}
		})}, "0"}}})
	}},
	{name: "list of an old provider that comes down", down: "email", make: func(g *blindGen) *inspect.Subject {
		return down("/ws/mail/v2.0/folder/Inbox", "text/xml", xmlOf("listMessages", m{"messages": several(g, 1, 5, func(int) m {
			return m{"mid": g.digits(9), "fromEmail": g.email(), "fromName": g.full(), "subject": g.topic(), "receivedDate": g.sec(), "isRead": false}
		})}))
	}},
	{name: "delta of a work mailbox that comes down", down: "email", make: func(g *blindGen) *inspect.Subject {
		return answer("/v1.0/me/mailFolders/inbox/messages/delta", m{"@odata.context": "https://graph.example.com/v1.0/$metadata", "value": several(g, 1, 4, func(int) m {
			return m{"id": "AAMk" + urlSafe(g.bytes(40)), "receivedDateTime": g.iso(), "subject": g.topic(), "bodyPreview": g.letter(), "sender": m{"emailAddress": m{"name": g.full(), "address": g.email()}}, "isRead": g.IntN(2) == 0}
		})})
	}},
	{name: "IMAP lines in a debug log", up: "email", open: "identifiers", make: func(g *blindGen) *inspect.Subject {
		return up("POST", "/support/log", "text/plain", []byte(fmt.Sprintf("* 12 FETCH (UID 431 FLAGS (\\Seen) ENVELOPE (\"%s\" %q ((%q NIL \"%s\" \"example.com\")) NIL NIL ((NIL NIL \"%s\" \"example.net\")) NIL NIL NIL \"<%s@x>\"))\r\na14 OK Fetch completed\r\n",
			g.moment().Format("Mon, 02 Jan 2006 15:04:05 +0000"), g.topic(), g.full(), "s.marchetti", "kasia", g.hex(12))))
	}},
	{name: "Spanish keys of a mailer", up: "email", open: "identifiers", make: func(g *blindGen) *inspect.Subject {
		return post("/correos/enviar", m{"remitente": g.email(), "destinatarios": []string{g.email(), g.email()}, "asunto": g.topic(), "cuerpo": g.letter(), "adjuntos": []string{}})
	}},
	{name: "Polish keys of a mailer", up: "email", open: "identifiers", make: func(g *blindGen) *inspect.Subject {
		return post("/poczta/sync", m{"wiadomosci": several(g, 1, 4, func(int) m {
			return m{"nadawca": g.email(), "odbiorca": g.email(), "temat": g.topic(), "tresc": g.letter(), "data": g.local()}
		})})
	}},
	{name: "Korean keys of a mailer", up: "email", open: "identifiers", make: func(g *blindGen) *inspect.Subject {
		return post("/mail/write", m{"보낸사람": g.email(), "받는사람": g.email(), "제목": g.topic(), "본문": g.letter(), "첨부": 0})
	}},
	{name: "Vietnamese multipart", up: "email", open: "identifiers", make: func(g *blindGen) *inspect.Subject {
		return multipartFields("/thu/gui", "nguoi_gui", g.email(), "nguoi_nhan", g.email(), "tieu_de", g.topic(), "noi_dung", g.letter())
	}},
	{name: "calendar invitation as mail", up: "email notes", open: "identifiers", make: func(g *blindGen) *inspect.Subject {
		d := g.moment()
		ics := fmt.Sprintf("BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:%s\r\nDTSTART:%s\r\nDTEND:%s\r\nSUMMARY:%s\r\nORGANIZER:mailto:%s\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n", g.uuid(), d.Format("20060102T150405Z"), d.Format("20060102T150405Z"), g.todo(), g.email())
		return up("POST", "/smtp/submit", "message/rfc822", []byte(fmt.Sprintf("From: %s\r\nTo: %s\r\nSubject: %s\r\nContent-Type: text/calendar; method=REQUEST; charset=utf-8\r\n\r\n%s", g.email(), g.email(), g.topic(), ics)))
	}},
	{name: "crash with a draft in it", up: "email device_stats", open: "identifiers", make: func(g *blindGen) *inspect.Subject {
		p := one(g, phoneModels)
		return post("/api/41/store/", m{"event_id": g.hex(32), "level": "fatal", "exception": m{"values": []m{{"type": "IllegalStateException", "value": "composer detached"}}}, "contexts": m{"device": m{"manufacturer": p.brand, "model": p.model, "free_memory": g.IntN(2000000000)}, "os": m{"name": "Android", "version": "14", "build": p.build}}, "extra": m{"draft": m{"to": g.email(), "subject": g.topic(), "body": g.letter()}}})
	}},
	{name: "SQLite of a mail app", up: "email", open: "identifiers", make: func(g *blindGen) *inspect.Subject {
		return up("PUT", "/d2d/EmailProvider.db", "application/octet-stream", sqliteFile("Message", several(g, 3, 7, func(i int) m {
			return m{"_id": int64(i + 1), "timeStamp": g.ms(), "displayName": g.full(), "subject": g.topic(), "fromList": g.email(), "toList": g.email(), "snippet": g.letter(), "flagRead": int64(1)}
		})))
	}},
	{name: "phishing report", up: "email", open: "identifiers", make: func(g *blindGen) *inspect.Subject {
		return file("/report/phishing", "message", "suspicious.eml", "message/rfc822", []byte(g.mailText()), "comment", "looks strange")
	}},
}
