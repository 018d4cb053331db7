package detect

import (
	"bytes"
	"fmt"
	"math/bits"
	"slices"
	"strconv"
	"strings"

	"constat/inspect"
	"constat/proxy/flow"
)

// DeviceStats recognises what programs report about the device they run on and
// about their own use.
//
// It collects, over everything that went up in one message, the families of
// fields that statistics are made of. A family counts when a field has one of
// its names and a value of its type. Hardware and state weigh most; language,
// versions and events are in any request and need company.
var DeviceStats = inspect.Detector{
	Name:   "device_stats",
	Class:  inspect.DeviceStats,
	Doc:    "looks for fields that describe the device, its state and its use: model, build, screen, battery, memory, network, carrier, sessions, counters",
	Detect: detectDeviceStats,
}

// stat is a family of field names.
type stat uint8

const (
	statNone stat = iota
	// Hardware and state.
	statModel
	statMaker
	statScreen
	statDensity
	statBattery
	statCharging
	statMemory
	statDisk
	statCarrier
	statNetwork
	statCPU
	statBuild
	statUptime
	statRooted
	statGPU
	statDeviceType
	// What runs on it.
	statOS
	statOSVersion
	statLocale
	statTimezone
	statRegion
	statApp
	statAppVersion
	statSDK
	statUserAgent
	// Use.
	statEvent
	statSession
	statClient
	statCounter
	statMoment
	statError
	statKey // of the app, for the service: a sign of a report, but of none about the device
	statCount
)

const (
	hardware = 1<<(statDeviceType+1) - 1<<statModel
	software = 1<<(statUserAgent+1) - 1<<statOS
	// solid is hardware that no update check needs to know.
	solid = hardware &^ (1<<statCPU | 1<<statDeviceType | 1<<statBuild)
	usage = 1<<statCount - 1<<statEvent
)

// described are families of which one must be there when little else is: what the
// program runs on, or how it is used.
const described = hardware | 1<<statOS | 1<<statOSVersion | 1<<statLocale | 1<<statRegion | 1<<statUserAgent | 1<<statTimezone | 1<<statSDK | 1<<statError | 1<<statCounter

// statLabels are what people are told, in the order of the families.
var statLabels = [statCount]string{
	statModel: "model", statMaker: "maker", statScreen: "screen size", statDensity: "screen density", statBattery: "battery",
	statCharging: "charging", statMemory: "memory", statDisk: "storage", statCarrier: "carrier", statNetwork: "kind of network",
	statCPU: "processor", statBuild: "system build", statUptime: "uptime", statRooted: "whether it is rooted", statGPU: "graphics",
	statDeviceType: "kind of device", statOS: "operating system", statOSVersion: "system version", statLocale: "language",
	statTimezone: "time zone", statRegion: "country", statApp: "app", statAppVersion: "app version", statSDK: "library",
	statUserAgent: "user agent", statEvent: "event", statSession: "session", statClient: "installation id",
	statCounter: "counters", statMoment: "time", statError: "errors", statKey: "key of the app",
}

// statWords are names that say everything by themselves.
var statWords = newLexicon(map[stat]string{
	statModel: `model device uam devicemodel phonemodel modelname devicemodelname devicename phonetype mdl modelid modelidentifier hwmodel devicehardwaremodel handset handsetmodel machinemodel
		dmodel ddm devmodel hardwaremodel`,
	statMaker: `manufacturer brand devicebrand devicemanufacturer make vendor devicemake oem hwmanufacturer devicevendor`,
	statScreen: `screen screenwidth screenheight screensize resolution screenresolution displayresolution res sr vp viewport viewportsize sw sh displaywidth displayheight
		screenresolutionx screenwidthpixels screenheightpixels windowinnerwidth windowinnerheight screenw screenh screenpixels devicescreen widthpixels heightpixels innerwidth innerheight
		wpx hpx screenwidthdp screenheightdp viewportwidth viewportheight`,
	statDensity:  `density dpi screendpi screendensity densitydpi pixelratio devicepixelratio displaydensity dpr pxratio colordepth cd sd screenscale dppx`,
	statBattery:  `battery bat batterylevel batterypercent batterypct batterycapacity batlevel batterystate batterytemperature batteryhealth powerlevel batt batterypercentage batterystatus battlevel`,
	statCharging: `charging ischarging plugged isplugged chargingstate poweron powersource usbcharging`,
	statMemory: `mem memtotal memfree memtotalmb memfreemb freememory totalmemory memory memorysize freemem totalmem usedmemory memoryusage ram ramsize ramtotal ramfree memorymb usablememory
		availablememory memavailable lowmemory islowmemory memoryfree memorytotal memorymax heapused heaptotal rss devicememory physicalmemory freeram totalram ramavail maxmemory memusage`,
	statDisk: `storagefreemb storagetotalmb freestorage totalstorage storagesize externalstoragesize disktotal diskfree freedisk diskspace freespace freediskspace totaldisk storagefree
		storagetotal sdcardfree internalstorage externalfreestorage externaltotalstorage hddtype freeexternal availablestorage romsize romtotal sdtotal freediskbytes totaldiskbytes`,
	statCarrier:    `carrier carriername operator operatorname networkoperator networkoperatorname simoperator simoperatorname mcc mnc mccmnc carriercode networkcarrier isp spn plmn operatorcode`,
	statNetwork:    `network networktype connectiontype nettype connection connectivity connectivitytype wifi networkclass internetstatus networkstatus connectionsubtype isonwifi onwifi nt accessnetwork effectivetype radio`,
	statCPU:        `cpu uaa hardwarename cpuabi abi abis cpuarch architecture arch cpucount cpucores numcores processorcount cores cpuinfo cpumodel cpufrequency processorfrequency processor hardwareconcurrency cpuusage soc cputype cpumodelname cpudescription machinearch archs`,
	statBuild:      `fingerprint buildfingerprint osbuild buildid buildnumber rombuild romversion miuiversion miui miuiregion firmware firmwareversion kernelversion kernel buildtype buildtags buildversionincremental incremental securitypatch rom romname emui bootloader`,
	statUptime:     `uptime bootime boottime elapsedrealtime sinceboot timesinceboot systemuptime uptimemillis deviceuptime loadavg`,
	statRooted:     `rooted isrooted root jailbroken isjailbroken emulator isemulator simulator devicerooted`,
	statGPU:        `gpu gpurenderer gpuvendor renderer glrenderer glversion glvendor adapter gpumodel webgl`,
	statDeviceType: `devicetype formfactor devicecategory deviceclass deviceclassification istablet ismobile orientation screenorientation platformtype deviceorientation`,
	statOS:         `os uap osname platform osfamily systemname clientos operatingsystem devos deviceos osplatform ostype plat browseros uaos`,
	statOSVersion: `osversion uapv osver systemversion androidversion iosversion sdkint apilevel androidsdk androidsdkversion androidapilevel osapilevel osv platformversion sysver deviceosversion
		osrelease oslevel androidrelease versionrelease osversionname osversioncode osbuildversion windowsbuildnumber osservicepackmajor`,
	statLocale:   `locale oslocale language lang systemlanguage syslang deviceculture devicelanguage ul languagecode devicelocale langs languages acceptlanguage preferredlanguage applocale appliedlocales browserlanguage bl localelanguage`,
	statTimezone: `timezone tz timezoneoffset utcoffset tzoffset timezoneid localtimezone timezonename tzname gmtoffset offset devicetimezone`,
	statRegion:   `country countrycode region miuiregions geocountry simcountry networkcountry countryiso devicecountry regioncode`,
	statApp: `appname apppackage packagename package bundleid bundleidentifier appid appidentifier app appbundle applicationid bundle application appnamespace installer installersource
		product productname servicename project projectid appkey sentrykey publickey dsn`,
	statAppVersion: `appversion appver versionname versioncode appversioncode appversionname appbuild clientversion displayversion release appdisplayversion releasechannel channel appchannel updatechannel
		addonversion version buildversion appvername build oldversion installerversion environment releasestage`,
	statSDK:       `sdk sdkversion lib libversion library libraryversion sdkname clientlib telemetrysdkbuild telemetrysdk tv agentversion tracker trackerversion sdkver notifier sentryclient sentryversion snv libmethod telemetrysdkname telemetrysdkversion mistatv mistatversion`,
	statUserAgent: `useragent ua browserua httpuseragent`,
	statEvent: `event eventname eventtype eventid events en ea ev eventkey eventcategory eventaction action actionname eventlabel ec method activity pagetitle screenname pagename category topic
		messageid bucketid object values msgtype pingtype metrics histograms scalars crash transaction reason doctype documenttype payloadversion type kind`,
	statSession: `sessionid session sid sessid visitid sessionnumber sessioncount sessionstart sessionlength sessionduration subsessionid subsessionlength profilesubsessioncounter sessions sessionstarttime profilecreationdate firstrundate visitorid flowid impressionid traceid started`,
	statClient:  `clientid devid duid vid distinctid anonymousid deviceid installationid installid cid did uuid guid instanceid trackid userpseudoid contextid docid documentid pingid userid androidid gaid idfa idfv oaid advertisingid aaid insertid eventuuid uniqueid deviceuuid profileid ecosystemclientid`,
	statCounter: `spans count counter duration elapsed coldstartms crashcount seq sequence sequencenumber launchcount starttime endtime durationms totaltime usagetime loadtime latency position actionposition durations clicks views
		errorscount errorcount retries attempts hits installtime downloadtime userprefs clientclockskew tiles usage uses timespentms activeticks pings`,
	statKey:    `apikey writekey`,
	statError:  `level severity severitytext severitynumber logger exception exceptions errorclass errormessage breadcrumbs stacktrace culprit errors crashinfo backtrace`,
	statMoment: `timestamp time eventtime ts sentat clienttime dtm stm created creationdate createdat eventtimestamp localtimestamp at originaltimestamp timeunixnano starttimeunixnano datetime localtime clienttimestamp starttimestamp timems submissiontimestamp`,
})

