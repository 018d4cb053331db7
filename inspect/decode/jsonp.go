package decode

import (
	"bytes"

	"constat/inspect"
)

// JSONP takes the argument out of a script that is one call with JSON in it.
var JSONP = inspect.Decoder{
	Name:   "jsonp",
	Doc:    "takes the JSON out of a call of one function, as in callback({...}); (bob.ippoli.to/archives/2005/12/05/remote-json-jsonp)",
	Min:    5,
	First:  uppers + lowers + "_$/",
	Holds:  inspect.Parens,
	Decode: decodeJSONP,
}

func decodeJSONP(_ *inspect.Work, p *inspect.Part) ([]inspect.Child, error) {
	d := bytes.TrimPrefix(p.Data, []byte("/**/")) // put in front against content sniffing
	if class[d[0]]&(lower|upper) == 0 && d[0] != '_' && d[0] != '$' {
		return nil, nil
	}
	const longestName = 128
	open := bytes.IndexByte(d[:min(len(d), longestName)], '(')
	if open < 0 || !functionName(d[:open]) {
		return nil, nil
	}
	d = bytes.TrimRight(d[open+1:], "; \t\r\n")
	if len(d) < 3 || d[len(d)-1] != ')' || d[0] != '{' && d[0] != '[' {
		return nil, nil
	}
	return []inspect.Child{{Media: "application/json", Data: d[:len(d)-1]}}, nil
}

// functionName says that b is an identifier, or several with full stops.
func functionName(b []byte) bool {
	for _, c := range b {
		if class[c]&(digit|upper|lower) == 0 && c != '_' && c != '$' && c != '.' {
			return false
		}
	}
	return true
}
