package doctor

// Figures are what a Cause is judged by: counts of the connections of one device to
// one host, and what else is known of that device. Counts are of connections unless
// said otherwise. The zero value is a host that was never asked for.
type Figures struct {
	Connections int `json:"connections"`
	Read        int `json:"read"`

	// What the client did in the handshake with Constat.
	UnknownCA  int `json:"unknown_ca,omitempty"`          // alert: it does not know who signed
	Rejected   int `json:"rejected,omitempty"`            // alert: it does not accept the certificate, and does not say why
	Invalid    int `json:"invalid,omitempty"`             // alert: expired, revoked, or of a kind that it does not take
	NoCommon   int `json:"no_common_tls,omitempty"`       // no TLS version or cipher that both have
	OtherAlert int `json:"other_alert,omitempty"`         // any other, and handshakes that failed in another way
	Closed     int `json:"closed_in_handshake,omitempty"` // closed or reset without a word
	TimedOut   int `json:"timed_out,omitempty"`
	Unused     int `json:"closed_unused,omitempty"` // handshake fine, then closed at once without a request
	Silent     int `json:"silent,omitempty"`        // handshake fine, then nothing until it was closed or timed out

	// What came of the server.
	PrivateCA        int `json:"server_private_ca,omitempty"` // self-signed, or signed by nobody known
	WrongName        int `json:"server_wrong_name,omitempty"`
	Expired          int `json:"server_expired,omitempty"` // or not valid yet
	WantsCertificate int `json:"server_wants_certificate,omitempty"`
	ServerTLS        int `json:"server_tls,omitempty"` // any other failure of its TLS
	Unreachable      int `json:"unreachable,omitempty"`
	Unresolved       int `json:"unresolved,omitempty"`

	// What Constat did.
	PassedBySet int `json:"passed_by_set,omitempty"` // unread, because somebody said so
	PassedAfter int `json:"passed_after,omitempty"`  // unread, after refusals
	Raw         int `json:"not_http,omitempty"`
	QUIC        int `json:"quic_refused,omitempty"` // and no connection by TCP followed
	PrivateDNS  int `json:"private_dns_refused,omitempty"`
	NotAdmitted int `json:"not_admitted,omitempty"`
	LocalNet    int `json:"local_network_refused,omitempty"`

	// ReadByOther were read, of this host, for apps other than those that refused;
	// where apps are not known, for other TLS libraries.
	ReadByOther int `json:"read_for_other_apps,omitempty"`
	// SameRead were read, of other hosts, for the apps (or TLS libraries) that refused
	// here; SameRefused is how many other hosts they refused.
	SameRead    int `json:"same_app_read_elsewhere,omitempty"`
	SameRefused int `json:"same_app_refused_hosts,omitempty"`
	// AppKnown says that these are apps. TLS libraries are shared: two apps with the
	// same one may differ in what they trust.
	AppKnown bool `json:"app_known,omitempty"`
	// Settled says that the last thing the client did with this host was to let it be
	// read; BeforeTrust, that it refused only before the device first let anything be.
	Settled     bool `json:"settled,omitempty"`
	BeforeTrust bool `json:"before_trust,omitempty"`
	// Chromium says that it was a browser of that family that refused, or an app with
	// its network library.
	Chromium bool `json:"chromium,omitempty"`

	// Of the device as a whole.
	DeviceRead    int      `json:"device_tls_read"`            // TLS connections
	DeviceRefused int      `json:"device_hosts_that_refused"`  // hosts of which TLS was refused
	OldAndroid    bool     `json:"android_before_7,omitempty"` // as declared
	Platform      Platform `json:"platform,omitempty"`         // as far as it can be guessed
}

// refused is how many handshakes the client ended in a way in which apps do that do
// not accept the certificate.
func (f *Figures) refused() int { return f.UnknownCA + f.Rejected + f.Closed }

// Sure is how sure a Cause is.
type Sure int

// Known is what the record itself says, Likely what fits better than all else,
// Possible what cannot be ruled out.
const (
	No Sure = iota
	Possible
	Likely
	Known
)

var sureWords = [...]string{"no", "possible", "likely", "known"}

func (s Sure) String() string { return sureWords[s] }

