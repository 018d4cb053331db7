package detect

import (
	"bytes"
	"fmt"
	"strings"

	"constat/inspect"
	"constat/proxy/flow"
)

// Contacts recognises entries of an address book.
//
// It asks for people with numbers or addresses, several of them or in a place
// that is called after contacts, for cards as RFC 6350 writes them, for lists of
// telephone numbers or of equally long hashes, and for a number that is looked
// up. One person's own data, the two ends of a message and the addresses of shops
// are none.
var Contacts = inspect.Detector{
	Name:   "contacts",
	Class:  inspect.Contacts,
	Doc:    "looks for people with their numbers or addresses as an address book keeps them, for lists of telephone numbers or of their hashes, and for single numbers that are looked up",
	Detect: detectContacts,
}

// contactField is a family of field names.
type contactField uint8

const (
	contactNone  contactField = iota
	contactName               // what somebody is called
	contactPhone              // a telephone
	contactMail               // an e-mail address
	contactHash               // a hash of one of them
	contactValue              // says nothing alone: the object around it says what it is
	contactMark               // address books have it, profiles and shops have not
	contactFace               // says for one number whom it belongs to, or that it is looked up
	contactShop               // shops, places, offices
	contactStaff              // people of a company that shows itself
	contactOrder              // orders, bookings, forms
	contactSelf               // the user's own account
	contactTalk               // messages and calls
	contactSend               // address of a person in the post
)

var contactWords = speaking(newLexicon(map[contactField]string{
	contactName: `nm name cn displayname fullname firstname lastname givenname familyname middlename formattedname fn n nickname nick alias label contactname personname surname
		zfullname zfirstname zlastname first last middle given family structuredname displaynamealt displaynameprimary displaynamealternative unstructuredname zname contactdisplayname friendname
		nom prenom nomcomplet vorname nachname nombre nombres apellido apellidos nome cognome sobrenome imie nazwisko naam voornaam achternaam adi ad isim soyad jmeno prijmeni namn
		имя фамилия xingming xm mingzi lianxirenxingming 姓名 名字 名称 联系人 昵称 氏名 名前 이름 ชื่อ الاسم`,
	contactPhone: `lxdh hm dhhm phone phones phonenumber phonenumbers phoneno phonenum telephone telephones tel tels mobile mobiles mobileno mobilenumber mobilenumbers mobilephone mobilephones cell cellphone number numbers num nums msisdn msisdns
		homephone homephones workphone workphones businessphones businessphone contactnumber contactphone contactnumbers phone1 phone2 phone3 ph pn e164 e164s normalizednumber normalizedphone phonenumberlist phonelist numberlist internationalnumber canonicalform rawphone rawphonenumber phonestr
		telefon telefone telefono telefonnummer telefonos numero numerotelephone numerodetelephone rufnummer handynummer handy celular portable movil cellulare telefonu telefoon nummer numer
		телефон номер dianhua dh shouji shoujihao sj sjh haoma dianhuahaoma lianxidianhua 电话 手机 手机号 号码 电话号码 联系电话 電話 電話番号 전화번호 เบอร์โทร هاتف homenumber worknumber`,
	contactMail: `email emails mail mails emailaddress emailaddresses mailaddress emailid courriel adresseemail correo correoelectronico emailadresse posta youxiang 邮箱 电子邮件 почта`,
	contactHash: `hash hashes phonehash phonehashes hashedphone hashedphones hashednumber hashednumbers numberhash numberhashes contacthash contacthashes hashedcontacts sha1 sha256 sha256s md5 md5s hashlist phonesha256 phonemd5 phonesha1 hashedphonenumber hashedphonenumbers phonenumberhash phonenumberhashes
		emailhash emailhashes hashedemail hashedemails digest digests tokens contacttokens hashedemailaddresses sha256phone h hs hp phoneh`,
	contactValue: `value data data1 val v text address content`,
	contactMark: `rawcontactid contactid lookupkey lookup timescontacted lasttimecontacted hasphonenumber starred photoid photouri phototumburi photothumburi customringtone sendtovoicemail phoneticname phoneticfamilyname phoneticgivenname phonetic
		invisiblegroup groupmembership mimetype accounttype resourcename photothumbnailuri contactlastupdatedtimestamp timesused isfavorite isfavourite favorite birthday bday anniversary relation relationship isemergency ringtone
		personalnotes fileas phoneticfirstname phoneticlastname imaddresses contactgroups contactgrouplist isvisible inaddressbook savedname phonebookname localname contactsource zphonenumbers phonetype numbertype phonelabel xaddressbookserveruid simcontact
		spousename children yomigivenname yomisurname businesshomepage im ims`,
	contactFace: `contactphonenumber contactmsisdn callee calleenumber calleephone lookupnumber lookupphone friendphone friendnumber queriednumber querynumber searchnumber targetphone targetnumber targetmsisdn peerphone peernumber inviteephone invitee contacttel contactmobile`,
	contactShop: `lat lng latitude longitude lon openinghours opening hours businesshours rating ratings reviews reviewcount price distance branch store storeid storename shop shopid shopname placeid website site web branchcode outlet fax pricerange pricelevel stars
		sku product opentime closetime pharmacy hotel restaurant hotline services vat siret timezone`,
	contactStaff: `bio biography department dept team profileurl headshot staffid employeeid expertise office salary speciality specialty socials linkedin twitter github login repos portfolio party constituency manager hiredate headline`,
	contactOrder: `orderid order ordernumber bookingid booking bookingref cart amount total totalprice currency payment paymentmethod message subject comment comments enquiry inquiry captcha recaptcha newsletter consent terms ticket ticketid checkin checkout
		seat seats flight passport passportnumber passengertype delivery deliveryaddress shipping billing invoice invoiceid coupon tracking trackingnumber courier reservation appointment service guests leadid lead leadsource campaign pipeline deal`,
	contactSelf: `password passwd pwd pin otp code smscode verificationcode captchacode token accesstoken refreshtoken idtoken gender sex traits signup registered loyaltyid membership memberid subscription plan createdby roles permissions lastlogin kyc
		dob dateofbirth userid usertype customerid deviceid pushtoken fcmtoken optin emailverified phoneverified username anonymousid distinctid`,
	contactTalk: `body snippet sdp candidate ice duration callid threadid messageid calltype conversationid msg direction threads inreplyto date timestamp msgid sentat receivedat xirmccalldatetime`,
	contactSend: `street street1 street2 addressline1 addressline2 line1 line2 city zip zipcode postalcode postcode country countrycode state province district region`,
}),
	meaning[contactField]{ofPerson, contactName}, meaning[contactField]{ofPhone, contactPhone}, meaning[contactField]{ofMail, contactMail}, meaning[contactField]{ofBirthday, contactMark},
)

