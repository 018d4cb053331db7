package detect

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"constat/inspect"
	"constat/proxy/flow"
)

// UpdateCheck recognises the question for a newer version of a system, an app or
// its configuration, and the answer to it.
//
// It takes signs on both sides: the words of the address or of the name of the
// operation, a version that is told, and an answer that names a version or says
// that there is none. The word update alone is none, since most services update
// something.
var UpdateCheck = inspect.Detector{
	Name:   "update_check",
	Class:  inspect.UpdateCheck,
	Doc:    "looks for a question for a newer version of system, app or configuration, and its answer",
	Detect: detectUpdateCheck,
}

// updBits are what the words of a name speak of.
type updBits uint32

const (
	updUpdate updBits = 1 << iota
	updVersion
	updNewest
	updCurrent
	updConfig
	updCheck  // to ask, or to be there
	updForce  // how urgent it is
	updFile   // where it is
	updNotes  // what is new
	updSum    // its size or hash
	updDone   // that it happened already
	updNo     // that there is none
	updSystem // of the system, the firmware
	updFiller // words that change nothing
	updPhrase // a word that says all by itself
)

// updWords are the words. Names that are written without any mark between words
// are cut by them.
var updWords = newFlags(map[updBits]string{
	updUpdate:  `update updates upgrade upgrades updater upgrader updatable ota fota upd hotfix obnovlenie obnovleniya obnovlenii gengxin shengji aktualisierung actualizacion actualización atualizacao atualização mise maj aggiornamento guncelleme güncelleme pembaruan обновление обновления обновить оновлення aktualizacja bijwerken uppdatering uppdateringar opdatering opdateringer capnhat paivitys päivitys aktualizace frissites frissítés actualizare ažuriranje azuriranje penyegaran atualizacoes actualizaciones patch patches fumo fwupdate`,
	updVersion: `version versions ver vers release releases build revision vercode tag versiya versii banbenhao xinban xinbanben youxinban banben versao versão versión versionsnummer versione versi версия версии wersja versie sürüm surum vname vcode rev versioncode versionname firmware rom package apk phienban verze verzio verzió versiune versjon versio έκδοση wersji wersję`,
	updNewest:  `latest newest new newer next available recommended target remote store online last zuixin xin xinban xinbanben youxinban novaya novoe poslednyaya neueste nueva nuevo nouvelle derniere dernière nova novo ultima última terbaru новая новый последняя latestrom minimum min supported lowest required server nowa nieuwste yeni baru to upcoming stable senaste nyaste moinhat najnowsza najnowszy nejnovejsi nejnovější legujabb legújabb sonuncu son uusin ultimo último dernier neuester latestversion`,
	updCurrent: `current currently cur curr installed local from old running now base client source dangqian tekushchaya tekushaya ustanovlennaya aktuelle actual actuelle instalada installee installée corrente atual текущая mevcut sekarang my present known previous have obecna huidige nuvarande hientai soucasna aktualna jelenlegi nykyinen`,
	updConfig:  `config configuration configs cfg conf settings setting rules rule definitions definition defs avdefs virusdefs virusdb avdb vdb signaturedb filters filterlist filterlists blocklists crlset crlsets dictionary dict database db blocklist signatures policy policies manifest remoteconfig`,
	updCheck:   `check checks checking query get fetch has have need needs needed is available availability exist exists should find lookup request ask poll jiancha chaxun prüfen pruefen verificar comprobar vérifier verifier проверить проверка cek kontrol verifica kiemtra sprawdz tarkista kontrollera beschikbaar dostepna dostępna finns tersedia disponivel disponível disponible disponibile vorhanden verfugbar verfügbar hay co mevcutmu var`,
	updForce:   `force forced mandatory required critical must optional urgent priority immediate flexible obyazatelno wajib obligatoria obligatory compulsory silent qiangzhi`,
	updFile:    `url uri link download href path file patch delta diff location address codebase zip xiazai xiazaidizhi ssylka`,
	updNotes:   `notes note log changelog changelogs changes whatsnew description desc message msg content info title text tips features details detail`,
	updSum:     `md5 sha sha1 sha256 sha512 hash checksum size filesize length crc signature sum`,
	updDone:    `updated upgraded at time date last by timestamp count user users profile status cart item order position`,
	updNo:      `noupdate uptodate none nothing`,
	updSystem:  `system firmware fw rom os miui emui fota ota baseband bootloader kernel app application apk software sw package plugin module component engine client android ios`,
	updFiller:  `code name number num id no string str type status mode flag level value api v1 v2 v3 json xml php txt yml for of the and do on in de a short android ios app bundle policy service info result response resp data list item key channel v`,
	updPhrase:  `appcast updatecheck checkupdate softwareupdate autoupdate selfupdate codepush releasenotes whatsnew changelog`,
})

// updSpoken reads the words of a name.
func updSpoken(name string) (b updBits) {
	if len(name) > 2*maxName || len(name) == 0 {
		return 0
	}
	var buf [maxName]byte
	var starts [maxWords]uint8
	end, n := split(&buf, &starts, name)
	for i := n - 1; i >= 0; i-- {
		b |= updWord(buf[starts[i]:end])
		end = int(starts[i])
	}
	return b
}

