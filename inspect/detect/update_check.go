package detect

import (
	"bytes"
	"fmt"
	"strings"

	"constat/inspect"
	"constat/proxy/flow"
)

// UpdateCheck recognises the question for a newer version of a system, an app or
// its configuration, and the answer to it.
//
// It takes signs on both sides: the words of the address, a version that is
// told, and an answer that names a version or says that there is none. The word
// update alone is none, since most services update something.
var UpdateCheck = inspect.Detector{
	Name:   "update_check",
	Class:  inspect.UpdateCheck,
	Doc:    "looks for a question for a newer version of system, app or configuration, and its answer",
	Detect: detectUpdateCheck,
}

// upd is a family of field names.
type upd uint8

const (
	updNone    upd = iota
	updCurrent     // the version that asks, by a name that can mean nothing else
	updVersion     // a version
	updConfig      // the version of a configuration or of rules
	updAnswer      // whether there is an update
	updLatest      // the newest version
	updFile        // where it is
	updNotes       // what is new in it
	updSum         // its size or hash
	updAsk         // that an update is asked for
)

var updWords = newLexicon(map[upd]string{
	updCurrent: `currentversion currentversioncode currentversionname installedversion localversion curversion curver currver currentver fromversion oldversion currentbuild installedversioncode
		currentfirmware firmwareversion fwversion romversion miuiversion buildfingerprint currentappversion sourceversion clientver myversion nowversion versionlocal baseversion currentversions softwareversion currentfw hostversion`,
	updVersion: `version versioncode versionname appversion appversioncode appver ver v vc vn build buildnumber buildid versionnumber clientversion apkversion packageversion osversion rom firmware
		fw softwarever swversion tagname release vercode vername versionid incremental patchversion bundleversion sv av appvercode appversionname pkgversion swver`,
	updConfig: `configversion configver confver settingsversion dataversion ruleversion rulesversion configurationversion configrevision resourceversion dbversion listversion catalogversion dictversion definitionsversion
		sigversion signatureversion policyversion cfgver cfgversion databaseversion modelversion configetag assetversion resversion blocklistversion languagepackversion`,
	updAnswer: `hasupdate updateavailable isupdate needupdate hasnewversion hasnew isupdateavailable updatestatus updatecheck forceupdate forceupgrade mandatory ismandatory ismandatoryupdate needupgrade
		updatetype isforce forcedupdate updaterequired upgraderequired isforceupdate mustupdate isneedupdate updateneeded upgradetype upgradeavailable isnewversion newversionavailable noupdate uptodate isuptodate islatest
		updatepriority softupdate hardupdate isupgrade needforceupdate upgradestatus shouldupdate isoutdated outdated hasupgrade criticalupdate immediateupdate updatemode requiresupdate newupdate forced`,
	updLatest: `latest latestversion newversion latestversioncode latestversionname newestversion newversioncode latestbuild minversion minimumversion minsupportedversion recommendedversion newversionname
		latestrelease targetversion availableversion lastversion lastestversion updateversion toversion minrequiredversion minimumsupportedversion newver latestver upgradeversion currentlatest minappversion newestbuild storeversion serverversion nextversion latestfirmware newfirmware bigversion
		latestappversion minimumappversion latestconfigversion maxversion remoteversion onlineversion`,
	updFile: `downloadurl apkurl updateurl packageurl fileurl browserdownloadurl downloadlink fullurl patchurl otaurl firmwareurl apklink storeurl downurl diffurl appurl installerurl url codebase urls zipurl upgradeurl markethurl
		packagepath downloaduri deltaurl download mirrorlist zipballurl tarballurl`,
	updNotes: `releasenotes changelog changelogs whatsnew updatenotes updatecontent updatelog updatemessage updatedesc notes updateinfo upgradedesc updatemsg updatetext versiondesc releasenote newfeatures updatedescription upgradecontent upgradeinfo updatetips releasedate versionlog updatetitle`,
	updSum:   `md5 sha256 sha1 sha512 hash checksum size filesize filemd5 apksize apkmd5 packagesize hashsha256 signature filehash sum length contentlength totalsize`,
	updAsk:   `checkupdate checkforupdate checkforupdates checkversion autocheck lastcheck lastcheckdate lastupdatecheck checktype updatechannel releasechannel lastchecktime ischeckupdate manualcheck`,
})

// updateWords are words of addresses.
var updateWords = newLexicon(map[upd]string{
	updAsk: `checkupdate updatecheck checkupdates checkforupdate checkforupdates checkversion versioncheck checkupgrade upgradecheck appcast autoupdate selfupdate appupdate otaupdate getlatestversion latestversion getupdate
		checkappupdate checkappversion versioninfo checknewversion appversion forceupdate getversion updateinfo otacheck updatejson versionjson latestjson firmwareupdate updateservice getlatest softwareupdate latestyml upgradeinfo getupdateinfo appupgrade
		inappupdate updatexml fotaupdate squirrel packageupdate queryupdate updatequery queryversion updater configupdate checkconfig appversioncheck latestrelease checkver romupdate systemupdate checkappver appcastxml updatesxml`,
	updAnswer:  `update updates upgrade upgrades ota fota firmware`,
	updVersion: `version versions latest releases release check`,
	updConfig:  `config configuration configs settings remoteconfig rules definitions blocklist signatures manifest database`,
})

