package doctor

import (
	"slices"
	"strings"
	"testing"
)

// Each cause with figures that it fits, and near misses that it must not.
func TestCauses(t *testing.T) {
	tests := []struct {
		id     string
		hits   map[string]verdict
		misses map[string]Figures
	}{
		{
			"settled",
			map[string]verdict{"refused, then read": {Likely, Figures{UnknownCA: 2, Read: 3, DeviceRead: 3, Settled: true}}},
			map[string]Figures{
				"read for another app":  {UnknownCA: 2, Read: 3, ReadByOther: 3, DeviceRead: 3},
				"no server, later read": {Unreachable: 1, Read: 1, Settled: true},
			},
		},
		{
			"ca_not_trusted",
			map[string]verdict{
				"all say that they do not know it": {Likely, Figures{UnknownCA: 1, DeviceRefused: 2}},
				"three say no without a reason":    {Likely, Figures{Rejected: 1, DeviceRefused: 3}},
				"one host is little to go by":      {Possible, Figures{UnknownCA: 1, DeviceRefused: 1}},
				"two say no without a reason":      {Possible, Figures{Rejected: 4, DeviceRefused: 2}},
			},
			map[string]Figures{
				"one other connection was read": {UnknownCA: 1, DeviceRefused: 40, DeviceRead: 1},
				"only broken off":               {Closed: 9, DeviceRefused: 9},
				"handshakes went well":          {Unused: 5, DeviceRefused: 5},
			},
		},
		{
			"not_trusted_yet",
			map[string]verdict{
				"all refused before the first was read": {Likely, Figures{UnknownCA: 1, DeviceRefused: 2, DeviceRead: 5, BeforeTrust: true}},
				"this one alone":                        {Possible, Figures{Rejected: 1, DeviceRefused: 1, DeviceRead: 5, BeforeTrust: true}},
			},
			map[string]Figures{
				"refused since":     {UnknownCA: 1, DeviceRefused: 2, DeviceRead: 5},
				"read since":        {UnknownCA: 1, DeviceRefused: 2, DeviceRead: 5, BeforeTrust: true, Settled: true},
				"only timed out":    {TimedOut: 1, DeviceRefused: 2, DeviceRead: 5, BeforeTrust: true},
				"nothing was read":  {UnknownCA: 1, DeviceRefused: 2},
				"expired, it found": {Invalid: 1, DeviceRefused: 2, DeviceRead: 5, BeforeTrust: true},
			},
		},
		{
			"app_takes_system_only",
			map[string]verdict{
				"does not know the CA that others know":          {Likely, Figures{UnknownCA: 1, DeviceRead: 5}},
				"says no where another app is read":              {Likely, Figures{Rejected: 1, DeviceRead: 5, ReadByOther: 1}},
				"says no everywhere":                             {Likely, Figures{Rejected: 1, DeviceRead: 5, SameRefused: 2}},
				"says no here":                                   {Possible, Figures{Rejected: 1, DeviceRead: 5}},
				"breaks off":                                     {Possible, Figures{Closed: 1, DeviceRead: 5}},
				"a library is read elsewhere: another app's":     {Possible, Figures{UnknownCA: 1, DeviceRead: 5, SameRead: 5}},
				"nothing read yet, and one host is little":       {Possible, Figures{UnknownCA: 1, DeviceRefused: 1}},
				"before the first was read, which may be chance": {Possible, Figures{Rejected: 1, DeviceRead: 1, BeforeTrust: true}},
			},
			map[string]Figures{
				"iPhones have no such rule":          {UnknownCA: 1, DeviceRead: 5, Platform: Apple},
				"nor have Androids before 7":         {UnknownCA: 1, DeviceRead: 5, Platform: Android, OldAndroid: true},
				"nor have computers":                 {UnknownCA: 1, DeviceRead: 5, Platform: Desktop},
				"the same app is read elsewhere":     {Rejected: 1, DeviceRead: 5, SameRead: 5, AppKnown: true},
				"the handshake went well":            {Unused: 3, DeviceRead: 5},
				"the whole device refuses":           {UnknownCA: 1, DeviceRefused: 3},
				"no TLS in common":                   {NoCommon: 3, DeviceRead: 5},
				"the server has no good certificate": {PrivateCA: 3, DeviceRead: 5},
			},
		},
		{
			"own_authorities",
			map[string]verdict{
				"an iPhone's app does not know the CA": {Likely, Figures{UnknownCA: 1, DeviceRead: 5, Platform: Apple}},
				"an app that is read elsewhere":        {Possible, Figures{UnknownCA: 1, DeviceRead: 5, SameRead: 5, AppKnown: true}},
				"any app of a phone that knows the CA": {Possible, Figures{UnknownCA: 1, DeviceRead: 5}},
			},
			map[string]Figures{
				"the device knows it not": {UnknownCA: 1, Platform: Apple},
				"says no, and not why":    {Rejected: 1, DeviceRead: 5, Platform: Apple},
				"it is read since":        {UnknownCA: 1, DeviceRead: 5, Settled: true},
				"a program":               {UnknownCA: 1, DeviceRead: 5, Platform: Desktop},
			},
		},
		{
			"program_not_told",
			map[string]verdict{
				"curl beside a browser":   {Likely, Figures{UnknownCA: 1, DeviceRead: 5, Platform: Desktop}},
				"the same library's read": {Possible, Figures{UnknownCA: 1, DeviceRead: 5, SameRead: 1, Platform: Desktop}},
			},
			map[string]Figures{
				"a phone":         {UnknownCA: 1, DeviceRead: 5, Platform: Android},
				"nothing read":    {UnknownCA: 1, Platform: Desktop},
				"it broke off":    {Closed: 1, DeviceRead: 5, Platform: Desktop},
				"read ever since": {UnknownCA: 1, DeviceRead: 5, Platform: Desktop, Settled: true},
			},
		},
		{
			"certificate_transparency",
			map[string]verdict{"Chrome says no, apps are read": {Possible, Figures{Rejected: 2, Chromium: true, DeviceRead: 3}}},
			map[string]Figures{
				"another app says no":         {Rejected: 2, DeviceRead: 3},
				"nothing is read":             {Rejected: 2, Chromium: true},
				"does not know the CA":        {UnknownCA: 2, Chromium: true, DeviceRead: 3},
				"Chrome on an iPhone":         {Rejected: 2, Chromium: true, DeviceRead: 3, Platform: Apple},
				"before anything was trusted": {Rejected: 2, Chromium: true, DeviceRead: 3, BeforeTrust: true},
			},
		},
		{
			"pinned",
			map[string]verdict{
				"three handshakes, no request":            {Likely, Figures{Unused: 3, DeviceRead: 5}},
				"the app is read elsewhere, says no here": {Likely, Figures{Rejected: 1, SameRead: 2, AppKnown: true, DeviceRead: 5}},
				"an iPhone's library is read elsewhere":   {Likely, Figures{Rejected: 1, SameRead: 2, DeviceRead: 5, Platform: Apple}},
				"one handshake, no request":               {Possible, Figures{Unused: 1, DeviceRead: 5}},
				"says no, and not why":                    {Possible, Figures{Rejected: 1, DeviceRead: 5}},
				"breaks off again and again":              {Possible, Figures{Closed: 2, DeviceRead: 5}},
			},
			map[string]Figures{
				"does not know the CA":                   {UnknownCA: 9, DeviceRead: 5, SameRead: 5, AppKnown: true},
				"does not know the CA, and breaks off":   {UnknownCA: 1, Closed: 3, DeviceRead: 5},
				"the whole device says no":               {Rejected: 1, DeviceRefused: 9},
				"the host is read, once it was not used": {Unused: 3, Read: 9, DeviceRead: 9},
				"broke off once":                         {Closed: 1, DeviceRead: 5},
				"found it expired":                       {Invalid: 3, DeviceRead: 5},
				"timed out":                              {TimedOut: 3, DeviceRead: 5},
			},
		},
		{
			"certificate_validity",
			map[string]verdict{"says so": {Likely, Figures{Invalid: 1}}},
			map[string]Figures{"says no without a reason": {Rejected: 1}, "the server's has expired": {Expired: 1}},
		},
		{
			"no_common_tls",
			map[string]verdict{"says so": {Likely, Figures{NoCommon: 1}}},
			map[string]Figures{"the server's TLS failed": {ServerTLS: 1}, "another alert": {OtherAlert: 1}},
		},
		{
			"opened_in_advance",
			map[string]verdict{
				"silent":                    {Likely, Figures{Silent: 1}},
				"others to it are read":     {Likely, Figures{Unused: 4, Read: 1}},
				"once, and nothing else is": {Possible, Figures{Unused: 1}},
			},
			map[string]Figures{"again and again": {Unused: 3}, "no handshake": {Closed: 1}},
		},
		{
			"gave_up",
			map[string]verdict{
				"timed out":     {Likely, Figures{TimedOut: 1}},
				"broke off":     {Possible, Figures{Closed: 1}},
				"another alert": {Possible, Figures{OtherAlert: 1}},
			},
			map[string]Figures{"said why": {UnknownCA: 1, Rejected: 1}, "read since": {Closed: 1, Settled: true}},
		},
		{"server_private_ca", map[string]verdict{"": {Known, Figures{PrivateCA: 1}}}, map[string]Figures{"wrong name": {WrongName: 1}, "the app's": {UnknownCA: 1}}},
		{"server_wrong_name", map[string]verdict{"": {Known, Figures{WrongName: 1}}}, map[string]Figures{"private": {PrivateCA: 1}}},
		{"server_expired", map[string]verdict{"": {Known, Figures{Expired: 1}}}, map[string]Figures{"the app found ours expired": {Invalid: 1}}},
		{"server_wants_certificate", map[string]verdict{"": {Known, Figures{WantsCertificate: 1}}}, map[string]Figures{"the app's alert": {Rejected: 1}}},
		{"server_tls", map[string]verdict{"": {Known, Figures{ServerTLS: 1}}}, map[string]Figures{"the app's TLS": {NoCommon: 1}}},
		{"name_not_resolved", map[string]verdict{"": {Known, Figures{Unresolved: 1}}}, map[string]Figures{"no answer": {Unreachable: 1}}},
		{"server_unreachable", map[string]verdict{"": {Known, Figures{Unreachable: 1}}}, map[string]Figures{"no name": {Unresolved: 1}}},
		{"quic_only", map[string]verdict{"": {Likely, Figures{QUIC: 1}}}, map[string]Figures{"read": {Read: 1}}},
		{"private_dns", map[string]verdict{"": {Known, Figures{PrivateDNS: 1}}}, map[string]Figures{"QUIC": {QUIC: 1}}},
		{"set_unread", map[string]verdict{"": {Known, Figures{PassedBySet: 1}}}, map[string]Figures{"by itself": {PassedAfter: 1}}},
		{
			"passed_after_refusals",
			map[string]verdict{"the refusals are elsewhere": {Known, Figures{PassedAfter: 1}}},
			map[string]Figures{"they are here": {PassedAfter: 1, Rejected: 3}, "set": {PassedBySet: 1}},
		},
		{"not_http", map[string]verdict{"": {Known, Figures{Raw: 1}}}, map[string]Figures{"passed": {PassedBySet: 1}}},
		{"not_enrolled", map[string]verdict{"": {Known, Figures{NotAdmitted: 1}}}, map[string]Figures{"refuses": {UnknownCA: 1}}},
		{"local_network", map[string]verdict{"": {Known, Figures{LocalNet: 1}}}, map[string]Figures{"no answer": {Unreachable: 1}}},
		{"unexplained", map[string]verdict{"nothing is known": {Possible, Figures{Connections: 1}}}, map[string]Figures{"something is": {Raw: 1}}},
	}
	if len(tests) != len(Causes) {
		t.Errorf("%d causes are tested, there are %d", len(tests), len(Causes))
	}
	for i, tt := range tests {
		if i >= len(Causes) || Causes[i].ID != tt.id {
			t.Fatalf("cause %d is not %s", i, tt.id)
		}
		c := Causes[i]
		if len(tt.hits) == 0 || len(tt.misses) == 0 {
			t.Errorf("%s: want hits and misses", tt.id)
		}
		for name, v := range tt.hits {
			if got := c.Fits(&v.f); got != v.sure {
				t.Errorf("%s, %s: %v, want %v", tt.id, name, got, v.sure)
			}
			if got := Diagnose(&v.f); !slices.ContainsFunc(got, func(x Verdict) bool { return x.ID == tt.id && x.Sure == v.sure }) {
				t.Errorf("%s, %s: not among %v", tt.id, name, got)
			}
		}
		for name, f := range tt.misses {
			if got := c.Fits(&f); got != No {
				t.Errorf("%s, %s: %v", tt.id, name, got)
			}
		}
	}
}

