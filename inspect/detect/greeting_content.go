package detect

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"constat/inspect"
	"constat/proxy/flow"
)

// GreetingContent recognises preset jokes, poems and holiday wishes that come
// down for sending on.
//
// It asks for a list of texts, bare or with a number and a category, that
// carries nothing about a person, a place or a product, in the answer to a
// request for such a list. Text that goes up is never greeting content, and text
// with an address is somebody's message. When the request carries an identifier
// of the phone or its user, that is said as well: the content is not personal
// then, the request is.
var GreetingContent = inspect.Detector{
	Name:   "greeting_content",
	Class:  inspect.GreetingContent,
	Doc:    "looks for lists of preset texts (jokes, poems, wishes) that came down, with ids or categories and nothing personal",
	Detect: detectGreetings,
}

// greetField is a family of field names.
type greetField uint8

const (
	greetNone     greetField = iota
	greetText                // the text itself
	greetID                  // its number
	greetCategory            // what it is for
	greetMeta                // says nothing for or against
	greetSoft                // articles have it, and at times presets
	greetAgainst             // a person, product or place has it
)

var greetWords = speaking(newLexicon(map[greetField]string{
	greetText: `text txt setup punchline delivery phrase sentence content body message msg messages texts contents joke quote poem greeting wish verse saying proverb fortune line lines paragraphs caption sms smstext smscontent template templates
		texte blague poeme voeu voeux witz spruch gedicht gruss texto chiste frase poema testo barzelletta frasi tekst zart tresc текст шутка 内容 文本 短信 笑话 诗 祝福语 items entries list data quotes jokes poems greetings wishes blessing blessings zyczenia życzenia zyczenie życzenie pozdravlenie piada piadas anedota chistes blagues witze sprüche sprueche gruß grüße gruesse barzellette żart żarty dowcip dowcipy vtip vtipy vicc viccek mop moppen grap grappen poemas stih stihi анекдот анекдоты шутки поздравление поздравления тост тосты fıkra fikra şaka şiir siir söz sözler dilek mesajlar نكتة نكات تهنئة تهاني شعر حكمة مقولة جوک चुटकुला चुटकुले शायरी शुभकामना lelucon pantun puisi kutipan truyệncười câunói คำอวยพร คำคม มุก กลอน 농담 유머 명언 문구 인사말 덕담 笑話 祝福 贺词 賀詞 语录 名言 段子 対句 ジョーク 挨拶文 例文 felicitacion auguri ucapan loichuc lờichúc mesaj`,
	greetID:       `smsid mid hashid id msgid messageid gid tid no index seq num idx key textid jokeid poemid greetingid quoteid wishid templateid cardid phraseid uid`,
	greetCategory: `category cat categoryid cid catid categoryname type kind tag tags theme topic festival holiday occasion group categorie kategorie categoria kategoria 分类 类别 节日 subject genre`,
	greetMeta: `count total marker lang language locale title desc desctext description order sort rank weight version ver status code result ok hot likes like favcount usecount usedtimes usedcount timesused downloads forwards sends copied length size page pagesize hasmore
		next lastpage islast imageurl image icon banner begin end success errno error errormsg width color style flags premium free number start limit offset name dynasty license`,
	greetSoft: `url link href permalink published pubdate publishdate publishedat createdat createtime updatedat updatetime modified modifydate lastmodified createdate date datetime timestamp time
		summary excerpt thumbnail author source sentat video deadline`,
	greetAgainst: `address sender from to recipient phone phonenumber email user userid username nickname nick avatar authorid createdby displayname screenname price currency sku stock brand product
		rating stars score comment comments reply replies lat lng latitude longitude temperature humidity wind thread
		threadid conversationid channel channelid room read seen isread duration artist album track city country zip done due completed checked priority assignee answer question`,
}),
	meaning[greetField]{ofText, greetText}, meaning[greetField]{ofNumber, greetID}, meaning[greetField]{ofCategory, greetCategory}, meaning[greetField]{ofTitle, greetMeta}, meaning[greetField]{ofSender, greetAgainst}, meaning[greetField]{ofReceiver, greetAgainst}, meaning[greetField]{ofPhone, greetAgainst},
	meaning[greetField]{ofMail, greetAgainst}, meaning[greetField]{ofRead, greetAgainst}, meaning[greetField]{ofDue, greetAgainst}, meaning[greetField]{ofCreated, greetSoft}, meaning[greetField]{ofModified, greetSoft}, meaning[greetField]{ofDate, greetSoft}, meaning[greetField]{ofAddress, greetSoft},
)

