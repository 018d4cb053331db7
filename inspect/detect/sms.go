package detect

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"constat/inspect"
)

// SMS recognises text messages as the phone's own store keeps them.
//
// The fields are those of Android's provider (android.provider.Telephony.Sms),
// of backup programs and of the cloud services that copy it. Text and address
// must be there, and at least one more field; words that only chat services or
// forms use speak against it.
var SMS = inspect.Detector{
	Name:   "sms",
	Class:  inspect.SMS,
	Doc:    "looks for objects with the fields of a stored text message: a text, a telephone number or sender's name, and a date, type, thread, message centre or SIM",
	Detect: detectSMS,
}

// smsField is a family of field names.
type smsField uint8

const (
	smsNone smsField = iota
	smsText
	smsAddress // of a telephone by its very name
	smsPeer    // who it is from or to, which may be a user's name as well
	smsDate
	smsType
	smsRead
	smsThread
	smsCenter
	smsProtocol
	smsSIM
	smsSent  // when it was sent, beside when it came
	smsChat  // only chat services have it
	smsForm  // contact forms, mail, shops, directories have it
	smsCount // how many there are
)

var smsWords = speaking(newLexicon(map[smsField]string{
	smsText: `nr dxnr body text content snippet message msg msgbody msgtext msgcontent messagebody messagetext messagecontent
		smstext smsbody smscontent smsmessage smsmsg bodytext fulltext textbody textcontent txt bodypreview
		texte corps contenu nachricht inhalt mensaje texto contenido cuerpo corpo mensagem testo messaggio tekst tresc wiadomosc
		текст сообщение 内容 短信内容 正文 短信 文本 ข้อความ เนื้อหา`,
	smsAddress: `dfhm hm dhhm address addr phone phonenumber phoneno phonenum telephone tel mobile mobileno mobilenumber msisdn number num
		sendernumber senderaddress senderphone sendernum sendermobile sendermsisdn frommobile tomobile phonestr mobilephone recipientnumber recipientphone fromnumber tonumber fromaddress toaddress fromphone tophone
		originatingaddress displayoriginatingaddress destinationaddress contactnumber contactphone peernumber peerphone smsaddress smsnumber smssender smsfrom smsphone
		oa da numero telefono telefone telefon numerotelephone rufnummer nummer номер телефон 号码 电话 手机号 电话号码 发件人号码 เบอร์ เบอร์โทร`,
	smsPeer: `participant party otherparty phonebookname handleid handle sender from to recipient recipients peer remote destination dest origin originator contact caller source
		senderid smssenderid
		expediteur destinataire absender empfanger remitente remetente destinatario mittente nadawca отправитель 发件人 发送者 收件人 ผู้ส่ง`,
	smsDate: `sj fssj jssj date timestamp localtime receivetime receivedtime receiveddate recvtime time datetime sentdate smsdate smstime msgtime msgdate
		receivedat waktuterima tanggalterima waktukirim tanggalkirim fecharecepcion fechaenvio horaenvio dataenvio datarecebimento dataricezione empfangenam gesendetam vremyapolucheniya vremyaotpravki receivedtimestamp createtime createdtime serverdate readabledate when ts datereceived received receivedstamp recvtimestamp recvdate arrivaltime messagedate
		heure horodatage datum zeit fecha hora data дата время 时间 日期 接收时间 เวลา วันที่`,
	smsType:     `type box folder msgtype smstype direction boxtype messagetype msgbox isincoming incoming isinbox inbox isfromme fromme boxid foldertype tipo typ dir inout msgdirection 类型`,
	smsRead:     `read seen isread readstatus unread lu gelesen leido terbaca dibaca prochitano 已读`,
	smsThread:   `threadid thread tid sessionthread threadkey 会话id`,
	smsCenter:   `servicecenter servicecenteraddress smsc smscaddress sca scaddress scaddr csca centro 短信中心`,
	smsProtocol: `protocol proto pid tppid replypathpresent toa sctoa dcs encodingscheme`,
	smsSIM:      `subid simid simslot sim subscriptionid simindex slot simcardid slotid simnumber simserial netcode simimsi imsi`,
	smsSent:     `datesent senttime sentat sendtime sentts sentdatems sentstamp senttimestamp dateenvoi`,
	smsChat: `conversationid conversation channel channelid room roomid chatid chat groupid group userid fromuserid touserid fromid toid uid fromuid touid authorid author
		nickname nick username displayname screenname avatar avatarurl profileimage reactions mentions replyto replytoid parentid teamid team guild guildid attachments
		clientmsgid clientmessageid emoji sticker likes comments isbot bot senderuserid receiverid recipientuserid serverid ack typing edited peerid dialogid`,
	smsForm: `email mail emailaddress subject title url link href price amount currency city zip zipcode postalcode street country rating latitude longitude lat lng lon
		company firstname lastname fullname newsletter captcha slug excerpt published summary description sku product level logger severity exception stacktrace event eventname order orderid ticketid template templateid campaign campaignid`,
}),
	meaning[smsField]{ofText, smsText}, meaning[smsField]{ofPhone, smsAddress}, meaning[smsField]{ofSender, smsPeer}, meaning[smsField]{ofReceiver, smsPeer}, meaning[smsField]{ofDate, smsDate}, meaning[smsField]{ofWay, smsType}, meaning[smsField]{ofRead, smsRead},
	meaning[smsField]{ofMail, smsForm}, meaning[smsField]{ofSubject, smsForm}, meaning[smsField]{ofTitle, smsForm}, meaning[smsField]{ofDuration, smsForm},
)

