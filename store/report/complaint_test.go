package report

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

func (b *builder) complaint(opt Options) string {
	b.t.Helper()
	var out bytes.Buffer
	if err := WriteComplaint(b.t.Context(), &out, &b.c.Reader, opt); err != nil {
		b.t.Fatal(err)
	}
	return out.String()
}

func TestComplaint(t *testing.T) {
	b := newBuilder(t)
	b.mark("setup", map[string]string{"rom": "rom-5.2", "app": "com.vendor.messages", "app_version": "7.1"}, "")
	b.affair()
	for _, lang := range Languages() {
		opt := answered(b)
		opt.Lang = lang
		text := b.complaint(opt)
		if problems := validate(t, text); problems != nil {
			t.Errorf("%s: %q", lang, problems)
		}
		var c Complaint
		if err := json.Unmarshal([]byte(text), &c); err != nil {
			t.Fatal(err)
		}
		if len(c.LegalGrounds) != 0 || c.Complainant != (Party{}) || c.Controller != (Party{}) {
			t.Errorf("what only a person can say is not empty: %+v", c)
		}
		if c.Subject.ROM != "rom-5.2" || c.Subject.Component != "com.vendor.messages" || c.Subject.Version != "7.1" || c.Subject.Model != "" {
			t.Errorf("subject %+v", c.Subject)
		}
		for pointer, want := range map[string]bool{"/legal_grounds": true, "/subject/device": true, "/subject/rom": false} {
			if slices.Contains(c.ToComplete, pointer) != want {
				t.Errorf("%s is among what is to complete: %v", pointer, !want)
			}
		}
		if c.Capture.Checksum.Value == "" || !strings.Contains(c.Capture.Checksum.Note, c.Capture.Checksum.Value) || c.Capture.Requests != 32 {
			t.Errorf("capture %+v", c.Capture)
		}
		if len(c.Claims) != 3 || c.Claims[0].Verdict != "refuted" || !slices.Equal(c.Claims[0].Deciding, []int64{25, 2}) {
			t.Errorf("claims %+v", c.Claims)
		}
		var classes []string
		for _, x := range c.Shown {
			for _, f := range x.Findings {
				classes = append(classes, string(f.Class))
				if f.Path == "" || f.Reason == "" || len(f.Steps) == 0 || strings.Count(f.Value, "…") > 1 {
					t.Errorf("finding %+v", f)
				}
			}
			if x.Recipient.Host == "" || len(x.Headers) == 0 {
				t.Errorf("exchange %+v", x)
			}
		}
		for _, want := range []string{"sms", "photo", "identifiers", "device_stats", "greeting_content", "location"} {
			if !slices.Contains(classes, want) {
				t.Errorf("%s is not among the findings", want)
			}
		}
		if strings.Contains(text, "sha256\"") {
			t.Error("a hash of what is masked is in the complaint")
		}
		// No planted value, in any of the usual writings.
		for _, name := range []string{"sms-1.text", "imei", "android_id"} {
			v := b.value(name)
			for how, form := range map[string]string{"plain": v, "in a query": url.QueryEscape(v), "in base64": strings.TrimRight(base64.StdEncoding.EncodeToString([]byte(v)), "=")} {
				if strings.Contains(text, form) {
					t.Errorf("%s: %s is in the complaint, %s", lang, name, how)
				}
			}
		}
	}
}

func TestComplaintOfNothing(t *testing.T) {
	b := newBuilder(t)
	if problems := validate(t, b.complaint(b.options())); problems != nil {
		t.Errorf("%q", problems)
	}
}

