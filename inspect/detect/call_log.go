package detect

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"constat/inspect"
)

// CallLog recognises calls that were made, taken or missed.
//
// It asks for a telephone number together with what a call log keeps: when, how
// long, which way. The names are those of Android's provider
// (android.provider.CallLog.Calls), of backup programs, of iOS and of the clouds
// that copy them. A call that is being set up has no duration and no outcome, and
// the statistics of a call centre have agents and queues.
var CallLog = inspect.Detector{
	Name:   "call_log",
	Class:  inspect.CallLog,
	Doc:    "looks for a telephone number together with the direction, duration or date of a call",
	Detect: detectCalls,
}

// callField is a family of field names.
type callField uint8

const (
	callNone     callField = iota
	callNumber             // whom the call was with
	callPeer               // the same, where the name alone could mean somebody else
	callDate               // when
	callEnd                // when it was answered or ended
	callDuration           // how long
	callType               // which way, and whether it was answered
	callFlag               // incoming, missed, answered: yes or no
	callName               // name of the other end
	callMark               // only call logs have it
	callSetup              // calls that are being set up
	callCentre             // call centres
	callOther              // messages, orders, trips
	callCount
)

var callWords = speaking(newLexicon(map[callField]string{
	callNumber: `calling called dfhm hm dhhm callednum callingnum srcnum dstnum number num phone phonenumber phoneno phonenum telephone tel mobile mobileno mobilenumber msisdn callnumber callednumber callingnumber matchednumber calledphone callphone callernumber callernum calleenumber calleephone callerphone
		incomingnumber outgoingnumber inboundnumber outboundnumber missednumber dialednumbers calleridnum callerno calleeno partynumber remotenumber othernumber peernumber peerphone contactnumber contactphone zaddress formattednumber normalizednumber viapartynumber numberdialed numbercalled dialednumber dialed dialednum phonestr remoteparty otherparty callerid callidnumber
		fromnumber tonumber anumber bnumber apartynumber bpartynumber aparty bparty callingparty calledparty telefon telefono telefone numero rufnummer nummer номер телефон 号码 电话 电话号码 手机号 phonecall dianhua haoma telno
		numerodetelephone numerotelephone clientphone clientnumber clientmobile customerphone customernumber customermobile leadphone prospectphone msisdnb msisdna bmsisdn amsisdn bnum anum numberb numbera
		الرقم رقم numara nomor หมายเลข 番号 번호 מספר شماره नंबर appelant appele anrufer angerufener llamante chiamante addr shoujihao ph pn`,
	callPeer:     `from to caller callee peer remote counterpart counterparty destino origen origem contact handle address party participant recipient source destination src dst dest with who correspondant`,
	callDate:     `kssj thsj date time timestamp ts datetime starttime startedat startat start started calldate calltime callstart callstarttime callstartedat when zdate begin begintime createtime createdat at t d datum zeit uhrzeit heure fecha hora data дата время 时间 日期 通话时间 shijian riqi startts starttimestamp callts calldatetime calltimestamp occurredat readabledate initiatedat dialedat xirmccalldatetime datestr dt`,
	callEnd:      `endtime endedat endat end ended callend callendtime answertime answeredat connecttime connectedat connecteddate enddate finishtime hanguptime disconnecttime lastmodified`,
	callDuration: `thsc duration ringtime ringduration totalduration totaltime talkseconds calllength callduration durationsec durationsecs durationseconds durationms durationmillis durationins durationinsec talktime talkduration lengthseconds lengthsec duracionsegundos duracionseg duracaosegundos dureesecondes dauersekunden seconds secs length len dur zduration duree dauer duracion durata duracao длительность 时长 通话时长 shichang tonghuashichang billsec conversationduration calltimelength elapsed`,
	callType:     `hjlx thlx type calltype direction calldirection callkind kind dir calltypename disposition callresult callstatus outcome zcalltype typ tipo richtung sens тип направление 类型 通话类型 leixing hujiaoleixing callstate inout callflag status result answerstate reason endreason cause`,
	callFlag:     `incoming isincoming outgoing isoutgoing missed ismissed answered isanswered zoriginated zanswered originated inbound isinbound isoutbound rejected isrejected missedcall isread unread zread read new`,
	callName:     `name cachedname displayname contactname callername calleename zname nom nome nombre 姓名 имя peername cachednumberlabel cachednumbertype`,
	callMark: `calllogid geocodedlocation geocode countryiso phoneaccountid subscriptioncomponentname postdialdigits vianumber numberpresentation presentation voicemailuri transcription cachedlookupuri cachedformattednumber cachednormalizednumber cachedmatchednumber cachedphotoid cachedphotouri
		blockreason callscreeningappname callscreeningcomponentname missedreason subscriptionid subid simid simslot simindex zisocountrycode zserviceprovider zuniqueid zhandletype ringcount isvideocall isvideo callcategory calllog calltypeid phoneaccountaddress phoneaccountcomponentname incomingcalls outgoingcalls missedcalls lastcall lastcalltime lastcalldate callsin callsout`,
	callSetup:  `sdp candidate candidates ice iceservers icecandidate offer answer cseq via contacturi useragentheader branch callsetup ttl expires turn stun codec codecs ssrc jitter packetslost rtt mos bitrate roomid room roomname meetingid jointoken dtls fingerprint peerconnectionid iceconnectionstate audiocodec videocodec trunk`,
	callCentre: `agent agentid agentname queue queueid queuename waittime holdtime sla abandoned abandonedcalls handled handledcalls ivr skill campaign campaignid wrapup acw averagehandletime aht csat extension tenant tenantid dispositioncode calls totalcalls callcount avgduration averageduration supervisor`,
	callOther: `body text message content snippet subject sms msg smstext threadid amount price currency orderid order tripid rideid driver driverid lat lng latitude longitude pickup dropoff email password otp code product sku song track artist album video videoid trackid screen pagename
		page url step exercise workout calories distance heartrate playlist episode`,
}),
	meaning[callField]{ofPhone, callNumber}, meaning[callField]{ofDate, callDate}, meaning[callField]{ofStart, callDate}, meaning[callField]{ofEnd, callEnd}, meaning[callField]{ofDuration, callDuration}, meaning[callField]{ofWay, callType},
	meaning[callField]{ofSender, callPeer}, meaning[callField]{ofReceiver, callPeer}, meaning[callField]{ofPerson, callName}, meaning[callField]{ofText, callOther},
)

