package detect

import (
	"bytes"
	"fmt"
	"net/netip"
	"strings"

	"golang.org/x/net/publicsuffix"

	"constat/inspect"
	"constat/proxy/flow"
)

// BrowsingHistory recognises addresses of pages that the user opened, and words
// that were searched for, told to somebody else than the page's site.
//
// It asks for the address of a page under another registrable domain
// (publicsuffix.org) than the host's, in a field that is called after the page
// that is open, or beside fields that tell of a visit. Addresses of pictures,
// files, interfaces and of where to go next are none. Words count as searched for
// where a request reports them; in the request that searches they are asked of
// the service itself.
var BrowsingHistory = inspect.Detector{
	Name:   "browsing_history",
	Class:  inspect.BrowsingHistory,
	Doc:    "looks for addresses of pages of other sites and for words searched for, in requests that report them",
	Detect: detectBrowsing,
}

// webField is a family of field names.
type webField uint8

const (
	webNone    webField = iota
	webPage             // the page that is open
	webLink             // an address, of whatever
	webFrom             // the page before
	webSearch           // words searched for, by its very name
	webQuery            // the same, or a query of any kind
	webVisit            // tells of a visit
	webEvent            // tells that something is reported
	webRequest          // tells of a request of a program, not of a page
	webPreview          // what is made of a link
	webShare            // messages, posts
	webCount
)

var webWords = speaking(newLexicon(map[webField]string{
	webPage: `page pageurl pagelocation pagehref pageuri documentlocation documenturl documenturi dl dlurl currenturl currentpage currentpageurl currenthref location locationhref siteurl weburl webpage webpageurl weburi taburl visitedurl visiturl lasturl openurl openedurl
		browserurl browsingurl historyurl urlvisited openpage articleurl loadedurl topurl mainframeurl navigationurl navigatedurl visitedpage websiteurl landingpage landingurl landingpageurl pageaddress viewurl viewedurl zurl screenurl activeurl surl wangzhi 网址 页面地址 seite adresse besuchteseite
		urlbar addressbar omnibox locationbar barraurl tabaddress entryurl exiturl contexturl contextpageurl contentpageurl sourceurl fullurl requestpage requestedpage tabs clickurl clickedurl urlclicked curl purl pageviewurl hostpage frameurl mainurl originurl eventsourceurl initialcurrenturl lastvisitedurl bookmarkurl thisurl viewing urls urllist visitedurls pages visited history visits`,
	webLink:   `url uri href link address u site website web loc l target links lien sitio sito ссылка адрес 链接 地址 unsafeurl threatentryurl checkurl domainurl resource`,
	webFrom:   `referrer referer ref dr documentreferrer pagereferrer refurl urlref urlreferrer referrerurl refererurl initialreferrer lastreferrer previousurl prevurl previouspage refererpage referrerpage frompage fromurl prevpage referringurl latestreferrer pagereferer`,
	webSearch: `searchword searchwords searchterm searchterms searchquery searchkeyword searchkeywords searchtext searchstring searchphrase searchedfor searchkey searchinput searchcontent usersearch lastsearch recentsearches searchhistory sousuoci suchbegriff recherche motcle ricerca busqueda pesquisa 搜索词 关键词 поисковыйзапрос sousuo searched sitesearchkeyword sitesearchquery ksearchword querytext querystringuser inputword searches`,
	webQuery:  `query q keyword keywords kw wd word words term terms phrase search`,
	webVisit: `title actionname pagetitle visitcount visittime visitdate visitedat lastvisittime lastvisitdate lastvisit dwell dwelltime staytime timespent timeonpage readtime scroll scrolldepth tab tabid browser browsertype incognito private privatemode isprivate favicon transition transitiontype typed typedcount
		documenttitle dt opencount stayduration duration browsetime visitduration visitstart enginename searchengine usedsearchengine browsemode ntitle visitid zvisittime pageview hits adblock loadtime opentime leavetime fromsearch viewedat viewtime firstvisit opened openedat accessed accessedat acessadoem acessada modesamaran samaran modoanonimo anonimo inkognito modoincognito gizli gizlimod ẩndanh incognitomode mesin mesinpencari suchmaschine moteurderecherche buscador motordebusqueda motorediricerca wyszukiwarka aramamotoru`,
	webEvent: `event eventname eventtype eventtime eventts ts timestamp time clienttime action en ea ec e anonymousid distinctid userid deviceid imei oaid gaid androidid uid clientid cid sessionid session did properties uuid useragent ua model sentat installid aid visitor visitorid
		sdk appversion reporttime logtime logid evt ename eventid trackid tid osversion`,
	webRequest: `method statuscode httpmethod httpstatuscode responsecode responsetime requestmethod requestheaders requestbody bodysize responsebody transfersize dns dnstime connecttime tcptime ssltime ttfb latency bytessent bytesreceived retrycount contentlength contenttype initiatortype encodedbodysize requestduration httpcode stack stacktrace filename lineno colno protocol httpstatus
		networktyperequest requestsize responsesize timeout errorcode peerip remoteip httpurl apiname mimetype checksum md5 sha1 sha256 filesize expires cacheable version build`,
	webPreview: `preview thumbnail width height image imageurl icon logo banner adunit adid campaign campaignid creativeid placement price bidid impid clicktracking deeplink`,
	webShare:   `text message body caption comment content roomid channel chatid recipient to from subject conversationid`,
}),
	meaning[webField]{ofAddress, webLink}, meaning[webField]{ofVisit, webVisit}, meaning[webField]{ofTitle, webVisit}, meaning[webField]{ofSearch, webQuery}, meaning[webField]{ofDate, webEvent},
)