// updIdeographs are words of scripts that do not put spaces.
var updIdeographs = []struct {
	word string
	bits updBits
}{
	{"更新", updUpdate},
	{"升级", updUpdate},
	{"アップデート", updUpdate},
	{"업데이트", updUpdate},
	{"版本", updVersion},
	{"バージョン", updVersion},
	{"버전", updVersion},
	{"最新", updNewest},
	{"新版", updNewest | updVersion},
	{"최신", updNewest},
	{"当前", updCurrent},
	{"目前", updCurrent},
	{"現在", updCurrent},
	{"현재", updCurrent},
	{"检查", updCheck},
	{"需要", updCheck},
	{"是否", updCheck},
	{"確認", updCheck},
	{"확인", updCheck},
	{"强制", updForce},
	{"下载", updFile},
	{"地址", updFile},
	{"日志", updNotes},
	{"说明", updNotes},
	{"内容", updNotes},
	{"配置", updConfig},
	{"大小", updSum},
	{"اصدار", updVersion},
	{"إصدار", updVersion},
	{"تحديث", updUpdate},
	{"عدم", updNo},
	{"верси", updVersion},
	{"обнов", updUpdate},
	{"последн", updNewest},
	{"нов", updNewest},
	{"текущ", updCurrent},
	{"провер", updCheck},
	{"संस्करण", updVersion},
	{"अपडेट", updUpdate},
}

// updWord reads one word, or several that are written as one.
func updWord(w []byte) (b updBits) {
	if b = updWords.word(w); b != 0 {
		return b
	}
	if len(w) > 0 && !ascii(w) {
		for _, x := range updIdeographs {
			if bytes.Contains(w, []byte(x.word)) {
				b |= x.bits
			}
		}
		return b
	}
	w = bytes.TrimRight(w, "0123456789")
	for rest := w; len(rest) > 0; {
		n := min(len(rest), 16)
		for n > 1 && updWords.word(rest[:n]) == 0 {
			n--
		}
		if n < 2 {
			return 0 // not of these words only
		}
		b |= updWords.word(rest[:n])
		rest = rest[n:]
	}
	return b
}

// upd is what a field is in a question or an answer.
type upd uint8

const (
	updIsNone      upd = iota
	updIsCurrent       // the version that asks, by a name that can mean nothing else
	updIsVersion       // a version
	updIsConfig        // the version of a configuration or of rules
	updIsAnswer        // whether there is one, or must be
	updIsNewest        // the newest version
	updIsFile          // where it is
	updIsNotes         // what is new
	updIsSum           // its size or hash
	updIsOperation     // the name of what is to be done
	updCount
)

// updField says what a field is, by its name and that of the object around it.
func updField(p *inspect.Part) upd {
	var buf [maxName]byte
	w := squeeze(&buf, p.Name)
	switch string(w) {
	case "":
		return updIsNone
	case "operationname", "method", "action", "cmd", "command", "op", "operation", "func", "function", "service", "interface", "query", "apiname", "type", "act", "request", "soapaction", "xaction", "event", "topic", "intent", "a", "do":
		return updIsOperation
	case "versioncode", "versionname", "appversion", "osversion", "appver", "v", "ver", "fingerprint", "sdkversion", "swversion", "clientversion", "vc", "vn", "sw", "fwver", "fw", "firmware", "rom", "build", "tagname", "tag", "version", "buildid", "buildnumber", "securitypatch", "incremental", "sv", "xappversion", "xclientversion":
		b := updContainer(p)
		switch {
		case b&(updNewest|updUpdate) != 0 && b&updCurrent == 0 && string(w) != "securitypatch":
			return updIsNewest
		case b&updCurrent != 0:
			return updIsCurrent
		case b&updConfig != 0 && b&(updSystem|updUpdate) == 0 && string(w) == "version":
			return updIsConfig
		}
		return updIsVersion
	case "latest", "newest":
		return updIsNewest
	case "mandatory", "forced", "forceupdate", "ismandatory", "uptodate", "isuptodate", "noupdate", "isforce", "hasnew", "outdated", "isoutdated", "islatest", "rollout":
		return updIsAnswer
	case "etag", "revision", "rev", "since", "hash":
		return updIsNone
	}
	return updKind(updSpoken(p.Name))
}

// updKind says what the words of a name make of a field.
func updKind(b updBits) upd {
	switch {
	case b == 0:
		return updIsNone
	case b&(updNotes|updPhrase) != 0 && b&(updUpdate|updVersion|updPhrase|updNewest) != 0 && b&updConfig == 0:
		if b&updPhrase != 0 && b&updUpdate != 0 && b&updNotes == 0 {
			return updIsAnswer
		}
		return updIsNotes
	case b&updDone != 0 && b&updVersion == 0:
		return updIsNone
	case b&updUpdate != 0 && b&updFile != 0, b&updFile != 0:
		return updIsFile
	case b&updSum != 0:
		return updIsSum
	case b&updNewest != 0 && b&(updVersion|updSystem) != 0 && b&updCurrent == 0:
		if b&updCheck != 0 && b&updVersion != 0 {
			return updIsAnswer // has_new_version
		}
		if b&updVersion == 0 {
			return updIsNone
		}
		return updIsNewest
	case b&updUpdate != 0 && b&(updCheck|updForce|updNewest|updNo) != 0, b&updForce != 0 && b&(updUpdate|updVersion) != 0:
		return updIsAnswer
	case b&updCurrent != 0 && b&updVersion != 0:
		return updIsCurrent
	case b&updConfig != 0 && b&updVersion != 0:
		return updIsConfig
	case b&updUpdate != 0 && b&updVersion != 0:
		return updIsNewest
	case b&updVersion != 0 && b&^(updVersion|updFiller|updSystem|updFile|updDone|updNewest) == 0:
		return updIsVersion
	}
	return updIsNone
}