// smsAround are words in names of fields that say no more than that it is a
// message's.
var smsAround = newLexicon(map[bool]string{true: `sms mms msg message messages texto mensaje mensagem messaggio nachricht bericht wiadomosc сообщение сообщения смс mesaj ileti pesan tinnhan raw str string value field data list contact
	短信 簡訊 消息 信息 讯息 訊息 メッセージ ショートメッセージ 문자 메시지 संदेश ข้อความ رساله الرساله`})

// smsEndings are ends of names that say what a name is about: lastMessage,
// timestampMillis, contactPhoneNumber.
var smsEndings = newEndings(map[smsField]string{
	smsText:    "message msg text body content snippet",
	smsAddress: "phonenumber phone mobile msisdn",
	smsPeer:    "sender recipient",
	smsDate:    "date time timestamp millis",
})

// smsFamily returns the family of a field's name, by the whole of it or by its
// end.
func smsFamily(name string) smsField {
	var buf [maxName]byte
	w := squeeze(&buf, name)
	if f := smsWords.word(w); f != smsNone || len(w) < 5 {
		return f
	}
	if f := smsEndings.of(w); f != smsNone {
		return f
	}
	if name[0]|0x20 == 'x' && name[1] == '-' && containsFold(name, "sms") {
		// Headers of a message that was copied to a mailbox: X-smscopy-address.
		return smsWords.of(name[strings.LastIndexByte(name, '-')+1:])
	}
	return smsWords.compound(name, smsAround)
}

var smsNames = inspect.NewNameFacts(smsFamily)

// message is what a record holds of a text message: the first field of each
// family whose value fits.
type message struct {
	field [smsCount]*inspect.Part
	shape phoneShape
	hint  bool // a name says SMS
	owned bool // it stands in a conversation that has the number
}

// maxNamed is how many findings name single objects in one part; the first says
// how many there are.
const maxNamed = 3

// maxFindings is about how many findings a detector returns of one tree.
const maxFindings = 60

func detectSMS(t *inspect.Tree) []inspect.Finding {
	var out []inspect.Finding
	var in *inspect.Part // parent of the objects that are being counted
	count, first := 0, 0
	flush := func() {
		if count > 1 {
			out[first].Reason += fmt.Sprintf(" It is one of %d such objects in the same place.", count)
		}
	}
	urlHint := containsFold(t.Subject.Path, "sms")
	// The messages of a conversation may stand in a list inside the object that
	// has the number.
	var owners owner
	var inside nesting
	for r := range messageRecords(t) {
		owners.see(r)
		if len(r.Fields) < 2 {
			continue
		}
		m := readMessage(r, urlHint, owners.of(r), &inside)
		if m == nil {
			continue
		}
		confidence := m.weigh()
		if confidence == "" {
			continue
		}
		if r.Parent != in {
			if len(out) >= maxFindings {
				break
			}
			flush()
			in, count, first = r.Parent, 0, len(out)
		}
		if count++; count > maxNamed {
			continue
		}
		text := m.field[smsText]
		out = append(out, inspect.Finding{
			Confidence: confidence, Direction: r.Direction, Path: text.Path,
			Reason: fmt.Sprintf("An object with the fields %s, the shape of a stored text message, %s.", m.names(), route(text)),
		})
	}
	flush()
	if len(out) == 0 {
		out = detectParted(t, urlHint)
	}
	if len(out) == 0 {
		out = detectUnnamed(t, urlHint)
	}
	if len(out) == 0 {
		out = messagesInWords(t)
	}
	if len(out) == 0 {
		out = detectTold(t)
	}
	return out
}

// maxTold is how much of a text is read as one that tells of a message.
const maxTold = 4 << 10