// greetAround are words in names of fields that say no more than that it is a
// preset's, or stand for one.
var greetAround = newLexicon(map[bool]string{true: `s t m q p sms status msg item quote joke wish greeting str string raw value field`})

// greetFamily returns the family of a field's name, by the whole of it or by the
// word behind a prefix.
func greetFamily(name string) greetField {
	if w := greetWords.of(name); w != greetNone || len(name) < 4 || len(name) > 24 {
		return w
	}
	if w := greetWords.compound(name, greetAround); w == greetText || w == greetID || w == greetCategory {
		return w
	}
	return greetNone
}

// wishWords are words of wishes, and labelWords those under which presets of all
// kinds are filed: in names of fields, of categories and in paths. Both are
// hints.
var (
	wishWords = []string{
		"greeting", "wish", "blessing", "christmas", "new year", "newyear", "birthday", "valentine", "easter",
		"voeux", "vœux", "bonne année", "noël", "anniversaire", "weihnacht", "neujahr", "geburtstag", "navidad", "cumpleaños", "felicit",
		"auguri", "natale", "życzenia", "přání", "поздравлен", "с новым годом", "с днём рождения",
		"祝福", "祝您", "祝你", "快乐", "新年", "新春", "春节", "中秋", "元宵", "端午", "圣诞", "生日", "节日", "贺", "情人节", "国庆", "元旦", "快樂", "聖誕", "生日", "賀", "吉祥",
		"voeu", "meilleurs vœux", "glückw", "glueckw", "frohe ", "alles gute", "feliz ", "felices ", "próspero", "boas festas", "buon natale", "buon compleanno", "buon anno", "buone feste", "wszystkiego najlepszego", "wesołych", "sto lat", "veselé", "la mulți ani", "boldog ", "gratulerer", "grattis", "god jul", "χρόνια πολλά", "gelukkig", "gefeliciteerd", "prettige",
		"kutlu olsun", "iyi bayramlar", "bayramınız", "mutlu yıllar", "doğum günün", "عيد مبارك", "كل عام", "تهنئة", "تهاني", "مبارك", "عید", "חג שמח", "יום הולדת", "शुभकामना", "मुबारक", "जन्मदिन", "दीपावली", "दिवाली", "selamat tahun", "selamat hari", "selamat ulang", "selamat natal", "tahun baru", "chúc mừng", "lời chúc", "năm mới", "sinh nhật", "สุขสันต์", "สวัสดีปีใหม่", "อวยพร", "วันเกิด",
		"おめでとう", "お祝い", "お誕生日", "メリークリスマス", "明けまして", "よいお年", "새해 복", "생일", "메리 크리스마스", "hari raya", "eid mubarak", "diwali", "merry ", "season's", "anniversary",
	}
	presetPlaces = newStems("smsres", "smscontent", "smslib", "smstemplate")
	labelWords   = []string{
		"joke", "poem", "poetry", "festival", "fortune", "quote", "proverb", "humor", "humour", "holiday", "funny", "riddle", "love", "punchline",
		"blague", "poème", "poésie", "citation", "witz", "spruch", "sprüche", "gedicht", "zitat", "chiste", "frases", "poesia",
		"barzellett", "piada", "mensagens", "dowcip", "vtip", "анекдот", "шутк", "笑话", "诗", "段子", "短信", "语录",
		"xiaohua", "zhufu", "duanzi", "yulu", "shige", "duanxin",
		"saying", "aphorism", "pick-up line", "pickupline", "limerick", "haiku", "oneliner", "one-liner", "shayari", "good morning", "good night", "devinette", "proverbe", "maxime", "zitate", "reime", "sprichw", "chistes", "refran", "adivinanza", "poemas", "piadas", "ditados", "citac", "battute", "proverbi", "poesie", "indovinell",
		"wiersz", "cytat", "żart", "przysłow", "moppen", "grappen", "gedichten", "spreuken", "citaten", "vtipy", "citát", "básn", "glume", "viccek", "versek", "ordspråk", "dikter", "стих", "цитат", "пословиц", "афоризм", "приколы", "shutk", "anekdot", "stihi", "pozdravl", "fıkra", "fikra", "şiir", "siir", "özlü söz", "atasöz", "güzel söz", "نكت", "نكتة", "شعر", "أقوال", "حكم", "امثال", "جوک", "שירים", "בדיחות", "चुटकुल", "शायरी", "सुविचार", "कविता",
		"lelucon", "pantun", "puisi", "kata bijak", "katabijak", "kata mutiara", "truyện cười", "truyencuoi", "loichuc", "danh ngôn", "danhngon", "thơ", "คำคม", "มุกตลก", "เรื่องตลก", "กลอน", "คำอวยพร", "ジョーク", "名言", "ことわざ", "格言", "俳句", "詩", "笑い話", "なぞなぞ", "농담", "유머", "명언", "속담", "笑話", "詩", "語錄", "名言", "谚语", "歇后语", "谜语", "對聯", "对联",
	}
)