func updContainer(p *inspect.Part) updBits {
	if p.Group == "" {
		return 0
	}
	var buf [maxName]byte
	return updSpokenContainer(string(container(&buf, p)))
}

// updSpokenContainer reads a name that is squeezed.
func updSpokenContainer(w string) updBits { return updWord([]byte(w)) }

// asked is what an exchange shows.
type asked struct {
	spoken   *inspect.Known[updBits] // see updSpoken
	words    updBits                 // of the address and the operation
	version  bool                    // the address holds a version
	app      bool                    // the question names an app
	channel  bool                    // a segment of the address names a channel of versions
	packed   bool                    // the answer names a file of an update beside a version
	phrase   bool                    // they ask for an update in so many words
	file     bool                    // the address is that of a file with a version in it
	up, down [updCount]*inspect.Part
	told     *inspect.Part // anything that looks like a version
	none     *inspect.Part // an answer that says that there is none
	plain    *inspect.Part // an answer that is a version and nothing else
	record   bool          // a version stands in one record with a file or notes
	readable bool          // the answer is a record or a document, or there is none
}

const maxUpdRecords = 400

func detectUpdateCheck(t *inspect.Tree) []inspect.Finding {
	if m := t.Subject.Method; m == "PUT" || m == "PATCH" || m == "DELETE" {
		return nil
	}
	a := asked{spoken: updWordsOf.In(t)}
	if t.Subject.Frame == nil {
		a.address(t.Subject.Path)
	}
	a.records(t)
	a.answer(t)
	return a.weigh(t)
}

// speak adds the words of an address or the name of an operation.
func (a *asked) speak(b updBits) {
	if b&updPhrase != 0 || b&updUpdate != 0 && b&updCheck != 0 || b&updNewest != 0 && b&updVersion != 0 || b&updCheck != 0 && b&updVersion != 0 || b&updNewest != 0 && b&updUpdate != 0 {
		if b&updDone == 0 || b&updPhrase != 0 {
			a.phrase = true
		}
	}
	a.words |= b
}

// operation reads the name of what is to be done: checkUpdate, ota/check.
func (a *asked) operation(name string) {
	if strings.IndexByte(name, ' ') >= 0 {
		return
	}
	if strings.IndexByte(name, '/') >= 0 {
		a.address(name)
		return
	}
	a.speak(a.spoken.OfValue(name) &^ updConfig)
}

// address looks at the words of the request's path: those of neighbouring
// segments belong together.
func (a *asked) address(path string) {
	var last updBits
	rest := strings.TrimPrefix(path, "/")
	for len(rest) > 0 {
		var segment string
		segment, rest, _ = strings.Cut(rest, "/")
		name := segment
		ext := ""
		if dot := strings.LastIndexByte(name, '.'); dot > 0 && len(name)-dot <= 7 {
			name, ext = name[:dot], name[dot+1:]
		}
		if i := strings.LastIndexByte(name, '.'); i >= 0 { // pkg.Service
			a.speak(a.spoken.OfValue(name[i+1:]))
		}
		b := a.spoken.OfValue(name)
		if b&updPhrase == 0 && b&^updFiller == updConfig {
			a.words |= updConfig
		}
		a.speak(b)
		a.channel = a.channel || channels.of(segment)
		a.version = a.version || looksVersion([]byte(segment)) && len(segment) >= 5
		if b != 0 && last != 0 {
			a.speak(b | last)
		}
		if last&updUpdate != 0 && b == 0 && endsInOTA(name) {
			a.words |= updSystem
		}
		last = b &^ updFiller
		if rest == "" && ext != "" && staticUpdate[ext] {
			lower := strings.ToLower(name)
			switch {
			case (ext == "jar" || ext == "json") && (lower == "entry" || lower == "index-v1" || lower == "index-v2"): // of a repository of apps
				a.file = ext == "jar" || lower != "entry"
			case b&(updUpdate|updPhrase) != 0 && b&updDone == 0, lower == "version", lower == "versions", lower == "latest", lower == "release", lower == "releases", b&updVersion != 0 && b&(updNewest|updSystem|updUpdate|updCheck) != 0 && b&updDone == 0, strings.HasPrefix(lower, "latest"):
				a.file = true
			}
		}
		if rest == "" && ext == "" && (strings.EqualFold(segment, "version") || segment == "RELEASES" || segment == "LATEST" || segment == "VERSION" || segment == "InRelease") {
			a.file = segment != "version"
		}
	}
}

// endsInOTA takes names that end as over-the-air updates are called, with a
// version behind: xyotaV3.
func endsInOTA(name string) bool {
	name = strings.TrimRight(strings.TrimRight(name, "0123456789"), "vV")
	return len(name) >= 3 && len(name) <= 12 && equalFold(name[len(name)-3:], "ota")
}

// staticUpdate are the endings of files that describe versions.
var staticUpdate = map[string]bool{"txt": true, "json": true, "xml": true, "yml": true, "yaml": true, "plist": true, "ini": true, "rss": true, "php": false, "md": true, "dat": true, "info": true, "upd": true, "manifest": true, "ver": true, "list": false, "html": false, "jar": true, "cfg": true, "properties": true}