// webAround are words in names of fields that say no more than that it is a
// visit's.
var webAround = newLexicon(map[bool]string{true: `page visit visits history tab browser web pagina seite strana страница страницы 页面 网页 網頁 ページ 페이지 หน้า صفحه str string raw value field data full`})

var webFamilies = inspect.NewNameFacts(webFamily)

// webFamily returns the family of a field's name, by the whole of it or by the
// word in it that is not about pages.
func webFamily(name string) webField {
	if w := webWords.of(name); w != webNone {
		return w
	}
	if len(name) > 3 && name[0] >= 0x80 {
		return webWords.compound(name, webAround)
	}
	if rest := untyped(name); rest != "" {
		return webWords.of(rest)
	}
	if n := len(name); n > 6 && (name[n-1] == 's' || name[n-1] == 'S') {
		if w := webWords.of(name[:n-1]); w == webPage || w == webSearch {
			return w
		}
	}
	return webNone
}

var (
	// webPlaces are what reports of visits are called.
	webPlaces = newStems("history", "historico", "histórico", "navegac", "navegaç", "browsing", "browser", "visit", "pageview", "navigation", "surf", "webview", "tabs", "opentab", "openpage", "websites", "bookmark", "favorites", "urllog", "weblog", "verlauf", "historique", "historial", "cronologia", "история", "liulan", "浏览", "访问", "历史", "pageview", "weburl", "topsites", "clickstream", "readinglist", "navigazion", "cronologi", "przegladan", "geschiedenis", "bezoek", "historik", "gecmis", "ziyaret", "riwayat", "kunjungan", "lichsu", "duyetweb", "truycap", "السجل", "التصفح", "المتصفح", "زيارات", "تاریخچه", "היסטורי", "इतिहास", "ब्राउज़", "ประวัติ", "เข้าชม", "履歴", "閲覧", "訪問", "rireki", "방문", "브라우", "기록", "瀏覽", "歷史", "造訪", "посещ", "просмотр", "istoriya", "istoria", "prohlizen", "bongeszes", "webhist", "lishi", "webactivity", "siteactivity", "lastpages", "surfed", "urlbar", "visited")
	// webEvents are what reports are called.
	webEvents = []string{"collect", "track", "event", "log", "report", "beacon", "batch", "stat", "analytic", "telemetry", "metric", "pixel", "ping", "upload", "data", "capture", "notify", "envelope", "bulk", "sync", "record", "hit", "monitor", "tongji", "tracker", "shangbao", "dc", "matomo", "piwik", "i"}
	// webChecks are what services are called that are asked about an address.
	webChecks = newStems("safebrows", "urlcheck", "checkurl", "phish", "reputation", "malware", "urllookup", "lookupurl", "classify", "urlscan", "urlsafe", "threat", "urlfilter", "webfilter", "categor", "favicon", "siteinfo", "trustrating", "urlinfo", "smartscreen", "webprotect", "saferurl", "siterating")
	// webOther are parts of names of addresses that are no page that was opened.
	webOther = newStems(
		"image", "img", "icon", "avatar", "photo", "picture", "thumb", "logo", "banner", "callback", "redirect", "return", "webhook", "endpoint", "api", "download", "cdn", "schema", "license", "licence", "asset", "video", "audio", "stream", "upload", "feed", "config", "manifest", "next", "success", "cancel", "fail", "apk", "file", "privacy", "terms", "support",
		"help", "doc", "homepage", "repository", "repo", "bugs", "store", "share", "cover", "poster", "media", "script", "css", "font", "proxy", "server", "base", "host", "issuer", "jwks", "auth", "token", "profile", "clicktrack", "impression", "pixel", "postback", "notify", "update", "portal", "tile", "deeplink", "clicktrack",
	)
	// webURLs are parts of names of addresses.
	webURLs = newStems("url", "uri", "href", "link", "page", "site", "location")
	// webOpened are parts of names of addresses that were opened.
	webOpened = newStems("watched", "visited", "opened", "viewed", "clicked", "browsed", "loaded")
	// webVisits are parts of what events are called that tell of a page.
	webVisits = newStems("page", "visit", "brows", "openurl", "urlopen", "load", "watch", "play", "download", "tab", "navigat", "video", "article")
	// searchLists are what lists of searches are called.
	searchLists = newStems("searchquer", "voicequer", "voicesearch", "spokenquer", "buscas", "aramalar", "pencarian", "searchhist", "searches", "recentsearch", "searchlog", "querylog", "queryhist", "searchterm", "searchword", "keywordlog", "recherches", "suchanfrage", "suchverlauf", "busquedas", "pesquisas", "ricerche", "zoekopdracht", "wyszukiwan", "поисковы", "запрос", "aramagecmis", "aramalar", "riwayatpencarian", "lichsutimkiem", "عملياتالبحث", "عباراتالبحث", "كلماتالبحث", "سجلالبحث", "جستجوها", "חיפושים", "пошуков", "αναζητησ", "hledan", "keresesek", "cautari", "खोजइतिहास", "ประวัติการค้นหา", "検索履歴", "검색기록", "검색어", "搜索记录", "搜索历史", "搜尋紀錄", "sousuojilu")
	// searchEvents are what events are called that tell of a search.
	searchEvents = newStems("search", "sousuo", "recherche", "suche", "busqueda", "ricerca", "pesquisa", "zoek", "wyszuk", "arama", "pencarian", "timkiem", "بحث", "खोज", "ค้นหา", "검색", "搜尋", "поиск", "poisk", "搜索", "検索", "kensaku")
	// webAsks are segments of paths of the same.
	webAsks = map[string]bool{"check": true, "safe": true, "scan": true, "verify": true, "reputation": true, "safety": true, "rating": true, "urls": true, "lookup": true}
	// searchPlaces are what requests are called that search.
	searchPlaces = newStems("search", "suggest", "autocomplete", "complete", "query", "find", "graphql", "sousuo", "recherche", "buscar", "suche", "typeahead", "lookup")
)

