package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"constat/inspect"
	"constat/inspect/canary"
	"constat/inspect/decode"
	"constat/inspect/detect"
)

// plantedFields are the persona's fields and what they are.
var plantedFields = []struct {
	field, name string
	kind        canary.Kind
}{
	{"name", "name", canary.Name},
	{"phone_e164", "phone", canary.Phone},
	{"email", "email", canary.Email},
	{"imei", "imei", canary.IMEI},
	{"imsi", "imsi", canary.IMSI},
	{"android_id", "android_id", canary.AndroidID},
	{"aaid", "aaid", canary.AdvertisingID},
	{"mac", "mac", canary.MAC},
	{"serial", "serial", canary.Serial},
	{"contact_name", "contact_name", canary.ContactName},
	{"contact_phone", "contact_phone", canary.ContactPhone},
	{"sms_body", "sms_body", canary.SMSText},
	{"sms_sender", "sms_sender", canary.SMSSender},
	{"browse_url", "browse_url", canary.URL},
}

// hashedKeys are the labels of hashed values.
var hashedKeys = map[string]string{
	"imei:md5": "imei", "imei:sha1b64u16": "imei", "aaid:sha1": "aaid", "email:sha256": "email", "phone:sha256": "phone",
}

// scoreCanaries looks for the planted values in the SDKs' traffic, and for those
// of a persona that was never planted.
func scoreCanaries(out io.Writer, b *builder, least float64) (ok bool, err error) {
	truth := b.loopbackTruth()
	if len(truth.Requests) == 0 {
		return true, nil
	}
	p := &canary.Persona{Version: canary.FormatVersion, Name: "loopback", Invented: true}
	for _, f := range plantedFields {
		v, _ := truth.Persona[f.field].(string)
		p.Canaries = append(p.Canaries, canary.Canary{Name: f.name, Kind: f.kind, Value: v})
	}
	lat, _ := json.Marshal(truth.Persona["lat"])
	lon, _ := json.Marshal(truth.Persona["lon"])
	p.Canaries = append(p.Canaries, canary.Canary{Name: "place", Kind: canary.Place, Value: string(lat) + "," + string(lon)})
	other, err := canary.New(strings.NewReader(strings.Repeat("never planted..", 9)), "fr")
	if err != nil {
		return false, err
	}
	planted, err := inspector(p)
	if err != nil {
		return false, err
	}
	control, err := inspector(other)
	if err != nil {
		return false, err
	}
	hars := make(map[string][]*inspect.Subject)
	type tally struct{ hit, all int }
	byKind := make(map[string]*tally)
	var plain, hashed tally
	var missed []string
	strangers := 0
	for _, row := range truth.Requests {
		if hars[row.HAR] == nil {
			hars[row.HAR] = b.har("payloads/sdk-loopback/" + row.HAR)
		}
		if row.Index >= len(hars[row.HAR]) {
			continue
		}
		s := hars[row.HAR][row.Index]
		found := make(map[string]bool)
		for _, h := range planted.Inspect(context.Background(), s).Hits {
			found[h.Canary+hashMark(h.Form)] = true
		}
		strangers += len(control.Inspect(context.Background(), s).Hits)
		for key := range row.Found {
			want, t := key, &plain
			switch c, isHash := hashedKeys[key]; {
			case isHash:
				want, t = c+" hashed", &hashed
			case key == "lat", key == "lon":
				want = "place"
			case key == "jpeg":
				continue // the picture itself is not part of the persona
			}
			k := byKind[key]
			if k == nil {
				k = new(tally)
				byKind[key] = k
			}
			k.all++
			t.all++
			if found[want] {
				k.hit++
				t.hit++
			} else {
				missed = append(missed, fmt.Sprintf("%s %s#%d", row.HAR, key, row.Index))
			}
		}
	}
	fmt.Fprintf(out, "planted values, plain and encoded: %d of %d; hashed: %d of %d; of a persona never planted: %d\n", plain.hit, plain.all, hashed.hit, hashed.all, strangers)
	var keys []string
	for k := range byKind {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		fmt.Fprintf(out, "  %-16s %d of %d\n", k, byKind[k].hit, byKind[k].all)
	}
	list(out, "planted values missed", missed)
	return strangers == 0 && ratio(plain.hit, plain.all) >= least, nil
}

func hashMark(form string) string {
	for _, h := range []string{"md5(", "sha1(", "sha224(", "sha256(", "sha384(", "sha512("} {
		if strings.HasPrefix(form, h) {
			return " hashed"
		}
	}
	return ""
}

func inspector(p *canary.Persona) (*inspect.Inspector, error) {
	m, err := canary.NewMatcher(p)
	if err != nil {
		return nil, err
	}
	return inspect.New(inspect.Config{Decoders: decode.All, Detectors: detect.All, Canaries: m, Build: "score"})
}

// rates prints how often each class is named in traffic that nobody labelled.
func rates(out io.Writer, in *inspect.Inspector, b *builder) {
	subjects := b.har("payloads/rudder-transformer/requests.har")
	if len(subjects) == 0 {
		return
	}
	named := make(map[inspect.Class]int)
	for _, s := range subjects {
		for _, c := range in.Inspect(context.Background(), s).Tags() {
			named[c]++
		}
	}
	fmt.Fprintf(out, "\nunlabelled, %d requests of connectors:", len(subjects))
	for _, c := range inspect.Classes {
		if named[c] > 0 {
			fmt.Fprintf(out, " %s %d", c, named[c])
		}
	}
	fmt.Fprintln(out)
}
