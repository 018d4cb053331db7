package claim_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"constat/proxy/flow"
	"constat/store/claim"
)

// traps are traffic that looks like what a claim is about and is something else, or
// the other way round: ordinary, odd and hostile.
var traps = films{
	// What was open before the phone was laid down carried who knows what since.
	{"C1", claim.Undecided, false, nil, "had begun before the sessions in which the screen is off", func(f *film) {
		f.controls()
		f.lasting("push.vendor.example", 50_000, 3*time.Hour)
		f.wait(minute)
		f.three("idle screen=off", half, nil)
	}},
	{"C1", claim.Undecided, false, nil, "2 WebSockets or streams had been opened before the sessions in which the screen is off", func(f *film) {
		f.controls()
		f.socket("wss://push.vendor.example/", 45*minute, "{}")
		f.wait(minute)
		f.three("idle screen=off", half, nil)
	}},
	// A session of that name in which somebody looks at the phone.
	{"C1", claim.Undecided, false, nil, "3 more sessions", func(f *film) {
		f.controls()
		f.three("idle screen=on", half, func() { f.stats(nil) })
	}},
	// A name that was misspelt finds nothing.
	{"C1", claim.Undecided, false, map[string][]string{"domains": {"vendor.exampel"}}, "Nothing at all went to vendor.exampel", func(f *film) {
		f.controls()
		f.session("use", half, func() { f.stats(nil) })
		f.three("idle screen=off", half, nil)
	}},

	// The path has a number that is another each time.
	{"C2", claim.Undecided, false, nil, "to a host of the Wi-Fi sessions", func(f *film) {
		f.controls()
		f.three("home network=wifi", half, func() { f.statsTo("https://stats.vendor.example/u/1001/sa", nil) })
		f.three("road network=mobile", half, func() { f.statsTo("https://stats.vendor.example/u/1002/sa", nil) })
	}},
	// The same transfer, encrypted by the app, so that nothing is recognised in it.
	{"C2", claim.Undecided, false, nil, "to a host of the Wi-Fi sessions", func(f *film) {
		f.controls()
		f.three("home network=wifi", half, func() { f.stats(nil) })
		f.three("road network=mobile", half, func() { f.get("https://stats.vendor.example/sa?d=x7", `{}`); f.greetings() })
	}},
	// Two phones.
	{"C2", claim.Undecided, false, nil, "which a person must look at", func(f *film) {
		f.controls()
		f.three("home network=wifi", half, func() { f.stats(nil) })
		f.device = "tablet"
		f.three("road network=mobile", half, func() { f.stats(nil) })
	}},

	// Opening a page tells its address to the page itself, and the page to what it
	// loads.
	{"C3", claim.Supported, false, nil, "", func(f *film) {
		f.controls()
		f.three("quiet cloud=off", half, func() { f.open("url-1"); f.open("url-2") })
	}},
	// The backup is on, by its other name.
	{"C3", claim.Undecided, false, nil, "3 more sessions", func(f *film) {
		f.controls()
		f.three("use cloud=off micloud=on", half, f.contact)
	}},
	// Of what went to the vendor nothing could be read, beside much that could.
	{"C3", claim.Undecided, false, map[string][]string{"domains": {"vendor.example"}}, "of the bytes sent to vendor.example in the sessions", func(f *film) {
		f.controls()
		f.three("quiet cloud=off", half, func() {
			f.post("https://video.example/upload", "text/plain", []byte(strings.Repeat("nothing of interest. ", 30_000)))
			f.unread("sync.vendor.example", flow.Passed, 9_000)
		})
	}},
	// A second device at the same door.
	{"C3", claim.Refuted, false, nil, "comes from 2 devices (phone, tablet)", func(f *film) {
		f.controls()
		f.session("quiet cloud=off", half, f.contact)
		f.device = "tablet"
		f.session("quiet cloud=off", half, f.contact)
	}},
	// The handshakes that an app refuses are few bytes, whatever it would have sent.
	{"C3", claim.Undecided, false, nil, "pinned.vendor.example, sync.vendor.example", func(f *film) {
		f.controls()
		f.three("quiet cloud=off", half, func() {
			f.post("https://video.example/upload", "text/plain", []byte(strings.Repeat("nothing of interest. ", 30_000)))
			f.unread("pinned.vendor.example", flow.ClientRefused, 600)
			f.unread("sync.vendor.example", flow.ServerFailed, 600)
		})
	}},
	{"C3", claim.Supported, false, map[string][]string{"domains": {"video.example"}}, "", func(f *film) {
		f.controls()
		f.three("quiet cloud=off", half, func() {
			f.post("https://video.example/upload", "text/plain", []byte(strings.Repeat("nothing of interest. ", 30_000)))
			f.unread("pinned.vendor.example", flow.ClientRefused, 600)
		})
	}},
	// A body larger than what is inspected.
	{"C3", claim.Undecided, false, nil, "larger than the 16 MiB", func(f *film) {
		f.controls()
		f.three("quiet cloud=off", half, func() { f.stats(nil) })
		f.session("quiet cloud=off", half, func() {
			f.post("https://stats.vendor.example/log", "text/plain", []byte(strings.Repeat("nothing of interest. ", 820_000)))
		})
	}},
	// One session that was read makes up for none of the others.
	{"C3", claim.Undecided, false, nil, "only 1 of 3 could be read", func(f *film) {
		f.controls()
		f.session("quiet cloud=off", half, func() {
			f.post("https://video.example/upload", "text/plain", []byte(strings.Repeat("nothing of interest. ", 30_000)))
		})
		f.session("quiet cloud=off", half, func() { f.unread("sync.vendor.example", flow.Passed, 9_000) })
		f.session("quiet cloud=off", half, func() { f.unread("sync.vendor.example", flow.Passed, 9_000) })
	}},
	// A control is one in any case of letters, and by any word for it.
	{"C3", claim.Undecided, false, nil, "more sessions", func(f *film) {
		f.plant()
		f.session("try cloud=off Control=Positive", half, f.contact)
		f.session("try cloud=off control=1", half, f.contact)
		f.session("control-2 cloud=off", half, f.contact)
	}},
	// What an app encrypted can be anything, however short.
	{"C3", claim.Undecided, false, nil, "which a person must look at", func(f *film) {
		f.controls()
		f.three("quiet cloud=off", half, func() {
			f.post("https://video.example/upload", "text/plain", []byte(strings.Repeat("nothing of interest. ", 30_000)))
			f.sealed()
		})
	}},
	// The message left on a WebSocket after the backup had been switched on.
	{"C3", claim.Undecided, false, nil, "WebSocket that outlasts the session", func(f *film) {
		f.controls()
		f.three("quiet cloud=off", half, func() { f.stats(nil) })
		f.session("quiet cloud=off", 5*minute, func() { f.socket("wss://sync.vendor.example/", half, `{"phone":"`+f.value("contact-1.phone")+`"}`) })
		f.session("use cloud=on", half, nil)
	}},
	{"C3", claim.Refuted, false, nil, "", func(f *film) {
		f.controls()
		f.session("quiet cloud=off", half, func() { f.socket("wss://sync.vendor.example/", minute, `{"phone":"`+f.value("contact-1.phone")+`"}`) })
	}},

	// A hash of the file, and the text in its metadata, are not the picture.
	{"C4", claim.Undecided, false, nil, "which a person must look at", func(f *film) {
		f.controls()
		p := players(f.t).persona.Get("photo-1").Photo
		f.three("photo cloud=off action=photo", half, func() { f.get("https://cloud.vendor.example/have?sha1="+p.SHA1, `{"have":false}`) })
	}},
	{"C4", claim.Undecided, false, nil, "which a person must look at", func(f *film) {
		f.controls()
		p := players(f.t).persona.Get("photo-1").Photo
		f.three("photo cloud=off action=photo", half, func() { f.get("https://cloud.vendor.example/have?exif="+p.ID, `{"have":false}`) })
	}},
	// Somebody sends one, on purpose.
	{"C4", claim.Undecided, false, nil, "more sessions", func(f *film) {
		f.controls()
		f.session("sharing cloud=off action=send_photo", half, f.photo)
	}},
	{"C5", claim.Undecided, false, nil, "more sessions", func(f *film) {
		f.controls()
		f.session("writing cloud=off action=send_mail", half, f.sms)
	}},

	{"C5", claim.Undecided, false, nil, "which a person must look at", func(f *film) {
		f.controls()
		f.three("sms cloud=off action=sms", half, func() {
			f.post("https://video.example/upload", "text/plain", []byte(strings.Repeat("nothing of interest. ", 30_000)))
			f.sealed()
		})
	}},

	// The backup gives back what it has from before.
	{"C5", claim.Refuted, false, nil, "", func(f *film) {
		f.controls()
		f.three("sms cloud=off action=sms", half, func() {
			f.get("https://messages.vendor.example/v2/full", `{"list":[{"address":"`+f.value("sms-1.sender")+`","body":"`+f.value("sms-1.text")+`","date":1405846800000,"type":1,"read":0}]}`)
		})
	}},

	// That something perhaps is a greeting does not make its host one that serves them.
	{"C6", claim.Undecided, false, nil, "which a person must look at", func(f *film) {
		f.controls()
		f.session("messaging cloud=off", half, func() {
			f.greetings()
			f.get("https://messages.vendor.example/v2/res/messages?cat=3&t=Zk3vQ9xT1mB7wL5cR8pN2dF6", `{}`)
		})
	}},

	// Somebody else's app asks for updates of its own.
	{"C7", claim.Supported, false, map[string][]string{"domains": {"vendor.example"}}, "", func(f *film) {
		f.controls()
		f.session("idle screen=off", half, func() {
			f.update("")
			f.get("https://update.other.example/check?version=1.2.3&device=invented&imei="+f.value("imei"), `{"update":false,"latest":"V5.2.3.0"}`)
		})
	}},
	// What a person sends in answer to an update is not in the question for one.
	{"C7", claim.Supported, false, nil, "", func(f *film) {
		f.controls()
		f.session("idle screen=off", half, func() { f.update(""); f.contact() })
	}},

	{"C9", claim.Undecided, false, nil, "to a host of the stock system", func(f *film) {
		f.controls()
		f.three("a rom=stock", half, func() { f.statsTo("https://stats.vendor.example/u/1001/sa", nil) })
		f.three("b rom=lineage", half, func() { f.statsTo("https://stats.vendor.example/u/1002/sa", nil) })
	}},

	// Of two addresses one is the registry's: the other says nothing of it.
	{"C10", claim.Supported, false, map[string][]string{"registries": {"Alibaba"}}, "", func(f *film) {
		f.server = inUS
		f.session("idle screen=off", half, func() { f.stats(nil) })
		f.server = inCN
		f.session("idle screen=off", half, func() { f.statsTo("https://other.example/sa", nil) })
	}},
	// Nobody knows who operates one of them.
	{"C10", claim.Undecided, false, nil, "nobody knows who operates", func(f *film) {
		f.server = inUS
		f.session("idle screen=off", half, func() { f.stats(nil) })
		f.server = netip.MustParseAddrPort("198.51.100.7:443")
		f.session("idle screen=off", half, func() { f.statsTo("https://other.example/sa", nil) })
	}},

	{"C11", claim.Supported, false, map[string][]string{"countries": {"cn"}}, "", func(f *film) {
		f.server = inCN
		f.session("idle screen=off", half, func() { f.stats(nil) })
	}},
	// Nobody knows what went to that country.
	{"C11", claim.Undecided, false, nil, "was not recognised", func(f *film) {
		f.server = inUS
		f.session("idle screen=off", half, func() { f.stats(nil) })
		f.server = inCN
		f.session("idle screen=off", half, func() { f.post("https://other.example/x", "application/octet-stream", []byte("\x01\x02\x03\x04")) })
	}},
	// The recorder did not trust the server there; the phone might have.
	{"C11", claim.Undecided, false, nil, "which a person must look at", func(f *film) {
		f.server = inUS
		f.session("idle screen=off", half, func() { f.stats(nil) })
		f.server, f.status, f.fails = inCN, 0, "server_tls: unknown authority"
		f.session("idle screen=off", half, func() { f.statsTo("https://other.example/sa", nil) })
	}},
	// An attempt that nobody answered went nowhere.
	{"C11", claim.Refuted, false, nil, "", func(f *film) {
		f.server = inUS
		f.session("idle screen=off", half, func() { f.stats(nil) })
		f.unanswered()
		f.session("idle screen=off", half, func() { f.stats(nil) })
	}},

	// A short name is a word, not a piece of one.
	{"C12", claim.Refuted, false, map[string][]string{"vendor_names": {"Ali"}, "domains": {"vendor.example"}}, "", func(f *film) {
		f.server = inCN
		f.session("idle screen=off", half, func() { f.stats(nil) })
	}},
	{"C12", claim.Supported, false, map[string][]string{"vendor_names": {"alibaba"}, "domains": {"vendor.example"}}, "", func(f *film) {
		f.server = inCN
		f.session("idle screen=off", half, func() { f.stats(nil) })
		f.unanswered()
		f.session("idle screen=off", half, func() { f.stats(nil) })
	}},

	// A name is no number.
	{"C13", claim.Undecided, false, nil, "which a person must look at", func(f *film) {
		f.controls()
		f.three("contact action=contact", minute, func() {
			f.form("https://account.vendor.example/greet", url.Values{"n": {f.value("contact-1.name")}})
		})
	}},
	// The backup is on, and takes what it is asked to.
	{"C13", claim.Undecided, false, nil, "more sessions", func(f *film) {
		f.plant()
		f.three("contact action=contact cloud=on", minute, f.contact)
	}},
	{"C13", claim.Supported, false, nil, "", func(f *film) {
		f.plant()
		f.session("contact action=contact cloud=off", minute, func() { f.stats(fields{"p": f.digest("contact-1.phone")}) })
	}},

	// Somebody agreed.
	{"C14", claim.Undecided, false, nil, "more session", func(f *film) {
		f.controls()
		f.session("agreed account=none consent=yes", half, func() { f.stats(fields{"imei": f.value("imei")}) })
	}},
	{"C14", claim.Undecided, false, nil, "more session", func(f *film) {
		f.controls()
		f.session("agreed account=own consent=refused", half, func() { f.stats(fields{"imei": f.value("imei")}) })
	}},
	// The number that was planted is not the one that the phone has.
	{"C14", claim.Undecided, false, nil, "which a person must look at", func(f *film) {
		f.controls()
		f.session("boxed consent=none", half, func() { f.stats(fields{"imei": "356938035643809"}) })
	}},
	{"C14", claim.Undecided, false, map[string][]string{"kinds": {"imie"}}, "No value of the kind imie", func(f *film) {
		f.controls()
		f.session("boxed consent=none", half, func() { f.stats(nil) })
	}},

	// Something else than before the update.
	{"C15", claim.Undecided, false, nil, "which a person must look at", func(f *film) {
		f.controls()
		f.three("old update=before cloud=off", half, f.contact)
		f.three("new update=after cloud=off", half, f.sms)
	}},
	// The same, to another host.
	{"C15", claim.Refuted, false, nil, "", func(f *film) {
		f.controls()
		f.session("old update=before cloud=off", half, f.contact)
		f.session("new update=after cloud=off", half, func() {
			f.get("https://presence.vendor.example/v2?p="+url.QueryEscape(f.value("contact-1.phone")), `{}`)
		})
	}},
	{"C15", claim.Undecided, false, nil, "more sessions", func(f *film) {
		f.controls()
		f.three("old update=before cloud=off", half, f.contact)
		f.three("new update=after cloud=off consent=yes", half, f.contact)
	}},

	// Statistics go with permission, and need no account.
	{"C16", claim.Undecided, false, nil, "consent was refused", func(f *film) {
		f.controls()
		f.three("out account=none consent=yes", half, func() { f.stats(nil) })
	}},
	{"C16", claim.Undecided, false, nil, "which a person must look at", func(f *film) {
		f.controls()
		f.three("out account=none", half, func() { f.stats(nil) })
		f.three("out account=own consent=no", half, f.greetings)
	}},
	{"C16", claim.Refuted, false, nil, "", func(f *film) {
		f.plant()
		f.session("out account=none consent=yes", half, f.sms)
	}},

	// Number of a page; key of an app, the same on all phones.
	{"C17", claim.Undecided, false, nil, "", func(f *film) {
		f.controls()
		for range 2 {
			f.session("day", half, func() {
				f.get("https://app.example/x?publisher_id=9a8b7c6d5e4f3a2b1c0d&page_id=6f1c9ad2-7b1e-4c55-9d2a-0c4be1f70a01", `{}`)
			})
		}
	}},
	// In one session only, as a session's own number is.
	{"C17", claim.Undecided, false, nil, "in one session", func(f *film) {
		f.controls()
		f.session("monday", half, func() { f.stats(id("01")); f.stats(id("01")) })
		f.session("tuesday", half, func() { f.stats(id("02")); f.stats(id("02")) })
	}},
	// Sent again because the first time failed.
	{"C17", claim.Supported, false, nil, "", func(f *film) {
		f.controls()
		f.session("monday", half, func() { f.stats(id("01")) })
		f.status = 503
		f.session("tuesday", half, func() { f.stats(id("02")) })
		f.status = 307
		f.session("wednesday", half, func() { f.stats(id("02")) })
		f.status = 200
		f.session("thursday", half, func() { f.stats(id("02")) })
	}},
	// A planted value that went once to the vendor, and once to somebody else.
	{"C17", claim.Undecided, false, map[string][]string{"domains": {"vendor.example"}}, "", func(f *film) {
		f.controls()
		f.session("monday", half, func() { f.stats(fields{"imei": f.value("imei")}) })
		f.session("tuesday", half, func() { f.statsTo("https://other.example/x", fields{"imei": f.value("imei")}) })
	}},

	// What is on the same socket is not in the same message.
	{"C18", claim.Supported, false, nil, "", func(f *film) {
		f.controls()
		event, err := json.Marshal(f.event("app_start", nil))
		f.check(err)
		f.session("browsing", half, func() {
			f.socket("wss://stats.vendor.example/", minute, string(event), `{"imei":"`+f.value("imei")+`"}`)
		})
	}},
	{"C18", claim.Refuted, false, nil, "", func(f *film) {
		f.plant()
		event, err := json.Marshal(f.event("app_start", fields{"imei": f.value("imei")}))
		f.check(err)
		f.session("browsing", half, func() { f.socket("wss://stats.vendor.example/", minute, string(event)) })
	}},

	// The phone knows no later version: without the recorder it would be that.
	{"C19", claim.Refuted, false, nil, "", func(f *film) {
		f.offer = "TLS 1.0"
		f.session("idle screen=off", half, func() { f.stats(nil) })
	}},
	{"C19", claim.Undecided, false, nil, "which a person must look at", func(f *film) {
		f.controls()
		f.session("idle screen=off", half, func() {
			f.stats(nil)
			f.get("http://account.vendor.example/presence?phone=0612345678", `{}`)
		})
	}},

	// A server that knows no later version is refused by the recorder, not by the phone.
	{"C19", claim.Undecided, false, nil, "which a person must look at", func(f *film) {
		f.controls()
		f.session("idle screen=off", half, func() { f.stats(nil); f.stats(nil) })
		f.status, f.fails = 0, "server_tls: protocol version not supported"
		f.session("idle screen=off", half, func() { f.statsTo("https://old.vendor.example/sa", nil) })
	}},
	// Neither HTTP nor TLS.
	{"C19", claim.Undecided, false, nil, "neither", func(f *film) {
		f.controls()
		f.session("idle screen=off", half, func() {
			f.stats(nil)
			f.stats(nil)
			f.unread("push.vendor.example", flow.Raw, 40)
		})
	}},

	// Hexadecimal is an encoding, too.
	{"C20", claim.Supported, false, nil, "", func(f *film) {
		f.plant()
		f.session("idle screen=off", half, func() { f.sealed(); f.hexed() })
	}},
	// What could not be read may be encoded only.
	{"C20", claim.Undecided, false, nil, "which a person must look at", func(f *film) {
		f.controls()
		f.session("idle screen=off", half, func() { f.sealed(); f.unread("bank.example", flow.Passed, noUpload) })
	}},

	// The page is opened, and loads what is on it.
	{"C21", claim.Refuted, false, nil, "", func(f *film) {
		f.controls()
		f.session("browsing browsing=normal", minute, func() { f.open("url-1"); f.page("url-1") })
		f.three("browsing browsing=incognito", minute, func() { f.open("url-1"); f.open("url-2") })
	}},
	// The page of results tells the search engine again.
	{"C21", claim.Undecided, false, nil, "which a person must look at", func(f *film) {
		f.controls()
		f.session("browsing browsing=normal", minute, func() { f.page("url-2") })
		f.three("browsing browsing=incognito", minute, func() {
			_, words, _ := strings.Cut(f.value("url-1"), "?")
			f.open("url-1")
			f.get("https://log.search.example/seen?at="+url.QueryEscape("https://www.search.example/find?"+words), "{}")
		})
	}},
	// A page that was not planted, and its own counter.
	{"C21", claim.Undecided, false, nil, "which a person must look at", func(f *film) {
		f.controls()
		f.session("browsing browsing=normal", minute, func() { f.page("url-1") })
		f.three("browsing browsing=incognito", minute, func() {
			f.stats(fields{"url": "https://news.example/2020/05/02/some-page.html"})
		})
	}},

	// A signal by the clock, far more often than something was done.
	{"C22", claim.Undecided, false, nil, "which a person must look at", func(f *film) {
		f.controls()
		for range 2 {
			f.session("folders actions=3", half, func() {
				for range 30 {
					f.stats(nil)
				}
			})
		}
	}},
	// One action, one transmission.
	{"C22", claim.Undecided, false, nil, "not seen to happen", func(f *film) {
		f.controls()
		f.session("folders actions=1", minute, func() { f.stats(nil) })
		f.session("folders actions=some", minute, func() { f.stats(nil) })
	}},
	{"C22", claim.Supported, false, nil, "", func(f *film) {
		f.controls()
		for range 2 {
			f.session("folders actions=10", minute, func() { f.stats(nil); f.open("url-1") })
		}
	}},

	// A day is not past the date.
	{"C23", claim.Undecided, false, nil, "", func(f *film) {
		f.controls()
		f.session("day0 clock=now", minute, func() { f.stats(id("01")) })
		f.session("day1 clock=+1d", minute, func() { f.stats(id("01")) })
	}},
	// Two phones have two.
	{"C23", claim.Undecided, false, nil, "", func(f *film) {
		f.controls()
		f.session("day0 clock=now", minute, func() { f.stats(id("01")) })
		f.device = "tablet"
		f.session("day91 clock=+91d", minute, func() { f.stats(id("02")) })
	}},
	// What is another in each request was never meant to last; a key of the app was.
	{"C23", claim.Undecided, false, nil, "", func(f *film) {
		f.controls()
		f.session("day0 clock=now", minute, func() {
			f.get("https://app.example/x?publisher_id=9a8b7c6d5e4f3a2b1c0d&request_id=6f1c9ad2-7b1e-4c55-9d2a-0c4be1f70a01", `{}`)
		})
		f.session("day91 clock=+91d", minute, func() {
			f.get("https://app.example/x?publisher_id=9a8b7c6d5e4f3a2b1c0d&request_id=6f1c9ad2-7b1e-4c55-9d2a-0c4be1f70a02", `{}`)
		})
	}},
}

