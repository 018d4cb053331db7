package detect

import (
	"bytes"
	"fmt"
	"strings"

	"constat/inspect"
	"constat/proxy/flow"
)

// AppList recognises lists of apps that are installed, used or opened on the
// phone, as they go up.
//
// It asks for at least three different names of packages as Android has them or
// of bundles as iOS has them (reversed domain names), in one list or in entries
// of one kind, or for names of apps in a place that is called after installed
// apps. Names that all begin the same are the parts of one app, and modules,
// frames, permissions and dependencies are no apps.
var AppList = inspect.Detector{
	Name:   "app_list",
	Class:  inspect.AppList,
	Doc:    "looks for the names of at least three installed, used or opened apps that leave the phone",
	Detect: detectApps,
}

// appField is a family of field names.
type appField uint8

const (
	appOther appField = iota
	appTitled
	appPackaged
	appVersioned
)

// appWord returns the family of a field's name.
func appWord(name string) appField {
	if w := appFields.of(name); w != appOther {
		return w
	}
	return appFields.compound(name, appAround)
}

var (
	// appFields are names of fields of an app.
	appFields = speaking(newLexicon(map[appField]string{
		appTitled:    strings.Join(appTitle, " "),
		appVersioned: `versionname versioncode versionnumber ver v vername vercode shortversion bundleversion`,
	}), meaning[appField]{ofPackage, appPackaged}, meaning[appField]{ofVersion, appVersioned}, meaning[appField]{ofApp, appTitled}, meaning[appField]{ofTitle, appTitled})
	appAround = newLexicon(map[bool]string{true: `app apps application applications aplicacion aplicativo anwendung applicazione prilozhenie приложения приложение uygulama aplikasi aplikacji ungdung 应用 應用 アプリ 앱 แอป ऐप التطبيق`})
	// appPlaces are what lists of apps are called.
	appPlaces = newStems(
		"installedapp", "applist", "apps", "installedpackage", "installedapplication", "packagelist", "pkglist", "packages", "pkgs", "appinfo", "appusage", "usagestat", "usage", "launched", "runningapp", "runningprocess", "recentapp", "foreground", "installlist", "applications", "bundleids", "bundles", "softwarelist", "softlist", "appnames", "applogs", "userapps", "systemapps", "anzhuang", "yingyong", "应用", "软件", "已安装", "安装", "приложен", "aplicacion", "aplicativ", "anwendung", "applicazioni",
		"installed", "appdata", "appopen", "screentime", "apprecord", "urlschemes", "canopenurl", "appsinstalled", "inventory", "toppackages", "apptime", "uygulama", "アプリ", "แอป", "應用", "軟體", "앱", "어플", "ऐप", "تطبيق", "برامج", "برنامه", "aplikasi", "aplikacj", "toepassing", "ungdung", "prilozhen", "applis", "aplicac", "alkalmaz", "aplikac", "installiert", "instalad", "installati", "zainstal", "geinstalleerd", "установлен", "yuklu", "terpasang", "インストール", "설치", "ติดตั้ง", "इंस्टॉल", "sourcedirs", "apks", "homescreen", "componentlist", "topapps", "recenttasks", "processlist",
	)
	// notApps are what lists of other things with such names are called.
	notApps = newStems("module", "dependenc", "librar", "libs", "framework", "frame", "stack", "trace", "image", "class", "permission", "sdk", "plugin", "provider", "adapter", "mediation", "scope", "instrumentation", "activit", "receiver", "intent", "action", "import", "thread", "exception", "crash", "blocklist", "blacklist", "gradle", "maven", "npm", "symbol", "binary", "feature", "flag", "experiment", "channel", "topic", "schemelist", "namespace", "loader", "artifact", "devdependenc", "component", "service", "schema", "logger", "breadcrumb", "processmaps", "maps", "queries", "requires")
	// appNames are names of fields that hold the name of a package.
	appNames = newStems("package", "pkg", "bundle", "appid", "applicationid", "app", "identifier", "process", "baoming", "包名")
	// appUses are parts of names of fields beside the title of an app.
	appUses = newStems("version", "usage", "foreground", "launch", "install", "totaltime", "lasttime", "opencount", "minute", "screentime", "timespent", "opens", "lastused", "timeused", "seconds")
	// appWords are what says that a place is called after apps, notAppWords words
	// that hold one of them.
	appWords    = newStems("app", "soft", "anzhuang", "应用", "软件", "安装", "yingyong", "installed", "приложен", "anwendung", "aplica", "applica", "uygulama", "アプリ", "แอป", "應用", "앱", "어플", "ऐप", "تطبيق", "برنامه", "aplikasi", "aplikac", "toepassing", "ungdung", "prilozhen", "applis", "installe", "instal", "установ", "インストール", "설치", "ติดตั้ง")
	notAppWords = newStems("package", "happen", "wrapp", "mapp", "appear", "append", "appoint", "approv")
	appTitles   = newStems(appTitle...)
	appTitle    = []string{"appname", "label", "name", "title", "applabel", "displayname", "app", "softname", "softwarename", "applicationname", "appliname", "yingyongming", "应用名", "应用名称", "nom", "nombre", "nome"}
)

