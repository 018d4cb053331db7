package detect

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"unicode/utf8"

	"constat/inspect"
	"constat/proxy/flow"
)

// Credentials recognises what lets somebody else log in: passwords, PINs,
// one-time codes, private keys, and tokens that renew a log-in.
//
// Session cookies and bearer tokens are on their way to the service that gave
// them out, and the keys of an app are in every copy of it: neither counts.
var Credentials = inspect.Detector{
	Name:   "credentials",
	Class:  inspect.Credentials,
	Doc:    "looks for passwords, PINs, one-time codes, private keys and tokens that renew a log-in",
	Detect: detectCredentials,
}

// secret is a family of field names.
type secret uint8

const (
	secretNone secret = iota
	secretPassword
	secretPass // perhaps one
	secretPIN
	secretOTP
	secretCode // perhaps a one-time code
	secretRefresh
	secretKey
	secretSeed
	secretWifi
	secretCount
)

var secretLabels = [secretCount]string{
	secretPassword: "a password", secretPass: "a password", secretPIN: "a PIN", secretOTP: "a one-time code", secretCode: "a one-time code",
	secretRefresh: "a token that renews a log-in", secretKey: "a private key", secretSeed: "the words that restore a wallet", secretWifi: "the password of a Wi-Fi network",
}

var secretWords = newPhrases(map[secret]string{
	secretPassword: `passcode kennwort motdepasse mdp contrasena contraseña senha wachtwoord parola haslo hasło heslo пароль 密码 mima sandi katasandi sifre şifre salasana lozinka jelszo losenord lösenord adgangskode clave claveacceso contraseñaactual palavrapasse tajnehaslo parol пассворд парол गुप्त كلمةالمرور كلمةالسر パスワード 비밀번호 密碼 登录密码 passwordhash shenfen userpasswd loginpasswd denglumima matkhau lockpattern unlockpattern gesturepassword screenlock palabraclave parolachiave codeacces codedacces geslo fjalekalimi zaporka passwort pswd pwd pswrd pword userpw loginpw j_password passwordverifier srpverifier passwordsecret contrasenya pasahitza jelszó lozinke sapadi slaptazodis parool salasona wagwoord pasfhocal netpassword`,
	secretPass:     `hash pass pw psw secret passphrase pasw`,
	secretPIN:      `pin mpin upin userpin tpin pinlama pinbaru pinactual pinnuevo pinanterior nuevopin pinatual pinnovo novopin ancienpin nouveaupin altepin neuepin starypin novypin`,
	secretOTP:      `otp totp vcode yzm 验证码 sms2fa mfa 2fa otac`,
	secretCode:     `code token verification checkcode authcode confirmationcode securitycode vericode confirmation`,
	secretRefresh:  `refresh passtoken rememberme remembertoken autologin rmtoken persistentlogin`,
	secretKey:      `privkey sk xprv wif`,
	secretSeed:     `phrase words recovery mnemonic seed seedwords backupwords recoveryseed`,
	secretWifi:     `psk wpakey wepkey`,
}, map[secret]string{
	secretPassword: `password passwd pwd passwort passcode userpass userpassword loginpassword ftppass ftppwd dbpass imappass smtppass mailpass adminpass rootpass vpnpass proxypass apppass pass2 motdepasse wachtwoord contrasena contraseña senha`,
	secretPIN:      `pincode pin mpin`,
	secretOTP:      `otp otpcode onetimecode onetimepassword onetimepasscode smscode verificationcode verifycode mfacode totpcode twofactorcode 2facode smsotp otptoken otpvalue validationcode loginotp logincode tfacode twofacode phonecode emailcode smstoken authenticatorcode codigoverificacion codeverification codedeverification bestaetigungscode bestatigungscode codigosms codeotp kodotp pinsms verifizierungscode codigodeverificacao mtan smstan tan yanzhengma captchasms mfatoken onetimepass backupcode recoverycode`,
	secretRefresh:  `refreshtoken renewtoken renewaltoken offlinetoken autologintoken longlivedtoken remembermetoken keeplogintoken refreshjwt longtoken`,
	secretKey:      `privatekey secretaccesskey privatekeypem pemkey sshkey privkey`,
	secretSeed:     `mnemonicphrase seedphrase recoveryphrase secretphrase walletphrase`,
	secretWifi:     `presharedkey wpapassphrase wifipassword wifipwd wifikey wifipass networkpassword`,
})