// detectTold looks for messages that are written into one text: as lines with
// labels, which forwarders make ("SMS", "From: +33…", "SIM: 1"), and as bMessage
// (Bluetooth Message Access Profile, section 3.1.3).
func detectTold(t *inspect.Tree) []inspect.Finding {
	var out []inspect.Finding
	lines := func(c *inspect.Column) bool {
		return c.Max >= 24 && hasText(c) && c.Holds&inspect.Newlines != 0 && c.Holds&inspect.Digits != 0
	}
	parts := partsOf(t, lines)
	for p := parts.next(); p != nil; p = parts.next() {
		if len(out) >= maxNamed {
			break
		}
		if p.Kind > inspect.Text || len(p.Data) < 24 || len(p.Children) > 0 && !bytes.HasPrefix(p.Data, bmsgHead) || p.Holds()&inspect.Digits == 0 || bytes.IndexByte(p.Data[:min(len(p.Data), 256)], '\n') < 0 {
			continue
		}
		var reason string
		confidence := inspect.Suspected
		switch d := p.Data[:min(len(p.Data), maxTold)]; {
		case bytes.HasPrefix(d, bmsgHead):
			if !bytes.Contains(d, []byte("\nTYPE:SMS_")) && !bytes.Contains(d, []byte("\nTYPE:MMS")) || !bytes.Contains(d, []byte("BEGIN:MSG")) {
				continue
			}
			confidence, reason = inspect.Probable, "A text message in the form in which phones hand them over by Bluetooth (bMessage)"
		case toldMessage(d):
			reason = "A text with the word SMS, and lines that name a telephone number and what a phone keeps about a message"
		default:
			continue
		}
		out = append(out, inspect.Finding{Confidence: confidence, Direction: p.Direction, Path: p.Path, Reason: fmt.Sprintf("%s, %s.", reason, route(p))})
	}
	return out
}

// simLabel begins the line in which forwarders say which SIM it was.
var simLabel = []byte("SIM")

// hasDay says that a date stands in line.
func hasDay(line []byte) bool {
	for w := range bytes.FieldsSeq(line) {
		if looksLikeDate(bytes.Trim(w, ",()")) {
			return true
		}
	}
	return false
}

var bmsgHead = []byte("BEGIN:BMSG")

// toldMessage says that the lines of b tell of a message: who with a number, when
// or by which SIM, the word SMS, and a text.
func toldMessage(b []byte) bool {
	who, signs, hint, text := false, 0, false, false
	n := 0
	for line := range bytes.Lines(b) {
		if n++; n > 24 {
			break
		}
		line = bytes.TrimSpace(line)
		label, value, ok := bytes.Cut(line, []byte(":"))
		if label = bytes.Trim(label, " *_<>\t"); ok && len(label) > 1 && len(label) <= 32 {
			value = bytes.Trim(value, " *_<>`\t")
			switch w := smsFamily(string(label)); w {
			case smsAddress, smsPeer:
				who = who || telephone(value) >= shortCode && (telephone(value) == fullPhone || isLongNumber(value))
				continue
			case smsDate, smsSent, smsSIM, smsCenter, smsType:
				if len(value) > 0 && len(value) <= 40 {
					signs++
				}
				continue
			case smsText:
				text = text || len(value) > 3
				continue
			case smsForm, smsChat:
				return false
			}
		}
		if bytes.HasPrefix(label, simLabel) && hasDay(line) {
			signs++ // SIM 1, 2014-08-01 09:30
			continue
		}
		if words := bytes.Fields(line); n <= 3 && len(words) <= 6 && !hint {
			for _, w := range words {
				hint = hint || len(w) <= maxName && mentions(string(w), smsPlaces)
			}
			if hint {
				continue
			}
		}
		text = text || len(line) > 3
	}
	return who && signs > 0 && hint && text
}

// smsFolds are the lists inside an MMS or a conversation that hold its text and
// its addresses, as Android's provider and backup programs have them.
var smsFolds = newLexicon(map[smsField]string{
	smsType:    `meta metadata header info details envelope attributes properties fields`,
	smsText:    `parts part pdu slides attachments body content`,
	smsAddress: `addrs addr addresses recipients recipient sender from to`,
})

// mmsWords are fields that only an MMS has (android.provider.Telephony.Mms).
var mmsWords = newLexicon(map[bool]string{true: `mtype mid msgbox ctt trid mcls msize subcs rrst rr drm mms ismms mmsid pduid retrst respst ct ctl ctlocation textonly`})

// titleNames are names of the titles of notices.
var titleNames = map[string]bool{"title": true, "android.title": true, "contentTitle": true, "notificationTitle": true, "ticker": true}

// smsApps are parts of names of events and of apps for messages.
var smsApps = newStems("sms", "mms", "messaging", "textmessage", "duanxin", "短信")