// tops are the labels that reversed domain names of apps begin with: the top
// level domains that registries of apps hold most of.
var tops = newLexicon(map[bool]string{true: `com org net io me co de fr uk us cn jp kr in ru br it es pl nl be ch at se no dk fi cz eu tv app dev info biz gov edu mobi cc tw hk sg my id th vn ph au nz ca mx ar cl pe tr ir il ae sa za ng ke eg pt gr hu bg ua xyz air tech store online games android ctrip tk ly im fm gg gl`})

// opened says that something was taken out of a header of the request.
func opened(t *inspect.Tree) bool {
	for _, p := range t.Parts {
		if p.Parent != nil {
			return false // the roots stand first
		}
		if (p.Decoder() == "request.header" || p.Decoder() == "request.cookie") && (len(p.Children) > 0 || len(p.Data) >= 64) {
			return true
		}
	}
	return false
}

// packageIn cuts what stands around the name of a package: the path of its file
// (/data/app/~~Zk81kd02==/org.example.one-Zk81kd02==/base.apk), the name of an
// activity behind it (org.example.one/.Main), a prefix such as package: or
// component=, a version behind a colon.
func packageIn(b []byte) []byte {
	if len(b) > 400 || len(b) < 8 || bytes.ContainsAny(b, ",|\n") || bytes.IndexByte(b, ';') >= 0 && !bytes.Contains(b, []byte("component=")) {
		return b // of several
	}
	if i := bytes.Index(b, []byte("component=")); i >= 0 {
		b = b[i+len("component="):]
	} else if i := bytes.Index(b, []byte("package=")); i >= 0 {
		b = b[i+len("package="):]
	} else if i := bytes.Index(b, []byte("cmp=")); i >= 0 {
		b = b[i+len("cmp="):]
	}
	b = bytes.TrimPrefix(bytes.TrimPrefix(bytes.TrimPrefix(b, []byte("package:")), []byte("ComponentInfo{")), []byte("android-app://"))
	b = bytes.TrimPrefix(bytes.TrimPrefix(b, []byte("ios-app://")), []byte("bundle:"))
	if b = bytes.TrimPrefix(b, []byte("app:")); len(b) == 0 {
		return b
	}
	if b[0] == '/' { // a file
		var last []byte
		for w := range bytes.SplitSeq(b, []byte{'/'}) {
			w = bytes.TrimSuffix(w, []byte(".apk"))
			if i := bytes.IndexByte(w, '-'); i > 0 {
				w = w[:i]
			}
			if _, ok := isPackage(w); ok {
				last = w
			}
		}
		if bytes.Contains(b, []byte("/app/")) || bytes.Contains(b, []byte("/data/")) || bytes.HasSuffix(b, []byte(".apk")) || bytes.Contains(b, []byte("-app/")) {
			return last
		}
		return nil
	}
	if i := bytes.IndexAny(b, "/;:}@|# "); i > 0 {
		b = b[:i]
	}
	return b
}