// statPairs are names that say something only inside an object of a certain
// name: os.version, screen.width, memory.free.
var statPairs = newLexicon(map[stat]string{
	statModel:      `device.name device.id device.modelid device.type device.family phone.name hardware.name`,
	statScreen:     `screen.width screen.height display.width display.height screen.size window.width window.height viewport.width viewport.height device.width device.height device.w device.h monitors.screenwidth`,
	statDensity:    `screen.density screen.scale display.scale display.density screen.dpi monitors.scale`,
	statBattery:    `battery.level battery.percent battery.state battery.status battery.temperature`,
	statCharging:   `battery.charging battery.plugged`,
	statMemory:     `memory.total memory.free memory.used memory.available memory.size ram.total ram.free`,
	statDisk:       `storage.total storage.free disk.total disk.free storage.available hdd.type hdd.model`,
	statCarrier:    `carrier.name operator.name sim.operator network.carrier network.operator carrier.mcc`,
	statNetwork:    `network.type network.wifi network.cellular network.status connection.type network.bluetooth`,
	statCPU:        `cpu.name cpu.count cpu.arch cpu.model cpu.speedmhz cpu.vendor cpu.cores cpu.family cpu.usage`,
	statBuild:      `os.build os.kernelversion os.kernel device.fingerprint os.fingerprint build.id build.number build.fingerprint`,
	statGPU:        `gpu.name gpu.vendor gpu.renderer gfx.name gpu.vendorname adapters.description adapters.vendorid`,
	statRooted:     `os.rooted device.simulator device.emulator device.rooted`,
	statOS:         `os.name system.name platform.name device.os device.platform clientinfo.os`,
	statOSVersion:  `os.version system.version platform.version device.osversion os.osversion os.sdk os.apilevel os.servicepackmajor`,
	statApp:        `app.name app.id app.bundleid application.name application.id app.namespace app.package client.name`,
	statAppVersion: `app.version app.build application.version application.buildid app.versioncode client.version`,
	statSDK:        `sdk.name sdk.version library.name library.version lib.name lib.version notifier.name notifier.version scope.name runtime.name runtime.version`,
	statUserAgent:  `browser.name browser.version ua.browser`,
	statLocale:     `app.locale device.locale device.language culture.locale settings.locale`,
	statTimezone:   `device.timezone culture.timezone`,
})

// pairEnds are the second words of statPairs.
var pairEnds = func() map[string]bool {
	m := make(map[string]bool)
	for pair := range statPairs.words {
		_, end, _ := strings.Cut(pair, ".")
		m[end] = true
	}
	return m
}()

// statistics is what was seen of one direction of a message.
type statistics struct {
	seen uint64
	best *inspect.Part // hardware if any was seen, else what came first
	// report says that nothing much came back, as after a report.
	report bool
	// guessed are families that only the form of a value speaks for.
	guessed uint64
	// maker, brand and model are the values whose form says so. Of several somebody
	// chooses.
	maker, brand, model []byte
	several             bool
	// told counts the words of reports on the battery, on management and on use.
	told   int
	nodes  int
	device bool // an id is that of a device by its name
	names  *inspect.Known[statName]
	// columns are those of the document at hand, in which something can be for sale, and
	// fields can tell of the battery, of use, or of a screen.
	columns        []statColumn
	goods, reports bool
}

// enough hardware families make statistics; with software or use around them
// fewer do.
const (
	enoughHardware = 3
	enoughAll      = 4
	enoughUse      = 4
	enoughProbable = 6
)

// maxReceipt is the longest answer, in bytes, that a report may get: a pixel, an
// acknowledgement.
const maxReceipt = 1 << 10

func detectDeviceStats(t *inspect.Tree) []inspect.Finding {
	s := statistics{names: statNames.In(t), report: t.Subject.Frame != nil || len(t.Subject.Response.Body) < maxReceipt}
	for p := range upParts(t, mayTellStats) {
		if p.Name == "User-Agent" && p.Parent == nil {
			continue // every request has it
		}
		if len(p.Data) == 0 {
			continue
		}
		if len(p.Children) == 0 && p.Kind <= inspect.Text && len(p.Data) >= 24 && len(p.Data) <= longestList && p.Holds()&listSeparators != 0 {
			s.loose(p)
		}
		if len(p.Children) == 0 && p.Kind <= inspect.Text && len(p.Data) >= 9 {
			if p.Data[0] == '.' {
				s.node(p)
			} else if len(p.Data) > 160 && p.Holds()&inspect.Slashes != 0 {
				s.fingerprint(p)
			}
		}
		if p.Name == "" && p.Kind != inspect.Null && p.Parent != nil {
			s.guess(p, p.Data)
		}
	}
	for r, may := range upRecords(t, s.pick) {
		s.record(r, may)
	}
	confidence := s.weigh()
	if confidence == "" {
		return nil
	}
	at := s.best
	if at.Parent != nil {
		at = at.Parent
	}
	return []inspect.Finding{{
		Confidence: confidence, Direction: flow.Up, Path: at.Path,
		Reason: fmt.Sprintf("What went up to this host describes the device or its use: %s.", list(s.labels())),
	}}
}