// contactAround are words in names of fields that say no more than that it is a
// contact's.
var contactAround = newLexicon(map[bool]string{true: `contact contacts contacto contactos contato contatos contatto contatti contactpersoon kontakt kontakte kontakty kontakta kontaktu kisi kontak lienhe danhba person people friend friends guardian buddy pb ab phonebook
	primary main default home work private business other personal raw e164 str string list value field data my full formatted
	контакт контакта друг 联系人 联络人 聯絡人 好友 朋友 亲友 通讯录 連絡先 相手 연락처 친구 جهه الاتصال संपर्क ผู้ติดต่อ`})

// contactEndings are ends of names: primaryPhone, kABPersonFirstName.
var contactEndings = newEndings(map[contactField]string{
	contactPhone: "phonenumber phone telephone telefon telefono mobile msisdn mobilenumber phoneproperty phones phonenumbers",
	contactMail:  "email emailaddress emails emailproperty",
	contactName:  "fullname firstname lastname displayname contactname givenname familyname firstnameproperty lastnameproperty nickname",
})

// contactFamily returns the family of a field's name, by the whole of it or by
// its end. "Phone 1 - Value" is "phone".
func contactFamily(name string) contactField {
	var buf [maxName]byte
	w := squeeze(&buf, name)
	if f := contactWords.word(w); f != contactNone || len(w) < 6 {
		return f
	}
	if v, ok := bytes.CutSuffix(w, []byte("value")); ok {
		if v = bytes.TrimRight(v, "0123456789"); len(v) > 3 {
			return contactWords.word(v)
		}
	}
	if v := bytes.TrimRight(w, "0123456789"); len(v) < len(w) && len(v) > 3 {
		if f := contactWords.word(v); f != contactNone {
			return f
		}
	}
	if f := contactEndings.of(w); f != contactNone {
		return f
	}
	return contactWords.compound(name, contactAround)
}

// crmWords are fields of programs that keep a company's customers.
var crmWords = newLexicon(map[bool]string{true: `externalid customfields listids listid fieldvalues updateenabled emailblacklisted smsblacklisted unsubscribed subscribed marketingconsent lifecyclestage leadstatus contactkey definitionkey
	smsconsent emailconsent optedin optedout crm salesforceid hubspotid audienceid jointlists autopilotlist smtpblacklistsender extid`})

// contactFolds are names of objects that stand in a contact.
var contactFolds = newLexicon(map[contactField]string{
	contactName:  `fn n name names structuredname fullname displaynames nicknames`,
	contactPhone: `ph mob phone phones phonenumber phonenumbers telephones tel tels mobiles numbers businessphones homephones phonelist phonenumberlist telephone msisdns zphonenumbers`,
	contactMail:  `email emails emailaddress emailaddresses mails mailaddresses`,
	contactHash:  `hashes phonehashes hashedphones hashednumbers`,
	contactValue: `values properties attributes fields data details info contactinfo communication communications metadata sources source telecom telecoms reachability channels endpoints handles coordonnees kontaktdaten multivalue multivalues entries labeledvalues phonesandemails`,
	contactSend:  `address addresses postaladdresses`,
	contactMark:  `memberships birthdays organizations photos ims relations events userdefined`,
})