// isPackage says that b has the form of the name of a package or bundle, and
// returns its first two labels.
func isPackage(b []byte) (stem string, ok bool) {
	if len(b) < 6 || len(b) > 120 || b[0]|0x20-'a' > 25 {
		return "", false
	}
	dots, start, second := 0, 0, 0
	for i, c := range b {
		switch {
		case c == '.':
			if i == start {
				return "", false
			}
			if dots++; dots == 1 {
				if !tops.of(string(b[:i])) {
					return "", false
				}
			} else if dots == 2 {
				second = i
			}
			start = i + 1
		case c|0x20-'a' < 26, c-'0' < 10, c == '_', c == '-':
		default:
			return "", false
		}
	}
	if dots == 0 || dots > 8 || start == len(b) {
		return "", false
	}
	if second == 0 {
		second = len(b)
	}
	last := string(b[start:])
	switch last {
	case "com", "org", "net", "html", "php", "js", "json", "png", "jpg", "xml", "so", "dex", "apk", "jar", "java", "kt", "swift", "dylib", "framework", "txt":
		return "", false
	}
	for _, other := range []string{"android.permission.", "android.intent.", "com.android.vending.BILLING", "com.google.android.c2dm", "android.hardware", "android.software"} {
		if bytes.HasPrefix(b, []byte(other)) {
			return "", false
		}
	}
	if bytes.Contains(b, []byte(".permission.")) || bytes.Contains(b, []byte(".action.")) || bytes.Contains(b, []byte(".intent.")) {
		return "", false
	}
	// A last label in mixed case that begins with a capital, behind two others,
	// is the name of a class.
	if c := last[0]; dots >= 2 && c-'A' < 26 && strings.ToUpper(last) != last && len(last) > 3 {
		for _, r := range last[1:] {
			if r >= 'a' && r <= 'z' && dots >= 3 {
				return "", false
			}
		}
	}
	return string(b[:second]), true
}

// isComponent says that b names a component as Android writes it: the package, a
// slash, and a class whose name is short (.Main) or begins with the package.
func isComponent(b []byte) bool {
	pkg, class, ok := bytes.Cut(b, []byte("/"))
	if !ok || len(class) < 2 || len(b) > 240 {
		return false
	}
	if _, ok := isPackage(pkg); !ok {
		return false
	}
	return class[0] == '.' || len(class) > len(pkg)+1 && bytes.HasPrefix(class, pkg) && class[len(pkg)] == '.'
}

// joinedTitles returns what apps are called in one value under the name of a list of
// apps, nil when it is none. Most begin as names do, and not as settings are written.
func joinedTitles(name string, b []byte) [][]byte {
	if len(b) < 12 || len(b) > 8<<10 || !appPlaceOf(name) || !mentions(name, appWords) || mentions(name, notAppWords) || mentions(name, notApps) {
		return nil
	}
	for _, separator := range []string{";", "|", ","} {
		if bytes.Count(b, []byte(separator)) < 2 {
			continue
		}
		var list [][]byte
		upper := 0
		for w := range bytes.SplitSeq(b, []byte(separator)) {
			w = bytes.TrimSpace(w)
			if len(w) < 2 || len(w) > 40 || !isTitle(w) || bytes.IndexByte(w, '=') >= 0 || len(list) == maxApps {
				return nil
			}
			if w[0]-'A' < 26 || w[0] >= 0x80 {
				upper++
			}
			list = append(list, w)
		}
		if 3*upper < 2*len(list) {
			return nil
		}
		return list
	}
	return nil
}