var webGather = withNames(gather{
	need: webNeed, live: webLive, brief: true,
	place: func(group string) bool {
		_, key := lastKey(group)
		return len(key) > 6 && mentions(key, searchLists)
	},
	want: func(p *inspect.Part) bool {
		if p.Direction == flow.Up && len(p.Name) > 10 && p.Name[0] == 'h' && webURL([]byte(p.Name)) {
			return true
		}
		if p.Direction != flow.Up || p.Kind > inspect.Text || len(p.Data) < 2 || len(p.Data) > 8<<10 {
			return false
		}
		if c := p.Data[0]; c == 'h' || c == 'H' || c == 'w' || c == '/' {
			if len(p.Data) > 9 && (webURL(p.Data) || p.Data[0] == 'w') {
				return true
			}
		}
		if siteNames[p.Name] && bytes.IndexByte(p.Data, '.') > 0 {
			return true
		}
		w := webFamily(p.Name)
		return w == webSearch || w == webQuery || w == webPage && bytes.IndexByte(p.Data, '.') > 0
	},
	fold: func(key string, _ bool) bool {
		switch key {
		case "page", "tab", "location", "document", "site", "search", "referrer", "visit":
			return true
		}
		return false
	},
	column: func(name string) bool { w := webWords.of(name); return w > webNone && w <= webVisit },
})

// webURL says that b begins like the address of a page.
func webURL(b []byte) bool {
	return len(b) > 10 && len(b) < 8<<10 && (equalFold(string(b[:7]), "http://") || equalFold(string(b[:8]), "https://"))
}

// notPages are ends of paths of files that are no pages.
var notPages = map[string]bool{
	"png": true, "jpg": true, "jpeg": true, "gif": true, "webp": true, "svg": true, "ico": true, "avif": true, "heic": true, "mp4": true, "m3u8": true, "ts": true, "mp3": true, "aac": true, "webm": true, "apk": true, "zip": true, "gz": true, "js": true, "mjs": true, "css": true, "json": true, "xml": true, "woff": true, "woff2": true, "ttf": true, "wasm": true, "map": true, "dat": true, "bin": true, "m4s": true, "mpd": true, "exe": true, "dmg": true, "ipa": true, "proto": true,
}