var (
	// contactPlaces are what lists of contacts are called.
	contactPlaces = newStems(
		"contact", "addressbook", "phonebook", "carddav", "vcard", "abperson", "abrecord", "zabcdrecord", "abcdrecord", "telephonebook", "peoplelist", "connections", "rawcontact", "kontakt", "adressbuch", "telefonbuch", "repertoire", "carnetdadresses",
		"contatt", "rubrica", "contato", "agenda", "libreta", "rehber", "kisiler", "lianxiren", "tongxunlu", "txl", "lxr", "dianhuabu", "контакт", "адреснаякнига", "телефоннаякнига", "联系人", "通讯录", "電話帳", "連絡先", "연락처", "جهاتالاتصال", "جهةاتصال", "جهةالاتصال", "مخاطب", "รายชื่อ", "联络人",
		"annuaire", "anuario", "adresboek", "telefoonboek", "ksiazkaadresowa", "ksiazkatelefoniczna", "adresar", "agendatelefon", "telefonkonyv", "nevjegy", "επαφ", "telefondefteri", "kontak", "bukutelepon", "bukualamat", "danhba", "संपर्क", "फोनबुक", "ผู้ติดต่อ", "สมุดโทรศัพท์", "アドレス帳", "住所録", "電話簿", "renrakusaki", "denwacho",
		"주소록", "전화번호부", "电话簿", "聯絡人", "通訊錄", "电话本", "אנשיקשר", "rolodex", "pbook", "phbook", "addrbook", "addressentr", "simbook", "mycircle", "kontakti", "contacte",
	)
	// contactAsks are what requests are called that ask for numbers.
	contactAsks = newStems("discover", "lookup", "callerid", "whocalled", "reversephone", "finduser", "findfriend", "matchphone", "phonematch", "contact", "addressbook", "phonebook", "numberinfo", "identifynumber", "spamcheck", "checknumber", "registeredusers", "directory", "whois", "caller", "searchnumber", "numbersearch", "friends", "invite", "tongxunlu", "presence", "reverselookup", "isregistered", "isuser", "checkuser", "usersbyphone", "knownusers", "matching", "phonelookup", "buddies")
	// contactLooks are those of them that ask for one.
	contactLooks = newStems("lookup", "callerid", "whocalled", "reversephone", "finduser", "findfriend", "phonematch", "numberinfo", "identifynumber", "spamcheck", "checknumber", "whois", "numbersearch", "searchnumber", "spam", "reverse", "caller", "discover", "truecaller", "yellowpage", "huangye", "presence", "reverselookup", "isregistered", "phonelookup", "haomabiaoji", "laidianshibie")
	// notContacts are names with the same letters that mean something else.
	notContacts = newStems("contactus", "contactform", "contactpage", "contactsupport", "contactrequest", "contactinfo", "contactless", "contactpreference", "contactdetails", "contactkey", "contactmethod", "contactreason", "contacttopic", "contactpoint", "contactcenter", "contactcentre", "kontaktformular", "store", "shop", "branch", "staff", "team", "employee", "support", "press")
	// notPeople are names of lists of people that nobody's address book holds.
	notPeople = newStems("staff", "team", "employee", "member", "author", "speaker", "contributor", "maintainer", "committer", "attendee", "participant", "recipient", "passenger", "traveler", "traveller", "guest", "organizer", "player", "doctor", "agent", "customer", "lead", "order", "booking", "user", "store", "branch", "shop", "location", "office", "place", "restaurant", "hotel", "pharmac", "result", "listing", "seller", "driver", "candidate", "representative", "senator", "department", "merchant", "venue", "profile", "sender", "cclist", "torecipients", "envelope", "shipment", "deliver", "parcel")
	// contactOwn is in names of fields that hold somebody else's number, hashNames
	// in those of fields that hold hashes of numbers.
	contactOwn = newStems("contact")
	hashNames  = newStems("phone", "number", "contact", "msisdn")
	// numberPlaces are what requests are called that are about a number.
	numberPlaces = newStems("number", "phone", "msisdn", "haoma", "numero", "nummer")
	// phoneNames are parts of names of telephone numbers that no other numbers have.
	phoneNames = newStems("phone", "mobile", "msisdn", "e164", "telefon", "telephone", "handy", "celular", "cellulare", "portable", "whatsapp", "手机", "电话", "電話", "전화", "휴대", "телефон", "هاتف", "جوال", "फोन", "फ़ोन", "โทร", "dienthoai", "telepon", "nohp", "shouji", "dianhua")
	davPlaces  = newStems("carddav", "addressbook")
	// deskWords are names of desks, not people.
	deskWords = newPieces([]string{"support", "sales", "customer", "service", "info", "press", "office", "hotline", "help", "reception", "billing", "marketing", "desk", "department", "kundenservice", "vertrieb", "commercial", "emergency", "police", "presse", "ventas", "branch", "store", "客服"})
)

var contactGather = withNames(gather{
	place: func(group string) bool { return numberKey(group) != "" },
	may:   contactMay, live: contactLive,
	want: func(p *inspect.Part) bool {
		switch {
		case len(p.Data) < 5 || p.Kind > inspect.Number:
			return false
		case p.Kind == inspect.Number:
			return len(p.Data) >= 8 && contactWords.of(p.Name) == contactPhone
		case holdsPhone(p, bareDigits):
			return true
		case len(p.Data) > 1<<16:
			return false
		case len(p.Data) <= 320 && p.Holds()&inspect.Ats != 0 && p.Data[0] != '@':
			return true
		case len(p.Name) >= 8 && telephone([]byte(p.Name)) == fullPhone:
			return true
		case len(p.Data) > 24 && len(p.Children) == 0 && p.Holds()&listed != 0 && bytes.IndexAny(p.Data[:24], ",;|\n\t") > 0 && phonesIn(p.Data) >= 3:
			return true
		case len(p.Data) <= maxJoined && p.Kind == inspect.Text && p.Parent != nil && joinsPhone(p):
			return true
		}
		return isDigest(p)
	},
	fold: func(key string, _ bool) bool {
		if contactFolds.of(key) != contactNone {
			return true
		}
		w := contactFamily(key)
		return len(key) > 8 && (w == contactPhone || w == contactMail)
	},
	whole: func(key string, r inspect.Record) bool {
		if contactFolds.of(key) != contactValue {
			return false
		}
		name, reach := false, false
		for _, f := range r.Fields {
			w := contactFamily(f.Name)
			name = name || w == contactName
			reach = reach || w == contactPhone || w == contactMail
		}
		return name && reach
	},
	column: func(name string) bool { w := contactFamily(name); return w > contactNone && w <= contactMark },
})

// numberKey returns the telephone number that a place ends in: the object under it
// is about whom it is of.
func numberKey(group string) string {
	if !strings.HasSuffix(group, `"]`) && !indexed(group) && len(group) < 9 {
		return ""
	}
	_, key := lastKey(group)
	if len(key) < 9 || len(key) > 24 || telephone([]byte(key)) != fullPhone {
		return ""
	}
	return key
}

// phonesIn counts the telephone numbers of a value that lists them, 0 when
// something else stands in it.
func phonesIn(b []byte) int {
	n := 0
	for x := range bytes.FieldsFuncSeq(b, func(r rune) bool { return r == ',' || r == ';' || r == '|' || r == '\n' || r == '\t' }) {
		if x = bytes.Trim(x, " \"'[]\r"); len(x) == 0 {
			continue
		}
		if telephone(x) < bareDigits {
			return 0
		}
		n++
	}
	return n
}

// entry is what a card says about a person.
type entry struct {
	count    [contactSend + 1]int
	first    [contactSend + 1]*inspect.Part
	cells    []cell // that count
	width    int    // bytes of each hash
	desk     bool   // it is called after a desk, not after a person
	short    bool   // names say nothing: they are a letter or a number
	phoneKey int    // names that are telephone numbers
	keyed    int    // names that are no known ones, of telephone numbers
	vcard    bool
	many     int  // telephone numbers in one value
	talk     bool // a value is the outcome of a call
	perhaps  int  // values that can be what somebody is called
}

