package detect

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"constat/inspect"
	"constat/proxy/flow"
)

// Identifiers recognises values that stay with a phone, its SIM or its user, in
// what goes up: by the name of the field, by the form of the value, and best by
// both.
//
// What a request, a session, an event or a message is numbered with is none, nor
// are the numbers of things; the names of those are known, too. A telephone
// number or an address in a message or an entry of the address book is somebody
// else's.
var Identifiers = inspect.Detector{
	Name:   "identifiers",
	Class:  inspect.Identifiers,
	Doc:    "looks for values that stay with a phone, its SIM or its user: IMEI, serial number, advertising id, MAC, telephone number, e-mail address, account and installation ids, also hashed",
	Detect: detectIdentifiers,
}

// idKind is what an identifier belongs to.
type idKind uint8

const (
	idNone idKind = iota
	idIMEI
	idMEID
	idIMSI
	idICCID
	idPhone
	idEmail
	idSerial
	idMAC
	idAndroid
	idAdvertising
	idDevice
	idInstallation
	idAccount
	idPush
	idLoose // uid, did, vid and the like: the value must look drawn
	idWeak  // id, uuid, guid: what stands around must say of what
	idCount
)

// idLabels are what people are told.
var idLabels = [idCount]string{
	idIMEI: "the IMEI, the number of the phone's modem", idMEID: "the MEID, the number of the phone's modem",
	idIMSI: "the IMSI, the number of the subscriber in the SIM", idICCID: "the ICCID, the serial number of the SIM",
	idPhone: "a telephone number", idEmail: "an e-mail address", idSerial: "a serial number of the device",
	idMAC: "a MAC address, the number of a network interface", idAndroid: "the ANDROID_ID of the phone",
	idAdvertising: "an advertising identifier", idDevice: "an identifier of the device",
	idInstallation: "an identifier of the installation or of the visitor", idAccount: "an identifier of the user's account",
	idPush: "the address of the phone for push messages", idLoose: "an identifier of the device or its user", idWeak: "an identifier of the device or its user",
}

// idWords are names of identifiers. Those of the second list may stand behind
// other words.
var idWords = newPhrases(map[idKind]string{
	idIMEI:         `imeisv deviceimei phoneimei imeisi tacimei`,
	idPhone:        `phone mobile tel telephone cell cellphone handphone ph phn mob telefono telefon telefone telnum celular movil numerotelefono numerodetelefono handynummer rufnummer telefonnr telefoon nohp nomorhp nomertelefona nomertelefonu numerocelular gsm shoujihao dianhua phoneprefix usermobile userphone sodienthoai sodt telefonszam mobilszam numartelefon numardetelefon numertelefonu nomortelepon nomortelpon nohandphone ceptelefonu telefonnumarasi puhelinnumero mobilnummer telefonnummerobil celnummer tilefono kinito τηλεφωνο τηλέφωνο κινητο κινητό טלפון טלפוןנייד номертелефону мобільний phonenr cellno fon 手机号 手机 電話番号 shouji contactno selfphone ownphone myphone ownphonenumber ownnumber mynum selfnumber ownerphone simnumber line1num`,
	idEmail:        `mail em hem useremail correo courriel emailid youxiang correoelectronico adressemail epost eposta adresseelectronique pochta епошта електроннапошта иимейл имейл 電子郵件 電郵 epostadresi emailcim adresaemail adresemail adresemailowa emailadres emailadresse emailadresa posta indirizzoemail enderecodeemail correoe diachiemail thudientu login username userlogin account`,
	idSerial:       `serial sn srl snr sernum seriennummer numeroserie numerodeserie numserie xuliehao serienummer numeroseriale serino serinumarasi numerseryjny sorozatszam seriovecislo numardeserie nomorseri soseri sarjanumero σειριακοςαριθμος серійнийномер מספרסידורי`,
	idMAC:          `mac wmac bmac etmac ethmac`,
	idAndroid:      `ssaid andid anid`,
	idAdvertising:  `adid ifa ifv rdid maid gpid oa`,
	idDevice:       `deviceid device hwid hid machineid iddispositivo idappareil identifiantappareil geraeteid geräteid gerateid shebeiid shebeihao apparaatid idurzadzenia cihazid idperangkat ustroystvoid mathietbi idthietbi cihazkimligi cihazno identyfikatorurzadzenia idzarizeni identifikatorzarizeni enhetsid enhetid laiteid laitetunnus eszkozid eszkozazonosito iddispozitiv idaparelho iddoaparelho iddodispositivo iddeldispositivo identificadordispositivo identificadordeldispositivo identificativodispositivo identifiantdelappareil identifikatoruredjaja idustrojstva idnutzergerat ідентифікаторпристрою идентификаторустройства идустройства αναγνωριστικοσυσκευης αναγνωριστικόσυσκευής מזההמכשיר شناسهدستگاه معرفالجهاز 裝置識別碼 裝置id 設備id 設備識別碼 设备唯一码 unique uniqueid dvid devid ddid xdid boxid stbid fingerprint visitorfingerprint browserid terminalid equipmentid termid kiddevice childdevice mydevice thisdevice ownerdevice clientdevice idurządzenia nodeid boxserial stbnumber settopid ` + deviceNouns,
	idInstallation: `distinct visitor clientid installid cuid ecid mcid mcvid marketingcloudid experiencecloudid bcookie pkid ga fbp uetvid muid gaclientid aidd ajsanonymousid domainuserid networkuserid amplitudeid mpdeviceid anonid nnid statsid psid ppid panelid panelistid panelist respondentid householdid botid bot registerid registrationuid zcid anid2 nid2 euid suid pubcid tdid idl rampid id5id uid2 lotameid ttdid parrableid sharedid`,
	idAccount:      `uid user openid unionid xuid idusuario iddeusuario idcliente idutilisateur benutzerid nutzerid kundennummer numerocliente yonghuid zhanghao kundenid idcompte idcuenta identifiantutilisateur gebruikersid idpengguna kullaniciid puid memberid userguid userno customerno loginname loginid cpf curp aadhaar aadhar aadhaarnumber pesel bsn codicefiscale makhachhang mataikhoan manguoidung idnguoidung tendangnhap idpelanggan nopelanggan nomorpelanggan kodepelanggan idanggota musterino musteriid musterinumarasi uyeno uyeid codigocliente codigodecliente numerodecliente idklienta numerklienta nrklienta kodklienta idkonta cislozakaznika idzakaznika asiakasnumero asiakastunnus kundnummer kundeid kundnr klantnummer klantid ugyfelszam ugyfelazonosito codclient idclient numarclient codicecliente idutente numeroclient codeclient idclient2 idpolzovatelya idclienta customerref userref accountref clientref clientno clientnumber tckimlik tckn snils nric fin personnummer cnic nif dni nie curpnumber citizenid idcard idcardno identitynumber nationalno mynumber rrn hkid shenfenzheng 身份证 身份证号 身分證字號 主民番号 accountname sub acct ssoid passportid miid mi uin steamid gamertag`,
	idLoose:        `mid did vid iid fid aid cid gid hash tid rid pid nid zid lid kid zuid duid wid`,
	idWeak:         `id uuid guid identifier ident key number value no address oid unid uniquekey`,
}, map[idKind]string{
	idIMEI:        `imei imeia imeib imeinumber imeicode imeino imeilist`,
	idMEID:        `meid esn`,
	idIMSI:        `imsi subscriberid simimsi supi`,
	idICCID:       `iccid simserial simserialnumber simid simcardid eid euiccid icc`,
	idPhone:       `phonenumber mobilenumber mobilephone mobileno phoneno msisdn line1number telnumber telephonenumber cellnumber phonenum mobilenum userphone usermobile smsnumber gsmnumber phonee164 e164 numerotelephone telefonnummer`,
	idEmail:       `email emailaddress mailaddress usermail emailaddr emladdr eml`,
	idSerial:      `serialnumber serialno deviceserial hardwareserial cpuserial buildserial serialnum deviceserialnumber boardserial devicesn imeisn chipid cpuid disksn diskserial`,
	idMAC:         `macaddress macaddr wifimac wlanmac btmac bluetoothmac ethernetmac devicemac bluetoothaddress wifimacaddress btaddress hwaddr hardwareaddress lanmac physicaladdress`,
	idAndroid:     `androidid androiddeviceid settingssecureandroidid secureandroidid`,
	idAdvertising: `advertisingid advertiserid idfa gaid aaid oaid vaid googleadid gpsadid googleadvertisingid adtrackingid advertisingidentifier advertiseid adsid advertid advertisementid appleidfa huaweioaid amazonadid fireadid adverid rawadvertisingid aifa gpsaid`,
	idDevice: `deviceuuid deviceguid udid oudid openudid deviceidentifier deviceuniqueid uniquedeviceid hardwareid hwuuid machineguid widevineid drmid mediadrmid devicefingerprint
		phoneid handsetid clienthwid deviceuid deviceudid uniqueidentifier idfv vendoridentifier identifierforvendor deviceid biosuuid systemuuid localdeviceid
		devicehash deviceidhash tvid gadgetid stableid deviceno devicecode umid utdid smid dfp shumeiid`,
	idInstallation: `installationid installationuuid instanceid appinstanceid firebaseinstanceid firebaseinstallationid anonymousid anonymoususerid distinctid visitorid visitoruuid visitoruid userpseudoid
		installuuid installguid installationguid telemetryid analyticsid appinstallid appuid trackinguserid persistentid clientuuid clientguid appsflyerid adjustid deviceinstallid fingerprintid
		permanentid cookieid browserguid sdkuid uniqueuserid uniquevisitorid crossdeviceid installreferenceid randomizeddeviceid
		usertrackingid viewerid externalvisitorid anonymousclientid clientidentifier mistatid guestid guestuserid`,
	idAccount: `userid accountid useruuid userguid useridentifier useruid memberid customerid customeruuid profileid accountnumber accountno playerid accountuuid externaluserid appuserid loginuserid
		usernumber userkey customernumber personid crmid accountidentifier patientid studentid employeeid memberno cardholderid membernumber loyaltyid loyaltynumber loyaltycardnumber loyaltycardno loyaltycardid customercardnumber kundenkartennummer clubcardnumber steamid vin vehicleidentificationnumber passportno ssn nationalid taxid userpk cuserid uidcode
		miaccount micloudid accountguid userno appleid googleid facebookid fbid twitterid wechatid openidentifier wxopenid unionid weiboid qqid lineuserid telegramid firebaseuid authuserid identityid subjectid`,
	idPush: `fcmtoken gcmtoken apnstoken apnsdevicetoken pushtoken pushdevicetoken registrationid regid pushid deviceregistrationid registrationtoken fcmregistrationtoken devicepushtoken firebasetoken notificationtoken devicetoken apnsid
		mipushregid hmstoken pushregid onesignalid pushregistrationid fcmid gcmid fcmregid apnstokens p256dh`,
})