// secretIdeographs are parts of names in scripts of other languages.
var secretIdeographs = []struct {
	word string
	of   secret
}{
	{"кодизсмс", secretOTP},
	{"кодсмс", secretOTP},
	{"смскод", secretOTP},
	{"кодподтвержд", secretOTP},
	{"одноразов", secretOTP},
	{"кодпідтвердження", secretOTP},
	{"קודאימות", secretOTP},
	{"کدتایید", secretOTP},
	{"κωδικόςεπιβεβαίωσης", secretOTP},
	{"รหัสยืนยัน", secretOTP},
	{"รหัสotp", secretOTP},
	{"парола", secretPassword},
	{"лозинка", secretPassword},
	{"گذرواژه", secretPassword},
	{"رمزعبور", secretPassword},
	{"κωδικ", secretPassword},
	{"ססמ", secretPassword},
	{"验证码", secretOTP},
	{"驗證碼", secretOTP},
	{"动态码", secretOTP},
	{"校验码", secretOTP},
	{"認証コード", secretOTP},
	{"인증번호", secretOTP},
	{"인증코드", secretOTP},
	{"رمزالتحقق", secretOTP},
	{"ओटीपी", secretOTP},
	{"密码", secretPassword},
	{"密碼", secretPassword},
	{"口令", secretPassword},
	{"パスワード", secretPassword},
	{"暗証番号", secretPIN},
	{"비밀번호", secretPassword},
	{"암호", secretPassword},
	{"пароль", secretPassword},
	{"पासवर्ड", secretPassword},
	{"รหัสผ่าน", secretPassword},
	{"كلمة", secretPassword},
	{"סיסמ", secretPassword},
	{"κωδικός", secretPassword},
	{"mật", secretPassword},
}

type secretFound struct {
	part       *inspect.Part
	confidence inspect.Confidence
	reason     string
}

func detectCredentials(t *inspect.Tree) []inspect.Finding {
	var found [secretCount]secretFound
	note := func(k secret, p *inspect.Part, c inspect.Confidence, reason string) {
		if f := &found[k]; f.part == nil || c.Rank() > f.confidence.Rank() {
			*f = secretFound{p, c, reason}
		}
	}
	s := secretFields{names: secretNames.In(t), kinds: secretColumns.In(t)}
	for r, may := range upRecords(t, s.pick) {
		s.record(t, r, may, note)
	}
	for p := range upParts(t, mayBeSecret) {
		if isPrivateKey(p) {
			note(secretKey, p, inspect.Probable, "The value is a private key by the line that it begins with; who has it can act for its owner.")
		}
		switch {
		case len(p.Data) >= 12 && len(p.Data) <= longestSASL && p.Holds()&(inspect.UpperCase|inspect.Controls) != 0 && isPlain(p.Data):
			note(secretPassword, p, inspect.Probable, "The value is a user's name and a password as the mechanism PLAIN writes them (RFC 4616 section 2).")
		case len(p.Data) > 16 && p.Data[0] == 'W' && bytes.HasPrefix(p.Data, []byte("WIFI:")) && bytes.Contains(p.Data, []byte("P:")) && bytes.HasSuffix(bytes.TrimSpace(p.Data), []byte(";;")):
			note(secretWifi, p, inspect.Probable, "The value is the name and the password of a Wi-Fi network, as codes to scan hold them.")
		case len(p.Data) > 24 && p.Data[0] == 'o' && bytes.HasPrefix(p.Data, []byte("otpauth://")) && bytes.Contains(p.Data, []byte("secret=")):
			note(secretOTP, p, inspect.Probable, "The value is the secret that one-time codes are made of, as an otpauth: address.")
		case p.Parent != nil && p.Kind != inspect.Number && isBasic(p):
			note(secretPassword, p, inspect.Suspected, "The header Authorization carries a user's name and a password by the scheme Basic.")
		case len(p.Data) > 12 && p.Data[0]-'a' < 26 && hasUserinfo(p.Data):
			note(secretPassword, p, inspect.Suspected, "The address holds a user's name and a password in front of the host.")
		}
	}
	if p := calledLogin(t); p != nil {
		note(secretPassword, p, inspect.Suspected, "A procedure that is named for logging in is called with a name and one more text, in the place of a password.")
	}
	var out []inspect.Finding
	for k := range found {
		if f := found[k]; f.part != nil {
			out = append(out, inspect.Finding{Confidence: f.confidence, Direction: flow.Up, Path: f.part.Path, Reason: f.reason})
		}
	}
	return out
}

