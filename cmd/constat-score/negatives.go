package main

import (
	"bytes"
	"fmt"
	"math"
	"net/url"
	"slices"

	"constat/inspect"
	"constat/proxy/flow"
)

// negative is a kind of request that is everyday traffic and none of the
// classes, or that is one and looks like another.
type negative struct {
	name   string
	unseen bool
	// want are the classes that it is after all, up; open those that may be said.
	want, open []inspect.Class
	make       func(g *gen) *inspect.Subject
}

func (b *builder) negatives() {
	r := b.rand("negatives")
	const each = 10
	n := 0
	for _, k := range slices.Concat(negatives, nearMisses) {
		for range each {
			x := b.add("negative "+k.name, n, k.make(newGen(r, n%2 == 1)), "", "", k.open...)
			x.want = make(map[inspect.Class]flow.Direction)
			for _, c := range k.want {
				x.want[c] = flow.Up
			}
			x.unseen = k.unseen
			n++
		}
	}
}

// many is a list of plain objects.
func many(g *gen, least, most int, f func(i int) m) []m { return times(g, least, most, f) }

func get(target string) *inspect.Subject { return subject("GET", target) }

var negatives = []negative{
	{name: "map tiles", make: func(g *gen) *inspect.Subject {
		return down(fmt.Sprintf("/tiles/%d/%d/%d.png", 10+g.IntN(8), g.IntN(9000), g.IntN(9000)), "image/png", drawPNG(g.Rand, 64))
	}},
	{name: "vector tile", make: func(g *gen) *inspect.Subject {
		return down(fmt.Sprintf("/v4/%d/%d/%d.pbf", 10+g.IntN(8), g.IntN(9000), g.IntN(9000)), "application/x-protobuf", gz(protobuf(m{"layers": many(g, 3, 9, func(i int) m { return m{"name": g.oneOf("road", "water", "poi"), "extent": 4096} })})))
	}},
	{name: "banner", make: func(g *gen) *inspect.Subject {
		return down("/static/hero.jpg", "image/jpeg", draw(g.Rand, 640, 160))
	}},
	{name: "product picture and its record", make: func(g *gen) *inspect.Subject {
		return down("/product/"+g.digits(5), appJSON, js(m{"id": g.IntN(90000), "title": "Chair", "images": []m{{"file": "chair_front.jpg", "md5": g.hex(32), "w": 800, "h": 800}}, "price": 49.9}))
	}},
	{name: "catalogue", make: func(g *gen) *inspect.Subject {
		return down("/products?page="+g.digits(1), appJSON, js(m{"products": many(g, 4, 12, func(i int) m {
			return m{"id": g.IntN(99999), "name": g.oneOf("Lamp", "Table", "Stool"), "price": float64(g.IntN(9999)) / 100, "sku": g.hex(8), "stock": g.IntN(40)}
		})}))
	}},
	{name: "store locator", make: func(g *gen) *inspect.Subject {
		return down("/stores?city=Lyon", appJSON, js(m{"stores": many(g, 3, 9, func(i int) m {
			lat, lon := g.point(5)
			return m{"id": i, "name": "Market " + fmt.Sprint(i), "phone": g.phone(), "address": pick(g, g.streets), "lat": lat, "lng": lon, "hours": "9-19"}
		})}))
	}},
	{name: "places found", make: func(g *gen) *inspect.Subject {
		return down("/place/textsearch?query=pharmacy", appJSON, js(m{"results": many(g, 2, 6, func(int) m {
			lat, lon := g.point(6)
			return m{"name": "Pharmacy", "formatted_phone_number": g.phone(), "geometry": m{"location": m{"lat": lat, "lng": lon}}, "rating": 4.2}
		})}))
	}},
	{name: "weather of a city", make: func(g *gen) *inspect.Subject {
		return down("/weather?q="+g.oneOf("Paris", "Jena", "Soria")+"&units=metric", appJSON, js(m{"city": m{"name": "Paris", "country": "FR", "timezone": 3600}, "list": many(g, 3, 8, func(int) m { return m{"temp": g.IntN(30), "humidity": g.IntN(100)} })}))
	}},
	{name: "public transport", make: func(g *gen) *inspect.Subject {
		return down("/departures/8503000", appJSON, js(m{"departures": many(g, 3, 9, func(int) m {
			return m{"line": "S" + g.digits(1), "to": "Husum", "time": g.iso(), "platform": g.IntN(12)}
		})}))
	}},
	{name: "holiday calendar", make: func(g *gen) *inspect.Subject {
		return down("/holidays/FR/2021", appJSON, js(m{"holidays": many(g, 4, 10, func(int) m {
			return m{"date": g.day(), "localName": g.oneOf("Fête nationale", "Neujahr", "元旦"), "countryCode": "FR", "global": true}
		})}))
	}},
	{name: "holiday calendar as iCalendar", make: func(g *gen) *inspect.Subject {
		return down("/public/holidays.ics", "text/calendar", []byte("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nX-WR-CALNAME:Holidays in France\r\nBEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20210714\r\nSUMMARY:Bastille Day\r\nCLASS:PUBLIC\r\nTRANSP:TRANSPARENT\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"))
	}, open: classes(inspect.Notes)},
	{name: "fixtures of a league", make: func(g *gen) *inspect.Subject {
		return down("/fixtures?round=12", appJSON, js(m{"matches": many(g, 4, 9, func(int) m {
			return m{"home": "Rovers", "away": "United", "kickoff": g.iso(), "venue": "Parkway", "score": []int{g.IntN(5), g.IntN(5)}}
		})}))
	}},
	{name: "comments", make: func(g *gen) *inspect.Subject {
		return down("/comments?article=9", appJSON, js(m{"comments": many(g, 3, 7, func(i int) m {
			return m{"id": i, "author": m{"name": g.person().full}, "text": pick(g, g.mails), "created": g.iso(), "likes": g.IntN(90)}
		})}))
	}},
	{name: "a comment posted", make: func(g *gen) *inspect.Subject {
		return up("POST", "/articles/77/comments", appJSON, js(m{"comment": pick(g, g.notes), "parent": 0}))
	}},
	{name: "contact form of a shop", want: classes(inspect.Identifiers), make: func(g *gen) *inspect.Subject {
		p := g.person()
		return form("/kontakt", "name", p.full, "email", p.email, "betreff", "Lieferung", "nachricht", pick(g, g.notes))
	}},
	{name: "newsletter", want: classes(inspect.Identifiers), make: func(g *gen) *inspect.Subject {
		return form("/newsletter/subscribe", "email", g.email(), "consent", "1")
	}},
	{name: "checkout", want: classes(inspect.Identifiers), make: func(g *gen) *inspect.Subject {
		p := g.person()
		return up("POST", "/checkout", appJSON, js(m{"cart": g.hex(12), "shipping": m{"name": p.full, "street": pick(g, g.streets), "phone": g.e164(), "email": p.email}, "total": 49.9}))
	}},
	{name: "order status", make: func(g *gen) *inspect.Subject {
		return down("/orders/"+g.digits(7), appJSON, js(m{"order": g.digits(7), "status": "shipped", "items": many(g, 1, 4, func(int) m { return m{"sku": g.hex(6), "qty": 1, "price": 9.9} }), "tracking": g.digits(14)}))
	}},
	{name: "own profile", make: func(g *gen) *inspect.Subject {
		p := g.person()
		return down("/me", appJSON, js(m{"id": g.digits(8), "name": p.full, "email": p.email, "phone": g.e164(), "avatar": "https://img.example.com/u/1.png", "locale": g.code}))
	}},
	{name: "directory of a team", make: func(g *gen) *inspect.Subject {
		return down("/impressum.json", appJSON, js(m{"company": "Example GmbH", "phone": g.phone(), "email": "info@example.de", "address": pick(g, g.streets), "ceo": g.person().full}))
	}},
	{name: "feature flags", make: func(g *gen) *inspect.Subject {
		return down("/flags", appJSON, js(m{"flags": m{"new_home": true, "dark": false, "contacts_sync": false, "location_prompt": true, "sms_otp": true}, "etag": g.hex(16)}))
	}},
	{name: "experiments", make: func(g *gen) *inspect.Subject {
		return down("/experiments", appJSON, js(m{"experiments": many(g, 3, 9, func(i int) m {
			return m{"key": "exp_" + fmt.Sprint(i), "variant": g.oneOf("a", "b"), "percentage": g.IntN(100)}
		})}))
	}},
	{name: "configuration of ads", make: func(g *gen) *inspect.Subject {
		return down("/ads/config", appJSON, js(m{"placements": many(g, 2, 6, func(int) m { return m{"id": g.hex(8), "w": 320, "h": 50, "floor": 0.12, "refresh": 30} }), "ttl": 3600}))
	}},
	{name: "catalogue of an app store", make: func(g *gen) *inspect.Subject {
		return down("/store/top", appJSON, js(m{"apps": onPhone(g, func(a app) m {
			return m{"packageName": a.pkg, "title": a.name, "rating": 4.4, "downloads": g.IntN(90000000), "price": 0}
		})}))
	}},
	{name: "block list", make: func(g *gen) *inspect.Subject {
		return down("/adblacklist.json", appJSON, js(m{"version": 7, "blacklist": onPhone(g, func(a app) string { return a.pkg })}))
	}},
	{name: "crash with frames", want: nil, open: classes(inspect.DeviceStats), make: func(g *gen) *inspect.Subject {
		return up("POST", "/crash", appJSON, js(m{"exception": "IllegalStateException", "frames": many(g, 5, 15, func(i int) m {
			return m{"module": "com.example.app.ui.Screen" + fmt.Sprint(i), "function": "onCreate", "file": "Screen.kt", "line": g.IntN(400)}
		}), "release": g.version()}))
	}},
	{name: "stack trace", open: classes(inspect.DeviceStats), make: func(g *gen) *inspect.Subject {
		return up("POST", "/stack", "text/plain", []byte("java.lang.NullPointerException\n\tat com.example.app.Main.run(Main.java:12)\n\tat org.chromium.base.Task.go(Task.java:4)\n\tat android.os.Handler.dispatchMessage(Handler.java:106)\n\tat com.android.internal.os.ZygoteInit.main(ZygoteInit.java:980)\n"))
	}},
	{name: "libraries of one app", make: func(g *gen) *inspect.Subject {
		return up("POST", "/deps", appJSON, js(m{"modules": m{"com.squareup.okhttp3": "4.9", "androidx.core": "1.6", "io.reactivex.rxjava3": "3.0", "org.jetbrains.kotlin": "1.5", "com.google.gson": "2.8"}}))
	}},
	{name: "dependency list of a build", make: func(g *gen) *inspect.Subject {
		return down("/maven2/com/example/lib/1.0/lib.pom", "text/xml", []byte(`<?xml version="1.0"?><project><dependencies><dependency><groupId>com.google.guava</groupId><artifactId>guava</artifactId><version>30</version></dependency><dependency><groupId>org.slf4j</groupId><artifactId>slf4j-api</artifactId><version>1.7</version></dependency></dependencies></project>`))
	}},
	{name: "bearer token to its own service", make: func(g *gen) *inspect.Subject {
		return withHeader(down("/timeline", appJSON, js(m{"items": []m{}})), "Authorization", "Bearer "+g.hex(48))
	}},
	{name: "session cookie", open: classes(inspect.Identifiers), make: func(g *gen) *inspect.Subject {
		return withHeader(down("/home", "text/html", []byte("<!doctype html><title>Home</title><p>Hello")), "Cookie", "PHPSESSID="+g.hex(26)+"; csrftoken="+g.hex(32))
	}},
	{name: "form with a CSRF token", make: func(g *gen) *inspect.Subject {
		return form("/settings/theme", "authenticity_token", b64(g.bytes(48)), "theme", "dark", "utf8", "✓")
	}},
	{name: "OAuth code flow, public client", make: func(g *gen) *inspect.Subject {
		return get("/authorize?response_type=code&client_id=android-app&redirect_uri=app%3A%2F%2Fcb&scope=openid&state=" + g.hex(16) + "&code_challenge=" + urlSafe(g.bytes(32)) + "&code_challenge_method=S256")
	}},
	{name: "API key of a public client", make: func(g *gen) *inspect.Subject {
		return withHeader(get("/v1/rates?api_key="+g.hex(32)+"&base=EUR"), "X-Api-Key", g.hex(32))
	}},
	{name: "log-in page that comes down", make: func(g *gen) *inspect.Subject {
		return down("/login", "text/html", []byte(`<!doctype html><form method=post><label>Password <input type="password" name="password" placeholder="Your password"></label><input name="username" value=""><input type=hidden name=csrf value="`+g.hex(32)+`"></form>`))
	}},
	{name: "rules for passwords", make: func(g *gen) *inspect.Subject {
		return down("/config/auth", appJSON, js(m{"password_policy": m{"min_length": 8, "require_digit": true}, "otp_length": 6, "pin_enabled": false, "password_reset_url": "https://example.com/reset"}))
	}},
	{name: "empty fields for a password", make: func(g *gen) *inspect.Subject {
		return up("POST", "/account/settings", appJSON, js(m{"password": "", "new_password": nil, "language": g.code, "newsletter": false}))
	}},
	{name: "e-tag", make: func(g *gen) *inspect.Subject {
		return withHeader(down("/app.css", "text/css", []byte("body{margin:0}")), "If-None-Match", `W/"`+g.hex(40)+`"`)
	}},
	{name: "trace ids", make: func(g *gen) *inspect.Subject {
		s := withHeader(down("/list", appJSON, js(m{"requestId": g.uuid(), "items": []m{}})), "traceparent", "00-"+g.hex(32)+"-"+g.hex(16)+"-01")
		return withHeader(s, "X-Request-Id", g.uuid())
	}},
	{name: "ids of spans and messages", make: func(g *gen) *inspect.Subject {
		return up("POST", "/spans", appJSON, js(m{"spans": many(g, 2, 6, func(int) m {
			return m{"traceId": g.hex(32), "spanId": g.hex(16), "name": "db.query", "start": g.when(), "duration": g.IntN(900)}
		})}))
	}},
	{name: "ids of things", make: func(g *gen) *inspect.Subject {
		return up("POST", "/cart/add", appJSON, js(m{"productId": g.digits(8), "variantId": g.uuid(), "articleId": g.hex(24), "quantity": 2}))
	}},
	{name: "session id of an event", make: func(g *gen) *inspect.Subject {
		return up("POST", "/ev", appJSON, js(m{"event": "scroll", "session_id": g.uuid(), "event_id": g.uuid(), "depth": g.IntN(100)}))
	}},
	{name: "taps on the screen", make: func(g *gen) *inspect.Subject {
		return up("POST", "/heatmap", appJSON, js(m{"taps": many(g, 3, 9, func(int) m {
			return m{"x": float64(g.IntN(108000)) / 100, "y": float64(g.IntN(234000)) / 100, "t": g.IntN(9000)}
		})}))
	}},
	{name: "latency called lat", make: func(g *gen) *inspect.Subject {
		return up("POST", "/ping", appJSON, js(m{"lat": float64(g.IntN(9000))/100 + 0.01, "jit": 1.25, "loss": 0.02, "server": "fra-3"}))
	}},
	{name: "latencies with long", make: func(g *gen) *inspect.Subject {
		return up("POST", "/rum", appJSON, js(m{"metrics": m{"lat": 32.15, "long": 812.5, "ttfb": 120.25, "dns": 12.75, "lcp": 1830.5}}))
	}},
	{name: "sensor rows", open: classes(inspect.DeviceStats), make: func(g *gen) *inspect.Subject {
		return up("POST", "/accel", appJSON, js(m{"hz": 50, "samples": times(g, 10, 30, func(int) float64 { return math.Round(g.Float64()*1e5) / 1e5 })}))
	}},
	{name: "prices", make: func(g *gen) *inspect.Subject {
		return down("/quotes?s=ACME", appJSON, js(m{"quotes": many(g, 3, 8, func(int) m {
			return m{"symbol": g.oneOf("ACME", "GLOBX"), "bid": float64(g.IntN(99999)) / 100, "ask": float64(g.IntN(99999)) / 100}
		})}))
	}},
	{name: "stock ticker socket", make: func(g *gen) *inspect.Subject {
		s := frame("/stream", js(m{"e": "trade", "s": "BTCEUR", "p": "48211.52", "q": "0.01", "T": g.when()}), true)
		s.FrameDirection = flow.Down
		return s
	}},
	{name: "live score socket", make: func(g *gen) *inspect.Subject {
		s := frame("/live", js(m{"match": g.IntN(9999), "min": g.IntN(90), "score": "2:1", "event": "goal", "player": g.person().full}), true)
		s.FrameDirection = flow.Down
		return s
	}},
	{name: "WebRTC offer", make: func(g *gen) *inspect.Subject {
		return frame("/signal", js(m{"type": "offer", "to": "peer-" + g.hex(6), "sdp": "v=0\r\no=- " + g.digits(18) + " 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=ice-ufrag:" + g.hex(4) + "\r\na=fingerprint:sha-256 AA:BB:CC:DD:EE:FF:00:11:22:33:44:55\r\n"}), true)
	}},
	{name: "SIP over WebSocket", open: classes(inspect.Identifiers, inspect.Contacts), make: func(g *gen) *inspect.Subject {
		n := g.e164()
		return frame("/sip", []byte("INVITE sip:"+n+"@sip.example.org SIP/2.0\r\nTo: <sip:"+n+"@sip.example.org>\r\nFrom: <sip:"+g.e164()+"@sip.example.org>;tag="+g.hex(8)+"\r\nCSeq: 1 INVITE\r\nCall-ID: "+g.hex(16)+"\r\n\r\n"), true)
	}},
	{name: "call that is set up", open: classes(inspect.Contacts, inspect.Identifiers), make: func(g *gen) *inspect.Subject {
		return up("POST", "/calls/start", appJSON, js(m{"callee": g.e164(), "callId": g.uuid(), "video": true, "codec": "opus"}))
	}},
	{name: "call centre's statistics", make: func(g *gen) *inspect.Subject {
		return down("/queue/stats", appJSON, js(m{"queue": "support", "calls_waiting": g.IntN(20), "average_duration": g.IntN(600), "missed_calls": g.IntN(30), "agents": g.IntN(12)}))
	}},
	{name: "chat of an app", open: classes(inspect.Identifiers), make: func(g *gen) *inspect.Subject {
		return up("POST", "/v3/rooms/"+g.hex(10)+"/messages", appJSON, js(m{"text": pick(g, g.notes), "clientMessageId": g.uuid(), "replyTo": nil}))
	}},
	{name: "chats that come down", make: func(g *gen) *inspect.Subject {
		return down("/v3/rooms/1/messages", appJSON, js(m{"messages": many(g, 3, 8, func(i int) m {
			return m{"id": g.hex(12), "sender": m{"nick": "user" + fmt.Sprint(i)}, "text": pick(g, g.notes), "ts": g.when()}
		})}))
	}},
	{name: "chat socket", open: classes(inspect.Identifiers), make: func(g *gen) *inspect.Subject {
		return frame("/ws", js(m{"type": "message", "room": g.hex(8), "body": pick(g, g.todos), "nonce": g.hex(8)}), true)
	}},
	{name: "chat with a bot", make: func(g *gen) *inspect.Subject {
		return up("POST", "/v1/chat/completions", appJSON, js(m{"model": "m-1", "messages": []m{{"role": "user", "content": pick(g, g.notes)}}, "temperature": 0.7}))
	}},
	{name: "posts of others", make: func(g *gen) *inspect.Subject {
		return down("/timeline", appJSON, js(m{"posts": many(g, 3, 8, func(int) m {
			return m{"id": g.digits(12), "user": "u" + g.digits(3), "text": pick(g, g.notes), "created_at": g.iso(), "likes": g.IntN(900)}
		})}))
	}},
	{name: "a post", make: func(g *gen) *inspect.Subject {
		return up("POST", "/statuses", appJSON, js(m{"status": pick(g, g.notes), "visibility": "public", "sensitive": false}))
	}},
	{name: "search results with links", make: func(g *gen) *inspect.Subject {
		return down("/search?q=cello", appJSON, js(m{"results": many(g, 4, 9, func(int) m {
			return m{"url": g.url(), "title": pick(g, g.pages), "snippet": pick(g, g.notes)}
		})}))
	}},
	{name: "a search told to the site itself", open: classes(inspect.BrowsingHistory), make: func(g *gen) *inspect.Subject {
		return get("/search?q=" + url.QueryEscape(pick(g, g.searches)) + "&page=1")
	}},
	{name: "RSS", make: func(g *gen) *inspect.Subject {
		var b bytes.Buffer
		for range 4 {
			fmt.Fprintf(&b, "<item><title>%s</title><link>%s</link><description>%s</description><pubDate>Thu, 31 Jul 2014 13:45:00 GMT</pubDate></item>", esc(pick(g, g.pages)), esc(g.url()), esc(pick(g, g.notes)))
		}
		return down("/feed.xml", "application/rss+xml", []byte(`<?xml version="1.0"?><rss version="2.0"><channel><title>News</title>`+b.String()+`</channel></rss>`))
	}},
	{name: "sitemap", make: func(g *gen) *inspect.Subject {
		return down("/sitemap.xml", "application/xml", []byte(`<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><url><loc>`+esc(g.url())+`</loc><lastmod>2021-01-01</lastmod></url><url><loc>`+esc(g.url())+`</loc></url></urlset>`))
	}},
	{name: "the page itself with a Referer", make: func(g *gen) *inspect.Subject {
		return withHeader(down("/article/"+g.digits(4), "text/html", []byte("<!doctype html><title>"+pick(g, g.pages)+"</title><p>"+pick(g, g.mails)+"</p><a href=\""+g.url()+"\">more</a>")), "Referer", g.url())
	}},
	{name: "release notes", make: func(g *gen) *inspect.Subject {
		return down("/changelog.md", "text/markdown", []byte("# Changelog\n\n## "+g.version()+"\n\n- Fixes a crash when a note is opened\n- TODO list loads faster\n- Contacts permission is asked later\n"))
	}},
	{name: "subtitles", make: func(g *gen) *inspect.Subject {
		return down("/s/"+g.hex(6)+".vtt", "text/vtt", []byte("WEBVTT\n\n00:01.000 --> 00:04.000\n"+pick(g, g.todos)+"\n\n00:05.000 --> 00:09.000\n"+pick(g, g.notes)+"\n"))
	}},
	{name: "game save", make: func(g *gen) *inspect.Subject {
		return up("PUT", "/save/slot1", appJSON, js(m{"level": g.IntN(90), "coins": g.IntN(9000), "pos": m{"x": 120.5, "y": 33.25, "z": 8.75}, "inventory": []string{"sword", "potion", "map"}, "playtime": g.IntN(90000)}))
	}},
	{name: "high scores", make: func(g *gen) *inspect.Subject {
		return down("/leaderboard", appJSON, js(m{"top": many(g, 5, 10, func(i int) m { return m{"rank": i + 1, "nick": "p" + g.hex(4), "score": g.IntN(99999)} })}))
	}},
	{name: "script", make: func(g *gen) *inspect.Subject {
		return down("/app."+g.hex(8)+".js", "text/javascript", []byte(`(()=>{var e={latitude:48.12345,longitude:2.12345},t="password",n=["contacts","sms"];navigator.geolocation.getCurrentPosition(o=>{fetch("/x",{method:"POST",body:JSON.stringify({lat:o.coords.latitude})})});document.querySelector("[type=password]")})();`))
	}},
	{name: "style sheet", make: func(g *gen) *inspect.Subject {
		return down("/m."+g.hex(8)+".css", "text/css", []byte(".note{color:#333}.contact{margin:1.25em}.map{width:48.85em;height:2.35em}"))
	}},
	{name: "font", make: func(g *gen) *inspect.Subject {
		return down("/f.woff2", "font/woff2", append([]byte("wOF2\x00\x01\x00\x00"), g.bytes(4000)...))
	}},
	{name: "video segment", make: func(g *gen) *inspect.Subject {
		return down(fmt.Sprintf("/v/seg%d.m4s", g.IntN(99)), "video/mp4", append([]byte("\x00\x00\x00\x18ftypiso5\x00\x00\x02\x00iso6mp41\x00\x00\x10\x00moof"), g.bytes(6000)...))
	}},
	{name: "video that goes up", make: func(g *gen) *inspect.Subject {
		return up("PUT", "/upload/1.mp4", "video/mp4", append(append([]byte("\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00isommp42\x00\x00\x20\x08mdat"), g.bytes(8000)...), []byte("\x00\x00\x00\x08moov")...))
	}, open: classes(inspect.Photo)},
	{name: "voice message that goes up", make: func(g *gen) *inspect.Subject {
		return up("POST", "/voice", "audio/ogg", append([]byte("OggS\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x01\x02\x03\x04\x00\x00\x00\x00\x00\x00\x00\x00\x01\x13OpusHead\x01\x01"), g.bytes(5000)...))
	}},
	{name: "zip of compressed media up", make: func(g *gen) *inspect.Subject {
		return up("PUT", "/pack.zip", "application/zip", zipped(map[string][]byte{"icon.png": drawPNG(g.Rand, 48), "readme.txt": []byte("A theme with icons.\n")}))
	}},
	{name: "compressed counters up", make: func(g *gen) *inspect.Subject {
		return up("POST", "/c", "application/octet-stream", gz(js(m{"counters": times(g, 50, 150, func(int) int { return g.IntN(1 << 20) })})))
	}},
	{name: "fonts and icons up", make: func(g *gen) *inspect.Subject {
		return up("PUT", "/theme/font", "font/woff2", append([]byte("wOF2\x00\x01\x00\x00"), g.bytes(3000)...))
	}},
	{name: "icon up", make: func(g *gen) *inspect.Subject { return up("PUT", "/icon.png", "image/png", drawPNG(g.Rand, 64)) }},
	{name: "short tokens", make: func(g *gen) *inspect.Subject {
		return form("/s", "state", urlSafe(g.bytes(16)), "nonce", g.hex(16), "sig", g.hex(40))
	}},
	{name: "signature beside a text", make: func(g *gen) *inspect.Subject {
		return up("POST", "/signed", appJSON, js(m{"text": pick(g, g.searches), "sha256": g.hex(64), "sign": g.hex(40)}))
	}},
	{name: "compressed answer", make: func(g *gen) *inspect.Subject {
		s := down("/big.json", appJSON, gz(js(m{"rows": times(g, 50, 90, func(int) int { return g.IntN(1 << 30) })})))
		s.Response.Header.Set("Content-Encoding", "gzip")
		return s
	}},
	{name: "poem in the news", make: func(g *gen) *inspect.Subject {
		return down("/news/poem-of-the-day", appJSON, js(m{"headline": pick(g, g.pages), "author": g.person().full, "published": g.iso(), "paragraphs": []string{pick(g, g.notes), pick(g, g.mails)}, "canonical": g.url()}))
	}},
	{name: "translations", make: func(g *gen) *inspect.Subject {
		return down("/i18n/"+g.code+".json", appJSON, js(m{"send_sms": "Send SMS", "contacts": "Contacts", "your_location": "Your location", "enter_password": "Enter your password", "call_log": "Call log"}))
	}},
	{name: "permissions asked for", make: func(g *gen) *inspect.Subject {
		return up("POST", "/perm", appJSON, js(m{"permissions": m{"READ_SMS": "denied", "READ_CONTACTS": "granted", "ACCESS_FINE_LOCATION": "denied", "READ_CALL_LOG": "denied"}}))
	}},
	{name: "counts of things", open: classes(inspect.DeviceStats), make: func(g *gen) *inspect.Subject {
		return up("POST", "/counts", appJSON, js(m{"contacts_count": g.IntN(400), "sms_count": g.IntN(4000), "photos_count": g.IntN(9000), "notes_count": g.IntN(40), "apps_count": g.IntN(200)}))
	}},
	{name: "time zone and country", make: func(g *gen) *inspect.Subject {
		return up("POST", "/locale", appJSON, js(m{"timezone": "Europe/Paris", "country": "FR", "language": g.code, "currency": "EUR"}))
	}},
	{name: "city from the address", make: func(g *gen) *inspect.Subject {
		return down("/geoip", appJSON, js(m{"ip": "192.0.2.7", "city": "Lyon", "country": "FR", "latitude": 45.76, "longitude": 4.84}))
	}},
	{name: "one decimal", make: func(g *gen) *inspect.Subject {
		lat, lon := g.point(1)
		return query("/forecast", "lat", fmt.Sprintf("%.1f", math.Round(lat)), "lon", fmt.Sprintf("%.1f", math.Round(lon)))
	}},
	{name: "image with a phone's name", make: func(g *gen) *inspect.Subject {
		return down("/wallpapers.json", appJSON, js(m{"wallpapers": many(g, 2, 5, func(i int) m {
			return m{"file": fmt.Sprintf("wall_%d.jpg", i), "sha1": g.hex(40), "size": g.IntN(900000), "author": "studio"}
		})}))
	}},
	{name: "hashes of resources", make: func(g *gen) *inspect.Subject {
		all := make(m)
		for i := range 8 {
			all[fmt.Sprintf("assets/img%d.webp", i)] = g.hex(64)
		}
		return down("/resources.json", appJSON, js(m{"version": g.digits(4), "files": all}))
	}},
	{name: "MAC of a router that comes down", make: func(g *gen) *inspect.Subject {
		return down("/router/status", appJSON, js(m{"router": m{"mac": g.mac(":"), "serial": g.serial(), "firmware": g.version()}, "clients": g.IntN(9)}))
	}},
	{name: "phone of a hotline", make: func(g *gen) *inspect.Subject {
		return down("/help", appJSON, js(m{"hotline": g.phone(), "hours": "9-17", "mail": "help@example.org", "faq": []m{{"q": "How do I call?", "a": "Dial the number."}}}))
	}},
	{name: "product that is a phone", make: func(g *gen) *inspect.Subject {
		d := models[g.IntN(len(models))]
		return down("/p/"+g.digits(4), appJSON, js(m{"brand": d.make, "model": d.model, "battery": "5000 mAh", "screen": "6.4 in", "ram": "8 GB", "price": 399}))
	}},
	{name: "download of an update", make: func(g *gen) *inspect.Subject {
		return down("/dl/app-"+g.version()+".apk", "application/vnd.android.package-archive", zipped(map[string][]byte{"AndroidManifest.xml": g.bytes(200), "classes.dex": g.bytes(2000)}))
	}},
	{name: "version in a statistic", open: classes(inspect.DeviceStats), make: func(g *gen) *inspect.Subject {
		return up("POST", "/ev", appJSON, js(m{"event": "click", "app_version": g.version(), "button": "ok", "screen_name": "home"}))
	}},
	{name: "API with a version in its path", make: func(g *gen) *inspect.Subject {
		return down("/v2.1/items?limit=10&version=2", appJSON, js(m{"version": 2, "items": many(g, 2, 5, func(int) m { return m{"id": g.IntN(900), "label": "x"} })}))
	}},
	{name: "health check", make: func(g *gen) *inspect.Subject {
		return down("/health", appJSON, js(m{"status": "ok", "version": g.version(), "uptime": g.IntN(90000)}))
	}},
	{name: "connectivity check", make: func(g *gen) *inspect.Subject {
		s := get("/generate_204")
		s.Status = 204
		return s
	}},
	{name: "certificate status", make: func(g *gen) *inspect.Subject {
		return answered(up("POST", "/ocsp", "application/ocsp-request", append([]byte("\x30\x51\x30\x4f\x30\x4d\x30\x4b\x30\x49\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00\x04\x14"), g.bytes(60)...)), "application/ocsp-response", append([]byte("\x30\x82\x01\xd7"), g.bytes(471)...))
	}},
	{name: "time", make: func(g *gen) *inspect.Subject { return down("/time", appJSON, js(m{"now": g.when(), "tz": "UTC"})) }},
	{name: "poll", make: func(g *gen) *inspect.Subject {
		return up("POST", "/vote", appJSON, js(m{"poll": g.IntN(900), "choice": g.IntN(4)}))
	}},
	{name: "cookie consent", make: func(g *gen) *inspect.Subject {
		return up("POST", "/consent", appJSON, js(m{"purposes": m{"ads": false, "stats": true}, "tcf": "CP" + g.hex(60), "ts": g.when()}))
	}},
	{name: "calculator of loans", make: func(g *gen) *inspect.Subject {
		return up("POST", "/loan/calc", appJSON, js(m{"amount": g.IntN(90000), "months": 36, "rate": 3.49}))
	}},
	{name: "recipes", make: func(g *gen) *inspect.Subject {
		return down("/recipes", appJSON, js(m{"recipes": many(g, 2, 5, func(int) m {
			return m{"title": "Pie", "ingredients": []string{"flour", "eggs", "apples"}, "steps": []string{"Mix it all.", "Bake it for forty minutes."}, "minutes": 40}
		})}))
	}},
	{name: "dictionary", make: func(g *gen) *inspect.Subject {
		return down("/define/cello", appJSON, js([]m{{"word": "cello", "meanings": []m{{"definition": "A large instrument of the violin family.", "example": "She plays the cello."}}}}))
	}},
	{name: "horoscope", make: func(g *gen) *inspect.Subject {
		return down("/horoscope/leo/today", appJSON, js(m{"sign": "leo", "date": g.day(), "text": "A calm day. Do not sign anything before noon."}))
	}},

	{name: "flight list", unseen: true, make: func(g *gen) *inspect.Subject {
		return down("/flights", appJSON, js(m{"flights": many(g, 3, 8, func(int) m {
			return m{"no": "XX" + g.digits(3), "from": "LIS", "to": "ORY", "dep": g.iso(), "lat": 43.12, "lon": -2.51, "alt": 36000}
		})}))
	}},
	{name: "museum collection", unseen: true, make: func(g *gen) *inspect.Subject {
		return down("/objects?tags=portrait", appJSON, js(m{"objects": many(g, 3, 7, func(int) m {
			return m{"id": g.IntN(90000), "title": "Portrait", "artist": g.person().full, "image": "https://img.example.org/" + g.hex(10) + ".jpg", "year": 1700 + g.IntN(200)}
		})}))
	}},
	{name: "quiz", unseen: true, make: func(g *gen) *inspect.Subject {
		return down("/quiz", appJSON, js(m{"questions": many(g, 3, 6, func(int) m {
			return m{"q": "Which river flows through Leeds?", "options": []string{"Aire", "Ouse", "Tees"}, "correct": 0}
		})}))
	}},
	{name: "smart home state", unseen: true, make: func(g *gen) *inspect.Subject {
		return down("/states", appJSON, js(many(g, 3, 8, func(int) m {
			return m{"entity_id": "light." + g.hex(4), "state": "on", "attributes": m{"brightness": g.IntN(255), "battery": g.IntN(100)}}
		})))
	}},
	{name: "job offers", unseen: true, make: func(g *gen) *inspect.Subject {
		return down("/jobs", appJSON, js(m{"jobs": many(g, 2, 6, func(int) m {
			return m{"title": "Nurse", "company": "Clinic", "contact": m{"name": g.person().full, "phone": g.phone()}, "city": "Kiel"}
		})}))
	}},
	{name: "lyrics", unseen: true, make: func(g *gen) *inspect.Subject {
		return down("/lyrics/"+g.digits(5), "text/plain; charset=utf-8", []byte("The harbour light goes round and round\nand nobody is home\nthe letters that you never found\nwere written on the foam\n"))
	}},
	{name: "petition", unseen: true, want: classes(inspect.Identifiers), make: func(g *gen) *inspect.Subject {
		p := g.person()
		return form("/petition/sign", "first_name", p.given, "last_name", p.family, "email", p.email, "comment", pick(g, g.todos))
	}},
	{name: "MQTT keep-alive", unseen: true, make: func(g *gen) *inspect.Subject { return frame("/mqtt", []byte{0xc0, 0x00}, false) }},
	{name: "HLS playlist", unseen: true, make: func(g *gen) *inspect.Subject {
		return down("/live.m3u8", "application/vnd.apple.mpegurl", []byte("#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6.006,\nseg1.ts\n#EXTINF:6.006,\nseg2.ts\n"))
	}},
	{name: "app's own log", unseen: true, open: classes(inspect.DeviceStats), make: func(g *gen) *inspect.Subject {
		return up("POST", "/log", "text/plain", []byte(g.date()+" INFO sync started\n"+g.date()+" WARN retry in 5 s\n"+g.date()+" INFO contacts: permission denied\n"+g.date()+" INFO notes: 0 changed\n"))
	}},
}