// asked is what an exchange shows.
type asked struct {
	path       [updAsk + 1]bool
	up, down   [updAsk + 1]*inspect.Part
	numbered   *inspect.Part // an answer's version
	structured bool          // the answer is a record or a document, or there is none
	record     bool          // file, version and sum or notes stand in one record
}

func detectUpdateCheck(t *inspect.Tree) []inspect.Finding {
	if t.Subject.Frame != nil {
		return nil
	}
	var a asked
	a.address(t.Subject.Path)
	var buf [maxName]byte
	records := 0
	for r := range t.Records() {
		if r.Parent == nil && r.Direction == flow.Down {
			continue
		}
		if records++; records > 400 {
			break
		}
		var here [updAsk + 1]bool
		for i, p := range r.Fields {
			if i > 200 {
				break
			}
			if p.Name == "" || p.Kind == inspect.Null {
				continue
			}
			w := squeeze(&buf, p.Name)
			if len(w) == 0 {
				continue
			}
			if r.Parent == nil && w[0] == 'x' {
				w = w[1:]
				if len(w) == 0 {
					continue
				}
			}
			k := updWords.word(w)
			if k == updNone {
				if i := bytes.Index(w, []byte("appversion")); i >= 0 {
					k = updVersion
				} else {
					continue
				}
			}
			if (k == updVersion || k == updCurrent || k == updLatest || k == updConfig) && !isVersion(p) {
				if k != updLatest || p.Name != "latest" || !isTruth(p.Data) {
					continue
				}
				k = updAnswer
			}
			if k == updFile && len(p.Data) < 8 || k == updNotes && len(p.Data) < 3 {
				continue
			}
			here[k] = true
			side := &a.down
			if r.Direction == flow.Up {
				side = &a.up
			}
			if side[k] == nil {
				side[k] = p
			}
		}
		if r.Direction == flow.Down {
			if here[updVersion] || here[updLatest] {
				if here[updFile] && (here[updSum] || here[updNotes] || here[updAnswer]) || here[updAnswer] && (here[updFile] || here[updNotes]) {
					a.record = true
				}
			}
		}
	}
	a.answer(t)
	return a.weigh(t)
}