// calledLogin finds the second of the texts that a procedure named for logging in
// is called with, as JSON-RPC and XML-RPC call: {"method": "login", "params":
// ["camille", "…"]}.
func calledLogin(t *inspect.Tree) *inspect.Part {
	calls := 0
	docs := t.Documents()
	for i := range docs {
		d := &docs[i]
		if d.Parent == nil || !goesUp(d) || len(d.Parts) > 64 || !namesCall(d) && !ungated {
			continue
		}
		for _, r := range d.Records {
			if len(r.Fields) > 8 {
				continue
			}
			m := r.Field("method", "methodName", "action", "cmd", "op")
			if m == nil || len(m.Data) > 40 {
				continue
			}
			if calls++; calls > 16 {
				return nil
			}
			if p := passwordOfCall(m); p != nil {
				return p
			}
		}
	}
	return nil
}

// namesCall says that a field of d can say which procedure is called.
func namesCall(d *inspect.Document) bool {
	for i := range d.Columns {
		switch n := d.Columns[i].Name; len(n) {
		case len("method"), len("methodName"), len("cmd"), len("op"):
			switch n[0] | 0x20 {
			case 'm', 'a', 'c', 'o':
				return true
			}
		}
	}
	return false
}

// passwordOfCall returns the second of the texts that the procedure that m names is
// called with, nil when it is not named for logging in.
func passwordOfCall(m *inspect.Part) *inspect.Part {
	name := string(m.Data)
	if !containsFold(name, "login") && !containsFold(name, "authenticate") && !containsFold(name, "signin") && !containsFold(name, "logon") {
		return nil
	}
	var args []*inspect.Part
	for _, c := range m.Parent.Children {
		if (c.Name == "params" || c.Name == "args" || c.Name == "arguments" || c.Name == "string") && c.Group != m.Group && c.Kind <= inspect.Text {
			args = append(args, c)
		}
	}
	if len(args) != 2 && len(args) != 3 {
		return nil
	}
	p := args[len(args)-1]
	if len(args) == 3 && !isHandle(p.Data) {
		p = args[1]
	}
	if len(p.Data) < 4 || len(p.Data) > 64 || isHidden(p.Data) {
		return nil
	}
	return p
}

// mayBeSecret picks columns of private keys, of messages of SASL, and of addresses
// and texts that hold a secret, and whatever was taken out of another value.
func mayBeSecret(d *inspect.Document, may []bool) bool {
	some := false
	for i := range d.Columns {
		c := &d.Columns[i]
		holds := func(set inspect.Chars) bool { return c.Holds&set == set }
		switch {
		case d.Parent != nil && d.Parent.Decoder() == "scheme":
			may[i] = true
		case c.Max < 12:
		case holds(inspect.Hyphens|inspect.UpperCase) && hasText(c) && c.Max >= 64: // a private key
			may[i] = true
		case c.Holds&(inspect.UpperCase|inspect.Controls) != 0 && c.Min <= longestSASL: // PLAIN
			may[i] = true
		case holds(inspect.Colons) && c.Holds&(inspect.Slashes|inspect.Semicolons) != 0: // addresses
			may[i] = true
		}
		some = some || may[i]
	}
	return some
}

// secretColumn is what a name says of fields that can be a secret, beside what
// secretNames know.
type secretColumn uint8

const (
	colOTP    secretColumn = 1 << iota // the secret of one-time codes
	colInside                          // it says something in an object of some name
	colMarks                           // that a field of a form hides what is typed
	colTyped                           // what is typed
)

var secretColumns = inspect.NewNameFacts(func(name string) (c secretColumn) {
	if otpNames(name) {
		c |= colOTP
	}
	switch name {
	case "code", "value", "d":
		c |= colInside
	}
	switch name {
	case "isPassword", "is_password", "password", "isSecure", "secure", "secureTextEntry", "isSecureText", "passwordField", "isPasswordField", "is_secure", "masked",
		"field", "fieldName", "field_name", "inputName", "input_name", "control", "element", "viewId", "view_id", "resourceId", "resource_id", "widget",
		"type", "inputType", "input_type", "hint", "autocomplete", "autofill", "autofillHint", "kind", "fieldType":
		c |= colMarks
	case "value", "text", "val", "v", "content", "typed", "input", "keys", "data", "entered":
		c |= colTyped
	}
	return c
})