// page is the address of a page.
type page struct {
	part *inspect.Part
	site string // registrable domain
	deep bool   // it has a path or a query
}

// pageOf reads the address in b, ok when it is one that a person can have opened.
func (m *hosts) pageOf(b []byte) (p page, ok bool) {
	at := b[:min(len(b), 2048)]
	switch {
	case webURL(b):
		at = at[bytes.Index(at, []byte("//"))+2:]
	case bytes.HasPrefix(b, []byte("www.")):
	case bytes.HasPrefix(b, []byte("//")):
		at = at[2:]
	default:
		return p, false
	}
	end := 0
	for end < len(at) && at[end] != '/' && at[end] != '?' && at[end] != '#' {
		end++
	}
	name, rest := at[:end], at[end:]
	if bytes.IndexByte(name, '@') >= 0 {
		return p, false
	}
	if i := bytes.IndexByte(name, ':'); i >= 0 {
		name = name[:i]
	}
	h := m.of(name)
	p.site, p.deep = h.site, len(rest) > 1
	return p, h.site != "" && isPagePath(rest)
}

// isPagePath says that what stands behind a host is no path of a file or an
// interface.
func isPagePath(b []byte) bool {
	if i := bytes.IndexAny(b, "?#"); i >= 0 {
		b = b[:i]
	}
	if i := bytes.LastIndexByte(b, '.'); i >= 0 && notPages[strings.ToLower(string(b[i+1:]))] {
		return false
	}
	return !bytes.Contains(b, []byte("/api/")) && !bytes.HasPrefix(b, []byte("/v1/")) && !bytes.HasPrefix(b, []byte("/v2/"))
}

// hosts remembers the sites of the last hosts.
type hosts struct{ last [8]host }

type host struct {
	name string
	site string // "" when no page is there that a person opens
}

func (m *hosts) of(name []byte) *host {
	h := &m.last[0]
	if n := len(name); n > 0 {
		h = &m.last[(uint(name[0])+3*uint(name[n/2])+uint(n))&7]
	}
	if h.name != string(name) {
		h.name = string(name)
		h.site = pageSite(h.name)
	}
	return h
}

// pageSite returns the registrable domain of a host that pages are on, "" of others.
func pageSite(s string) string {
	s = strings.ToLower(strings.TrimSuffix(s, "."))
	if strings.IndexByte(s, '.') < 0 || strings.ContainsAny(s, " {}<>\"'$%") {
		return ""
	}
	if _, err := netip.ParseAddr(s); err == nil {
		return ""
	}
	for _, label := range []string{"api.", "cdn.", "static.", "img.", "images.", "assets.", "schemas.", "media.", "fonts.", "graph."} {
		if strings.HasPrefix(s, label) {
			return ""
		}
	}
	switch s[strings.LastIndexByte(s, '.')+1:] {
	case "invalid", "local", "localhost", "internal", "lan", "arpa":
		return "" // no page can be there (RFC 6761, RFC 6762)
	}
	if first, _, _ := strings.Cut(s, "."); first == "com" || first == "org" || first == "net" {
		return "" // the name of a package
	}
	return siteOf(s)
}

func siteOf(host string) string {
	if site, err := publicsuffix.EffectiveTLDPlusOne(host); err == nil {
		return site
	}
	return host
}

