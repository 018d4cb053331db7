package claim_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"constat/proxy/flow"
	"constat/store/claim"
)

const (
	minute   = time.Minute
	half     = 31 * time.Minute
	noUpload = int64(600_000) // bytes up, beside which what was read is little
)

// Addresses of public resolvers, which the program's tables know. Nothing is sent
// there: the films only say that such an address answered.
var (
	inUS = netip.MustParseAddrPort("8.8.8.8:443")   // Google, US
	inCN = netip.MustParseAddrPort("223.5.5.5:443") // Alibaba, CN
)

func id(n string) fields {
	return fields{"distinct_id": "6f1c9ad2-7b1e-4c55-9d2a-0c4be1f70a" + n}
}

type films []struct {
	claim   string
	want    claim.Verdict
	proxied bool // through the real proxy
	values  map[string][]string
	missing string // in what is missing
	play    func(f *film)
}

// scenarios: each claim of the set once supported, once refuted, once undecided.
var scenarios = films{
	{"C1", claim.Supported, true, nil, "negative control was not run", func(f *film) {
		f.three("idle screen=off", half, func() { f.stats(nil) })
	}},
	{"C1", claim.Refuted, false, nil, "", func(f *film) {
		f.controls()
		f.three("idle screen=off", half, nil)
	}},
	{"C1", claim.Undecided, true, nil, "QUIC", func(f *film) {
		f.controls()
		f.three("idle screen=off", half, nil)
	}},

	{"C2", claim.Refuted, true, nil, "", func(f *film) {
		f.three("home network=wifi", half, func() { f.stats(nil) })
		f.three("road network=mobile", half, func() { f.stats(nil) })
	}},
	{"C2", claim.Supported, false, nil, "", func(f *film) {
		f.controls()
		f.three("home network=wifi", half, func() { f.stats(nil) })
		f.three("road network=mobile", half, f.greetings)
	}},
	{"C2", claim.Undecided, true, nil, "3 more sessions of 10 minutes or longer in which the phone is on mobile data", func(f *film) {
		f.controls()
		f.three("home network=wifi", half, func() { f.stats(nil) })
	}},

	{"C3", claim.Refuted, true, nil, "", func(f *film) {
		f.controls()
		f.session("quiet cloud=off", half, f.contact)
	}},
	{"C3", claim.Supported, false, nil, "", func(f *film) {
		f.controls()
		f.three("quiet cloud=off", half, func() { f.stats(nil); f.greetings() })
	}},
	{"C3", claim.Undecided, false, nil, "could not be read, and at most 5 % may be; hosts never read: bank.example", func(f *film) {
		f.controls()
		f.three("quiet micloud=off", half, func() { f.stats(nil); f.unread("bank.example", flow.Passed, noUpload) })
	}},

	{"C4", claim.Supported, true, nil, "", func(f *film) {
		f.controls()
		f.session("quiet cloud=off", half, f.photo)
	}},
	{"C4", claim.Refuted, false, nil, "", func(f *film) {
		f.controls()
		f.three("photo cloud=off action=photo", half, func() { f.stats(nil) })
	}},
	{"C4", claim.Undecided, false, nil, "which a person must look at", func(f *film) {
		f.controls()
		f.three("photo cloud=off action=photo", half, f.photoRecord)
	}},

	{"C5", claim.Supported, true, nil, "", func(f *film) {
		f.controls()
		f.session("quiet cloud=off", half, f.sms)
	}},
	{"C5", claim.Refuted, false, nil, "", func(f *film) {
		f.controls()
		f.three("sms cloud=off action=sms", half, f.greetings)
	}},
	{"C5", claim.Undecided, true, nil, "positive control was not run", func(f *film) {
		f.plant()
		f.three("sms cloud=off action=sms", half, f.greetings)
	}},

	{"C6", claim.Refuted, true, nil, "", func(f *film) {
		f.session("messaging cloud=off", half, func() { f.greetings(); f.sms() })
	}},
	{"C6", claim.Supported, false, nil, "", func(f *film) {
		f.controls()
		f.session("messaging cloud=off", half, f.greetings)
	}},
	{"C6", claim.Undecided, false, nil, "was not seen to happen at all", func(f *film) {
		f.controls()
		f.session("messaging cloud=off", half, func() { f.stats(nil) })
	}},

	{"C7", claim.Refuted, true, nil, "", func(f *film) {
		f.plant()
		f.session("idle screen=off", half, func() { f.update("&imei=" + f.value("imei")) })
	}},
	{"C7", claim.Supported, true, nil, "", func(f *film) {
		f.controls()
		f.session("idle screen=off", half, func() { f.update("") })
	}},
	{"C7", claim.Undecided, true, nil, "was not seen to happen at all", func(f *film) {
		f.controls()
		f.session("idle screen=off", half, func() { f.stats(nil) })
	}},

	{"C8", claim.Refuted, true, nil, "", func(f *film) {
		f.plant()
		f.session("new boot=first account=none", half, f.contact)
	}},
	{"C8", claim.Supported, false, nil, "", func(f *film) {
		f.door = "transparent"
		f.controls()
		f.session("first-boot stage=setup account=none sim=none", half, func() { f.update("") })
	}},
	{"C8", claim.Undecided, false, nil, "before the tunnel is up", func(f *film) {
		f.controls()
		f.session("first-boot stage=setup account=none sim=none", half, func() { f.update("") })
	}},

	{"C9", claim.Supported, true, nil, "", func(f *film) {
		f.session("a rom=stock", half, func() { f.stats(nil) })
		f.session("b rom=lineage", half, func() { f.stats(nil) })
	}},
	{"C9", claim.Refuted, false, nil, "", func(f *film) {
		f.controls()
		f.three("a rom=stock", half, func() { f.stats(nil) })
		f.three("b rom=lineage", half, f.greetings)
	}},
	{"C9", claim.Undecided, true, nil, "2 more sessions of 30 minutes or longer in which another system is installed (found 1 of 3", func(f *film) {
		f.controls()
		f.three("a rom=stock", half, func() { f.stats(nil) })
		f.session("b rom=lineage", half, f.greetings)
	}},

	{"C10", claim.Refuted, true, nil, "", func(f *film) {
		f.session("idle screen=off", half, func() { f.stats(nil) })
	}},
	{"C10", claim.Supported, true, map[string][]string{"registries": {"Invented Registry"}}, "", func(f *film) {
		f.org = "Invented Registry of Numbers"
		f.session("idle screen=off", half, func() { f.stats(nil) })
	}},
	{"C10", claim.Undecided, true, nil, "was not seen to happen at all", func(f *film) {
		f.session("idle screen=off", half, f.greetings)
	}},
	// Whose name it is says nothing of an address where nobody answered.
	{"C10", claim.Undecided, false, nil, "was not seen to happen at all", func(f *film) {
		f.server = netip.AddrPort{}
		f.session("idle screen=off", half, func() { f.statsTo("https://update.googleapis.com/sa", nil) })
	}},

	{"C11", claim.Supported, false, nil, "", func(f *film) {
		f.server = inCN
		f.session("idle screen=off", half, func() { f.stats(nil) })
	}},
	{"C11", claim.Refuted, false, nil, "", func(f *film) {
		f.server = inUS
		f.session("idle screen=off", half, func() { f.stats(nil) })
	}},
	{"C11", claim.Undecided, true, nil, "no table knows in which country", func(f *film) {
		f.session("idle screen=off", half, func() { f.stats(nil) })
	}},

	{"C12", claim.Refuted, false, map[string][]string{"vendor_names": {"Example Vendor"}, "domains": {"vendor.example"}}, "", func(f *film) {
		f.server = inCN
		f.session("idle screen=off", half, func() { f.stats(nil) })
	}},
	{"C12", claim.Supported, false, map[string][]string{"vendor_names": {"Example Vendor", "alibaba"}, "domains": {"vendor.example"}}, "", func(f *film) {
		f.server = inCN
		f.session("idle screen=off", half, func() { f.stats(nil) })
	}},
	{"C12", claim.Undecided, true, nil, "--set vendor_names=", func(f *film) {
		f.session("idle screen=off", half, func() { f.stats(nil) })
	}},

	{"C13", claim.Supported, true, nil, "", func(f *film) {
		f.plant()
		f.session("contact action=contact", minute, f.contact)
	}},
	{"C13", claim.Refuted, false, nil, "", func(f *film) {
		f.controls()
		f.three("step action=open_sms", minute, func() { f.stats(nil) })
	}},
	{"C13", claim.Undecided, true, nil, "2 more sessions in which a contact is created or opened, or a message is opened (found 1 of 3", func(f *film) {
		f.controls()
		f.session("step action=open_sms", minute, func() { f.stats(nil) })
	}},

	{"C14", claim.Supported, true, nil, "", func(f *film) {
		f.plant()
		f.session("boxed account=none", half, func() { f.stats(fields{"imei": f.value("imei")}) })
	}},
	{"C14", claim.Refuted, false, nil, "", func(f *film) {
		f.controls()
		f.session("boxed consent=none", half, func() { f.stats(nil) })
	}},
	{"C14", claim.Undecided, false, nil, "No value of the kind imei was planted", func(f *film) {
		f.session("boxed consent=none", half, func() { f.stats(nil) })
	}},

	{"C15", claim.Refuted, true, nil, "", func(f *film) {
		f.plant()
		f.session("old update=before cloud=off", half, f.contact)
		f.session("new update=after cloud=off", half, f.contact)
	}},
	{"C15", claim.Supported, false, nil, "", func(f *film) {
		f.controls()
		f.three("old update=before cloud=off", half, f.contact)
		f.three("new update=after cloud=off", half, func() { f.stats(nil) })
	}},
	{"C15", claim.Undecided, true, nil, "3 more sessions of 10 minutes or longer in which the update is installed", func(f *film) {
		f.controls()
		f.three("old update=before cloud=off", half, f.contact)
	}},

	{"C16", claim.Refuted, true, nil, "", func(f *film) {
		f.session("out account=none consent=no", half, func() { f.stats(nil) })
	}},
	{"C16", claim.Supported, false, nil, "", func(f *film) {
		f.controls()
		f.three("out account=none consent=refused", half, f.greetings)
	}},
	{"C16", claim.Undecided, true, nil, "3 more sessions of 10 minutes or longer in which consent was refused", func(f *film) {
		f.controls()
		f.three("out account=none consent=yes", half, f.greetings)
	}},

	{"C17", claim.Refuted, true, nil, "", func(f *film) {
		f.session("monday", half, func() { f.stats(id("01")) })
		f.session("tuesday", half, func() { f.stats(id("01")) })
	}},
	{"C17", claim.Supported, true, nil, "", func(f *film) {
		f.controls()
		f.session("monday", half, func() { f.stats(id("01")) })
		f.session("tuesday", half, func() { f.stats(id("02")) })
	}},
	{"C17", claim.Undecided, true, nil, "was not seen to happen at all", func(f *film) {
		f.controls()
		f.session("monday", half, func() { f.stats(nil) })
		f.session("tuesday", half, func() { f.stats(nil) })
	}},

	{"C18", claim.Refuted, true, nil, "", func(f *film) {
		f.plant()
		f.session("browsing", half, func() { f.page("url-2") })
	}},
	{"C18", claim.Supported, true, nil, "", func(f *film) {
		f.controls()
		f.session("browsing", half, func() { f.stats(nil) })
	}},
	{"C18", claim.Undecided, true, nil, "may be; hosts never read: pinned.vendor.example", func(f *film) {
		f.controls()
		f.session("browsing", half, func() { f.stats(nil); f.stage.pinned("https://pinned.vendor.example/") })
	}},

	{"C19", claim.Refuted, true, nil, "", func(f *film) {
		f.session("idle screen=off", half, func() { f.statsTo("http://stats.vendor.example/sa", nil) })
	}},
	{"C19", claim.Supported, false, nil, "", func(f *film) {
		f.controls()
		f.session("idle screen=off", half, func() { f.stats(nil) })
	}},
	{"C19", claim.Undecided, true, nil, "sockets that ignore the proxy setting", func(f *film) {
		f.controls()
		f.session("idle screen=off", half, func() { f.stats(nil) })
	}},

	{"C20", claim.Supported, true, nil, "", func(f *film) {
		f.session("idle screen=off", half, func() { f.stats(nil); f.sealed() })
	}},
	{"C20", claim.Refuted, true, nil, "", func(f *film) {
		f.controls()
		f.session("idle screen=off", half, f.sealed)
	}},
	{"C20", claim.Undecided, true, nil, "was not seen to happen at all", func(f *film) {
		f.controls()
		f.session("idle screen=off", half, f.greetings)
	}},

	{"C21", claim.Supported, true, nil, "", func(f *film) {
		f.plant()
		f.session("browsing browsing=incognito", minute, func() { f.page("url-1") })
	}},
	{"C21", claim.Refuted, false, nil, "", func(f *film) {
		f.controls()
		f.session("browsing browsing=normal", minute, func() { f.page("url-1") })
		f.three("browsing browsing=incognito", minute, func() { f.stats(nil) })
	}},
	{"C21", claim.Undecided, false, nil, "was not seen to happen at all", func(f *film) {
		f.controls()
		f.session("browsing browsing=normal", minute, func() { f.stats(nil) })
		f.three("browsing browsing=incognito", minute, func() { f.stats(nil) })
	}},

	{"C22", claim.Refuted, true, nil, "", func(f *film) {
		f.session("folders actions=4", minute, func() {
			for range 4 {
				f.stats(nil)
			}
		})
	}},
	{"C22", claim.Supported, true, nil, "", func(f *film) {
		f.controls()
		f.session("folders actions=10", minute, func() { f.stats(nil) })
		f.session("folders actions=10", minute, func() { f.stats(nil) })
	}},
	{"C22", claim.Undecided, true, nil, "2 more sessions in which a declared number of actions is done", func(f *film) {
		f.controls()
		f.session("folders", minute, func() { f.stats(nil) })
	}},

	{"C23", claim.Refuted, true, nil, "", func(f *film) {
		f.session("day0 clock=now", minute, func() { f.stats(id("01")) })
		f.session("day91 clock=+91d", minute, func() { f.stats(id("01")) })
	}},
	{"C23", claim.Supported, true, nil, "", func(f *film) {
		f.controls()
		f.session("day0 clock=now", minute, func() { f.stats(id("01")) })
		f.session("day91 clock=+91d", minute, func() { f.stats(id("02")) })
	}},
	{"C23", claim.Undecided, true, nil, "1 more session in which the phone's clock is past the renewal date", func(f *film) {
		f.controls()
		f.session("day0 clock=now", minute, func() { f.stats(id("01")) })
	}},

	{"C24", claim.Supported, true, nil, "", func(f *film) {
		f.session("idle screen=off", half, f.sealed)
	}},
	{"C24", claim.Refuted, false, nil, "", func(f *film) {
		f.controls()
		f.session("idle screen=off", half, func() { f.stats(nil) })
	}},
	{"C24", claim.Undecided, true, nil, "hosts never read: pinned.vendor.example", func(f *film) {
		f.controls()
		f.session("idle screen=off", half, func() { f.stats(nil); f.stage.pinned("https://pinned.vendor.example/") })
	}},
}

