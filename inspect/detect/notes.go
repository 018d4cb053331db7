package detect

import (
	"bytes"
	"fmt"
	"strings"

	"constat/inspect"
	"constat/proxy/flow"
)

// Notes recognises what the user wrote down: notes, memos, tasks and calendar
// entries.
//
// It asks for a text or title together with what such programs keep beside it,
// in a place that is called after them, or for the components of RFC 5545. Posts
// and comments have authors and readers, release notes have versions, and
// calendars that are published have nobody who is invited or reminded.
var Notes = inspect.Detector{
	Name:   "notes",
	Class:  inspect.Notes,
	Doc:    "looks for notes, memos, tasks and calendar entries that the user wrote",
	Detect: detectNotes,
}

// noteField is a family of field names.
type noteField uint8

const (
	noteNone     noteField = iota
	noteText               // what it says
	noteTitle              // what it is called
	noteDate               // when it was made or changed
	noteMark               // notes and tasks have it
	noteDue                // tasks have it
	noteStart              // of an entry in a calendar
	noteEnd                // of it
	noteCalendar           // only entries in calendars have it
	noteInvite             // somebody is invited or reminded
	notePost               // posts, comments, articles, chats
	noteRelease            // versions of programs
	notePublic             // sports, holidays, shows, television
	noteProgram            // events of programs, jobs, traces
	noteOrder              // orders, files
	noteCount
)

var noteWords = speaking(newLexicon(map[noteField]string{
	noteText: `content text body note notetext notecontent notebody memo memotext memocontent textcontent plaintext markdown md description desc details contenu texte inhalt notiz contenido nota testo contenuto texto conteudo текст содержание заметка 内容 正文 笔记 备忘 メモ ข้อความ บันทึก snippet noteplain richtext html notehtml bodytext entry zsnippet
		txt insert transcript transcription transkript dictation spokentext ocrtext neirong zhengwen journalentry entrytext завдання нотатка нотатки usernote mynote personalnote privatenote todotext task todo item datacontent commenttext listcontent htmlcontent xml zcontent ztext value`,
	noteTitle: `what title subject summary name notetitle heading headline titre titel titulo titolo заголовок 标题 主题 タイトル biaoti ztitle ztitle1 taskname tasktitle todotitle eventtitle caption`,
	noteDate: `created createdat createdtime creationdate createtime createdate createddate modified modifiedat modifiedtime modifieddate modificationdate updatedat updatetime updated updateddate lastmodified lastmodifieddatetime createddatetime lastmodifiedtime mtime ctime date timestamp dtcreated
		usereditedtimestampusec createdtimestampusec editedat edited lastedited zmodificationdate zcreationdate zmodificationdate1 zcreationdate1 creationtime usermodifiedtime dateadded datemodified datecreated moddate createtimestamp modifytime updatetimestamp chuangjianshijian 创建时间 修改时间 更新时间 time ts changed dtstamp savedat lastupdated recordedat capturedat dictatedat writtenat`,
	noteMark: `journalid diaryid mood moods pinned ispinned archived isarchived trashed istrashed folderid foldername notebook notebookid notebookguid noteid memoid noteguid color bgcolor bgcolorid colorid labels tags checklist listitems checkitems isfavorite favorite locked islocked ischecked checked indent parentid snippetid
		notetype category widgetid alertdate reminder reminders reminderdate alarm handwriting stickers todolist isdeleted trash passwordprotected tagguids contentlength sortkey sortorder parentfolder zfolder ismarkedfordeletion latestrevision notebooks priority importance starred tasklistid listid taskid`,
	noteDue:   `термін complete datecompleted due duedate duedatetime dueat deadline completed iscompleted done isdone completedat completeddatetime completiondate duetime subtasks remindat reminddate percentcomplete recurrence tasklist todoid echeance faellig fällig erledigt fait terminee termine fatto scadenza hecho completada vencimiento feito concluido zakonczone 截止 截止日期 完成 wancheng jiezhi выполнено срок`,
	noteStart: `begins von desde start startdate starttime startdatetime startsat dtstart begin begintime starts debut beginn inicio inizio начало 开始时间 startat eventstart zstartdate startts from`,
	noteEnd:   `bis hasta end enddate endtime enddatetime endsat dtend finish finishtime ends fin ende конец 结束时间 endat eventend zenddate endts until to`,
	noteCalendar: `calendarid calendar eventlocation rrule exdate rdate eventtimezone isallday allday icaluid transparency recurringeventid showas hangoutlink originalstart hasalarm hasalarms selfattendeestatus calendarname calendardisplayname eventstatus accesslevel guestscaninviteothers ownerdisplayname iscancelled
		seriesmasterid onlinemeetingurl isonlinemeeting zcalendar recurrencerule organizercanrespond eventcolor caldav durationminutes recurrences eventidcalendar zalldaystring`,
	noteInvite: `attendees attendee responsestatus organizer invitees invited hasattendeedata valarm trigger isreminderon responserequested alarms participants myresponse partstat isorganizer reminderminutesbeforestart remindermethod`,
	notePost: `author authorid authorname likes likecount upvotes comments commentscount commentcount replies replycount views viewcount shares retweets repost posted postid posttype publishedat published publishdate pubdate slug excerpt channel channelid roomid sender senderid receiver recipient
		conversationid chatid threadid avatar avatarurl username screenname hashtags permalink canonical rating stars reviewid articleid blog newsid section score reactions guidpost topicid forum answer question sticker fromuser userhandle votes reads`,
	noteRelease: `version versioncode versionname releasenotes releasedate changelog whatsnew buildnumber build downloadurl apkurl minsdk sha256 md5 forceupdate tagname tarballurl zipballurl prerelease assets patch release`,
	notePublic: `players guild clan raid boss hometeam awayteam league venue match round season kickoff country countrycode global counties launchyear holiday publicholiday isholiday tickets ticketurl performer genre channelname episode show programme broadcast lat lng latitude longitude price currency stadium odds competition teams team1 team2
		home away artist lineup festival observance localname religion liturgical course courseid lesson room speaker speakers track cinema movie film`,
	noteProgram: `event eventname eventtype spanid traceid parentspanid level severity logger stack stacktrace duration durationms exitcode jobid worker queue attempts cron pid hostname namespace statuscode method sdk platform properties metric unit kindspan anonymousid distinctid device os osversion model imei
		deviceid useragent environment screen appversion sessionid battery network exception`,
	noteOrder: `orderid order items total sku quantity address phone street city deliverydate invoice tracking customer patient payment cart product amount booking size mime filename mimetype url`,
}),
	meaning[noteField]{ofText, noteText}, meaning[noteField]{ofTitle, noteTitle}, meaning[noteField]{ofSubject, noteTitle}, meaning[noteField]{ofCreated, noteDate}, meaning[noteField]{ofModified, noteDate}, meaning[noteField]{ofDate, noteDate},
	meaning[noteField]{ofDue, noteDue}, meaning[noteField]{ofStart, noteStart}, meaning[noteField]{ofEnd, noteEnd}, meaning[noteField]{ofFavourite, noteMark}, meaning[noteField]{ofPhone, noteOrder},
)