// callAround are words in names of fields that say no more than that it is a
// call's.
var callAround = newLexicon(map[bool]string{true: `call calls phonecall voice telephony appel appels anruf anrufe gesprach llamada llamadas chiamata chiamate chamada chamadas ligacao ligacoes oproep gesprek polaczenie polaczenia rozmowa rozmowy hovor звонок звонка звонки вызов вызова arama cagri gorusme panggilan cuocgoi goi mukalama log record entry item cached str text ms sec secs seconds millis hash hashed sha256 sha1 md5 hmac digest enc encrypted masked
	对方 對方 主叫 被叫 呼叫方 通话 通話 来电 來電 呼叫 电话 전화 통화 कॉल การโทร المكالمه مكالمه שיחה`})

// callFamily returns the family of a field's name, by the whole of it or by the
// word in it that is not about calls.
func callFamily(name string) callField {
	if w := callWords.of(name); w != callNone {
		return w
	}
	return callWords.compound(name, callAround)
}

var callFolds = newLexicon(map[callField]string{
	callNumber: `phone phonenumber number caller callee contact peer remote party otherparty participant participants handle remoteparticipanthandles from to addresses correspondent`,
	callDate:   `time times date timing timestamps`,
	callMark:   `call details data attributes properties info fields sim phoneaccount`,
})