// secretFields looks for secrets by their names.
type secretFields struct {
	names  *inspect.Known[phrase[secret]]
	kinds  *inspect.Known[secretColumn]
	inside nesting
	typed  bool // in the document at hand a field of a form can hide what is typed
}

// pick picks columns that are called as secrets are, and documents with fields of
// forms.
func (s *secretFields) pick(d *inspect.Document, may []bool) bool {
	some, seen := false, secretColumn(0)
	for i := range d.Columns {
		c := &d.Columns[i]
		kind := s.kinds.OfColumn(c)
		seen |= kind
		may[i] = c.Max >= 3 && (s.names.OfColumn(c).of != secretNone || kind&(colOTP|colInside) != 0)
		some = some || may[i]
	}
	s.typed = seen&colMarks != 0 && seen&colTyped != 0
	return some || s.typed
}

// record looks at the fields of one record.
func (s *secretFields) record(t *inspect.Tree, r inspect.Record, may []bool, note func(secret, *inspect.Part, inspect.Confidence, string)) {
	var ctx secretContext
	names := s.names
	if may == nil || s.typed {
		typed(r, note)
	}
	if n := len(r.Fields); n >= 12 && n <= 24 && n%3 == 0 && r.Parent != nil && (may == nil || may[r.Fields[0].Column()]) && isArray(r) && lookSecret(r.Fields[0].Name).of == secretSeed && areSeedWords(fieldData(r)) {
		note(secretSeed, r.Fields[0], inspect.Probable, "The list holds the words that restore a wallet, by its name and their number; it went up to this host.")
	}
	for _, p := range r.Fields {
		if may != nil && !may[p.Column()] || p.Kind > inspect.Number || len(p.Data) < 3 || len(p.Data) > longestToken || p.Name == "" {
			continue
		}
		if p.Parent == nil && p.Decoder() != "request.header" && p.Decoder() != "request.cookie" {
			continue
		}
		if c := p.Data[0]; (c-'A' < 26 || c-'2' < 6) && len(p.Data) >= 16 && isOTPSecret(r, p, &s.inside) {
			note(secretOTP, p, inspect.Probable, "The field holds the secret that one-time codes are made of, beside their settings; it went up to this host.")
			continue
		}
		ph := names.Of(p)
		if p.Group != "" && (p.Name == "code" || p.Name == "value") {
			// {"securityCode": {"code": "…"}}
			var buf [maxName]byte
			switch around := names.OfBytes(container(&buf, p)).of; {
			case around == secretOTP, around == secretCode && p.Name == "code":
				if !ctx.known {
					ctx.read(t, r)
				}
				if ctx.login {
					ph.of = secretOTP
				}
			case around == secretPassword && p.Name == "value":
				ph.of = around
			}
		}
		if ph.of != secretNone && strings.HasPrefix(string(p.Path), "request.header:") && (formOf(p.Data).kind != "" || !isPrintable(p.Data) || containsFold(p.Name, "passcode")) && ph.of != secretOTP {
			continue // the key of an app
		}
		if ph.of == secretNone {
			if p.Name == "d" && isJWK(r) {
				note(secretKey, p, inspect.Probable, "The record is a private key in the form of RFC 7517: beside the public numbers it holds the secret one.")
			}
			continue
		}
		if ph.before&ofQuality != 0 && !isNewOrOld(p.Name) {
			continue
		}
		d := bytes.TrimSpace(p.Data)
		if len(d) < 3 || isHidden(d) || isTruth(d) || isNothing(d) && !allDigits(d) {
			continue
		}
		if !ctx.known {
			ctx.read(t, r)
		}
		weighSecret(t, r, p, d, ph, &ctx, note)
	}
}

var secretEnds = newEndings(map[secret]string{
	secretPassword: "password passwd", secretRefresh: "refreshtoken", secretOTP: "otpcode smscode verificationcode verifycode",
})

var secretNames = inspect.NewNameFacts(ifShort(lookSecret))