func TestTraps(t *testing.T) { traps.run(t) }

// doorTraps are what only doors record that see all that a phone sends.
var doorTraps = films{
	// A name that is looked up is no contact with its server.
	{"C1", claim.Undecided, false, nil, "a name that is looked up is no contact", func(f *film) {
		f.controls()
		f.three("idle screen=off", half, func() { f.lookup("push.vendor.example", "198.51.100.7") })
	}},
	{"C1", claim.Undecided, false, nil, "refused here and reached nobody", func(f *film) {
		f.controls()
		f.three("idle screen=off", half, func() { f.refused("push.vendor.example") })
	}},
	// What only came down was not sent.
	{"C1", claim.Refuted, false, nil, "", func(f *film) {
		f.controls()
		f.three("idle screen=off", half, func() { f.raw("tcp", "198.51.100.7", 0, "", "pushed") })
	}},
	{"C1", claim.Supported, false, nil, "", func(f *film) {
		f.controls()
		f.three("idle screen=off", half, func() { f.raw("udp", "198.51.100.7", 0, "here I am", "") })
	}},
	// The DNS is asked while the phone is off: it is not the phone.
	{"C1", claim.Undecided, false, nil, "With the phone switched off there was traffic", func(f *film) {
		f.plant()
		f.session("off phone=off", 31*minute, func() { f.lookup("push.vendor.example", "198.51.100.7") })
		f.three("idle screen=off", half, func() { f.stats(nil) })
	}},
	// The same host is not the same transfer where nothing has a path.
	{"C2", claim.Undecided, false, nil, "to a host of the Wi-Fi sessions", func(f *film) {
		f.controls()
		f.three("home network=wifi", half, func() { f.raw("tcp", "198.51.100.7", 0, f.plainStats(), "ok"); f.stats(nil) })
		f.three("road network=mobile", half, func() { f.raw("tcp", "198.51.100.7", 0, f.plainStats(), "ok"); f.greetings() })
	}},
	// What is not HTTP is read like the rest.
	{"C3", claim.Refuted, false, nil, "", func(f *film) {
		f.controls()
		f.session("quiet cloud=off", half, func() { f.raw("tls", "sync.vendor.example", 0, `{"phone":"`+f.value("contact-1.phone")+`"}`, "ok") })
	}},
	// To the vendor only by an address, whose name the DNS told.
	{"C3", claim.Undecided, false, map[string][]string{"domains": {"vendor.example"}}, "of the bytes sent to vendor.example", func(f *film) {
		f.controls()
		f.three("quiet cloud=off", half, func() {
			f.post("https://video.example/upload", "text/plain", []byte(strings.Repeat("nothing of interest. ", 30_000)))
			f.raw("tcp", "198.51.100.7", f.lookup("sync.vendor.example", "198.51.100.7"), `{"phone":"`+f.value("contact-1.phone")+`"}`, "ok")
		})
	}},
	// An app that refuses the certificate also tries QUIC, which is refused to it.
	{"C3", claim.Undecided, false, nil, "pinned.vendor.example", func(f *film) {
		f.controls()
		f.three("quiet cloud=off", half, func() {
			f.post("https://video.example/upload", "text/plain", []byte(strings.Repeat("nothing of interest. ", 30_000)))
			f.unread("pinned.vendor.example", flow.ClientRefused, 600)
			f.refused("pinned.vendor.example")
		})
	}},
	// QUIC that was refused reached nobody, and takes nothing from what could be read.
	{"C3", claim.Supported, false, nil, "", func(f *film) {
		f.controls()
		f.three("quiet cloud=off", half, func() {
			f.stats(nil)
			for range 20 {
				f.refused("stats.vendor.example")
			}
		})
	}},
	// A stream without a pause goes on after the backup was switched on.
	{"C3", claim.Undecided, false, nil, "in a stream that does", func(f *film) {
		f.controls()
		f.three("quiet cloud=off", half, func() { f.stats(nil) })
		f.session("quiet cloud=off", 5*minute, func() {
			f.rawFor(half, "tcp", "198.51.100.7", 0, `{"phone":"`+f.value("contact-1.phone")+`"}`, "ok")
		})
		f.session("use cloud=on", half, nil)
	}},
	// What came in one direction only is the half of a conversation.
	{"C6", claim.Undecided, false, nil, "not seen to happen", func(f *film) {
		f.controls()
		f.session("messaging cloud=off", half, func() {
			f.raw("tcp", "198.51.100.7", 0, "", `{"list":[{"category":"greetings","text":"Happy New Year to you and all your family! May it bring you joy."},{"category":"greetings","text":"Wishing you a merry Christmas and a happy new year."}]}`)
		})
	}},
	// A lookup of the cloud's name is no request to it; what went to an address of that
	// name may be one.
	{"C8", claim.Undecided, false, map[string][]string{"cloud_domains": {"cloud.vendor.example"}}, "another name may have it, too", func(f *film) {
		f.controls()
		f.session("first account=none stage=setup", half, func() {
			f.stats(nil)
			f.raw("tcp", "198.51.100.7", f.lookup("cloud.vendor.example", "198.51.100.7"), "hello", "ok")
		})
	}},
	// A datagram that nobody answered shows nobody at that address.
	{"C10", claim.Undecided, false, nil, "", func(f *film) {
		f.server = inUS
		f.session("idle screen=off", half, func() { f.raw("udp", inUS.Addr().String(), 0, f.plainStats(), "") })
	}},
	// The same identifier twice, in what is not HTTP.
	{"C17", claim.Refuted, false, nil, "", func(f *film) {
		f.controls()
		for range 2 {
			f.session("day", half, func() { f.raw("tcp", "198.51.100.7", 0, `{"imei":"`+f.value("imei")+`"}`, "ok") })
		}
	}},
	// No TLS, and no HTTP either.
	{"C19", claim.Refuted, false, nil, "", func(f *film) {
		f.plant()
		f.session("idle screen=off", half, func() { f.raw("tcp", "198.51.100.7", 0, f.plainStats(), "ok") })
	}},
	{"C19", claim.Undecided, false, nil, "which a person must look at", func(f *film) {
		f.controls()
		f.session("idle screen=off", half, func() { f.stats(nil); f.raw("tcp", "198.51.100.7", 0, "\x00\x01nothing known", "ok") })
	}},
	// Stretches without a pause are no transmissions that could be counted.
	{"C22", claim.Undecided, false, nil, "nobody counts the transmissions", func(f *film) {
		f.controls()
		for range 2 {
			f.session("folders actions=10", minute, func() { f.raw("tls", "stats.vendor.example", 0, f.plainStats(), "ok") })
		}
	}},
	// What is relayed is kept and looked at.
	{"C24", claim.Undecided, false, nil, "", func(f *film) {
		f.controls()
		f.session("idle screen=off", half, func() { f.raw("tcp", "198.51.100.7", 0, strings.Repeat("nothing of interest. ", 300), "ok") })
	}},
	{"C24", claim.Supported, false, nil, "", func(f *film) {
		f.plant()
		f.session("idle screen=off", half, func() { f.unread("bank.example", flow.Passed, 9_000) })
	}},
}

