package detect

import (
	"bytes"
	"fmt"

	"constat/inspect"
	"constat/proxy/flow"
)

// Email recognises mail messages and mailboxes.
//
// A message has a sender or receivers with the address of a mailbox, and a
// subject, a text or what mail programs keep beside it (RFC 5322 section 3.6, RFC
// 9051, RFC 8621). An address alone is an identifier, and a form that somebody
// fills in for a newsletter is no mail.
var Email = inspect.Detector{
	Name:   "email",
	Class:  inspect.Email,
	Doc:    "looks for mail messages (sender, receivers, subject, text) and for lists of mailboxes",
	Detect: detectMail,
}

// mailField is a family of field names.
type mailField uint8

const (
	mailNone    mailField = iota
	mailFrom              // who sent it
	mailTo                // who gets it
	mailSubject           // what it is about
	mailText              // what it says
	mailDate              // when
	mailMark              // only mail has it
	mailAddr              // an address, of whoever the object around it is
	mailBox               // a mailbox
	mailRole              // what a mailbox is for
	mailTotal             // how many messages are in it
	mailForm              // forms, profiles, commits, tickets
	mailCount
)

var mailWords = speaking(newLexicon(map[mailField]string{
	mailFrom:    `who from frm sender fromaddress fromemail senderemail senderaddress mailfrom frommail expediteur absender von remitente mittente remetente od отправитель откого fajianren 发件人 發件人 差出人 보낸사람 sentby envelopefrom fromlist fromaddr fromname sendername zsender authoremail fraddr replyto`,
	mailTo:      `to recipient recipients torecipients tos cc bcc ccrecipients bccrecipients toaddress toemail tolist cclist bcclist rcpt rcptto mailto toaddresses receivers receiver receiveremail recipientemail destinataire destinataires empfanger an destinatario destinatarios destinatari komu do получатель кому shoujianren 收件人 抄送 宛先 받는사람 toaddr envelopeto deliveredto tomail aux`,
	mailSubject: `subject subj sbj objet betreff asunto oggetto assunto temat тема zhuti 主题 主旨 件名 제목 normalizedsubject messagesubject mailsubject emailsubject subjectline zsubject threadtopic หัวเรื่อง onderwerp title`,
	mailText:    `body txt bodypreview snippet preview text textbody htmlbody bodytext bodyhtml html plain plaintext content contents message excerpt corps inhalt cuerpo corpo tresc текст zhengwen 正文 本文 summary bodyplain textplain texthtml messagebody mailbody emailbody abstract strippedtext`,
	mailDate:    `date dt receiveddatetime sentdatetime internaldate receivedat sentat senton receivedon datereceived datesent time timestamp received sent receivedtime senttime createddatetime datum fecha data дата 时间 日期 deliverytime zreceiveddate epoch`,
	mailMark: `returnpath messageid internetmessageid inreplyto references rfc822msgid labelids labels historyid mailboxids keywords hasattachment hasattachments attachments mimeversion contenttransferencoding mailboxid mailbox folder folderid conversationid threadid flags imapuid uid uidvalidity
		isread isdraft isflagged importance sizeestimate listunsubscribe dkimsignature receivedheaders conversationindex parentfolderid rfc822size mimetype emlpath emailid messageidheader bodystructure envelope seen unread flagged flagread readflag spamscore webmail useridmail changekey replytolist raw answered starred`,
	mailAddr:  `email address addr emailaddress mail mailboxaddress value smtpaddress zaddress`,
	mailBox:   `mailboxname foldername boxname displayname name path fullname label`,
	mailRole:  `role specialuse wellknownname attributes foldertype type`,
	mailTotal: `totalemails unreademails totalitemcount unreaditemcount totalthreads unreadthreads messagestotal messagesunread unseen exists recent unreadcount messagecount total count unseencount uidnext numunread totalmessages childfoldercount threadstotal threadsunread messages unreads num`,
	mailForm: `password captcha newsletter consent optin company phone phonenumber firstname lastname namefirst sha commit commits branch repository repo pullrequest issue issuenumber ticket ticketid orderid order amount price lat lng latitude longitude stars rating channel channelid room
		likes comments retweets hashtags avatar username login templateid campaignid campaign event eventname properties traits anonymousid sourceip level logger stacktrace enquirytype reason topic job position cv resume deviceid transaction wallet flight pickup`,
}),
	meaning[mailField]{ofSender, mailFrom}, meaning[mailField]{ofReceiver, mailTo}, meaning[mailField]{ofSubject, mailSubject}, meaning[mailField]{ofText, mailText}, meaning[mailField]{ofDate, mailDate}, meaning[mailField]{ofMail, mailAddr}, meaning[mailField]{ofTitle, mailSubject},
	meaning[mailField]{ofPhone, mailForm},
)