// idEnds are ends of names that are written without any mark between words.
var idEnds = newEndings(map[idKind]string{
	idIMEI: "imei", idIMSI: "imsi", idICCID: "iccid", idAndroid: "androidid", idDevice: "deviceid", idMAC: "macaddress macaddr",
	idEmail: "email emailaddress", idPhone: "phonenumber mobilenumber msisdn mobileno phoneno", idAccount: "userid accountid customerid memberid", idSerial: "serialnumber serialno",
	idAdvertising: "idfa gaid oaid advertisingid", idInstallation: "anonymousid installationid instanceid",
})

// idIdeographs are parts of names in scripts that do not put spaces.
var idIdeographs = []struct {
	word string
	kind idKind
}{
	{"订单", idNone},
	{"商品", idNone},
	{"联系人", idNone},
	{"请求", idNone},
	{"会话", idNone},
	{"裝置", idDevice},
	{"شناسه", idDevice},
	{"מזהה", idDevice},
	{"αναγνωριστικ", idDevice},
	{"пристро", idDevice},
	{"手機號", idPhone},
	{"手機", idPhone},
	{"電話", idPhone},
	{"تلفن", idPhone},
	{"טלפון", idPhone},
	{"τηλ", idPhone},
	{"電子郵件", idEmail},
	{"ایمیل", idEmail},
	{"דואר", idEmail},
	{"序號", idSerial},
	{"серійн", idSerial},
	{"设备号", idDevice},
	{"设备id", idDevice},
	{"设备标识", idDevice},
	{"设备编号", idDevice},
	{"唯一标识", idDevice},
	{"机器码", idDevice},
	{"端末id", idDevice},
	{"端末識別", idDevice},
	{"デバイスid", idDevice},
	{"기기id", idDevice},
	{"기기식별", idDevice},
	{"단말", idDevice},
	{"序列号", idSerial},
	{"製造番号", idSerial},
	{"シリアル", idSerial},
	{"일련번호", idSerial},
	{"серийн", idSerial},
	{"手机号", idPhone},
	{"电话", idPhone},
	{"電話番号", idPhone},
	{"전화번호", idPhone},
	{"휴대폰", idPhone},
	{"телефон", idPhone},
	{"मोबाइल", idPhone},
	{"फोन", idPhone},
	{"هاتف", idPhone},
	{"الجوال", idPhone},
	{"เบอร์", idPhone},
	{"邮箱", idEmail},
	{"电子邮件", idEmail},
	{"メールアドレス", idEmail},
	{"이메일", idEmail},
	{"почта", idEmail},
	{"ईमेल", idEmail},
	{"البريد", idEmail},
	{"อีเมล", idEmail},
	{"用户id", idAccount},
	{"用户编号", idAccount},
	{"用户标识", idAccount},
	{"账号", idAccount},
	{"帐号", idAccount},
	{"会員番号", idAccount},
	{"ユーザーid", idAccount},
	{"ユーザid", idAccount},
	{"회원번호", idAccount},
	{"사용자id", idAccount},
	{"идентификаторпользовател", idAccount},
	{"معرفالمستخدم", idAccount},
	{"идентификаторустройств", idDevice},
	{"معرفالجهاز", idDevice},
	{"安装id", idInstallation},
	{"广告id", idAdvertising},
	{"广告标识", idAdvertising},
	{"广告标识符", idAdvertising},
	{"安卓id", idAndroid},
	{"物理地址", idMAC},
	{"mac地址", idMAC},
	{"macアドレス", idMAC},
	{"imei号", idIMEI},
	{"串号", idIMEI},
}

// idPairs are names that say something only inside an object of a certain name.
var idPairs = newLexicon(map[idKind]string{
	idDevice: `device.id device.uuid device.guid device.identifier device.uid device.key device.unique device.fingerprint hardware.id hardware.uuid machine.id phone.id terminal.id deviceinfo.id deviceinfo.uuid
		device.iden device.ident phone.uuid host.id host.uuid handset.id dev.id equipment.id deviceidentifier.value device.no device.hwid os.uuid`,
	idAccount: `user.id user.uuid user.guid user.identifier account.id account.uuid customer.id member.id profile.id person.id player.id enduser.id account.number account.identifier user.key
		userinfo.id userinfo.uuid customer.uuid identity.id me.id subscriber.id currentuser.id users.id uids.id eids.id user.no account.key usr.id owner.id login.id user.number user.mid user.iden user.ident user.ref customer.ref account.ref member.ref customer.no customer.code member.no member.code client.code client.no`,
	idInstallation: `installation.id installation.uuid install.id client.id client.uuid visitor.id instance.id anonymous.id browser.id app.installid app.instanceid app.uuid service.instanceid visitor.uuid install.uuid client.guid analytics.id`,
	idSerial:       `device.serial device.sn hardware.serial phone.serial device.number sim.serial machine.serial deviceinfo.serial deviceinfo.sn`,
	idMAC:          `wifi.mac bluetooth.mac device.mac bluetooth.address wifi.address network.mac ethernet.mac bt.mac deviceinfo.mac wlan.mac bt.address`,
	idPhone:        `phone.number sim.number mobile.number user.phone user.tel account.phone customer.phone user.mobile sim.phone line.number`,
	idEmail:        `user.email user.mail email.address account.email account.name customer.email user.username user.login email.value user.account`,
	idPush:         `push.token push.id push.key fcm.token gcm.token apns.token notification.token push.address`,
	idAdvertising:  `advertising.id adinfo.id ad.idfa advertisinginfo.id ads.id`,
	idICCID:        `sim.id sim.iccid`,
})

var idPairEnds = func() map[string]bool {
	m := make(map[string]bool)
	for pair := range idPairs.words {
		_, end, _ := strings.Cut(pair, ".")
		m[end] = true
	}
	return m
}()

// idName is what a field's name says about an identifier.
type idName struct {
	kind   idKind
	hashed bool
	// inside says that the name of the object around the field may say more.
	inside bool
}

// deviceNouns are words for the phone itself. Their values are its number only if
// they were drawn, and else its name.
const deviceNouns = ` perangkat cihaz dispositivo appareil gerat geraet gerät urzadzenie urządzenie zarizeni zařízení keszulek készülék enhet laite apparaat aparelho thietbi thiếtbị ustroystvo ustrojstvo dispozitiv uredaj συσκευη מכשיר الجهاز دستگاه устройство пристрій 设备 設備 機器 端末 기기`

var isDeviceNoun = newLexicon(map[bool]string{true: deviceNouns + ` bot panelist kiddevice childdevice mydevice thisdevice ownerdevice clientdevice`})

var idNames = inspect.NewNameFacts(ifShort(lookName))

// nameOf looks up the name of p, together with that of the object around it.
func nameOf(m *inspect.Known[idName], p *inspect.Part) idName {
	n := m.Of(p)
	if n.inside && p.Group != "" {
		var buf [maxName]byte
		if k := idInside(p, squeeze(&buf, p.Name)); k != idNone {
			n.kind = k
		} else if n.kind == idNone || n.kind == idWeak {
			// {"imei": {"value": "…"}}, {"ECID": [{"id": "…"}]}
			if w := m.OfBytes(container(&buf, p)); w.kind != idNone && w.kind < idAccount && w.kind != idPhone && w.kind != idEmail || w.hashed {
				n.kind, n.hashed = w.kind, w.hashed
			}
		}
	}
	return n
}