func TestDoorTraps(t *testing.T) { doorTraps.run(t) }

// lookup asks the DNS, as doors record it that see it.
func (f *film) lookup(name, address string) int64 {
	f.t.Helper()
	f.wait(time.Second)
	l := &flow.Lookup{
		Time: f.clock(), Door: f.door, Device: f.device, Over: "udp", Name: name, Type: "A", Code: "NOERROR",
		Answers: []string{name + ". 60 IN A " + address}, Addresses: []netip.Addr{netip.MustParseAddr(address)},
	}
	f.check(f.c.Commit(f.t.Context(), l))
	return l.ID
}

// raw passes what is not HTTP; the scheme is tls where its TLS was ended.
func (f *film) raw(scheme, host string, lookup int64, up, down string) {
	f.t.Helper()
	f.rawFor(time.Second, scheme, host, lookup, up, down)
}

func (f *film) rawFor(d time.Duration, scheme, host string, lookup int64, up, down string) {
	f.t.Helper()
	f.wait(time.Second)
	server := netip.AddrPortFrom(f.server.Addr(), 8883)
	n := &flow.Connection{
		Opened: f.clock(), Duration: d, Door: f.door, Device: f.device, Host: host, Port: 8883, Server: server, Lookup: lookup, Outcome: flow.Raw,
		BytesUp: int64(len(up)), BytesDown: int64(len(down)), FirstUp: []byte(up),
	}
	switch scheme {
	case "udp":
		n.Transport = "udp"
	case "tls":
		n.SNI, n.ClientTLS, n.ServerTLS = host, &flow.TLS{Version: f.offer}, &flow.TLS{Version: f.tls}
	}
	f.check(f.c.Begin(n))
	e := &flow.Exchange{Connection: n.ID, Device: f.device, Door: f.door, Began: f.clock(), Duration: d, Scheme: scheme, Host: host, Port: 8883, Server: server}
	f.check(f.c.Begin(e))
	if up != "" {
		e.Request.Body = flow.BodyOf([]byte(up))
	}
	if down != "" {
		e.Response.Body = flow.BodyOf([]byte(down))
	}
	f.check(f.c.Commit(f.t.Context(), e))
	f.check(f.c.Commit(f.t.Context(), n))
}