// listSeparators are what can stand between the values of a list in one text.
const listSeparators = inspect.Bars | inspect.Semicolons | inspect.Controls | inspect.Commas | inspect.Carets | inspect.Hashes | inspect.Others | inspect.Newlines

// mayTellStats picks columns of texts that can hold lists of values or name a
// node or a build, and those without a name.
func mayTellStats(d *inspect.Document, may []bool) bool {
	some := false
	for i := range d.Columns {
		c := &d.Columns[i]
		may[i] = c.Name == "" && d.Parent != nil && c.Holds&telling != 0 || hasText(c) && c.Max >= 9 && (c.Holds&listSeparators != 0 && c.Max >= 24 || c.Holds&inspect.Slashes != 0)
		some = some || may[i]
	}
	return some
}

// pick picks columns whose names are those of statistics, and those whose values can
// be by their form.
func (s *statistics) pick(d *inspect.Document, may []bool) bool {
	some, w, h, told := false, false, false, 0
	place, gauge := "", statNone // see gaugeInside
	s.columns, s.goods, s.reports = slices.Grow(s.columns[:0], len(d.Columns)), false, false
	for i := range d.Columns {
		c := &d.Columns[i]
		n := s.names.OfColumn(c)
		s.goods = s.goods || n.goods
		if n.use || n.battery {
			told += min(c.Fields, leastTold) // of one record, perhaps
		}
		w, h = w || len(c.Name) == 1 && c.Name[0]|0x20 == 'w', h || len(c.Name) == 1 && c.Name[0]|0x20 == 'h'
		x := statColumn{name: n, runs: n.runs(), form: mayBeStat(c)}
		if n.pair {
			x.inside, x.open = s.inside(c.First), !sameAround(c)
		} else if n.unknown() && c.Place != "" && c.Has(inspect.Number) {
			if c.Place != place {
				place, gauge = c.Place, s.gaugeInside(c.First)
			}
			x.inside = gauge
		}
		x.families = (1<<n.whole | 1<<x.inside | 1<<n.ending | 1<<n.tail) &^ (1 << statNone)
		x.open = x.open || c.Name == "key" || x.families&(1<<statClient) != 0 && !s.device
		s.columns = append(s.columns, x)
		may[i] = c.Name != "" && c.Max > 0 && (x.form || x.open || x.families&^s.seen != 0)
		some = some || may[i]
	}
	s.reports = told >= leastTold || w && h
	return some || s.reports
}

// statColumn is what is known of a column.
type statColumn struct {
	name     statName
	inside   stat   // by its name and that of the object around it
	runs     bool   // see statName.runs
	form     bool   // values can tell by their form what they are
	open     bool   // more than the families counts
	families uint64 // that values can be of by their name
}

// runs says that the name is of what a program runs on.
func (n *statName) runs() bool {
	f := n.word
	return f == statOS || f == statOSVersion || f == statCarrier || f == statNetwork || f == statBuild
}

// telling are characters of which a value that tells by its form what it is holds
// one.
const telling = inspect.Letters | inspect.NonASCII | inspect.Asterisks

// mayBeStat says that values of c can tell by their form what they are.
func mayBeStat(c *inspect.Column) bool {
	const marks = inspect.Dots | inspect.Slashes | inspect.Asterisks
	switch {
	case c.Holds&telling == 0, !hasValue(c):
		return false
	}
	return c.Min <= 16 || c.Holds&marks != 0
}

// record takes the fields of one record. What is for sale has a maker and a
// model, too, and a price.
func (s *statistics) record(r inspect.Record, may []bool) {
	sold := false
	if (may == nil || s.goods) && r.Parent != nil && len(r.Fields) >= 2 && len(r.Fields) <= 64 {
		running := false
		for _, p := range r.Fields {
			if may != nil {
				x := &s.columns[p.Column()]
				sold, running = sold || x.name.goods, running || x.runs
				continue
			}
			n := s.names.Of(p)
			sold, running = sold || n.goods, running || n.runs()
		}
		sold = sold && !running
	}
	if !sold && (may == nil || s.reports) {
		s.reported(r)
	}
	for _, p := range r.Fields {
		if may != nil && !may[p.Column()] || p.Name == "" || p.Kind == inspect.Null || len(p.Data) == 0 || p.Same != nil || p.Name == "User-Agent" && p.Parent == nil {
			continue
		}
		if sold {
			continue
		}
		if may == nil {
			n := s.names.Of(p)
			inside := statNone
			if n.pair {
				inside = s.inside(p)
			} else if n.unknown() && p.Group != "" && p.Kind == inspect.Number {
				inside = s.gaugeInside(p)
			}
			s.take(p, &n, inside)
		} else if x := &s.columns[p.Column()]; x.open {
			if x.name.pair {
				x.inside = s.inside(p)
			}
			s.take(p, &x.name, x.inside)
		} else if x.families&^s.seen != 0 || x.form {
			s.take(p, &x.name, x.inside)
		}
		if p.Name == "key" && p.Kind == inspect.Text && len(p.Data) <= maxName {
			s.takeKey(p)
		}
	}
}

// leastTold is how many different words of one kind of report make one.
const leastTold = 3

// useWords are names of what only the phone itself counts of its use.
var useWords = newLexicon(map[bool]string{true: `unlockcount unlocks unlock unlocktimes pickups pickupcount screenontime screenonminutes screenonms screenonseconds screenoncount screenonsec screenoffcount wifibytes mobilebytes cellularbytes wifirxbytes wifitxbytes mobilerxbytes mobiletxbytes chargecycles chargecyclecount cyclecount chargecount cameralaunch cameralaunches bluetoothon airplanemode batterydrain drainrate dozecount reboots rebootcount bootcount notificationsposted keystrokes keystrokecount keypresses wordstyped charstyped suggestionsaccepted autocorrections fingerprintunlocks faceunlocks wakeups alarmwakeups mobiledatamb wifidatamb callminutes callcount smscount screentimeminutes nightcharging flashlighton hotspoton nfcon gpson autobrightness brightnesslevel volumemusic ringermode`})

// batteryWords are names of what a gauge of a battery reads.
var batteryWords = newLexicon(map[bool]string{true: `soc level batterylevel capacity temp temperature batterytemp voltage batteryvoltage current currentnow currentavg chargecounter cycle cycles cyclecount fcc fullchargecapacity designcapacity health batteryhealth plugged technology chargestatus charging soh rsoc vbat ibat tbat ocv resistance`})

// reported counts the words of such reports in one record.
func (s *statistics) reported(r inspect.Record) {
	if len(r.Fields) < 3 || len(r.Fields) > 64 || r.Parent == nil {
		return
	}
	if w, h := r.Field("w"), r.Field("h"); w != nil && h != nil && isSide(w.Data) && isSide(h.Data) && len(r.Fields) >= 4 {
		s.guessed |= 1 << statScreen
		if p := r.Field("sc", "s", "d", "dpr", "scale", "sf", "pxr"); p != nil {
			if n, ok := number(p.Data); ok && n >= 0.5 && n <= 6 {
				s.guessed |= 1 << statDensity
			}
		}
	}
	use, battery, gauge := 0, 0, false
	var at *inspect.Part
	for _, p := range r.Fields {
		if p.Kind > inspect.Number && p.Kind != inspect.Bool || len(p.Data) > 24 {
			continue
		}
		name := s.names.Of(p)
		if name.use {
			use++
			at = p
		}
		if name.battery {
			battery++
			at = p
			switch squeezeString(p.Name) {
			case "voltage", "batteryvoltage", "vbat", "ocv":
				// One cell of lithium, in volts or their thousandths.
				n, ok := number(p.Data)
				gauge = gauge || ok && (n >= 2.8 && n <= 4.6 || n >= 2800 && n <= 4600)
			case "plugged", "fcc", "fullchargecapacity", "chargecounter", "cyclecount", "designcapacity":
				gauge = true
			}
		}
	}
	n := use
	if battery >= leastTold && gauge {
		n = max(n, battery)
		s.seen |= 1 << statBattery
	}
	if n >= leastTold && n > s.told {
		s.told = n
		s.seen |= 1 << statCounter
		if s.best == nil {
			s.best = at
		}
	}
}