type verdict struct {
	sure Sure
	f    Figures
}

// Whatever else is the case, an alert that says that the CA is unknown is never
// taken for a pin; and there is always something to say.
func TestUnknownCAIsNeverPinned(t *testing.T) {
	n := 0
	for bits := range 1 << 9 {
		on := func(b int) int { return bits >> b & 1 * 3 }
		f := Figures{
			UnknownCA: 1 + on(0), Closed: on(1), TimedOut: on(2), SameRead: on(3), SameRefused: on(4), ReadByOther: on(5), DeviceRead: on(6),
			DeviceRefused: 1, AppKnown: on(7) > 0, Read: on(5), Platform: []Platform{"", Apple}[on(8)&1],
		}
		for _, v := range Diagnose(&f) {
			if n++; v.ID == "pinned" {
				t.Errorf("pinned: %+v", f)
			}
		}
	}
	if n < 1<<9 {
		t.Errorf("%d verdicts for %d cases", n, 1<<9)
	}
	if got := Diagnose(new(Figures)); len(got) != 1 || got[0].ID != "unexplained" {
		t.Errorf("nothing is known: %v", got)
	}
}

// The surest cause leads; of equally sure ones the earlier.
func TestSurestLeads(t *testing.T) {
	f := Figures{Closed: 2, PrivateCA: 1, DeviceRead: 1, TimedOut: 1}
	var got []string
	for _, v := range Diagnose(&f) {
		got = append(got, v.ID+" "+v.Sure.String())
	}
	want := "server_private_ca known, gave_up likely, app_takes_system_only possible, pinned possible"
	if strings.Join(got, ", ") != want {
		t.Errorf("got  %v\nwant %s", got, want)
	}
}