// maxHintText is how much of a text is searched for words.
const maxHintText = 512

var (
	wishes = newPieces(wishWords)
	hints  = newPieces(labelWords, wishWords)
)

// wishful says that a text has words of wishes.
func wishful(b []byte) bool { return wishes.in(b[:min(len(b), maxHintText)]) }

// labels says that a name or category says what presets are for.
func labels(b []byte) bool { return hints.in(b[:min(len(b), maxHintText)]) }

// texts is a list of texts that stand in one array, or under one key.
type texts struct {
	parent   *inspect.Part
	list     string // the array
	first    *inspect.Part
	count    int // texts
	long     int // of them, sentences
	ids      int
	files    int // with a category
	wishes   int
	soft     int
	titles   int
	against  int
	article  int  // fields of articles in the objects around the list
	labelled bool // a name on the way says what they are
	filled   bool // there are places in them to fill in
	taught   bool // they stand in a course
}

// maxLists bounds how many lists of texts, and objects around them, are kept of
// one tree and one part.
const maxLists = 256

// Lengths, in characters, of which a text must have the first to be a sentence.
const (
	leastSentence = 10
	longestText   = 4000
)

func detectGreetings(t *inspect.Tree) []inspect.Finding {
	if t.Subject.Frame == nil && len(t.Subject.Response.Body) == 0 {
		return nil
	}
	var lists []*texts
	var byList map[string]*texts // of one parent
	var parent *inspect.Part
	personal, filed := false, false
	riddles := labels([]byte(t.Subject.Path))
	// What speaks against it in the objects around the lists, by group.
	var articles map[*inspect.Part]map[string]int
	var spoken map[sheet]bool // lists whose entries are somebody's
	for r := range t.Records() {
		if r.Parent == nil || r.Direction != flow.Down || len(r.Fields) == 0 {
			continue
		}
		if of := seriesOf(r.Parent); of != parent {
			parent, byList = of, nil
		}
		x := readTexts(r, riddles)
		filed = filed || x.files > 0 && x.count == 0 && x.wishes > 0
		if x.count == 0 {
			personal = personal || x.against > 2
			// Who sent an entry may be an object inside it.
			if outer, key := lastKey(r.Group); key != "" && indexed(outer) && greetWords.of(key) == greetAgainst && len(spoken) < maxLists {
				if spoken == nil {
					spoken = make(map[sheet]bool)
				}
				spoken[sheet{parent, listOf(outer)}] = true
			}
			if n := x.soft + x.against; n > 1 && len(articles[parent]) < maxLists {
				if articles == nil {
					articles = make(map[*inspect.Part]map[string]int)
				}
				if articles[parent] == nil {
					articles[parent] = make(map[string]int)
				}
				articles[parent][r.Group] = n
			}
			continue
		}
		if byList == nil {
			byList = make(map[string]*texts)
		}
		have := byList[x.list]
		if have == nil && len(lists) == maxLists {
			continue
		}
		if have == nil {
			have = new(texts)
			*have = x
			lists = append(lists, have)
			byList[x.list] = have
			continue
		}
		have.count += x.count
		have.long += x.long
		have.ids += x.ids
		have.files += x.files
		have.wishes += x.wishes
		have.soft += x.soft
		have.titles += x.titles
		have.against += x.against
		have.filled = have.filled || x.filled
	}
	lists = append(lists, linesOfTexts(t)...)
	if len(lists) == 0 && !filed {
		return nil
	}
	if pathMentions(t, ownPlaces) {
		personal = true
	}
	total := make(map[*inspect.Part]int)
	for _, x := range lists {
		x.taught = mentions(x.list[max(0, len(x.list)-maxName):], courses)
		if spoken[sheet{x.parent, x.list}] {
			x.against++
		}
		total[x.parent] += x.count
		for group, soft := range articles[x.parent] {
			if strings.HasPrefix(x.list, group) {
				x.article = max(x.article, soft)
			}
		}
	}
	request := readRequest(t)
	var out []inspect.Finding
	for _, x := range lists {
		confidence := x.weigh(request, total[x.parent], filed, personal)
		if confidence == "" {
			continue
		}
		what := fmt.Sprintf("A list of %d preset texts", x.count)
		if x.count == 1 {
			what = "A preset text"
		}
		out = append(out, inspect.Finding{
			Confidence: confidence, Direction: flow.Down, Path: x.first.Path,
			Reason: what + x.features() + " came down from this host, with no address and no field about a person.",
		})
		if len(out) == maxNamed {
			break
		}
	}
	if len(out) == 0 {
		out = detectIndex(t, request)
	}
	if len(out) > 0 && request.id != nil {
		out = append(out, inspect.Finding{
			Class: inspect.Identifiers, Confidence: request.idSure, Direction: flow.Up, Path: request.id.Path,
			Reason: fmt.Sprintf("The request for greeting content carries %s: the content is nobody's, the request is not anonymous.", request.idWhat),
		})
	}
	return out
}