var appGather = withNames(gather{
	may: appMay, live: appLive,
	want: func(p *inspect.Part) bool {
		if p.Direction != flow.Up {
			return false
		}
		if p.Kind <= inspect.Text && len(p.Data) >= 5 {
			if len(p.Data) <= 240 {
				if _, ok := isPackage(packageIn(p.Data)); ok {
					return true
				}
			}
			if bytes.HasSuffix(p.Data, []byte("://")) {
				return true
			}
			if joinedTitles(p.Name, p.Data) != nil {
				return true
			}
			if len(p.Data) <= 1<<16 && len(p.Children) == 0 && bytes.IndexByte(p.Data, '.') > 0 && bytes.IndexAny(p.Data[:min(len(p.Data), 256)], ",;|\n") > 0 {
				return true
			}
		}
		if strings.HasSuffix(p.Name, "://") {
			return true
		}
		if len(p.Name) >= 6 && strings.IndexByte(p.Name, '.') > 0 {
			if _, ok := isPackage([]byte(p.Name)); ok {
				return true
			}
		}
		return p.Parent != nil && p.Parent.Name != "" && p.Parent.Children[0] == p && appPlaceOf(p.Parent.Name)
	},
	place: appPlaceOf,
	fold: func(key string, _ bool) bool {
		switch key {
		case "props", "properties", "params", "extra", "data", "app", "application", "info", "appInfo", "packageInfo", "attributes", "meta", "data_app":
			return true
		}
		return false
	},
	column: func(name string) bool {
		return mentions(name, appNames) || mentions(name, appTitles) || appWord(name) != appOther
	},
})

func appPlaceOf(name string) bool {
	if name == "" {
		return false
	}
	_, key := lastKey(name)
	return len(key) > 3 && (mentions(key, appPlaces) || isPackageKey(key))
}

// apps are those of one list.
type apps struct {
	first    *inspect.Part
	card     *card
	packages map[string]bool
	stems    map[string]bool
	names    map[string]bool // of apps, by their titles
	title    *inspect.Part
	versions int
	strong   bool // a field is called after packages
	keys     bool // the names of fields are packages
	in       bool // one value holds them all
	scheme   int
	listed   bool // one value holds the titles, under the name of a list of apps
}

const maxApps = 4096

func (a *apps) add(b []byte) bool {
	stem, ok := isPackage(b)
	if ok && len(a.packages) < maxApps {
		a.packages[string(b)] = true
		a.stems[stem] = true
	}
	return ok
}

func detectApps(t *inspect.Tree) []inspect.Finding {
	s := t.Subject
	if s.Frame == nil && len(s.Query) == 0 && len(s.Request.Body) == 0 && s.Upload == nil && !opened(t) {
		return nil
	}
	var order []*apps
	bySheet := make(map[sheet]*apps)
	for c := range appGather.cards(t) {
		if c.parent.Direction != flow.Up || strings.HasPrefix(c.group, "piece[") {
			continue // split looks into values
		}
		key := c.sheet()
		a := bySheet[key]
		if a == nil {
			if len(order) == maxLists {
				break
			}
			a = &apps{card: c, packages: make(map[string]bool), stems: make(map[string]bool), names: make(map[string]bool)}
			bySheet[key] = a
			order = append(order, a)
		}
		a.read(c)
	}
	for _, p := range t.Parts {
		if p.Parent != nil {
			break // the roots stand first
		}
		if p.Direction == flow.Up && p.Kind <= inspect.Text && len(p.Children) == 0 && p.Decoder() != "request.path" && p.Decoder() != "request.query" && p.Decoder() != "request.header" && p.Decoder() != "request.host" {
			if a := appsInLines(p); a != nil {
				order = append(order, a)
			}
		}
	}
	path := pathMentions(t, appPlaces)
	notPath := pathMentions(t, notApps)
	var out []inspect.Finding
	for _, a := range order {
		if f, ok := a.weigh(path, notPath); ok {
			if out = append(out, f); len(out) >= maxFindings {
				break
			}
		}
	}
	return out
}