// noteAround are words in names of fields that say no more than that it is a
// note's or an entry's.
var noteAround = newLexicon(map[bool]string{true: `note notes memo task todo reminder event entry journal diary nota notas notiz notizen aufgabe tache tarea tarefa termin evento evenement заметка заметки заметке задача задачи notatka notitie not catatan ghichu user last str string text raw plain value field data
	笔记 便签 备忘 备忘录 待办 日记 日程 筆記 便條 備忘 待辦 メモ ノート タスク 予定 메모 노트 할일 일정 โน้ต บันทึก नोट ملاحظه المذكره`})

// noteFamily returns the family of a field's name, by the whole of it or by the
// word in it that is not about notes.
func noteFamily(name string) noteField {
	if w := noteWords.of(name); w != noteNone {
		return w
	}
	return noteWords.compound(name, noteAround)
}

var noteFolds = newLexicon(map[noteField]string{
	noteStart:  `start dtstart`,
	noteTitle:  `summary`,
	noteEnd:    `end dtend`,
	noteText:   `content body text note annotations delta ops operations blocks paragraphs spans segments richtext document`,
	noteInvite: `attendees organizer reminders responsestatus overrides emailaddress`,
	noteDue:    `due duedatetime`,
	noteMark:   `listcontent checklist listitems checkitems labels tags timestamps`,
	noteDate:   `dates`,
})