var (
	// callPlaces are what lists of calls are called.
	callPlaces = newStems(
		"calllog", "callhistory", "callrecord", "callslog", "phonecall", "calldetail", "recentcall", "recents", "missedcall", "cdr", "callentr", "callslist", "calllist", "calls", "zcallrecord", "tonghuajilu", "thjl", "tonghua", "callevent", "callend", "callinfo", "calldata", "callbackup", "callmeta", "callsync",
		"anruf", "appel", "llamada", "chiamat", "chamada", "ligacoes", "ligacao", "polaczen", "rozmow", "oproep", "gesprekk", "hovor", "apeluri", "hivas", "samtal", "κλησ", "звонк", "звонок", "вызов", "дзвін", "дзвінк", "通话", "通話", "来电", "來電", "呼叫记录", "着信", "発信", "통화", "전화기록", "การโทร", "สายที่", "المكالمات", "مكالم", "تماس", "שיחות", "कॉल", "hujijilu", "laidian",
		"aramakay", "aramalar", "cagrikay", "gorusmekay", "panggilan", "cuocgoi", "nhatkygoi", "tsuwa", "tonghwa", "zvonk", "zvonok", "vyzov", "dialer", "phonelog", "telephonylog", "calllogs", "recentcalls",
	)
	// callLists are those of them that say so as the name of a field.
	callLists = newStems("calllog", "callhistory", "callrecord", "phonecall", "calldetail", "missedcall")
	// callNames are parts of names of fields that only calls have.
	callNames = newStems("call", "appel", "anruf", "llamad", "chiamat", "chamada", "ligacao", "oproep", "polaczen", "rozmow", "звонк", "вызов", "cuocgoi", "panggilan", "cagri", "通话", "通話", "통화", "कॉल", "การโทร", "مكالم", "zoriginated", "zanswered", "dialed", "dialled", "ringing", "missed")
	// dateNames are parts of names of points in time.
	dateNames = newStems("time", "date", "stamp", "when")
	// callEvents are what a call is called.
	callEvents = newStems("call", "anruf", "appel", "llamada", "chiamata", "chamada", "ligacao", "oproep", "polaczenie", "rozmow", "звонок", "звонк", "вызов", "通话", "通話", "来电", "來電", "통화", "कॉल", "مكالم", "panggilan", "cuocgoi", "cagri", "tonghua", "incomingphone", "dialed")
)

var callGather = withNames(gather{
	need: callNeed, may: callMay, live: callLive, brief: true,
	want: func(p *inspect.Part) bool {
		if len(p.Data) > 12 && len(p.Data) <= 160 && p.Kind == inspect.Text && indexed(string(p.Path)) && joinsPhone(p) {
			return true
		}
		return len(p.Data) >= 3 && len(p.Data) <= 40 && p.Kind <= inspect.Number && (p.Data[0]-'0' < 10 || p.Data[0] == '+' || p.Data[0] == '(' || p.Data[0] == 't' || p.Data[0] >= 0x80) && holdsPhone(p, shortCode) && !(p.Kind == inspect.Number && isRecent(p.Data)) &&
			(p.Kind <= inspect.Text || callWords.of(p.Name) == callNumber || len(p.Name) <= 2 || p.Data[0] == '0')
	},
	place: callPlaceOf,
	fold:  func(key string, _ bool) bool { return callFolds.of(key) != callNone },
	whole: func(key string, r inspect.Record) bool {
		if callFolds.of(key) != callMark {
			return false
		}
		number, signs := false, 0
		for _, f := range r.Fields {
			switch callFamily(f.Name) {
			case callNumber, callPeer:
				number = true
			case callDate, callDuration, callType:
				signs++
			}
		}
		return number && signs > 0
	},
	column: func(name string) bool { w := callWords.of(name); return w > callNone && w <= callMark },
})

func callPlaceOf(group string) bool {
	_, key := lastKey(group)
	return len(key) > 3 && mentions(key, callPlaces)
}

// callTypes are outcomes of calls; those of the second kind are said of messages
// as well.
var callTypes = newLexicon(map[callField]string{
	callType: `主叫 被叫 呼叫 call phonecall voicecall missed missedcall rejected declined dialed dialled answered unanswered noanswer voicemail incomingcall outgoingcall callin callout incall outcall busy
		entrant sortant manque appelentrant appelsortant appelmanque eingehend ausgehend verpasst entrante saliente perdida recebida entrata uscita persa входящий исходящий пропущенный 呼入 呼出 未接 已接 来电 去电 未接来电 拨出 拨打 接听 拒接
		answeredexternally blocked callmissed missedincoming canceled cancelled hungup huchu huru weijie 着信 発信 不在着信 不在 応答なし 부재중 부재중전화 수신 발신 거절 incomingmissed incomingaccepted
		abgelehnt angenommen verpassteranruf eingehenderanruf ausgehenderanruf llamadaperdida llamadaentrante llamadasaliente rechazada efetuada realizada recebidas perdidas naoatendida atendida rejeitada inuscita inentrata persata rifiutata effettuata ricevuta inkomend uitgaand gemist geweigerd przychodzace wychodzace nieodebrane odrzucone przychodzaca wychodzaca nieodebrana входящая исходящая исходящие входящие пропущенная пропущенные отклоненный отклонен принят вхідний вихідний пропущений prichozi odchozi zmeskany gelen giden cevapsiz reddedildi gelenarama gidenarama cevapsizarama وارده صادره فائته واردة صادرة فائتة مرفوضه وارد صادر ورودی خروجی נכנסת יוצאת שלאנענתה आनेवाली इनकमिंग आउटगोइंग मिस्ड छूटी मिस्डकॉल masuk keluar takterjawab panggilanmasuk panggilankeluar tidakterjawab goiden goidi nho cuocgoiden cuocgoidi cuocgoinho den di สายเข้า โทรเข้า สายออก โทรออก ไม่ได้รับ สายที่ไม่ได้รับ 呼入来电 来电未接 已拨 已拨电话 已接来电 撥出 接聽 未接來電 來電 去電 vkhodyashchii iskhodyashchii propushchennyi vhodyashchiy ishodyashchiy propuschennyi rejectedcall busyline dialout dialin hangup`,
	callFlag: `incoming outgoing inbound outbound in out received made sent rx tx mo mt completed`,
})