// riddleNames are names of the halves of riddles and jokes.
var riddleNames = map[string]bool{"q": true, "a": true, "question": true, "answer": true, "pergunta": true, "resposta": true, "frage": true, "antwort": true}

// ownPlaces are what requests are called for what somebody wrote.
var ownPlaces = newStems("notes", "memo", "todo", "tasks", "diary", "journal", "reminder", "calendar", "conversation", "inbox", "chat", "rooms", "contacts", "comments", "reviews", "mailbox", "notiz", "notizen", "zametk", "bianqian", "beiwanglu", "便签", "笔记")

// seriesOf is the document that the values of p belong to, which is the one
// around it when that is a series of documents.
func seriesOf(p *inspect.Part) *inspect.Part {
	if p.Parent != nil && p.Decoder() == "ndjson" {
		return p.Parent
	}
	return p
}

// linesOfTexts looks for a file of text that came down, each line of which, or
// each piece between lines of one %, as fortune files have them, is a sentence.
func linesOfTexts(t *inspect.Tree) []*texts {
	s := t.Subject
	if s.Frame != nil {
		return nil
	}
	called := labels([]byte(s.Path)) || pathMentions(t, presetPlaces)
	for _, p := range t.Parts {
		if p.Direction != flow.Down || p.Kind > inspect.Text || len(p.Children) > 0 || len(p.Data) < 64 || p.Decoder() == "response.header" || p.Holds()&inspect.Newlines == 0 || p.Data[0] == '<' || p.Data[0] == '{' {
			continue
		}
		switch p.Media {
		case "", "text/plain", "text/csv", "application/octet-stream":
		default:
			continue
		}
		if !called && !wishfulLines(p.Data) {
			continue
		}
		x := &texts{parent: p, list: "lines", first: p}
		separator := []byte("\n")
		if bytes.Contains(p.Data[:min(len(p.Data), 64<<10)], []byte("\n%\n")) {
			separator = []byte("\n%\n")
		}
		for line := range bytes.SplitSeq(p.Data[:min(len(p.Data), 64<<10)], separator) {
			if line = bytes.TrimSpace(line); len(line) == 0 || !isProse(line) {
				continue
			}
			x.count++
			if n, words := sentence(line); words && n >= leastSentence {
				x.long++
				if wishful(line) {
					x.wishes++
				}
			}
			if bytes.Contains(line, []byte("://")) || firstAddress(line) {
				x.against++
			}
		}
		if x.count >= 3 || x.count == 2 && x.wishes == 2 {
			x.labelled = true
			return []*texts{x}
		}
	}
	return nil
}