var (
	notePlaces = newStems("note", "нотат", "завдан", "zavdan", "notatk", "memo", "todo", "diary", "journal", "checklist", "tasklist", "tasks", "reminder", "jotting", "scratchpad", "notiz", "aufgabe", "tagebuch", "tache", "apunte", "tarea", "recordatorio", "appunt", "promemoria", "anotac", "lembrete", "tarefa", "заметк", "задач", "напомин", "дневник", "笔记", "备忘", "便签", "待办", "日记", "beiwanglu", "bijibe", "bianqian", "daiban", "notatk", "notatka", "zadani", "メモ", "ノート", "リマインダー", "메모", "โน้ต", "บันทึก", "مذكر",
		"notas", "notiti", "notities", "notlar", "notlarim", "zapisky", "poznamk", "notite", "jegyzet", "anteckning", "notat", "σημειω", "catatan", "ghichu", "ملاحظ", "یادداشت", "פתקים", "पत्र", "टिप्पणी", "नोट", "筆記", "便條", "備忘", "ノオト", "覚え書き", "필기", "노트", "사용자메모",
		"tareas", "compit", "daafare", "zadach", "ukol", "sarcin", "feladat", "uppgift", "opgave", "gorev", "yapilacak", "tugas", "congviec", "مهام", "المهام", "कार्यसूची", "งานที่ต้อง", "タスク", "やること", "할일", "待辦", "任务清单", "rappel", "przypomn", "herinner", "hatirlat", "pengingat", "nhacnho", "nhacviec", "تذكير", "अनुस्मारक", "เตือนความจำ", "미리알림", "提醒事项",
		"diario", "journalintime", "dziennik", "pamietnik", "dagboek", "dagbok", "gunluk", "bukuharian", "nhatky", "يوميات", "المذكرات", "डायरी", "ไดอารี่", "日記", "일기", "daftartugas", "zametk", "bloknot", "блокнот", "записк", "bloc-notes", "blocnotes", "jotter", "memopad", "stickies", "notepad", "zettel", "todos", "gratitude", "sticky", "dreamlog", "thoughts")
	calendarPlaces = newStems("calendar", "caldav", "agenda", "appointment", "schedule", "kalender", "calendrier", "calendario", "rendezvous", "termin", "evenement", "ics", "vevent", "календар", "日历", "日程", "rili", "richeng", "カレンダー", "캘린더", "ปฏิทิน", "kalendarz", "events", "meetings", "evenement", "eventos", "eventi", "afspra", "spotkan", "wydarzen", "событи", "встреч", "kalendar", "takvim", "etkinlik", "randevu", "التقويم", "مواعيد", "الأحداث", "कैलेंडर", "jadwal", "acara", "lichhen", "sukien", "นัดหมาย", "予定", "スケジュール", "일정", "行程", "行事曆", "日曆")
	// taskEvents are what commands are called that change a task.
	taskEvents   = newStems("itemadd", "additem", "itemupdate", "updateitem", "itemcreate", "createitem", "itemcomplete")
	guestNames   = newStems("attendee", "invitee", "participant", "invited")
	caldavPlaces = newStems("caldav")
	// notNotes are names with the same letters that mean something else.
	notNotes = newStems("releases", "changelog", "releasenote", "patchnote", "versionnote", "creditnote", "deliverynote", "changenote", "updatenote", "ordernote", "notebookmodel", "notebookpc", "notepadid", "annotation", "footnote", "denote", "stickysession", "notification", "notify", "banknote", "keynote", "notice", "noted", "memory", "memoryinfo", "journalist", "journalpost", "journals", "shippingnote", "specialnote", "drivernote", "customernote", "changelog", "whatsnew", "patient", "ticketnote", "product", "news", "cronjob", "scheduler", "backgroundtask", "runningtask", "celery", "holiday", "fixture", "league", "match", "publicholiday", "sports", "course", "timetable")
)