// isCallType says that p is an outcome of a call: a word, perhaps one that only
// calls have, or one of the numbers that Android's provider uses.
func isCallType(p *inspect.Part) (word, ok bool) {
	if len(p.Data) > 24 {
		return false, false
	}
	var buf [maxName]byte
	w := squeeze(&buf, string(p.Data))
	if len(w) == 0 {
		return false, false
	}
	if allDigits(p.Data) {
		return false, len(p.Data) == 1
	}
	of := callTypes.word(w)
	return of == callType, of != callNone
}

// call is what a card says about a call.
type call struct {
	field  [callCount]*inspect.Part
	shape  phoneShape
	cells  []cell
	marks  int           // fields that only call logs have
	word   bool          // its type is a word that only calls have
	number bool          // a field is called after numbers
	hashed *inspect.Part // hash of the number
	spare  int           // numbers that nothing is known of
	texts  int           // texts that nothing is known of
	where  bool          // what is not of the call is where the phone was
}

func readCall(c *card) *call {
	k := new(call)
	for _, x := range c.cells {
		w := callFamily(x.name)
		if x.via != "" && (w == callNone || x.name == "address") {
			if w = callFolds.of(x.via); w == callMark || w == callNumber && x.name == "name" {
				w = callNone
			}
		}
		if w == callNone && len(x.name) > 3 && isRecent(x.Data) && (mentions(x.name, dateNames) || endsInAt(x.name)) {
			w = callDate
		}
		if len(x.name) <= 2 && (w == callDate && !isInstant(x.Part) || w == callNone) && len(x.name) > 0 && x.Kind <= inspect.Number && allDigits(x.Data) && len(x.Data) <= 6 && x.name[0]-'0' > 9 {
			// Letters that stand for several words: what fits.
			if w = callDuration; len(x.Data) == 1 && k.field[callType] == nil {
				w = callType
			}
		}
		if w == callNone || len(x.Data) == 0 || x.Kind == inspect.Null {
			if w == callMark {
				k.field[callMark] = x.Part
			}
			continue
		}
		if w == callDate && x.name[0] >= utf8.RuneSelf && x.Kind <= inspect.Number && len(x.Data) <= 6 && allDigits(x.Data) {
			w = callDuration // one word for when and how long
		}
		if w == callMark {
			k.marks++
		}
		if w == callOther {
			place := equalFoldAny([]byte(x.name), "lat", "lng", "latitude", "longitude")
			k.where = place && (k.where || k.field[callOther] == nil)
		}
		if k.field[w] != nil && w != callNumber && w != callPeer {
			continue
		}
		ok := true
		switch w {
		case callNumber, callPeer:
			shape := telephone(x.Data)
			if shape == notPhone && k.shape == notPhone && digest(x.Data) >= 8 {
				k.hashed = x.Part
				k.cells = append(k.cells, x)
			}
			if ok = shape > k.shape; ok {
				k.shape = shape
				k.number = k.number || w == callNumber
			}
		case callDate, callEnd:
			ok = isInstant(x.Part) && x.Data[0] != '+' ||
				w == callDate && x.Kind == inspect.Number && len(x.Data) >= 9 // seconds since 2001 with a fraction, as iOS counts
		case callDuration:
			ok = isDuration(x.Part)
		case callType:
			var word bool
			word, ok = isCallType(x.Part)
			k.word = k.word || word
			if equalFoldAny(x.Data, "sms", "mms", "rcs") {
				k.field[callOther] = x.Part // of a message, which has a length as well
			}
		case callFlag:
			ok = isSmall(x.Part)
		case callName:
			ok = len(x.Data) <= 80
		}
		if ok {
			k.field[w] = x.Part
			if w <= callMark {
				k.cells = append(k.cells, x)
			}
		}
	}
	return k
}

