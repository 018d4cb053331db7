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

// plantedGain is how many planted values were found.
type plantedGain struct {
	Plain     int `json:"plain"`
	PlainAll  int `json:"plain_all"`
	Hashed    int `json:"hashed"`
	HashedAll int `json:"hashed_all"`
	Placed    int `json:"right_path"` // of those found, with the path of truth.json
	Strangers int `json:"never_planted"`
}

// scoreCanaries looks for the planted values in the SDKs' traffic, and for those
// of a persona that was never planted.
func scoreCanaries(out io.Writer, b *builder, least float64) (gain plantedGain, ok bool, err error) {
	truth := b.loopbackTruth()
	if len(truth.Requests) == 0 {
		return gain, true, nil
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
		return gain, false, err
	}
	planted, err := inspector(p)
	if err != nil {
		return gain, false, err
	}
	control, err := inspector(other)
	if err != nil {
		return gain, false, err
	}
	hars := make(map[string][]*inspect.Subject)
	type tally struct{ hit, all int }
	byKind := make(map[string]*tally)
	var plain, hashed tally
	var missed, elsewhere []string
	for _, row := range truth.Requests {
		if hars[row.HAR] == nil {
			hars[row.HAR] = b.har("payloads/sdk-loopback/" + row.HAR)
		}
		if row.Index >= len(hars[row.HAR]) {
			continue
		}
		s := hars[row.HAR][row.Index]
		found := make(map[string][]inspect.Path)
		for _, h := range planted.Inspect(context.Background(), s).Hits {
			name := h.Canary + hashMark(h.Form)
			found[name] = append(found[name], h.Path)
		}
		gain.Strangers += len(control.Inspect(context.Background(), s).Hits)
		for key, where := range row.Found {
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
			if len(found[want]) == 0 {
				missed = append(missed, fmt.Sprintf("%s %s#%d", row.HAR, key, row.Index))
				continue
			}
			k.hit++
			t.hit++
			if slices.ContainsFunc(found[want], func(p inspect.Path) bool { return layers(p) == labelled(where) }) {
				gain.Placed++
			} else {
				elsewhere = append(elsewhere, fmt.Sprintf("%s %s#%d", row.HAR, key, row.Index))
			}
		}
	}
	gain.Plain, gain.PlainAll, gain.Hashed, gain.HashedAll = plain.hit, plain.all, hashed.hit, hashed.all
	fmt.Fprintf(out, "planted values, plain and encoded: %d of %d; hashed: %d of %d; with the right path: %d of %d; of a persona never planted: %d\n",
		plain.hit, plain.all, hashed.hit, hashed.all, gain.Placed, plain.hit+hashed.hit, gain.Strangers)
	var keys []string
	for k := range byKind {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		fmt.Fprintf(out, "  %-16s %d of %d\n", k, byKind[k].hit, byKind[k].all)
	}
	list(out, "planted values missed", missed)
	list(out, "planted values found under another path than that of the label", elsewhere)
	ok = gain.Strangers == 0 && ratio(plain.hit, plain.all) >= least && ratio(gain.Placed, plain.hit+hashed.hit) >= least
	return gain, ok, nil
}

// layers are the steps of a path that a label tells: the root and what came off
// that is an encoding. "path" is the request's whole target.
func layers(p inspect.Path) string {
	steps := p.Steps()
	out := []string{map[string]string{"request.body": "body", "request.path": "path", "request.query": "path"}[steps[0]]}
	for _, step := range steps[1:] {
		switch name, _ := inspect.SplitStep(step); {
		case name == "gzip":
			out = append(out, "gzip")
		case strings.HasPrefix(name, "base64"):
			out = append(out, "b64")
		}
	}
	return strings.Join(out, ">")
}

// labelled is a path of truth.json without the escapes of strings and of
// addresses, which the label has only where they change the value.
func labelled(where string) string {
	return strings.Join(slices.DeleteFunc(strings.Split(where, ">"), func(s string) bool { return s == "url" || s == "jsonesc" }), ">")
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