func (a *apps) read(c *card) {
	version, title := false, (*inspect.Part)(nil)
	if _, key := lastKey(c.group); isPackageKey(key) && len(c.cells) > 0 && a.add([]byte(key)) {
		if a.keys = true; a.first == nil {
			a.first = c.cells[0].Part
		}
	}
	for _, x := range c.cells {
		if x.Kind <= inspect.Text && len(x.Data) > 3 {
			if in := packageIn(x.Data); (!mentions(x.name, notApps) || bytes.Contains(x.Data, []byte("component=")) || isComponent(x.Data)) && (a.add(x.Data) || len(in) < len(x.Data) && a.add(in)) {
				if a.first == nil {
					a.first = x.Part
				}
				a.strong = a.strong || mentions(x.name, appNames)
				continue
			}
			if len(x.Data) <= 1<<16 && len(x.Children) == 0 && len(x.Data) > 16 && !mentions(x.name, notApps) {
				a.split(x)
			}
			for _, w := range joinedTitles(x.name, x.Data) {
				a.names[string(w)] = true
				a.title, a.listed = x.Part, true
			}
			if i := bytes.Index(x.Data, []byte("://")); i > 1 && i == len(x.Data)-3 && c.scalar {
				if a.scheme++; a.first == nil {
					a.first = x.Part
				}
			}
		}
		if strings.HasSuffix(x.name, "://") && len(x.name) > 4 {
			if a.scheme++; a.first == nil {
				a.first = x.Part
			}
		}
		if len(x.name) >= 6 && strings.IndexByte(x.name, '.') > 0 && a.add([]byte(x.name)) {
			if a.keys = true; a.first == nil {
				a.first = x.Part
			}
		}
		if x.Kind <= inspect.Text && len(x.Data) >= 2 && len(x.Data) <= 60 {
			var buf [maxName]byte
			switch w := string(squeeze(&buf, x.name)); {
			case strings.Contains(w, "version"), w == "ver", w == "v", w == "vername", w == "vercode":
				version = true
			case c.scalar:
				if c.scalar && len(a.names) < maxApps && isTitle(x.Data) {
					a.names[string(x.Data)] = true
					if a.title == nil {
						a.title = x.Part
					}
				}
			default:
				if title == nil && appWord(x.name) == appTitled && isTitle(x.Data) {
					title = x.Part
				}
				version = version || appWord(x.name) == appVersioned
			}
		}
		if mentions(x.name, appUses) {
			version = true
		}
	}
	if title != nil && len(a.names) < maxApps {
		a.names[string(title.Data)] = true
		if a.title == nil {
			a.title = title
		}
		if version {
			a.versions++
		}
	}
}

// appsInLines reads a text most lines of which name one package, such as a log
// or the output of a shell; a stack trace is none.
func appsInLines(p *inspect.Part) *apps {
	if len(p.Data) < 24 || bytes.IndexByte(p.Data, '\n') < 0 || bytes.Contains(p.Data[:min(len(p.Data), 64<<10)], []byte("\tat ")) || bytes.Contains(p.Data[:min(len(p.Data), 64<<10)], []byte(" at ")) {
		return nil
	}
	a := &apps{card: &card{parent: p, group: "line"}, first: p, packages: make(map[string]bool), stems: make(map[string]bool), names: make(map[string]bool)}
	lines, with := 0, 0
	for line := range bytes.Lines(p.Data) {
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		if lines++; lines > maxApps || len(line) > 1024 {
			break
		}
		for w := range bytes.FieldsFuncSeq(line, func(r rune) bool {
			return r <= ' ' || r == ',' || r == ';' || r == '|' || r == '"' || r == '=' || r == ':' || r == '/'
		}) {
			if a.add(w) {
				with++
				break
			}
		}
	}
	if with < 3 || 3*with < 2*lines {
		return nil
	}
	return a
}

// isTitle says that b can be what an app is called.
func isTitle(b []byte) bool {
	if bytes.IndexByte(b, '\n') >= 0 || bytes.IndexByte(b, '/') >= 0 || bytes.IndexByte(b, ':') >= 0 || digest(b) > 8 {
		return false
	}
	letters := 0
	for _, c := range b {
		if c|0x20-'a' < 26 || c >= 0x80 {
			letters++
		}
	}
	return letters >= 2
}