func TestScenarios(t *testing.T) { scenarios.run(t) }

func (list films) run(t *testing.T) {
	for _, s := range list {
		t.Run(s.claim+" "+string(s.want), func(t *testing.T) {
			t.Parallel()
			f := newFilm(t, s.proxied)
			s.play(f)
			a := f.end(s.claim, s.values)
			var missing []string
			for _, m := range a.Missing {
				missing = append(missing, m["en"])
				if m["fr"] == "" || m["fr"] == m["en"] {
					t.Errorf("not in French: %q", m["en"])
				}
			}
			if a.Verdict != s.want {
				t.Fatalf("%s: %s\nmissing: %s\ndeciding: %+v\ncoverage: %+v", a.Verdict, a.Because["en"], strings.Join(missing, "\n"), a.Deciding, a.Coverage)
			}
			if !strings.Contains(strings.Join(missing, "\n"), s.missing) {
				t.Errorf("missing, without %q:\n%s", s.missing, strings.Join(missing, "\n"))
			}
			holds(t, &a)
			// Nothing that went elsewhere decides for these domains.
			if _, row := decides(t, s.claim); row == s.want && has(t, s.claim, "domains") {
				if got := f.ask(s.claim, map[string][]string{"domains": {"elsewhere.example", "endor.example"}}); got.Verdict == s.want {
					t.Errorf("%s for other domains: %+v", got.Verdict, got.Deciding)
				}
			}
		})
	}
}