// lookName looks up a name by itself.
func lookName(name string) idName {
	var buf [maxName]byte
	w := squeeze(&buf, name)
	if len(w) == 0 {
		return idName{}
	}
	name = lowerIdeographs(name)
	ph := idWords.of(name)
	n := idName{kind: ph.of, hashed: ph.hashed}
	if n.kind == idNone && !ascii(w) {
		for _, x := range idIdeographs {
			if bytes.Contains(w, []byte(x.word)) {
				return idName{kind: x.kind}
			}
		}
	}
	if n.kind == idNone && len(w) > 4 && !strings.ContainsAny(name, "_- .") {
		n.kind = idEnds.of(w)
	}
	if n.kind == idNone && len(w) > 6 && ascii(w) {
		// imeimd5, emailsha256
		for _, end := range []string{"md5", "sha1", "sha256", "hash"} {
			if front, ok := bytes.CutSuffix(w, []byte(end)); ok && len(front) >= 3 {
				if k := idWords.of(string(front)).of; k != idNone && k < idLoose {
					n.kind, n.hashed = k, true
				}
				break
			}
		}
	}
	n.inside = (n.kind == idNone || n.kind == idWeak || ph.whole) && idPairEnds[string(w)]
	if n.kind == idNone || n.kind == idWeak {
		// user.id, device-uuid: the last two words of the name itself.
		if k := idLastTwo(name); k != idNone {
			n.kind = k
		}
	}
	if n.kind == idNone {
		n.kind = idComposed(name)
	}
	if ph.before != 0 && n.kind > idICCID && n.kind != idSerial && n.kind != idMAC && n.kind != idAndroid && n.kind != idAdvertising {
		switch {
		case ph.before&(ofOther|ofQuality) != 0, ph.before&(ofThing|ofRequest) != 0 && n.kind != idEmail && n.kind != idPhone:
			return idName{}
		}
	}
	return n
}

// idOwners are words for what an identifier is of, idNouns those that say that it
// is one.
var (
	idOwners = newLexicon(map[idKind]string{
		idDevice:       `device dev phone handset hardware machine terminal equipment hw`,
		idAccount:      `user usr account customer member subscriber player passenger`,
		idInstallation: `install installation visitor anonymous anon instance persistent tracking tracker`,
		idAdvertising:  `advertising advertiser idfa gaid`,
	})
	idNouns = newLexicon(map[bool]string{true: `id ids uid uuid guid identifier ident iden udid token`})
)

// idComposed looks at names with other words between the two:
// advertisingTrackingId, device_fallback_uuid.
func idComposed(name string) idKind {
	var buf [maxName]byte
	var starts [maxWords]uint8
	end, n := split(&buf, &starts, name)
	if n < 3 || !idNouns.word(buf[starts[n-1]:end]) {
		return idNone
	}
	kind := idNone
	for i := range n - 1 {
		w := buf[starts[i]:starts[i+1]]
		if frontWords.word(w) != 0 {
			return idNone
		}
		if k := idOwners.word(w); k != idNone && (kind == idNone || k == idAdvertising) {
			kind = k
		}
	}
	return kind
}

func idLastTwo(name string) idKind {
	var buf, pair [maxName]byte
	var starts [maxWords]uint8
	if len(name) < 6 || len(name) > maxName || !idPairEnds[name[strings.LastIndexAny(name, "._-:")+1:]] && strings.ContainsAny(name, "._-:") {
		return idNone
	}
	end, n := split(&buf, &starts, name)
	if n < 2 || end+1 > maxName || !idPairEnds[string(buf[starts[n-1]:end])] {
		return idNone
	}
	k := copy(pair[:], buf[starts[n-2]:starts[n-1]])
	pair[k] = '.'
	k += 1 + copy(pair[k+1:], buf[starts[n-1]:end])
	return idPairs.word(pair[:k])
}

// container returns the name of the object or array around p, in lower case
// without separators.
func container(buf *[maxName]byte, p *inspect.Part) []byte {
	group := p.Group
	if slash := strings.LastIndexByte(group, '/'); slash >= 0 { // of XML
		group = group[slash+1:]
	}
	for strings.HasSuffix(group, "]") {
		i := strings.LastIndexByte(group, '[')
		if i < 0 {
			break
		}
		if i > 0 || group[1]-'0' >= 10 {
			if inner := strings.Trim(group[i+1:len(group)-1], `"'`); inner != "" && inner[0]-'0' >= 10 {
				return squeeze(buf, inner)
			}
		}
		group = group[:i]
	}
	return squeeze(buf, group[strings.LastIndexByte(group, '.')+1:])
}

func idInside(p *inspect.Part, word []byte) idKind {
	if p.Group == "" {
		return idNone
	}
	var buf, pair [maxName]byte
	g := container(&buf, p)
	if len(g) == 0 || len(g)+1+len(word) > maxName {
		return idNone
	}
	n := copy(pair[:], g)
	pair[n] = '.'
	n += 1 + copy(pair[n+1:], word)
	return idPairs.word(pair[:n])
}

// ctxFlags say what else a record holds.
type ctxFlags uint16

const (
	ctxMessage ctxFlags = 1 << iota
	ctxCall
	ctxOAuth
	ctxEvent
	ctxDevice
	ctxCell
	ctxShop
	ctxContact
	ctxWifi
	ctxUser
	ctxMap
)

var ctxWords = newFlags(map[ctxFlags]string{
	ctxMessage: `body text content message snippet smsbody smstext smscontent msg subject threadid threadtopic`,
	ctxCall:    `duration calltype callduration calldate callid direction ringtime`,
	ctxOAuth:   `granttype redirecturi responsetype codechallenge clientsecret codeverifier idtokenhint`,
	ctxEvent:   `event eventname eventtype eventid insertid messageid eventuuid occurredat sentat type timestamp`,
	ctxDevice:  `model brand manufacturer osversion platform imei androidid sdk sdkversion osname os devicemodel phonemodel build appversion versionname versioncode devicetype make screen language locale mac ua deviceid`,
	ctxCell:    `mnc lac tac cellid networkoperator`,
	ctxShop:    `price sku quantity currency amount total stock rating stars reviews`,
	ctxContact: `displayname givenname familyname phonenumbers contactid rawcontactid starred lookupkey contactname contacts photouri`,
	ctxWifi:    `ssid bssid rssi signalstrength signallevel`,
	ctxUser:    `userid username uid accountid email login useremail account password firstname lastname phone nickname avatar birthday gender`,
	ctxMap:     `zoom bbox bounds tile viewport radiusofmap mapsize maptype zoomlevel`,
})

func contextOf(r inspect.Record) (c ctxFlags) {
	var buf [maxName]byte
	last := ""
	for i, f := range r.Fields {
		if f.Name == last || i > 512 {
			continue
		}
		last = f.Name
		if w := squeeze(&buf, f.Name); len(w) > 0 {
			c |= ctxWords.word(w)
		}
	}
	return c
}

// maxHeads bounds the arrays of words that are looked at for the names of
// columns.
const maxHeads = 64

// isNames says that r is an array of words that are the names of columns, at
// least one of them of those that matter here. It counts the arrays of words in
// heads.
func isNames(r inspect.Record, heads *int) bool {
	n := len(r.Fields)
	if n > 64 || r.Parent == nil || !isArray(r) {
		return false
	}
	for _, f := range r.Fields {
		if f.Kind != inspect.Text || len(f.Data) == 0 || len(f.Data) > maxName || f.Data[0]-'0' < 10 || bytes.ContainsAny(f.Data, " @/:=") {
			return false
		}
	}
	*heads++
	for _, f := range r.Fields {
		name := string(f.Data)
		switch k := lookName(name).kind; {
		case k != idNone && k != idWeak && k != idLoose:
			return true
		case n == 1:
			return false
		}
		if g := geoWords.of(name).of; g == geoLat || g == geoLon || lookSecret(name).of == secretPassword || statWords.of(name)-1 < statDeviceType {
			return true
		}
	}
	return false
}

func isKeyName(s string) bool {
	switch s {
	case "key", "Key", "name", "Name", "k", "type", "n", "field", "property", "attribute", "idType", "id_type", "NAME", "KEY":
		return true
	}
	return false
}

func isValueName(s string) bool {
	switch s {
	case "value", "Value", "v", "val", "id", "VALUE", "data", "stringValue", "string_value":
		return true
	}
	return false
}

// valueGroup cuts the object "value" off a place: of JSON, XML and the like.
func valueGroup(group string) (around string, inside bool) {
	group = strings.TrimSuffix(group, "[0]") // of XML
	n := len(group) - len("value")
	if n < 1 || !equalFold(group[n:], "value") || group[n-1] != '.' && group[n-1] != '/' {
		return group, false
	}
	return group[:n-1], true
}