// MarshalText implements encoding.TextMarshaler.
func (s Sure) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Cause is one reason why a host cannot be read.
type Cause struct {
	ID    string
	Title string // one clause, as it stands behind a colon
	Doc   string // in plain words, one to three sentences
	// OfApp says that it lies with one app, and not with the device or the host.
	OfApp bool
	// Fits says how sure it is by the figures alone.
	Fits func(*Figures) Sure
	// Steps are what a person can do, the next one first.
	Steps []Step
}

// Step is one thing that a person can do.
type Step struct {
	// Platform is the one that it is for, empty for any.
	Platform Platform `json:"platform,omitempty"`
	Text     string   `json:"text"`
	// Command is to be typed on the computer that runs Constat, empty when there is
	// none; HOST in it stands for the host.
	Command string `json:"command,omitempty"`
}

// Steps that several causes share.
var (
	passOn = Step{Text: "To let the app work meanwhile, pass the host on unread. How often, when and how much it sends is still recorded.", Command: "constat pass HOST"}
	inRoot = Step{Platform: Android, Text: "On a rooted phone or an emulator, put the certificate into the system's store: apps take that one. As a Magisk or KernelSU module, or over adb.", Command: "constat ca export --format magisk"}
	trustI = Step{Platform: Apple, Text: "Settings, General, About, at the bottom Certificate Trust Settings: switch on the certificate that begins with Constat. Installing the profile alone is not enough. If it is not listed there, install the profile first: open the page of the code that 'constat run' shows."}
	trustA = Step{Platform: Android, Text: "Settings, search for \"CA certificate\", install constat-ca.crt from the page of the code that 'constat run' shows. It is there when Trusted credentials, User lists it. Firefox has a switch of its own: docs/trust.md."}
	trustD = Step{Platform: Desktop, Text: "Give the program the certificate: the browser's or the system's list of authorities, curl --cacert. docs/trust.md says where.", Command: "constat ca export --format pem --out constat-ca.pem"}
	unpin  = Step{Text: "Only a change to the app itself opens it, on a phone of your own and where the law lets you. What it sends can still be told by size and time."}
)