// updName is what is known of a field's name alone.
type updName struct {
	field    upd
	spoken   updBits
	squeezed string
	alike    bool
	company  bool // it may say something beside words of updates
	titles   bool // what it is called can be a version
	app      bool // an app or a device is told
}

var (
	updNames   = inspect.NewNameFacts(lookUpd)
	updPlaces  = inspect.NewNameFacts(ifShort(updSpokenContainer))
	updWordsOf = inspect.NewNameFacts(updSpoken)
)

func lookUpd(name string) updName {
	n := updName{field: updField(&inspect.Part{Name: name}), spoken: updSpoken(name), squeezed: squeezeString(name), alike: alike[name]}
	switch n.squeezed {
	case "incremental", "buildincremental", "builddate", "romtype", "current", "installed", "cur", "have", "local", "notes", "pubdate", "releasedate":
		n.company = true
	case "name", "title", "label", "tag":
		n.titles = true
	case "bundleid", "package", "packagename", "appid", "pkg", "bundleidentifier", "productid", "deviceid", "model":
		n.app = true
	}
	n.company = n.company || n.spoken&updUpdate != 0 && n.spoken&updCurrent != 0
	return n
}

func (a *asked) records(t *inspect.Tree) {
	x := updColumns{names: updNames.In(t), places: updPlaces.In(t)}
	left := maxUpdRecords
	docs := t.Documents()
	for i := range docs {
		d := &docs[i]
		if a.pick(d, &x) || ungated || severalDecoders(d) {
			a.document(d, d.Records[:min(len(d.Records), left)], &x)
		}
		if left -= len(d.Records); left <= 0 {
			break
		}
	}
}

// updColumns are the columns of the document at hand.
type updColumns struct {
	names  *inspect.Known[updName]
	places *inspect.Known[updBits]
	list   []updColumn
}

type updColumn struct {
	name   updName
	may    bool    // something can be found in it
	once   bool    // nothing but the first version that is told
	none   bool    // nothing but that there is none
	same   bool    // the objects around its fields are called the same
	around updBits // what they are called
	last   []byte  // the name of an operation that was read last
}

// pick picks the columns of d that say something of versions, by their names and
// those around them, and those whose values can.
func (a *asked) pick(d *inspect.Document, x *updColumns) bool {
	some, up, down := false, goesUp(d), d.Parent == nil || !goesUp(d)
	x.list = slices.Grow(x.list[:0], len(d.Columns))
	last := updColumn{same: true} // what is known of the place
	place := ""
	for i := range d.Columns {
		c := &d.Columns[i]
		if c.Place != place {
			var buf [maxName]byte
			place = c.Place
			last = updColumn{same: sameAround(c), around: x.places.OfBytes(container(&buf, c.First))}
		}
		u := last
		u.name = x.names.OfColumn(c)
		n := &u.name
		switch {
		case c.Name == "":
			u.may = up && c.Has(inspect.Text)
		case n.alike:
		case n.field != updIsNone, n.company, place != "" && (!u.same || u.around&(updUpdate|updVersion) != 0 && u.around&updDone == 0):
			u.may = true
		case down && n.titles && mayBeVersion(c), up && n.app && !a.app:
			u.may = true
		case down && a.none == nil && c.Max >= 6 && c.Min <= 40 && c.Holds&(inspect.Letters|inspect.NonASCII) != 0:
			u.may, u.none = true, true
		case up && a.told == nil && mayBeVersion(c):
			u.may, u.once = true, true
		}
		x.list = append(x.list, u)
		some = some || u.may
	}
	return some
}

// mayBeVersion says that fields of c can have the form of versions.
func mayBeVersion(c *inspect.Column) bool {
	return c.Max >= 3 && c.Holds&inspect.Digits != 0 && c.Holds&(inspect.Dots|inspect.Slashes) != 0
}