var noteGather = withNames(gather{
	need: noteNeed, live: noteLive, brief: true,
	place: func(group string) bool {
		_, key := lastKey(group)
		return len(key) > 3 && mentions(key, notePlaces)
	},
	want: func(p *inspect.Part) bool {
		if len(p.Data) < 2 {
			return false
		}
		if len(p.Name) <= 2 && len(p.Name) > 0 && p.Kind == inspect.Text && p.Direction == flow.Up && bytes.IndexByte(p.Data, ' ') > 0 {
			return true
		}
		switch noteFamily(p.Name) {
		case noteText, noteTitle:
			return p.Kind <= inspect.Text && (bytes.IndexByte(p.Data, ' ') >= 0 || !ascii(p.Data[:min(len(p.Data), 64)]))
		case noteStart, noteDue, noteInvite:
			return true
		case noteMark:
			return p.Kind <= inspect.Text && bytes.IndexByte(p.Data, ' ') > 0 && len(p.Name) > 3 && mentions(p.Name, notePlaces)
		case noteNone:
			return p.Kind <= inspect.Text && len(p.Name) > 3 && mentions(p.Name, notePlaces)
		}
		return false
	},
	fold: func(key string, list bool) bool {
		// Reminders of an entry stand in it; a list of reminders is one of tasks.
		return noteFolds.of(key) != noteNone && !(list && key == "reminders")
	},
	column: func(name string) bool { w := noteWords.of(name); return w > noteNone && w <= noteInvite },
})

// note is what a card says about something written down.
type note struct {
	field  [noteCount]*inspect.Part
	count  [noteCount]int
	cells  []cell
	prose  bool // it has a text or title that a person can have written
	words  bool // of several words
	own    bool // a field is called after notes
	remark bool // by the bare word
	check  bool // it can be ticked off

	spoken  bool // a field holds what was dictated
	private bool // a field is called after the user's own note
}

// privateNames are names of fields that hold what the user noted on a thing.
var privateNames = newLexicon(map[bool]string{true: `usernote usernotes mynote mynotes personalnote personalnotes privatenote privatenotes`})

// spokenNote says that a field holds what was dictated.
func spokenNote(name string) bool {
	return name == "transcript" || name == "transcription" || name == "dictation" || name == "spokenText"
}

// fileNames are names of fields that hold the name of a file.
var fileNames = map[string]bool{"path": true, "file": true, "filename": true, "fileName": true, "filePath": true, "file_path": true, "name": true}

// noteName is what the lists know of a name.
type noteName struct {
	family noteField
	placed bool // it is called after notes
	file   bool // it can hold the name of a file
	signs  noteSigns
}

var noteNames = inspect.NewNameFacts(lookNote)

func lookNote(name string) noteName {
	n := noteName{family: noteFamily(name), placed: mentions(name, notePlaces), file: fileNames[name]}
	if n.placed && len(name) > 3 {
		n.signs |= noteOwned
	}
	if privateNames.of(name) {
		n.signs |= notePrivate
	}
	switch name {
	case "checked", "isChecked", "is_checked", "done":
		n.signs |= noteChecks
	}
	return n
}

// noteOf returns the family of a cell, by its name and those around it; own says
// that it stands in an object that is called after notes.
func noteOf(x *cell, w noteField) (of noteField, own bool) { return noteIn(x.name, x.via, x.over, w) }

func noteIn(name, via, over string, w noteField) (of noteField, own bool) {
	if via == "" {
		return w, false
	}
	v := noteFolds.of(via)
	if o := noteFolds.of(over); over != "" && o == noteInvite {
		v = o
	}
	switch {
	case v == noteText && mentions(via, notePlaces):
		own = true
		if w == noteNone && name == "value" {
			w = v
		}
	case v != noteNone && w != noteMark && w != noteDue:
		w = v
	}
	return w, own
}

// noNote says by names alone that weigh would say no, whatever the values say.
func noNote(c *card, names *inspect.Known[noteName]) bool {
	if len(c.cells) > 0 && c.cells[0].Decoder() == "vobject" {
		return false
	}
	against, marks, due := 0, 0, 0
	named := false
	for i := range c.cells {
		x := &c.cells[i]
		n := ofCell(names, x)
		w, own := noteOf(x, n.family)
		named = named || n.placed || n.file || own
		switch {
		case w == noteStart:
			return false
		case w == noteMark, spokenNote(x.name):
			marks++
		case w == noteDue:
			due++
		case w > noteInvite && x.Kind != inspect.Null && len(x.Data) > 0:
			against++
		}
	}
	return against > 1 || against == 1 && !(marks > 0 || due > 1) || against == 1 && !named && !c.placed(inNotes)
}

