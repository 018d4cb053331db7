package detect

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"constat/inspect"
	"constat/inspect/inspecttest"
)

// TestBounded gives the detectors bodies that are as large as a tree may be and
// that look like hits everywhere.
func TestBounded(t *testing.T) {
	inspecttest.Alone(t)
	repeat := func(row string, n int) string { return "[" + strings.TrimSuffix(strings.Repeat(row+",", n), ",") + "]" }
	sms := `{"body":"Tu viens ce soir ?","address":"+33639981122","date":1406800000123,"type":1}`
	// What takes long is told by what an ordinary list takes here and now.
	const mostTimes = 200
	unit := time.Hour
	for range 5 {
		began := time.Now()
		tree(t, &inspect.Subject{Method: "POST", Request: inspect.Content{Body: []byte(repeat(sms, 2000))}})
		unit = min(unit, time.Since(began))
	}
	for name, body := range map[string]string{
		"messages":                 repeat(sms, 5000),
		"messages without address": repeat(`{"body":"Tu viens ce soir ?","date":1406800000123,"type":1}`, 6600),
		"messages by line":         strings.Repeat(sms+"\n", 4000),
		"heads of tables":          repeat(`["address","body","date"]`, 6600),
		"pictures' records":        repeat(`{"fileName":"IMG_20140731_134500.jpg","size":12,"x":{"gps":"1,2"}}`, 6600),
		"lists of wishes":          repeat(`{"wishes":["Joyeux anniversaire à toi !","Bonne année à vous tous !"]}`, 9900),
		"articles":                 repeat(`{"url":"x","date":"2014-07-31","a":["Joyeux anniversaire à toi !","Bonne année à vous !"]}`, 4900),
		"keys and values":          repeat(`{"key":"model","value":{"stringValue":"Redmi"}}`, 9900),
		"contacts":                 repeat(`{"name":"Odile","phones":["+33639981122"],"emails":[{"value":"o@example.org"}]}`, 4000),
		"contacts in contacts":     strings.Repeat(`{"contact":{"name":"Odile","phone":"+33639981122","list":[`, 60) + strings.Repeat("]}}", 60),
		"hashes":                   repeat(`"5e884898da28047151d0e56f8dc62927"`, 9900),
		"calls":                    repeat(`{"number":"+33639981122","duration":3,"type":1,"date":1406800000123}`, 4900),
		"events of calls":          repeat(`{"event":"call_ended","p":{"number":"+33639981122","duration":3}}`, 4900),
		"mail":                     repeat(`{"from":{"email":"o@example.org"},"to":[{"email":"p@example.org"}],"subject":"Lunch"}`, 4000),
		"notes":                    repeat(`{"title":"Milk and bread","content":"Buy both tomorrow","modified":1406800000123}`, 4900),
		"pages":                    repeat(`{"url":"https://example.org/a","title":"A page","visitTime":1406800000123}`, 4900),
		"apps":                     repeat(`"com.example.one"`, 9900),
		"rows of text":             strings.Repeat("Odile,+33639981122,o@example.org\n", 30_000),
		"lines of pages":           strings.Repeat("https://example.org/a https://example.com/b\n", 20_000),
		"quotes in rows":           "name,phone\n" + strings.Repeat(`"Odile`, 100_000),
		"indexes in names":         strings.Repeat("a[0][1][2][3]=%2B33639981122&", 9000),
		"elements":                 "<smses>" + strings.Repeat(`<sms address="+33639981122" body="x" date="1406800000123"/>`, 100_000),
		"unclosed elements":        "<smses>" + strings.Repeat(`<sms address="`, 200_000),
		"identifiers":              repeat(`{"email":"a@example.org","phone":"+33639981122"}`, 9900),
		"names and values":         repeat(`{"name":"imei","value":"352099001761481"}`, 9900),
		"places":                   repeat(`{"lat":48.85837,"lng":2.294481,"bssid":"a4:3e:51:00:00:42"}`, 6600),
		"long names":               repeat(`{"`+strings.Repeat("aB", 60)+`email":"`+strings.Repeat("a1", 250)+`"}`, 9900),
		"versions":                 repeat(`{"version":"1.2","latestVersion":"1.3"}`, 9900),
		"almost positions":         strings.Repeat("$GPGGA,12\n", 400_000),
		"at signs":                 "user " + strings.Repeat("@", 60_000),
		"equals signs":             strings.Repeat("imei=1 ", 9000),
		"words before colons":      strings.Repeat("abcdefghijklmnopqrstuvwxyz:", 2400),
		"full stops in numbers":    strings.Repeat("1.23456,", 30_000),
		"almost trackers":          strings.Repeat(",N,1.1,", 60_000),
		"heads of rows":            repeat(`["imei","lat","lon"]`, 6600),
		"rows without names":       `{"track":` + repeat(`[1406800000,48.85837,2.29448]`, 6600) + `}`,
		"bytes as numbers":         repeat(`201`, 19_000),
		"equal blocks":             `{"data":"` + strings.Repeat("Zk81kd02mQ8fZx81kd02mQ==", 1) + strings.Repeat("A", 1<<20) + `"}`,
		"lines of points":          `{"polyline":"` + strings.Repeat("_p~iF~ps|U", 60_000) + `"}`,
		"random values":            repeat(`{"iv":"x","data":"Zk81kd02mQ8fZx81kd02mQ8fZx81kd02mQ8fZx81kd02mQ8fZx81kd02mQ8fZx81kd02mQ8fZx81kd02mQ8fZx81kd02mQ8f"}`, 9000),
		"joined strings":           repeat(`"Odile|+33639981122|x"`, 9900),
		"lists side by side":       `{` + strings.TrimSuffix(strings.Repeat(`"names":["Odile","Paul"],"phones":["+33639981122","+33639981123"],`, 2400), ",") + `}`,
		"rows in rows":             repeat(`["Odile",["+33639981122"]]`, 6600),
		"properties":               repeat(`["fn",{},"text","Odile"]`, 6600),
		"under identifiers":        "{" + strings.TrimSuffix(strings.Repeat(`"-MzQ1kd02mQ8fZx81kdA":{"name":"Odile","phone":"+33639981122"},`, 6600), ",") + "}",
		"named lines":              strings.Repeat("name: Odile\nphone: +33639981122\n\n", 30_000),
		"names that come again":    strings.Repeat("name: Odile\n", 80_000),
		"logged values":            strings.Repeat("ts=1406800000 number=+33639981122 type=in duration=3\n", 20_000),
		"signs in a line":          strings.Repeat("=", 500_000) + "\n" + strings.Repeat(":", 500_000),
		"values in one line":       repeat(`"`+strings.Repeat("Odile:+33639981122;", 40)+`"`, 3000),
		"encoded values":           repeat(`{"name":"T2RpbGUgVmFudG91cm5pZXI=","phone":"KzMzNjM5OTgxMTIy"}`, 4900),
		"calls in words":           strings.Repeat("Missed call from +33639981122\n", 30_000),
		"names and numbers":        strings.Repeat("Odile <+33639981122>\n", 40_000),
		"letters to write":         repeat(`"mailto:o@example.org?subject=x&body=yyyyyyyyyy"`, 9900),
		"tasks to tick off":        strings.Repeat("- [ ] milk\n", 80_000),
		"numbers of texts":         "{" + strings.TrimSuffix(strings.Repeat(`"1001":"Joyeux anniversaire à toi !",`, 9900), ",") + "}",
		"picture after picture":    repeat(`"/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAgGBgcGBQgHBwcJCQgKDBQNDAsLDBkSEw8UHRofHh0aHBwgJC4nICIsIxwcKDcpLDAxNDQ0Hyc5PTgyPC4zNDL="`, 5000),
	} {
		content := inspect.Content{Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(body)}
		for _, s := range []*inspect.Subject{
			{Method: "POST", Path: "/x", Request: content},
			{Method: "GET", Path: "/x", Response: content},
		} {
			tr := tree(t, s)
			if list := Values(tr); len(list) > maxValues {
				t.Errorf("%s: %d values", name, len(list))
			}
			for _, d := range All {
				began := time.Now()
				found := d.Detect(tr)
				took := time.Since(began)
				for range 3 { // others may have had the processor
					if took > mostTimes*unit {
						began = time.Now()
						d.Detect(tr)
						took = min(took, time.Since(began))
					}
				}
				if took > mostTimes*unit {
					t.Errorf("%s: %s took %v for %d parts, %d times as long as taking a list apart", name, d.Name, took, len(tr.Parts), took/unit)
				}
				if len(found) > 2*maxFindings {
					t.Errorf("%s: %s returned %d findings", name, d.Name, len(found))
				}
			}
		}
	}
}