// mailAround are words in names of fields that say no more than that it is a
// letter's.
var mailAround = newLexicon(map[bool]string{true: `mail email msg message letter courriel correo posta pochta wiadomosc bericht письмо письма 邮件 郵件 メール 메일 eposta surel thu อีเมล ईमेल البريد header hdr envelope raw str string text list value field data address addresses addr`})

// copyNames are fields for those who get a copy.
var copyNames = newLexicon(map[bool]string{true: `cc bcc`})

// mailFamily returns the family of a field's name, by the whole of it or by the
// word in it that is not about mail.
func mailFamily(name string) mailField {
	if w := mailWords.of(name); w != mailNone {
		return w
	}
	return mailWords.compound(name, mailAround)
}

var mailFolds = newLexicon(map[mailField]string{
	mailFrom:    `from sender fromaddress replyto expediteur absender f fr`,
	mailTo:      `to cc bcc recipients torecipients ccrecipients bccrecipients tos destinataires receivers personalizations t r rcpt tolist cclist bcclist toaddresses ccaddresses bccaddresses recipientlist`,
	mailAddr:    `emailaddress mailbox address`,
	mailText:    `body bodyvalues content preview text textbody`,
	mailMark:    `envelope headers header payload headerlist messageheaders internetmessageheaders flags`,
	mailSubject: `subject`,
	mailDate:    `date internaldate`,
})

var (
	mailPlaces = newStems("mail", "inbox", "imap", "smtp", "jmap", "outbox", "eml", "courriel", "correo", "posta", "youjian", "youxiang", "почт", "письм", "pochta", "лист", "邮件", "邮箱", "郵件", "郵箱", "信箱", "メール", "메일", "이메일", "rfc822", "pop3", "exchange", "mime", "messages", "correio", "wiadomosc", "eposta", "epost", "surel", "thudientu", "hopthu", "อีเมล", "ईमेल", "البريد", "ایمیل", "דואר", "zprav", "levelek", "brief", "skrzynka", "gelenkutusu", "kotakmasuk", "boitedereception", "posteingang", "bandejadeentrada", "caixadeentrada", "受信", "받은편지")
	// mailDrafts are what letters are called that are being written, mailThreads
	// exchanges of letters.
	mailDrafts  = newStems("draft", "compose", "brouillon", "entwurf", "borrador", "rascunho", "bozza", "черновик", "чернетк", "taslak", "konsep", "bảnnháp", "草稿", "下書き", "임시보관", "مسودة")
	mailThreads = newStems("thread", "letters", "correspond", "fildiscussion", "hilo", "briefwechsel", "переписк", "スレッド")
	// notMails are names with the same letters that mean something else.
	notMails  = newStems("newsletter", "mailinglist", "subscribe", "contactform", "contactus", "emailverification", "verifyemail", "resetpassword", "mailchimp", "gmaillogin", "commit")
	mailRoles = newLexicon(map[bool]string{true: `inbox sent drafts draft trash junk spam archive sentitems sentmail deleteditems deleted junkemail outbox allmail starred envoyés élémentsenvoyés brouillons corbeille boîtederéception posteingang gesendet entwürfe papierkorb enviados borradores papelera postainarrivo postainviata bozze cestino входящие отправленные черновики 收件箱 已发送 草稿箱 垃圾箱 垃圾邮件 受信トレイ 送信済み ゴミ箱`})
)