// shortNames says that the names of the fields of c say nothing: they have one or
// two letters, or are numbers.
func shortNames(c *card) bool {
	for _, x := range c.cells {
		if len(x.name) > 2 && !allDigits([]byte(x.name)) {
			return false
		}
	}
	return true
}

// guessCall reads a card whose names say nothing by what the values are.
func guessCall(c *card) *call {
	k := new(call)
	for _, x := range c.cells {
		w := callNone
		switch {
		case len(x.Data) == 0 || x.Kind == inspect.Null:
		case isRecent(x.Data):
			w = callDate
		case telephone(x.Data) > max(k.shape, shortCode) && (x.Kind != inspect.Number || telephone(x.Data) == fullPhone):
			w = callNumber
			k.shape = telephone(x.Data)
			k.number = true
		case allDigits(x.Data) && len(x.Data) == 1 && k.field[callType] == nil:
			w = callType
		case allDigits(x.Data) && len(x.Data) <= 6, len(x.Data) <= 12 && x.Data[0]-'0' < 10 && isDuration(x.Part):
			if w = callDuration; k.field[callDuration] != nil {
				k.spare++
			}
		case x.Kind <= inspect.Text && len(x.Data) > 40 && digest(x.Data) == 0:
			w = callOther
		default:
			if word, ok := isCallType(x.Part); ok {
				w = callType
				k.word = word
			} else if x.Kind <= inspect.Text {
				k.texts++
			}
		}
		if w == callNone || k.field[w] != nil && w != callNumber {
			continue
		}
		k.field[w] = x.Part
		k.cells = append(k.cells, x)
	}
	return k
}

// isDuration says that p can be how long a call took: seconds or milliseconds,
// 3:25, or PT3M25S.
func isDuration(p *inspect.Part) bool {
	if len(p.Data) > 16 {
		return false
	}
	digits := 0
	for i, c := range p.Data {
		switch {
		case c-'0' < 10:
			digits++
		case c == ':', c == '.', c == ' ', c == 'P' && i == 0, c == 'T' && i == 1, c|0x20-'a' < 26 && digits > 0, c >= 0x80:
		default:
			return false
		}
	}
	return digits > 0 && digits <= 9
}

func detectCalls(t *inspect.Tree) []inspect.Finding {
	var out []inspect.Finding
	bySheet := make(tally)
	path := pathMentions(t, callPlaces)
	for c := range callGather.cards(t) {
		if len(c.cells) < 2 {
			continue
		}
		place, event := path, false
		for name := range c.where() {
			place = place || mentions(name, callPlaces)
		}
		k := readCall(c)
		if place && len(c.cells) >= leastGuessed && len(c.cells) <= 12 && (c.scalar || shortNames(c)) {
			k = guessCall(c)
		} else if (c.scalar && c.list != "" || k.shape == notPhone && shortNames(c)) && len(c.cells) >= 4 && len(c.cells) <= 7 {
			// Without any name, all four must be there.
			k = guessCall(c)
			if k.texts > 0 && !outerEvent(c, callEvents) {
				continue
			}
			if k.shape < bareDigits || k.field[callDate] == nil || k.field[callDuration] == nil || k.field[callType] == nil || k.field[callOther] != nil || k.spare > 0 {
				continue
			}
			if k.shape == bareDigits && (k.field[callNumber].Kind == inspect.Number || !isLongNumber(k.field[callNumber].Data)) {
				continue
			}
			k.shape = fullPhone
		} else if c.scalar {
			continue
		}
		if k.shape < shortCode && k.hashed == nil {
			continue
		}
		for _, x := range c.cells {
			place = place || mentions(x.name, callLists)
			event = event || eventNames[x.name] && x.Kind <= inspect.Text && len(x.Data) <= maxName && mentions(string(x.Data), callEvents)
		}
		event = event || outerEvent(c, callEvents)
		confidence := k.weigh(place, event, c.cells[0].Decoder() == "vobject")
		if confidence == "" {
			continue
		}
		s := c.sheet()
		if bySheet.again(s) {
			continue
		}
		if len(out) >= maxFindings {
			break
		}
		at, whom := k.at(), "A telephone number"
		if at == k.hashed {
			whom = "The hash of a telephone number"
		}
		bySheet.first(s, len(out))
		out = append(out, inspect.Finding{
			Confidence: confidence, Direction: c.parent.Direction, Path: at.Path,
			Reason: fmt.Sprintf("%s with the %s, which together say with whom, when, how long or which way somebody was on the telephone, %s.", whom, fieldNames(k.cells), route(at)),
		})
	}
	bySheet.say(out, "entries")
	if len(out) == 0 {
		out = callsInWords(t, path)
	}
	return out
}