// sort puts the fields of c into families.
func (e *entry) sort(c *card) {
	e.vcard = c.properties && c.has("fn", "n") || c.parent != nil && len(c.cells) > 0 && c.cells[0].Decoder() == "vobject" && c.has("FN", "N", "TEL", "EMAIL", "NICKNAME")
	e.short = true
	bare := c.scalar || len(c.cells) >= 3
	for _, x := range c.cells {
		bare = bare && x.name == c.cells[0].name
	}
	path := len(c.cells) > 0 && c.cells[0].Decoder() == "path"
	for _, x := range c.cells {
		e.short = e.short && (len(x.name) <= 2 || c.scalar && c.list != "")
	}
	if key := numberKey(c.group); key != "" && len(c.cells) > 0 {
		e.phoneKey++
		e.take(contactPhone, c.cells[0])
	}
	for _, x := range c.cells {
		if x.Kind == inspect.Null || x.Kind == inspect.Bool && contactFamily(x.name) != contactMark || len(x.Data) == 0 {
			if contactFamily(x.name) == contactMark {
				e.take(contactMark, x)
			}
			continue
		}
		w := contactFamily(x.name)
		if path {
			// Segments have no names.
			if len(x.Data) <= 40 && telephone(x.Data) >= bareDigits {
				e.take(contactPhone, x)
			}
			continue
		}
		if x.via != "" {
			switch v := contactFolds.of(x.via); {
			case v == contactName && w == contactValue, w == contactNone && v != contactValue && v != contactMark:
				w = v
			case w == contactValue, w == contactName && v != contactName && v != contactValue:
				if w = v; w == contactName && telephone(x.Data) >= bareDigits {
					w = contactPhone
				}
			}
		}
		shape := notPhone
		if len(x.Data) <= 40 {
			shape = telephone(x.Data)
		}
		if len(x.name) >= 7 && w == contactNone && telephone([]byte(x.name)) == fullPhone {
			e.phoneKey++
			e.take(contactPhone, x)
			continue
		}
		switch w {
		case contactName:
			if x.Kind == inspect.Text || x.Kind == inspect.Bytes {
				if shape >= bareDigits && (strings.EqualFold(x.name, "n") || x.name == "label") {
					e.take(contactPhone, x)
				} else if isPersonName(bytes.ReplaceAll(bytes.Trim(x.Data, ";"), []byte(";"), []byte(" "))) {
					e.take(contactName, x)
					e.desk = e.desk || deskWords.in(x.Data)
				}
			}
		case contactPhone:
			if shape >= bareDigits {
				e.take(w, x)
				if mentions(x.name, contactOwn) {
					e.take(contactFace, x)
				}
			} else if n := listOfPhones(x.Data); n > 0 {
				e.take(w, x)
				e.many = max(e.many, n)
			} else if n := digest(x.Data); n > 0 {
				e.width = n
				e.take(contactHash, x)
			}
		case contactMail:
			if isMailAddress(x.Data) {
				e.take(w, x)
			} else if n := digest(x.Data); n > 0 {
				e.width = n
				e.take(contactHash, x)
			}
		case contactHash:
			if n := digest(x.Data); n > 0 {
				e.width = n
				e.take(w, x)
			}
		case contactValue, contactNone:
			switch {
			case w == contactNone && (mentions(x.name, codeNames) && !c.scalar || isGoodsCode(x.Data)):
			case shape == fullPhone && x.Kind <= inspect.Text, shape == bareDigits && e.short && x.Kind == inspect.Text && isLongNumber(x.Data):
				e.take(contactPhone, x)
				if w == contactNone && !c.scalar && isPersonName([]byte(x.name)) {
					e.keyed++
				}
			case isMailAddress(x.Data) && len(x.Data) < 100:
				if w == contactValue || e.short {
					e.take(contactMail, x)
				}
			case (w == contactValue || e.short) && x.Kind == inspect.Text && isPersonName(x.Data) && len(x.Data) > 1:
				if _, outcome := isCallType(x.Part); outcome {
					e.talk = true
				} else if e.count[contactName] == 0 {
					e.take(contactName, x)
				}
			case len(x.Data) > 24 && len(x.Children) == 0:
				e.many = max(e.many, listOfPhones(x.Data))
			}
			if w == contactNone && x.Kind == inspect.Text && len(x.Data) > 2 && len(x.Data) < 60 && isPersonName(x.Data) && !tokenLike(x.Data) && (x.Data[0]-'A' < 26 || x.Data[0] >= 0x80) {
				e.perhaps++
			}
			if w == contactNone && (bare || x.via != "") {
				if n := digest(x.Data); n > 0 {
					e.width = n
					e.take(contactHash, x)
				}
			}
		case contactMark:
			if shape == fullPhone {
				continue
			}
			e.take(w, x)
			if x.Kind <= inspect.Text && bytes.HasPrefix(x.Data, []byte("vnd.android.cursor.item/")) {
				e.take(w, x)
			}
		case contactFace:
			if shape >= bareDigits {
				e.take(w, x)
				if mentions(x.name, contactOwn) {
					e.take(contactPhone, x)
				}
			}
		default:
			e.take(w, x)
		}
	}
}

func listOfPhones(b []byte) int {
	if len(b) < 16 || len(b) > 1<<16 {
		return 0
	}
	if n := phonesIn(b); n >= 2 {
		return n
	}
	return 0
}

func (e *entry) take(w contactField, x cell) {
	if e.count[w]++; e.count[w] == 1 {
		e.first[w] = x.Part
	}
	if w <= contactMail && len(e.cells) < maxCells {
		e.cells = append(e.cells, x)
	}
}

// book is a sheet of entries.
type book struct {
	first      *card
	at         *inspect.Part // that decides
	cells      []cell
	cards      int
	phoned     int // entries of a name and a number
	mailed     int // of a name and an address, without a number
	bare       int // numbers without a name
	bareMails  int
	mails      int // entries with an address, whatever else
	hashes     int
	widths     map[int]int
	marks      int
	marked     int // entries with marks
	shop       int
	staff      int
	order      int
	self       int
	talk       int
	post       int
	desks      int
	short      int
	vcards     int
	phoneKeys  int
	numberKeys int // entries that stand under a telephone number
	keyed      int
	faces      int
	face       *inspect.Part
	wide       int // fields in all
	lists      int // telephone numbers in single values
	hashed     *inspect.Part
	phones     *inspect.Part
	fullPhones int
	longPhones int // of 10 or 11 digits, which no code on a product has
	surePhones int // that are no amounts and no counts
	hashedToo  int // entries of a name and a hash
	perhaps    int // entries of a number and what can be a name
	distinct   map[string]bool
}