// read reads a card, with the memory of the one before.
func (k *note) read(c *card, names *inspect.Known[noteName]) {
	*k = note{cells: k.cells[:0]}
	for i := range c.cells {
		x := &c.cells[i]
		if fileNames[x.name] && x.Kind <= inspect.Text && len(x.Data) < 512 && (bytes.HasSuffix(x.Data, []byte(".md")) || bytes.HasSuffix(x.Data, []byte(".txt"))) {
			dir, _, _ := bytes.Cut(x.Data, []byte("/"))
			k.own = k.own || bytes.HasSuffix(x.Data, []byte(".md")) || mentions(string(dir), notePlaces)
		}
		if (x.name == "checked" || x.name == "isChecked" || x.name == "is_checked" || x.name == "done") && isSmall(x.Part) {
			k.check = true
		}
		w, own := noteOf(x, ofCell(names, x).family)
		k.own = k.own || own && !mentions(x.via, notNotes)
		if w == noteMark && len(x.name) > 5 && mentions(x.name, notePlaces) && !mentions(x.name, notNotes) && len(x.Data) > 0 {
			k.own = true // noteId, notebook
		}
		if w == noteNone {
			if x.Kind <= inspect.Text && len(x.Data) > 3 && len(x.name) > 3 && mentions(x.name, notePlaces) && !mentions(x.name, notNotes) && isProse(x.Data) {
				w = noteText
			} else {
				continue
			}
		}
		if x.Kind == inspect.Null || len(x.Data) == 0 {
			if w == noteMark || w == noteCalendar || w == noteDue {
				k.count[w]++
			}
			continue
		}
		if w == noteMark && x.Kind <= inspect.Text && len(x.name) > 3 && mentions(x.name, notePlaces) && isProse(x.Data) && !tokenLike(x.Data) && digest(x.Data) == 0 {
			if n, words := sentence(x.Data); words || n >= 10 && bytes.IndexByte(x.Data, ' ') > 0 || n >= 4 && !ascii(x.Data) {
				w = noteText
			}
		}
		ok := true
		switch w {
		case noteText, noteTitle:
			ok = x.Kind <= inspect.Text && (isProse(x.Data) || noteMarkup(x.Data)) && !tokenLike(x.Data)
			if ok {
				k.prose = true
				n, words := sentence(x.Data)
				k.words = k.words || words || n >= 12 || n >= 4 && !ascii(x.Data)
				if mentions(x.name, notePlaces) && !mentions(x.name, notNotes) {
					// Things of all kinds have a note on them.
					k.own, k.remark = true, k.remark || len(x.name) <= 5
				}
			}
		case noteDate, noteStart, noteEnd:
			ok = isInstant(x.Part)
		case noteInvite:
			ok = x.Kind != inspect.Number || !mentions(x.name, guestNames) // how many come
		}
		if !ok {
			continue
		}
		k.count[w]++
		if spokenNote(x.name) {
			k.spoken = true
		}
		k.private = k.private || w == noteText && privateNames.of(x.name)
		if k.field[w] == nil {
			k.field[w] = x.Part
			if w <= noteInvite {
				k.cells = append(k.cells, *x)
			}
		}
	}
}

// guess reads the texts of a card whose names say nothing: in a place that is
// called after notes, a sentence is one.
func (k *note) guess(c *card) {
	if len(c.cells) > 24 {
		return
	}
	for _, x := range c.cells {
		if x.Kind <= inspect.Number && isRecent(x.Data) {
			k.count[noteDate]++
			if k.field[noteDate] == nil {
				k.field[noteDate] = x.Part
			}
			continue
		}
		if x.Kind > inspect.Text || len(x.Data) < 8 || len(x.Children) > 0 || !isProse(x.Data) || tokenLike(x.Data) || digest(x.Data) > 0 || isMailAddress(x.Data) || noteFamily(x.name) > noteInvite {
			continue
		}
		if n, words := sentence(x.Data); words && n >= 12 {
			k.prose, k.words = true, true
			k.count[noteText]++
			if k.field[noteText] == nil {
				k.field[noteText] = x.Part
				k.cells = append(k.cells, x)
			}
		}
	}
}

// noteMarkup says that b is text in the markup of a note program (ENML, HTML).
func noteMarkup(b []byte) bool {
	return len(b) > 12 && b[0] == '<' && (bytes.Contains(b[:min(len(b), 400)], []byte("en-note")) || bytes.HasPrefix(b, []byte("<div")) || bytes.HasPrefix(b, []byte("<p")))
}