// endsInAt says that a name ends as those of points in time do: rang_at,
// startedAtMs.
func endsInAt(name string) bool {
	name = strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(name, "Ms"), "_ms"), "_ts")
	return strings.HasSuffix(name, "At") || strings.HasSuffix(name, "_at") || strings.HasSuffix(name, "-at")
}

// callPhrase looks for the words of a call in b: a telephone number, and beside
// it how the call ended ("Missed call from +33639981122, 3:25"). of is where the
// number stands.
func callPhrase(b []byte) (way, call, long, ok bool) {
	const most = 9 // words, beside the number
	if len(b) < 10 || len(b) > 160 {
		return false, false, false, false
	}
	if !numberIn(b) {
		return false, false, false, false
	}
	number, words := false, 0
	for i := 0; i < len(b); {
		c := b[i]
		switch {
		case c == '+' || c == '(' || c-'0' < 10:
			end := runEnd(b, i)
			run := bytes.TrimRight(b[i:end], " ()./-")
			switch {
			case !number && isCalled(run):
				number = true
			case number && len(run) <= 5:
				unit := bytes.TrimLeft(b[end:], " ")
				long = long || len(unit) > 0 && (unit[0] == 's' || unit[0] == ':' || unit[0] == 'm' || bytes.HasPrefix(unit, []byte("秒")) || bytes.HasPrefix(unit, []byte("с")))
			}
			i = end
		case c|0x20-'a' < 26 || c >= utf8.RuneSelf:
			end := i + 1
			for end < len(b) && (b[end]|0x20-'a' < 26 || b[end] >= utf8.RuneSelf) {
				end++
			}
			word := string(b[i:end])
			if len(word) <= maxName {
				w := callTypes.of(word)
				way = way || w == callFlag && (len(word) > 4 || words < 3 && strings.ToUpper(word) == word) || w == callType && !mentions(word, callEvents)
				call = call || mentions(word, callEvents)
				if words++; words > most {
					return false, false, false, false
				}
			}
			i = end
		default:
			i++
		}
	}
	return way, call, long, number
}

// hasCapitals says that there are as many capitals in a row as the shortest of
// callEvents in Latin letters has.
func hasCapitals(b []byte) bool {
	n := 0
	for _, c := range b {
		if n++; c-'A' >= 26 {
			n = 0
		} else if n == len("CALL") {
			return true
		}
	}
	return false
}

// runEnd is where the digits that begin at i end, with what stands between them.
func runEnd(b []byte, i int) int {
	end := i + 1
	for ; end < len(b); end++ {
		switch c := b[end]; c {
		case ' ', '(', ')', '.', '/', '-':
			if end+1 == len(b) || b[end+1]-'0' > 9 && b[end+1] != '(' && b[end+1] != ' ' {
				return end
			}
		default:
			if c-'0' > 9 {
				return end
			}
		}
	}
	return end
}

// isCalled says that a run of digits is a telephone number.
func isCalled(run []byte) bool {
	return len(run) >= 7 && !isRecent(run) && !looksLikeDate(run) && telephone(run) >= bareDigits
}

// numberIn says that one of the runs of digits in b is a telephone number.
func numberIn(b []byte) bool {
	for i := 0; i < len(b); {
		c := b[i]
		if c != '+' && c != '(' && c-'0' > 9 {
			i++
			continue
		}
		end := runEnd(b, i)
		if end-i >= 7 && isCalled(bytes.TrimRight(b[i:end], " ()./-")) {
			return true
		}
		i = end
	}
	return false
}