var smsPlaces = newStems("sms", "mms", "短信", "簡訊", "短讯", "textmessage", "смс", "ショートメッセージ", "문자메시지", "문자메세지", "ข้อความsms", "एसएमएस", "duanxin", "tinnhan", "kisamesaj", "mensajesdetexto", "textnachricht", "sporočil", "رسائلنصيه", "الرسائلالنصيه")

// smsParted asks for messages whose text or address stands in a list of its own,
// and for messages of which only what stands around the text was sent.
var smsParted = withNames(gather{
	need: partedNeed, may: partedMay, brief: true,
	want: func(p *inspect.Part) bool {
		if len(p.Data) > 20 && len(p.Data) <= maxJoined && p.Kind == inspect.Text && (indexed(string(p.Path)) || p.Decoder() == "xml") && joinsPhone(p) {
			return true
		}
		return p.Kind <= inspect.Number && holdsPhone(p, shortCode) && (p.Kind == inspect.Text || smsWords.of(p.Name) == smsAddress)
	},
	fold:   func(key string, _ bool) bool { return smsFolds.of(key) != smsNone },
	column: func(name string) bool { w := smsFamily(name); return w > smsNone && w < smsChat },
})

// detectParted looks for messages in parts, and for the metadata of messages.
func detectParted(t *inspect.Tree, urlHint bool) []inspect.Finding {
	var out []inspect.Finding
	counts := make(map[sheet]int)
	for c := range smsParted.cards(t) {
		if len(out) >= maxFindings {
			break
		}
		hint := urlHint
		for name := range c.where() {
			hint = hint || mentions(name, smsPlaces)
		}
		vmsg := c.cells[0].Decoder() == "vobject" && strings.HasPrefix(c.group, "VMSG")
		for _, x := range c.cells {
			if w := &x; !hint && x.Kind <= inspect.Text && len(x.Data) <= 80 && len(x.Data) > 2 && mentions(string(x.Data[:min(len(x.Data), maxName)]), smsApps) && (eventNames[w.name] || mentions(w.name, appNames)) {
				hint = true
			}
		}
		m := &message{hint: hint || vmsg}
		mms, calls, texts := 0, 0, 0
		for _, x := range c.cells {
			// type=SMS, beside which a length is one of characters.
			if smsWords.of(x.name) == smsType && equalFoldAny(x.Data, "sms", "mms") {
				hint, m.hint = true, true
			}
		}
		for _, x := range c.cells {
			if mmsWords.of(x.name) {
				mms++
			}
			if w := callWords.of(x.name); w == callDuration && !hint || w == callSetup {
				calls++
			}
			f := *x.Part
			f.Name = x.name
			if vmsg && (x.name == "SUBJECT" || x.name == "TEXT") {
				f.Name = "body"
			}
			switch in := smsFolds.of(x.via); {
			case x.via == "":
			case in == smsAddress && smsFamily(x.name) != smsAddress:
				if telephone(x.Data) < shortCode {
					continue
				}
				f.Name = "address"
			case in == smsText && smsFamily(x.name) == smsText && len(x.Data) > 0 && x.Data[0] != '<':
				texts++
			case in == smsText:
				continue
			}
			if m.hint && titleNames[x.name] && telephone(x.Data) >= bareDigits {
				f.Name = "address" // of a notice of the app for messages
			}
			if smsFamily(f.Name) == smsText && (len(x.Data) == 0 || x.Data[0] == '<') {
				continue
			}
			m.take(&f)
		}
		if calls > 0 || m.field[smsAddress] == nil && m.field[smsPeer] == nil {
			continue
		}
		var confidence inspect.Confidence
		what := "the shape of a stored multimedia message"
		at := m.field[smsText]
		switch {
		case at != nil:
			if texts+mms == 0 && !vmsg {
				what = "the shape of a stored text message"
			}
			if confidence = m.weigh(); confidence == "" && mms > 1 && m.shape >= bareDigits {
				confidence = inspect.Suspected
			}
		case at == nil && m.field[smsChat] == nil && m.field[smsForm] == nil:
			confidence = m.weighAlone(mms)
			what = "what a phone keeps about a text message beside the text"
		}
		if confidence == "" {
			continue
		}
		if at == nil {
			if at = m.field[smsAddress]; at == nil {
				at = m.field[smsPeer]
			}
		}
		key := c.sheet()
		if counts[key]++; counts[key] > maxNamed {
			continue
		}
		out = append(out, inspect.Finding{
			Confidence: confidence, Direction: c.parent.Direction, Path: at.Path,
			Reason: fmt.Sprintf("An object with the fields %s, %s, %s.", m.names(), what, route(at)),
		})
	}
	return out
}