// tokenLike says that b is one word as programs write them: snake_case,
// camelCase or a name with full stops.
func tokenLike(b []byte) bool {
	if len(b) > 64 || bytes.IndexByte(b, ' ') >= 0 || !ascii(b) {
		return false
	}
	for i, c := range b {
		if c == '_' || c == '.' && i+1 < len(b) || c == ':' || c == '/' || i > 0 && c-'A' < 26 && b[i-1]-'a' < 26 {
			return true
		}
	}
	return false
}

func detectNotes(t *inspect.Tree) []inspect.Finding {
	var out []inspect.Finding
	bySheet := make(tally)
	x := noteContext{
		path:     pathMentions(t, notePlaces) && !pathMentions(t, notNotes),
		calendar: pathMentions(t, calendarPlaces) && !pathMentions(t, notNotes),
		not:      pathMentions(t, notNotes),
		dav:      t.Subject.Method == "REPORT" || t.Subject.Method == "PROPFIND" || pathMentions(t, caldavPlaces),
	}
	names := noteNames.In(t)
	k := new(note)
	for c := range noteGather.cards(t) {
		if len(out) >= maxFindings {
			break
		}
		if noNote(c, names) {
			continue
		}
		k.read(c, names)
		y := x
		y.up = c.parent.Direction == flow.Up
		if !k.prose && !k.own && (!y.up || !shortNames(c) && !c.placed(inNotes)) {
			continue
		}
		for name := range c.where() {
			if mentions(name, notNotes) {
				y.not = true
				break
			}
			y.place = y.place || mentions(name, notePlaces)
			y.events = y.events || mentions(name, calendarPlaces)
		}
		if !k.prose && y.up && !y.not && (y.place || shortNames(c) && (x.path || outerEvent(c, notePlaces))) && noteFamily(c.parent.Name) != noteText {
			k.guess(c)
		}
		if !k.prose && !k.own {
			continue
		}
		y.event = outerEvent(c, notePlaces) || k.count[noteDue] > 0 && outerEvent(c, taskEvents)
		y.events = y.events || y.up && outerEvent(c, calendarPlaces)
		y.vobject = len(c.cells) > 0 && c.cells[0].Decoder() == "vobject" || c.properties
		confidence, why := k.weigh(c, &y)
		if confidence == "" {
			continue
		}
		s := c.sheet()
		if bySheet.again(s) {
			continue
		}
		at := k.field[noteText]
		if at == nil {
			at = k.field[noteTitle]
		}
		if at == nil {
			continue
		}
		bySheet.first(s, len(out))
		out = append(out, inspect.Finding{
			Confidence: confidence, Direction: c.parent.Direction, Path: at.Path,
			Reason: fmt.Sprintf("An object with the %s, %s, %s.", fieldNames(k.cells), why, route(at)),
		})
	}
	if len(out) == 0 {
		out = notesInMarkup(t)
	}
	if len(out) == 0 && x.path && (t.Subject.Method == "PUT" || t.Subject.Method == "POST") {
		// A file of text that is put under a name that says what it is.
		for _, p := range t.Parts {
			if p.Parent != nil {
				break // the roots stand first
			}
			if p.Direction != flow.Up || p.Kind > inspect.Text || p.Decoder() != "request.body" || p.Media != "text/plain" && p.Media != "text/markdown" && p.Media != "text/html" && p.Media != "" || len(p.Children) > 0 || !isProse(p.Data[:min(len(p.Data), 4096)]) {
				continue
			}
			if n, words := sentence(p.Data[:min(len(p.Data), 4096)]); words && n >= 12 {
				out = append(out, inspect.Finding{
					Confidence: inspect.Suspected, Direction: flow.Up, Path: p.Path,
					Reason: "A text in words went up to this host as a file, under a name that is called after notes.",
				})
			}
		}
	}
	bySheet.say(out, "objects")
	return out
}