// decides returns a claim, and what one row of its deciding query says.
func decides(t *testing.T, id string) (*claim.Claim, claim.Verdict) {
	t.Helper()
	c := xiaomi(t).Find(id)
	if c == nil {
		t.Fatalf("no claim %s", id)
	}
	return c, map[string]claim.Verdict{claim.Supports: claim.Supported, claim.Refutes: claim.Refuted}[c.OneRow]
}

func has(t *testing.T, id, parameter string) bool {
	c, _ := decides(t, id)
	return slices.ContainsFunc(c.Parameters, func(p claim.Parameter) bool { return p.Name == parameter })
}

// What a person sends on purpose, in the session of a positive control, decides
// nothing: each film that one row decides, acted out in such sessions.
func TestControlsDecideNothing(t *testing.T) {
	films := 0
	for _, s := range scenarios {
		if _, row := decides(t, s.claim); row != s.want {
			continue
		}
		films++
		t.Run(s.claim, func(t *testing.T) {
			t.Parallel()
			f := newFilm(t, s.proxied)
			f.always = "control=positive"
			s.play(f)
			if a := f.end(s.claim, s.values); a.Verdict == s.want {
				t.Errorf("%s: %+v", a.Verdict, a.Deciding)
			}
		})
	}
	if films != 24 {
		t.Errorf("one row decides %d films, want 24", films)
	}
}