func TestMasks(t *testing.T) {
	for in, want := range map[string]string{
		"https://a.example/v1/users/+33639980123/x?imei=004460769275605&q=a+b&flag": "https://a.example/v1/users/+33…123/x?imei=004…605&q=…&…",
		"https://a.example/":                "https://a.example/",
		"https://a.example":                 "https://a.example",
		"nonsense":                          "no…se",
		"https://a.example/%7B%22imei%22/b": "https://a.example/%7B…%22/b",
	} {
		if got := maskURL(in); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
	head := maskHead([]byte("GET / HTTP/1.1\r\nHost: a.example\r\nCookie: session=0123456789abcdef\r\nUser-Agent: Dalvik/2.1.0 (Linux; Android 4.4.2) id/004460769275605\r\nbroken\r\n\r\n"))
	want := []MaskedHeader{{"Host", "a.example"}, {"Cookie", "sess…cdef"}, {"User-Agent", "Dalvik/2.1.0 (Linux; Android 4.4.2) id/0…5605"}}
	if !slices.Equal(head, want) {
		t.Errorf("head %q", head)
	}
	if got := maskTelling(`taken at 52.79615, -1.29081 by "photo-1" of a@b.example in 2024`); got != `taken at 52…15, -1…81 by "photo-1" of a@…le in 2024` {
		t.Errorf("reason %q", got)
	}
}

func FuzzMasks(f *testing.F) {
	f.Add("https://a.example/%zz?%=&=")
	f.Fuzz(func(_ *testing.T, s string) {
		_ = maskURL(s)
		_ = maskTelling(s)
		_ = maskHead([]byte(s))
	})
}

// validate checks a document against docs/complaint.schema.json: the keywords of JSON
// Schema that it uses, and no others.
func validate(t *testing.T, text string) (problems []string) {
	t.Helper()
	data, err := os.ReadFile("../../docs/complaint.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var schema map[string]any
	if err := json.Unmarshal(data, &schema); err != nil {
		t.Fatal(err)
	}
	var document any
	if err := json.Unmarshal([]byte(text), &document); err != nil {
		t.Fatal(err)
	}
	v := validator{defs: schema["$defs"].(map[string]any)}
	v.check("", schema, document)
	if v.checked < 200 && strings.Contains(text, `"exhibit"`) {
		v.wrong("%d values were checked only", v.checked)
	}
	return v.problems
}

type validator struct {
	defs     map[string]any
	checked  int
	problems []string
}

func (v *validator) wrong(format string, args ...any) {
	v.problems = append(v.problems, fmt.Sprintf(format, args...))
}

var known = []string{"$schema", "$defs", "$ref", "title", "description", "type", "properties", "required", "additionalProperties", "items", "enum", "const", "minimum", "maximum", "format"}

func (v *validator) check(at string, schema map[string]any, value any) {
	v.checked++
	for key := range schema {
		if !slices.Contains(known, key) {
			v.wrong("%s: the schema says %q, which is not checked here", at, key)
		}
	}
	if ref, ok := schema["$ref"].(string); ok {
		def, ok := v.defs[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any)
		if !ok {
			v.wrong("%s: no %s", at, ref)
			return
		}
		v.check(at, def, value)
		return
	}
	if c, ok := schema["const"]; ok && c != value {
		v.wrong("%s: %v, want %v", at, value, c)
	}
	if list, ok := schema["enum"].([]any); ok && !slices.Contains(list, value) {
		v.wrong("%s: %v is none of %v", at, value, list)
	}
	kind, _ := schema["type"].(string)
	switch x := value.(type) {
	case map[string]any:
		v.is(at, kind, "object")
		properties, _ := schema["properties"].(map[string]any)
		for _, name := range schema["required"].([]any) {
			if _, ok := x[name.(string)]; !ok {
				v.wrong("%s lacks %s", at, name)
			}
		}
		for name, inner := range x {
			property, ok := properties[name].(map[string]any)
			if !ok {
				v.wrong("%s/%s is not in the schema", at, name)
				continue
			}
			v.check(at+"/"+name, property, inner)
		}
	case []any:
		v.is(at, kind, "array")
		for i, inner := range x {
			v.check(fmt.Sprintf("%s/%d", at, i), schema["items"].(map[string]any), inner)
		}
	case string:
		v.is(at, kind, "string", "")
		if schema["format"] == "date-time" {
			if _, err := time.Parse(time.RFC3339Nano, x); err != nil {
				v.wrong("%s: %v", at, err)
			}
		}
	case float64:
		v.is(at, kind, "number", "integer")
		if least, ok := schema["minimum"].(float64); ok && x < least {
			v.wrong("%s: %v is less than %v", at, x, least)
		}
		if most, ok := schema["maximum"].(float64); ok && x > most {
			v.wrong("%s: %v is more than %v", at, x, most)
		}
		if kind == "integer" && x != float64(int64(x)) {
			v.wrong("%s: %v is not whole", at, x)
		}
	case bool:
		v.is(at, kind, "boolean")
	default:
		v.wrong("%s: %v has no type that is allowed", at, value)
	}
}

func (v *validator) is(at, kind string, want ...string) {
	if !slices.Contains(want, kind) {
		v.wrong("%s: the schema wants %q, it is %q", at, kind, want)
	}
}

// TestSchemaIsNarrow holds that the validator finds what is wrong.
func TestSchemaIsNarrow(t *testing.T) {
	b := newBuilder(t)
	b.affair()
	text := b.complaint(b.options())
	for what, change := range map[string][2]string{
		"a field too many": {`"schema":`, `"extra": 1, "schema":`},
		"another schema":   {`"constat-complaint/1"`, `"constat-complaint/2"`},
		"a number as text": {`"requests": 32`, `"requests": "32"`},
	} {
		wrong := strings.Replace(text, change[0], change[1], 1)
		if wrong == text {
			t.Fatalf("%s: %s is not in the complaint", what, change[0])
		}
		if len(validate(t, wrong)) != 1 {
			t.Errorf("%s is not found", what)
		}
	}
	if regexp.MustCompile(`"legal_grounds": \[[^\]]`).MatchString(text) {
		t.Error("legal grounds are given")
	}
}