// callsInWords looks for calls that are told in words: in the entries of a
// calendar, in the lines of a log.
func callsInWords(t *inspect.Tree, path bool) []inspect.Finding {
	tell := func(p *inspect.Part, n int) []inspect.Finding {
		confidence := inspect.Suspected
		if n >= 3 {
			confidence = inspect.Probable
		}
		return []inspect.Finding{{
			Confidence: confidence, Direction: p.Direction, Path: p.Path,
			Reason: fmt.Sprintf("A text that tells in words of a call with a telephone number, and which way it went, %s; there are %d of them.", route(p), n),
		}}
	}
	n := 0
	var first, group *inspect.Part
	may := func(c *inspect.Column) bool {
		return c.Max >= 10 && hasText(c) && c.Holds&inspect.Digits != 0 && c.Holds&(inspect.Letters|inspect.NonASCII) != 0
	}
	parts := partsOf(t, may)
	for p := parts.next(); p != nil; p = parts.next() {
		if p.Kind > inspect.Text || len(p.Data) < 10 || p.Holds()&inspect.Digits == 0 || len(p.Children) > 0 || p.Parent == nil && p.Decoder() != "request.body" && p.Decoder() != "response.body" && p.Decoder() != "frame" {
			continue
		}
		if len(p.Data) <= 160 && p.Holds()&inspect.Newlines == 0 {
			if p.Holds()&(inspect.LowerCase|inspect.NonASCII) == 0 && !hasCapitals(p.Data) {
				continue
			}
			if way, call, _, ok := callPhrase(p.Data); ok && way && call && len(p.Data) <= 64 && isDated(p) {
				if n++; first == nil {
					first = p
				}
				group = p
			}
			continue
		}
		if len(p.Data) > 1<<20 || bytes.IndexByte(p.Data, '\n') < 0 {
			continue
		}
		lines, with, named := 0, 0, path
		for line := range bytes.Lines(p.Data) {
			if line = bytes.TrimSpace(line); len(line) == 0 {
				continue
			}
			if lines++; lines > 400 || lines == 20 && with == 0 {
				break
			}
			way, call, long, ok := callPhrase(line)
			if named = named || call; ok && way && (long || call || path) {
				with++
			}
		}
		if named && with >= 2 && 2*with >= lines {
			return tell(p, with)
		}
	}
	if n >= 2 || n == 1 && (path || group.Decoder() == "vobject") {
		return tell(first, n)
	}
	return nil
}

// isDated says that a point in time stands beside p.
func isDated(p *inspect.Part) bool {
	if p.Parent == nil {
		return false
	}
	i := 0
	for i < len(p.Parent.Children) && p.Parent.Children[i] != p {
		i++
	}
	for _, c := range p.Parent.Children[max(0, i-16):min(len(p.Parent.Children), i+16)] {
		if c.Group == p.Group && (isRecent(c.Data) || len(c.Data) >= 15 && len(c.Data) <= 16 && c.Data[8] == 'T' && allDigits(c.Data[:8])) {
			return true
		}
	}
	return false
}

// eventNames are names of fields that hold what happened.
var eventNames = map[string]bool{
	"event": true, "eventName": true, "event_name": true, "name": true, "type": true, "action": true, "e": true, "en": true, "ea": true, "eventType": true, "event_type": true, "kind": true, "key": true, "eventId": true, "event_id": true, "category": true, "ec": true, "topic": true,
	"t": true, "tbl": true, "what": true, "cmd": true, "command": true, "op": true, "tag": true, "_type": true, "__typename": true, "resource": true, "resourceType": true, "dataset": true, "list": true, "store": true, "stream": true, "source": true, "method": true, "class": true, "entityName": true, "tableName": true, "table_name": true,
	"table": true, "entity": true, "collection": true, "model": true, "dataType": true, "data_type": true, "object": true, "module": true, "event_key": true, "eventKey": true, "metric": true,
}

// at is where the number stands, or its hash.
func (k *call) at() *inspect.Part {
	for _, w := range []callField{callNumber, callPeer} {
		if k.field[w] != nil {
			return k.field[w]
		}
	}
	return k.hashed
}