var mailGather = withNames(gather{
	need: mailNeed, brief: true,
	want: func(p *inspect.Part) bool {
		if p.Kind > inspect.Text || len(p.Data) < 4 {
			return false
		}
		if bytes.IndexByte(p.Data[:min(len(p.Data), 320)], '@') > 0 {
			return true
		}
		if len(p.Data) <= 80 && isMailRole(p.Data) {
			return true
		}
		return p.Name == "mailbox" || p.Name == "host"
	},
	fold: func(key string, _ bool) bool { return mailFolds.of(key) != mailNone },
	whole: func(key string, r inspect.Record) bool {
		if mailFolds.of(key) != mailMark && len(key) > 1 {
			return false
		}
		for _, f := range r.Fields {
			if f.Kind == inspect.Text && len(f.Data) < 320 && isMailAddress(f.Data) && f.Name != "value" {
				return true
			}
		}
		return false
	},
	column: func(name string) bool { w := mailWords.of(name); return w > mailNone && w <= mailMark },
})

// isMailRole says that b is what the mailboxes of a mail program are called, alone
// or behind the name of the mailbox around it.
func isMailRole(b []byte) bool {
	b = bytes.TrimLeft(b, "\\")
	if i := bytes.LastIndexAny(b, "/.]"); i >= 0 && i+1 < len(b) && b[i] != ']' {
		b = b[i+1:]
	}
	if len(b) < 4 || len(b) > 40 {
		return false
	}
	return mailRoles.of(string(b))
}

// mail is what a card says about a message.
type mail struct {
	field  [mailCount]*inspect.Part
	cells  []cell
	mailed int // fields of the sender or receivers that hold addresses of mailboxes
	marks  int
	forms  int
}

// namedMail says that short names tell a sender or receiver and the subject: frm,
// sbj.
func namedMail(c *card) bool {
	who, subject := false, false
	for _, x := range c.cells {
		switch mailWords.of(x.name) {
		case mailFrom, mailTo:
			who = who || len(x.name) > 1
		case mailSubject:
			subject = true
		}
	}
	return who && subject
}

func readMail(c *card) *mail {
	m := new(mail)
	if shortNames(c) && !c.scalar && !namedMail(c) || c.scalar && c.list != "" {
		return guessMail(c)
	}
	var host, user *inspect.Part
	for _, x := range c.cells {
		w := mailFamily(x.name)
		v := mailNone
		if x.via != "" {
			v = mailFolds.of(x.via)
			if o := mailFolds.of(x.over); x.over != "" && (o == mailFrom || o == mailTo) {
				v = o
			}
		}
		if v == mailFrom || v == mailTo {
			switch {
			case x.name == "mailbox":
				user = x.Part
			case x.name == "host" || x.name == "domain":
				host = x.Part
			}
			if w != mailFrom && w != mailTo {
				w = v
			}
		} else if v == mailText && (w == mailNone || w == mailAddr || w == mailText) {
			w = mailText
		}
		if w == mailTo && copyNames.of(x.name) && len(x.Data) == 0 {
			m.marks++ // who gets a copy is asked for where letters are written
		}
		if w == mailNone || x.Kind == inspect.Null || len(x.Data) == 0 {
			continue
		}
		ok := true
		switch w {
		case mailFrom, mailTo:
			ok = x.Kind <= inspect.Text && firstAddress(x.Data)
			if ok {
				m.mailed++
			}
		case mailAddr:
			ok = false
		case mailSubject:
			if x.name == "title" {
				ok = false
			}
			ok = ok && x.Kind <= inspect.Text && len(x.Data) <= 1000
		case mailText:
			ok = x.Kind <= inspect.Text && len(x.Data) >= 2
		case mailDate:
			ok = isInstant(x.Part)
		case mailMark:
			m.marks++
		case mailForm:
			m.forms++
		}
		if ok && m.field[w] == nil {
			m.field[w] = x.Part
			if w <= mailMark {
				m.cells = append(m.cells, x)
			}
		}
	}
	if host != nil && user != nil && bytes.IndexByte(host.Data, '.') > 0 && m.field[mailFrom] == nil {
		m.field[mailFrom] = user
		m.mailed++
	}
	return m
}