// Causes are all that are looked for. Of two that are equally sure the earlier one
// leads.
//
// What an alert is worth differs by the client's TLS library. OpenSSL, NSS and rustls
// say unknown_ca when they do not know the issuer. BoringSSL's default for a failed
// check is certificate_unknown, whatever failed (ssl/handshake.cc,
// ssl_verify_peer_cert), and neither Chromium (net/socket/ssl_client_socket_impl.cc,
// VerifyCertCallback) nor Android's Conscrypt sets another; Go says bad_certificate
// to everything (crypto/tls, verifyServerCertificate). So those two do not tell a pin
// from an unknown issuer, and unknown_ca never speaks of a pin.
var Causes = []Cause{
	{
		ID: "settled", Title: "it was refused at first, and is read since",
		Doc:   "The certificate was probably installed or switched on in between. Nothing needs to be done; what was refused before stays unread.",
		Fits:  func(f *Figures) Sure { return when(f.Settled && f.refused()+f.Unused > 0, Likely) },
		Steps: []Step{{Text: "Nothing. Count the test from the time since when it is read."}},
	},
	{
		ID: "ca_not_trusted", Title: "the device does not trust Constat's certificate",
		Doc: "Nothing that is encrypted could be read from this device. The certificate is not installed, or on an iPhone installed and not switched on.",
		Fits: func(f *Figures) Sure {
			switch {
			case f.UnknownCA+f.Rejected == 0 || f.DeviceRead > 0:
				return No
			case f.UnknownCA > 0 && f.DeviceRefused >= 2, f.DeviceRefused >= 3:
				return Likely
			}
			return Possible
		},
		Steps: []Step{trustI, trustA, trustD, {Text: "Open https://constat.test on the device: no warning means that it is trusted."}},
	},
	{
		ID: "not_trusted_yet", Title: "the device did not trust Constat's certificate at that time",
		Doc: "It refused before anything of this device could be read for the first time, and has not asked for this host since.",
		Fits: func(f *Figures) Sure {
			switch {
			case !f.BeforeTrust || f.Settled || f.UnknownCA+f.Rejected == 0:
				return No
			case f.DeviceRefused >= 2:
				return Likely
			}
			return Possible
		},
		Steps: []Step{{Text: "Use the app again, and look whether the host is read then.", Command: "constat doctor HOST"}},
	},
	{
		ID: "app_takes_system_only", OfApp: true, Title: "this app takes only the system's certificates, not yours",
		Doc: "The device has the certificate, but since Android 7 an app takes certificates that a person installed only if its maker allowed that. It need not be pinned.",
		Fits: func(f *Figures) Sure {
			switch {
			case f.Settled || f.Platform == Apple || f.Platform == Desktop || f.OldAndroid || f.refused() == 0:
				return No
			case f.BeforeTrust:
				return when(f.UnknownCA+f.Rejected > 0, Possible)
			case f.DeviceRead == 0:
				return when(f.UnknownCA+f.Rejected > 0 && f.DeviceRefused < 3, Possible)
			case f.SameRead > 0:
				// The same app takes it elsewhere; only where no more than the library
				// is known may it be another app.
				return when(!f.AppKnown && f.UnknownCA+f.Rejected > 0, Possible)
			case f.UnknownCA > 0, f.Rejected > 0 && (f.ReadByOther > 0 || f.SameRefused >= 2):
				return Likely
			}
			return Possible
		},
		Steps: []Step{inRoot, {Platform: Android, Text: "Without root there is no way on this phone. An emulator with root shows what the app does, if it runs there."}, passOn},
	},
	{
		ID: "own_authorities", OfApp: true, Title: "the app has a list of authorities of its own",
		Doc: "Some apps do not ask the device whom to trust, or not for every host: Firefox, and apps that bring their own TLS library along.",
		Fits: func(f *Figures) Sure {
			switch {
			case f.Settled || f.BeforeTrust || f.UnknownCA == 0 || f.DeviceRead == 0 || f.Platform == Desktop:
				return No
			case f.Platform == Apple && f.SameRead == 0:
				return Likely
			}
			return Possible
		},
		Steps: []Step{{Platform: Android, Text: "Firefox has a switch for the certificates that you installed: docs/trust.md."}, passOn},
	},
	{
		ID: "program_not_told", OfApp: true, Title: "this program does not use the certificate",
		Doc: "On a computer many programs have a list of authorities of their own, and each has to be told.",
		Fits: func(f *Figures) Sure {
			switch {
			case f.Settled || f.Platform != Desktop || f.UnknownCA+f.Rejected == 0 || f.DeviceRead == 0:
				return No
			case f.SameRead == 0:
				return Likely
			}
			return Possible
		},
		Steps: []Step{trustD, passOn},
	},
	{
		ID: "certificate_transparency", Title: "Chrome demands that the certificate is in public logs",
		Doc: "Chrome and apps with its network library demand Certificate Transparency of certificates under a root of the system's store. Under one that a person installed they do not.",
		Fits: func(f *Figures) Sure {
			return when(!f.Settled && !f.BeforeTrust && f.Chromium && f.Rejected > 0 && f.DeviceRead > 0 && f.Platform != Apple && f.Platform != Desktop, Possible)
		},
		Steps: []Step{{Platform: Android, Text: "For Chrome, install the certificate in the user's store. If it is in the system's store as well, and an older Chrome still refuses, take it out there while you test the browser."}},
	},
	{
		ID: "pinned", OfApp: true, Title: "the app accepts only its own server's certificate (it is pinned)",
		Doc: "The app compares the certificate with one that it brings along. No certificate of Constat's can satisfy that.",
		Fits: func(f *Figures) Sure {
			switch {
			case f.Settled:
				return No
			case f.BeforeTrust:
				return when(f.Rejected+f.Unused > 0, Possible)
			case f.Unused >= 3 && f.Read == 0:
				return Likely
			case f.Rejected > 0 && f.SameRead > 0 && (f.AppKnown || f.Platform == Apple):
				return Likely
			case f.Unused > 0 && f.Read == 0, f.Rejected > 0 && f.DeviceRead > 0, f.Closed >= 2 && f.UnknownCA == 0 && f.DeviceRead > 0:
				return Possible
			}
			return No
		},
		Steps: []Step{passOn, unpin},
	},
	{
		ID: "certificate_validity", Title: "the client finds the certificate expired, or of a kind that it does not take",
		Doc:   "Constat's certificates begin a day ago and last 45 days. A device whose clock is off by more than that takes them for expired.",
		Fits:  func(f *Figures) Sure { return when(f.Invalid > 0 && !f.Settled, Likely) },
		Steps: []Step{{Text: "Compare the clocks of the device and of this computer, date and year included, and set the wrong one."}, passOn},
	},
	{
		ID: "no_common_tls", Title: "the app and Constat have no TLS version or cipher in common",
		Doc:   "The app speaks a TLS that Constat does not: very old (SSL 3), or with ciphers that nobody should use.",
		Fits:  func(f *Figures) Sure { return when(f.NoCommon > 0 && !f.Settled, Likely) },
		Steps: []Step{passOn},
	},
	{
		ID: "opened_in_advance", Title: "the connection was opened in advance and not needed",
		Doc: "Browsers and apps open connections that they may need. Nothing was sent in it, so nothing is missing.",
		Fits: func(f *Figures) Sure {
			switch {
			case f.Silent > 0, f.Unused > 0 && f.Read > 0:
				return Likely
			}
			return when(f.Unused > 0 && f.Unused < 3, Possible)
		},
		Steps: []Step{{Text: "Nothing, unless it goes on: use the app again and see whether the host is read then.", Command: "constat doctor HOST"}},
	},
	{
		ID: "gave_up", Title: "the app gave up, or the network broke off",
		Doc: "The handshake ended without a word about the certificate: the app was closed, the phone slept, the Wi-Fi was lost. Some apps end it so when they do not accept the certificate.",
		Fits: func(f *Figures) Sure {
			switch {
			case f.Settled:
				return No
			case f.TimedOut > 0:
				return Likely
			}
			return when(f.Closed+f.OtherAlert > 0, Possible)
		},
		Steps: []Step{{Text: "Use the app again with the phone awake and near the Wi-Fi, and look whether it repeats.", Command: "constat doctor HOST"}, passOn},
	},
	{
		ID: "server_private_ca", Title: "the server's certificate is signed by itself or by nobody known",
		Doc:  "Constat checks servers as a careful app would, and sends them nothing when that fails. An app with a CA of its own accepts this server; so does one that does not check at all. Or somebody stands between Constat and the server.",
		Fits: func(f *Figures) Sure { return when(f.PrivateCA > 0, Known) },
		Steps: []Step{
			{Text: "If you know whose CA it is, have Constat trust it: save it as a PEM file, and start with --upstream-ca.", Command: "constat run --upstream-ca FILE"},
			passOn,
		},
	},
	{
		ID: "server_wrong_name", Title: "the server's certificate is for another name",
		Doc:   "The server showed a certificate that does not name this host. Constat sent it nothing.",
		Fits:  func(f *Figures) Sure { return when(f.WrongName > 0, Known) },
		Steps: []Step{{Text: "Look whether the name leads to the right address, from another network too: the answer of the DNS may be forged."}, passOn},
	},
	{
		ID: "server_expired", Title: "the server's certificate has expired, or is not valid yet",
		Doc:   "Constat sent the server nothing.",
		Fits:  func(f *Figures) Sure { return when(f.Expired > 0, Known) },
		Steps: []Step{{Text: "Look at the clock of this computer. If it is right, the server's operator has to renew the certificate."}, passOn},
	},
	{
		ID: "server_wants_certificate", Title: "the server demands a certificate of the app",
		Doc:   "The app proves itself with a key that Constat does not have.",
		Fits:  func(f *Figures) Sure { return when(f.WantsCertificate > 0, Known) },
		Steps: []Step{passOn, unpin},
	},
	{
		ID: "server_tls", Title: "Constat and the server could not agree on TLS",
		Doc:   "The server ended the handshake, or speaks no TLS that Constat accepts.",
		Fits:  func(f *Figures) Sure { return when(f.ServerTLS > 0, Known) },
		Steps: []Step{passOn},
	},
	{
		ID: "name_not_resolved", Title: "the name has no address",
		Doc:   "The DNS that Constat asks does not know the name, or did not answer.",
		Fits:  func(f *Figures) Sure { return when(f.Unresolved > 0, Known) },
		Steps: []Step{{Text: "Nothing, if the service is gone. If the app works without Constat, ask another DNS server.", Command: "constat run --dns ADDRESS"}},
	},
	{
		ID: "server_unreachable", Title: "the server does not answer",
		Doc:   "It is down, gone, behind a firewall, or does not let this network in.",
		Fits:  func(f *Figures) Sure { return when(f.Unreachable > 0, Known) },
		Steps: []Step{{Text: "Look whether this computer reaches other servers. If it does, try again later or from another network, or through a proxy that reaches it.", Command: "constat run --upstream-proxy URL"}},
	},
	{
		ID: "quic_only", Title: "the app used QUIC, which is refused, and did not come back by TCP",
		Doc:   "Constat refuses QUIC so that apps use TCP, which it can read. This one did not: it waits, gave up, or had no more need.",
		Fits:  func(f *Figures) Sure { return when(f.QUIC > 0, Likely) },
		Steps: []Step{{Text: "Close the app, open it again, and give it half a minute: many remember for a while that QUIC worked.", Command: "constat doctor HOST"}, {Text: "Have DNS answers not hint at QUIC (a changed answer, and recorded as such).", Command: "constat run --strip-hints"}},
	},
	{
		ID: "private_dns", Title: "the device asks an encrypted DNS, and has not gone back to the plain one",
		Doc:   "Private DNS is refused, so that names can be seen. With the setting \"automatic\" Android falls back; with a provider named it does not, and has no internet.",
		Fits:  func(f *Figures) Sure { return when(f.PrivateDNS > 0, Known) },
		Steps: []Step{{Platform: Android, Text: "Settings, Network & internet, Private DNS: Automatic or Off."}, {Platform: Apple, Text: "Settings, General, VPN & Device Management: remove the DNS profile; iCloud, Private Relay: off."}, {Platform: Desktop, Text: "Switch off \"secure DNS\" in the browser's or the system's settings."}},
	},
	{
		ID: "set_unread", Title: "you set this host to pass unread",
		Doc:   "Its connections are relayed as they are. Sizes, times and the server's name are recorded.",
		Fits:  func(f *Figures) Sure { return when(f.PassedBySet > 0, Known) },
		Steps: []Step{{Text: "To have it read again:", Command: "constat pass HOST --auto"}, {Text: "If 'constat run' was started with --pass for it, start it without."}},
	},
	{
		ID: "passed_after_refusals", Title: "it passes unread for a while, because the app refused before",
		Doc: "After three refusals Constat lets a host pass for 15 minutes, so that the phone keeps working. What was refused lies outside of what is looked at here.",
		Fits: func(f *Figures) Sure {
			return when(f.PassedAfter > 0 && f.refused()+f.Invalid+f.OtherAlert+f.Unused == 0, Known)
		},
		Steps: []Step{{Text: "Look at the whole case, without --session, to see how it refused."}, {Text: "To have it intercepted whatever the app says:", Command: "constat pass HOST --never"}},
	},
	{
		ID: "not_http", Title: "it speaks another protocol than HTTP",
		Doc:   "Its bytes are recorded and searched for what was planted, but not taken apart into requests.",
		Fits:  func(f *Figures) Sure { return when(f.Raw > 0, Known) },
		Steps: []Step{{Text: "See what was recorded of it.", Command: "constat query host:HOST"}},
	},
	{
		ID: "not_enrolled", Title: "the device is not enrolled: Constat serves it nothing",
		Doc:   "Only devices that opened the code's link can use the proxy.",
		Fits:  func(f *Figures) Sure { return when(f.NotAdmitted > 0, Known) },
		Steps: []Step{{Text: "Scan the code that 'constat run' shows with the device, or open the link below it."}},
	},
	{
		ID: "local_network", Title: "Constat does not let devices into the local network",
		Doc:   "Phones look for printers, televisions and routers. What they say to these does not leave the house, and Constat does not pass it on unless told to.",
		Fits:  func(f *Figures) Sure { return when(f.LocalNet > 0, Known) },
		Steps: []Step{{Text: "Nothing, unless the test is about this device of your network. Then let phones reach it:", Command: "constat run --allow-lan NETWORK"}},
	},
	{
		ID: "unexplained", Title: "none of the known causes fits",
		Doc: "The facts above are all that is known.",
		Fits: func(f *Figures) Sure {
			known := f.refused() + f.Invalid + f.NoCommon + f.OtherAlert + f.TimedOut + f.Unused + f.Silent + f.PrivateCA + f.WrongName + f.Expired +
				f.WantsCertificate + f.ServerTLS + f.Unreachable + f.Unresolved + f.PassedBySet + f.PassedAfter + f.Raw + f.QUIC + f.PrivateDNS + f.NotAdmitted + f.LocalNet
			return when(known == 0, Possible)
		},
		Steps: []Step{{Text: "See the connections themselves.", Command: "constat query \"SELECT time, outcome, reason FROM connections WHERE host = 'HOST'\""}},
	},
}

// when is s if ok, else No.
func when(ok bool, s Sure) Sure {
	if ok {
		return s
	}
	return No
}