// split looks for names of packages in a value that lists them.
func (a *apps) split(x cell) {
	n, all := 0, 0
	for w := range bytes.FieldsFuncSeq(x.Data, func(r rune) bool {
		return r == ',' || r == ';' || r == '|' || r == '\n' || r == ' ' || r == '\t' || r == '"' || r == '[' || r == ']'
	}) {
		w = bytes.TrimPrefix(bytes.TrimSpace(w), []byte("package:"))
		if i := bytes.IndexAny(w, ":=@#/"); i > 0 {
			if bytes.IndexByte(w[i+1:], ':') >= 0 || w[i] == '/' {
				all++
				continue
			}
			w = w[:i]
		}
		all++
		if _, ok := isPackage(w); ok {
			n++
		}
		if all > maxApps {
			break
		}
	}
	if n < 3 || 3*n < 2*all && !(4*n >= all && mentions(x.name, appPlaces)) {
		return
	}
	for w := range bytes.FieldsFuncSeq(x.Data, func(r rune) bool {
		return r == ',' || r == ';' || r == '|' || r == '\n' || r == ' ' || r == '\t' || r == '"' || r == '[' || r == ']'
	}) {
		w = bytes.TrimPrefix(bytes.TrimSpace(w), []byte("package:"))
		if i := bytes.IndexAny(w, ":=@#/"); i > 0 {
			w = w[:i]
		}
		a.add(w)
	}
	if a.first == nil {
		a.first = x.Part
	}
	a.in = true
	a.strong = a.strong || mentions(x.name, appNames) || mentions(x.name, appPlaces)
}

func (a *apps) weigh(path, notPath bool) (f inspect.Finding, ok bool) {
	place, other := false, false
	n := 0
	for name := range a.card.where() {
		if mentions(name, notApps) {
			other = other || !place
		} else if mentions(name, appPlaces) {
			place = true
		}
		if n++; n > 5 {
			break
		}
	}
	f.Direction = flow.Up
	switch {
	case other:
		return f, false
	case len(a.packages) >= 3 && (len(a.stems) >= 3 || len(a.stems) == 2 && len(a.packages) >= 4 && (a.strong || place) || len(a.packages) >= 3 && (a.strong && place || place && path)):
		f.Path = a.first.Path
		f.Confidence = inspect.Suspected
		if (a.strong || place || path || len(a.packages) >= 6) && !(notPath && !place) {
			f.Confidence = inspect.Probable
		}
		how := "in the field " + shortName(a.first.Name)
		if a.keys {
			how = "as names of fields"
		}
		f.Reason = fmt.Sprintf("The names of %d different apps (packages or bundles of several makers) %s went up to this host, as a list of the apps on a phone is written.", len(a.packages), how)
		return f, true
	case len(a.names) >= 3 && a.listed:
		f.Path, f.Confidence = a.title.Path, inspect.Suspected
		f.Reason = fmt.Sprintf("The names of %d different apps in the field %s, which is called after apps, went up to this host.", len(a.names), shortName(a.title.Name))
		return f, true
	case len(a.names) >= 3 && place && a.title != nil && (a.versions >= 3 || a.card.scalar || len(a.packages) >= 2) && (strictPlace(a.card) || mentions(a.title.Name, appWords) && !mentions(a.title.Name, notAppWords)):
		f.Path = a.title.Path
		f.Confidence = inspect.Suspected
		if a.versions >= 3 || path {
			f.Confidence = inspect.Probable
		}
		f.Reason = fmt.Sprintf("The names of %d different apps in the field %s, in a place that is called after apps, went up to this host.", len(a.names), shortName(a.title.Name))
		return f, true
	case a.scheme >= 3:
		f.Path = a.first.Path
		f.Confidence = inspect.Suspected
		f.Reason = fmt.Sprintf("%d schemes that apps open with, in the field %s, which tell which apps are installed, went up to this host.", a.scheme, shortName(a.first.Name))
		return f, true
	}
	return f, false
}

// strictPlace says that the list is called after apps, not only after packages
// or usage, which other things have.
func strictPlace(c *card) bool {
	for name := range c.where() {
		if mentions(name, appWords) && !mentions(name, notAppWords) {
			return true
		}
	}
	return false
}