func detectBrowsing(t *inspect.Tree) []inspect.Finding {
	s := t.Subject
	if s.Frame == nil && len(s.Query) == 0 && len(s.Request.Body) == 0 && s.Upload == nil && !opened(t) {
		return nil
	}
	x := webContext{names: webNameFacts.In(t)}
	var out []inspect.Finding
	var all map[sheet]*series
	var last *series
	lists := 0
	var doc webDoc
	var v visit
	for c := range webGather.cards(t) {
		if c.parent.Direction != flow.Up || len(out) >= maxFindings {
			continue
		}
		if c.deck == nil || c.deck != doc.deck {
			doc = webDocOf(c)
		}
		x.know(t)
		place := x.path
		if doc.placed && !place {
			for name := range c.where() {
				place = place || mentions(name, webPlaces)
			}
		}
		if doc.sites && !place {
			place = innerEvent(c, webPlaces) || outerEvent(c, webPlaces)
		}
		v.read(c, &x, place)
		event := x.reports || v.field[webEvent] > 1
		if doc.searches {
			for name := range c.where() {
				if !mentions(name, searchLists) {
					continue
				}
				for i := range c.cells {
					p := &c.cells[i]
					if v.query == nil && p.Kind == inspect.Text && (c.scalar || wordNames[p.name]) && isWords(p.Data) {
						v.query = p.Part
					}
				}
				v.searchList = v.searchList || v.query != nil
			}
		}
		if !place && (len(v.pages) > 0 || v.links > 0) {
			place = outerEvent(c, webPlaces) || outerEvent(c, webVisits) || v.happened(c, &x, webVisits)
		}
		if len(v.foreign) == 0 && v.from == nil && v.search == nil && v.query == nil {
			continue
		}
		if v.query != nil {
			v.searched = outerEvent(c, searchEvents) || v.happened(c, &x, searchEvents)
			v.listed = c.list != "" && timed(c) && v.field[webShare] == 0 && len(c.cells) <= 8
		}
		query := c.cells[0].Parent.Decoder() == "request.query"
		if sheetOf := c.sheet(); last == nil || last.sheet != sheetOf {
			if last = all[sheetOf]; last == nil {
				if all == nil {
					all = make(map[sheet]*series)
				}
				last = &series{sheet: sheetOf}
				all[sheetOf] = last
			}
		}
		if len(v.foreign) > 0 && v.field[webRequest] < 2 && (last.kept || lists < maxLists) {
			if !last.kept {
				last.kept = true
				lists++
			}
			last.add(v.foreign)
			if _, key := lastKey(c.group); c.scalar && webWords.of(key) == webPage {
				last.named = true // <urls><url>
			}
		}
		confidence, part, why := v.weigh(place, event, query, x.searches, x.checks)
		if confidence == "" {
			if last.kept && len(v.foreign) > 0 && last.many() && (place || last.named || last.addresses.count >= 3 && timed(c)) && v.field[webPreview]+v.field[webShare] == 0 {
				confidence, part = inspect.Suspected, v.foreign[0].part
				if place {
					confidence = inspect.Probable
				}
				why = "one of several addresses of pages on other sites than this host's"
			}
		}
		if confidence == "" {
			continue
		}
		if last.findings++; last.findings > 1 {
			continue
		}
		last.at = len(out)
		out = append(out, inspect.Finding{
			Confidence: confidence, Direction: flow.Up, Path: part.Path,
			Reason: fmt.Sprintf("The field %s holds %s; it went up to this host.", shortName(part.Name), why),
		})
	}
	if len(out) == 0 {
		out = pagesInLines(t, &x)
	}
	for _, l := range all {
		if l.findings > 1 {
			out[l.at].Reason += fmt.Sprintf(" It is one of %d such entries in the same place.", l.findings)
		}
	}
	return out
}

// webContext is what the request says, and what is remembered of names and hosts.
type webContext struct {
	known                           bool
	own                             string // site of the host
	path, reports, searches, checks bool   // the path says so
	names                           *inspect.Known[webName]
	hosts                           hosts
	events                          valueMemo
	asked                           *stems // by events
}

// know reads the request.
func (x *webContext) know(t *inspect.Tree) {
	if x.known {
		return
	}
	s := t.Subject
	x.known = true
	x.own = siteOf(strings.ToLower(s.Host))
	x.path = pathMentions(t, webPlaces)
	x.searches, x.checks = pathMentions(t, searchPlaces), pathMentions(t, webChecks)
	for seg := range strings.SplitSeq(s.Path[:min(len(s.Path), 512)], "/") {
		x.checks = x.checks || webAsks[seg]
	}
	for seg := range strings.FieldsFuncSeq(s.Path, func(r rune) bool { return r == '/' || r == '.' || r == '_' || r == '-' }) {
		for _, w := range webEvents {
			if len(seg) <= maxName && (len(w) > 3 && containsFold(seg, w) || len(seg) == len(w) && equalFold(seg, w)) {
				x.reports = true
			}
		}
	}
}

// series is what was found in one sheet.
type series struct {
	sheet
	addresses
	kept         bool // addresses are
	findings, at int  // how many, and which tells
}

// webName is what the lists know of a name.
type webName struct {
	family                    webField
	site, event, word         bool // see siteNames, eventNames, wordNames
	url, opened, other, lists bool // it holds one of the words of webNames, webOpened, webOther, searchLists
}

var webNameFacts = inspect.NewNameFacts(func(name string) webName {
	return webName{
		webFamily(name), siteNames[name], eventNames[name], wordNames[name],
		mentions(name, webURLs), mentions(name, webOpened), mentions(name, webOther), mentions(name, searchLists),
	}
})