// address looks at the words of the request's path.
func (a *asked) address(path string) {
	var buf [maxName]byte
	rest := path
	last := ""
	for len(rest) > 0 {
		var segment string
		segment, rest, _ = strings.Cut(strings.TrimPrefix(rest, "/"), "/")
		if len(segment) > 64 {
			continue
		}
		k := updateWords.word(squeeze(&buf, segment))
		if k == updNone {
			if dot := strings.LastIndexByte(segment, '.'); dot > 0 {
				k = updateWords.word(squeeze(&buf, segment[:dot]))
			}
		}
		if k == updNone {
			var starts [maxWords]uint8
			end, n := split(&buf, &starts, segment)
			for i := n - 1; i >= 0; i-- {
				if w := updateWords.word(buf[starts[i]:end]); w != updNone && w != updConfig {
					a.path[w] = true
				}
				end = int(starts[i])
			}
		}
		if k != updNone {
			a.path[k] = true
			// update/check, version/check, releases/latest, latest/version.
			if (segment == "check" || segment == "query" || last == "check") && (a.path[updAnswer] || a.path[updVersion]) || segment == "latest" && (strings.HasPrefix(last, "release") || strings.HasPrefix(last, "version")) || strings.HasPrefix(segment, "version") && last == "latest" {
				if segment != last && (segment == "check" && last != "" && (strings.Contains(last, "version") || strings.Contains(last, "update") || strings.Contains(last, "upgrade") || last == "ota" || last == "app" || last == "firmware") || last == "check" || segment == "latest" || last == "latest") {
					a.path[updAsk] = true
				}
			}
		}
		last = strings.ToLower(segment)
	}
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

// updateMarks are elements of the documents that update services of browsers and
// desktop programs answer with.
var updateMarks = [][]byte{
	[]byte("<updatecheck"), []byte(`"updatecheck"`), []byte("<updates>"), []byte("<updates "), []byte("<updates/>"), []byte("sparkle:version"), []byte("sparkle:shortVersionString"), []byte(`"noupdate"`), []byte("<gupdate"), []byte("<update "),
	[]byte("<versionCode>"), []byte("<latestVersion>"),
}

func (a *asked) answer(t *inspect.Tree) {
	body := t.Subject.Response.Body
	a.structured = len(body) == 0
	for _, p := range t.Parts {
		if p.Direction == flow.Down && p.Depth <= 2 && strings.HasPrefix(string(p.Path), "response.body") {
			if len(p.Children) > 0 {
				a.structured = true
			}
			if p.Kind > inspect.Text || len(p.Data) == 0 {
				continue
			}
			if len(p.Children) == 0 && len(p.Data) <= 64 && isVersion(p) && hasDot(p.Data) && p.Depth <= 1 && p.Name == "" {
				a.numbered, a.structured = p, true
			}
			head := p.Data[:min(len(p.Data), 4<<10)]
			if head[0] != '<' && head[0] != '{' && head[0] != '\n' && head[0] != ' ' && head[0] != ')' && !bytes.HasPrefix(head, []byte("version:")) {
				continue
			}
			for _, m := range updateMarks {
				if bytes.Contains(head, m) && a.down[updAnswer] == nil {
					a.down[updAnswer] = p
				}
			}
			if bytes.HasPrefix(head, []byte("version:")) && bytes.Contains(head, []byte("sha512:")) { // latest.yml
				a.down[updAnswer], a.structured = p, true
			}
		}
		if p.Direction == flow.Up && p.Decoder() == "request.body" && len(p.Data) > 0 && (p.Data[0] == '<' || p.Data[0] == '{') {
			head := p.Data[:min(len(p.Data), 16<<10)]
			if bytes.Contains(head, []byte("<updatecheck")) || bytes.Contains(head, []byte(`"updatecheck"`)) {
				a.up[updAsk] = p
			}
		}
	}
}

func hasDot(b []byte) bool { return bytes.IndexByte(b, '.') > 0 }

func (a *asked) weigh(t *inspect.Tree) []inspect.Finding {
	s := t.Subject
	if len(s.Response.Body) > 1<<20 && a.down[updLatest] == nil && a.down[updAnswer] == nil {
		return nil // the update itself
	}
	question, answer := 0, 0
	switch {
	case a.path[updAsk]:
		question += 3
	case a.path[updAnswer]:
		question += 2
	case a.path[updVersion], a.path[updConfig]:
		question++
	}
	if a.path[updAnswer] && a.path[updVersion] {
		question++
	}
	told := a.up[updCurrent]
	switch {
	case told != nil:
		question += 2
	case a.up[updConfig] != nil:
		told = a.up[updConfig]
		question++
		if a.path[updConfig] || a.path[updAnswer] {
			question++
		}
	case a.up[updVersion] != nil:
		told = a.up[updVersion]
		question++
	}
	if a.up[updAsk] != nil {
		question += 2
		if told == nil {
			told = a.up[updAsk]
		}
	}
	var said *inspect.Part
	if p := a.down[updAnswer]; p != nil {
		answer, said = answer+2, p
	}
	if p := a.down[updLatest]; p != nil {
		answer += 2
		if said == nil {
			said = p
		}
	}
	if a.record {
		answer++
	}
	if p := a.down[updNotes]; p != nil && (a.down[updVersion] != nil || answer > 0) {
		answer++
		if said == nil {
			said = p
		}
	}
	if p := a.down[updFile]; p != nil && (a.down[updVersion] != nil || answer > 0) && (a.down[updSum] != nil || answer > 0) {
		answer++
		if said == nil {
			said = p
		}
	}
	for _, p := range []*inspect.Part{a.down[updVersion], a.down[updConfig], a.numbered} {
		if p != nil {
			answer++
			if said == nil {
				said = p
			}
			break
		}
	}
	nothing := s.Status == 204 || s.Status == 304
	if nothing && (a.path[updAsk] || a.path[updAnswer] || a.up[updConfig] != nil) {
		answer++
	}
	empty := len(s.Response.Body) == 0
	var c inspect.Confidence
	switch {
	case question >= 3 && answer >= 2, question >= 2 && answer >= 3 && told != nil:
		c = inspect.Probable
	case question >= 2 && answer >= 2, question >= 1 && answer >= 4,
		question >= 3 && answer >= 1 && (a.path[updAsk] || a.up[updCurrent] != nil || a.up[updAsk] != nil || a.up[updConfig] != nil):
		c = inspect.Suspected
	case a.path[updAsk] && told != nil && (empty || a.structured), a.up[updAsk] != nil && told != nil && question >= 4:
		c = inspect.Suspected
	case a.path[updAnswer] && a.up[updCurrent] != nil && empty:
		c = inspect.Suspected
	case a.up[updConfig] != nil && a.path[updConfig] && answer >= 1:
		c = inspect.Suspected
	default:
		return nil
	}
	if s.Method == "PUT" || s.Method == "PATCH" || s.Method == "DELETE" {
		return nil
	}
	at := told
	if at == nil || !isRequestPart(at) {
		at = requestPart(t)
	}
	if at == nil {
		return nil
	}
	out := []inspect.Finding{{
		Confidence: c, Direction: flow.Up, Path: at.Path,
		Reason: fmt.Sprintf("The request asks whether there is a newer version: %s.", a.signs(told != nil, answer > 0, nothing)),
	}}
	if said != nil {
		out = append(out, inspect.Finding{
			Confidence: c, Direction: flow.Down, Path: said.Path,
			Reason: "The answer tells which version is the newest, or whether there is one, to a request that asks for it.",
		})
	}
	return out
}

func isRequestPart(p *inspect.Part) bool { return p.Direction == flow.Up }

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
	if a.path[updAsk] || a.path[updAnswer] || a.path[updVersion] || a.path[updConfig] {
		have = append(have, "its address has the words for it")
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