func TestCausesAreWhole(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range Causes {
		if seen[c.ID] || c.Title == "" || c.Doc == "" || len(c.Steps) == 0 || !strings.HasSuffix(c.Doc, ".") || strings.HasSuffix(c.Title, ".") {
			t.Errorf("%q: want an ID of its own, a title without a full stop, a sentence and a step", c.ID)
		}
		seen[c.ID] = true
		for _, p := range []Platform{"", Android, Apple, Desktop} {
			steps := StepsFor(c.ID, "a.example", p)
			if len(steps) == 0 && (p == "" || p == Android || c.ID != "certificate_transparency") {
				t.Errorf("%s: nothing to do on %q", c.ID, p)
			}
			for _, s := range steps {
				if s.Text == "" || p != "" && s.Platform != "" && s.Platform != p || strings.Contains(s.Command, "HOST") {
					t.Errorf("%s on %q: %+v", c.ID, p, s)
				}
			}
		}
	}
}

// What a phone put into a name does not get into a command that a person copies.
func TestCommandsHoldPlainNamesOnly(t *testing.T) {
	for host, want := range map[string]string{
		"bank.example": "constat pass bank.example",
		"2001:db8::1":  "constat pass 2001:db8::1",
		"192.0.2.7":    "constat pass 192.0.2.7",
		"_sip.example": "constat pass _sip.example",
		"$(reboot)":    "constat pass HOST",
		"a;b":          "constat pass HOST",
		"a b":          "constat pass HOST",
		"-all":         "constat pass HOST",
		"a'b":          "constat pass HOST",
		"a\nb":         "constat pass HOST",
		"a.example\nb": "constat pass HOST",
		"bänk.example": "constat pass HOST",
		"":             "constat pass HOST",
	} {
		if got := StepsFor("server_tls", host, ""); len(got) != 1 || got[0].Command != want {
			t.Errorf("%q: %+v, want %s", host, got, want)
		}
	}
	if got := StepsFor("no such cause", "a.example", ""); len(got) != 0 {
		t.Errorf("steps for nothing: %v", got)
	}
}

