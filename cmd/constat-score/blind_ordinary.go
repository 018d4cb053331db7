package main

import (
	"bytes"
	"fmt"
	"math"
	"strings"

	"constat/inspect"
)

// blindOrdinary is what apps ask for and get: nothing of it is personal.
var blindOrdinary = []blindKind{
	{name: "home feed of videos", make: func(g *blindGen) *inspect.Subject {
		return answered(post("/youtubei/v1/browse", m{"browseId": "FEwhat_to_watch", "context": m{"client": m{"clientName": "ANDROID", "hl": g.t.code}}}), appJSON, js(m{"contents": several(g, 3, 8, func(int) m {
			return m{"videoRenderer": m{"videoId": urlSafe(g.bytes(8)), "title": g.title(), "ownerText": "Channel " + g.digits(2), "viewCountText": g.digits(5), "thumbnail": m{"url": "https://i.example.com/vi/" + g.hex(8) + "/hq.jpg"}}}
		})}))
	}},
	{name: "playlist", make: func(g *blindGen) *inspect.Subject {
		return answer("/v1/playlists/"+g.hex(22)+"/tracks", m{"items": several(g, 4, 10, func(int) m {
			return m{"track": m{"id": g.hex(22), "name": g.title(), "artists": []m{{"name": g.full()}}, "duration_ms": 120000 + g.IntN(200000)}, "added_at": g.iso()}
		})})
	}},
	{name: "podcast's feed", make: func(g *blindGen) *inspect.Subject {
		return down("/show/"+g.digits(4)+".rss", "application/rss+xml", []byte(`<?xml version="1.0"?><rss xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd" version="2.0"><channel><title>Show</title><itunes:owner><itunes:name>`+esc(g.full())+`</itunes:name><itunes:email>show@example.org</itunes:email></itunes:owner>`+string(g.lines(2, 5, "", func(int) string {
			return "<item><title>" + esc(g.title()) + `</title><enclosure url="https://cdn.example.org/` + g.hex(8) + `.mp3" length="31000000" type="audio/mpeg"/><itunes:duration>1831</itunes:duration></item>`
		}))+`</channel></rss>`))
	}},
	{name: "transactions of an account", open: "identifiers", make: func(g *blindGen) *inspect.Subject {
		return answer("/psd2/v1/accounts/"+g.uuid()+"/transactions", m{"transactions": m{"booked": several(g, 3, 9, func(int) m {
			return m{"transactionId": g.digits(12), "bookingDate": g.day(), "transactionAmount": m{"currency": "EUR", "amount": fmt.Sprintf("-%d.%s", g.IntN(300), g.digits(2))}, "creditorName": g.oneOf("Grocery 4711", "Rail", "Energy Co"), "remittanceInformationUnstructured": "card payment"}
		})}})
	}},
	{name: "rates in protobuf", make: func(g *blindGen) *inspect.Subject {
		return down("/rates.pb", "application/x-protobuf", pb(several(g, 10, 30, func(int) []byte { return pb(g.oneOf("USD", "PLN", "TRY", "BRL", "KRW"), g.Float64()*30, g.sec()) })))
	}},
	{name: "TV guide", make: func(g *blindGen) *inspect.Subject {
		return down("/epg/today.xml", "text/xml", []byte(`<?xml version="1.0" encoding="UTF-8"?><tv generator-info-name="epg">`+string(g.lines(4, 12, "\n", func(int) string {
			t := g.moment().Format("20060102150405 +0000")
			return fmt.Sprintf(`<programme start="%s" stop="%s" channel="c%d"><title lang="%s">%s</title><desc>%s</desc></programme>`, t, t, g.IntN(90), g.t.code, esc(g.title()), "Magazine, 45 min")
		}))+`</tv>`))
	}},
	{name: "catalogue of books", make: func(g *blindGen) *inspect.Subject {
		return down("/opds/new", "application/atom+xml", []byte(`<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><title>New</title>`+string(g.lines(3, 8, "", func(int) string {
			return `<entry><title>` + esc(g.title()) + `</title><author><name>` + esc(g.full()) + `</name></author><id>urn:isbn:978` + g.digits(10) + `</id><link rel="http://opds-spec.org/acquisition" href="/b.epub"/></entry>`
		}))+`</feed>`))
	}},
	{name: "menu of a restaurant", make: func(g *blindGen) *inspect.Subject {
		return answer("/restaurants/"+g.digits(5)+"/menu", m{"restaurant": m{"name": "Trattoria", "phone": g.phone(), "address": "Via 4"}, "sections": []m{{"title": "Pizza", "items": several(g, 3, 8, func(int) m {
			return m{"id": g.IntN(9000), "name": g.oneOf("Margherita", "Diavola", "Funghi"), "price": 900 + g.IntN(900), "desc": "tomato, mozzarella"}
		})}}})
	}},
	{name: "hotels found", make: func(g *blindGen) *inspect.Subject {
		return answer("/hotels/search?dest=rome&checkin="+g.day(), m{"results": several(g, 3, 8, func(int) m {
			lat, lon := g.at()
			return m{"hotelId": g.digits(6), "name": "Hotel " + g.family(), "latitude": lat, "longitude": lon, "contact": m{"phone": g.phone(), "email": "info@hotel.example"}, "price": g.IntN(300)}
		})})
	}},
	{name: "charging stations", make: func(g *blindGen) *inspect.Subject {
		return answer("/ocpi/2.2/locations?country=PL", m{"data": several(g, 3, 8, func(int) m {
			lat, lon := g.at()
			return m{"id": "LOC" + g.digits(4), "coordinates": m{"latitude": scalar(lat), "longitude": scalar(lon)}, "evses": []m{{"uid": g.digits(4), "status": "AVAILABLE"}}, "last_updated": g.iso()}
		})})
	}},
	{name: "scooters that are free", make: func(g *blindGen) *inspect.Subject {
		return answer("/gbfs/2/free_bike_status.json", m{"last_updated": g.sec(), "ttl": 30, "data": m{"bikes": several(g, 4, 12, func(int) m {
			lat, lon := g.at()
			return m{"bike_id": g.hex(24), "lat": lat, "lon": lon, "is_reserved": false, "current_range_meters": g.IntN(30000)}
		})}})
	}},
	{name: "incidents on roads", make: func(g *blindGen) *inspect.Subject {
		return answer("/traffic/incidents.geojson", m{"type": "FeatureCollection", "features": several(g, 3, 8, func(int) m {
			lat, lon := g.at()
			return m{"type": "Feature", "geometry": m{"type": "Point", "coordinates": []float64{lon, lat}}, "properties": m{"kind": "roadworks", "from": g.iso()}}
		})})
	}},
	{name: "petrol prices", make: func(g *blindGen) *inspect.Subject {
		return down("/prices.xml", "application/xml", xmlOf("stations", m{"stations": several(g, 3, 8, func(int) m {
			lat, lon := g.at()
			return m{"id": g.digits(5), "brand": "Fuel", "lat": lat, "lng": lon, "e10": 1.789, "open": true}
		})}))
	}},
	{name: "sticker packs", make: func(g *blindGen) *inspect.Subject {
		return answer("/stickers/featured", m{"packs": several(g, 3, 7, func(int) m {
			return m{"pack_id": g.hex(32), "title": g.oneOf("Foxes", "Chatons", "Sevimli kediler"), "author": g.full(), "stickers": several(g, 2, 5, func(i int) m { return m{"id": i, "emoji": "😺", "sha1": g.hex(40)} })}
		})})
	}},
	{name: "moving pictures found", make: func(g *blindGen) *inspect.Subject {
		return answered(query("/v2/search", "q", g.oneOf("party", "ok", "tamam", "brawo"), "key", "test", "limit", "8"), appJSON, js(m{"results": several(g, 3, 8, func(int) m {
			return m{"id": g.digits(18), "content_description": "Cat GIF", "media_formats": m{"tinygif": m{"url": "https://media.example.com/" + g.hex(10) + ".gif", "size": g.IntN(90000), "dims": []int{220, 165}}}}
		})}))
	}, open: "browsing_history"},
	{name: "word list of a keyboard", make: func(g *blindGen) *inspect.Subject {
		return down("/dict/"+g.t.code+".txt", "text/plain; charset=utf-8", g.lines(20, 60, "\n", func(int) string {
			return fmt.Sprintf("%s %d", one(g, strings.Fields(g.letter()+" "+g.memo())), g.IntN(255))
		}))
	}},
	{name: "video advert", make: func(g *blindGen) *inspect.Subject {
		return down("/vast?pid="+g.digits(6), "application/xml", []byte(`<?xml version="1.0"?><VAST version="4.2"><Ad id="`+g.digits(8)+`"><InLine><AdSystem>ads</AdSystem><Impression><![CDATA[https://t.example.net/imp?c=`+g.hex(16)+`]]></Impression><Creatives><Creative><Linear><Duration>00:00:15</Duration><MediaFiles><MediaFile type="video/mp4" width="720" height="1280"><![CDATA[https://cdn.example.net/a.mp4]]></MediaFile></MediaFiles></Linear></Creative></Creatives></InLine></Ad></VAST>`))
	}},
	{name: "apps advertised", make: func(g *blindGen) *inspect.Subject {
		return answer("/offerwall?placement=3", m{"offers": eachOf(g.appList(4, 9), func(_ int, a app) m {
			return m{"offerId": g.digits(6), "title": a.name, "package": a.pkg, "payout": g.IntN(90), "icon": "https://cdn.example.net/i.png"}
		})})
	}},
	{name: "discovery of a log-in server", make: func(g *blindGen) *inspect.Subject {
		return answer("/.well-known/openid-configuration", m{"issuer": "https://id.example.com", "token_endpoint": "https://id.example.com/token", "grant_types_supported": []string{"authorization_code", "refresh_token", "password"}, "scopes_supported": []string{"openid", "email", "phone"}, "code_challenge_methods_supported": []string{"S256"}})
	}},
	{name: "public keys", make: func(g *blindGen) *inspect.Subject {
		return answer("/.well-known/jwks.json", m{"keys": several(g, 1, 3, func(int) m {
			return m{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": g.hex(40), "e": "AQAB", "n": urlSafe(g.bytes(256))}
		})})
	}},
	{name: "settings of mail servers", make: func(g *blindGen) *inspect.Subject {
		return down("/v1.1/example.com", "text/xml", []byte(`<?xml version="1.0"?><clientConfig version="1.1"><emailProvider id="example.com"><domain>example.com</domain><incomingServer type="imap"><hostname>imap.example.com</hostname><port>993</port><username>%EMAILADDRESS%</username><authentication>password-cleartext</authentication></incomingServer></emailProvider></clientConfig>`))
	}},
	{name: "group chat in protobuf", make: func(g *blindGen) *inspect.Subject {
		return down("/chat/"+g.hex(12)+"/history", "application/x-protobuf", pb(several(g, 3, 8, func(int) []byte { return pb(g.uuid(), "user"+g.digits(3), g.text(), g.ms()) })))
	}},
	{name: "thread of a forum as a page", make: func(g *blindGen) *inspect.Subject {
		return down("/thread/"+g.digits(6), "text/html; charset=utf-8", []byte("<!doctype html><html lang="+g.t.code+"><title>"+esc(g.title())+"</title>"+string(g.lines(2, 6, "\n", func(int) string {
			return `<article><header><b>user` + g.digits(3) + `</b> <time>` + g.local() + `</time></header><p>` + esc(g.memo()) + `</p></article>`
		}))+"</html>"))
	}},
	{name: "live commentary", make: func(g *blindGen) *inspect.Subject {
		s := frame("/live/match", js(m{"matchId": g.digits(6), "minute": g.IntN(90), "type": "goal", "player": g.full(), "score": []int{g.IntN(4), g.IntN(4)}}), true)
		s.FrameDirection = "down"
		return s
	}},
	{name: "summary of an encyclopedia", make: func(g *blindGen) *inspect.Subject {
		lat, lon := g.at()
		return answer("/api/rest_v1/page/summary/Castle", m{"title": "Castle", "extract": "A castle is a fortified structure of the Middle Ages.", "coordinates": m{"lat": lat, "lon": lon}, "content_urls": m{"mobile": m{"page": "https://en.m.wikipedia.org/wiki/Castle"}}, "lang": "en"})
	}},
	{name: "crossword", make: func(g *blindGen) *inspect.Subject {
		return answer("/puzzles/"+g.day(), m{"size": []int{5, 5}, "clues": m{"across": []string{"Opposite of night", "River in Tuscany"}, "down": []string{"Small dog"}}, "grid": "DAY..ARNO.PUG"})
	}},
	{name: "game of chess", make: func(g *blindGen) *inspect.Subject {
		return down("/game/export/"+g.hex(8), "application/x-chess-pgn", []byte(fmt.Sprintf("[Event \"Rated Blitz\"]\n[White \"player%s\"]\n[Black \"player%s\"]\n[UTCDate \"%s\"]\n\n1. e4 c5 2. Nf3 d6 3. d4 cxd4 4. Nxd4 Nf6 1-0\n", g.digits(3), g.digits(3), g.day())))
	}},
	{name: "foods and their values", make: func(g *blindGen) *inspect.Subject {
		return answer("/foods?q=oats", m{"foods": several(g, 3, 8, func(int) m {
			return m{"foodId": g.digits(6), "brand": "Mill", "kcal": g.IntN(500), "protein": 12.45, "fat": 6.25, "barcode": g.digits(13)}
		})})
	}},
	{name: "printer's answer", make: func(g *blindGen) *inspect.Subject {
		return answered(up("POST", "/ipp/print", "application/ipp", append([]byte{2, 0, 0, 0x0b, 0, 0, 0, 1, 1, 0x47, 0, 0x12}, "attributes-charset\x00\x05utf-8\x03"...)), "application/ipp", append([]byte{2, 0, 0, 0, 0, 0, 0, 1, 4, 0x42, 0, 0x0c}, "printer-name\x00\x06Office\x03"...))
	}},
	{name: "description of a TV in the house", make: func(g *blindGen) *inspect.Subject {
		return down("/dmr.xml", "text/xml", []byte(`<?xml version="1.0"?><root xmlns="urn:schemas-upnp-org:device-1-0"><device><deviceType>urn:schemas-upnp-org:device:MediaRenderer:1</deviceType><friendlyName>Living room</friendlyName><manufacturer>Example</manufacturer><modelName>TV55</modelName><serialNumber>`+g.serial()+`</serialNumber><UDN>uuid:`+g.uuid()+`</UDN></device></root>`))
	}},
	{name: "schedule of a thermostat", make: func(g *blindGen) *inspect.Subject {
		return answer("/thermostat/schedule", m{"days": several(g, 3, 7, func(i int) m {
			return m{"dow": i, "slots": []m{{"from": "06:30", "temp": 20.5}, {"from": "22:00", "temp": 17.25}}}
		})})
	}},
	{name: "proxy rules", make: func(g *blindGen) *inspect.Subject {
		return down("/proxy.pac", "application/x-ns-proxy-autoconfig", []byte("function FindProxyForURL(url, host) {\n  if (dnsDomainIs(host, \".example.com\")) return \"DIRECT\";\n  return \"PROXY 10.0.0."+g.digits(2)+":8080\";\n}\n"))
	}},
	{name: "products by GraphQL", make: func(g *blindGen) *inspect.Subject {
		return answered(gqlPost("Products", "query Products($cat: ID!) { products(category: $cat) { id name price } }", m{"cat": g.digits(3), "first": 20}), appJSON, js(m{"data": m{"products": several(g, 3, 9, func(int) m {
			return m{"id": g.digits(7), "name": g.oneOf("Kettle", "Bufanda", "Çaydanlık", "Lampka"), "price": g.IntN(90), "images": []string{"https://img.example.net/" + g.hex(10) + ".webp"}}
		})}}))
	}},
	{name: "people of a public register", make: func(g *blindGen) *inspect.Subject {
		return answer("/parliament/members", m{"members": several(g, 3, 8, func(int) m { return m{"name": g.full(), "party": "Greens", "seat": g.IntN(600), "since": g.day()} })})
	}},
}

// blindOrdinaryUploads is what apps say without saying anything of the phone or
// its user that a class is about.
var blindOrdinaryUploads = []blindKind{
	{name: "dish put into a basket", make: func(g *blindGen) *inspect.Subject {
		return gqlPost("AddItem", "mutation AddItem($c: ID!, $i: ItemInput!) { addItem(cart: $c, item: $i) { total } }", m{"c": g.uuid(), "i": m{"sku": g.digits(6), "qty": 2, "options": []string{"extra cheese"}}})
	}},
	{name: "like", make: func(g *blindGen) *inspect.Subject {
		return form("/like", "media_id", g.digits(18), "module_name", "feed_timeline", "d", "0", "container", "list")
	}},
	{name: "typing", make: func(g *blindGen) *inspect.Subject {
		return frame("/rtm", js(m{"type": "typing", "channel": "C" + strings.ToUpper(g.hex(9)), "id": g.IntN(900)}), true)
	}},
	{name: "message to a room", open: "identifiers", make: func(g *blindGen) *inspect.Subject {
		return put("/_matrix/client/v3/rooms/!"+g.hex(18)+"/send/m.room.message/m"+g.digits(13), m{"msgtype": "m.text", "body": g.text()})
	}},
	{name: "message in protobuf", open: "identifiers", make: func(g *blindGen) *inspect.Subject {
		return grpcCall("/chat.v3.Chat/Send", pb(g.hex(24), g.text(), g.ms(), 1))
	}},
	{name: "moves of a game", make: func(g *blindGen) *inspect.Subject {
		var b []byte
		for i := range 40 {
			b = append(b, byte(i), byte(g.IntN(8)), 0, byte(g.IntN(64)))
		}
		return frame("/match", b, false)
	}},
	{name: "level of a game", make: func(g *blindGen) *inspect.Subject {
		return post("/events", m{"session": g.uuid(), "name": "level_complete", "params": m{"level": g.IntN(300), "stars": 3, "moves": 17, "boosters": []string{"hammer"}}})
	}},
	{name: "payment that is confirmed", make: func(g *blindGen) *inspect.Subject {
		return form("/v1/payment_intents/pi_"+g.hex(24)+"/confirm", "client_secret", "pi_"+g.hex(24)+"_secret_"+g.hex(25), "payment_method", "pm_"+g.hex(24), "return_url", "lumora://pay", "key", "pk_test_"+g.hex(24))
	}},
	{name: "bill as PDF", make: func(g *blindGen) *inspect.Subject {
		pdf := "%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n4 0 obj\n<< /Length 58 >>\nstream\nBT /F1 12 Tf 72 720 Td (Invoice " + g.digits(6) + " total 41.90 EUR) Tj ET\nendstream\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n"
		return file("/expenses/upload", "file", "invoice-"+g.digits(4)+".pdf", "application/pdf", []byte(pdf), "category", "travel")
	}},
	{name: "speech to be understood", make: func(g *blindGen) *inspect.Subject {
		var b bytes.Buffer
		b.WriteString("RIFF\x24\x1f\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x80\x3e\x00\x00\x02\x00\x10\x00data\x00\x1f\x00\x00")
		f := 0.02 + g.Float64()*0.05
		for i := range 4000 {
			v := int16(9000*math.Sin(f*float64(i))) + int16(g.IntN(300))
			b.Write([]byte{byte(v), byte(v >> 8)})
		}
		return up("POST", "/speech:recognize?lang="+g.t.code, "audio/wav", b.Bytes())
	}},
	{name: "fingerprint of a song", make: func(g *blindGen) *inspect.Subject {
		var b []byte
		for i := range 150 {
			b = append(b, byte(i*3), byte(i*3>>8), byte(40+g.IntN(30)), byte(g.IntN(4)))
		}
		return post("/discovery/v5/match", m{"signature": m{"uri": "data:audio/vnd.example.sig;base64," + b64(b), "samplems": 3100}, "timezone": "Europe/Istanbul"})
	}},
	{name: "text to be translated", make: func(g *blindGen) *inspect.Subject {
		return form("/translate", "q", g.oneOf("Where is the station?", "İstasyon nerede?", "Gdzie jest dworzec?", "역이 어디예요?"), "sl", "auto", "tl", g.t.code, "format", "text")
	}},
	{name: "text to be checked", make: func(g *blindGen) *inspect.Subject {
		return form("/v2/check", "text", g.oneOf("This are a test.", "Das ist ein Tset.", "Esto es una prueva."), "language", g.t.code, "enabledOnly", "false")
	}},
	{name: "lamp switched", make: func(g *blindGen) *inspect.Subject {
		return put("/api/lights/"+g.digits(1)+"/state", m{"on": true, "bri": g.IntN(254), "ct": 366, "transitiontime": 4})
	}},
	{name: "command over MQTT", make: func(g *blindGen) *inspect.Subject {
		return mqttPublish("home/blinds/"+g.digits(1)+"/set", js(m{"position": g.IntN(100), "speed": "slow"}))
	}},
	{name: "key of a remote control", make: func(g *blindGen) *inspect.Subject {
		return frame("/api/v2/channels/remote", js(m{"method": "ms.remote.control", "params": m{"Cmd": "Click", "DataOfCmd": "KEY_VOLUP", "TypeOfRemote": "SendRemoteKey"}}), true)
	}},
	{name: "video sent to a TV", make: func(g *blindGen) *inspect.Subject {
		return post("/cast/load", m{"requestId": g.IntN(900), "type": "LOAD", "media": m{"contentId": "https://cdn.example.net/v/" + g.hex(10) + ".mpd", "streamType": "BUFFERED", "contentType": "application/dash+xml", "metadata": m{"title": g.title()}}, "currentTime": 12.25})
	}},
	{name: "meal", make: func(g *blindGen) *inspect.Subject {
		return post("/diary/meals", m{"date": g.day(), "meal": "lunch", "items": several(g, 1, 4, func(int) m { return m{"foodId": g.digits(6), "grams": g.IntN(400), "kcal": g.IntN(700)} })})
	}},
	{name: "steps and heart", make: func(g *blindGen) *inspect.Subject {
		return post("/health/samples", m{"samples": several(g, 4, 12, func(int) m {
			return m{"type": g.oneOf("steps", "heart_rate", "sleep_stage"), "value": g.IntN(160), "start": g.iso(), "end": g.iso()}
		})})
	}},
	{name: "ticket of a train", make: func(g *blindGen) *inspect.Subject {
		return post("/journeys/offers", m{"from": m{"id": "8000105", "name": "Kraków Główny"}, "to": m{"id": "8011160", "name": "Berlin Hbf"}, "departure": g.iso(), "passengers": []m{{"type": "ADULT", "age": 34}}, "class": 2})
	}},
	{name: "lesson of a language", make: func(g *blindGen) *inspect.Subject {
		return put("/sessions/"+g.hex(16), m{"skill": "past-tense", "challenges": several(g, 3, 8, func(int) m { return m{"prompt": "She went home", "correct": g.IntN(4) > 0, "timeTaken": g.IntN(9000)} }), "hearts": 4})
	}},
	{name: "bar code scanned", make: func(g *blindGen) *inspect.Subject {
		return query("/api/v2/product", "code", g.digits(13), "fields", "product_name,nutriments", "lc", g.t.code)
	}},
	{name: "impression of an advert", make: func(g *blindGen) *inspect.Subject {
		return query("/imp", "crid", g.digits(9), "lineitem", g.digits(8), "cb", g.digits(10), "price", "0.42", "w", "320", "h", "50", "vis", "1")
	}},
	{name: "receipt of a push message", make: func(g *blindGen) *inspect.Subject {
		return post("/push/ack", m{"messageIds": several(g, 1, 4, func(int) string { return "0:" + g.digits(16) + "%" + g.hex(16) }), "status": "displayed", "at": g.ms()})
	}},
	{name: "answers of a survey", make: func(g *blindGen) *inspect.Subject {
		return post("/nps", m{"survey": g.digits(4), "score": g.IntN(11), "answers": []m{{"q": 1, "a": "Delivery was quick"}, {"q": 2, "a": ""}}})
	}},
	{name: "documents of an office that are synced", make: func(g *blindGen) *inspect.Subject {
		return post("/drive/delta", m{"items": several(g, 2, 7, func(int) m {
			return m{"name": g.oneOf("Budget", "Umowa", "Angebot") + "_" + g.digits(2) + g.oneOf(".xlsx", ".docx", ".pdf"), "eTag": g.hex(32), "size": g.IntN(900000), "modified": g.iso()}
		})})
	}},
	{name: "settings of a filter for pictures", make: func(g *blindGen) *inspect.Subject {
		return post("/presets", m{"name": "Warm", "params": m{"exposure": 0.35, "contrast": 12, "highlights": -20, "temperature": 5650.25}, "shared": false})
	}},
	{name: "appointment that is looked for", make: func(g *blindGen) *inspect.Subject {
		return query("/availabilities.json", "specialty", "dermatology", "start_date", g.day(), "insurance", "public", "limit", "5", "place", "milano")
	}},
	{name: "loan in a calculator of an app", make: func(g *blindGen) *inspect.Subject {
		return up("POST", "/calc", "application/msgpack", msgpack(m{"principal": g.IntN(90000), "term": 48, "apr": 7.99, "fees": []int{0, 25}}))
	}},
	{name: "consent, full record", make: func(g *blindGen) *inspect.Subject {
		return post("/consents", m{"vendorListVersion": 241, "purposes": []int{1, 2, 7}, "legInt": []int{}, "gdprApplies": true, "tcString": "CQ" + urlSafe(g.bytes(60)), "updatedAt": g.iso()})
	}},
	{name: "timings of requests", open: "device_stats", make: func(g *blindGen) *inspect.Subject {
		return post("/perf/http", m{"requests": several(g, 3, 9, func(int) m {
			return m{"route": g.oneOf("/feed", "/cart", "/img"), "status": 200, "dns": g.IntN(40), "tls": g.IntN(90), "ttfb": g.IntN(400), "bytes": g.IntN(90000)}
		})})
	}},
	{name: "live question to a streamer", open: "identifiers", make: func(g *blindGen) *inspect.Subject {
		return frame("/irc", []byte("@client-nonce="+g.hex(32)+" PRIVMSG #channel"+g.digits(2)+" :"+g.oneOf("gg", "que buena", "ahaha süper", "świetne")+"\r\n"), true)
	}},
	{name: "empty calendar's filter", make: func(g *blindGen) *inspect.Subject {
		return dav("REPORT", "/calendars/u/personal/", "application/xml", `<?xml version="1.0"?><c:calendar-query xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"><d:prop><d:getetag/></d:prop><c:filter><c:comp-filter name="VCALENDAR"><c:comp-filter name="VEVENT"><c:time-range start="`+g.moment().Format("20060102T150405Z")+`"/></c:comp-filter></c:comp-filter></c:filter></c:calendar-query>`)
	}},
}

// blindOrdinaryMedia are pictures, sounds, fonts and programs.
var blindOrdinaryMedia = []blindKind{
	{name: "picture of a product", make: func(g *blindGen) *inspect.Subject {
		return down("/images/p/"+g.digits(8)+"_1.jpg", "image/jpeg", draw(g.Rand, 600, 600))
	}},
	{name: "face in a list of chats", make: func(g *blindGen) *inspect.Subject {
		return down("/avatar/"+g.hex(32)+"?s=120", "image/png", pngOf(g.flat(120, 120, 9)))
	}},
	{name: "tile", make: func(g *blindGen) *inspect.Subject {
		return down(fmt.Sprintf("/raster/15/%d/%d@2x.png", g.IntN(32768), g.IntN(32768)), "image/png", pngOf(g.flat(256, 256, 70)))
	}},
	{name: "packed tile", make: func(g *blindGen) *inspect.Subject {
		s := down(fmt.Sprintf("/vt/14/%d/%d.mvt", g.IntN(16384), g.IntN(16384)), "application/vnd.mapbox-vector-tile", gz(pb(nil, nil, pb("roads", several(g, 20, 60, func(i int) []byte { return pb(i, g.bytes(12), 2) })))))
		s.Response.Header.Set("Content-Encoding", "gzip")
		return s
	}},
	{name: "sticker", make: func(g *blindGen) *inspect.Subject {
		return down("/sticker/"+g.hex(16)+".webp", "image/webp", append([]byte("RIFF\x00\x10\x00\x00WEBPVP8X\x0a\x00\x00\x00\x12\x00\x00\x00\xff\x01\x00\xff\x01\x00ANIM"), g.bytes(3000)...))
	}},
	{name: "sound of a game", make: func(g *blindGen) *inspect.Subject {
		return down("/sfx/win.mp3", "audio/mpeg", append([]byte("ID3\x04\x00\x00\x00\x00\x00\x0aTIT2\x00\x00\x00\x00\x00\x00\xff\xfb\x90\x64"), g.bytes(4000)...))
	}},
	{name: "model of a neural net", make: func(g *blindGen) *inspect.Subject {
		return down("/models/lang.tflite", "application/octet-stream", append([]byte("\x1c\x00\x00\x00TFL3\x14\x00\x20\x00"), g.bytes(6000)...))
	}},
	{name: "program for the browser", make: func(g *blindGen) *inspect.Subject {
		return down("/app.wasm", "application/wasm", append([]byte("\x00asm\x01\x00\x00\x00\x01\x85\x80\x80\x80\x00\x01\x60\x00\x01\x7f"), bytes.Repeat(g.bytes(40), 80)...))
	}},
	{name: "font in the old style", make: func(g *blindGen) *inspect.Subject {
		return down("/f/icons.woff", "font/woff", append([]byte("wOFF\x00\x01\x00\x00\x00\x00\x20\x00\x00\x0d\x00\x00"), g.bytes(3000)...))
	}},
	{name: "moving drawing", make: func(g *blindGen) *inspect.Subject {
		return answer("/lottie/confetti.json", m{"v": "5.7.4", "fr": 60, "w": 512, "h": 512, "layers": several(g, 2, 6, func(i int) m {
			return m{"ind": i, "ty": 4, "ks": m{"p": m{"k": []float64{g.Float64() * 512, g.Float64() * 512}}, "s": m{"k": []float64{100.25, 99.75}}}}
		})})
	}},
	{name: "drawing in lines", make: func(g *blindGen) *inspect.Subject {
		return down("/i/"+g.hex(4)+".svg", "image/svg+xml", []byte(fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><path d="M%d.%d 2.5l-8.25 8.125h16.5z"/></svg>`, g.IntN(20), g.IntN(99))))
	}},
	{name: "part of a film", make: func(g *blindGen) *inspect.Subject {
		body := []byte("\x47\x40\x00\x10")
		for range 20 {
			body = append(append(body, g.bytes(184)...), 0x47, 0x01, 0x00, 0x10)
		}
		return down("/hls/720p/"+g.digits(3)+".ts", "video/mp2t", append(body, g.bytes(184)...))
	}},
	{name: "leaflet", make: func(g *blindGen) *inspect.Subject {
		return down("/leaflet.pdf", "application/pdf", append(append([]byte("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<< /Filter /FlateDecode /Length 3000 >>\nstream\n"), g.bytes(3000)...), "\nendstream\nendobj\n%%EOF\n"...))
	}},
	{name: "thing in three dimensions", make: func(g *blindGen) *inspect.Subject {
		return down("/ar/chair.glb", "model/gltf-binary", append([]byte("glTF\x02\x00\x00\x00\x00\x20\x00\x00\x40\x00\x00\x00JSON{\"asset\":{\"version\":\"2.0\"}}                                  "), g.bytes(3000)...))
	}},
	{name: "difference to the next package", make: func(g *blindGen) *inspect.Subject {
		return down("/delta/512-513.patch", "application/octet-stream", append([]byte("GFbFv1_0"), gz(bytes.Repeat(g.bytes(64), 60))...))
	}},
	{name: "theme that goes up", make: func(g *blindGen) *inspect.Subject {
		return up("PUT", "/themes/mine.zip", "application/zip", zipped(map[string][]byte{"theme.json": js(m{"name": "Dusk", "accent": "#ff8800"}), "wall.png": pngOf(g.flat(90, 160, 12))}))
	}},
	{name: "drawing that goes up", make: func(g *blindGen) *inspect.Subject {
		return file("/drawings", "art", "drawing.png", "image/png", pngOf(g.flat(300, 300, 25)), "layers", "3")
	}},
	{name: "packed numbers that go up", make: func(g *blindGen) *inspect.Subject {
		return coded("/metrics/batch", "gzip", gz(js(m{"series": several(g, 5, 12, func(i int) m { return m{"id": i, "v": several(g, 20, 40, func(int) int { return g.IntN(1 << 20) })} })})))
	}},
	{name: "save of a game that goes up", make: func(g *blindGen) *inspect.Subject {
		return post("/cloudsave", m{"slot": 1, "revision": g.IntN(900), "blob": b64(gz(js(m{"world": several(g, 100, 200, func(int) int { return g.IntN(64) }), "gold": g.IntN(90000)})))})
	}},
	{name: "stream of bytes that is a protobuf", make: func(g *blindGen) *inspect.Subject {
		return pbPost("/render/scene", pb(several(g, 20, 60, func(i int) []byte {
			return pb(i, float32(g.Float64()), float32(g.Float64()), float32(g.Float64()), "node")
		})))
	}},
}