// happened says that a field of c that says what happened holds one of the words.
func (v *visit) happened(c *card, x *webContext, words *stems) bool {
	if x.asked != words {
		x.asked, x.events = words, valueMemo{}
	}
	for i := range c.cells {
		p := &c.cells[i]
		if p.Kind <= inspect.Text && len(p.Data) <= maxName && ofCell(x.names, p).event && x.events.of(p.Data, func(value []byte) bool { return mentions(string(value), words) }) {
			return true
		}
	}
	return false
}

// pagesInLines looks for texts each line of which has the address of a page.
func pagesInLines(t *inspect.Tree, x *webContext) []inspect.Finding {
	const most = 1000
	may := func(c *inspect.Column) bool {
		return c.Max >= 48 && hasText(c) && c.Holds&inspect.Slashes != 0 && c.Holds&inspect.Colons != 0
	}
	parts := partsOf(t, may)
	for p := parts.next(); p != nil; p = parts.next() {
		if p.Direction != flow.Up || p.Kind > inspect.Text || len(p.Data) < 48 || p.Holds()&inspect.Slashes == 0 {
			continue
		}
		if len(p.Children) > 0 && !(p.Parent == nil && p.Decoder() == "request.cookie") || p.Decoder() == "request.query" || p.Decoder() == "request.header" && (equalFold(p.Name, "referer") || equalFold(p.Name, "link") || containsFold(p.Name, "policy") || equalFold(p.Name, "origin")) {
			continue
		}
		if bytes.Count(p.Data[:min(len(p.Data), 64<<10)], []byte("://")) < 3 {
			continue
		}
		if bytes.IndexByte(p.Data, '\n') < 0 {
			x.know(t)
			if f := pagesInOne(p, x); f != nil {
				return f
			}
			continue
		}
		x.know(t)
		lines, with := 0, 0
		var a addresses
		for line := range bytes.Lines(p.Data) {
			if len(bytes.TrimSpace(line)) == 0 {
				continue
			}
			if lines++; lines > most || len(line) > 4096 {
				break
			}
			for w := range bytes.FieldsFuncSeq(line, func(r rune) bool { return r <= ' ' || r == ',' || r == ';' || r == '|' || r == '"' }) {
				if q, ok := x.hosts.pageOf(w); ok && q.site != x.own && webURL(w) {
					q.part = p
					a.add([]page{q})
					with++
					break
				}
			}
		}
		if with < 3 || 2*with < lines || !a.many() {
			continue
		}
		confidence := inspect.Suspected
		if x.path {
			confidence = inspect.Probable
		}
		return []inspect.Finding{{
			Confidence: confidence, Direction: flow.Up, Path: p.Path,
			Reason: fmt.Sprintf("A text whose lines hold the addresses of %d pages on other sites than this host's went up to this host.", with),
		}}
	}
	return nil
}

// pagesInOne looks for the addresses of pages in one value that lists them.
func pagesInOne(p *inspect.Part, x *webContext) []inspect.Finding {
	var a addresses
	all := 0
	for w := range bytes.FieldsFuncSeq(p.Data[:min(len(p.Data), 64<<10)], func(r rune) bool {
		return r <= ' ' || r == ',' || r == ';' || r == '|' || r == '"' || r == '^' || r == '~'
	}) {
		if !webURL(w) {
			continue
		}
		if all++; all > 1000 {
			break
		}
		if q, ok := x.hosts.pageOf(w); ok && q.site != x.own && q.deep {
			q.part = p
			a.add([]page{q})
		}
	}
	if a.count < 3 || 3*a.count < 2*all || !a.many() || mentionsOther(p.Name, webLink) {
		return nil
	}
	if !x.path && !mentions(p.Name, webPlaces) && !urlName(p.Name) {
		return nil
	}
	return []inspect.Finding{{
		Confidence: inspect.Suspected, Direction: flow.Up, Path: p.Path,
		Reason: fmt.Sprintf("The field %s holds the addresses of %d pages on other sites than this host's; it went up to this host.", shortName(p.Name), a.count),
	}}
}

// siteNames are names of fields that hold the site of a page alone.
var siteNames = map[string]bool{"domain": true, "host": true, "hostname": true, "site": true, "website": true, "fqdn": true, "sld": true}

// webDoc is what is known of the document of a card.
type webDoc struct {
	deck                    *deck
	placed, searches, sites bool
}

func webDocOf(c *card) webDoc {
	d := webDoc{deck: c.deck, placed: true, searches: true, sites: true}
	if c.deck != nil {
		v := &c.deck.view
		d.placed = v.placed(true, inVisits)
		d.searches = v.placed(true, inSearches)
		d.sites = v.sites()
	}
	return d
}

