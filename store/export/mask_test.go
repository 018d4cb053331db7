package export

import (
	"encoding/json"
	"strings"
	"testing"

	"constat/inspect"
	"constat/store/evidence"
)

func TestMask(t *testing.T) {
	for _, test := range []struct{ kind, column, value, want string }{
		{"exchange", "path", "/users/alice/inbox", "/…/…/…"},
		{"exchange", "path", "/accounts/FR7612345987", "/ac…ts/FR7…987"},
		{"exchange", "query", "imei=352099001761481&v=5&+33612345678", "imei=352…481&v=…&+33…678"},
		{"exchange", "query", "352099001761481=x", "352…481=…"},
		{"exchange", "query", "", ""},
		{
			"exchange", "request_head", "POST /a?t=abcdefgh HTTP/1.1\r\nHost: a.example\r\nContent-Type: multipart/form-data; boundary=secret\r\nCookie: sid=abcdef\r\n folded-secret\r\n\r\n",
			"POST /…?t=ab…gh HTTP/1.1\r\nHost: a.…le\r\nContent-Type: multipart/form-data\r\nCookie: si…ef\r\n fol…ret\r\n\r\n",
		},
		{
			"exchange", "request_head", "GET /a secret-secret HTTP/1.1\r\nContent-Encoding: secret-0123456789\r\nTransfer-Encoding: chunked\r\nContent-Length: 12a\r\nContent-Type: Alice 0612345678\r\n\r\n",
			"GET /… secr…/1.1\r\nContent-Encoding: secr…6789\r\nTransfer-Encoding: chunked\r\nContent-Length: …\r\nContent-Type: Alic…5678\r\n\r\n",
		},
		{"exchange", "request_head", "GET /a HTTP/1.1\r\nContent-Encoding: gzip, br\r\nContent-Length: 12\r\n\r\n", "GET /… HTTP/1.1\r\nContent-Encoding: gzip, br\r\nContent-Length: 12\r\n\r\n"},
		{"exchange", "response_head", "HTTP/1.1 secret All is well\r\n\r\n", "HTTP/1.1 s…t Al…ll\r\n\r\n"},
		{"exchange", "response_head", "HTTP/1.1 200 All is well\r\n\r\n", "HTTP/1.1 200 Al…ll\r\n\r\n"},
	} {
		v := evidence.TextValue(test.value)
		if strings.HasSuffix(test.column, "_head") {
			v = evidence.BlobValue([]byte(test.value))
		}
		if got := mask(test.kind, test.column, v); got == nil || *got != test.want {
			t.Errorf("%s %q: got %q, want %q", test.column, test.value, deref(got), test.want)
		}
	}
	for _, hidden := range []string{"mark.note", "persona.persona", "exchange.error", "report.damage", "report.identifying", "exchange.request_sha256", "other.column"} {
		kind, column, _ := strings.Cut(hidden, ".")
		if got := mask(kind, column, evidence.TextValue("a value that is long enough")); got != nil {
			t.Errorf("%s is masked as %q: it cannot be, field by field", hidden, *got)
		}
	}
	finding, _ := json.Marshal([]inspect.Finding{{Class: inspect.SMS, Path: "request.body|json:contacts.+33612345678.name|base64", Excerpt: "a message to somebody", Reason: "quotes a message"}})
	got := mask("report", "findings", evidence.TextValue(string(finding)))
	if got == nil || strings.Contains(*got, "33612345678") || strings.Contains(*got, "quotes") || strings.Contains(*got, "message to") ||
		!strings.Contains(*got, "request.body|json:contacts.") || !strings.Contains(*got, "|base64") {
		t.Errorf("finding: %s", deref(got))
	}
}

func deref(s *string) string {
	if s == nil {
		return "nothing"
	}
	return *s
}

func FuzzMask(f *testing.F) {
	f.Add("POST /a?b=c HTTP/1.1\r\nHost: x\r\n\r\n", "/a/b?c=d")
	f.Add("", `[{"path":"a|b:c","excerpt":"x"}]`)
	f.Fuzz(func(t *testing.T, head, s string) {
		maskHead(head)
		maskQuery(s)
		maskFindings(s)
		maskHits(s)
		if p := maskPath(s); len(s) > 5 && !strings.Contains(s, "/") && strings.Contains(p, s) {
			t.Errorf("%q is masked as %q", s, p)
		}
	})
}
