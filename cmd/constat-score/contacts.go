package main

import (
	"bytes"
	"fmt"
	"net/url"
	"strings"

	"constat/inspect"
)

// book draws an address book and makes a value of each entry.
func book(g *gen, f func(p person) m) []m {
	return times(g, 3, 9, func(int) m {
		if g.IntN(4) == 0 {
			g.speak()
		}
		return f(g.person())
	})
}

var contactsFamily = family{
	class: inspect.Contacts, byValue: true, rounds: 12,
	dialects: []dialect{
		{name: "display name and numbers", path: "/v1/contacts/sync", value: func(g *gen) any {
			return m{"contacts": book(g, func(p person) m {
				return m{"displayName": p.full, "phoneNumbers": []m{{"value": p.phone, "type": "mobile"}}}
			})}
		}},
		{name: "given and family name", path: "/addressbook", value: func(g *gen) any {
			return book(g, func(p person) m {
				return m{"firstName": p.given, "lastName": p.family, "phones": []string{p.phone, g.phone()}, "emails": []string{p.email}}
			})
		}},
		{name: "snake case", path: "/api/upload_contacts", value: func(g *gen) any {
			return m{"contact_list": book(g, func(p person) m {
				return m{"contact_id": g.IntN(5000), "display_name": p.full, "phone_number": p.phone, "times_contacted": g.IntN(90), "starred": g.IntN(2)}
			})}
		}},
		{name: "provider columns", path: "/bak", value: func(g *gen) any {
			return m{"raw_contacts": book(g, func(p person) m {
				return m{"_id": g.IntN(900), "display_name": p.full, "data1": p.phone, "mimetype": "vnd.android.cursor.item/phone_v2", "last_time_contacted": g.when()}
			})}
		}},
		{name: "short keys", path: "/u/ab", value: func(g *gen) any {
			return m{"c": book(g, func(p person) m { return m{"n": p.full, "p": p.phone} })}
		}},
		{name: "Chinese keys", path: "/txl/upload", value: func(g *gen) any {
			return m{"通讯录": book(g, func(p person) m { return m{"姓名": p.full, "手机号": p.phone, "备注": ""} })}
		}},
		{name: "pinyin keys", path: "/app/tongxunlu", value: func(g *gen) any {
			return m{"list": book(g, func(p person) m { return m{"xingming": p.full, "shouji": p.phone} })}
		}},
		{name: "French keys", path: "/carnet", value: func(g *gen) any {
			return m{"contacts": book(g, func(p person) m {
				return m{"nom": p.family, "prenom": p.given, "telephone": p.phone, "courriel": p.email}
			})}
		}},
		{name: "German keys", path: "/adressbuch/abgleich", value: func(g *gen) any {
			return m{"kontakte": book(g, func(p person) m { return m{"vorname": p.given, "nachname": p.family, "telefonnummer": p.phone} })}
		}},
		{name: "map of numbers to names", path: "/match", value: func(g *gen) any {
			all := make(m)
			for _, p := range g.people(4, 10) {
				all[p.phone] = p.full
			}
			return m{"addressBook": all}
		}},
		{name: "list of numbers", path: "/friends/find", value: func(g *gen) any {
			return m{"phoneNumbers": times(g, 5, 20, func(int) string { return g.e164() }), "region": "FR"}
		}},
		{name: "hashes of numbers", path: "/v2/contacts/discover", value: func(g *gen) any {
			return m{"contactHashes": times(g, 6, 20, func(int) string { return sha256hex(g.e164()) })}
		}},
		{name: "MD5 of numbers", path: "/match_contacts", value: func(g *gen) any {
			return m{"phone_md5": times(g, 6, 20, func(int) string { return md5hex(strings.TrimPrefix(g.e164(), "+")) }), "source": "addressbook"}
		}},
		{name: "event of a tracker", path: "/track", value: func(g *gen) any {
			return m{"event": "import_contacts", "properties": m{"count": 5, "items": book(g, func(p person) m { return m{"name": p.full, "tel": p.phone} })}}
		}},
		{name: "name, mail and birthday", path: "/people:batchCreate", value: func(g *gen) any {
			return m{"contacts": book(g, func(p person) m {
				return m{"contactPerson": m{"names": []m{{"givenName": p.given, "familyName": p.family}}, "emailAddresses": []m{{"value": p.email}}, "phoneNumbers": []m{{"value": p.phone}}, "birthdays": []m{{"text": g.day()}}}}
			})}
		}},
		{name: "loan application", path: "/app/data/contact", value: func(g *gen) any {
			return m{"contactList": book(g, func(p person) m {
				return m{"name": p.full, "mobile": p.phone, "updateTime": g.when(), "relation": ""}
			}), "type": 2}
		}},
		{name: "emergency contacts", path: "/sos/guardians", value: func(g *gen) any {
			return m{"emergency_contacts": times(g, 2, 3, func(int) m {
				p := g.person()
				return m{"name": p.full, "relationship": g.oneOf("mother", "brother", "friend"), "phone": p.phone}
			})}
		}},
		{name: "cloud copy", path: "/contacts/initdata?syncTag=0&limit=400", down: true, value: func(g *gen) any {
			content := make(m)
			for i, p := range g.people(3, 8) {
				content[fmt.Sprint(100+i)] = m{"content": m{"displayName": p.full, "phoneNumbers": []m{{"value": p.phone}}, "emails": []m{{"value": p.email}}}}
			}
			return m{"result": "ok", "content": content, "lastPage": true}
		}},
		{name: "address book that comes down", path: "/me/contacts?$top=50", down: true, value: func(g *gen) any {
			return m{"value": book(g, func(p person) m {
				return m{"givenName": p.given, "surname": p.family, "mobilePhone": p.phone, "homePhones": []string{}, "emailAddresses": []m{{"name": p.full, "address": p.email}}}
			})}
		}},

		{name: "Spanish keys", path: "/agenda", unseen: true, value: func(g *gen) any {
			return m{"agenda": book(g, func(p person) m { return m{"nombre": p.given, "apellidos": p.family, "movil": p.phone} })}
		}},
		{name: "Russian keys", path: "/kontakty", unseen: true, value: func(g *gen) any {
			return m{"контакты": book(g, func(p person) m { return m{"имя": p.full, "телефон": p.phone} })}
		}},
		{name: "Japanese keys", path: "/renrakusaki", unseen: true, value: func(g *gen) any {
			return m{"連絡先": book(g, func(p person) m { return m{"氏名": p.full, "電話番号": p.phone, "メール": p.email} })}
		}},
		{name: "rows without names", path: "/dump", unseen: true, value: func(g *gen) any {
			var rows [][]any
			for _, p := range g.people(5, 9) {
				rows = append(rows, []any{p.full, p.phone, g.IntN(2)})
			}
			return m{"t": "ab", "rows": rows}
		}},
		{name: "joined strings", path: "/s", unseen: true, value: func(g *gen) any {
			return m{"cl": times(g, 5, 9, func(int) string { p := g.person(); return p.full + "|" + p.phone })}
		}},
		{name: "salted SHA-1 in base64", path: "/discovery", unseen: true, value: func(g *gen) any {
			return m{"salt": g.hex(16), "contact_digests": times(g, 8, 20, func(int) string { return b64(g.bytes(20)) })}
		}},
		{name: "FHIR-like name parts", path: "/relations", unseen: true, value: func(g *gen) any {
			return m{"entry": book(g, func(p person) m {
				return m{"name": []m{{"family": p.family, "given": []string{p.given}}}, "telecom": []m{{"system": "phone", "value": p.phone, "use": "mobile"}}}
			})}
		}},
	},
	wholes: []whole{
		{name: "vCard 3.0", make: func(g *gen) *inspect.Subject { return up("PUT", "/dav/ab/all.vcf", "text/vcard", vcards(g, "3.0")) }},
		{name: "vCard 4.0 in CardDAV", make: func(g *gen) *inspect.Subject {
			s := up("PUT", "/carddav/u/default/"+g.hex(8)+".vcf", "text/vcard; charset=utf-8", vcard(g, "4.0"))
			s.Request.Header.Set("If-None-Match", "*")
			return s
		}},
		{name: "vCard 2.1 file in multipart", make: func(g *gen) *inspect.Subject {
			body, ct := upload("vcf", "contacts.vcf", "text/x-vcard", vcards(g, "2.1"), nil)
			return up("POST", "/backup", ct, body)
		}},
		{name: "gzip of vCards", make: func(g *gen) *inspect.Subject {
			return up("PUT", "/backup/contacts.vcf.gz", "application/gzip", gz(vcards(g, "3.0")))
		}},
		{name: "CardDAV report that comes down", down: true, make: func(g *gen) *inspect.Subject {
			var b bytes.Buffer
			b.WriteString(`<?xml version="1.0"?><d:multistatus xmlns:d="DAV:" xmlns:card="urn:ietf:params:xml:ns:carddav">`)
			for i := range 3 {
				fmt.Fprintf(&b, "<d:response><d:href>/ab/%d.vcf</d:href><d:propstat><d:prop><card:address-data>%s</card:address-data></d:prop></d:propstat></d:response>", i, esc(string(vcard(g, "3.0"))))
			}
			b.WriteString("</d:multistatus>")
			s := down("/ab/", "application/xml", b.Bytes())
			s.Method = "REPORT"
			return s
		}},
		{name: "one number looked up in the query", open: classes(inspect.Identifiers), make: func(g *gen) *inspect.Subject {
			return query(g.oneOf("/pass/presence", "/caller-id/lookup", "/v1/whois"), g.oneOf("phone", "number", "msisdn"), g.e164(), "type", "4")
		}},
		{name: "one number looked up, reverse directory", make: func(g *gen) *inspect.Subject {
			return up("POST", "/identify", appJSON, js(m{"contactNumber": g.e164(), "reason": g.oneOf("contact_opened", "contact_added")}))
		}},
		{name: "form of names and numbers", make: func(g *gen) *inspect.Subject {
			var parts []string
			for i, p := range g.people(3, 6) {
				parts = append(parts, fmt.Sprintf("name%d=%s&phone%d=%s", i, url.QueryEscape(p.full), i, url.QueryEscape(p.phone)))
			}
			return up("POST", "/contacts.php", appForm, []byte(strings.Join(parts, "&")))
		}},
		{name: "numbers with commas in a form", make: func(g *gen) *inspect.Subject {
			return form("/friend/recommend", "mobiles", strings.Join(times(g, 5, 12, func(int) string { return g.e164() }), ","), "from", "addressbook")
		}},
		{name: "jCard (RFC 7095)", unseen: true, make: func(g *gen) *inspect.Subject {
			var cards []any
			for _, p := range g.people(2, 5) {
				cards = append(cards, []any{"vcard", []any{[]any{"version", m{}, "text", "4.0"}, []any{"fn", m{}, "text", p.full}, []any{"tel", m{"type": "cell"}, "uri", "tel:" + g.e164()}}})
			}
			return up("POST", "/jcards", "application/vcard+json", js(cards))
		}},
		{name: "LDIF", unseen: true, make: func(g *gen) *inspect.Subject {
			var b bytes.Buffer
			for _, p := range g.people(3, 6) {
				fmt.Fprintf(&b, "dn: cn=%s,mail=%s\nobjectclass: person\ncn: %s\nsn: %s\nmail: %s\nmobile: %s\n\n", p.full, p.email, p.full, p.family, p.email, g.e164())
			}
			return up("PUT", "/export/abook.ldif", "text/x-ldif", b.Bytes())
		}},
		{name: "Exchange ActiveSync-like XML", unseen: true, make: func(g *gen) *inspect.Subject {
			var b bytes.Buffer
			b.WriteString(`<Sync xmlns="AirSync" xmlns:c="Contacts"><Collections><Collection><Commands>`)
			for i, p := range g.people(2, 6) {
				fmt.Fprintf(&b, "<Add><ClientId>%d</ClientId><ApplicationData><c:FirstName>%s</c:FirstName><c:LastName>%s</c:LastName><c:MobilePhoneNumber>%s</c:MobilePhoneNumber><c:Email1Address>%s</c:Email1Address></ApplicationData></Add>", i, esc(p.given), esc(p.family), esc(p.phone), esc(p.email))
			}
			b.WriteString("</Commands></Collection></Collections></Sync>")
			return up("POST", "/sync", "text/xml", b.Bytes())
		}},
	},
}

func vcards(g *gen, version string) []byte {
	var b bytes.Buffer
	for range 2 + g.IntN(5) {
		b.Write(vcard(g, version))
	}
	return b.Bytes()
}

// vcard is one card: vCard 2.1, 3.0 (RFC 2426) or 4.0 (RFC 6350).
func vcard(g *gen, version string) []byte {
	p := g.person()
	var b bytes.Buffer
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\r\n", args...) }
	line("BEGIN:VCARD")
	line("VERSION:%s", version)
	switch version {
	case "2.1":
		line("N;CHARSET=UTF-8:%s;%s;;;", p.family, p.given)
		line("TEL;CELL:%s", p.phone)
	case "3.0":
		line("FN:%s", p.full)
		line("N:%s;%s;;;", p.family, p.given)
		line("TEL;TYPE=CELL,VOICE:%s", p.phone)
		line("EMAIL;TYPE=INTERNET:%s", p.email)
	default:
		line("UID:urn:uuid:%s", g.uuid())
		line("FN:%s", p.full)
		line("TEL;VALUE=uri;TYPE=\"cell\":tel:%s", g.e164())
	}
	line("END:VCARD")
	return b.Bytes()
}