// refused is an attempt by QUIC.
func (f *film) refused(host string) {
	f.t.Helper()
	f.wait(time.Second)
	n := &flow.Connection{
		Opened: f.clock(), Duration: time.Second, Door: f.door, Device: f.device, Transport: "udp", Protocol: "quic", Host: host, Port: 443, SNI: host, BytesUp: 1200,
		Outcome: flow.Refused, Reason: "QUIC is refused, so that the app falls back to TCP, which can be read",
	}
	f.check(f.c.Begin(n))
	f.check(f.c.Commit(f.t.Context(), n))
}

// plainStats are statistics of the device outside of HTTP.
func (f *film) plainStats() string {
	text, err := json.Marshal(f.event("app_start", fields{"imei": f.value("imei")}))
	f.check(err)
	return string(text)
}

// unanswered makes all that follows fail before a server answers.
func (f *film) unanswered() {
	f.server, f.status, f.fails = netip.AddrPort{}, 0, "connect: nobody answered"
}

// open opens a planted page, which loads a picture from elsewhere. Words that were
// planted are looked for with a search engine.
func (f *film) open(name string) {
	f.t.Helper()
	f.get(f.value(name), "<html></html>")
	if _, words, ok := strings.Cut(f.value(name), "?"); ok {
		f.get("https://www.search.example/find?"+words, "<html></html>")
	}
	f.send(message{method: http.MethodGet, target: "https://cdn.example/logo.png", header: map[string]string{"Referer": f.value(name)}})
}

// digest is a planted number as apps hash them.
func (f *film) digest(name string) string {
	sum := sha256.Sum256([]byte(f.value(name)))
	return hex.EncodeToString(sum[:])
}

// hexed reports a text message in hexadecimal.
func (f *film) hexed() {
	f.t.Helper()
	f.form("https://messages.vendor.example/v2/report", url.Values{"data": {hex.EncodeToString([]byte(`{"body":"` + f.value("sms-1.text") + `"}`))}})
}