// wishfulLines says that the lines of a text are wishes, but for a first that names
// columns: at least two of the next three, and none is without.
func wishfulLines(d []byte) bool {
	wishes, n := 0, 0
	for line := range bytes.Lines(d[:min(len(d), 4<<10)]) {
		if n++; n > 4 {
			break
		}
		switch {
		case wishful(line):
			wishes++
		case n > 1 && len(bytes.TrimSpace(line)) > 0:
			return false
		}
	}
	return wishes >= 2
}

// readTexts reads one record: an object with a text, or an array of texts.
func readTexts(r inspect.Record, riddles bool) texts {
	var x texts
	keyed := 0 // texts whose names are their numbers
	array := isArray(r)
	alike := true // the texts have one name: elements of XML that are repeated
	for _, f := range r.Fields {
		w := greetFamily(f.Name)
		if riddles && riddleNames[f.Name] {
			w = greetText
		}
		if array && f.Kind == inspect.Text && w == greetNone {
			w = greetText
		}
		if w == greetNone && len(f.Name) <= 2 && f.Kind <= inspect.Text && len(f.Data) >= 16 && wishful(f.Data) {
			w = greetText
		}
		if !array && w == greetNone && f.Kind == inspect.Text && len(r.Fields) >= 3 && r.Group != "" && isKeyID(f.Name) {
			w = greetText // texts under their numbers
			keyed++
		}
		switch w {
		case greetText:
			if f.Kind != inspect.Text || len(f.Children) > 0 || len(f.Data) > longestText || !isProse(f.Data) {
				continue
			}
			if x.first == nil {
				x.first = f
			}
			x.count++
			alike = alike && f.Name == x.first.Name && f.Decoder() == "xml"
			x.filled = x.filled || bytes.Contains(f.Data, []byte("{{")) || bytes.Contains(f.Data, []byte("%s")) || bytes.Contains(f.Data, []byte("${")) || bytes.Contains(f.Data, []byte("{0}"))
			if n, words := sentence(f.Data); n >= leastSentence && words {
				x.long++
				if wishful(f.Data) {
					x.wishes++
				}
				x.labelled = x.labelled || labels([]byte(f.Name))
			}
		case greetID:
			if len(f.Data) <= 24 && f.Kind != inspect.Null {
				x.ids++
			}
		case greetCategory:
			x.files++
			if labels(f.Data) {
				x.wishes++
			}
		case greetMeta:
			if f.Kind == inspect.Text && (f.Name == "title" || f.Name == "name") {
				x.titles++
			}
			if f.Kind == inspect.Text && (f.Name == "title" || f.Name == "name") && labels(f.Data) {
				x.wishes++
				x.files++
			}
		case greetSoft:
			if f.Kind != inspect.Null && len(f.Data) > 0 {
				x.soft++
			}
		case greetAgainst:
			if f.Kind != inspect.Null && len(f.Data) > 0 {
				x.against++
			}
		}
	}
	if x.count > 0 {
		x.parent, x.list = seriesOf(r.Parent), r.Group
		if !array {
			x.list = listOf(r.Group)
		}
		x.labelled = x.labelled || x.long > 0 && labels([]byte(r.Group))
	}
	if keyed >= 3 && 2*keyed > len(r.Fields) {
		x.ids += keyed
		return x
	}
	// One object holds one text: the longest of two is it.
	if !array && !alike && x.count > 1 {
		x.count, x.long, x.wishes = 1, min(x.long, 1), min(x.wishes, 1)
	}
	return x
}