// isSide says that d can be the width or the height of a screen in pixels.
func isSide(d []byte) bool {
	n, ok := number(d)
	return ok && n >= 320 && n <= 4000
}

// goods are names that only what is for sale has, or calls that were made: their
// counts and kinds are none of the device's.
var goods = newLexicon(map[bool]string{true: `price pricemax pricemin maxprice minprice priceto pricefrom currency sku quantity qty saleprice discount mileage preis prix precio prezzo preco cena callduration calldate calltype callstart callstarttime ringtime callernumber`})

// take notes the family of a field if its value is of the right type. What its name
// says is n, and inside together with that of the object around it.
func (s *statistics) take(p *inspect.Part, n *statName, inside stat) {
	f := n.whole
	if f == statNone || !f.fits(p.Data) {
		f = inside
	}
	if f == statNone {
		f = n.ending
	}
	if f == statNone || !f.fits(p.Data) {
		f = n.tail
	}
	if f != statNone && f.fits(p.Data) {
		s.device = s.device || f == statClient && len(p.Name) > 6 && equalFold(p.Name[:6], "device")
		s.note(f, p)
		return
	}
	s.guess(p, p.Data)
}

// statName is what the lists know of a name.
type statName struct {
	goods               bool // only what is for sale has it
	word                stat // of statWords
	whole, ending, tail stat
	pair                bool // the name of the object around may say more
	use, battery        bool // of useWords, of batteryWords
}

// unknown says that no list has the name.
func (n *statName) unknown() bool {
	return n.whole == statNone && n.ending == statNone && n.tail == statNone
}

var statNames = inspect.NewNameFacts(lookStat)

func lookStat(name string) (n statName) {
	var buf [maxName]byte
	w := squeeze(&buf, name)
	n.goods, n.word = goods.word(w), statWords.word(w)
	if len(w) >= 2 {
		n = statName{goods: n.goods, word: n.word, whole: n.word, ending: ending(w), pair: pairEnds[string(w)], use: useWords.word(w), battery: batteryWords.word(w)}
		if len(name) <= 2*maxName {
			n.tail = statTail(name)
		}
	}
	return n
}

// statEndings are ends of names that say what the whole name is about:
// main_monitor_screen_width, total_uri_count.
var statEndings = newEndings(map[stat]string{
	statCounter:    "count counts ticks duration elapsed millis seconds inms timems",
	statScreen:     "screenwidth screenheight resolution",
	statOSVersion:  "osversion",
	statAppVersion: "version",
	statLocale:     "locale",
	statTimezone:   "timezone",
	statModel:      "devicemodel devicename",
	statMaker:      "manufacturer",
	statBattery:    "batterylevel",
	statNetwork:    "networktype",
	statCarrier:    "carriername",
	statSession:    "sessionid",
	statUserAgent:  "useragent",
})

// ending returns the family that the end of a name tells, or its beginning if
// that is num, total or time.
func ending(word []byte) stat {
	if f := statEndings.of(word); f != statNone {
		return f
	}
	for _, start := range []string{"num", "total", "time"} {
		if len(word) > len(start)+3 && string(word[:len(start)]) == start {
			return statCounter
		}
	}
	return statNone
}

// inside looks a name up together with that of the object around it.
func (s *statistics) inside(p *inspect.Part) stat {
	if p.Group == "" {
		return statNone
	}
	var buf, wordBuf, pair [maxName]byte
	word := squeeze(&wordBuf, p.Name)
	g := container(&buf, p)
	if len(g) == 0 || len(g)+1+len(word) > maxName {
		return statNone
	}
	n := copy(pair[:], g)
	pair[n] = '.'
	n += 1 + copy(pair[n+1:], word)
	return statPairs.word(pair[:n])
}

// gaugeInside is the family of a number by the name of the object around it alone,
// in whatever language: battery, memory, storage.
func (s *statistics) gaugeInside(p *inspect.Part) stat {
	_, key := lastKey(p.Group)
	if len(key) < 3 || len(key) > 2*maxName {
		return statNone
	}
	n := s.names.OfName(key)
	f := n.whole
	if f == statNone {
		f = n.tail
	}
	if f == statBattery || f == statMemory || f == statDisk {
		return f
	}
	return statNone
}

// takeKey notes the family that a key of a list of keys and values names. What
// its value is stands elsewhere, so only names that say everything count.
func (s *statistics) takeKey(p *inspect.Part) {
	if f := statWords.of(string(p.Data)); f != statNone && f <= statUserAgent {
		s.note(f, p)
	}
}

func (s *statistics) note(f stat, p *inspect.Part) {
	if s.seen&(1<<f) != 0 {
		return
	}
	s.seen |= 1 << f
	if s.best == nil || f <= statDeviceType && hardware&s.seen == 1<<f {
		s.best = p
	}
}

// fits says whether a value can be of the family.
func (f stat) fits(v []byte) bool {
	if len(v) == 0 || len(v) > 512 {
		return false
	}
	switch f {
	case statModel, statMaker:
		return len(v) <= 64 && hasLetter(v) && !isToken(v)
	case statScreen:
		return isSize(v)
	case statDensity:
		n, ok := number(v)
		return ok && n > 0 && n < 1000
	case statBattery:
		n, ok := number(v)
		return ok && n >= -1 && n <= 100 || !ok && len(v) < 16 && hasLetter(v)
	case statCharging, statRooted:
		return isTruth(v) || len(v) < 16 && hasLetter(v)
	case statMemory, statDisk:
		n, ok := number(v)
		if !ok && len(v) < 24 && v[0]-'0' < 10 && (bytes.HasSuffix(v, []byte("B")) || bytes.HasSuffix(v, []byte("b"))) {
			return true // with a unit
		}
		return ok && n >= 16 || isTruth(v) || f == statDisk && len(v) < 8 && hasLetter(v)
	case statUptime:
		n, ok := number(v)
		return ok && n > 0
	case statCounter:
		_, ok := number(v)
		return ok
	case statCarrier, statNetwork, statCPU, statBuild, statGPU, statOS, statDeviceType:
		return len(v) <= 160
	case statOSVersion, statAppVersion:
		return len(v) <= 64 && (hasDigit(v) || len(v) <= 12)
	case statLocale:
		return isLocale(v)
	case statRegion:
		return len(v) <= 3 && hasLetter(v)
	case statTimezone:
		_, ok := number(v)
		return ok && len(v) <= 6 || bytes.ContainsAny(v, "/+:") && len(v) <= 40 || len(v) <= 5
	case statUserAgent:
		return len(v) >= 3
	case statEvent:
		return len(v) <= 200 && hasLetter(v)
	case statSession, statClient:
		return len(v) >= 3 && len(v) <= 128
	case statMoment:
		n := 0
		for _, c := range v {
			if c-'0' < 10 {
				n++
			}
		}
		return n >= 8 && len(v) <= 40
	}
	return len(v) <= 200
}