// wordNames are names of fields that hold the words of a search in a list that is
// called after searches.
var wordNames = map[string]bool{"text": true, "value": true, "name": true, "title": true, "keyword": true, "term": true, "content": true, "label": true, "item": true, "s": true, "q": true, "k": true, "w": true, "utterance": true, "transcript": true, "spoken": true, "phrase": true}

// timed says that c has a point in time.
func timed(c *card) bool {
	for _, x := range c.cells {
		if isRecent(x.Data) {
			return true
		}
	}
	return false
}

// addresses are those of one list.
type addresses struct {
	sites []string
	count int
	named bool
}

func (a *addresses) add(pages []page) {
	for _, p := range pages {
		a.count++
		a.named = a.named || webWords.of(p.part.Name) == webPage
		known := false
		for _, s := range a.sites {
			known = known || s == p.site
		}
		if !known && len(a.sites) < 8 {
			a.sites = append(a.sites, p.site)
		}
	}
}

func (a *addresses) many() bool { return a.count >= 2 && len(a.sites) >= 2 }

// visit is what a card says about a page or a search.
type visit struct {
	pages      []page // in fields that are called after a page, of other sites
	foreign    []page // all of other sites
	from, link *page  // the page before, an address of whatever
	kept       [2]page
	links      int
	search     *inspect.Part
	query      *inspect.Part
	field      [webCount]int
	searchList bool // it stands in a list that is called after searches
	searched   bool // an event is called after searching
	listed     bool // it stands in a list, beside a point in time
}

// read reads a card, with the memory of the one before.
func (v *visit) read(c *card, known *webContext, place bool) {
	*v = visit{pages: v.pages[:0], foreign: v.foreign[:0]}
	links := func(p page) {
		v.foreign = append(v.foreign, p)
		if v.links++; v.link == nil {
			v.kept[0] = p
			v.link = &v.kept[0]
		}
	}
	own := known.own
	for i := range c.cells {
		x := &c.cells[i]
		if len(x.name) > 10 && x.name[0] == 'h' && webURL([]byte(x.name)) { // {"https://…": 3}
			if p, ok := known.hosts.pageOf([]byte(x.name)); ok && p.site != own {
				p.part = x.Part
				links(p)
			}
			continue
		}
		n := ofCell(known.names, x)
		if place && c.list != "" && n.site && x.Kind == inspect.Text && len(x.Data) < 100 && bytes.IndexByte(x.Data, '/') < 0 {
			if p, ok := known.hosts.pageOf(append([]byte("//"), x.Data...)); ok && p.site != own {
				if _, public := publicsuffix.PublicSuffix(p.site); public {
					p.part = x.Part
					links(p)
					continue
				}
			}
		}
		w := n.family
		if x.via != "" && (w == webNone || w == webLink) {
			switch {
			case x.via == "referrer" && (x.name == "url" || x.name == "href"):
				w = webFrom
			case x.name == "url" || x.name == "href" || x.name == "uri" || x.name == "link":
				w = webPage
			case x.via == "search" && x.name == "term":
				w = webSearch
			}
		}
		if x.Kind == inspect.Null || len(x.Data) == 0 {
			continue
		}
		if w == webPage && allDigits(x.Data) {
			w = webVisit // how many
		}
		if place && x.name == "caption" {
			w = webVisit // what the page is called
		}
		v.field[w]++
		if x.Kind > inspect.Text {
			continue
		}
		switch w {
		case webPage, webLink, webFrom, webNone:
			if w == webNone && (len(x.Data) < 12 || !webURL(x.Data) || !n.url && !c.scalar && len(x.name) > 2 && !place) {
				continue
			}
			if w == webNone && n.opened && n.url {
				w = webPage
			}
			p, ok := known.hosts.pageOf(x.Data)
			if !ok || p.site == own || w != webPage && w != webFrom && n.other {
				continue
			}
			p.part = x.Part
			switch w {
			case webPage:
				v.pages = append(v.pages, p)
				v.foreign = append(v.foreign, p)
			case webFrom:
				if v.from == nil {
					v.kept[1] = p
					v.from = &v.kept[1]
				}
			default:
				links(p)
			}
		case webSearch:
			if v.search == nil && isWords(x.Data) {
				v.search = x.Part
				if c.scalar && n.lists {
					v.query, v.searchList = x.Part, true
				}
			}
		case webQuery:
			if v.query == nil && isWords(x.Data) {
				v.query = x.Part
			}
		}
	}
	v.short(c)
}