// weighAlone decides about a message without its text: the number, the date and
// what only messages have must be there.
func (m *message) weighAlone(mms int) inspect.Confidence {
	dated := m.field[smsDate] != nil || m.field[smsSent] != nil
	signs := 0
	for _, w := range []smsField{smsType, smsRead, smsThread, smsCenter, smsProtocol, smsSIM} {
		if m.field[w] != nil {
			signs++
		}
	}
	own := m.field[smsThread] != nil || m.field[smsCenter] != nil || m.field[smsProtocol] != nil
	switch {
	case m.shape < shortCode || !dated && !(m.hint && own):
		return ""
	case m.shape == shortCode && !m.hint:
		return ""
	case own && (signs >= 3 || m.hint || mms > 1):
		return inspect.Probable
	case m.hint && dated, own && signs >= 2 && m.field[smsAddress] != nil:
		return inspect.Suspected
	case own && m.field[smsAddress] != nil && m.shape == fullPhone && dated:
		return inspect.Suspected
	}
	return ""
}

// detectUnnamed looks for messages whose fields have names that say nothing: keys
// of one or two letters, the numbers of a protobuf, the places of an array. The
// values must be those of a message and nothing else: one or two telephone
// numbers, one text, a point in time, and small numbers.
func detectUnnamed(t *inspect.Tree, hint bool) []inspect.Finding {
	if !hint && pathMentions(t, callPlaces) {
		return nil // whom a call was with, for how long and when
	}
	var out []inspect.Finding
	rows, first := 0, 0
	var in *inspect.Part
	docs := t.Documents()
	for i := range docs {
		if docs[i].Parent == nil || !unnamed(&docs[i]) && !ungated {
			continue
		}
		for _, r := range docs[i].Records {
			if len(r.Fields) < 3 || len(r.Fields) > 12 || len(out) >= maxFindings {
				continue
			}
			array := isArray(r)
			number, text, date, smalls, ok := unnamedMessage(r.Fields, array)
			if !ok {
				continue
			}
			if number == nil && text != nil && date != nil {
				number = keyPart(r)
			}
			if number == nil || text == nil || date == nil || telephone(number.Data) < fullPhone && smalls == 0 && !hint {
				continue
			}
			if _, words := sentence(text.Data); !words && len(text.Data) < 12 && !hint || !hint && smalls > 0 && isNameOnly(text.Data) {
				continue
			}
			if r.Parent == in && rows > 0 {
				if rows++; rows > maxNamed {
					continue
				}
			} else {
				rows, first, in = 1, len(out), r.Parent
			}
			confidence := inspect.Suspected
			if hint {
				confidence = inspect.Probable
			}
			what := "fields whose names say nothing"
			if array {
				what = "values without names"
			}
			out = append(out, inspect.Finding{
				Confidence: confidence, Direction: r.Direction, Path: text.Path,
				Reason: fmt.Sprintf("An object with %s, but a telephone number, a text and a point in time as values, as a stored text message has, %s.", what, route(text)),
			})
			if rows == 2 && smalls > 0 {
				for i := first; i < len(out); i++ {
					out[i].Confidence = inspect.Probable
				}
			}
		}
	}
	if len(out) == 0 {
		out = unnamedRows(t, hint)
	}
	return out
}

// unnamedRows looks for messages in strings that hold the values of one each, and
// in the lines of a text.
func unnamedRows(t *inspect.Tree, hint bool) []inspect.Finding {
	n := 0
	var first *inspect.Part
	var fields []*inspect.Part
	for c := range smsParted.cards(t) {
		if !c.scalar || c.deck != nil && strings.IndexByte(c.group, '#') < 0 || len(c.cells) < 3 || len(c.cells) > 12 {
			continue
		}
		fields = fields[:0]
		for _, x := range c.cells {
			fields = append(fields, x.Part)
		}
		number, text, date, _, ok := unnamedMessage(fields, true)
		if !ok || number == nil || text == nil || date == nil {
			continue
		}
		named := hint
		for name := range c.where() {
			named = named || mentions(name, smsPlaces)
		}
		if !named && telephone(number.Data) < fullPhone && !isLongNumber(number.Data) {
			continue
		}
		if _, words := sentence(text.Data); !words && len(text.Data) < 12 && !named {
			continue
		}
		if n++; first == nil {
			first = number
		}
		hint = hint || named
	}
	if n == 0 || n == 1 && !hint {
		return nil
	}
	confidence := inspect.Suspected
	if hint {
		confidence = inspect.Probable
	}
	return []inspect.Finding{{
		Confidence: confidence, Direction: first.Direction, Path: first.Path,
		Reason: fmt.Sprintf("Values without names, but with a telephone number, a text and a point in time each, as stored text messages have, %s; there are %d of them.", route(first), n),
	}}
}