// document looks at records of one document.
func (a *asked) document(d *inspect.Document, records []inspect.Record, x *updColumns) {
	all := ungated || severalDecoders(d)
	for _, r := range records {
		var here [updCount]bool
		around, known := updBits(0), false // of the object or array
		for i, p := range r.Fields {
			if i > 200 {
				break
			}
			u := &x.list[p.Column()]
			if !all && (!u.may || u.once && a.told != nil) || p.Kind == inspect.Null || len(p.Data) == 0 {
				continue
			}
			if u.none && !all && r.Parent != nil {
				if a.none == nil && isNoUpdate(p.Data) {
					a.none = p
				}
				continue
			}
			if p.Name == "" {
				if r.Direction == flow.Up && p.Kind == inspect.Text && len(p.Data) <= 64 {
					a.operation(string(p.Data)) // ["checkUpdate", {…}]
				}
				continue
			}
			if r.Parent == nil && p.Decoder() != "request.header" && p.Decoder() != "request.cookie" && p.Decoder() != "response.header" {
				continue
			}
			n := &u.name
			if n.alike {
				continue
			}
			k := n.field
			if p.Group != "" && (k == updIsVersion || k == updIsCurrent || k == updIsNewest || k == updIsConfig) {
				k = updField(p)
			}
			if k == updIsNone && p.Group != "" {
				// What stands in an object that is named for versions or updates.
				if !known && u.same {
					around, known = u.around, true
				}
				if !known {
					var buf [maxName]byte
					around, known = x.places.OfBytes(container(&buf, p)), true
				}
				if b := around; b&(updUpdate|updVersion) != 0 && b&updDone == 0 {
					k = updKind(n.spoken | b)
					if k == updIsVersion && n.spoken == 0 {
						k = updIsNone
					}
				}
			}
			up := r.Direction == flow.Up
			if k == updIsNone {
				k = a.unspoken(p, n, up)
			}
			if up && a.told == nil && p.Name != "jsonrpc" && looksVersion(p.Data) {
				a.told = p
			}
			switch k {
			case updIsNone:
				a.app = a.app || up && n.app
				if !up && isNoUpdate(p.Data) && a.none == nil {
					a.none = p
				}
				continue
			case updIsOperation:
				if up && len(p.Data) <= 2*maxName && p.Kind != inspect.Number && !bytes.Equal(p.Data, u.last) {
					a.operation(string(p.Data))
					if u.last = p.Data; bytes.IndexByte(p.Data, '/') >= 0 {
						u.last = nil // an address, which another can make nothing of
					}
				}
				if !up && isNoUpdate(p.Data) && a.none == nil {
					a.none = p
				}
				continue
			case updIsVersion, updIsCurrent, updIsNewest, updIsConfig:
				if isTruth(p.Data) && k == updIsNewest && len(p.Data) > 1 {
					k = updIsAnswer
				} else if !isVersion(p) {
					continue
				}
			case updIsFile:
				if len(p.Data) < 8 {
					continue
				}
			case updIsNotes:
				if len(p.Data) < 3 {
					continue
				}
			case updIsAnswer:
				if len(p.Data) > 64 {
					continue
				}
			}
			if r.Parent == nil && !up && k != updIsNewest && k != updIsAnswer {
				continue
			}
			here[k] = true
			side := &a.down
			if up {
				side = &a.up
			}
			if side[k] == nil {
				side[k] = p
			}
		}
		if r.Direction == flow.Down && a.told != nil && a.down[updIsNewest] == nil {
			a.nameless(r)
		}
		if r.Direction == flow.Down && a.channel && !a.packed && (here[updIsVersion] || here[updIsNewest]) && (here[updIsSum] || here[updIsFile]) {
			for _, p := range r.Fields {
				a.packed = a.packed || p.Kind == inspect.Text && isUpdateFile(p.Data)
			}
		}
		if r.Direction == flow.Down && (here[updIsVersion] || here[updIsNewest]) && (here[updIsFile] && (here[updIsSum] || here[updIsNotes] || here[updIsAnswer]) || here[updIsNotes] || here[updIsAnswer]) {
			a.record = true
		}
	}
}

// unspoken looks at names that say something only in company.
func (a *asked) unspoken(p *inspect.Part, n *updName, up bool) upd {
	switch n.squeezed {
	case "incremental", "buildincremental", "builddate", "romtype":
		if up && a.words&updUpdate != 0 && hasDigit(p.Data) {
			return updIsCurrent
		}
	case "current", "installed", "cur", "have", "local":
		if up && a.words&(updConfig|updUpdate|updVersion|updNewest) != 0 && p.Kind != inspect.Bool && len(p.Data) > 1 {
			return updIsCurrent
		}
	case "name", "title", "label", "tag":
		if !up && (a.version || a.words&updUpdate != 0) && looksVersion(p.Data) {
			return updIsVersion
		}
	case "notes", "pubdate", "releasedate":
		if !up && (a.version || a.words&updUpdate != 0) {
			return updIsNotes
		}
	default:
		// X-Current-Update-Id
		if b := n.spoken; up && b&updUpdate != 0 && b&updCurrent != 0 && b&^(updUpdate|updCurrent|updFiller) == 0 {
			return updIsCurrent
		}
	}
	return updIsNone
}

// isVersion says that p can be a version: digits, perhaps with full stops and
// short words.
func isVersion(p *inspect.Part) bool {
	d := p.Data
	if len(d) == 0 || len(d) > 96 || !hasDigit(d) || p.Kind == inspect.Bool {
		return false
	}
	spaces := 0
	for _, c := range d {
		if c == ' ' {
			spaces++
		}
		if c < ' ' || c == '{' || c == '"' || c == '<' {
			return false
		}
	}
	return spaces <= 2 && !bytes.Contains(d, []byte("://"))
}

// looksVersion says that d is a version by its form: 1.2.3, v1.2, V11.0.3.0.PCO,
// a build fingerprint.
func looksVersion(d []byte) bool {
	if len(d) < 3 || len(d) > 96 {
		return false
	}
	if bytes.Count(d, []byte("/")) >= 3 && bytes.Count(d, []byte(":")) >= 1 && bytes.Contains(d, []byte("-keys")) {
		return true
	}
	if d[0]|0x20 == 'v' {
		d = d[1:]
	}
	numbers, digits := 0, 0
	for i, c := range d {
		switch {
		case c-'0' < 10:
			if digits == 0 {
				numbers++
			}
			digits++
		case c == '.' && digits > 0:
			digits = 0
		case (c == '-' || c == '+' || c == '_') && i > 2, c|0x20-'a' < 26 && i > 2:
			return numbers >= 3
		default:
			return false
		}
	}
	return numbers >= 3 || numbers == 2 && len(d) <= 5
}