func hasLetter(v []byte) bool {
	for _, c := range v {
		if c|0x20-'a' < 26 || c >= 0x80 {
			return true
		}
	}
	return false
}

func hasDigit(v []byte) bool { return bytes.ContainsAny(v, "0123456789") }

// isToken says that v looks like an identifier: long, without a space.
func isToken(v []byte) bool { return len(v) > 24 && bytes.IndexByte(v, ' ') < 0 }

func isTruth(v []byte) bool {
	switch string(v) {
	case "true", "false", "0", "1", "yes", "no", "True", "False":
		return true
	}
	return false
}

func number(v []byte) (float64, bool) {
	if len(v) > 24 || len(v) == 0 || v[0]|0x20 == 'i' || v[0]|0x20 == 'n' {
		return 0, false
	}
	n, err := strconv.ParseFloat(string(bytes.TrimSuffix(v, []byte("%"))), 64)
	return n, err == nil
}

// isSize takes 1080, 1080x2340 and 1080*2340.
func isSize(v []byte) bool {
	if len(v) > 24 {
		return false
	}
	numbers, digits := 0, 0
	for _, c := range v {
		switch {
		case c-'0' < 10:
			if digits == 0 {
				numbers++
			}
			digits++
		case c == 'x' || c == 'X' || c == '*' || c == ',' || c == '.' || c == ' ' || c == ':':
			if c != '.' {
				digits = 0
			}
		default:
			return false
		}
	}
	return numbers >= 1 && len(v) >= 3
}

// isLocale takes fr, fr_FR, zh-Hans-CN and lists of them.
func isLocale(v []byte) bool {
	if i := bytes.IndexAny(v, ",;"); i > 0 {
		v = v[:i]
	}
	if len(v) < 2 || len(v) > 16 {
		return false
	}
	n := 0
	for n < len(v) && v[n]|0x20-'a' < 26 {
		n++
	}
	return n >= 2 && (n <= 3 || n == len(v) && n <= 10) && (n == len(v) || v[n] == '-' || v[n] == '_' || v[n] == '.')
}

// weigh decides.
func (s *statistics) weigh() inspect.Confidence {
	const made = 1<<statMaker | 1<<statModel
	if s.several {
		s.guessed &^= made
	}
	all := s.seen | s.guessed
	modelled := s.guessed&made != 0 && bits.OnesCount64(all&(hardware|1<<statOS|1<<statLocale|1<<statTimezone)) >= enoughHardware
	if modelled || bits.OnesCount64(all&hardware) >= enoughHardware {
		s.seen = all
	}
	h, count := bits.OnesCount64(s.seen&hardware), bits.OnesCount64(s.seen)
	use := bits.OnesCount64(s.seen & usage)
	event := s.seen&(1<<statEvent) != 0
	// An event or a session, somebody it belongs to, and what sent it.
	about := s.seen&(1<<statClient|1<<statSession) != 0
	sender := s.seen&software != 0
	if s.told >= leastTold {
		return inspect.Suspected
	}
	switch {
	case h >= enoughHardware && count >= enoughProbable, h >= 2 && count >= enoughProbable+2:
		return inspect.Probable
	case h >= enoughHardware, s.seen&solid != 0 && count >= enoughAll:
		return inspect.Suspected
	case h >= 1 && event && about, modelled:
		return inspect.Suspected
	case bits.OnesCount64(s.seen&solid) >= 2 && count >= 3,
		s.seen&(1<<statModel) != 0 && s.seen&(1<<statOSVersion) != 0 && count >= 3 && (s.seen&(1<<statClient|1<<statBuild) != 0 || s.device):
		return inspect.Suspected
	case (s.seen|s.guessed)&(1<<statBuild) != 0 && (s.seen|s.guessed)&(1<<statError) != 0:
		// A crash, and the build that it happened on.
		s.seen |= s.guessed
		return inspect.Suspected
	case !s.report || !sender || count < enoughUse:
	case s.seen&^(1<<statOS|1<<statOSVersion|1<<statLocale|1<<statApp|1<<statAppVersion|1<<statMoment|1<<statSession|1<<statClient|1<<statUserAgent) == 0:
		// Versions and a language, with a number or a time: any request has them.
	case (s.seen&described != 0 || s.device) && (event && about || use >= 3 || use >= 2 && about):
		return inspect.Suspected
	case s.seen&(1<<statOSVersion) != 0 && s.seen&(1<<statCounter) != 0 && bits.OnesCount64(s.seen&software) >= 3:
		// An installer's report: versions, and how it went.
		return inspect.Suspected
	}
	return ""
}

func (s *statistics) labels() []string {
	var out []string
	for f := statModel; f < statCount; f++ {
		if s.seen&(1<<f) != 0 {
			out = append(out, statLabels[f])
		}
	}
	return out
}

// statTail looks a name up by its last words, if it has several:
// ro.product.model, phone_ram_total. What is a thing's of a shop is none.
func statTail(name string) stat {
	var buf [maxName]byte
	var starts [maxWords]uint8
	end, n := split(&buf, &starts, name)
	if end == 0 {
		return statNone
	}
	if !ascii(buf[:end]) {
		for _, x := range statIdeographs {
			if strings.Contains(string(buf[:end]), x.word) {
				return x.of
			}
		}
	}
	for i := 1; i < n; i++ {
		w := buf[starts[i]:end]
		if len(w) < 3 {
			break
		}
		if f := statWords.word(w); f != statNone && f <= statTimezone && f != statOS && f != statNetwork {
			return f
		}
		if len(w) >= 5 {
			if f := statMore.word(w); f != statNone {
				return f
			}
		}
	}
	if n > 1 {
		if f := statHeads.word(buf[:starts[1]]); f != statNone {
			return f
		}
		if f := statHeads.word(buf[starts[n-1]:end]); f != statNone {
			return f
		}
	}
	return statMore.word(buf[:end])
}

// statHeads are words of other languages that say what a name is about whether
// they stand at its beginning or at its end: pil_seviyesi, wolna_pamiec.
var statHeads = newLexicon(map[stat]string{
	statBattery: `pil batarya bateria batería bateri batteri batterie baterie akku accu bataria akkumulator batereya batareya acumulator`,
	statMemory:  `bellek hafiza hafıza pamiec pamięć pamet paměť memoria memória mémoire memoire speicher geheugen minne muisti hukommelse bonho pamyat arbeitsspeicher`,
	statDisk:    `alan bosalan depolama almacenamiento armazenamento stockage speicherplatz opslag lagring lagerplass tallennustila uloziste úložiště tarhely tárhely stocare penyimpanan luutru miejsce espacio espaco espaço espace spazio przestrzen przestrzeń`,
	statScreen:  `ekran ekranu pantalla ecran écran tela schermo bildschirm scherm skarm skærm skjerm naytto näyttö obrazovka kepernyo képernyő layar manhinh`,
	statNetwork: `baglanti bağlantı ag ağ siec sieć sit síť rede reseau réseau netz netzwerk netwerk natverk nätverk nettverk verkko halozat hálózat retea rețea jaringan polaczenie połączenie conexion conexão conexao connexion verbindung verbinding connessione soedinenie`,
	statBuild:   `kompilacja kompilacji derleme compilacion compilação compilacao zbudowanie sestaveni sestavení`,
	statCPU:     `islemci işlemci procesor procesador processeur prozessor processore suoritin`,
	statCarrier: `operatoru operatör operador operadora opérateur operateur netzbetreiber gestore operatore providertelco`,
})