func detectContacts(t *inspect.Tree) []inspect.Finding {
	var books []*book
	talks := func(c *card) bool {
		for name := range c.where() {
			if mentions(name, contactPlaces) {
				break
			}
			if mentions(name, callKept) {
				return true
			}
		}
		n := talk(c)
		if c.deck != nil && c.list == "" && c.group != "" {
			outer, _ := lastKey(c.group)
			if o := c.deck.at[outer]; o != nil && o != c && outer != "" {
				n += talk(o)
			}
		}
		return n >= 2
	}
	bySheet := make(map[sheet]*book)
	for c := range contactGather.cards(t) {
		var e entry
		e.sort(c)
		if e.count[contactPhone]+e.count[contactMail]+e.count[contactHash]+e.count[contactFace]+e.many == 0 {
			// What stands beside may say that this is an order.
			continue
		}
		if !e.vcard && (talks(c) || e.talk && e.short) {
			e.count[contactTalk]++
		}
		s := c.sheet()
		b := bySheet[s]
		if b == nil {
			if len(books) == maxLists {
				continue
			}
			b = &book{first: c, widths: make(map[int]int), distinct: make(map[string]bool)}
			bySheet[s] = b
			books = append(books, b)
		}
		b.add(c, &e)
	}
	if len(books) == 0 {
		return contactsInLines(t)
	}
	x := contactContext{
		asks:  pathMentions(t, contactAsks) && !pathMentions(t, notContacts),
		looks: pathMentions(t, contactLooks) || pathMentions(t, searchPlaces) && pathMentions(t, numberPlaces),
		place: pathMentions(t, contactPlaces) && !pathMentions(t, notContacts),
		dav:   t.Subject.Method == "REPORT" || t.Subject.Method == "PROPFIND" || pathMentions(t, davPlaces),
	}
	var out []inspect.Finding
	for _, b := range books {
		f, ok := b.weigh(t, &x)
		if !ok {
			continue
		}
		if out = append(out, f); len(out) >= maxFindings {
			break
		}
	}
	if len(out) == 0 {
		out = contactsInLines(t)
	}
	return out
}

// numbersOnly counts the different telephone numbers of a text that has one with
// a plus in each line, 0 when there is anything else.
func numbersOnly(b []byte) int {
	seen := make(map[string]bool)
	for line := range bytes.Lines(b) {
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		if line[0] != '+' || len(line) > 24 || telephone(line) != fullPhone {
			return 0
		}
		if len(seen) < maxRows {
			seen[string(line)] = true
		}
	}
	return len(seen)
}

// contactsInLines looks for texts each line of which is a person's name and a
// telephone number (Odile Vantournier <+33639981122>), or a number alone.
func contactsInLines(t *inspect.Tree) []inspect.Finding {
	may := func(c *inspect.Column) bool {
		card := c.Holds&inspect.UpperCase != 0 && c.Holds&inspect.Colons != 0
		return c.Max > 20 && hasText(c) && (card || c.Holds&inspect.Newlines != 0 && c.Holds&anyDigit != 0)
	}
	parts := partsOf(t, may)
	for p := parts.next(); p != nil; p = parts.next() {
		if p.Direction == flow.Up && p.Kind <= inspect.Text && len(p.Data) > 20 && len(p.Data) < 2000 && p.Data[0] == 'M' && bytes.HasPrefix(p.Data, []byte("MECARD:")) && bytes.Contains(p.Data, []byte("TEL:")) {
			return []inspect.Finding{{
				Confidence: inspect.Probable, Direction: flow.Up, Path: p.Path,
				Reason: "A card of an address book with a telephone number, as pictures to scan have it (MECARD), went up to this host.",
			}}
		}
		if p.Direction != flow.Up || p.Kind > inspect.Text || len(p.Data) < 40 || len(p.Data) > 1<<20 || len(p.Children) > 0 || p.Holds()&inspect.Newlines == 0 || p.Holds()&anyDigit == 0 || p.Data[0] == '{' || p.Data[0] == '<' {
			continue
		}
		if n := numbersOnly(p.Data); n >= 3 {
			confidence := inspect.Suspected
			if pathMentions(t, contactPlaces) || pathMentions(t, contactAsks) {
				confidence = inspect.Probable
			}
			return []inspect.Finding{{
				Confidence: confidence, Direction: flow.Up, Path: p.Path,
				Reason: fmt.Sprintf("A text of %d telephone numbers in the international form, one in each line, and nothing else went up to this host.", n),
			}}
		}
		lines, with := 0, 0
		named := false
		names := make(map[string]bool)
		for line := range bytes.Lines(p.Data) {
			if line = bytes.TrimSpace(line); len(line) == 0 {
				continue
			}
			if lines++; lines > 400 || lines >= 12 && with == 0 {
				break
			}
			if len(line) <= maxName && mentions(string(line), contactPlaces) {
				named = true
				lines--
				continue
			}
			if name := nameBesideNumber(line); name != "" {
				with++
				names[name] = true
			}
		}
		if with < 3 || 3*with < 2*lines || 2*len(names) < with {
			continue
		}
		confidence := inspect.Suspected
		if named || pathMentions(t, contactPlaces) {
			confidence = inspect.Probable
		}
		return []inspect.Finding{{
			Confidence: confidence, Direction: flow.Up, Path: p.Path,
			Reason: fmt.Sprintf("A text of %d lines that each hold a person's name and a telephone number went up to this host.", with),
		}}
	}
	return nil
}