// holds checks what every answer must keep to.
func holds(t *testing.T, a *claim.Answer) {
	t.Helper()
	if a.Verdict == claim.Undecided && len(a.Missing) == 0 {
		t.Error("undecided, and nothing is missing")
	}
	if a.Because["en"] == "" || a.Because["fr"] == "" || a.Because["en"] == a.Because["fr"] {
		t.Errorf("because: %v", a.Because)
	}
	for _, lang := range []string{"en", "fr"} {
		for _, bad := range []string{"nothing was sent", "sent nothing", "rien n’a été envoyé", "n’a rien envoyé"} {
			if strings.Contains(strings.ToLower(a.Because[lang]), bad) {
				t.Errorf("%q", a.Because[lang])
			}
		}
	}
	if a.Roles == nil || a.Controls == nil || a.Deciding == nil || a.Queries == nil || a.Coverage.Outcomes == nil || a.Coverage.Escapes == nil {
		t.Error("a list is nil")
	}
	for _, d := range a.Deciding {
		if d.Reason == "" || d.Host == "" || d.Time.Before(opening) || d.Time.After(opening.AddDate(0, 0, 2)) || d.Request == 0 && d.Connection == 0 {
			t.Errorf("deciding: %+v", d)
		}
		if a.Verdict != claim.Undecided && d.For != a.Verdict {
			t.Errorf("%s rests on a row for %s", a.Verdict, d.For)
		}
	}
}

// Every claim has its three films at least, and a third of all passes through the proxy.
func TestScenariosAreComplete(t *testing.T) {
	proxied := 0
	for _, c := range xiaomi(t).Claims {
		for _, v := range []claim.Verdict{claim.Supported, claim.Refuted, claim.Undecided} {
			n := 0
			for _, s := range scenarios {
				if s.claim == c.ID && s.want == v {
					n++
				}
			}
			if n == 0 {
				t.Errorf("%s: no film of %s", c.ID, v)
			}
		}
	}
	for _, s := range scenarios {
		if s.proxied {
			proxied++
		}
		if s.want == claim.Undecided && s.missing == "" {
			t.Errorf("%s undecided: nothing says what must be missing", s.claim)
		}
	}
	if 3*proxied < len(scenarios) {
		t.Errorf("%d of %d films pass through the proxy", proxied, len(scenarios))
	}
	if !slices.IsSortedFunc(xiaomi(t).Claims, func(a, b *claim.Claim) int { return len(a.ID) - len(b.ID) }) {
		t.Error("C10 comes before C2")
	}
}