// statMore are further names, many of other languages.
var statMore = newLexicon(map[stat]string{
	statModel: `modello modelu modeli toestel toesteltype toestelmodel kieumay dongmay laitemalli malli mintak telefonmodell telefonmodel montelo μοντέλο דגם مدل مدلدستگاه modelotelefono modelodispositivo modelodoaparelho modelo modele modèle modell модель xinghao jixing modelcode phonebrandmodel devicemod modelno modelnumber dm mod prodmodel productmodel hwmodelname machine machinename
		terminalmodel terminaltype hsmodel devicemarketingname dvcmodel marketname productdevice`,
	statMaker:    `marka markasi uretici2 üretici výrobce producenta fabricante2 produttore producent uretici vyrobce valmistaja tillverkare fabrikantnaam gyarto producator merek pabrikan nhasanxuat hangsanxuat виробник κατασκευαστής μάρκα יצרן سازنده شرکتسازنده marca marque marke hersteller fabricante fabricant fabrikant производитель бренд pinpai changshang devicemaker maker mfr mfg manu manuf devbrand phonebrand productbrand productmanufacturer dbrand terminalbrand`,
	statScreen:   `schermo scherm skarm skærm skjerm naytto obrazovka displej kepernyo ecranul layar manhinh dophangiai οθόνη מסך صفحهنمایش екран risoluzione resolucao rozdzielczosc pantalla ecran écran bildschirm tela экран разрешение fenbianlv resolucion resolução auflösung aufloesung scr scrw scrh dispw disph physicalwidth physicalheight screensizepx lcd lcdsize displaysize displaymetrics`,
	statDensity:  `densidad densité pixeldensity ppi screenppi logicaldensity lcddensity fontscale screeninches diagonal refreshrate`,
	statBattery:  `accu accuniveau batteri akkumulator baterie acumulator pinlevel phantrampin μπαταρία סוללה باتری bateria batería batterie akku akkustand батарея заряд dianliang batt batterylvl batpct soclevel batteryvoltage batterytemp batterycurrent charge chargelevel batteryremaining baterai pil`,
	statCharging: `chargestatus chargingstatus chargetype chargerplugged plugtype batterycharging`,
	statMemory:   `geheugen minne muisti hukommelse pamiec pamet memorie memori bellek bonho μνήμη זיכרון حافظه memoria mémoire speicher arbeitsspeicher память оперативная neicun ramtotalmb ramfreemb rammb memsize memused memkb memtotalkb memfreekb memtotalbytes availmem availableram usedram maxheap heapsize heap nativeheap pss javaheap rambytes totalram appmem peakmemoryusage peakmemory peakmem averagesuspendedmemory memoryaverage memorypeak`,
	statDisk:     `almacenamiento stockage speicherplatz armazenamento хранилище cunchu storagebytes storagetotalbytes storagefreebytes storageused diskspacetotal diskspacefree diskspacefreemb rom romtotalmb romfreemb emmc sdcard freespacemb freestoragemb storageavail flashsize datafree datatotal internalfree internaltotal`,
	statCarrier:  `operador operadora opérateur operateur anbieter netzbetreiber mobilfunkanbieter оператор yunyingshang simname netoperator cellularprovider cellularoperator mobilecarrier simcarrier networkname carrierid telco provider simspn`,
	statNetwork:  `netwerk siec sit natverk verkko nettverk halozat retea jaringan mang δίκτυο רשת شبکه мережа red reseau réseau netz netzwerk rede сеть wangluo net nettypename networksubtype netmode networkmode accesstype conntype linktype bearer bearertype rat cellulartype apntype internettype wifienabled signalstrength networkgeneration mobilenetwork`,
	statCPU:      `procesador processeur prozessor processador процессор chuliqi chip chipset socmodel socname socmanufacturer cpuname cpuhardware cpufreqmax maxfreq cpumaxfreq corecount ncores numcpu cpuabilist supportedabis abilist abi2 instructionset boardplatform platformarchitecture cumulativecputime cputime cputicks cputickscount`,
	statBuild:    `board hardware builddisplay builddisplayid display buildhost builduser buildtime basebandversion baseband radioversion radio romver uiversion osbuildid osbuildnumber osincremental currentfirmware currentrom securitypatchlevel patchlevel kernelver buildprop selinux`,
	statUptime:   `bootcount uptimems uptimesec uptimeseconds sysuptime elapsedtime elapsedrealtimems lastboot lastreboot timeupsinceboot upsince`,
	statRooted:   `isroot su superuser magisk rooting hasroot jailbreak isemu debuggable adbenabled devmode developermode bootloaderunlocked verifiedboot`,
	statGPU:      `graphicscard glesversion opengl openglversion gles gpuname graphics graphicsdevice graphicsdevicename graphicsmemory`,
	statDeviceType: `tipodispositivo devtype ptype terminalkind devicekind uimode
		formfactorname`,
	statOSVersion: `systemversionname osverint apiversion sdkapi androidver androidapi androidosversion sysversion systemver syszversion versionsdk versionsdkint buildversionrelease buildversionsdk osvername versionandroid xitongbanben osversionnumber osrel`,
	statLocale:    `idioma langue sprache язык yuyan defaultlanguage defaultlocale uilanguage userlocale localelang keyboards keyboardlanguage inputlanguage`,
	statTimezone:  `zeitzone fuseauhoraire zonahoraria fusohorario часовойпояс shiqu tzid zoneid timezonename olsontz utcoffsetminutes`,
	statCounter:   `stepcount steps launches opens sessionsperday screenontime screenon unlocks unlockcount foregroundtime apptime dataused rxbytes txbytes bytesreceived bytessent trafficrx traffictx wakelocks wakeups anrcount anrs crashes fps jank frames droppedframes coldstart warmstart startuptime bounce scrolldepth`,
})