// namedValues makes records of the lists of names and values among the children
// of parent: [{"name": "imei", "value": "…"}, …].
func namedValues(parent *inspect.Part) []inspect.Record {
	keys := make(map[string]string) // by group of the pair
	for _, c := range parent.Children {
		if isKeyName(c.Name) && c.Kind == inspect.Text && len(c.Data) > 0 && len(c.Data) <= 64 && len(keys) < maxPairs && keys[c.Group] == "" {
			keys[c.Group] = string(c.Data)
		}
	}
	named := pairing{parent: parent}
	for _, c := range parent.Children {
		group, key := c.Group, ""
		if isValueName(c.Name) && (c.Name != "id" || !isOfRequest(group)) {
			key = keys[group]
		}
		if key == "" {
			if g, inside := valueGroup(group); inside {
				group, key = g, keys[g]
			}
		}
		if key == "" {
			continue
		}
		named.add(c, group, key)
	}
	return named.records
}

// isOfRequest says that the object at a place is named for a session, an event
// and the like, whose number is its own whatever its type.
func isOfRequest(group string) bool {
	if i := strings.LastIndexAny(group, "./"); i >= 0 {
		group = group[i+1:]
	}
	return idThing(group)&(ofRequest|ofThing) != 0
}

// idFound is the best that was found of one kind.
type idFound struct {
	part       *inspect.Part
	start, end int
	confidence inspect.Confidence
	hashed     bool
	form       string // in words, when the form of the value tells more than the name
}

type identifiers struct {
	found [idCount]idFound
	// people holds the addresses and numbers that went up, with the name that
	// they went up under, its digits left out: several of one name are a list of
	// people.
	people map[person]bool
	many   map[person]int // by kind and name
	first  map[person]*inspect.Part
	names  *inspect.Known[idName]
	lists  map[nameIn]bool
	forms  []bool // of the columns at hand, those whose names say nothing
}

// person is an address or a number, and the name that it has.
type person struct {
	kind  idKind
	name  string
	value string
}

// nameIn is a name among the children of a part.
type nameIn struct {
	parent *inspect.Part
	name   string
}

func detectIdentifiers(t *inspect.Tree) []inspect.Finding {
	s := identifiers{names: idNames.In(t)}
	for r, may := range upRecords(t, s.pick) {
		s.record(t, r, may)
	}
	texts := 0
	for p := range upParts(t, areTexts) {
		if p.Kind <= inspect.Text && len(p.Children) == 0 && len(p.Data) >= 24 && texts < maxLoose && (p.Parent != nil || p.Decoder() == "request.body" || p.Decoder() == "upload" || p.Decoder() == "frame") && hasSeveral(p) && printable(p) {
			texts++
			s.told(p)
		}
		if p.Parent != nil {
			if texts == maxLoose {
				break
			}
			continue
		}
		switch p.Decoder() {
		case "request.path":
			s.path(p)
		case "request.header":
			if p.Name == "User-Agent" {
				s.userAgent(p)
			}
		}
	}
	var out []inspect.Finding
	for k := idIMEI; k < idCount; k++ {
		f := s.found[k]
		if f.part == nil {
			continue
		}
		if (k == idEmail || k == idPhone) && s.many[person{kind: k, name: bareName(f.part.Name)}] > 1 {
			continue // a list of people
		}
		out = append(out, inspect.Finding{
			Confidence: f.confidence, Direction: flow.Up, Path: f.part.Path, Start: f.start, End: f.end, Reason: f.reason(k),
		})
	}
	return out
}

// areTexts picks columns of texts in which there are several words or values, and
// all roots.
func areTexts(d *inspect.Document, may []bool) bool {
	some := false
	for i := range d.Columns {
		c := &d.Columns[i]
		may[i] = d.Parent == nil || c.Max >= 24 && hasText(c) && c.Holds&between != 0
		some = some || may[i]
	}
	return some
}

// between are what stands between words and values, and more.
const between = inspect.Spaces | inspect.Bars | inspect.Commas | inspect.Semicolons | inspect.Controls | inspect.Newlines

// hasSeveral says that there are several words or values in the beginning of p.
func hasSeveral(p *inspect.Part) bool {
	if p.Holds()&between == 0 {
		return false // which most texts without a blank are
	}
	for _, c := range p.Data[:min(len(p.Data), 256)] {
		if c == ' ' || c == '|' || c == ',' || c == ';' || c == '\t' || c == '\n' {
			return true
		}
	}
	return false
}

func (f *idFound) reason(k idKind) string {
	what := idLabels[k]
	where := "A value"
	if f.part.Name != "" && f.form != "path" {
		where = "The field " + quoted(f.part.Name)
	}
	switch {
	case f.form == "path":
		return fmt.Sprintf("The address of the request names %s behind a word that says so; it went up to this host.", what)
	case f.form == "agent":
		return "The User-Agent, which goes with every request of this app, holds a value in the form of an identifier; it went up to this host."
	case f.hashed:
		return fmt.Sprintf("%s holds, by its name, %s as a hash: the same input gives the same hash, so it stays recognisable; it went up to this host.", where, what)
	case f.confidence == inspect.Probable:
		return fmt.Sprintf("%s holds %s, by its name and by the form of its value; it went up to this host.", where, what)
	case f.form != "":
		return fmt.Sprintf("%s has the form of %s, though its name does not say so; it went up to this host.", where, what)
	}
	return fmt.Sprintf("%s is named like %s; it went up to this host.", where, what)
}

// quoted writes the name of a field for people.
func quoted(name string) string {
	return "“" + inspect.Excerpt([]byte(name[:min(len(name), 80)]), 0, 0) + "”"
}

func (s *identifiers) note(k idKind, p *inspect.Part, c inspect.Confidence, hashed bool, form string) {
	if f := &s.found[k]; f.part == nil || c.Rank() > f.confidence.Rank() {
		*f = idFound{part: p, confidence: c, hashed: hashed, form: form}
	}
}

// pick picks columns that are called as identifiers are, and those whose values can
// be of their forms.
func (s *identifiers) pick(d *inspect.Document, may []bool) bool {
	some := false
	s.forms = slices.Grow(s.forms[:0], len(d.Columns))
	for i := range d.Columns {
		c := &d.Columns[i]
		s.forms = append(s.forms, false)
		if c.Max < 2 || !hasValue(c) {
			continue
		}
		kind := s.names.OfColumn(c).kind
		if s.names.OfColumn(c).inside && c.Place != "" {
			if kind = nameOf(s.names, c.First).kind; !sameAround(c) {
				kind = idDevice // of some of them, perhaps
			}
		}
		switch kind {
		case idNone:
			may[i] = mayIdentify(c)
			s.forms[i] = true
		case idWeak:
			may[i] = c.Max >= 14 && (mayIdentify(c) || c.Holds&(inspect.Letters|inspect.Hyphens) != 0) || c.Holds&inspect.Ats != 0
		default:
			may[i] = true
		}
		some = some || may[i]
	}
	return some
}

// mayIdentify says that fields of c can have the form of an identifier: digits
// with check digits, a hardware address, an address of a mailbox, or a number behind
// its name.
func mayIdentify(c *inspect.Column) bool {
	const blank = inspect.Spaces | inspect.Newlines | inspect.Controls | inspect.NonASCII
	lengths := func(least, most int) bool {
		return c.Max >= least && (c.Min <= most || c.Holds&blank != 0) // around which there may be blanks
	}
	switch {
	case c.Holds&inspect.Ats != 0:
		return true
	case c.Holds&inspect.Digits != 0 && (lengths(15, 15) || lengths(19, 20)):
		return true
	case c.Holds&(inspect.Colons|inspect.Hyphens) != 0 && lengths(17, 17):
		return true
	}
	return c.Holds&inspect.Colons != 0 && c.Holds&inspect.Letters != 0 && c.Max >= 19
}

func (s *identifiers) record(t *inspect.Tree, r inspect.Record, may []bool) {
	var ctx ctxFlags
	known := false
	context := func() ctxFlags {
		if !known {
			ctx, known = contextOf(r), true
		}
		return ctx
	}
	for _, p := range r.Fields {
		if may != nil && !may[p.Column()] || p.Kind > inspect.Number || len(p.Data) < 2 || len(p.Data) > longestToken {
			continue
		}
		if p.Parent == nil && (p.Decoder() != "request.header" && p.Decoder() != "request.cookie" || alike[p.Name]) {
			continue
		}
		if p.Decoder() == "vobject" {
			continue // entries of address books and calendars
		}
		if len(p.Children) > 0 && !isWhole(p) {
			// The value of a field that is taken apart further.
			if len(p.Data) > longestValue || p.Children[0].Decoder() == "json" {
				continue
			}
		}
		d := bytes.TrimSpace(p.Data)
		if may == nil || !s.forms[p.Column()] {
			if n := nameOf(s.names, p); n.kind != idNone {
				s.named(t, r, p, d, n, context)
				continue
			}
		}
		s.unnamed(r, p, d, context)
	}
}

