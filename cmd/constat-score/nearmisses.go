package main

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"

	"constat/inspect"
)

// nearMisses share words, names or shapes with one class and are not it.
var nearMisses = []negative{
	// location
	{name: "language and limit of tracking", make: func(g *gen) *inspect.Subject {
		return up("POST", "/i18n/missing", appJSON, js(m{"lng": g.code, "lat": 1, "ns": "app", "key": "title"}))
	}},
	{name: "points of a chart", make: func(g *gen) *inspect.Subject {
		return up("POST", "/chart/render", appJSON, js(m{"points": many(g, 5, 12, func(i int) m { return m{"x": float64(i) + 0.25, "y": float64(g.IntN(9000)) / 100} }), "w": 640, "h": 480}))
	}},
	{name: "area of a map", open: classes(inspect.Location), make: func(g *gen) *inspect.Subject {
		lat, lon := g.point(3)
		return query("/map/features", "bbox", fmt.Sprintf("%.3f,%.3f,%.3f,%.3f", lon-0.1, lat-0.1, lon+0.1, lat+0.1), "zoom", "12")
	}},
	{name: "satellites that come down", make: func(g *gen) *inspect.Subject {
		return down("/tle.json", appJSON, js(m{"sats": many(g, 3, 6, func(int) m { return m{"name": "SAT-" + g.digits(2), "lat": 12.3456, "lon": -44.1234, "alt_km": 540} })}))
	}},
	{name: "earthquakes that come down", unseen: true, make: func(g *gen) *inspect.Subject {
		return down("/quakes.geojson", "application/geo+json", js(m{"type": "FeatureCollection", "features": many(g, 3, 6, func(int) m {
			lat, lon := g.point(4)
			return m{"type": "Feature", "properties": m{"mag": 4.1, "time": g.when()}, "geometry": m{"type": "Point", "coordinates": []float64{lon, lat, 10}}}
		})}))
	}},
	{name: "flat that is let", make: func(g *gen) *inspect.Subject {
		return down("/flats/"+g.digits(6), appJSON, js(m{"rent": 640, "rooms": 3, "address": pick(g, g.streets), "geo": m{"lat": 48.1234, "lng": 11.5678}, "agent": m{"name": g.person().full, "phone": g.phone()}}))
	}},
	// apps
	{name: "permissions by name", make: func(g *gen) *inspect.Subject {
		return up("POST", "/permissions", appJSON, js(m{"granted": []string{"android.permission.READ_SMS", "android.permission.READ_CONTACTS", "android.permission.ACCESS_FINE_LOCATION", "android.permission.CAMERA"}}))
	}},
	{name: "screens of one app", open: classes(inspect.DeviceStats), make: func(g *gen) *inspect.Subject {
		return up("POST", "/nav", appJSON, js(m{"screens": []string{"com.example.app.ui.Home", "com.example.app.ui.Settings", "com.example.app.ui.Login", "com.example.app.ui.Detail"}}))
	}},
	{name: "topics of a push service", make: func(g *gen) *inspect.Subject {
		return up("POST", "/topics", appJSON, js(m{"subscribe": []string{"news.sport", "news.culture.film", "weather.alerts.north", "offers.weekly"}}))
	}},
	{name: "blocked hosts", unseen: true, make: func(g *gen) *inspect.Subject {
		return up("POST", "/dns/rules", appJSON, js(m{"block": []string{"ads.example.com", "track.example.net", "pixel.example.org", "beacon.example.io"}}))
	}},
	{name: "features with dots", make: func(g *gen) *inspect.Subject {
		return up("POST", "/flags/evaluate", appJSON, js(m{"flags": []string{"com.example.search.v2", "com.example.player.hdr", "com.example.home.cards", "com.example.cart.quick"}}))
	}},
	{name: "compatible devices", make: func(g *gen) *inspect.Subject {
		return down("/compat", appJSON, js(m{"devices": many(g, 4, 9, func(int) m {
			d := models[g.IntN(len(models))]
			return m{"manufacturer": d.make, "model": d.model, "code": d.code, "screen": "1080x2340", "ram": 4096}
		})}))
	}},
	{name: "parental rules that come down", make: func(g *gen) *inspect.Subject {
		return down("/family/rules", appJSON, js(m{"blocked_apps": onPhone(g, func(a app) string { return a.pkg }), "bedtime": "21:00"}))
	}},
	// credentials
	{name: "postal code called pin", make: func(g *gen) *inspect.Subject {
		return up("POST", "/serviceable", appJSON, js(m{"pincode": g.digits(6), "weight": 1.2}))
	}},
	{name: "voucher", make: func(g *gen) *inspect.Subject {
		return up("POST", "/cart/coupon", appJSON, js(m{"code": g.oneOf("SUMMER24", "WELCOME10", "FREESHIP"), "cartTotal": 49.9}))
	}},
	{name: "masked password", make: func(g *gen) *inspect.Subject {
		return up("POST", "/settings", appJSON, js(m{"password": "********", "passwordStrength": "strong", "theme": "dark"}))
	}},
	{name: "captcha", make: func(g *gen) *inspect.Subject {
		return form("/captcha/verify", "g-recaptcha-response", "03A"+urlSafe(g.bytes(24)), "action", "comment")
	}},
	{name: "pins on a board", make: func(g *gen) *inspect.Subject {
		return up("POST", "/boards/7/pins", appJSON, js(m{"pins": []m{{"pin_id": g.digits(10), "section": 2}}, "pinned": true}))
	}},
	{name: "countries by code", unseen: true, make: func(g *gen) *inspect.Subject {
		return down("/countries", appJSON, js(m{"countries": []m{{"code": "FR", "dial_code": "+33"}, {"code": "DE", "dial_code": "+49"}, {"code": "TH", "dial_code": "+66"}}}))
	}},
	// email, contacts
	{name: "commits", make: func(g *gen) *inspect.Subject {
		return down("/repos/x/commits", appJSON, js(many(g, 3, 6, func(int) m {
			p := g.person()
			return m{"sha": g.hex(40), "commit": m{"author": m{"name": p.full, "email": p.email, "date": g.iso()}, "message": "Fix the build on arm64"}}
		})))
	}},
	{name: "roster of a team", make: func(g *gen) *inspect.Subject {
		return down("/team/9", appJSON, js(m{"players": many(g, 5, 11, func(int) m {
			return m{"name": g.person().full, "number": g.IntN(99), "position": "MF", "born": g.day()}
		})}))
	}},
	{name: "hotlines by country", make: func(g *gen) *inspect.Subject {
		return down("/support/phones", appJSON, js(m{"FR": "+33 1 99 00 11 22", "DE": "+49 30 23125 100", "GB": "+44 1632 960 123", "hours": "9-18"}))
	}},
	{name: "doctors found", make: func(g *gen) *inspect.Subject {
		return down("/doctors?specialty=dentist&city=Jena", appJSON, js(m{"results": many(g, 3, 7, func(int) m {
			p := g.person()
			return m{"name": "Dr. " + p.full, "practice_phone": p.phone, "street": pick(g, g.streets), "rating": 4.5}
		})}))
	}},
	{name: "board that comes down, imprint", unseen: true, make: func(g *gen) *inspect.Subject {
		return down("/imprint", "text/html", []byte("<!doctype html><title>Imprint</title><p>Example Ltd, "+pick(g, g.streets)+"<p>Phone: "+g.phone()+"<br>Mail: info@example.com<p>Director: "+g.person().full))
	}},
	{name: "mail templates", open: classes(inspect.Email), make: func(g *gen) *inspect.Subject {
		return down("/templates", appJSON, js(m{"templates": []m{{"id": 1, "subject": "Your order has shipped", "body": "Hello {{name}}"}, {"id": 2, "subject": "Welcome", "body": "Hi {{name}}"}}}))
	}},
	{name: "settings of notices", make: func(g *gen) *inspect.Subject {
		return up("PUT", "/notify/settings", appJSON, js(m{"email": true, "sms": false, "push": true, "digest": "weekly", "subjects": []string{"news", "offers"}}))
	}},
	{name: "review of a shop", make: func(g *gen) *inspect.Subject {
		return up("POST", "/reviews", appJSON, js(m{"shop": g.IntN(900), "stars": 4, "subject": "Nice", "body": pick(g, g.notes)}))
	}},
	// calls
	{name: "workouts", make: func(g *gen) *inspect.Subject {
		return up("POST", "/workouts", appJSON, js(m{"workouts": many(g, 2, 6, func(int) m {
			return m{"type": g.oneOf("run", "swim"), "duration": g.IntN(5000), "date": g.day(), "kcal": g.IntN(900)}
		})}))
	}},
	{name: "songs played", make: func(g *gen) *inspect.Subject {
		return up("POST", "/scrobble", appJSON, js(m{"plays": many(g, 2, 6, func(int) m {
			return m{"track": "Song " + g.digits(2), "artist": "Band", "duration": 214, "timestamp": g.sec()}
		})}))
	}},
	{name: "rates of calls", make: func(g *gen) *inspect.Subject {
		return down("/rates", appJSON, js(m{"rates": []m{{"prefix": "+33", "price_per_min": 0.02}, {"prefix": "+4930", "price_per_min": 0.01}}, "currency": "EUR"}))
	}},
	{name: "meetings of a conference service", unseen: true, make: func(g *gen) *inspect.Subject {
		return up("POST", "/meeting/join", appJSON, js(m{"meetingNumber": g.digits(10), "role": 0, "duration": 40, "type": 2}))
	}},
	// notes
	{name: "blog posts", make: func(g *gen) *inspect.Subject {
		return down("/wp-json/wp/v2/posts", appJSON, js(many(g, 2, 5, func(int) m {
			return m{"id": g.IntN(9000), "date": g.iso(), "slug": "a-post", "title": m{"rendered": pick(g, g.pages)}, "content": m{"rendered": "<p>" + pick(g, g.mails) + "</p>"}, "author": 1}
		})))
	}},
	{name: "concerts", make: func(g *gen) *inspect.Subject {
		return down("/events?city=Kiel", appJSON, js(m{"events": many(g, 3, 6, func(int) m {
			return m{"name": "Concert", "start": g.iso(), "end": g.iso(), "venue": "Hall", "tickets": 29.5}
		})}))
	}},
	{name: "tickets of a tracker", make: func(g *gen) *inspect.Subject {
		return down("/issues", appJSON, js(m{"issues": many(g, 2, 5, func(i int) m {
			return m{"number": i, "title": "Crash on start", "body": "Steps to reproduce: open the app.", "state": "open", "created_at": g.iso(), "user": m{"login": "u" + g.digits(3)}}
		})}))
	}},
	{name: "lessons", unseen: true, make: func(g *gen) *inspect.Subject {
		return down("/course/3", appJSON, js(m{"lessons": many(g, 2, 5, func(i int) m {
			return m{"title": "Lesson " + fmt.Sprint(i), "content": "Read chapter two and answer.", "order": i}
		})}))
	}},
	// browsing
	{name: "pictures through a proxy", make: func(g *gen) *inspect.Subject {
		return get("/img?url=https%3A%2F%2Fimg.example.com%2F" + g.hex(10) + ".jpg&w=200&h=200&q=80")
	}},
	{name: "callback address", make: func(g *gen) *inspect.Subject {
		return up("POST", "/hooks", appJSON, js(m{"url": "https://hooks.example.com/" + g.hex(12), "events": []string{"paid", "refunded"}, "active": true}))
	}},
	{name: "avatar by address", make: func(g *gen) *inspect.Subject {
		return up("PATCH", "/me/avatar", appJSON, js(m{"avatar_url": "https://cdn.example.com/a/" + g.hex(10) + ".png", "frame": "round"}))
	}},
	{name: "addresses of failed resources", open: classes(inspect.DeviceStats), make: func(g *gen) *inspect.Subject {
		return up("POST", "/csp", "application/reports+json", js([]m{{"type": "network-error", "body": m{"sampling_fraction": 1, "phase": "dns", "type": "dns.name_not_resolved", "status_code": 0}, "age": 10}}))
	}},
	{name: "links of an API", make: func(g *gen) *inspect.Subject {
		return up("PUT", "/orders/7", appJSON, js(m{"_links": m{"self": m{"href": "/orders/7"}, "next": m{"href": "/orders/8"}}, "state": "paid"}))
	}},
	{name: "search suggestions that come down", unseen: true, make: func(g *gen) *inspect.Subject {
		return down("/trending", appJSON, js(m{"queries": []string{"cello", "night train", "pie recipe"}, "updated": g.iso()}))
	}},
	// update checks
	{name: "terms accepted", make: func(g *gen) *inspect.Subject {
		return up("POST", "/terms/accept", appJSON, js(m{"terms_version": "2021-03", "privacy_version": "7", "accepted": true}))
	}},
	{name: "document with a revision", make: func(g *gen) *inspect.Subject {
		return answered(up("PUT", "/docs/9", appJSON, js(m{"version": 12, "patch": []m{{"op": "replace", "path": "/color", "value": "red"}}})), appJSON, js(m{"version": 13}))
	}},
	{name: "packages of a mirror", unseen: true, make: func(g *gen) *inspect.Subject {
		return down("/simple/index.json", appJSON, js(m{"projects": []m{{"name": "alpha", "version": g.version()}, {"name": "beta", "version": g.version()}}}))
	}},
	// presets
	{name: "horoscopes of all signs", make: func(g *gen) *inspect.Subject {
		return down("/horoscopes/today", appJSON, js(m{"date": g.day(), "signs": []m{{"sign": "aries", "text": "Money comes, but not today."}, {"sign": "leo", "text": "Somebody waits for your answer."}, {"sign": "libra", "text": "A calm day, use it."}}}))
	}},
	{name: "plots of films", make: func(g *gen) *inspect.Subject {
		return down("/movies?category=drama&page=1", appJSON, js(m{"movies": many(g, 3, 7, func(i int) m {
			return m{"id": i, "title": "Film", "overview": "A lighthouse keeper finds letters that his sister wrote.", "year": 1990 + g.IntN(30), "vote": 7.1}
		})}))
	}},
	{name: "headlines", make: func(g *gen) *inspect.Subject {
		return down("/headlines?category=world", appJSON, js(m{"items": many(g, 4, 9, func(i int) m { return m{"id": i, "title": pick(g, g.pages), "ts": g.sec()} })}))
	}},
	{name: "quick answers of a chat", open: classes(inspect.GreetingContent), make: func(g *gen) *inspect.Subject {
		return down("/quickreplies", appJSON, js(m{"replies": []string{"OK", "On my way", "Call you later", "Thanks!"}}))
	}},
	{name: "words of a course", unseen: true, make: func(g *gen) *inspect.Subject {
		return down("/deck/4", appJSON, js(m{"cards": many(g, 4, 8, func(i int) m { return m{"front": "cello " + fmt.Sprint(i), "back": "Violoncello", "due": g.day()} })}))
	}},
	// pictures
	{name: "signature drawn by hand", make: func(g *gen) *inspect.Subject {
		return up("POST", "/sign", appJSON, js(m{"signature": "data:image/png;base64," + b64(drawPNG(g.Rand, 80))}))
	}},
	{name: "file of an office", make: func(g *gen) *inspect.Subject {
		return up("POST", "/files", appJSON, js(m{"fileName": "report_q3.docx", "sha1": g.hex(40), "size": g.IntN(900000), "mimeType": "application/vnd.openxmlformats-officedocument.wordprocessingml.document"}))
	}},
	{name: "stickers", unseen: true, make: func(g *gen) *inspect.Subject {
		return down("/stickers", appJSON, js(m{"pack": "cats", "stickers": many(g, 4, 9, func(i int) m { return m{"file": fmt.Sprintf("cat_%02d.webp", i), "sha256": g.hex(64), "size": 20480} })}))
	}},
	// messages
	{name: "code asked for by SMS", want: classes(inspect.Identifiers), make: func(g *gen) *inspect.Subject {
		return up("POST", "/otp/request", appJSON, js(m{"phoneNumber": g.e164(), "channel": "sms", "template": "login"}))
	}},
	{name: "notices that come down", make: func(g *gen) *inspect.Subject {
		return down("/notifications", appJSON, js(m{"notifications": many(g, 2, 6, func(i int) m {
			return m{"id": i, "title": "New follower", "message": "Somebody follows you.", "date": g.when(), "read": false, "type": 1}
		})}))
	}},
	// device
	{name: "server's state", make: func(g *gen) *inspect.Subject {
		return down("/status", appJSON, js(m{"cpu": 0.4, "memory": m{"total": 64, "free": 12}, "disk": 0.8, "uptime": g.IntN(900000), "hostname": "web-3"}))
	}},
	{name: "version and locale alone", make: func(g *gen) *inspect.Subject {
		return query("/strings", "app_version", g.version(), "locale", "fr_FR")
	}},
	{name: "width of a picture wanted", make: func(g *gen) *inspect.Subject {
		return get("/res/list?width=1080&height=2340&type=wallpaper")
	}},
	// identifiers
	{name: "number of a parcel", make: func(g *gen) *inspect.Subject {
		return up("POST", "/track/parcels", appJSON, js(m{"parcels": []string{luhn(g.digits(14)), luhn(g.digits(14))}, "carrier_code": "dhl"}))
	}},
	{name: "things by uuid", make: func(g *gen) *inspect.Subject {
		return up("POST", "/playlist/add", appJSON, js(m{"trackId": g.uuid(), "playlistId": g.uuid(), "position": 3}))
	}},
	{name: "article by its bar code", make: func(g *gen) *inspect.Subject {
		return query("/barcode", "ean", g.digits(13), "store", "12")
	}},
	{name: "idempotency key", make: func(g *gen) *inspect.Subject {
		return withHeader(up("POST", "/orders", appJSON, js(m{"sku": g.hex(8), "qty": 1})), "Idempotency-Key", g.uuid())
	}},
	{name: "lamp with a MAC that comes down", unseen: true, make: func(g *gen) *inspect.Subject {
		return down("/lights", appJSON, js(m{"lights": many(g, 1, 4, func(int) m { return m{"id": g.hex(16), "mac": g.mac(":"), "serial": g.serial(), "on": true} })}))
	}},
	// opaque
	{name: "vector of a model", make: func(g *gen) *inspect.Subject {
		var b []byte
		for range 256 {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(float32(g.NormFloat64()*0.1)))
		}
		return up("POST", "/similar", appJSON, js(m{"embedding": b64(b), "k": 10}))
	}},
	{name: "icon in base64 up", make: func(g *gen) *inspect.Subject {
		return up("POST", "/shortcut", appJSON, js(m{"label": "Home", "icon": b64(drawPNG(g.Rand, 48))}))
	}},
	{name: "text in base64 up", make: func(g *gen) *inspect.Subject {
		return up("POST", "/render", appJSON, js(m{"tpl": b64([]byte(strings.Repeat("<li>{{item}}</li>", 20)))}))
	}},
	{name: "signature of a purchase", open: classes(inspect.Opaque, inspect.Identifiers), make: func(g *gen) *inspect.Subject {
		return up("POST", "/purchase/verify", appJSON, js(m{"productId": "coins_100", "signature": b64(g.bytes(256)), "purchaseToken": urlSafe(g.bytes(90))}))
	}},
	{name: "list of hashes of files", unseen: true, make: func(g *gen) *inspect.Subject {
		return up("POST", "/cas/missing", appJSON, js(m{"blobs": times(g, 6, 12, func(int) string { return g.hex(64) }), "algo": "sha256"}))
	}},
}