// lookSecret looks up a name.
func lookSecret(name string) phrase[secret] {
	name = lowerIdeographs(name)
	ph := secretWords.of(name)
	if ph.of == secretNone && !ascii([]byte(name)) {
		w := squeezeString(name)
		for _, x := range secretIdeographs {
			if strings.Contains(w, x.word) {
				ph.of = x.of
				return ph
			}
		}
	}
	if ph.of == secretNone && len(name) > 8 && !strings.ContainsAny(name, "_-. ") {
		var buf [maxName]byte
		if w := squeeze(&buf, name); len(w) > 0 {
			ph.of = secretEnds.of(w)
		}
	}
	return ph
}

// secretContext is what else a record holds.
type secretContext struct {
	known                                       bool
	user, login, address, oauth, ssid, refreshs bool
	// failed says that the record is about an error, whose code is none of these.
	failed bool
}

var loginWords = newFlags(map[ctxFlags]string{
	ctxUser:    `user username login email mail phone mobile account userid uid loginname usr uname identifier accountname phonenumber msisdn emailaddress useremail userlogin userphone loginid benutzer utilisateur usuario cpf handle nickname member memberid customer customerid`,
	ctxContact: `address city state street zip country postcode district lat lng latitude longitude postalcode area locality`,
	ctxOAuth:   `granttype clientid clientsecret`,
	ctxEvent:   `challenge challengeid verificationid sessionid requestid transactionid txnid otpid mfatoken ticket sid flowid smsid purpose scene action token deviceid verifyid`,
	ctxWifi:    `ssid wifissid networkname`,
	ctxMap:     `currency amount price coupon productid sku quantity lang language locale error message level status statuscode`,
})

func (c *secretContext) read(t *inspect.Tree, r inspect.Record) {
	c.known = true
	challenge := false
	for i, f := range r.Fields {
		if i > 256 {
			break
		}
		switch loginWords.of(f.Name) {
		case ctxUser:
			c.user = len(f.Data) > 1
		case ctxContact:
			c.address = true
		case ctxOAuth:
			c.oauth = true
			c.refreshs = c.refreshs || bytes.Equal(f.Data, []byte("refresh_token"))
		case ctxWifi:
			c.ssid = true
		case ctxEvent:
			challenge = true
		case ctxMap:
			switch squeezeString(f.Name) {
			case "status", "statuscode", "error", "message", "level":
				c.failed = true
			}
		}
	}
	path := strings.ToLower(t.Subject.Path)
	for _, w := range []string{"login", "signin", "sign-in", "sign_in", "logon", "auth", "verify", "otp", "register", "signup", "sign-up", "session", "password", "2fa", "mfa", "account", "confirm", "passport", "sms", "connexion", "anmeld", "connect", "identi", "entrar", "acceder", "challenge", "unlock", "denglu", "vhod", "giris", "acces"} {
		c.login = c.login || strings.Contains(path, w)
	}
	c.user = c.user || c.login && challenge
}