// named weighs a value whose name is that of an identifier.
func (s *identifiers) named(t *inspect.Tree, r inspect.Record, p *inspect.Part, d []byte, n idName, context func() ctxFlags) {
	if isNothing(d) {
		return
	}
	f := formOf(d)
	hashed := isHashForm(d, f)
	opaque := f.kind != "" && f.kind != "time" && f.kind != "digits"
	digits := allDigits(d)
	switch k := n.kind; k {
	case idIMEI, idMEID, idIMSI, idICCID:
		switch {
		case digits && len(d) >= 14 && len(d) <= 22, f.kind == "imei", k == idMEID && len(d) == 14 && isHexDigits(d), isDashed(d, 14, 22):
			s.note(k, p, inspect.Probable, false, "")
		case hashed:
			s.note(k, p, inspect.Probable, true, "")
		case opaque || len(d) >= 8 && hasDigit(d) && bytes.IndexByte(d, ' ') < 0:
			s.note(k, p, inspect.Suspected, n.hashed, "")
		}
	case idPhone:
		switch {
		case p.Name == "ph" && !hashed:
		case isPhone(d):
			if s.stranger(t, r, p, context) {
				return
			}
			s.count(k, p, d)
			s.note(k, p, inspect.Probable, false, "")
		case hashed && f.kind != "hex64":
			s.count(k, p, d)
			s.note(k, p, inspect.Probable, true, "")
		}
	case idEmail:
		switch {
		case f.kind == "email" || isEmail(d) && ascii(d):
			s.email(t, r, p, d, inspect.Probable, context)
		case hashed && p.Name != "login" && p.Name != "username" && p.Name != "account":
			s.count(k, p, d)
			s.note(k, p, inspect.Probable, true, "")
		case isPhone(d) && (p.Name == "login" || p.Name == "username" || p.Name == "account"):
			s.note(idPhone, p, inspect.Probable, false, "")
		case strings.Contains(strings.ToLower(p.Name), "mail") || p.Name == "em" || p.Name == "hem" || p.Name == "correo" || p.Name == "eml":
		case isHandle(d) && context()&(ctxShop|ctxMessage) == 0 && !allDigits(d):
			s.note(idAccount, p, inspect.Suspected, false, "")
		case isHandle(d) && digits && len(d) >= 5:
			s.note(idAccount, p, inspect.Suspected, false, "")
		}
	case idSerial:
		switch {
		case context()&ctxMessage != 0 && context()&ctxDevice == 0, s.several(p):
		case f.kind == "mac":
		case isSerial(d) && len(p.Name) > 3:
			s.note(k, p, inspect.Probable, false, "")
		case isSerial(d) && context()&(ctxDevice|ctxUser) != 0:
			s.note(k, p, inspect.Probable, false, "")
		case isSerial(d) && hasDigit(d) && hasLetter(d):
			s.note(k, p, inspect.Suspected, false, "")
		case hashed:
			s.note(k, p, inspect.Probable, true, "")
		}
	case idMAC:
		switch {
		case f.kind == "mac" || len(d) == 12 && isHexDigits(d) && !isEmptyMAC(d):
			if context()&ctxWifi == 0 && !s.several(p) {
				s.note(k, p, inspect.Probable, false, "")
			}
		case hashed && (len(p.Name) > 3 || context()&ctxDevice != 0):
			s.note(k, p, inspect.Probable, true, "")
		}
	case idAndroid, idAdvertising, idDevice, idInstallation:
		if k == idInstallation && context()&ctxOAuth != 0 && isClientName(p.Name) {
			return
		}
		if k == idAdvertising && isShortAd(p.Name) && !isUUID(f) && !(hashed && context()&ctxDevice != 0) {
			return
		}
		if isWholeWord(p.Name) && !opaque && !(digits && len(d) >= 8) {
			return // a device's name, a user agent
		}
		switch {
		case p.Name == "fingerprint" && (f.kind == "token" || bytes.IndexByte(d, '/') >= 0):
		case f.kind == "imei", opaque && f.bits >= leastBits, digits && len(d) >= 8 && f.kind != "time", f.kind == "time" && len(d) >= 16:
			s.note(k, p, inspect.Probable, hashed && (n.hashed || len(d) == 64), "")
		case isGA(d):
			s.note(k, p, inspect.Probable, false, "")
		case isHandle(d) && len(d) >= 5 && hasDigit(d) && !isClientName(p.Name) && f.kind != "time", isHandle(d) && len(d) >= 16 && !isClientName(p.Name):
			s.note(k, p, inspect.Suspected, n.hashed, "")
		}
	case idPush:
		if len(d) >= 16 && bytes.IndexByte(d, ' ') < 0 {
			s.note(k, p, inspect.Probable, false, "")
		}
	case idAccount:
		s.account(t, r, p, d, f, opaque, n, context)
	case idLoose:
		switch {
		case len(d) == 38 && digits: // a number of 128 bits, as visitors are given
			s.note(idInstallation, p, inspect.Probable, false, "")
			return
		case isUUID(f), f.kind == "hex64", f.kind == "hex" && f.bits >= 128, f.kind == "imei":
		case opaque && f.bits >= 80 && context()&ctxDevice != 0:
		case isGA(d):
		case (p.Name == "did" || p.Name == "cid" || p.Name == "_cid" || p.Name == "iid" || p.Name == "duid" || p.Name == "zuid") && (opaque || digits && len(d) >= 9 && f.kind != "time"):
		default:
			return
		}
		if c := context(); c&ctxCell != 0 && digits || c&(ctxShop|ctxOAuth) != 0 || isHashName(p.Name) && c&ctxDevice == 0 {
			return
		}
		switch p.Name {
		case "mid", "tid", "rid", "pid", "nid", "lid", "kid", "wid", "gid", "hash", "fid", "aid", "vid":
			if context()&ctxDevice == 0 {
				return
			}
		}
		s.note(k, p, inspect.Suspected, false, "")
	case idWeak:
		if f.kind == "imei" || f.kind == "email" || f.kind == "mac" {
			s.unnamed(r, p, d, context)
			return
		}
		if len(d) == 16 && isAndroidForm(p, d) && s.commanded(r, context) {
			s.note(idAndroid, p, inspect.Suspected, false, "")
			return
		}
		if !isUUID(f) && !(f.kind == "hex64" || f.kind == "hex" && f.bits >= 128) {
			return
		}
		switch p.Name {
		case "uuid", "guid", "UUID", "GUID", "unid", "uniquekey":
			c := context()
			if c&(ctxMessage|ctxEvent|ctxShop|ctxCall) == 0 && (c&(ctxDevice|ctxUser) != 0 || p.Parent == nil) {
				s.note(k, p, inspect.Suspected, false, "")
			}
		}
	}
}

// isAndroidForm says that a field named id holds 16 hexadecimal digits, among
// them letters, in the outermost object of a body.
func isAndroidForm(p *inspect.Part, d []byte) bool {
	return (p.Name == "id" || p.Name == "ID" || p.Name == "Id" || p.Name == "_id" || p.Name == "uuid") && p.Parent != nil && p.Group == "" && isHexDigits(d) && hasLetter(d) && hasDigit(d) && !inHeader(p)
}

// reportWords are names of what is taken from a phone and told with its id.
var reportWords = newLexicon(map[bool]string{true: `apk apks apps applist log logs cmd command cam camera jpg screenshot keys keylog bot botid sms smslist calls calllog contacts contactlist accounts gps wifi sim imei battery country operator root admin perms permissions keylogger inject injects notif notifications clipboard mic audio files sdcard heartbeat lastseen online`})

// commanded says that beside an id stands what describes a phone or was taken
// from one.
func (s *identifiers) commanded(r inspect.Record, context func() ctxFlags) bool {
	c := context()
	if c&(ctxShop|ctxCall|ctxMessage|ctxOAuth) != 0 {
		return false
	}
	for _, f := range r.Fields {
		switch strings.ToLower(f.Name) {
		case "parentid", "parent_id", "traceid", "trace_id", "spanid", "title", "name", "url", "content":
			return false
		}
	}
	for _, f := range r.Fields {
		if reportWords.of(f.Name) {
			return true
		}
	}
	return c&ctxDevice != 0 && c&ctxEvent == 0
}

// isHashName says that a name says how a value was made and not of what:
// sha256Hash.
func isHashName(name string) bool {
	var buf [maxName]byte
	var starts [maxWords]uint8
	end, n := split(&buf, &starts, name)
	for i := n - 1; i >= 0; i-- {
		if !writings[string(buf[starts[i]:end])] {
			return false
		}
		end = int(starts[i])
	}
	return n > 0
}

