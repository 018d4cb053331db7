package store

import (
	"encoding/json"
	"fmt"
	"strconv"

	"constat/inspect"
	"constat/proxy/flow"
)

// maxValues bounds the values of one report.
const maxValues = 10_000

// valuesJSON writes values as a list of lists, [value, kind, name, bits, path,
// direction] and a time when there is one: names for the fields would be a third
// of it. It is "" for none.
func valuesJSON(list []inspect.Value) string {
	if len(list) == 0 {
		return ""
	}
	list = list[:min(len(list), maxValues)]
	size := 2
	for i := range list {
		v := &list[i]
		size += len(v.Value) + len(v.Kind) + len(v.Name) + len(v.Path) + len(v.Time) + 32
	}
	b := append(make([]byte, 0, size), '[')
	for i := range list {
		v := &list[i]
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(append(b, '['), v.Value)
		b = appendText(append(b, ','), v.Kind)
		b = appendText(append(b, ','), v.Name)
		b = strconv.AppendInt(append(b, ','), int64(v.Bits), 10)
		b = appendText(append(b, ','), string(v.Path))
		b = appendText(append(b, ','), string(v.Direction))
		if v.Time != "" {
			b = appendText(append(b, ','), v.Time)
		}
		b = append(b, ']')
	}
	return string(append(b, ']'))
}

// appendText appends s as a JSON string.
func appendText(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			j, _ := json.Marshal(s) // of a string it cannot fail
			return append(b, j...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}

// valueRow is one of the lists in valuesJSON.
type valueRow inspect.Value

func (v *valueRow) UnmarshalJSON(data []byte) error {
	var path, direction string
	row := []any{&v.Value, &v.Kind, &v.Name, &v.Bits, &path, &direction, &v.Time}
	if err := json.Unmarshal(data, &row); err != nil {
		return err
	}
	if len(row) < 6 {
		return fmt.Errorf("a value has %d fields, not 6 or 7", len(row))
	}
	v.Path, v.Direction = inspect.Path(path), flow.Direction(direction)
	return nil
}

// parseValues reads what valuesJSON wrote.
func parseValues(text string) ([]inspect.Value, error) { return appendValues(nil, text) }

// appendValues appends what valuesJSON wrote to list.
func appendValues(list []inspect.Value, text string) ([]inspect.Value, error) {
	if text == "" {
		return list, nil
	}
	if fast, ok := scanValues(list, text); ok {
		return fast, nil
	}
	var rows []valueRow
	if err := json.Unmarshal([]byte(text), &rows); err != nil {
		return nil, err
	}
	for i := range rows {
		list = append(list, inspect.Value(rows[i]))
	}
	return list, nil
}

// scanValues reads what valuesJSON wrote of values without an escape in them, which
// are nearly all, at many times the speed of encoding/json.
func scanValues(list []inspect.Value, text string) ([]inspect.Value, bool) {
	take := func(c byte) bool {
		if text != "" && text[0] == c {
			text = text[1:]
			return true
		}
		return false
	}
	word := func(into *string) bool {
		if !take('"') {
			return false
		}
		for i := range len(text) {
			switch c := text[i]; {
			case c == '"':
				*into, text = text[:i], text[i+1:]
				return true
			case c < ' ' || c > '~' || c == '\\':
				return false
			}
		}
		return false
	}
	if !take('[') {
		return nil, false
	}
	for n := 0; !take(']'); n++ {
		if n > 0 && !take(',') {
			return nil, false
		}
		var v inspect.Value
		var path, direction string
		if !take('[') || !word(&v.Value) || !take(',') || !word(&v.Kind) || !take(',') || !word(&v.Name) || !take(',') {
			return nil, false
		}
		digits := 0
		for ; digits < len(text) && digits < 9 && text[digits] >= '0' && text[digits] <= '9'; digits++ {
			v.Bits = 10*v.Bits + int(text[digits]-'0')
		}
		text = text[digits:]
		if digits == 0 || !take(',') || !word(&path) || !take(',') || !word(&direction) {
			return nil, false
		}
		if take(',') && !word(&v.Time) || !take(']') {
			return nil, false
		}
		v.Path, v.Direction = inspect.Path(path), flow.Direction(direction)
		list = append(list, v)
	}
	return list, text == ""
}