// nameBesideNumber returns the name of a person when line holds nothing but that
// and a telephone number.
func nameBesideNumber(line []byte) string {
	if len(line) < 9 || len(line) > 120 {
		return ""
	}
	line = bytes.TrimLeft(line, "0123456789.) -*•#")
	start := bytes.IndexAny(line, "+0123456789(")
	if start < 2 {
		return ""
	}
	end := start
	for end < len(line) && (line[end]-'0' < 10 || strings.IndexByte("+ ()./-", line[end]) >= 0) {
		end++
	}
	number := bytes.TrimRight(line[start:end], " ()./-")
	rest := bytes.Trim(line[end:], " >)]\"'.,;|")
	name := bytes.Trim(line[:start], " <([\"'.,;:|=-\t–—")
	if len(rest) > 0 || len(number) < 9 || telephone(number) < bareDigits || isRecent(number) || looksLikeDate(number) || len(name) < 2 || !isPersonName(name) || tokenLike(name) {
		return ""
	}
	if deskWords.in(name) || lineWords.in(name) {
		return ""
	}
	return string(name)
}

// lineWords are words beside a telephone number that say whose it is, not what
// somebody is called.
var lineWords = newPieces([]string{"phone", "tel", "mobile", "fax", "call", "number", "sms", "whatsapp", "hotline", "order", "code", "invoice", "account", "version", "handy", "numéro", "numero", "nummer", "appel", "anruf", "contact us", "dial", "text ", "pin", "id"})

// callKept are what lists of calls are called, whose numbers are those of calls.
var callKept = newStems("calllog", "callhistory", "callrecord", "blockedcall", "callsblocked", "missedcall", "recentcalls", "callslog")

// talk counts what c says about a call or a message: when, how long, which way,
// and what was written.
func talk(c *card) int {
	var when, long, way, text, mark int
	for _, x := range c.cells {
		if len(x.Data) == 0 || x.Kind == inspect.Null {
			continue
		}
		if c.scalar {
			if isRecent(x.Data) || isLocalTime(x.Data) {
				when = 1
			}
			if equalFoldAny(x.Data, "sms", "mms") {
				mark = 1
			}
			if _, ok := isCallType(x.Part); ok && x.Kind == inspect.Text && !allDigits(x.Data) {
				way = 1
			}
			continue // the names are that of the list
		}
		switch callWords.of(x.name) {
		case callDate, callEnd:
			if isInstant(x.Part) {
				when = 1
			}
		case callDuration:
			if isDuration(x.Part) {
				long = 1
			}
		case callType:
			if _, ok := isCallType(x.Part); ok {
				way = 1
			}
		case callFlag:
			way = 1
		case callCentre, callSetup:
			mark = 1
		case callMark:
			mark++
		}
		switch smsFamily(x.name) {
		case smsText:
			if x.Kind <= inspect.Text && telephone(x.Data) == notPhone && isProse(x.Data) && !isMailAddress(x.Data) {
				text = 1
			}
		case smsDate, smsSent:
			if isInstant(x.Part) && isRecent(x.Data) {
				when = 1
			}
		case smsThread:
			mark = 1
		}
		if isRecent(x.Data) && x.Kind != inspect.Text {
			when = 1
		}
	}
	if when > 0 && shortNames(c) {
		when++
	}
	return when + long + way + text + mark
}

type contactContext struct {
	asks, looks, place, dav bool
}

func (b *book) add(c *card, e *entry) {
	b.cards++
	n := &e.count
	b.wide += len(c.cells)
	b.mails += min(1, n[contactMail])
	switch {
	case n[contactName]+e.phoneKey > 0 && n[contactPhone] > 0:
		b.phoned++
		b.decide(e, contactPhone)
	case n[contactName] > 0 && n[contactMail] > 0:
		b.mailed++
		b.decide(e, contactMail)
	case n[contactPhone] > 0:
		b.perhaps += min(1, e.perhaps)
		if c.scalar {
			b.bare += n[contactPhone]
		} else {
			b.bare += max(1, min(n[contactPhone], len(c.cells)))
		}
		b.decide(e, contactPhone)
	case n[contactMail] > 0:
		b.bareMails += n[contactMail]
		b.decide(e, contactMail)
	}
	if b.phones == nil && n[contactPhone] > 0 {
		b.phones = e.first[contactPhone]
	}
	for _, x := range e.cells {
		if len(b.distinct) < 64 && contactFamily(x.name) != contactName && len(x.Data) <= 64 {
			if telephone(x.Data) == fullPhone && !b.distinct[string(x.Data)] {
				b.fullPhones++
			}
			if isLongNumber(x.Data) && !b.distinct[string(x.Data)] {
				b.longPhones++
			}
			if d := x.Data; isSureNumber(d) && !b.distinct[string(d)] {
				b.surePhones++
			}
			b.distinct[string(x.Data)] = true
		}
	}
	if n[contactHash] > 0 {
		if n[contactName] > 0 {
			b.hashedToo++
		}
		b.hashes += n[contactHash]
		b.widths[e.width]++
		if b.hashed == nil {
			b.hashed = e.first[contactHash]
		}
	}
	if n[contactFace] > 0 && b.face == nil {
		b.face = e.first[contactFace]
		b.faces++
	}
	b.marks += n[contactMark]
	if n[contactMark] > 0 {
		b.marked++
	}
	b.shop += min(1, n[contactShop])
	b.staff += min(1, n[contactStaff])
	b.order += min(1, n[contactOrder])
	b.self += min(1, n[contactSelf])
	b.talk += min(1, n[contactTalk])
	if n[contactSend] > 1 {
		b.post++
	}
	if e.desk {
		b.desks++
	}
	if e.short {
		b.short++
	}
	if e.vcard {
		b.vcards++
	}
	if numberKey(c.group) != "" {
		b.numberKeys++
	}
	b.phoneKeys = max(b.phoneKeys, e.phoneKey, b.numberKeys)
	b.keyed = max(b.keyed, e.keyed)
	b.lists = max(b.lists, e.many)
}

func (b *book) decide(e *entry, w contactField) {
	if b.at == nil || contactWords.of(b.at.Name) != contactName && e.count[contactName] > 0 && b.phoned+b.mailed == 1 {
		b.at, b.cells = e.first[w], e.cells
	}
}