// account weighs what is named like the account of the user.
func (s *identifiers) account(t *inspect.Tree, r inspect.Record, p *inspect.Part, d []byte, f form, opaque bool, n idName, context func() ctxFlags) {
	switch {
	case f.kind == "email":
		s.email(t, r, p, d, inspect.Probable, context)
		return
	case f.kind == "time" && len(d) < 16:
		return
	case p.Name == "sub" && p.Parent != nil && inHeader(p):
		return // of a bearer token, on its way to its own service
	case p.Parent == nil && p.Decoder() == "request.header" && !containsFold(p.Name, "user") && !containsFold(p.Name, "uid") && !containsFold(p.Name, "member"):
		return // who made the app, to a service that it pays for
	}
	if context()&ctxEvent == 0 && s.several(p) {
		return // of several people or things
	}
	digits := allDigits(d)
	hashed := isHashForm(d, f)
	loose := isWholeWord(p.Name) || len(p.Name) <= 3 && !strings.EqualFold(p.Name, "uid")
	switch {
	case loose && digits && len(d) < 8:
	case opaque, digits && len(d) >= 5:
		s.note(idAccount, p, inspect.Probable, hashed && n.hashed, "")
	case loose && isDashed(d, 9, 18):
		s.note(idAccount, p, inspect.Suspected, false, "")
	case loose:
	case digits && len(d) >= 2, isHandle(d) && len(d) >= 3:
		s.note(idAccount, p, inspect.Suspected, false, "")
	}
}

func (s *identifiers) email(t *inspect.Tree, r inspect.Record, p *inspect.Part, d []byte, c inspect.Confidence, context func() ctxFlags) {
	if s.stranger(t, r, p, context) {
		return
	}
	s.count(idEmail, p, bytes.ToLower(d))
	s.note(idEmail, p, c, false, "")
}

func (s *identifiers) count(k idKind, p *inspect.Part, d []byte) {
	who := person{k, bareName(p.Name), string(d)}
	if s.people == nil {
		s.people, s.many, s.first = make(map[person]bool), make(map[person]int), make(map[person]*inspect.Part)
	}
	if len(s.people) < 64 && !s.people[who] {
		s.people[who] = true
		name := person{kind: k, name: who.name}
		// Two in different objects are one person's at two times: traits before
		// and after.
		if first := s.first[name]; first == nil || first.Parent != p.Parent || sameShape(first.Group, p.Group) || s.many[name] > 1 {
			s.many[name]++
		}
		if s.first[name] == nil {
			s.first[name] = p
		}
	}
}

// sameShape says that two places differ in nothing but numbers: those of the
// elements of lists, or of the fields of messages.
func sameShape(a, b string) bool {
	next := func(s string) (c byte, rest string) {
		for len(s) > 0 {
			if c := s[0]; c-'0' >= 10 && c != '[' && c != ']' {
				return c, s[1:]
			}
			s = s[1:]
		}
		return 0, ""
	}
	for {
		var x, y byte
		x, a = next(a)
		y, b = next(b)
		if x != y || x == 0 {
			return x == y
		}
	}
}

// bareName returns the last word of a name without digits: phone of phone0 and
// of items[0][phone].
func bareName(name string) string {
	var buf [maxName]byte
	return strings.TrimRight(string(squeeze(&buf, name)), "0123456789")
}

// stranger says that an address or a number is likely somebody else's: it stands
// in a message, a call or an entry of the address book, or among many.
func (s *identifiers) stranger(t *inspect.Tree, r inspect.Record, p *inspect.Part, context func() ctxFlags) bool {
	if isOwn(p.Name) {
		return s.several(p)
	}
	c := context()
	phone := nameOf(s.names, p).kind == idPhone
	switch {
	case phone && c&(ctxMessage|ctxCall) != 0, c&ctxContact != 0:
		return true
	}
	var buf [maxName]byte
	w := container(&buf, p)
	for i, word := range strangers {
		if (phone || i < strangersOfAll) && bytes.Contains(w, []byte(word)) {
			return true
		}
	}
	if phone && s.several(p) {
		return true
	}
	if phone && len(r.Fields) <= 3 {
		for _, word := range []string{"presence", "lookup", "exist", "discover", "search", "find", "contact", "invite", "query", "friend"} {
			if strings.Contains(strings.ToLower(t.Subject.Path), word) {
				return true
			}
		}
	}
	return false
}

// isOwn says that a name speaks of the user: self_phone, myNumber.
func isOwn(name string) bool {
	var buf [maxName]byte
	var starts [maxWords]uint8
	_, n := split(&buf, &starts, name)
	if n < 2 {
		return false
	}
	switch string(buf[:starts[1]]) {
	case "self", "own", "my", "mine", "owner", "line1", "sim", "sim1", "sim2", "device", "local", "host":
		return true
	}
	return false
}

// strangers are parts of names of lists in which numbers are somebody else's;
// the first of them say so of addresses, too.
var strangers = []string{
	"recipient", "friend", "peer", "callee", "participant", "guest", "attendee", "addressbook", "merchant", "seller", "invite", "sender", "receiver",
	"contact", "people", "entries", "rows", "phones", "numbers", "store", "shop", "members", "guardian", "relative",
}

const strangersOfAll = 13

// several says that the name of p stands in several records of one list, or
// several times in an array, with different values.
func (s *identifiers) several(p *inspect.Part) bool {
	if p.Parent == nil || p.Name == "" {
		return false
	}
	key := nameIn{p.Parent, p.Name}
	if many, ok := s.lists[key]; ok {
		return many
	}
	if len(s.lists) == 64 {
		return true
	}
	many := false
	for _, q := range p.Parent.Children {
		if q.Name == p.Name && q != p && len(q.Data) > 1 && !bytes.Equal(q.Data, p.Data) && (q.Group != p.Group && listOf(q.Group) == listOf(p.Group) && q.Group != "" || q.Group == p.Group && strings.HasSuffix(string(p.Path), "]")) {
			many = true
			break
		}
	}
	if s.lists == nil {
		s.lists = make(map[nameIn]bool)
	}
	s.lists[key] = many
	return many
}

// unnamed weighs a value whose name says nothing.
func (s *identifiers) unnamed(r inspect.Record, p *inspect.Part, d []byte, context func() ctxFlags) {
	if len(d) < 8 || len(d) > 64 {
		return
	}
	switch d[0] {
	case 'I', 'i', 'M', 'm', 'u':
		if k := schemed(d); k != idNone {
			s.note(k, p, inspect.Probable, false, "form")
			return
		}
	case '3', '8', '0', '9', '4':
		if len(d) == 15 && allDigits(d) && isIMEI(d) && string(d[:2]) != "49" && string(d[:2]) != "45" && idThing(p.Name)&^ofOther == 0 {
			s.note(idIMEI, p, inspect.Suspected, false, "form")
			return
		}
		if (len(d) == 19 || len(d) == 20) && d[0] == '8' && d[1] == '9' && allDigits(d) && luhn(d) && idThing(p.Name) == 0 {
			s.note(idICCID, p, inspect.Suspected, false, "form")
			return
		}
	}
	if len(d) == 17 && (d[2] == ':' || d[2] == '-') {
		f := macForm(d)
		if f.kind == "mac" && context()&ctxWifi == 0 && !isWifiName(p.Name) {
			if first := unhex(d[0])<<4 | unhex(d[1]); first&3 == 0 && !s.several(p) {
				s.note(idMAC, p, inspect.Suspected, false, "form")
			}
		}
		return
	}
	if i := bytes.IndexByte(d, '@'); i > 0 && isEmail(d) && ascii(d) && formOf(d).kind == "email" {
		if idThing(p.Name)&ofOther != 0 || context()&ctxMessage != 0 && context()&ctxUser == 0 {
			return
		}
		if k := ctxWords.of(p.Name); k&ctxMessage != 0 {
			return
		}
		s.count(idEmail, p, bytes.ToLower(d))
		s.note(idEmail, p, inspect.Suspected, false, "form")
	}
}

// schemed takes a number behind the name of its kind, as device management
// (OMA-ERELDDM 1.2, DevId) and RFC 7254 write it.
func schemed(d []byte) idKind {
	i := bytes.LastIndexByte(d, ':')
	if i < 4 || i > 16 {
		return idNone
	}
	value := d[i+1:]
	digits := bytes.ReplaceAll(value, []byte("-"), nil)
	switch strings.ToLower(string(d[:i])) {
	case "imei", "urn:imei", "urn:gsma:imei", "tac":
		if len(digits) >= 14 && len(digits) <= 16 && allDigits(digits) && !isConstant(digits) {
			return idIMEI
		}
	case "meid", "urn:meid":
		if len(digits) == 14 && isHexDigits(digits) {
			return idMEID
		}
	case "imsi":
		if (len(digits) == 15 || len(digits) == 14) && allDigits(digits) {
			return idIMSI
		}
	}
	return idNone
}

// idThing says of what a name is, by any of its words.
func idThing(name string) (flags wordFlags) {
	var buf [maxName]byte
	var starts [maxWords]uint8
	end, n := split(&buf, &starts, name)
	for i := n - 1; i >= 0; i-- {
		flags |= frontWords.word(buf[starts[i]:end])
		end = int(starts[i])
	}
	return flags
}

func isWifiName(name string) bool {
	for _, w := range []string{"bssid", "wifi", "router", "gateway", "ap"} {
		if containsFold(name, w) {
			return true
		}
	}
	return false
}