// guessMail reads a card whose names say nothing: two addresses of mailboxes and
// a text are those of a message.
func guessMail(c *card) *mail {
	m := new(mail)
	for _, x := range c.cells {
		if x.Kind > inspect.Text || len(x.Data) < 2 {
			if x.Kind == inspect.Number && isRecent(x.Data) && m.field[mailDate] == nil {
				m.field[mailDate] = x.Part
			}
			continue
		}
		w := mailNone
		switch {
		case firstAddress(x.Data):
			m.mailed++
			if w = mailFrom; m.field[mailFrom] != nil {
				w = mailTo
			}
		case isRecent(x.Data):
			w = mailDate
		case isProse(x.Data) && digest(x.Data) == 0:
			if w = mailSubject; m.field[mailSubject] != nil {
				w = mailText
			}
		}
		if w != mailNone && m.field[w] == nil {
			m.field[w] = x.Part
			m.cells = append(m.cells, x)
		}
	}
	if m.field[mailTo] == nil || m.field[mailSubject] == nil {
		m.mailed = 0
	}
	return m
}

// firstAddress says that b is an address, or a list of them.
func firstAddress(b []byte) bool {
	if isMailAddress(b) {
		return true
	}
	if i := bytes.IndexAny(b, ",;"); i > 0 {
		if isMailAddress(b[:i]) {
			return true
		}
		if j := bytes.IndexByte(b, '>'); j > i && j < 320 {
			return isMailAddress(b[:j+1]) // "Doe, Jane" <jane@…>
		}
	}
	return false
}

func detectMail(t *inspect.Tree) []inspect.Finding {
	type boxes struct {
		first       *inspect.Part
		roles, with int
		cards       int
		mark        bool
	}
	var out []inspect.Finding
	bySheet := make(tally)
	byBox := make(map[sheet]*boxes)
	path := pathMentions(t, mailPlaces) && !pathMentions(t, notMails)
	for c := range mailGather.cards(t) {
		if len(out) >= maxFindings || len(byBox) > maxLists {
			break
		}
		place, not := path, false
		for name := range c.where() {
			place = place || mentions(name, mailPlaces)
			not = not || mentions(name, notMails)
		}
		place = place || outerEvent(c, mailPlaces)
		m := readMail(c)
		if !place && !not && m.mailed > 0 && m.forms == 0 && m.field[mailSubject] != nil && m.field[mailText] != nil {
			words := mailThreads
			if m.field[mailFrom] == nil {
				words = mailDrafts
			}
			rest, key := lastKey(withoutIndexes(c.group))
			if key == "" {
				_, key = lastKey(rest)
			}
			place = mentions(key, words)
		}
		if m.mailed == 0 {
			// A mailbox.
			var role, total *inspect.Part
			mark := false
			for _, x := range c.cells {
				switch w := mailWords.of(x.name); {
				case (w == mailBox || w == mailRole || c.scalar || x.name == "id") && x.Kind <= inspect.Text && isMailRole(x.Data):
					if role == nil {
						role = x.Part
					}
					mark = mark || bytes.EqualFold(x.Data, []byte("inbox"))
				case w == mailTotal && x.Kind == inspect.Number:
					total = x.Part
				}
			}
			if role == nil {
				continue
			}
			s := c.sheet()
			b := byBox[s]
			if b == nil {
				b = &boxes{first: role}
				byBox[s] = b
			}
			b.roles++
			if c.scalar {
				b.roles += countRoles(c) - 1
			}
			b.mark = b.mark || mark
			if total != nil {
				b.with++
			}
			if b.roles >= leastBoxes && b.mark && (b.with >= 2 || place) && b.cards == 0 {
				b.cards = 1
				confidence := inspect.Suspected
				if b.with >= 2 && place {
					confidence = inspect.Probable
				}
				out = append(out, inspect.Finding{
					Confidence: confidence, Direction: c.parent.Direction, Path: b.first.Path,
					Reason: fmt.Sprintf("A list of mailboxes in the field %s, called as mail programs call them (inbox, sent, drafts), %s.", shortName(b.first.Name), route(b.first)),
				})
			}
			continue
		}
		confidence := m.weigh(place && !not, c.cells[0].Decoder() == "mail")
		if confidence == "" {
			continue
		}
		s := c.sheet()
		if bySheet.again(s) {
			continue
		}
		at := m.field[mailSubject]
		for _, w := range []mailField{mailFrom, mailTo} {
			if at == nil {
				at = m.field[w]
			}
		}
		bySheet.first(s, len(out))
		out = append(out, inspect.Finding{
			Confidence: confidence, Direction: c.parent.Direction, Path: at.Path,
			Reason: fmt.Sprintf("A message with the %s, of which the sender or receiver is the address of a mailbox, as mail is written, %s.", fieldNames(m.cells), route(at)),
		})
	}
	if len(out) == 0 {
		out = mailLinks(t)
	}
	bySheet.say(out, "messages")
	return out
}

