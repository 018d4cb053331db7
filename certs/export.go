package certs

import (
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/xml"
	"fmt"
	"text/template"
)

// AndroidName returns the name under which Android's system store
// (/system/etc/security/cacerts) looks for the CA: OpenSSL's -subject_hash_old,
// which is the first four bytes of the MD5 of the subject's DER read as a
// little-endian number, and ".0".
func (ca *CA) AndroidName() string {
	sum := md5.Sum(ca.cert.RawSubject)
	return fmt.Sprintf("%08x.0", binary.LittleEndian.Uint32(sum[:]))
}

// AndroidFile returns the contents of the file AndroidName: the certificate in
// PEM. The text that Android's own files carry behind it is not read.
func (ca *CA) AndroidFile() []byte { return ca.PEM() }

// MobileConfig returns an iOS configuration profile that installs the CA
// (developer.apple.com/documentation/devicemanagement, payload type
// com.apple.security.root). Its identifiers come from the fingerprint, so that
// installing it again replaces it. The profile is not signed: iOS says so, and
// trusts the CA for servers only after the user switches it on under
// Settings, General, About, Certificate Trust Settings.
func (ca *CA) MobileConfig() ([]byte, error) {
	fp := ca.Fingerprint()
	var out bytes.Buffer
	err := mobileConfig.Execute(&out, map[string]string{
		"Name":    ca.cert.Subject.CommonName,
		"ID":      "constat.ca." + fp[:16],
		"Profile": profileUUID(fp, "profile"),
		"Root":    profileUUID(fp, "root"),
		"Data":    base64.StdEncoding.EncodeToString(ca.cert.Raw),
	})
	if err != nil {
		return nil, fmt.Errorf("write iOS profile: %w", err)
	}
	return out.Bytes(), nil
}

// profileUUID derives a UUID of version 8 (RFC 9562 section 5.8) from a CA's
// fingerprint and what it is for.
func profileUUID(fingerprint, purpose string) string {
	u := sha256.Sum256([]byte("constat " + purpose + " " + fingerprint))
	u[6] = u[6]&0x0f | 0x80
	u[8] = u[8]&0x3f | 0x80
	return fmt.Sprintf("%X-%X-%X-%X-%X", u[:4], u[4:6], u[6:8], u[8:10], u[10:16])
}

func xmlText(s string) (string, error) {
	var b bytes.Buffer
	err := xml.EscapeText(&b, []byte(s))
	return b.String(), err
}

var mobileConfig = template.Must(template.New("mobileconfig").Funcs(template.FuncMap{"xml": xmlText}).Parse(
	`<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
	<key>PayloadType</key><string>Configuration</string>
	<key>PayloadVersion</key><integer>1</integer>
	<key>PayloadIdentifier</key><string>{{.ID}}</string>
	<key>PayloadUUID</key><string>{{.Profile}}</string>
	<key>PayloadDisplayName</key><string>{{xml .Name}}</string>
	<key>PayloadOrganization</key><string>Constat</string>
	<key>PayloadDescription</key><string>Lets the Constat proxy on your own computer read and record what this device sends. Remove it when you have finished.</string>
	<key>PayloadRemovalDisallowed</key><false/>
	<key>PayloadContent</key>
	<array>
		<dict>
			<key>PayloadType</key><string>com.apple.security.root</string>
			<key>PayloadVersion</key><integer>1</integer>
			<key>PayloadIdentifier</key><string>{{.ID}}.root</string>
			<key>PayloadUUID</key><string>{{.Root}}</string>
			<key>PayloadDisplayName</key><string>{{xml .Name}}</string>
			<key>PayloadCertificateFileName</key><string>constat-ca.cer</string>
			<key>PayloadContent</key><data>{{.Data}}</data>
		</dict>
	</array>
</dict>
</plist>
`))