func unhex(c byte) byte {
	switch {
	case c-'0' < 10:
		return c - '0'
	case c|0x20-'a' < 6:
		return c | 0x20 - 'a' + 10
	}
	return 0
}

// userAgent looks for a number in the product comments.
func (s *identifiers) userAgent(p *inspect.Part) {
	for w := range agentWords(p.Data) {
		f := formOf(w)
		if !f.isNumber() || f.kind == "hex" && len(w) == 40 { // a revision
			continue
		}
		k := idDevice
		switch f.kind {
		case "imei":
			k = idIMEI
		case "mac":
			k = idMAC
		}
		if s.found[k].part == nil {
			s.note(k, p, inspect.Suspected, false, "agent")
			at := bytes.Index(p.Data, w)
			s.found[k].start, s.found[k].end = at, at+len(w)
		}
		return
	}
}

// pathWords are segments of a path behind which the id of a phone or its user
// stands.
var pathWords = newLexicon(map[idKind]string{
	idDevice:       `device devices deviceid phones handset terminal machines`,
	idAccount:      `user users account accounts userid uid customers customer members member profiles profile people players player subscribers subscriber contacts`,
	idInstallation: `installation installations installs install instance instances clients client anonymous visitors visitor distinct`,
	idIMEI:         `imei`,
	idAdvertising:  `idfa gaid aaid adid oaid`,
	idAndroid:      `androidid`,
	idPhone:        `msisdn`,
})

func (s *identifiers) path(p *inspect.Part) {
	var before []byte
	at := 0
	for segment := range bytes.SplitSeq(p.Data, []byte("/")) {
		start := at
		at += len(segment) + 1
		var buf [maxName]byte
		if len(segment) >= 6 && len(before) > 0 && len(before) < 32 {
			k := pathWords.word(squeeze(&buf, string(before)))
			f := formOf(segment)
			digits := allDigits(segment)
			ok := false
			switch k {
			case idNone:
			case idPhone:
				ok = isPhone(segment)
			case idAccount:
				ok = isUUID(f) || f.kind == "email" || f.kind == "objectid" || f.kind == "hex" && f.bits >= 96 || f.kind == "hex64" || digits && len(segment) >= 6 || f.kind == "token" && f.bits >= 96
			default:
				ok = f.kind != "" && f.kind != "time" && f.kind != "digits" || digits && len(segment) >= 8 && f.kind != "time"
			}
			if ok && s.found[k].part == nil {
				s.note(k, p, inspect.Suspected, false, "path")
				s.found[k].start, s.found[k].end = start, start+len(segment)
			}
		}
		before = segment
	}
}

func inHeader(p *inspect.Part) bool {
	return strings.HasPrefix(string(p.Path), "request.header:") || strings.HasPrefix(string(p.Path), "request.cookie:")
}

func isUUID(f form) bool { return strings.HasPrefix(f.kind, "uuid") }

// isHashForm says that d has the length of a hash in hexadecimal or base64.
func isHashForm(d []byte, f form) bool {
	switch f.kind {
	case "hex", "hex64":
		switch len(d) {
		case 16, 32, 40, 56, 64, 96, 128:
			return true
		}
	case "token":
		switch len(bytes.TrimRight(d, "=")) {
		case 16, 22, 27, 43, 86:
			return true
		}
	}
	return false
}

// isDashed says that d is a number of least to most digits written in groups.
func isDashed(d []byte, least, most int) bool {
	n := 0
	for _, c := range d {
		switch {
		case c-'0' < 10:
			n++
		case c != '-' && c != ' ' && c != '/' && c != '.':
			return false
		}
	}
	return n >= least && n <= most
}

func isPhone(d []byte) bool {
	if len(d) < 7 || len(d) > 22 {
		return false
	}
	n := 0
	for i, c := range d {
		switch {
		case c-'0' < 10:
			n++
		case c == '+' && i <= 1, c == ' ', c == '-', c == '(', c == ')', c == '.', c == '*':
		default:
			return false
		}
	}
	return n >= 7 && n <= 15 && !isConstant(d) && !looksLikeDate(d) && !(n == 13 && isTimeNumber(d))
}

// isNothing says that a value stands for none.
func isNothing(d []byte) bool {
	if len(d) == 0 || len(d) > 1 && isConstant(d) || len(d) == 17 && (d[2] == ':' || d[2] == '-') && isEmptyMAC(d) {
		return true
	}
	if d[0] == '{' && d[len(d)-1] == '}' && len(d) != 38 || d[0] == '$' || d[0] == '<' || d[0] == '[' || d[0] == '%' {
		return true // a template
	}
	var buf [16]byte
	low := append(buf[:0], d[:min(len(d), len(buf))]...)
	for i, c := range low {
		if c >= utf8.RuneSelf {
			low = bytes.ToLower(low)
			break
		}
		if c-'A' < 26 {
			low[i] += 'a' - 'A'
		}
	}
	switch string(low) {
	case "null", "none", "nil", "unknown", "undefined", "n/a", "na", "default", "anonymous", "guest", "true", "false", "-1", "0", "test", "web", "android", "ios", "nan", "unavailable", "empty", "me", "self", "current", "00000000-0000-00", "unset", "(null)", "denied", "disabled", "not_available":
		return true
	}
	return false
}

// isHandle says that d is one word as users and devices are named.
func isHandle(d []byte) bool {
	if len(d) < 3 || len(d) > 128 {
		return false
	}
	for _, c := range d {
		if charOf[c]&(chDigit|chLower|chUpper|chURL) == 0 && c != '.' && c != ':' && c != '=' && c != '+' && c != '|' && c != '$' && c < 0x80 {
			return false
		}
	}
	return true
}

func isSerial(d []byte) bool {
	if len(d) < 6 || len(d) > 40 || !hasDigit(d) {
		return false
	}
	for _, c := range d {
		if charOf[c]&(chDigit|chLower|chUpper) == 0 && c != '-' && c != '/' && c != '_' && c != ':' {
			return false
		}
	}
	return true
}

// isGA takes two numbers of about ten digits with a full stop, as counters of
// visitors write a random number and a time.
func isGA(d []byte) bool {
	a, b, ok := bytes.Cut(d, []byte("."))
	if ok && len(a) == 3 && a[0] == 'G' { // GA1.2.
		if _, b, ok = bytes.Cut(b, []byte(".")); ok {
			a, b, ok = bytes.Cut(b, []byte("."))
		}
	}
	return ok && len(a) >= 6 && len(b) >= 6 && len(a) <= 20 && len(b) <= 20 && allDigits(a) && allDigits(b)
}

func isClientName(name string) bool {
	var buf [maxName]byte
	w := string(squeeze(&buf, name))
	return w == "clientid" || w == "clientuuid" || w == "clientidentifier" || w == "applicationclientid"
}

func isShortAd(name string) bool {
	var buf [maxName]byte
	switch string(squeeze(&buf, name)) {
	case "adid", "adsid", "ifa", "rdid", "maid", "ifv", "gpid", "oa", "advertiserid", "advertid", "advertiseid":
		return true
	}
	return false
}

// isWholeWord says that the name is a noun that may well hold something else
// than an identifier.
func isWholeWord(name string) bool {
	if isDeviceNoun.of(name) {
		return true
	}
	switch name {
	case "device", "user", "account", "unique", "distinct", "visitor", "fingerprint", "mi", "sub", "ga", "hid", "eid", "acct", "User", "Device", "Account":
		return true
	}
	return false
}

const (
	maxLoose     = 64       // texts of names and values in one tree
	longestLoose = 64 << 10 // bytes of one
	looseRows    = 20       // of a table
)

// looseRecords makes records of a text that no decoder takes apart: a table with
// the names of its columns in the first line (RFC 4180), or names with values
// behind "=" or ":" between separators. The fields have the path of the text.
func looseRecords(p *inspect.Part) []inspect.Record {
	d := p.Data
	if bytes.HasPrefix(d, []byte("BEGIN:")) {
		return nil // entries of address books, messages with their senders
	}
	if len(d) > longestLoose || d[0] == '<' || d[0] == '{' || d[0] == '[' && charOf[d[1]]&(chLower|chUpper) == 0 || p.Parent == nil && p.Decoder() == "request.path" || alike[p.Name] && p.Parent == nil {
		return nil
	}
	first, rest, lines := bytes.Cut(d, []byte("\n"))
	if len(first) > 4096 {
		return nil
	}
	if lines {
		for _, separator := range []byte(",;\t|") {
			n := bytes.Count(first, []byte{separator})
			if n < 1 || n > 100 {
				continue
			}
			second, _, _ := bytes.Cut(rest, []byte("\n"))
			if bytes.Count(second, []byte{separator}) < n || !areNames(first, separator) {
				continue
			}
			return tableRecords(p, first, rest, separator)
		}
	}
	return pairRecords(p)
}

// areNames says that a line can be the names of columns.
func areNames(line []byte, separator byte) bool {
	for name := range bytes.SplitSeq(bytes.TrimSpace(line), []byte{separator}) {
		name = bytes.Trim(name, " \"\r\xef\xbb\xbf")
		if len(name) > 48 || len(name) == 0 || name[0]-'0' < 10 || bytes.ContainsAny(name, "=<>{}@/\\") {
			return false
		}
	}
	return true
}