// isArray says that the fields of r stand in an array: their names are that of
// the array.
func isArray(r inspect.Record) bool {
	last := r.Fields[len(r.Fields)-1]
	if indexed(string(last.Path)) {
		return indexed(string(r.Fields[0].Path))
	}
	// XML and forms number what comes again.
	if n := len(r.Fields); n < 2 || last.Name == "" || last.Name != r.Fields[0].Name || last.Decoder() != "xml" || !strings.HasSuffix(string(last.Path), "#"+strconv.Itoa(n-1)) {
		return false
	}
	for _, f := range r.Fields {
		if f.Name != last.Name {
			return false
		}
	}
	return true
}

// indexed says that a path or place ends in an index, and not in a key in
// brackets as those are written that are no plain words.
func indexed(s string) bool {
	return strings.HasSuffix(s, "]") && !strings.HasSuffix(s, `"]`)
}

// listOf is the array that an object stands in.
func listOf(group string) string {
	if indexed(group) {
		return group[:strings.LastIndexByte(group, '[')]
	}
	return group
}

func (x *texts) features() string {
	var have []string
	if x.ids > 0 {
		have = append(have, "numbers")
	}
	if x.files > 0 {
		have = append(have, "categories")
	}
	if len(have) == 0 {
		return ""
	}
	return " with " + list(have)
}

// weigh decides. Two texts and some hints are needed, or one text and more. One
// hint at least must be about what the texts are, unless the request asks for a
// category or for the next ones and nothing but texts and numbers comes back.
func (x *texts) weigh(r *greetRequest, total int, filed, personal bool) inspect.Confidence {
	if x.taught || x.against > 0 || personal || 2*x.long < x.count || x.long == 0 || x.soft > x.count || x.article > 1 {
		return ""
	}
	about := 0
	if 3*x.wishes >= x.count && x.wishes > 0 {
		about += 2
	}
	switch {
	case x.labelled || r.named:
		about += 2
	case r.preset && x.long == x.count && !x.filled:
		about++
	}
	if filed {
		about++
	}
	hints := about
	if x.ids >= x.count {
		hints++
	}
	if x.files > 0 {
		hints++
	}
	if r.paging {
		hints++
	}
	if r.body {
		hints--
	}
	if x.soft > 0 {
		hints--
	}
	if r.search {
		hints -= 2
	}
	bare := x.ids >= x.count && x.titles == 0 && x.soft == 0
	switch {
	case hints < 2 || about == 0 && !(bare && r.paging && !r.search):
		return ""
	case total < 2:
		// One text is an answer to anything: only a request for the next of a
		// list makes it one of a list.
		if r.paging && x.ids > 0 && !r.body {
			return inspect.Suspected
		}
		return ""
	case hints >= 4:
		return inspect.Probable
	}
	return inspect.Suspected
}

// courses are what lists of lessons and the like are called.
var courses = newStems("lesson", "course", "chapter", "module", "quiz", "question", "subtitle", "lyrics", "episode", "lektion", "lecon", "leccion", "lezion", "урок", "课程", "レッスン")

// chosenPlaces are what requests are called for texts to choose from.
var chosenPlaces = newStems("template", "preset", "phrase", "moban", "plantilla", "vorlage", "modele", "modelo", "шаблон", "模板", "範本", "テンプレ", "문구")

// greetRequest is what the request for a list says.
type greetRequest struct {
	body   bool // its body says more than which texts are wanted
	paging bool // it asks for a category, or for the next of a list
	named  bool // its path says what it asks for
	search bool // it searches for something
	preset bool // its path says that what comes is there to be chosen

	id     *inspect.Part // identifier that it carries
	idWhat string        // "an IMEI"
	idSure inspect.Confidence
}

