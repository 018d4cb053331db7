package main

import (
	"crypto/sha256"
	"encoding/base64"

	"constat/inspect"
	"constat/proxy/flow"
)

// freshPeople are address books and calls.
var freshPeople = []fresh{
	{"discovery, hashes", "contacts>", func(w *world) *inspect.Subject {
		var list []string
		for range 12 {
			list = append(list, sha256hex(w.fill("$tel")))
		}
		return postJSON("api.chatter.example/v1/friends/find", string(js(m{"algo": "sha256", "phone_hashes": list})))(w)
	}},
	{"discovery, shortened hashes", "contacts>", func(w *world) *inspect.Subject {
		var list []string
		for range 20 {
			h := sha256.Sum256([]byte(w.fill("$tel")))
			list = append(list, base64.RawStdEncoding.EncodeToString(h[:10]))
		}
		return send("PUT", "svc.secretchat.example/v1/directory/tokens", appJSON, func(*world) []byte { return js(m{"contacts": list}) })(w)
	}},
	{"numbers, one a line", "contacts>", send("POST", "disc.callme.example/v2/match", "text/plain", text("⟦\n|+49151$d8⟧\n+49160$d8\n+49170$d8"))},
	{"numbers with commas", "contacts>", postForm("api.paysplit.example/friends/lookup", "cc", "AR", "numbers", "⟦,|+54911$d8⟧")},
	{"card by CardDAV", "contacts> ?identifiers", send("PUT", "dav.adressen.example/addressbooks/u/default/$u.vcf", "text/vcard",
		text("BEGIN:VCARD\r\nVERSION:4.0\r\nUID:urn:uuid:$u\r\nFN:$name\r\nTEL;TYPE=cell;VALUE=uri:tel:$tel\r\nEMAIL:$mail\r\nEND:VCARD\r\n"))},
	{"book comes down by CardDAV", "contacts<", reply(send("REPORT", "dav.adressen.example/addressbooks/u/default/", "application/xml", text(`<C:addressbook-query xmlns:C="urn:ietf:params:xml:ns:carddav"/>`)), "application/xml",
		text(`<d:multistatus xmlns:d="DAV:" xmlns:card="urn:ietf:params:xml:ns:carddav">⟦|<d:response><d:href>/$u.vcf</d:href><d:propstat><d:prop><card:address-data>BEGIN:VCARD&#13;
VERSION:3.0&#13;
FN:$name&#13;
TEL;TYPE=CELL:$tel&#13;
END:VCARD&#13;
</card:address-data></d:prop></d:propstat></d:response>⟧</d:multistatus>`))},
	{"SyncML with cards in base64", "contacts> ?identifiers", func(w *world) *inspect.Subject {
		card := in64(text("BEGIN:VCARD\r\nVERSION:2.1\r\nN:$given;$name\r\nTEL;CELL:$tel\r\nEND:VCARD\r\n"))
		return send("POST", "sync.operadora.example/sync", "application/vnd.syncml+xml", around(`<SyncML><SyncBody><Sync><Replace><CmdID>4</CmdID><Meta><Format>b64</Format><Type>text/x-vcard</Type></Meta><Item><Source><LocURI>$d3</LocURI></Source><Data>`, card, `</Data></Item></Replace></Sync></SyncBody></SyncML>`))(w)
	}},
	{"launcher, favourites", "contacts>", postJSON("sync.homelaunch.example/state", `{"grid":"5x4","favs":[⟦,|{"nm":"$name","ph":"$tel","pos":$d1}⟧]}`)},
	{"loan app, list of contacts", "contacts>", send("POST", "api.pinjamcepat.example/v3/nasabah/kontak", appJSON, gzipped(text(`{"daftar_kontak":[⟦,|{"nama":"$name","no_hp":"$tel","jumlah_panggilan":$d2}⟧]}`)), "Content-Encoding: gzip")},
	{"agenda, attributes", "contacts>", send("POST", "respaldo.operador.example/agenda", "text/xml", text(`<Agenda>⟦|<Contacto nombre="$name" telefono="$tel" grupo="Familia"/>⟧</Agenda>`))},
	{"who calls, one number", "contacts> ?call_log", ask("search5.calleridapp.example/v2/search", "q", "+336$d8", "countryCode", "FR", "type", "4", "placement", "CALL")},
	{"office suite, people", "contacts>", postJSON("graph.officesuite.example/v1.0/me/contacts/delta", `{"value":[⟦,|{"displayName":"$name","mobilePhone":"$tel","businessPhones":[],"emailAddresses":[{"address":"$mail"}]}⟧]}`)},
	{"people API comes down", "contacts<", fetchJSON("people.webapi.example/v1/people/me/connections?personFields=names,phoneNumbers", `{"connections":[⟦,|{"resourceName":"people/c$d12","etag":"%EgcB","names":[{"displayName":"$name","metadata":{"primary":true}}],"phoneNumbers":[{"value":"$tel","type":"mobile"}]}⟧],"totalItems":5}`)},
	{"table of a mail service", "contacts>", inParts("contacts.mailer.example/import", "csv", "contacts.csv", "text/csv", text("Name,Given Name,Family Name,Phone 1 - Type,Phone 1 - Value,E-mail 1 - Value\n⟦\n|$name,$given,,Mobile,$tel,$mail⟧\n"), "list", "$d5")},
	{"gRPC, names with numbers", "contacts>", send("POST", "ab.messenger.example/ab.Sync/Import", "application/grpc", as(grpcOf, `{"entries":[⟦,|{"display":"$name","number":"$tel","starred":false}⟧]}`))},
	{"rows of the provider", "contacts>", postJSON("mdm.kioskops.example/dump", `{"uri":"content://com.android.contacts/data","rows":[⟦,|{"raw_contact_id":$d3,"mimetype":"vnd.android.cursor.item/phone_v2","display_name":"$name","data1":"$tel","times_contacted":$d1}⟧]}`)},
	{"lists without names", "contacts>", socket("rt.vozip.example/socket", flow.Up, true, text(`["ab:push",[⟦,|["$name","$tel"]⟧]]`))},
	{"lianxiren, pinyin keys", "contacts>", postForm("yun.shouji.example/tongxunlu", "json", `{"lianxiren":[⟦,|{"xingming":"$name","shouji":"$tel","zu":"tongshi"}⟧]}`)},
	{"SQLite of a dialler", "contacts>", send("PUT", "bk.vaultbox.example/f/contacts2.db", "application/x-sqlite3", as(sqliteAs("view_contacts"), `{"r":[⟦,|{"display_name":"$name","normalized_number":"$tel","last_time_contacted":$ms}⟧]}`))},

	{"calls, short keys", "call_log> ?contacts", postJSON("ingest.familycare.example/c", `{"calls":[⟦,|{"num":"$tel","dir":"out","secs":$d2,"at":$sec}⟧]}`)},
	{"Anrufliste", "call_log> ?contacts", send("POST", "backup.telefonie.example/anrufe", "application/xml", text(`<Anrufliste>⟦|<Anruf Richtung="eingehend" Nummer="$tel" Dauer="$d2" Beginn="$iso"/>⟧</Anrufliste>`))},
	{"table of a router", "call_log> ?contacts", send("PUT", "cloud.heimnetz.example/anrufliste.csv", "text/csv", text("sep=;\nTyp;Datum;Name;Rufnummer;Nebenstelle;Dauer\n⟦\n|1;$time;$name;$tel;DECT 610;0:$d2⟧\n"))},
	{"llamadas", "call_log> ?contacts", postForm("api.controlhijos.example/subir", "tipo", "llamadas", "datos", `[⟦,|{"numero":"$tel","nombre":"$name","duracion":$d2,"sentido":"perdida","fecha":"$time"}⟧]`)},
	{"calls, Hungarian notation", "call_log> ?contacts", send("POST", "bk.vaultbox.example/put", "application/x-msgpack", as(msgpack, `{"arrCalls":[⟦,|{"sPhoneNo":"$tel","iCallType":3,"lDuration":$d2,"dtCall":$ms}⟧]}`))},
	{"tonghua jilu", "call_log> ?contacts", send("POST", "yun.shouji.example/tongbu/shangchuan", appForm, field("shuju", zip64(text(`{"tonghuajilu":[⟦,|{"haoma":"$tel","leixing":"weijie","shichang":0,"shijian":$ms}⟧]}`))))},
	{"cards of missed calls", "call_log> ?contacts", socket("link.carhub.example/v2/pbap", flow.Up, true, text("⟦|BEGIN:VCARD\r\nVERSION:2.1\r\nN:$name\r\nTEL;CELL:$tel\r\nX-IRMC-CALL-DATETIME;MISSED:20240304T091233\r\nEND:VCARD\r\n⟧"))},
	{"lines of a spy tool", "call_log> ?contacts ?identifiers", send("POST", "panel.track-it.example/gate.php", "text/plain", text("bot=$h12\n⟦\n|CALL|MISSED|$tel|$time|0s⟧\n"))},
	{"MQTT topic of calls", "call_log> ?contacts ?identifiers", socket("mq.telefonkontrol.example/mqtt", flow.Up, false, mqtt("phones/$h8/calls", text(`{"remote":"$tel","direction":"INCOMING","durationSec":$d2,"startedAt":"$iso"}`)))},
	{"screened call", "call_log> ?contacts", postJSON("api.calleridapp.example/rpc", `{"jsonrpc":"2.0","method":"report.call","params":{"number":"$tel","blocked":true,"incoming":true,"ringMs":$d4,"duration":0,"ts":$ms},"id":1}`)},
	{"gRPC, calls", "call_log> ?contacts", send("POST", "sync.pulse.example/backup.v1.Calls/Upload", "application/grpc", as(grpcOf, `{"calls":[⟦,|{"a_number":"$tel","b_type":2,"c_date":$ms,"d_duration":$d2}⟧]}`))},
	{"operator, itemised bill", "call_log< ?contacts", fetchJSON("api.operador.example/consumo/detalle?mes=3", `{"linea":"principal","llamadas":[⟦,|{"destino":"$tel","inicio":"$iso","duracionSegundos":$d3,"tipo":"saliente","importe":0.12}⟧]}`)},
	{"lines of JSON", "call_log> ?contacts", send("POST", "lake.adplatform.example/bulk", "application/x-ndjson", text("⟦\n|{\"t\":\"call\",\"phone\":\"$tel\",\"call_type\":\"OUTGOING\",\"dur\":$d2,\"start\":$ms}⟧\n"))},
	{"zvonki", "call_log> ?contacts", send("POST", "kontrol.roditel.example/api", "application/cbor", as(cbor, `{"zvonki":[⟦,|{"nomer":"$tel","dlitelnost":$d2,"tip":"vhodyashchiy","vremya":$sec}⟧]}`))},
	{"GraphQL, calls", "call_log> ?contacts", postJSON("gql.familycare.example/api", `{"operationName":"AddCalls","query":"mutation AddCalls { addCalls }","variables":{"rows":[⟦,|{"counterpart":"$tel","callKind":"INCOMING","lengthSeconds":$d3,"occurredAt":"$iso"}⟧]}}`)},
	{"riwayat panggilan", "call_log> ?contacts", postJSON("api.pinjamcepat.example/v3/nasabah/panggilan", `{"riwayat_panggilan":[⟦,|{"nomor":"$tel","durasi":$d2,"jenis":"masuk","tanggal":"$time"}⟧]}`)},
}