// unnamedMessage reads values whose names say nothing; ok is false when one is
// none of a message.
func unnamedMessage(fields []*inspect.Part, array bool) (number, text, date *inspect.Part, smalls int, ok bool) {
	bad := false
	for _, f := range fields {
		if !array && len(f.Name) > 2 && !allDigits([]byte(f.Name)) {
			bad = true
			break
		}
		switch d := f.Data; {
		case f.Kind == inspect.Null || f.Kind == inspect.Bool || len(d) == 0 || isSmall(f):
			smalls++
		case isRecent(d), f.Kind == inspect.Text && isLocalTime(d):
			if date == nil {
				date = f
			}
		case len(d) <= 24 && f.Kind != inspect.Number && telephone(d) >= bareDigits:
			if number == nil || telephone(d) > telephone(number.Data) {
				number = f
			}
		case f.Kind == inspect.Number || allDigits(d):
			smalls++
		case len(d) >= 8 && len(d) <= 64 && isMixedWord(d):
			bad = true
		case isProse(d) && len(f.Children) == 0 && digest(d) == 0 && !tokenLike(d) && !isMailAddress(d):
			if n, words := sentence(d); n >= 4 && (words || text == nil) {
				if text != nil && len(text.Data) > 24 {
					bad = true // two texts
				}
				if text == nil || len(d) > len(text.Data) {
					text = f
				}
			}
		default:
			bad = true // an identifier, an address on the web
		}
		if bad {
			break
		}
	}
	return number, text, date, smalls, !bad
}

// messagesInWords looks for texts that tell of a message as programs that forward
// them write it: "SMS from +33639981122: …".
func messagesInWords(t *inspect.Tree) []inspect.Finding {
	const ends = inspect.Colons | inspect.Newlines // of the words in front
	may := func(c *inspect.Column) bool {
		return c.Max >= 24 && hasText(c) && c.Holds&anyDigit != 0 && c.Holds&ends != 0
	}
	parts := partsOf(t, may)
	for p := parts.next(); p != nil; p = parts.next() {
		if p.Kind > inspect.Text || len(p.Data) < 24 || len(p.Data) > 8<<10 || len(p.Children) > 0 || p.Holds()&anyDigit == 0 || p.Holds()&ends == 0 || p.Parent == nil && p.Decoder() != "request.body" && p.Decoder() != "frame" {
			continue
		}
		head := p.Data[:min(len(p.Data), 64)]
		if !isForwarded(head) {
			continue
		}
		return []inspect.Finding{{
			Confidence: inspect.Suspected, Direction: p.Direction, Path: p.Path,
			Reason: "A text that begins with the words for a text message and a telephone number, as programs write that forward messages, " + route(p) + ".",
		}}
	}
	return nil
}

// isForwarded says that a text begins with a word for a text message, a word or
// two, a telephone number or the name of a sender, and a colon or the end of a
// line.
func isForwarded(head []byte) bool {
	colon := bytes.IndexAny(head, ":\n")
	if colon < 8 {
		return false
	}
	first := head[:colon]
	start := bytes.IndexAny(first, "+0123456789(")
	if start < 3 || start > 32 {
		return false
	}
	number := bytes.TrimRight(first[start:], " )]>*_")
	if telephone(number) < bareDigits || len(number) < 8 || isRecent(number) || looksLikeDate(number) {
		return false
	}
	return mentions(string(first[:start]), smsApps) || mentions(string(first[:start]), smsPlaces)
}

// isMixedWord says that b is one word of letters and digits, as identifiers are.
func isMixedWord(b []byte) bool {
	letters, digits := 0, 0
	for _, c := range b {
		switch {
		case c-'0' < 10:
			digits++
		case c|0x20-'a' < 26, c == '-', c == '_':
			letters++
		default:
			return false
		}
	}
	return letters > 0 && digits > 1
}

// isRecent says that b counts seconds, or thousandths or finer, since 1970 to a
// time between 2001 and 2042, or is a date as ISO 8601 writes it.
func isRecent(b []byte) bool {
	if len(b) >= 10 && len(b) <= 35 && b[4] == '-' && b[7] == '-' && allDigits(b[:4]) {
		return true
	}
	if !allDigits(b) {
		return false
	}
	switch len(b) {
	case 10, 13, 16, 19:
		return b[0] == '1' || b[0] == '2' && b[1] < '3'
	}
	return false
}

// isLocalTime says that b is a date with a time of day, as people and phone
// suites write them: 2014.08.01 09:30, 01/08/2014 09:30:00.
func isLocalTime(b []byte) bool {
	if len(b) < 14 || len(b) > 22 {
		return false
	}
	digits, marks, colons := 0, 0, 0
	for _, c := range b {
		switch c {
		case '.', '/', '-':
			marks++
		case ':':
			colons++
		case ' ', 'T', ',':
		case 'A', 'P', 'M', 'a', 'p', 'm':
		default:
			if c-'0' >= 10 {
				return false
			}
			digits++
		}
	}
	return digits >= 9 && digits <= 14 && marks == 2 && colons >= 1 && colons <= 2
}