// notesInMarkup looks for files of tasks and notes in the markup that their
// programs write: Org (orgmode.org), lists to tick off in Markdown, todo.txt
// (github.com/todotxt/todo.txt).
func notesInMarkup(t *inspect.Tree) []inspect.Finding {
	may := func(c *inspect.Column) bool { return c.Max >= 16 && hasText(c) && c.Holds&inspect.Newlines != 0 }
	parts := partsOf(t, may)
	for p := parts.next(); p != nil; p = parts.next() {
		if p.Direction != flow.Up || p.Kind > inspect.Text || len(p.Data) < 16 || len(p.Children) > 0 || p.Holds()&inspect.Newlines == 0 {
			continue
		}
		switch p.Decoder() {
		case "request.body", "multipart", "zip", "tar", "gzip", "frame", "charset", "base64", "zstd", "br", "deflate":
		default:
			continue
		}
		ticks, heads, lines := 0, 0, 0
		for line := range bytes.Lines(p.Data[:min(len(p.Data), 64<<10)]) {
			rest := bytes.TrimLeft(bytes.TrimSpace(line), "*-+ ")
			if len(rest) == 0 {
				continue
			}
			if lines++; len(rest) > 4 && (line[0] == '*' || line[0] == '-' || line[0] == ' ' || line[0] == '+') {
				switch {
				case bytes.HasPrefix(rest, []byte("[ ]")), bytes.HasPrefix(rest, []byte("[x]")), bytes.HasPrefix(rest, []byte("[X]")), bytes.HasPrefix(rest, []byte("TODO ")), bytes.HasPrefix(rest, []byte("DONE ")):
					ticks++
				case line[0] == '*' && len(line) > 2 && (line[1] == ' ' || line[1] == '*'):
					heads++
				case bytes.HasPrefix(rest, []byte("DEADLINE: <")), bytes.HasPrefix(rest, []byte("SCHEDULED: <")), bytes.HasPrefix(rest, []byte("CLOSED: [")), bytes.HasPrefix(rest, []byte(":PROPERTIES:")):
					ticks++
				}
			} else if len(rest) > 8 && (rest[0] == '(' && rest[2] == ')' && rest[1]-'A' < 26 || rest[0] == 'x' && rest[1] == ' ' && rest[6] == '-') {
				ticks++
			}
		}
		if ticks >= 2 && 4*(ticks+heads) >= lines || ticks == 1 && lines <= 3 && heads > 0 {
			return []inspect.Finding{{
				Confidence: inspect.Suspected, Direction: flow.Up, Path: p.Path,
				Reason: "A text with tasks to tick off, in the markup that programs for notes write, went up to this host.",
			}}
		}
	}
	return nil
}

type noteContext struct {
	path, calendar, not, dav          bool // the request's path says so
	place, events, event, up, vobject bool // the names around say so
}

func (k *note) weigh(c *card, x *noteContext) (inspect.Confidence, string) {
	n := &k.count
	const (
		written = "as something that somebody wrote down is kept, in a place that is called after notes or tasks"
		entry   = "as an entry of a calendar is kept"
		task    = "as a task that somebody wrote down is kept"
	)
	if x.vobject {
		return k.weighObject(c, x)
	}
	if k.private && x.up && k.words && n[noteDate] > 0 && n[notePost]+n[noteRelease]+n[notePublic]+n[noteProgram]+n[noteOrder] == 0 {
		return inspect.Suspected, "as something that somebody noted on a thing of their own is kept"
	}
	if x.not || n[noteRelease] > 1 || n[notePost] > 1 || n[noteProgram] > 1 || n[noteOrder] > 1 {
		return "", ""
	}
	if k.spoken && n[noteProgram] == 1 && c.has("durationMs", "duration_ms", "duration") {
		n[noteProgram] = 0 // it lasts as long as it was spoken
	}
	against := n[noteRelease] + n[notePost] + n[noteOrder] + n[noteProgram] + n[notePublic]
	named := x.place || k.own
	// Entries of a calendar.
	program, lasts := n[noteProgram], false
	if program > 0 && (x.events || n[noteCalendar] > 0) && c.has("duration") {
		program, lasts = program-1, true // as JSCalendar says when it ends (RFC 8984)
	}
	if n[noteStart] > 0 && k.field[noteTitle] != nil && n[notePublic] == 0 && program == 0 {
		marks := min(n[noteCalendar], 3)
		if n[noteInvite] > 0 {
			marks++
		}
		if n[noteEnd] > 0 || lasts {
			marks++
		}
		place := x.calendar || x.events || x.place
		private := n[noteInvite] > 0 || n[noteMark] > 0
		switch {
		case x.up && (n[noteCalendar] > 0 || n[noteInvite] > 0) && marks >= 2 && against == 0:
			return inspect.Probable, entry
		case x.up && place && (n[noteEnd] > 0 || lasts) && n[noteOrder] == 0:
			return inspect.Probable, entry
		case !x.up && private && (marks >= 3 || marks >= 2 && place) && against <= 1:
			return inspect.Probable, entry
		case !x.up && n[noteCalendar] >= 3 && place && against == 0:
			return inspect.Suspected, entry
		}
	}
	if k.field[noteText] == nil && !k.words && n[noteDue] == 0 {
		return "", ""
	}
	if !k.words && against > 0 {
		return "", ""
	}
	dated := n[noteDate] > 0
	marks := n[noteMark]
	switch {
	case against > 0 && !(named && (marks > 0 || n[noteDue] > 1) && against == 1):
		return "", ""
	case n[noteDue] >= 2 && (named || x.path || x.events && x.up) && k.words, n[noteDue] >= 3 && x.up && k.words && n[noteProgram] == 0:
		return inspect.Probable, task
	case n[noteDue] > 0 && (named || x.path) && (k.words || dated):
		return inspect.Probable, task
	case named && (dated || marks > 0 || k.field[noteTitle] != nil && (x.place || !k.remark)) && k.field[noteText] != nil:
		return inspect.Probable, written
	case x.path && k.field[noteText] != nil && (dated || marks > 0 || k.field[noteTitle] != nil && x.up):
		return inspect.Probable, written
	case x.place && (dated || n[noteStart] > 0) && k.words && against == 0:
		return inspect.Suspected, written
	case (x.event || x.place) && x.up && (k.field[noteText] != nil || k.field[noteTitle] != nil && len(k.field[noteTitle].Data) >= 24) && k.words:
		return inspect.Suspected, written
	case n[noteDue] >= 2 && x.up && k.words && k.field[noteTitle] != nil && against == 0 && len(c.cells) <= 10:
		return inspect.Suspected, task
	case k.check && x.up && k.words && k.field[noteText] != nil && len(c.cells) <= 8 && c.list != "":
		return inspect.Suspected, task
	case marks >= 2 && k.field[noteText] != nil && dated && x.up && k.words:
		return inspect.Suspected, "as something that somebody wrote down is kept, with fields that programs for notes have"
	case marks >= 3 && k.field[noteText] != nil && k.field[noteTitle] != nil && dated && k.words:
		return inspect.Suspected, "as something that somebody wrote down is kept, with fields that programs for notes have"
	case x.path && x.up && k.own && k.words:
		return inspect.Suspected, written
	}
	return "", ""
}