// weigh decides about one list, or about one card that stands alone.
func (b *book) weigh(t *inspect.Tree, x *contactContext) (f inspect.Finding, ok bool) {
	c := b.first
	up := c.parent.Direction == flow.Up
	half := func(n int) bool { return 2*n >= b.cards && n > 0 }
	entries := b.phoned + b.mailed
	place, other := false, false
	inner := !up && personOf(c)
	for name := range c.where() {
		if name == "Envelope" {
			continue // of SOAP
		}
		if inner {
			inner = false // whom to ask about the thing that is listed
			continue
		}
		other = other || !place && (mentions(name, notPeople) || strings.EqualFold(name, "to") || strings.EqualFold(name, "cc") || strings.EqualFold(name, "bcc"))
		if mentions(name, contactPlaces) && !mentions(name, notContacts) {
			place = true
		}
	}
	if up && place && entries == 0 && b.perhaps == b.cards && b.perhaps >= 2 {
		b.phoned, entries = b.perhaps, b.perhaps
	}
	place = place || up && (outerEvent(c, contactPlaces) || innerEvent(c, contactPlaces))
	if up && !place && entries > 0 {
		own := 0
		for _, x := range b.cells {
			if mentions(x.name, contactOwn) {
				own++
			}
		}
		place = own >= 2 && entries >= 2 // contactName, contactMobile
	}
	f.Direction = c.parent.Direction
	f.Path = c.parent.Path
	if b.at != nil {
		f.Path = b.at.Path
	}
	against := half(b.shop) || half(b.staff) || half(b.order) || half(b.self) || half(b.talk)
	where := "went up to this host"
	if !up {
		where = "came down from this host"
	}
	say := func(confidence inspect.Confidence, format string, args ...any) (inspect.Finding, bool) {
		f.Confidence = confidence
		f.Reason = fmt.Sprintf(format, args...)
		return f, true
	}
	people := func(confidence inspect.Confidence, why string) (inspect.Finding, bool) {
		what := "An entry"
		if entries > 1 {
			what = fmt.Sprintf("A list of %d entries", entries)
		}
		return say(confidence, "%s with the %s, a person's name with a telephone number or e-mail address%s, %s.", what, fieldNames(b.cells), why, where)
	}
	const called = ", in a place that is called after contacts"
	const marked = ", beside fields that address books have"

	switch {
	case b.vcards > 0:
		if entries+b.bare+b.bareMails == 0 || half(b.talk) {
			return f, false
		}
		switch {
		case up, x.dav, place:
			return people(inspect.Probable, ", written as a card of an address book (vCard)")
		case entries >= 2 && !half(b.desks) && !half(b.shop):
			return people(inspect.Probable, ", written as cards of an address book (vCard)")
		case x.place:
			return people(inspect.Suspected, ", written as a card of an address book (vCard)")
		}
		return f, false
	case entries > 0 && !against && !(other && !place):
		orders := b.ordered()
		switch {
		case b.phoneKeys >= 3 && (up || place):
			return people(inspect.Probable, ", each number being the name of a field")
		case half(b.marked) && b.marks >= 2*b.cards && (place || x.place || b.marks >= 3*b.cards || entries >= 2):
			return people(inspect.Probable, marked)
		case up && place && !orders && (entries >= 2 || !half(b.post) && b.phoned == 1 && c.list != ""):
			return people(inspect.Probable, called)
		case up && place && !orders && !half(b.post) && b.phoned == 1 && b.bareMails+b.mailed+b.mails == 0:
			return people(inspect.Suspected, called)
		case up && b.phoned >= 2 && (x.place || half(b.marked)) && !orders:
			return people(inspect.Probable, called)
		case up && (entries >= 2 || c.list != "" || b.phoned == 1 && b.mails == 0 && b.wide <= 6) && (x.place || x.asks) && !orders && !half(b.post):
			return people(inspect.Suspected, called)
		case up && b.phoned >= 3 && !half(b.post) && !orders && b.wide <= 9*b.cards && len(b.distinct) >= 3:
			if half(b.short) && (b.fullPhones < 3 && b.longPhones < 3 || 2*b.surePhones < len(b.distinct)) {
				return f, false
			}
			if half(b.short) {
				return people(inspect.Suspected, "")
			}
			return people(inspect.Probable, "")
		case up && b.phoned == 2 && !half(b.post) && !half(b.short) && !orders && b.wide <= 8*b.cards && len(b.distinct) >= 2:
			return people(inspect.Suspected, "")
		case !up && place && entries >= 2 && !half(b.desks):
			return people(inspect.Probable, called)
		case !up && (place || x.place) && half(b.marked) && !half(b.desks):
			return people(inspect.Probable, called+" and"+strings.TrimPrefix(marked, ","))
		case !up && x.place && b.phoned > 0 && !half(b.desks) && b.keyedByNumber():
			return people(inspect.Suspected, called+", under a number of its own")
		case !up && x.place && entries >= 2 && !half(b.desks):
			return people(inspect.Suspected, called)
		}
	}
	if b.hashes >= 3 && up && !(other && !place) {
		hint := place || x.asks || hashName(b.hashed.Name)
		for n, count := range b.widths {
			equal := count == len(b.widths) || b.cards > 1 && count >= b.cards-1
			if len(b.widths) == 1 && equal || b.cards == 1 {
				if n >= 4 && hint && b.sameWidth() {
					f.Path = b.hashed.Path
					confidence := inspect.Suspected
					if place || hashName(b.hashed.Name) {
						confidence = inspect.Probable
					}
					return say(confidence, "A list of %d equally long tokens in the field %s, as hashes of telephone numbers or e-mail addresses are written to find out which contacts a service knows, went up to this host.", b.hashes, shortName(b.hashed.Name))
				}
			}
		}
	}
	if b.hashedToo > 0 && entries == 0 && up && place && !against && !other {
		f.Path = b.hashed.Path
		return say(inspect.Suspected, "The name of a person beside a hash in the field %s%s, %s.", shortName(b.hashed.Name), called, where)
	}
	if n := max(b.bare, b.lists, b.keyed); n >= 3 && !half(b.talk) && !half(b.order) && !half(b.shop) && !other {
		f.Path = b.path()
		named := b.phones != nil && (contactWords.of(b.phones.Name) == contactPhone || contactFolds.of(b.phones.Name) == contactPhone)
		if b.lists > 0 {
			named = true
		}
		switch {
		case up && (place || x.asks && (named || b.fullPhones >= 3)):
			return say(inspect.Probable, "A list of %d telephone numbers in the %s, %s, %s.", n, b.fields(), "in a place that is called after contacts or their look-up", where)
		case up && (named || b.keyed >= 3) && (b.fullPhones >= 3 || b.lists >= 3), up && named && len(b.distinct) >= 3 && mentions(b.phones.Name, phoneNames):
			return say(inspect.Suspected, "A list of %d telephone numbers in the %s, as services ask for to find out whom the user knows, %s.", n, b.fields(), where)
		case !up && place && half(b.marked):
			return say(inspect.Suspected, "A list of %d telephone numbers in the %s, in a place that is called after contacts, %s.", n, b.fields(), where)
		case !up && b.keyed >= 3 && place:
			return say(inspect.Probable, "A list of %d telephone numbers by the names of their holders, in a place that is called after contacts, %s.", n, where)
		}
	}
	if b.bareMails >= 3 && up && place && !other {
		return say(inspect.Suspected, "A list of %d e-mail addresses in the %s, in a place that is called after contacts, went up to this host.", b.bareMails, b.fields())
	}
	if b.bare > 0 && b.marks >= 2*b.cards && half(b.marked) && !against {
		return say(inspect.Probable, "A telephone number in the %s%s, %s.", b.fields(), marked, where)
	}
	// One number.
	if up && b.cards == 1 && b.mails == 0 && !half(b.order) && !half(b.self) && !half(b.talk) && !half(b.post) && !b.ordered() {
		switch {
		case b.face != nil && !half(b.talk) && b.wide <= 8 && (b.phoned+b.mailed == 0 || place):
			f.Path = b.face.Path
			return say(inspect.Suspected, "One telephone number in the field %s, whose name says that it is somebody else's, went up to this host.", shortName(b.face.Name))
		case (place && b.phones != nil || x.looks && b.phones != nil) && b.bare+b.phoned > 0 && b.wide <= 6 && !other:
			f.Path = b.phones.Path
			return say(inspect.Suspected, "One telephone number in the field %s went up to this host, in a request that by its name asks about a number or a contact.", shortName(b.phones.Name))
		}
	}
	return f, false
}