// isNameOnly says that b is two to four words with capitals and nothing else, as
// names of people are.
func isNameOnly(b []byte) bool {
	words := 0
	for w := range strings.FieldsSeq(string(b)) {
		r, _ := utf8.DecodeRuneInString(w)
		if last := w[len(w)-1]; !unicode.IsUpper(r) || last == '.' || last == '!' || last == '?' || last == ',' {
			return false
		}
		words++
	}
	return words >= 2 && words <= 4 && len(b) <= 48
}

// owner remembers the last object with a number that was seen.
type owner struct {
	parent *inspect.Part
	group  string
	number *inspect.Part
}

func (o *owner) see(r inspect.Record) {
	for _, f := range r.Fields {
		if w := smsWords.of(f.Name); (w == smsAddress || w == smsPeer) && shapeOfPhone(f.Data) >= shortCode {
			o.parent, o.group, o.number = r.Parent, r.Group, f
			return
		}
	}
}

// of returns the number of the object that the list of r stands in, nil if
// there is none.
func (o *owner) of(r inspect.Record) *inspect.Part {
	if o.parent != r.Parent || r.Parent == nil || len(r.Group) <= len(o.group) || !strings.HasPrefix(r.Group, o.group) {
		return nil
	}
	inside := strings.TrimPrefix(r.Group[len(o.group):], ".")
	list, index, ok := strings.Cut(inside, "[")
	if !ok || strings.ContainsAny(list, ".[") || !strings.HasSuffix(index, "]") || strings.Contains(index, "[") {
		return nil
	}
	return o.number
}

// readMessage sorts the fields of r, nil if there is no text and no one it could
// be from or to.
func readMessage(r inspect.Record, hint bool, owner *inspect.Part, inside *nesting) *message {
	text, others := false, 0
	for _, f := range r.Fields {
		switch smsFamily(f.Name) {
		case smsNone, smsChat, smsForm:
		case smsText:
			text = true
		default:
			others++
		}
	}
	// Without allocating anything, most records end here.
	if !text || others == 0 {
		return nil
	}
	m := &message{hint: hint || containsFold(r.Group, "sms")}
	for _, f := range r.Fields {
		m.take(f)
	}
	if m.field[smsAddress] == nil && m.field[smsPeer] == nil && owner != nil {
		m.take(owner)
		m.owned = true
	}
	if m.field[smsAddress] == nil && m.field[smsPeer] == nil {
		// The sender may be an object of its own.
		for f := range inside.in(r) {
			around := smsWords.of(f.Group[strings.LastIndexByte(f.Group, '.')+1:])
			if around != smsAddress && around != smsPeer {
				continue
			}
			switch smsWords.of(f.Name) {
			case smsAddress, smsPeer, smsChat:
				m.take(f)
			}
		}
	}
	if m.field[smsAddress] == nil && m.field[smsPeer] == nil {
		if p := keyPart(r); p != nil {
			m.take(p)
			m.owned = true
		}
	}
	if m.field[smsText] == nil || m.field[smsAddress] == nil && m.field[smsPeer] == nil {
		return nil
	}
	return m
}

// keyPart makes a field of the telephone number that the list of r stands under,
// nil when there is none.
func keyPart(r inspect.Record) *inspect.Part {
	key := numberKey(listOf(r.Group))
	if key == "" {
		return nil
	}
	f := r.Fields[0]
	return &inspect.Part{Path: f.Path, Direction: f.Direction, Data: []byte(key), Name: "address", Group: f.Group, Kind: inspect.Text, Depth: f.Depth, Parent: f.Parent}
}

// take keeps f if its name belongs to a family and its value fits.
func (m *message) take(f *inspect.Part) {
	w := smsFamily(f.Name)
	if w == smsNone || f.Kind == inspect.Null || len(f.Data) == 0 {
		return
	}
	m.hint = m.hint || containsFold(f.Name, "sms")
	if w == smsForm && eventNames[f.Name] && len(f.Data) <= maxName && mentions(string(f.Data), smsPlaces) {
		m.hint = true // an event that is called sms_received
		return
	}
	if m.field[w] != nil && w != smsAddress && w != smsPeer {
		return
	}
	ok := true
	switch w {
	case smsText:
		ok = f.Kind != inspect.Number && f.Kind != inspect.Bool && isProse(f.Data)
	case smsAddress, smsPeer:
		shape := shapeOfPhone(f.Data)
		if smsSenderIDs.of(f.Name) && shape != fullPhone && !isSenderHeader(f.Data) {
			return // chat services call their users so
		}
		if ok = shape > m.shape; ok {
			m.shape = shape
		}
	case smsDate, smsSent:
		ok = isInstant(f)
	case smsType:
		ok = isSmall(f) || isBox(f.Data)
	case smsRead:
		ok = isSmall(f)
	case smsThread, smsSIM:
		ok = len(f.Data) <= 24
	case smsProtocol:
		ok = isSmall(f) || equalFoldAny(f.Data, "sms", "mms", "rcs")
	case smsCenter:
		ok = shapeOfPhone(f.Data) >= bareDigits || string(f.Data) == "null"
	}
	if ok {
		m.field[w] = f
	}
}