// mailLinks looks for links that write a letter (RFC 6068): to somebody, with a
// subject or a text.
func mailLinks(t *inspect.Tree) []inspect.Finding {
	may := func(c *inspect.Column) bool {
		return c.Max >= 20 && hasText(c) && c.Holds&(inspect.Newlines|inspect.Ats) != 0
	}
	parts := partsOf(t, may)
	for p := parts.next(); p != nil; p = parts.next() {
		if p.Kind <= inspect.Text && len(p.Data) > 40 && len(p.Children) == 0 && p.Holds()&inspect.Newlines != 0 && inProtocol(p.Data[:min(len(p.Data), 64<<10)]) {
			return []inspect.Finding{{
				Confidence: inspect.Suspected, Direction: p.Direction, Path: p.Path,
				Reason: "Lines of the protocols that mail is sent and read with, with the addresses of sender and receiver, " + route(p) + ".",
			}}
		}
		if p.Direction != flow.Up || p.Kind > inspect.Text || len(p.Data) < 20 || p.Data[0]|0x20 != 'm' || p.Holds()&inspect.Ats == 0 || !equalFold(string(p.Data[:7]), "mailto:") {
			continue
		}
		to, rest, ok := bytes.Cut(p.Data[7:], []byte("?"))
		if !ok || !firstAddress(to) {
			continue
		}
		subject, text := false, false
		for field := range bytes.SplitSeq(rest, []byte("&")) {
			name, value, _ := bytes.Cut(field, []byte("="))
			subject = subject || bytes.EqualFold(name, []byte("subject")) && len(value) > 1
			text = text || bytes.EqualFold(name, []byte("body")) && len(value) > 8
		}
		if subject && text {
			return []inspect.Finding{{
				Confidence: inspect.Suspected, Direction: flow.Up, Path: p.Path,
				Reason: "A link that writes a letter, with the address of who gets it, a subject and a text, went up to this host.",
			}}
		}
	}
	return nil
}

// inProtocol says that b are commands of SMTP (RFC 5321) or answers of IMAP (RFC
// 9051) about a message.
func inProtocol(b []byte) bool {
	b = bytes.ToUpper(b)
	return bytes.Contains(b, []byte("MAIL FROM:<")) && bytes.Contains(b, []byte("RCPT TO:<")) ||
		bytes.Contains(b, []byte(" FETCH (")) && bytes.Contains(b, []byte("ENVELOPE (\"")) && bytes.Contains(b, []byte("NIL"))
}

func countRoles(c *card) int {
	n := 0
	for _, x := range c.cells {
		if isMailRole(x.Data) {
			n++
		}
	}
	return n
}

func (m *mail) weigh(place, mail bool) inspect.Confidence {
	has := func(w mailField) bool { return m.field[w] != nil }
	from, to, subject, text, date := has(mailFrom), has(mailTo), has(mailSubject), has(mailText), has(mailDate)
	signs := 0
	for _, b := range []bool{from, to, subject, text, date, m.marks > 0} {
		if b {
			signs++
		}
	}
	switch {
	case mail && signs >= 2 && (from || to):
		return inspect.Probable
	case m.forms > 0 && m.marks < 2 && !(place && subject && from && to):
		return ""
	case subject && from && (to || m.marks > 0 || date), subject && to && (text && (place || m.marks > 0) || m.marks > 0 && date):
		if signs >= 4 || m.marks > 0 || place {
			return inspect.Probable
		}
		return inspect.Suspected
	case from && to && (m.marks > 0 && (date || text) || place && (date || text)):
		return inspect.Probable
	case from && !subject && text && date && place && m.marks > 0:
		return inspect.Suspected
	case subject && from && place, subject && to && text && place:
		return inspect.Suspected
	case subject && from && to && text:
		return inspect.Suspected
	case from && to && date:
		return inspect.Suspected
	}
	return ""
}