func weighSecret(t *inspect.Tree, r inspect.Record, p *inspect.Part, d []byte, ph phrase[secret], ctx *secretContext, note func(secret, *inspect.Part, inspect.Confidence, string)) {
	label := secretLabels[ph.of]
	say := func(k secret, both bool) {
		c, why := inspect.Suspected, fmt.Sprintf("The field %s holds, by its name, %s; it went up to this host.", quoted(p.Name), label)
		if both {
			c, why = inspect.Probable, fmt.Sprintf("The field %s holds, by its name and by what stands beside it, %s; it went up to this host.", quoted(p.Name), label)
		}
		if ph.hashed || k == secretPassword && isHexDigits(d) && (len(d) == 32 || len(d) == 40 || len(d) == 64 || len(d) == 128) {
			why = strings.TrimSuffix(why, "; it went up to this host.") + " as a hash, which serves as well as the password where it is asked for; it went up to this host."
		}
		note(k, p, c, why)
	}
	oneWord := bytes.IndexByte(d, ' ') < 0
	switch ph.of {
	case secretPassword:
		if len(d) > 1024 || !oneWord && len(d) > 64 || isURLish(d) {
			return
		}
		say(secretPassword, ctx.user || ctx.login || ctx.oauth)
	case secretPass:
		if strings.EqualFold(p.Name, "hash") {
			if n := len(d); ctx.user && ctx.login && isHexDigits(d) && (n == 32 || n == 40 || n == 64) {
				say(secretPassword, true)
			}
			return
		}
		if (ctx.user || ctx.ssid) && len(d) <= 256 && !ctx.address && p.Parent != nil && (p.Name != "secret" || ctx.login) {
			say(secretPassword, ctx.user && ctx.login)
		}
	case secretPIN:
		postal := strings.HasSuffix(strings.ToLower(p.Name), "code") && !ctx.login && !ctx.user && len(d) >= 5
		if ph.before&ofThing != 0 || containsFold(p.Name, "board") || containsFold(p.Name, "map") || containsFold(p.Name, "quiz") {
			return // of a game, a board, a map
		}
		if allDigits(d) && len(d) >= 4 && len(d) <= 12 && !ctx.address && !postal || ph.hashed && len(d) >= 32 {
			say(secretPIN, ctx.user || ctx.login)
		}
	case secretOTP:
		if isCode(d) {
			say(secretOTP, ctx.user || ctx.login)
		}
	case secretCode:
		if (allDigits(d) && len(d) >= 4 && len(d) <= 8) && ctx.user && ctx.login && !ctx.address && !ctx.failed && (p.Name != "token" || len(d) == 6) {
			say(secretOTP, false)
		}
	case secretRefresh:
		if len(d) >= 12 && oneWord {
			say(secretRefresh, ctx.oauth || ctx.refreshs || !ph.whole || len(d) >= 32)
		}
	case secretKey:
		if len(d) >= 24 && oneWord && (p.Name != "sk" && p.Name != "wif" || isSecretKeyForm(d)) && !bytes.HasPrefix(d, []byte("-----BEGIN PUBLIC")) {
			say(secretKey, len(d) >= 40)
		}
	case secretSeed:
		if areSeedWords(bytes.Fields(d)) {
			say(secretSeed, true)
		}
	case secretWifi:
		if len(d) >= 8 && len(d) <= 128 {
			say(secretWifi, ctx.ssid)
		}
	}
}

// typed looks at a record that is a field of a form, as keyboards and scripts
// write it down: {"type": "password", "text": "…"}.
func typed(r inspect.Record, note func(secret, *inspect.Part, inspect.Confidence, string)) {
	if len(r.Fields) < 2 || len(r.Fields) > 16 || r.Parent == nil {
		return
	}
	var value *inspect.Part
	hidden := false
	for _, p := range r.Fields {
		switch p.Name {
		case "isPassword", "is_password", "password", "isSecure", "secure", "secureTextEntry", "isSecureText", "passwordField", "isPasswordField", "is_secure", "masked":
			hidden = hidden || p.Kind == inspect.Bool && string(p.Data) == "true" || len(p.Data) == 1 && p.Data[0] == '1'
		case "field", "fieldName", "field_name", "inputName", "input_name", "control", "element", "viewId", "view_id", "resourceId", "resource_id", "widget":
			hidden = hidden || p.Kind == inspect.Text && namesPassword(p.Data)
		case "type", "inputType", "input_type", "hint", "autocomplete", "autofill", "autofillHint", "kind", "fieldType":
			switch string(p.Data) {
			case "password", "textPassword", "current-password", "new-password", "numberPassword", "TYPE_TEXT_VARIATION_PASSWORD":
				hidden = true
			}
		case "value", "text", "val", "v", "content", "typed", "input", "keys", "data", "entered":
			if value == nil || p.Name == "text" || p.Name == "value" {
				value = p
			}
		}
	}
	if hidden && value != nil && value.Kind <= inspect.Number && len(value.Data) >= 3 && len(value.Data) <= 64 && !isHidden(value.Data) && !isTruth(value.Data) && !isNothing(value.Data) && !namesPassword(value.Data) && bytes.Count(value.Data, []byte(" ")) <= 3 {
		note(secretPassword, value, inspect.Suspected, "The record is a field of a form that hides what is typed, with what was typed; it went up to this host.")
	}
}