// short finds the page before in fields of one or two letters: beside one page,
// another and what a person can read, which is the title.
func (v *visit) short(c *card) {
	if v.from != nil || len(v.foreign) != 2 || v.links != 2 || len(v.pages) > 0 {
		return
	}
	title := false
	for _, p := range v.foreign {
		if len(p.part.Name) > 2 || !p.deep {
			return
		}
	}
	for _, x := range c.cells {
		title = title || len(x.name) <= 2 && x.Kind == inspect.Text && bytes.IndexByte(x.Data, ' ') > 0 && isWords(x.Data)
	}
	if title {
		v.from = &v.foreign[1]
	}
}

func urlName(name string) bool {
	return mentions(name, webURLs)
}

// mentionsOther says that an address of that name is no page that was opened.
func mentionsOther(name string, w webField) bool {
	return w != webPage && w != webFrom && mentions(name, webOther)
}

// isWords says that b can be what somebody typed to search for.
func isWords(b []byte) bool {
	if len(b) < 2 || len(b) > 300 || b[0] == '{' || b[0] == '[' || !isProse(b) {
		return false
	}
	letters := false
	for _, c := range b {
		letters = letters || c|0x20-'a' < 26 || c >= 0x80
	}
	return letters && digest(b) == 0
}

func (v *visit) weigh(place, event, query, searches, checks bool) (inspect.Confidence, *inspect.Part, string) {
	const opened = "the address of a page on another site than this host's, in a field that is called after the page that is open"
	tells := v.field[webVisit]
	program := v.field[webRequest] >= 2
	switch {
	case program && !(place && tells > 1):
	case len(v.pages) > 0 && (event || place || tells > 0 || v.from != nil):
		return inspect.Probable, v.pages[0].part, opened
	case len(v.pages) > 0 && v.link != nil && v.field[webShare] == 1 && v.field[webPreview] == 0 && !query:
		return inspect.Suspected, v.pages[0].part, opened
	case len(v.pages) > 0 && v.field[webShare] == 0 && (!query || v.pages[0].deep):
		return inspect.Suspected, v.pages[0].part, opened
	case v.link != nil && v.field[webShare] == 0 && (tells > 1 || tells > 0 && (event || place)) && v.field[webPreview] < 2:
		return inspect.Probable, v.link.part, "the address of a page on another site than this host's, beside fields that tell of a visit"
	case v.link != nil && v.from != nil && v.field[webShare]+v.field[webPreview] == 0:
		return inspect.Probable, v.link.part, "the address of a page on another site than this host's, beside the address of the page before it"
	case v.link != nil && place && v.field[webPreview] == 0 && v.field[webShare] == 0:
		return inspect.Probable, v.link.part, "the address of a page on another site than this host's, in a place that is called after visits of pages"
	case v.link != nil && checks && v.field[webPreview] == 0:
		return inspect.Suspected, v.link.part, "the address of a page on another site than this host's, in a request that by its name asks about addresses"
	case v.link != nil && event && !query && v.field[webEvent] > 1 && v.field[webShare]+v.field[webPreview] == 0 && v.link.deep:
		return inspect.Suspected, v.link.part, "the address of a page on another site than this host's, beside fields that tell of an event"
	case v.link != nil && event && query && v.field[webShare]+v.field[webPreview] == 0 && v.field[webEvent] > 1:
		return inspect.Suspected, v.link.part, "the address of a page on another site than this host's, in a request that reports an event"
	case v.from != nil && v.from.deep && event && v.field[webEvent] > 0:
		return inspect.Suspected, v.from.part, "the address of the page that was open before, on another site than this host's"
	}
	if v.search != nil && (event && !(searches && v.field[webEvent] == 0) || tells > 0 || v.field[webEvent] > 1) && !(query && searches && !event) {
		confidence := inspect.Probable
		if searches {
			confidence = inspect.Suspected
		}
		return confidence, v.search, "words that were searched for, in a request that reports them rather than searches"
	}
	if v.query != nil && v.searchList {
		return inspect.Probable, v.query, "words that were searched for, in a list that is called after searches"
	}
	if v.search != nil && v.field[webEvent] > 0 && !query {
		return inspect.Suspected, v.search, "words that were searched for, beside fields that tell of an event"
	}
	if v.query != nil && v.searched && !(query && searches) {
		return inspect.Probable, v.query, "words that were searched for, in the report of an event"
	}
	if v.query != nil && v.listed {
		return inspect.Suspected, v.query, "words that by the name of the field were searched for, each with a point in time, in a list"
	}
	if v.query != nil && event && !searches && (v.field[webEvent] > 1 || tells > 0) {
		return inspect.Suspected, v.query, "words that by the name of the field were searched for, in a request that reports them rather than searches"
	}
	return "", nil, ""
}