func TestPlatform(t *testing.T) {
	for name, tt := range map[string]struct {
		g       guess
		hosts   []string
		apps    []string
		said    []string
		device  string
		want    Platform
		version int
	}{
		"asks Google whether it is connected": {hosts: []string{"a.example", "connectivitycheck.gstatic.com"}, want: Android},
		"asks Apple":                          {hosts: []string{"captive.apple.com"}, want: Apple},
		"visits Apple's site":                 {hosts: []string{"www.apple.com", "apple.com"}},
		"has an app of Android's":             {apps: []string{"com.android.vending"}, want: Android},
		"has an app of somebody's":            {apps: []string{"com.androidfan.game", "com.apple-pie"}},
		"was declared":                        {said: []string{"Redmi Note 4G"}, want: Android},
		"was declared in full":                {said: []string{"Apple iPhone13,2"}},
		"was declared by name":                {said: []string{"iPhone 13"}, want: Apple},
		"a word that only looks so":           {said: []string{"Radios and studios"}},
		"was declared with a version":         {said: []string{"Android 4.4.2, MIUI v5"}, want: Android, version: 4},
		"both":                                {hosts: []string{"captive.apple.com"}, said: []string{"Android 14"}, version: 14},
		"this computer":                       {device: "127.0.0.1", want: Desktop},
		"an emulator on this computer":        {device: "127.0.0.1", apps: []string{"com.android.vending"}, want: Android},
		"another":                             {device: "192.168.1.7"},
	} {
		for _, h := range tt.hosts {
			tt.g.saw(h, "")
		}
		for _, a := range tt.apps {
			tt.g.saw("", a)
		}
		for _, s := range tt.said {
			tt.g.heard(s)
		}
		if got := tt.g.platform(tt.device); got != tt.want || tt.g.version != tt.version {
			t.Errorf("%s: %q %d, want %q %d", name, got, tt.g.version, tt.want, tt.version)
		}
	}
}