// namesPassword says that the name of a field is that of a password, in whatever
// language, also behind the name of a package: com.example:id/password_input.
func namesPassword(d []byte) bool {
	if len(d) < 3 || len(d) > 80 {
		return false
	}
	if i := bytes.LastIndexByte(d, '/'); i >= 0 {
		d = d[i+1:]
	}
	for _, end := range []string{"", "_input", "_field", "_edit", "_text", "_et", "Input", "Field", "EditText", "Edit", "Text"} {
		if w, ok := bytes.CutSuffix(d, []byte(end)); ok && len(w) > 2 {
			if k := lookSecret(string(w)).of; k == secretPassword || k == secretPIN {
				return true
			}
		}
	}
	return false
}

// otpWords are names of what stands beside the secret of one-time codes, as the
// parameters of otpauth: addresses are called.
var otpWords = newLexicon(map[bool]string{true: `digits period issuer algorithm counter tokentype otptype otp totp hotp algo interval step digest`})

// otpNames says that a name is that of the secret of one-time codes, or can be.
func otpNames(name string) bool {
	switch squeezeString(name) {
	case "secret", "seed", "key", "otpsecret", "totpsecret", "sharedsecret", "secretkey", "otpseed", "totpkey", "authkey", "mfasecret", "totpseed", "otpkey", "secretbase32", "base32", "base32secret", "twofactorsecret", "totp", "otp":
		return true
	}
	return false
}

// isOTPSecret says that p holds a secret in base32 (RFC 4648 section 6) beside
// the settings of one-time codes (RFC 6238), in its own record or in one inside.
func isOTPSecret(r inspect.Record, p *inspect.Part, inside *nesting) bool {
	d := p.Data
	if len(d) < 16 || len(d) > 128 || p.Kind != inspect.Text || r.Parent == nil {
		return false
	}
	for _, c := range bytes.TrimRight(d, "=") {
		if c-'A' >= 26 && c-'2' >= 6 && c != ' ' {
			return false
		}
	}
	if !otpNames(p.Name) {
		return false
	}
	if w := squeezeString(p.Name); strings.Contains(w, "otp") || strings.Contains(w, "mfa") || strings.Contains(w, "factor") {
		return true
	}
	beside := 0
	for _, f := range r.Fields {
		if otpWords.of(f.Name) {
			beside++
		}
	}
	for f := range inside.in(r) {
		if otpWords.of(f.Name) {
			beside++
		}
	}
	return beside >= 2
}

// areSeedWords says that there are as many words, as short and plain, as restore
// a wallet (BIP 39).
func areSeedWords(words [][]byte) bool {
	if n := len(words); n < 12 || n > 24 || n%3 != 0 {
		return false
	}
	for _, w := range words {
		if len(w) < 3 || len(w) > 8 {
			return false
		}
		for _, c := range w {
			if c-'a' >= 26 {
				return false
			}
		}
	}
	return true
}

func fieldData(r inspect.Record) [][]byte {
	out := make([][]byte, len(r.Fields))
	for i, p := range r.Fields {
		out[i] = p.Data
	}
	return out
}

// isHidden says that a value was made unreadable: ******, [Filtered].
func isHidden(d []byte) bool {
	same := true
	for _, c := range d {
		if c != '*' && c != 'x' && c != 'X' && c != '.' && c != '#' && c != 0xe2 && c != 0x80 && c != 0xa2 && c != 0x97 && c != 0x8f {
			same = false
			break
		}
	}
	if same {
		return true
	}
	switch strings.ToLower(string(d[:min(len(d), 16)])) {
	case "[filtered]", "[redacted]", "redacted", "<redacted>", "filtered", "[hidden]", "hidden", "[masked]", "masked", "password", "required", "optional", "string", "text", "null", "undefined", "none", "refresh_token", "forgot", "reset", "sms", "email":
		return true
	}
	return false
}

func isNewOrOld(name string) bool {
	name = strings.ToLower(name)
	return strings.Contains(name, "new") || strings.Contains(name, "old") || strings.Contains(name, "confirm") || strings.Contains(name, "verify") || strings.Contains(name, "current")
}

func isURLish(d []byte) bool {
	return bytes.HasPrefix(d, []byte("http://")) || bytes.HasPrefix(d, []byte("https://")) || d[0] == '/' && bytes.Count(d, []byte("/")) > 1
}

func isCode(d []byte) bool {
	if len(d) < 4 || len(d) > 10 || !hasDigit(d) {
		return false
	}
	for _, c := range d {
		if charOf[c]&(chDigit|chUpper|chLower) == 0 && c != '-' && c != ' ' {
			return false
		}
	}
	return true
}