// personOf says that c is the object contact of an entry of a list, as the
// offers of a portal have one, and not an entry itself.
func personOf(c *card) bool {
	outer, key := lastKey(c.group)
	if key == "" || !indexed(outer) || indexed(c.group) || !mentions(key, contactPlaces) {
		return false
	}
	_, around := lastKey(outer)
	return !mentions(around, contactPlaces)
}

// has says that c has a field of one of these names.
func (c *card) has(names ...string) bool {
	for _, x := range c.cells {
		for _, name := range names {
			if strings.EqualFold(x.name, name) {
				return true
			}
		}
	}
	return false
}

// codeNames are parts of names of fields that hold codes of things.
var codeNames = newStems("isbn", "ean", "upc", "gtin", "sku", "code", "serial", "order", "invoice", "account", "iban", "card", "tax", "vat", "plate", "track", "version", "amount", "price", "total", "date", "time", "birth", "postal", "artikel", "articulo", "reference", "uuid", "guid", "imei", "imsi", "iccid", "ipaddr", "barcode", "vin")

// isGoodsCode says that b is written as the codes on goods and books are: 12 to 14
// digits behind a single zero, 13 behind 978 or 979.
func isGoodsCode(b []byte) bool {
	digits := 0
	for _, c := range b {
		if c-'0' < 10 {
			digits++
		} else if c != '-' && c != ' ' {
			return false
		}
	}
	if len(b) < 12 {
		return false
	}
	return digits == 13 && (string(b[:3]) == "978" || string(b[:3]) == "979") || digits == len(b) && digits >= 12 && b[0] == '0' && b[1] != '0'
}

// isSureNumber says that b is no amount: it has nine digits or more, and a plus, a
// zero, a bracket or a separator, or the length that telephone numbers have.
func isSureNumber(b []byte) bool {
	digits := 0
	for _, c := range b {
		if c-'0' < 10 {
			digits++
		}
	}
	return digits >= 9 && (digits < len(b) || b[0] == '0' || isLongNumber(b)) || digits >= 8 && len(b) > 0 && b[0] == '+'
}

// isLongNumber says that b are the 10 or 11 digits that telephone numbers have in
// many countries, and codes of products and points in time have not.
func isLongNumber(b []byte) bool {
	return (len(b) == 10 || len(b) == 11) && allDigits(b) && !isRecent(b)
}

// keyedByNumber says that the entries stand under numbers, as clouds keep them.
func (b *book) keyedByNumber() bool {
	_, numbered := withoutNumbers(b.first.group)
	return numbered
}

func (b *book) fields() string {
	if len(b.cells) == 0 {
		return "field " + shortName(b.first.cells[0].name)
	}
	return fieldNames(b.cells)
}

func (b *book) path() inspect.Path {
	if b.phones != nil {
		return b.phones.Path
	}
	return b.first.cells[0].Path
}

// sameWidth says that the hashes are equally long, whatever else stands in the
// list.
func (b *book) sameWidth() bool {
	if len(b.widths) != 1 {
		return false
	}
	if !b.first.scalar {
		return true
	}
	n, same := 0, 0
	for _, x := range b.first.cells {
		if x.Kind > inspect.Text {
			continue
		}
		if n == 0 {
			n = len(x.Data)
		}
		if len(x.Data) == n {
			same++
		}
	}
	return same == len(b.first.cells)
}

func hashName(name string) bool {
	return mentions(name, hashNames)
}

// ordered says that the document is about an order or a booking, or about the
// customers of a company.
func (b *book) ordered() bool {
	n, group := 0, ""
	seen := make(map[string]bool)
	count := func(name string) {
		switch {
		case contactWords.of(name) != contactOrder && !crmWords.of(name), seen[name]:
			return
		case crmWords.of(name):
			n++
		}
		seen[name] = true
		n++
	}
	for i, p := range b.first.parent.Children {
		if i == 400 || n >= 2 {
			break
		}
		count(p.Name)
		if p.Group != group {
			group = p.Group
			_, key := lastKey(group)
			count(key)
		}
	}
	return n >= 2
}