// statIdeographs are words of scripts that do not put spaces.
var statIdeographs = []struct {
	word string
	of   stat
}{
	{"型號", statModel},
	{"手機型號", statModel},
	{"廠商", statMaker},
	{"電量", statBattery},
	{"記憶體", statMemory},
	{"解析度", statScreen},
	{"螢幕", statScreen},
	{"網路", statNetwork},
	{"儲存", statDisk},
	{"電信", statCarrier},
	{"памят", statMemory},
	{"виробник", statMaker},
	{"екран", statScreen},
	{"мереж", statNetwork},
	{"μοντελο", statModel},
	{"κατασκευαστ", statMaker},
	{"μπαταρ", statBattery},
	{"μνημη", statMemory},
	{"μνήμη", statMemory},
	{"οθον", statScreen},
	{"דגם", statModel},
	{"יצרן", statMaker},
	{"סוללה", statBattery},
	{"זיכרון", statMemory},
	{"מסך", statScreen},
	{"مدل", statModel},
	{"سازنده", statMaker},
	{"باتری", statBattery},
	{"حافظه", statMemory},
	{"型号", statModel},
	{"机型", statModel},
	{"機種", statModel},
	{"모델", statModel},
	{"机器", statModel},
	{"厂商", statMaker},
	{"品牌", statMaker},
	{"メーカー", statMaker},
	{"制造商", statMaker},
	{"제조사", statMaker},
	{"分辨率", statScreen},
	{"屏幕", statScreen},
	{"解像度", statScreen},
	{"画面", statScreen},
	{"해상도", statScreen},
	{"화면", statScreen},
	{"像素密度", statDensity},
	{"电量", statBattery},
	{"电池", statBattery},
	{"バッテリー", statBattery},
	{"電池", statBattery},
	{"배터리", statBattery},
	{"充电", statCharging},
	{"充電", statCharging},
	{"충전", statCharging},
	{"内存", statMemory},
	{"メモリ", statMemory},
	{"메모리", statMemory},
	{"运行内存", statMemory},
	{"存储", statDisk},
	{"ストレージ", statDisk},
	{"저장", statDisk},
	{"磁盘", statDisk},
	{"容量", statDisk},
	{"运营商", statCarrier},
	{"キャリア", statCarrier},
	{"통신사", statCarrier},
	{"网络", statNetwork},
	{"ネットワーク", statNetwork},
	{"回線", statNetwork},
	{"네트워크", statNetwork},
	{"处理器", statCPU},
	{"프로세서", statCPU},
	{"プロセッサ", statCPU},
	{"系统版本", statOSVersion},
	{"安卓版本", statOSVersion},
	{"osバージョン", statOSVersion},
	{"操作系统", statOS},
	{"系统", statOS},
	{"运行时间", statUptime},
	{"语言", statLocale},
	{"言語", statLocale},
	{"언어", statLocale},
	{"时区", statTimezone},
	{"应用版本", statAppVersion},
	{"版本", statAppVersion},
	{"次数", statCounter},
	{"时长", statCounter},
	{"модел", statModel},
	{"производител", statMaker},
	{"экран", statScreen},
	{"разрешени", statScreen},
	{"батаре", statBattery},
	{"заряд", statBattery},
	{"памят", statMemory},
	{"оператор", statCarrier},
	{"сеть", statNetwork},
	{"процессор", statCPU},
	{"версия", statOSVersion},
	{"язык", statLocale},
	{"मॉडल", statModel},
	{"बैटरी", statBattery},
	{"मेमोरी", statMemory},
	{"नेटवर्क", statNetwork},
	{"स्क्रीन", statScreen},
	{"निर्माता", statMaker},
	{"الطراز", statModel},
	{"البطارية", statBattery},
	{"الذاكرة", statMemory},
	{"الشبكة", statNetwork},
	{"الشاشة", statScreen},
	{"المصنع", statMaker},
	{"الشركة", statMaker},
	{"الشاحن", statCharging},
	{"التخزين", statDisk},
	{"المشغل", statCarrier},
	{"إصدار النظام", statOSVersion},
	{"รุ่น", statModel},
	{"แบตเตอรี่", statBattery},
	{"หน่วยความจำ", statMemory},
	{"เครือข่าย", statNetwork},
	{"หน้าจอ", statScreen},
}

// guess notes what the form of a value says whatever its name.
func (s *statistics) guess(p *inspect.Part, v []byte) {
	if len(v) > 160 || p.Holds()&telling == 0 && len(p.Data) == len(v) {
		return
	}
	f := formOfStat(v)
	if f == 0 && len(v) >= 2 && len(v) <= 32 && mayBeMade(p) {
		if f = formOfModel(v); f != 0 {
			s.choose(v, f)
		}
	}
	if f == 0 {
		return
	}
	if s.guessed|f != s.guessed && s.best == nil {
		s.best = p
	}
	s.guessed |= f
}

// mayBeMade says that the name of a maker or a model in p can be that of the phone:
// no name says something else.
func mayBeMade(p *inspect.Part) bool {
	switch len(p.Name) {
	case 0:
		return true
	case 1:
		if p.Name != "q" && p.Name != "s" {
			return true
		}
	default:
		if p.Name[0]-'0' < 10 && allDigits([]byte(p.Name)) {
			return true
		}
	}
	return p.Path[len(p.Path)-1] == ']'
}

// choose remembers such a name, and that there are several.
func (s *statistics) choose(v []byte, f uint64) {
	have := &s.model
	if f == 1<<statMaker {
		have = &s.maker
		if *have != nil && s.brand == nil { // Xiaomi, and Redmi
			have = &s.brand
		}
	}
	if *have == nil {
		*have = v
	}
	s.several = s.several || !bytes.EqualFold(*have, v) && !bytes.EqualFold(s.maker, v)
}

// formOfStat returns the families that a value is of by its form alone.
func formOfStat(v []byte) uint64 {
	if len(v) < 2 || len(v) > 160 {
		return 0
	}
	switch {
	case len(v) >= 7 && len(v) <= 11 && v[0]-'0' < 10:
		i := bytes.IndexAny(v, "xX*")
		if i >= 3 && len(v)-i >= 4 && allDigits(v[:i]) && allDigits(v[i+1:]) && i <= 4 && len(v)-i <= 5 {
			return 1 << statScreen
		}
	case isBuildID(v):
		return 1 << statBuild
	case len(v) > 12 && len(v) < 120 && v[0]|0x20-'a' < 26 && bytes.IndexByte(v, ' ') < 0 && bytes.IndexByte(v, '.') > 0 && (bytes.HasSuffix(v, []byte("Exception")) || bytes.HasSuffix(v, []byte("Error"))):
		return 1 << statError
	case len(v) > 20 && bytes.Count(v, []byte("/")) >= 3 && bytes.Contains(v, []byte(":")) && bytes.HasSuffix(v, []byte("-keys")):
		return 1<<statBuild | 1<<statMaker | 1<<statModel // a build fingerprint names all three
	case len(v) == 5 && (v[2] == '_' || v[2] == '-') && v[0]-'a' < 26 && v[1]-'a' < 26 && (v[3]-'A' < 26 && v[4]-'A' < 26 || v[2] == '-' && v[3]-'a' < 26 && v[4]-'a' < 26):
		return 1 << statLocale
	case len(v) > 8 && len(v) < 32 && bytes.IndexByte(v, '/') > 3:
		area, _, _ := bytes.Cut(v, []byte("/"))
		switch string(area) {
		case "Europe", "Asia", "America", "Africa", "Australia", "Pacific", "Atlantic", "Indian":
			return 1 << statTimezone
		}
	}
	if len(v) <= 16 {
		var buf [maxName]byte
		var word []byte
		if c := v[0]; shortStarts[c] || v[len(v)-1] == ']' {
			word = squeeze(&buf, string(v))
		}
		switch string(word) {
		case "wifi", "lte", "hspa", "hspap", "umts", "gprs", "wcdma", "cdma", "evdo", "edge", "nr", "wlan":
			return 1 << statNetwork
		case "2g", "3g", "4g", "5g", "cellular", "nrnsa", "nrsa":
			return 1 << statNetwork
		case "arm64v8a", "armeabiv7a", "armeabi", "x8664", "aarch64", "arm64", "armv7l", "armv8l", "armv8", "qcom":
			return 1 << statCPU
		case "android", "ios", "iphoneos", "ipados", "harmonyos":
			return 1 << statOS
		}
		// The maker's name of a model with its number: Word12,3.
		if i := bytes.IndexByte(v, ','); i > 4 && i < len(v)-1 && allDigits(v[i+1:]) && hasLetter(v[:3]) && v[i-1]-'0' < 10 {
			return 1 << statModel
		}
	}
	return 0
}

// shortStarts are the bytes that the short words of formOfStat begin with, or that
// can stand in front of them.
var shortStarts = func() (t [256]bool) {
	for c := range t {
		t[c] = charOf[c]&(chDigit|chLower|chUpper) == 0
	}
	for _, c := range []byte("wlhugcen2345axqi") {
		t[c] = true
		t[c&^0x20] = true
	}
	return t
}()