func isSecretKeyForm(d []byte) bool {
	return isHexDigits(d) && len(d) == 64 || (d[0] == '5' || d[0] == 'K' || d[0] == 'L') && (len(d) == 51 || len(d) == 52)
}

// isPrivateKey looks for the label of a private key (RFC 7468 section 10 and
// what other programs write).
func isPrivateKey(p *inspect.Part) bool {
	d := p.Data
	if len(d) < 64 || p.Kind > inspect.Text || len(p.Children) > 0 {
		return false
	}
	head := d[:min(len(d), 256)]
	i := bytes.Index(head, []byte("-----BEGIN "))
	if i < 0 {
		return false
	}
	label := head[i+11:]
	end := bytes.Index(label, []byte("-----"))
	return end > 0 && (bytes.HasSuffix(label[:end], []byte("PRIVATE KEY")) || bytes.HasSuffix(label[:end], []byte("PRIVATE KEY BLOCK")))
}

// isJWK says that r is a key with its public members.
func isJWK(r inspect.Record) bool {
	return r.Field("kty") != nil && (r.Field("x") != nil || r.Field("n") != nil)
}

// isBasic says that p is the text of the scheme Basic (RFC 7617 section 2) with
// a name and a password, neither of them the key of an app.
func isBasic(p *inspect.Part) bool {
	if p.Name != "Authorization" && p.Name != "Proxy-Authorization" || p.Decoder() != "base64" || p.Parent.Decoder() != "scheme" {
		return false
	}
	user, password, ok := bytes.Cut(p.Data, []byte(":"))
	if !ok || len(user) < 2 || len(user) > 64 || len(password) < 4 || len(password) > 64 || bytes.IndexByte(password, ':') >= 0 {
		return false
	}
	if bytes.IndexByte(user, '@') < 0 && (len(user) > 20 || formOf(user).kind != "" || bytes.HasPrefix(user, []byte("sk_")) || bytes.HasPrefix(user, []byte("pk_")) ||
		containsFold(string(user), "client") || containsFold(string(user), "app") || containsFold(string(user), "api") || containsFold(string(user), "key")) {
		return false
	}
	f := formOf(password)
	return f.kind != "hex" && !isUUID(f) && f.kind != "hex64" && !(f.kind == "token" && len(password) >= 24)
}

// longestSASL bounds the messages of SASL that are looked at.
const longestSASL = 400

// isPlain says that d is a message of the mechanism PLAIN, in base64 as protocols
// of lines and of elements carry it, perhaps behind the command.
func isPlain(d []byte) bool {
	if i := bytes.LastIndexByte(d, ' '); i > 0 {
		if !bytes.HasPrefix(d, []byte("AUTH")) && !bytes.Contains(d[:i], []byte(" AUTHENTICATE PLAIN")) {
			return false
		}
		d = d[i+1:]
	}
	d = bytes.TrimSpace(d)
	switch {
	case len(d) < 12:
		return false
	case d[0] == 'A':
		out := make([]byte, base64.StdEncoding.DecodedLen(len(d)))
		n, err := base64.StdEncoding.Decode(out, d)
		if err != nil {
			return false
		}
		d = out[:n]
	case d[0] != 0:
		return false
	}
	if len(d) < 8 || d[0] != 0 || bytes.Count(d, []byte{0}) != 2 {
		return false
	}
	user, password, _ := bytes.Cut(d[1:], []byte{0})
	return len(user) >= 2 && len(password) >= 3 && utf8.Valid(d) && bytes.IndexFunc(d[1:], func(r rune) bool { return r < ' ' && r != 0 || r == 0x7f }) < 0
}

// hasUserinfo says that d is an address with a password in it (RFC 3986 section
// 3.2.1).
func hasUserinfo(d []byte) bool {
	i := bytes.Index(d[:min(len(d), 16)], []byte("://"))
	if i < 2 {
		return false
	}
	rest := d[i+3:]
	if j := bytes.IndexAny(rest, "/?# "); j >= 0 {
		rest = rest[:j]
	}
	at := bytes.LastIndexByte(rest, '@')
	if at < 3 {
		return false
	}
	_, password, ok := bytes.Cut(rest[:at], []byte(":"))
	return ok && len(password) >= 3 && formOf(password).kind != "hex"
}