// isSingleWord says that b is one word, as names of methods and events are.
func isSingleWord(b []byte) bool {
	for _, c := range b {
		if c <= ' ' || c >= utf8.RuneSelf || c == '@' {
			return false
		}
	}
	return len(b) > 2
}

// innerEvent says that c itself is called after one of the words, in a field that
// says of what kind it is.
func innerEvent(c *card, words *stems) bool {
	for _, x := range c.cells {
		if eventNames[x.name] && x.name != "name" && x.Kind <= inspect.Text && len(x.Data) <= maxName && mentions(string(x.Data), words) {
			return true
		}
	}
	return false
}

// outerEvent says that the object around c is an event that is called after one
// of the words.
func outerEvent(c *card, words *stems) bool {
	d := c.deck
	if d == nil {
		return false
	}
	if d.events == nil {
		d.events = make(map[string][]*inspect.Part)
		for _, p := range d.parent.Children {
			if p.Kind <= inspect.Text && len(p.Data) <= maxName && (eventNames[p.Name] || p.Decoder() == "protobuf" && tokenLike(p.Data) || p.Kind == inspect.Text && strings.HasSuffix(string(p.Path), "[0]") && isSingleWord(p.Data)) && len(d.events) < maxCards && len(d.events[p.Group]) < 8 {
				d.events[p.Group] = append(d.events[p.Group], p)
			}
		}
	}
	group := c.group
	if i := strings.IndexByte(group, '#'); i >= 0 {
		group = group[:i]
	}
	for range 4 {
		outer, key := lastKey(group)
		if i := strings.LastIndexByte(group, '['); i >= 0 && indexed(group) {
			// ["contacts/upload", {…}]
			for _, p := range d.events[group[:i]] {
				if mentions(string(p.Data), words) {
					return true
				}
			}
		}
		for _, p := range d.events[outer] {
			if mentions(string(p.Data), words) {
				return true
			}
		}
		if group = outer; key == "" || outer == "" {
			break
		}
	}
	return false
}

func (k *call) weigh(place, event, vobject bool) inspect.Confidence {
	has := func(w callField) bool { return k.field[w] != nil }
	when, long := has(callDate) || has(callEnd), has(callDuration)
	flag, named := false, 0 // a field says which way; how many are called after calls
	for _, x := range k.cells {
		var buf [maxName]byte
		if w := squeeze(&buf, x.name); callWords.word(w) == callFlag {
			switch string(w) {
			case "new", "read", "isread", "unread", "zread":
			default:
				flag = true
			}
		}
		if mentions(x.name, callNames) {
			named++
		}
	}
	way := has(callType) || flag
	// A call may say where the phone was.
	whole := when && long && way && named >= 2 && k.where
	if has(callSetup) || has(callCentre) || has(callOther) && !(place && long) && !whole {
		return ""
	}
	hint := place || event || has(callMark) || named > 0
	signs := 0
	for _, b := range []bool{when, long, way} {
		if b {
			signs++
		}
	}
	if vobject && has(callDate) && k.cells[0].Name != "" && k.xirmc() {
		return inspect.Probable
	}
	strong := k.shape == fullPhone || k.number && k.shape >= bareDigits && (hint || len(k.at().Data) >= 8)
	if k.hashed != nil && k.shape == notPhone {
		if hint && signs >= 2 && (long || k.word || flag) && way {
			return inspect.Suspected
		}
		return ""
	}
	switch {
	case !strong && !(hint && signs == 3):
		return ""
	case has(callMark) && k.marks >= 2 && (long || when) && strong:
		return inspect.Probable
	case signs == 3 && (long || hint):
		return inspect.Probable
	case signs == 2 && hint && (long || k.word || flag || place):
		return inspect.Probable
	case signs == 2 && long && way && (k.word || k.number), signs == 2 && k.word && when && k.number:
		return inspect.Suspected
	case signs == 2 && long && when && k.number && len(k.cells) <= 6:
		return inspect.Suspected
	case signs == 1 && (place || event) && (long || k.word || flag || when && place):
		return inspect.Suspected
	}
	return ""
}

// xirmc says that the date is the one that vCards of call logs have.
func (k *call) xirmc() bool {
	return bytes.EqualFold([]byte(k.field[callDate].Name), []byte("X-IRMC-CALL-DATETIME"))
}