// smsSenderIDs are names that chat services give to the ids of their users, and
// operators to what stands in place of a number.
var smsSenderIDs = newLexicon(map[bool]string{true: `senderid smssenderid`})

// isSenderHeader says that b is the header of a business as Indian operators
// write it in place of a number: VM-HDFCBK (TRAI, Telecom Commercial
// Communications Customer Preference Regulations, 2018).
func isSenderHeader(b []byte) bool {
	if len(b) < 8 || len(b) > 11 || b[2] != '-' {
		return false
	}
	for i, c := range b {
		if i != 2 && c-'A' >= 26 && (c-'0' >= 10 || i < 2) && (c != '-' || i < 8) {
			return false
		}
	}
	return true
}

// smsBoxes are the folders of a phone's message store.
var smsBoxes = map[string]bool{"inbox": true, "outbox": true, "sent": true, "draft": true, "incoming": true, "outgoing": true, "sms": true, "mms": true}

func isBox(b []byte) bool {
	return equalFoldAny(b, "sms", "mms", "inbox", "sent", "in", "out", "incoming", "outgoing", "received", "draft", "outbox", "recu", "envoye", "text", "recv", "send", "receive")
}

func equalFoldAny(b []byte, words ...string) bool {
	for _, w := range words {
		if len(b) == len(w) && equalFold(string(b), w) {
			return true
		}
	}
	return false
}

// weigh decides. A number written as a number is worth more than digits that
// could be a user's, and those more than a word.
func (m *message) weigh() inspect.Confidence {
	families := 2 // text, and who
	strong := 0
	for w := smsDate; w <= smsSIM; w++ {
		if m.field[w] == nil {
			continue
		}
		families++
		if w >= smsThread {
			strong++
		}
	}
	if m.field[smsSent] != nil {
		strong++
		if m.field[smsDate] == nil {
			families++
		}
	}
	if f := m.field[smsType]; f != nil && !isSmall(f) && isBox(f.Data) && smsBoxes[strings.ToLower(string(f.Data))] {
		strong++
	}
	if m.field[smsAddress] != nil && m.field[smsType] != nil && m.field[smsRead] != nil {
		strong++
	}
	against := 0
	for _, w := range []smsField{smsChat, smsForm} {
		if m.field[w] != nil {
			against++
		}
	}
	if against > 0 && strong < 2 && !(m.hint && m.shape >= bareDigits && m.field[smsChat] == nil) {
		return ""
	}
	if families == 2 {
		// Somebody's number and a text, where a name says SMS.
		if m.hint && m.shape == fullPhone && against == 0 {
			return inspect.Suspected
		}
		return ""
	}
	switch m.shape {
	case fullPhone:
		return inspect.Probable
	case bareDigits, shortCode:
		if m.field[smsAddress] == nil && strong == 0 && !m.hint {
			// "from": 1002345 is a user; a short code in a string, in a message that
			// says which way it went, is not.
			peer := m.field[smsPeer]
			if m.shape == shortCode && peer.Kind == inspect.Text && against == 0 && families >= 4 && m.field[smsType] != nil && (m.owned || !isSmall(m.field[smsType])) {
				return inspect.Suspected
			}
			return ""
		}
		if families >= 4 || m.hint {
			return inspect.Probable
		}
		return inspect.Suspected
	case wordPhone:
		switch {
		case families >= 4 && (strong > 0 || m.hint):
			return inspect.Probable
		case m.hint, m.field[smsAddress] != nil && families >= 4:
			return inspect.Suspected
		}
	}
	return ""
}

// names lists the names of the fields that decided.
func (m *message) names() string {
	var names []string
	for w := smsText; w <= smsSent; w++ {
		if f := m.field[w]; f != nil {
			names = append(names, shortName(f.Name))
		}
	}
	return list(names)
}

// shortName keeps a field's name, which a sender chose, from filling a sentence.
func shortName(name string) string {
	const most = 32
	name = strings.Map(func(r rune) rune {
		if r < ' ' {
			return -1
		}
		return r
	}, strings.ToValidUTF8(name, ""))
	if r := []rune(name); len(r) > most {
		return string(r[:most]) + "…"
	}
	return name
}

// list writes words as people do: a, b and c.
func list(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}