// weighObject decides about a component of iCalendar or vNote.
func (k *note) weighObject(c *card, x *noteContext) (inspect.Confidence, string) {
	component, _, _ := strings.Cut(strings.ToLower(c.group), "[")
	var names []string
	for _, p := range c.cells {
		names = append(names, strings.ToUpper(p.name))
	}
	has := func(list ...string) bool {
		for _, n := range names {
			for _, w := range list {
				if n == w {
					return true
				}
			}
		}
		return false
	}
	whole := bytes.ToUpper(c.parent.Data[:min(len(c.parent.Data), 64<<10)])
	is := func(word string) bool {
		return strings.Contains(component, strings.ToLower(word)) || bytes.Contains(whole, []byte("BEGIN:"+word))
	}
	const entry = "as an entry of a calendar is written (iCalendar)"
	switch {
	case has("TEL", "N", "FN", "X-IRMC-CALL-DATETIME", "FREEBUSY", "TZID", "TZNAME", "TZOFFSETTO", "X-BOX"):
		return "", ""
	case is("VNOTE") && has("BODY", "SUMMARY"):
		return inspect.Probable, "as a note is written (vNote)"
	case c.properties && has("DUE", "COMPLETED", "PERCENT-COMPLETE") && has("SUMMARY"):
		return inspect.Probable, "as a task is written (jCal)"
	case (is("VTODO") || is("VJOURNAL")) && has("SUMMARY", "DESCRIPTION") && !has("DTEND"):
		return inspect.Probable, "as a task or journal entry is written (iCalendar)"
	case !has("DTSTART") || !has("SUMMARY", "DESCRIPTION"):
		return "", ""
	case x.up, x.dav:
		return inspect.Probable, entry
	case has("ATTENDEE") || has("ORGANIZER") && !x.not:
		return inspect.Probable, entry
	case bytes.Contains(whole, []byte("BEGIN:VALARM")) && !x.not:
		return inspect.Suspected, entry
	}
	for p := c.parent.Parent; p != nil; p = p.Parent {
		if bytes.Contains(p.Data[:min(len(p.Data), 4096)], []byte("multistatus")) {
			return inspect.Probable, entry
		}
	}
	return "", ""
}