// channels are names of what versions are given out through.
var channels = newLexicon(map[bool]string{true: `nightly nightlies stable beta canary weekly snapshot experimental preview edge ota`})

// isEmptyList says that a document holds an empty list and next to nothing else:
// there is nothing newer.
func isEmptyList(d []byte) bool {
	d = bytes.TrimSpace(d)
	return len(d) >= 2 && len(d) <= 64 && (d[0] == '[' || d[0] == '{') && (bytes.Contains(d, []byte("[]")) || string(d) == "{}")
}

// isUpdateFile says that d names a file as updates of systems and apps are.
func isUpdateFile(d []byte) bool {
	if len(d) < 8 || len(d) > 400 {
		return false
	}
	if i := bytes.IndexAny(d, "?#"); i > 0 {
		d = d[:i]
	}
	dot := bytes.LastIndexByte(d, '.')
	return dot > 0 && equalFoldAny(d[dot+1:], "zip", "apk", "apks", "aab", "ipa", "bin", "img", "pkg", "tgz", "ota", "upd", "dat", "vdb", "cvd", "crx", "fw", "hex", "dfu", "swu")
}

// lines reads an answer of lines with a name and a value each.
func (a *asked) lines(p *inspect.Part) {
	d := p.Data[:min(len(p.Data), 2<<10)]
	if a.words&(updUpdate|updConfig|updVersion|updNewest) == 0 || bytes.IndexByte(d, '\n') < 0 || d[0] == '<' || d[0] == '{' || d[0] == '[' {
		return
	}
	n := 0
	for line := range bytes.SplitSeq(d, []byte("\n")) {
		if n++; n > 16 {
			return
		}
		i := bytes.IndexAny(line, "=:")
		if i < 2 || i > 40 {
			continue
		}
		value := bytes.TrimSpace(line[i+1:])
		q := &inspect.Part{Path: p.Path, Direction: p.Direction, Data: value, Name: string(bytes.TrimSpace(line[:i])), Parent: p}
		switch k := updField(q); k {
		case updIsVersion, updIsNewest, updIsConfig:
			if isVersion(q) && a.down[k] == nil {
				a.down[k] = p
			}
		case updIsFile, updIsSum, updIsAnswer:
			if len(value) > 2 && a.down[k] == nil {
				a.down[k] = p
			}
		}
	}
}

// isNoUpdate takes the codes that say that there is nothing newer.
func isNoUpdate(d []byte) bool {
	if len(d) < 6 || len(d) > 40 {
		return false
	}
	switch c := d[0]; {
	case c >= 0x80 || !ascii(d):
		if bytes.Contains(d, []byte("最新版本")) || bytes.Contains(d, []byte("无更新")) {
			return true
		}
	case c|0x20-'a' < 26 && strings.IndexByte("nuailfhy", c|0x20) < 0 && d[len(d)-1] != ']':
		return false // none of the words begins with it
	}
	return noUpdates.of(string(d))
}

var noUpdates = newLexicon(map[bool]string{true: `noupdate noupdates uptodate noupdateavailable alreadylatest islatest nonewversion updateavailable noupgrade latestversion notmodified alreadyuptodate updaterequired upgraderequired nonewerversion updatenotfound noupdatefound nothingnew nochange nochanges unchanged notchanged hasupdate hasnewversion forceupdate needupdate newversion isuptodate youareuptodate appuptodate`})

// updateMarks are elements of the documents that update services of browsers and
// desktop programs answer with.
var updateMarks = [][]byte{
	[]byte("<updatecheck"), []byte(`"updatecheck"`), []byte("<updates>"), []byte("<updates "), []byte("<updates/>"), []byte("<gupdate"), []byte("<update "), []byte("<latestVersion>"),
}

// hasUpdateMark says that d, which holds these characters, has one of them, or is a
// list of versions with their hashes.
func hasUpdateMark(d []byte, holds inspect.Chars) bool {
	if holds&(inspect.Angles|inspect.Quotes) != 0 {
		for _, m := range updateMarks {
			if bytes.Contains(d, m) {
				return true
			}
		}
	}
	return holds&inspect.Colons != 0 && (bytes.Contains(d, []byte("sparkle:version")) || bytes.Contains(d, []byte("sparkle:shortVersionString")) || bytes.HasPrefix(d, []byte("version:")) && bytes.Contains(d, []byte("sha512:")))
}

func (a *asked) answer(t *inspect.Tree) {
	a.readable = len(t.Subject.Response.Body) == 0
	var s sieve
	docs := t.Documents()
	for i := range docs {
		d := &docs[i]
		if d.Parent != nil && d.Parent.Depth > 1 {
			break
		}
		may := s.of(d)
		if !pickAnswers(d, may) && !ungated {
			continue
		}
		for _, p := range d.Parts {
			switch {
			case !may[p.Column()] && !ungated, len(p.Data) == 0:
			case p.Direction == flow.Up:
				a.asks(p)
			case strings.HasPrefix(string(p.Path), "response.body"):
				a.answers(p)
			}
		}
	}
}

