package main

import (
	"bytes"
	"fmt"
	"mime"
	"strings"

	"constat/inspect"
)

type letter struct{ from, to, subject, text string }

func newLetter(g *gen) letter {
	return letter{g.email(), g.email(), pick(g, g.subjects), pick(g, g.mails)}
}

func letters(g *gen, f func(l letter) m) []m {
	return times(g, 1, 5, func(int) m {
		g.speak()
		return f(newLetter(g))
	})
}

var emailFamily = family{
	class: inspect.Email, byValue: true, rounds: 12,
	dialects: openAll(classes(inspect.Identifiers), []dialect{
		{name: "from, to, subject, body", path: "/mail/sync", value: func(g *gen) any {
			return m{"messages": letters(g, func(l letter) m {
				return m{"from": l.from, "to": []string{l.to}, "subject": l.subject, "body": l.text, "date": g.iso()}
			})}
		}},
		{name: "recipients with names", path: "/me/sendMail", value: func(g *gen) any {
			l := newLetter(g)
			return m{"message": m{"subject": l.subject, "body": m{"contentType": "Text", "content": l.text}, "toRecipients": []m{{"emailAddress": m{"address": l.to, "name": g.person().full}}}}, "saveToSentItems": true}
		}},
		{name: "JMAP", path: "/jmap", value: func(g *gen) any {
			l := newLetter(g)
			return m{"using": []string{"urn:ietf:params:jmap:mail"}, "methodCalls": []any{[]any{"Email/set", m{"create": m{"k1": m{"from": []m{{"email": l.from}}, "to": []m{{"email": l.to}}, "subject": l.subject, "bodyValues": m{"t": m{"value": l.text}}}}}, "c1"}}}
		}},
		{name: "headers without text", path: "/inbox/index", value: func(g *gen) any {
			return m{"folder": "INBOX", "mails": letters(g, func(l letter) m {
				return m{"sender": l.from, "recipient": l.to, "subject": l.subject, "receivedDate": g.when(), "hasAttachment": false}
			})}
		}},
		{name: "snake case", path: "/api/emails", value: func(g *gen) any {
			return m{"emails": letters(g, func(l letter) m {
				return m{"from_address": l.from, "to_address": l.to, "mail_subject": l.subject, "mail_body": l.text, "sent_at": g.date()}
			})}
		}},
		{name: "snippet and thread", path: "/threads/upload", value: func(g *gen) any {
			return m{"threads": letters(g, func(l letter) m {
				return m{"threadId": g.hex(16), "snippet": l.text, "headers": []m{{"name": "From", "value": l.from}, {"name": "To", "value": l.to}, {"name": "Subject", "value": l.subject}}}
			})}
		}},
		{name: "French keys", path: "/courrier", value: func(g *gen) any {
			return m{"courriels": letters(g, func(l letter) m {
				return m{"expediteur": l.from, "destinataire": l.to, "objet": l.subject, "message": l.text, "date": g.date()}
			})}
		}},
		{name: "German keys", path: "/post", value: func(g *gen) any {
			return m{"mails": letters(g, func(l letter) m {
				return m{"absender": l.from, "empfaenger": l.to, "betreff": l.subject, "inhalt": l.text, "datum": g.date()}
			})}
		}},
		{name: "Chinese keys", path: "/youjian", value: func(g *gen) any {
			return m{"邮件": letters(g, func(l letter) m {
				return m{"发件人": l.from, "收件人": l.to, "主题": l.subject, "正文": l.text, "时间": g.date()}
			})}
		}},
		{name: "receipt scanner", path: "/receipts/scan", value: func(g *gen) any {
			return m{"matched": letters(g, func(l letter) m {
				return m{"from": "shop@" + pick(g, domains), "subject": l.subject, "internalDate": g.when(), "html": "<p>" + l.text + "</p>", "account": l.to}
			})}
		}},
		{name: "assistant's draft", path: "/v1/compose", value: func(g *gen) any {
			l := newLetter(g)
			return m{"task": "reply", "email": m{"from": l.from, "subject": l.subject, "text": l.text}, "tone": "friendly"}
		}},
		{name: "event of a tracker", path: "/e", value: func(g *gen) any {
			l := newLetter(g)
			return m{"event": "mail_opened", "properties": m{"mail_from": l.from, "mail_to": l.to, "mail_subject": l.subject, "folder": "Inbox"}}
		}},
		{name: "provider columns", path: "/bak", value: func(g *gen) any {
			return m{"rows": letters(g, func(l letter) m {
				return m{"fromList": l.from, "toList": l.to, "ccList": nil, "subject": l.subject, "snippet": l.text, "timeStamp": g.when(), "flagRead": 1}
			})}
		}},
		{name: "short keys", path: "/m", value: func(g *gen) any {
			return m{"l": letters(g, func(l letter) m { return m{"f": l.from, "t": l.to, "s": l.subject, "b": l.text} })}
		}},
		{name: "list that comes down", path: "/gmail/v1/messages", down: true, value: func(g *gen) any {
			return m{"messages": letters(g, func(l letter) m {
				return m{"id": g.hex(16), "labelIds": []string{"INBOX"}, "snippet": l.text, "payload": m{"headers": []m{{"name": "From", "value": l.from}, {"name": "To", "value": l.to}, {"name": "Subject", "value": l.subject}}}}
			})}
		}},
		{name: "inbox that comes down", path: "/mail/list?folder=inbox", down: true, value: func(g *gen) any {
			return m{"list": letters(g, func(l letter) m {
				return m{"mid": g.digits(8), "from": m{"name": g.person().full, "addr": l.from}, "to": []m{{"addr": l.to}}, "subject": l.subject, "summary": l.text, "recvTime": g.when(), "unread": true}
			})}
		}},

		{name: "Spanish keys", path: "/correo", unseen: true, value: func(g *gen) any {
			return m{"correos": letters(g, func(l letter) m {
				return m{"remitente": l.from, "destinatario": l.to, "asunto": l.subject, "cuerpo": l.text}
			})}
		}},
		{name: "Russian keys", path: "/pochta", unseen: true, value: func(g *gen) any {
			return m{"письма": letters(g, func(l letter) m {
				return m{"отправитель": l.from, "получатель": l.to, "тема": l.subject, "текст": l.text}
			})}
		}},
		{name: "Japanese keys", path: "/meeru", unseen: true, value: func(g *gen) any {
			return m{"メール": letters(g, func(l letter) m { return m{"差出人": l.from, "宛先": l.to, "件名": l.subject, "本文": l.text} })}
		}},
		{name: "rows without names", path: "/dump", unseen: true, value: func(g *gen) any {
			var rows [][]any
			for range 3 + g.IntN(3) {
				l := newLetter(g)
				rows = append(rows, []any{g.when(), l.from, l.to, l.subject, l.text})
			}
			return m{"t": "mail", "rows": rows}
		}},
		{name: "IMAP envelope", path: "/imap/fetch", unseen: true, value: func(g *gen) any {
			return m{"fetch": letters(g, func(l letter) m {
				return m{"UID": g.IntN(9000), "ENVELOPE": m{"date": g.iso(), "subject": l.subject, "from": []m{{"mailbox": "a", "host": "example.org"}}, "to": []m{{"mailbox": "b", "host": "example.net"}}}, "BODY[TEXT]": l.text}
			})}
		}},
	}),
	wholes: openWholes(classes(inspect.Identifiers), []whole{
		{name: "RFC 5322 message", make: func(g *gen) *inspect.Subject {
			return up("PUT", "/journal/"+g.hex(8)+".eml", "message/rfc822", rfc5322(g))
		}},
		{name: "message in base64url (raw)", make: func(g *gen) *inspect.Subject {
			return up("POST", "/gmail/v1/users/me/messages/send", appJSON, js(m{"raw": strings.TrimRight(strings.NewReplacer("+", "-", "/", "_").Replace(b64(rfc5322(g))), "=")}))
		}},
		{name: "message file in multipart", make: func(g *gen) *inspect.Subject {
			body, ct := upload("eml", "message.eml", "message/rfc822", rfc5322(g), nil)
			return up("POST", "/archive", ct, body)
		}},
		{name: "mbox, gzip", make: func(g *gen) *inspect.Subject {
			var b bytes.Buffer
			for range 1 + g.IntN(3) {
				fmt.Fprintf(&b, "From %s Thu Jul 31 13:45:00 2014\n%s\n\n", g.email(), rfc5322(g))
			}
			return up("PUT", "/backup/inbox.mbox.gz", "application/gzip", gz(b.Bytes()))
		}},
		{name: "form of a web mailer", make: func(g *gen) *inspect.Subject {
			l := newLetter(g)
			return form("/compose/send", "from", l.from, "to", l.to, "cc", "", "subject", l.subject, "body", l.text, "draft", "0")
		}},
		{name: "multipart of a web mailer", make: func(g *gen) *inspect.Subject {
			l := newLetter(g)
			return multipartFields("/mail/send", "recipients", l.to, "sender", l.from, "subject", l.subject, "html", "<div>"+l.text+"</div>")
		}},
		{name: "EWS-like SOAP", unseen: true, make: func(g *gen) *inspect.Subject {
			l := newLetter(g)
			return up("POST", "/EWS/Exchange.asmx", "text/xml; charset=utf-8", []byte(`<?xml version="1.0"?><soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/" xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types"><soap:Body><CreateItem MessageDisposition="SendAndSaveCopy"><Items><t:Message><t:Subject>`+
				esc(l.subject)+`</t:Subject><t:Body BodyType="Text">`+esc(l.text)+`</t:Body><t:ToRecipients><t:Mailbox><t:EmailAddress>`+esc(l.to)+`</t:EmailAddress></t:Mailbox></t:ToRecipients></t:Message></Items></CreateItem></soap:Body></soap:Envelope>`))
		}},
		{name: "mailto link in a field", unseen: true, make: func(g *gen) *inspect.Subject {
			l := newLetter(g)
			return up("POST", "/intent", appJSON, js(m{"action": "SENDTO", "data": "mailto:" + l.to + "?subject=" + strings.ReplaceAll(l.subject, " ", "%20") + "&body=" + strings.ReplaceAll(l.text, " ", "%20")}))
		}},
	}),
}

// rfc5322 is a message with a head and a text.
func rfc5322(g *gen) []byte {
	l := newLetter(g)
	p := g.person()
	return []byte(fmt.Sprintf("Return-Path: <%s>\r\nDate: Thu, 31 Jul 2014 13:45:00 +0200\r\nFrom: %s <%s>\r\nTo: <%s>\r\nSubject: %s\r\nMessage-ID: <%s@example.org>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n%s\r\n",
		l.from, mime.QEncoding.Encode("utf-8", p.full), l.from, l.to, mime.QEncoding.Encode("utf-8", l.subject), g.hex(12), strings.ReplaceAll(l.text, "\n", "\r\n")))
}

// openAll and openWholes say for a whole table what its samples may be taken
// for as well.
func openAll(open []inspect.Class, list []dialect) []dialect {
	for i := range list {
		list[i].open = append(list[i].open, open...)
	}
	return list
}

func openWholes(open []inspect.Class, list []whole) []whole {
	for i := range list {
		list[i].open = append(list[i].open, open...)
	}
	return list
}