func readRequest(t *inspect.Tree) *greetRequest {
	s := t.Subject
	r := &greetRequest{body: s.Frame != nil}
	r.named = labels([]byte(s.Path))
	r.preset = pathMentions(t, chosenPlaces)
	var buf [maxName]byte
	asked, more := 0, 0
	for _, p := range t.Parts {
		if p.Direction != flow.Up {
			continue
		}
		if p.Name == "" || p.Decoder() == "request.header" && !containsFold(p.Name, "imei") && !containsFold(p.Name, "device") {
			continue
		}
		name := squeeze(&buf, p.Name)
		switch string(name) {
		case "cat", "category", "categoryid", "cid", "marker", "count", "page", "pagesize", "limit", "offset", "type", "tag", "theme", "festival", "lang", "since", "cursor", "start", "size", "num", "n", "occasion", "okazja", "first", "last", "after", "perpage", "skip", "take":
			asked++
		case "operationname", "extensions":
		case "q", "query", "search", "term", "keyword", "keywords", "prefix", "wd":
			r.search = r.search || !bytes.HasPrefix(p.Data, []byte("query ")) && !bytes.HasPrefix(p.Data, []byte("query{"))
		default:
			if strings.HasPrefix(string(p.Path), "request.body|") {
				more++
			}
		}
		if what, sure := identifier(string(name), p.Data); sure.Rank() > r.idSure.Rank() {
			r.id, r.idWhat, r.idSure = p, what, sure
		}
	}
	r.body = r.body || more > 2 || len(s.Request.Body) > 0 && asked == 0
	r.paging = asked >= 2 || asked == 1 && r.named
	return r
}

// identifier says what value is, if its name or form makes it an identifier of
// a phone or its user.
func identifier(name string, value []byte) (string, inspect.Confidence) {
	if len(value) < 6 || len(value) > 128 {
		return "", ""
	}
	imei := len(value) == 15 && allDigits(value) && luhn(value)
	switch {
	case strings.Contains(name, "imei") || name == "meid":
		return "an IMEI", inspect.Probable
	case imei && !strings.Contains(name, "time"):
		return "a number with the form of an IMEI", inspect.Suspected
	case strings.Contains(name, "imsi"):
		return "an IMSI", inspect.Probable
	}
	what := identifierNames[name]
	if what == "" || !hasDigit(value) && len(value) < 16 {
		return "", ""
	}
	return what, inspect.Suspected
}

var identifierNames = map[string]string{
	"androidid": "an Android ID", "aid": "an Android ID", "oaid": "an advertising id", "gaid": "an advertising id", "aaid": "an advertising id", "idfa": "an advertising id",
	"advertisingid": "an advertising id", "mac": "a hardware address", "macaddress": "a hardware address", "wifimac": "a hardware address", "serial": "a serial number", "sn": "a serial number",
	"serialno": "a serial number", "iccid": "a SIM number", "phone": "a telephone number", "msisdn": "a telephone number", "phonenumber": "a telephone number", "deviceid": "a device id",
	"devid": "a device id", "did": "a device id", "udid": "a device id", "uuid": "an installation id", "installid": "an installation id", "userid": "a user's id", "uid": "a user's id",
	"clientid": "an installation id", "openid": "a user's id", "account": "an account", "email": "an e-mail address", "mid": "a device id", "xmdeviceid": "a device id", "xdeviceid": "a device id",
}

// luhn says whether the last digit is the check digit of the others (ISO/IEC
// 7812-1 annex B).
func luhn(d []byte) bool {
	sum := 0
	for i := range d {
		v := int(d[len(d)-1-i] - '0')
		if i%2 == 1 {
			if v *= 2; v > 9 {
				v -= 9
			}
		}
		sum += v
	}
	return sum%10 == 0
}

// detectIndex finds the list of categories that such services send first:
// records with a category that names an occasion, and how many texts it has.
func detectIndex(t *inspect.Tree, request *greetRequest) []inspect.Finding {
	if request.body {
		return nil
	}
	var buf [maxName]byte
	for r := range t.Records() {
		if r.Parent == nil || r.Direction != flow.Down {
			continue
		}
		var category *inspect.Part
		number := false
		personal := 0
		for _, f := range r.Fields {
			name := squeeze(&buf, f.Name)
			switch w := greetWords.word(name); {
			case w == greetCategory && f.Kind == inspect.Text && len(f.Data) <= 60 && labels(f.Data):
				category = f
			case (string(name) == "count" || string(name) == "number" || string(name) == "total" || string(name) == "num") && allDigits(f.Data):
				number = true
			case w == greetAgainst && string(name) != "url" && string(name) != "timestamp":
				personal++
			}
		}
		if category != nil && number && personal == 0 {
			return []inspect.Finding{{
				Confidence: inspect.Suspected, Direction: flow.Down, Path: category.Path,
				Reason: "A list of categories of preset texts, with how many there are of each, came down from this host.",
			}}
		}
	}
	return nil
}