// phoneMakers are the names of makers and brands of phones, as systems report them.
var phoneMakers = func() map[string]bool {
	m := make(map[string]bool)
	for w := range strings.FieldsSeq(`samsung xiaomi redmi poco huawei honor oppo realme oneplus vivo iqoo motorola lenovo nokia hmdglobal sony asus zte nubia tecno infinix itel transsion meizu fairphone lge sharp kyocera fujitsu alcatel tcl wiko doogee blackview ulefone oukitel cubot blackshark smartisan gionee coolpad hisense micromax lava karbonn symphony walton advan evercoss positivo multilaser`) {
		m[w] = true
	}
	return m
}()

// makerForms holds the lengths of phoneMakers, as bits, by their first and last
// letters: nearly all words are none of them.
var makerForms = func() (t [32][32]uint16) {
	for w := range phoneMakers {
		t[w[0]&31][w[len(w)-1]&31] |= 1 << len(w)
	}
	return t
}()

func isPhoneMaker(v []byte) bool {
	if len(v) > 15 || makerForms[v[0]&31][v[len(v)-1]&31]>>len(v)&1 == 0 {
		return false
	}
	var buf [16]byte
	for i, c := range v {
		buf[i] = c | 0x20
	}
	return phoneMakers[string(buf[:len(v)])]
}

// phoneSeries are what the names and numbers of models of phones begin with; a
// digit or a word with one follows.
var phoneSeries = []string{"SM-", "GT-", "Redmi ", "POCO ", "Galaxy ", "Pixel ", "moto ", "Moto ", "motorola ", "Nokia ", "Infinix ", "TECNO ", "itel ", "OnePlus ", "realme ", "HUAWEI ", "HONOR ", "Xperia ", "Lenovo ", "vivo ", "OPPO ", "Mi ", "ZTE ", "XT", "RMX", "CPH", "iPhone "}

// seriesBy are the indexes in phoneSeries by first byte.
var seriesBy = func() (t [256][]uint8) {
	for i, s := range phoneSeries {
		t[s[0]] = append(t[s[0]], uint8(i))
	}
	return t
}()

// formOfModel returns the family of a value that is the name of a maker of phones
// or of a model.
func formOfModel(v []byte) uint64 {
	if isPhoneMaker(v) {
		return 1 << statMaker
	}
	for _, i := range seriesBy[v[0]] {
		start := phoneSeries[i]
		if len(v) < len(start)+2 || string(v[:len(start)]) != start {
			continue
		}
		if rest := v[len(start):]; len(start) > 4 || start[len(start)-1] == '-' || start[len(start)-1] == ' ' {
			if hasDigit(rest) {
				return 1 << statModel
			}
		} else if len(rest) >= 4 && len(rest) <= 8 && allDigits(rest[:3]) {
			return 1 << statModel
		}
	}
	return 0
}

// isBuildID takes the number of a build as Android forms it: two to four capitals
// or digits, a date of six digits and a number, between full stops.
func isBuildID(v []byte) bool {
	if len(v) < 13 || len(v) > 20 || v[0]-'A' >= 26 {
		return false
	}
	branch, rest, _ := bytes.Cut(v, []byte("."))
	date, rest, ok := bytes.Cut(rest, []byte("."))
	if !ok || len(branch) < 3 || len(branch) > 4 || len(date) != 6 || !allDigits(date) || len(rest) < 3 || !allDigits(rest[:3]) || !hasDigit(branch) {
		return false
	}
	for _, c := range branch {
		if c-'A' >= 26 && c-'0' >= 10 {
			return false
		}
	}
	return true
}

// fingerprintEnds are what the fingerprints of builds end with.
var fingerprintEnds = [][]byte{[]byte("release-keys"), []byte("test-keys"), []byte("dev-keys")}

// fingerprint looks for one in a text of words, such as the head of a trace.
func (s *statistics) fingerprint(p *inspect.Part) {
	d := p.Data[:min(len(p.Data), longestLoose)]
	if bytes.IndexByte(d, '/') < 0 {
		return
	}
	for _, end := range fingerprintEnds {
		i := bytes.Index(d, end)
		if i < 0 {
			continue
		}
		i += len(end)
		start := i
		for start > 0 && i-start < 160 && d[start-1] > ' ' && d[start-1] != '\'' && d[start-1] != '"' && d[start-1] != '=' {
			start--
		}
		s.guess(p, d[start:i])
		return
	}
}

// managed are the nodes of device management (OMA-TS-DM_StdObj sections 5.3.1 and
// 5.3.2) that describe the phone.
var managed = map[string]stat{"Man": statMaker, "Mod": statModel, "Lang": statLocale, "FwV": statBuild, "SwV": statOSVersion, "HwV": statCPU, "DevTyp": statDeviceType, "OEM": statMaker}

// node notes what the address of a node says that its value is.
func (s *statistics) node(p *inspect.Part) {
	d := p.Data
	if len(d) > 40 || !bytes.HasPrefix(d, []byte("./Dev")) {
		return
	}
	if i := bytes.LastIndexByte(d, '/'); string(d[:i]) == "./DevInfo" || string(d[:i]) == "./DevDetail" {
		if f := managed[string(d[i+1:])]; f != statNone {
			if s.note(f, p); f != statLocale {
				s.nodes++
			}
			if s.nodes >= 2 {
				s.told = leastTold
			}
		}
	}
}

// longestList is how long a text is that may be a list of values, in bytes.
const longestList = 8 << 10

// loose looks at texts that no decoder takes apart: values, or names with
// values, between separators, and lines of such under a head.
func (s *statistics) loose(p *inspect.Part) {
	d := p.Data
	if p.Parent == nil {
		switch p.Decoder() {
		case "request.body", "frame", "upload", "request.query":
		default:
			return
		}
	}
	var separator byte
	best := 3
	for _, c := range []byte("|;\t,^#&\n\x01") {
		if n := bytes.Count(d, []byte{c}); n >= best && n <= 256 {
			best, separator = n+1, c
		}
	}
	if separator == 0 || !isPrintable(bytes.ReplaceAll(d[:min(len(d), 64)], []byte{1}, []byte{','})) {
		return
	}
	first, rest, lines := bytes.Cut(d, []byte("\n"))
	if lines && separator != '\n' {
		second, _, _ := bytes.Cut(rest, []byte("\n"))
		names, values := bytes.Split(bytes.TrimSpace(first), []byte{separator}), bytes.Split(bytes.TrimSpace(second), []byte{separator})
		if len(names) == len(values) && len(names) >= 3 {
			for i := range names {
				s.pair(p, names[i], values[i])
			}
			return
		}
	}
	for token := range bytes.SplitSeq(d, []byte{separator}) {
		token = bytes.Trim(token, " \t\r\n\"'{}[]()")
		if len(token) > 200 {
			continue
		}
		if i := bytes.IndexAny(token, "=:"); i > 0 && i < 48 {
			s.pair(p, token[:i], token[i+1:])
			continue
		}
		s.guess(p, token)
	}
}

func (s *statistics) pair(p *inspect.Part, name, value []byte) {
	name, value = bytes.Trim(name, " \t\r\""), bytes.Trim(value, " \t\r\"")
	if len(name) < 2 || len(value) == 0 {
		return
	}
	var buf [maxName]byte
	f := statWords.word(squeeze(&buf, string(name)))
	if f == statNone || !f.fits(value) {
		f = statTail(string(name))
	}
	if f != statNone && f.fits(value) {
		s.note(f, p)
		return
	}
	s.guess(p, value)
}