func tableRecords(p *inspect.Part, head, rest []byte, separator byte) []inspect.Record {
	var names []string
	for name := range bytes.SplitSeq(bytes.TrimSpace(head), []byte{separator}) {
		names = append(names, string(bytes.Trim(name, " \"\r\xef\xbb\xbf")))
	}
	var out []inspect.Record
	for line := range bytes.SplitSeq(rest, []byte("\n")) {
		if len(out) == looseRows {
			break
		}
		values := bytes.Split(bytes.TrimRight(line, "\r"), []byte{separator})
		if len(values) != len(names) {
			continue
		}
		r := inspect.Record{Parent: p, Direction: p.Direction}
		for i, v := range values {
			r.Fields = append(r.Fields, looseField(p, names[i], bytes.Trim(v, " \"")))
		}
		out = append(out, r)
	}
	return out
}

func pairRecords(p *inspect.Part) []inspect.Record {
	d := p.Data
	if bytes.IndexByte(d, '=') < 0 && bytes.IndexByte(d, ':') < 0 {
		return nil
	}
	var separator byte
	for _, c := range []byte("\n;|&\t,^#~") {
		if n := bytes.Count(d, []byte{c}); n >= 1 && n <= 400 {
			separator = c
			break
		}
	}
	if separator == 0 {
		return spokenRecords(p)
	}
	signs := "=:"
	if separator == '~' {
		signs = "=:."
	}
	r := inspect.Record{Parent: p, Direction: p.Direction}
	pieces := 0
	for piece := range bytes.SplitSeq(d, []byte{separator}) {
		piece = bytes.TrimSpace(piece)
		if len(piece) == 0 {
			continue
		}
		if piece[0] == '[' && piece[len(piece)-1] == ']' {
			continue // the head of a section
		}
		pieces++
		i := bytes.IndexAny(piece, signs)
		if i < 1 || i > 48 || i+1 == len(piece) {
			continue
		}
		name := bytes.TrimRight(piece[:i], " \t")
		if bytes.ContainsAny(name, " /@<>\"") && piece[0] != '"' || bytes.IndexByte(piece[i+1:], '=') >= 0 && bytes.IndexByte(piece[i+1:], ' ') > 0 {
			continue
		}
		r.Fields = append(r.Fields, looseField(p, string(bytes.Trim(name, " \"'")), bytes.Trim(piece[i+1:], " \"'")))
	}
	if len(r.Fields) < 2 || 3*len(r.Fields) < 2*pieces {
		return spokenRecords(p)
	}
	return []inspect.Record{r}
}

// maxSpoken bounds the names with values that are taken out of one text.
const maxSpoken = 128

// isLog says that p may be what a program wrote: a body or a file, or a field
// that is named for one. What people write speaks of codes and numbers, too.
func isLog(p *inspect.Part) bool {
	if p.Kind == inspect.Bytes {
		return !bytes.HasPrefix(p.Data, []byte("BEGIN:V"))
	}
	return logNames.of(p.Name)
}

var logNames = newLexicon(map[bool]string{true: `log logs logline loglines logcat line lines trace stack stacktrace detail details debug debuginfo diagnostics report dump output stdout stderr crashlog d data info extra payload params sysinfo deviceinfo`})

// spokenRecords makes a record of the names with values in a text of words, such
// as the lines of a log: "… registering imei=356938035643809 …". The sign
// between the two is "=", or ":" with no space behind it.
func spokenRecords(p *inspect.Part) []inspect.Record {
	d := p.Data
	if len(d) > longestLoose || !isPrintable(d) || !isLog(p) {
		return nil
	}
	r := inspect.Record{Parent: p, Direction: p.Direction}
	for at := 0; len(r.Fields) < maxSpoken; {
		i := bytes.IndexAny(d[at:], "=:")
		if i < 0 {
			break
		}
		i += at
		at = i + 1
		start := i
		for start > 0 && i-start <= maxName && (charOf[d[start-1]]&(chDigit|chLower|chUpper|chURL) != 0 || d[start-1] == '.') {
			start--
		}
		if i-start < 2 || i-start > maxName || i+3 >= len(d) || d[i+1] == ' ' || d[i+1] == '/' || start > 0 && (d[start-1] == '/' || d[start-1] == '@') {
			continue
		}
		value := d[i+1:]
		if q := value[0]; q == '"' || q == '\'' {
			end := bytes.IndexByte(value[1:min(len(value), longestValue)], q)
			if end < 1 {
				continue
			}
			value = value[1 : 1+end]
		} else {
			end := 0
			for end < len(value) && end < longestValue && value[end] > ' ' && bytes.IndexByte([]byte(`,;|&"')}]>`), value[end]) < 0 {
				end++
			}
			value = value[:end]
		}
		at += len(value)
		if len(value) >= 2 {
			r.Fields = append(r.Fields, looseField(p, string(d[start:i]), value))
		}
	}
	if len(r.Fields) == 0 {
		return nil
	}
	return []inspect.Record{r}
}

// told looks for numbers in a text of words that their form gives away, and for
// the address of somebody who signed in.
func (s *identifiers) told(p *inspect.Part) {
	d := p.Data
	if len(d) > longestLoose || bytes.HasPrefix(d, []byte("BEGIN:")) {
		return
	}
	holds := p.Holds()
	// Digits: an IMEI has 15, an ICCID 19 or 20.
	run := 0
	for i := 0; i <= len(d) && holds&inspect.Digits != 0; i++ {
		if i < len(d) && d[i]-'0' < 10 {
			run++
			continue
		}
		if n := run; n == 15 || n == 19 || n == 20 {
			w := d[i-n : i]
			if (i == n || charOf[d[i-n-1]]&(chLower|chUpper|chURL) == 0 && d[i-n-1] != '.') && (i == len(d) || charOf[d[i]]&(chLower|chUpper|chURL) == 0 && d[i] != '.') {
				k := idNone
				switch {
				case n == 15 && isIMEI(w) && (w[0] == '3' || w[0] == '8' || string(w[:2]) == "01"):
					k = idIMEI
				case n > 15 && w[0] == '8' && w[1] == '9' && luhn(w):
					k = idICCID
				}
				if k != idNone && s.found[k].part == nil {
					s.note(k, p, inspect.Suspected, false, "form")
					s.found[k].start, s.found[k].end = i-n, i
				}
			}
		}
		run = 0
	}
	if holds&inspect.Ats == 0 {
		return
	}
	for i := bytes.IndexByte(d, '@'); i > 0 && i < len(d)-4; {
		// A second sign ends both ways: a text of nothing else must not be read again
		// for each of them.
		start, end := i, i+1
		for start > 0 && i-start < 64 && d[start-1] != '@' && d[start-1] > ' ' && d[start-1] < 0x7f && bytes.IndexByte([]byte(`=:<>()"',;|[]{}`), d[start-1]) < 0 {
			start--
		}
		for end < len(d) && end-i < 254 && d[end] != '@' && d[end] > ' ' && bytes.IndexByte([]byte(`<>()"',;|[]{}`), d[end]) < 0 {
			end++
		}
		several := start > 0 && i-start < 64 && d[start-1] == '@' || end < len(d) && end-i < 254 && d[end] == '@'
		if w := bytes.TrimRight(d[start:end], "."); !several && isEmail(w) && signedIn(d[max(0, start-24):start]) && s.found[idEmail].part == nil {
			s.note(idEmail, p, inspect.Suspected, false, "form")
			s.found[idEmail].start, s.found[idEmail].end = start, start+len(w)
			return
		}
		next := bytes.IndexByte(d[i+1:], '@')
		if next < 0 {
			return
		}
		i += 1 + next
	}
}

// signedIn says that what stands in front of an address is about whose account
// it is.
func signedIn(d []byte) bool {
	d = bytes.ToLower(bytes.TrimRight(d, " =:\"'<("))
	for _, w := range []string{"signed in as", "logged in as", "login", "user", "account", "userid", "username", "account for", "email", "sign in", "as user"} {
		if bytes.HasSuffix(d, []byte(w)) {
			return true
		}
	}
	return false
}

func looseField(p *inspect.Part, name string, value []byte) *inspect.Part {
	kind := inspect.Text
	if _, ok := number(value); ok {
		kind = inspect.Number
	}
	return &inspect.Part{Path: p.Path, Direction: p.Direction, Data: value, Name: name, Kind: kind, Depth: p.Depth + 1, Parent: p}
}

// lowerIdeographs puts a name in small letters if it has others than those of
// ASCII, and words of Latin letters without their accents.
func lowerIdeographs(name string) string {
	if len(name) > 2*maxName || ascii([]byte(name)) {
		return name
	}
	words := strings.FieldsFunc(name, func(r rune) bool { return r < 0x80 && !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	for i, w := range words {
		words[i] = folded(w)
	}
	return strings.Join(words, "_")
}