// pickAnswers picks the columns of d in which asks and answers can find something.
func pickAnswers(d *inspect.Document, may []bool) bool {
	some := false
	for i := range d.Columns {
		c := &d.Columns[i]
		switch {
		case d.Parent == nil:
			may[i] = true
		case goesUp(d):
			may[i] = d.Parent.Depth == 0 && hasText(c) && c.Holds&(inspect.Angles|inspect.Braces) != 0
		default:
			may[i] = c.Taken || hasText(c) && (c.Name == "" || c.Holds&(inspect.Angles|inspect.Quotes|inspect.Colons) != 0)
		}
		some = some || may[i]
	}
	return some
}

// asks looks for the documents that ask for an update: of browsers' updaters, and
// of OMA-TS-DM-FUMO section 5.
func (a *asked) asks(p *inspect.Part) {
	if p.Depth > 1 || p.Data[0] != '<' && p.Data[0] != '{' || p.Kind > inspect.Text {
		return
	}
	head := p.Data[:min(len(p.Data), 16<<10)]
	if holdsUpdateCheck(head) || p.Data[0] == '<' && (bytes.Contains(head, []byte("./FUMO/")) || bytes.Contains(head, []byte("dm.firmwareupdate."))) {
		a.phrase = true
		if a.told == nil {
			a.told = p
		}
	}
}

// holdsUpdateCheck looks for "updatecheck" and <updatecheck by their last letter,
// which is rare.
func holdsUpdateCheck(d []byte) bool {
	const word = "updatecheck"
	for at := 0; ; {
		n := bytes.IndexByte(d[at:], 'k')
		if n < 0 {
			return false
		}
		at += n + 1
		if start := at - len(word); start > 0 && string(d[start:at]) == word && (d[start-1] == '<' || d[start-1] == '"' && at < len(d) && d[at] == '"') {
			return true
		}
	}
}

// answers looks at what came down whatever its fields are called.
func (a *asked) answers(p *inspect.Part) {
	if len(p.Children) > 0 || p.Depth == 0 && len(p.Data) < 4<<10 && (p.Data[0] == '{' || p.Data[0] == '[' || p.Data[0] == '<' && len(p.Data) > 1 && p.Data[1] != '!' && p.Data[1]|0x20 != 'h') {
		a.readable = true
	}
	if p.Kind > inspect.Text {
		return
	}
	if p.Depth <= 1 && p.Name == "" && len(p.Data) <= 64 {
		if d := bytes.TrimSpace(p.Data); looksVersion(d) || allDigits(d) && len(d) <= 9 {
			a.plain, a.readable = p, true
		} else if isNoUpdate(d) && a.none == nil {
			a.none = p
		}
	}
	if !printable(p) {
		return
	}
	if p.Depth == 0 && len(p.Data) < 4<<10 {
		a.lines(p)
		if a.none == nil && a.words&updUpdate != 0 && a.words&updDone == 0 && isEmptyList(p.Data) {
			a.none = p
		}
	}
	head := p.Data[:min(len(p.Data), 4<<10)]
	if a.down[updIsAnswer] == nil && hasUpdateMark(head, p.Holds()) {
		a.down[updIsAnswer], a.readable = p, true
	}
	if a.file && p.Depth == 0 && a.plain == nil && len(p.Data) < 4<<10 {
		// version=1.2.3 and the like, line by line.
		for i := range 4 {
			line, rest, _ := bytes.Cut(head, []byte("\n"))
			if len(line) < 120 && bytes.ContainsAny(line, "=: ") && hasDigit(line) && (i == 0 && hasDot(line) || len(line) > 8 && equalFold(string(line[:7]), "version")) {
				a.plain = p
			}
			head = rest
		}
	}
}

// nameless looks for the answer about an update in a record whose fields have no
// names that say anything: the file of one, its size or digest, and a version
// written as the one that was told.
func (a *asked) nameless(r inspect.Record) {
	if len(r.Fields) < 3 || len(r.Fields) > 12 {
		return
	}
	var version, file, sum *inspect.Part
	for _, p := range r.Fields {
		switch {
		case len(p.Name) > 3:
			return
		case p.Kind == inspect.Text && isUpdateFile(p.Data):
			file = p
		case looksVersion(p.Data) && p.Kind == inspect.Text && bytes.Count(p.Data, fullStop) == bytes.Count(a.told.Data, fullStop):
			version = p
		case digest(p.Data) > 0, p.Kind == inspect.Number && len(p.Data) >= 5:
			sum = p
		}
	}
	if version != nil && file != nil && sum != nil {
		a.up[updIsCurrent], a.down[updIsNewest], a.down[updIsFile], a.down[updIsSum] = a.told, version, file, sum
	}
}

var fullStop = []byte(".")

func hasDot(b []byte) bool { return bytes.IndexByte(b, '.') > 0 }

func (a *asked) weigh(t *inspect.Tree) []inspect.Finding {
	s := t.Subject
	if len(s.Response.Body) > 2<<20 && a.down[updIsNewest] == nil && a.down[updIsAnswer] == nil {
		return nil // the update itself
	}
	strong := a.phrase || a.file || a.words&updUpdate != 0 && a.words&updSystem != 0
	question, answer := 0, 0
	switch {
	case a.phrase:
		question = 3
	case a.file, a.words&updUpdate != 0, a.words&updNewest != 0 && a.words&updConfig != 0:
		question = 2
	case a.words&(updVersion|updNewest|updConfig) != 0:
		question = 1
	}
	told := a.up[updIsCurrent]
	switch {
	case told != nil:
		question += 2
	case a.up[updIsConfig] != nil:
		told = a.up[updIsConfig]
		question++
		if a.words&(updConfig|updUpdate) != 0 {
			question++
		}
	case a.up[updIsVersion] != nil:
		told = a.up[updIsVersion]
		question++
	case a.told != nil && question >= 2:
		told = a.told
		question++
	case a.version && question >= 2:
		told = requestPart(t)
		question++
	}
	if a.channel && a.packed {
		question += 2
		strong = true
	}
	if question == 0 && (a.app || a.version && a.record) {
		question = 1
	}
	var said *inspect.Part
	say := func(p *inspect.Part, points int) {
		if p != nil {
			answer += points
			if said == nil {
				said = p
			}
		}
	}
	say(a.down[updIsAnswer], 2)
	say(a.down[updIsNewest], 2)
	if question >= 2 {
		say(a.none, 2)
	}
	version := a.down[updIsVersion] != nil
	if version || answer > 0 {
		say(a.down[updIsNotes], 1)
		if a.down[updIsSum] != nil || answer > 0 || a.down[updIsNotes] != nil {
			say(a.down[updIsFile], 1)
		}
	}
	if a.record {
		answer++
	}
	switch {
	case version:
		say(a.down[updIsVersion], 1)
	case a.down[updIsConfig] != nil:
		say(a.down[updIsConfig], 1)
	}
	if a.plain != nil && (a.file || a.phrase || a.words&(updVersion|updUpdate|updNewest) != 0) {
		say(a.plain, 2)
	}
	if s.Status == 426 && told != nil && a.up[updIsConfig] == nil { // upgrade required (RFC 9110 section 15.5.22), as apps use it
		answer += 2
	}
	if told == nil && a.version && a.record {
		told = requestPart(t)
	}
	if a.none != nil && told != nil && question == 1 && a.words&(updCheck|updConfig|updUpdate) != 0 {
		question++
		say(a.none, 2)
	}
	nothing := s.Status == 204 || s.Status == 304
	conditional := a.up[updIsConfig] != nil || a.words&updConfig != 0 && a.up[updIsCurrent] != nil || a.file && s.Status == 304 || a.words&updConfig != 0 && (s.Request.Header.Get("If-None-Match") != "" || s.Request.Header.Get("If-Modified-Since") != "")
	if nothing && (a.phrase || a.words&updUpdate != 0 || conditional) {
		answer++
	}
	empty := len(s.Response.Body) == 0
	var c inspect.Confidence
	switch {
	case question >= 3 && answer >= 2 && (strong || told != nil), question >= 2 && answer >= 3 && told != nil:
		c = inspect.Probable
	case s.Frame != nil && answer >= 3,
		question >= 2 && answer >= 2 && (strong || told != nil), question >= 1 && answer >= 4, answer >= 5,
		question >= 3 && answer >= 1 && (strong || a.up[updIsCurrent] != nil || a.up[updIsConfig] != nil),
		a.phrase && told != nil && (empty || a.readable) && a.words&(updUpdate|updPhrase) != 0,
		a.words&updUpdate != 0 && a.up[updIsCurrent] != nil && empty,
		a.words&updUpdate != 0 && a.words&updSystem != 0 && a.words&updDone == 0 && told != nil && looksVersion(told.Data) && (empty || a.readable),
		a.up[updIsConfig] != nil && a.down[updIsConfig] != nil,
		a.words&updUpdate != 0 && a.words&updDone == 0 && a.version && (s.Method == "GET" || s.Method == "HEAD") && (nothing || answer >= 3),
		s.Status == 426 && told != nil && a.up[updIsVersion] != nil,
		conditional && a.file && s.Status == 304,
		conditional && a.words&updConfig != 0 && (answer >= 1 || nothing) && (nothing || a.up[updIsConfig] != nil):
		c = inspect.Suspected
	default:
		return nil
	}
	at := told
	if at == nil {
		at = requestPart(t)
	}
	var out []inspect.Finding
	if at != nil {
		out = append(out, inspect.Finding{
			Confidence: c, Direction: flow.Up, Path: at.Path,
			Reason: fmt.Sprintf("The request asks whether there is a newer version: %s.", a.signs(told != nil, answer > 0, nothing)),
		})
	}
	if said != nil && said.Direction == flow.Down {
		out = append(out, inspect.Finding{
			Confidence: c, Direction: flow.Down, Path: said.Path,
			Reason: "The answer tells which version is the newest, or whether there is one, to a request that asks for it.",
		})
	}
	return out
}

// requestPart returns the part that stands for the request: its path, or else
// whatever comes first.
func requestPart(t *inspect.Tree) (first *inspect.Part) {
	for _, p := range t.Parts {
		if p.Parent != nil || p.Direction != flow.Up {
			break
		}
		if p.Decoder() == "request.path" {
			return p
		}
		if first == nil {
			first = p
		}
	}
	return first
}

func (a *asked) signs(told, answered, nothing bool) string {
	var have []string
	if a.phrase || a.file || a.words&(updUpdate|updVersion|updConfig) != 0 {
		have = append(have, "its address or the name of the operation has the words for it")
	}
	if told {
		have = append(have, "it tells the version in use")
	}
	switch {
	case nothing:
		have = append(have, "the answer is that nothing changed")
	case answered:
		have = append(have, "the answer speaks of a version")
	}
	return list(have)
}
