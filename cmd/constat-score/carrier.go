package main

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"

	"constat/inspect"
	"constat/proxy/flow"
)

// carrier is one way in which a program puts a value on the wire.
type carrier struct {
	name string
	// unseen carriers are used in the held-out samples only.
	unseen bool
	// nameless carriers do not transport the names of the fields: only what is
	// recognisable by its values can be asked for.
	nameless bool
	// pack returns nil when the value cannot be carried this way.
	pack func(g *gen, path string, v any) *inspect.Subject
}

// carriers are the ways up. Those for the way down are fewer: downCarriers.
var carriers = []carrier{
	{"json", false, false, func(_ *gen, path string, v any) *inspect.Subject { return up("POST", path, appJSON, js(v)) }},
	{"form, base64 of gzip", false, false, func(g *gen, path string, v any) *inspect.Subject {
		return form(path, g.oneOf("data_list", "data", "payload", "value"), b64(gz(js(v))), "gzip", "1")
	}},
	{"json, gzip", false, false, func(_ *gen, path string, v any) *inspect.Subject { return coded(path, "gzip", gz(js(v))) }},
	{"json in json", false, false, func(g *gen, path string, v any) *inspect.Subject {
		return up("POST", path, appJSON, js(m{"v": 2, g.oneOf("payload", "body", "data", "msg"): string(js(v))}))
	}},
	{"msgpack", false, false, func(_ *gen, path string, v any) *inspect.Subject {
		return up("POST", path, "application/msgpack", msgpack(v))
	}},
	{"form, json", false, false, func(g *gen, path string, v any) *inspect.Subject {
		return form(path, g.oneOf("json", "params", "content"), string(js(v)), "format", "json")
	}},
	{"xml", false, false, func(g *gen, path string, v any) *inspect.Subject {
		return up("POST", path, "text/xml; charset=utf-8", xmlOf(g.oneOf("request", "sync", "root"), v))
	}},
	{"multipart, json file", false, false, func(_ *gen, path string, v any) *inspect.Subject {
		body, ct := upload("file", "data.json", appJSON, js(v), map[string]string{"format": "1"})
		return up("POST", path, ct, body)
	}},
	{"websocket text", false, false, func(g *gen, path string, v any) *inspect.Subject {
		return frame(path, js([]any{g.oneOf("event", "sync", "push"), v}), true)
	}},
	{"php arrays", false, false, func(_ *gen, path string, v any) *inspect.Subject { return phpForm(path, v) }},
	{"protobuf, grpc", false, true, func(_ *gen, path string, v any) *inspect.Subject {
		return up("POST", path, "application/grpc+proto", grpcFrame(protobuf(v)))
	}},
	{"zip", false, false, func(_ *gen, path string, v any) *inspect.Subject {
		return up("PUT", path, "application/zip", zipped(map[string][]byte{"meta.txt": []byte("1\n"), "data.json": js(v)}))
	}},
	{"graphql", false, false, func(_ *gen, path string, v any) *inspect.Subject {
		return up("POST", "/graphql", appJSON, js(m{
			"operationName": "Push", "query": "mutation Push($input: PushInput!) { push(input: $input) { ok } }", "variables": m{"input": v},
		}))
	}},
	{"plist", false, false, func(_ *gen, path string, v any) *inspect.Subject {
		return up("POST", path, "application/x-apple-plist", plistXML(v))
	}},
	{"form, percent twice", false, false, func(_ *gen, path string, v any) *inspect.Subject {
		return up("POST", path, appForm, []byte("q="+url.QueryEscape(url.QueryEscape(string(js(v))))))
	}},
	{"query, base64url", false, false, func(g *gen, path string, v any) *inspect.Subject {
		return subject("GET", path+"?"+g.oneOf("d", "data", "e")+"="+base64.RawURLEncoding.EncodeToString(js(v)))
	}},
	{"sqlite", false, false, func(g *gen, path string, v any) *inspect.Subject {
		rows := table(tree(v))
		if rows == nil {
			return nil
		}
		file := sqliteFile(g.oneOf("items", "backup", "t"), rows)
		if file == nil {
			return nil
		}
		return up("PUT", path, "application/octet-stream", file)
	}},
	{"lines of json", false, false, func(_ *gen, path string, v any) *inspect.Subject {
		rows := table(tree(v))
		if len(rows) < 2 {
			return nil
		}
		var b bytes.Buffer
		for _, row := range rows {
			b.Write(append(js(row), '\n'))
		}
		return up("POST", path, "application/x-ndjson", b.Bytes())
	}},
	{"json, brotli", false, false, func(_ *gen, path string, v any) *inspect.Subject {
		var b bytes.Buffer
		w := brotli.NewWriter(&b)
		_, _ = w.Write(js(v)) // a bytes.Buffer takes everything
		_ = w.Close()
		return coded(path, "br", b.Bytes())
	}},
	{"websocket msgpack", false, false, func(_ *gen, path string, v any) *inspect.Subject { return frame(path, msgpack(v), false) }},
	{"upload in pieces", false, false, func(g *gen, path string, v any) *inspect.Subject {
		data := js(v)
		half := len(data) / 2
		s := up("PATCH", path, "application/offset+octet-stream", data[half:])
		s.Request.Header.Set("Upload-Offset", fmt.Sprint(half))
		s.Upload = &inspect.Upload{Data: data, Name: "export.json", Media: appJSON, Exchanges: []int64{7, 8}}
		return s
	}},
	{"csv", false, false, func(g *gen, path string, v any) *inspect.Subject {
		rows := table(tree(v))
		if len(rows) < 2 {
			return nil
		}
		return up("POST", path, "text/csv", csvOf(rows, g.oneOf(",", ";")))
	}},

	{"cbor", true, false, func(_ *gen, path string, v any) *inspect.Subject {
		return up("POST", path, "application/cbor", cbor(v))
	}},
	{"soap", true, false, func(_ *gen, path string, v any) *inspect.Subject {
		inner := bytes.TrimPrefix(xmlOf("ns1:Submit", v), []byte(`<?xml version="1.0" encoding="UTF-8"?>`+"\n"))
		return up("POST", path, "text/xml", []byte(`<?xml version="1.0"?><SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/"><SOAP-ENV:Body>`+string(inner)+`</SOAP-ENV:Body></SOAP-ENV:Envelope>`))
	}},
	{"form, hex", true, false, func(_ *gen, path string, v any) *inspect.Subject {
		return form(path, "p", hex.EncodeToString(js(v)), "enc", "hex")
	}},
	{"tar, gzip", true, false, func(_ *gen, path string, v any) *inspect.Subject {
		return up("PUT", path, "application/gzip", gz(tarred("export/data.json", js(v))))
	}},
	{"binary plist", true, false, func(_ *gen, path string, v any) *inspect.Subject {
		return up("POST", path, "application/x-plist", plistBinary(v))
	}},
	{"json, zstd", true, false, func(_ *gen, path string, v any) *inspect.Subject {
		w, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
		if err != nil {
			panic(err) // the options are constants
		}
		return coded(path, "zstd", w.EncodeAll(js(v), nil))
	}},
	{"header, base64", true, false, func(_ *gen, path string, v any) *inspect.Subject {
		data := js(v)
		if len(data) > 3000 {
			return nil
		}
		s := subject("GET", path)
		s.Request.Header.Set("X-Context", b64(data))
		return s
	}},
	{"base64 twice", true, false, func(_ *gen, path string, v any) *inspect.Subject {
		return up("POST", path, "text/plain", []byte(b64([]byte(b64(js(v))))))
	}},
	{"yaml", true, false, func(_ *gen, path string, v any) *inspect.Subject {
		return up("PUT", path, "application/yaml", yamlOf(v))
	}},
	{"batch of requests", true, false, func(_ *gen, path string, v any) *inspect.Subject {
		const cut = "--batch_01\r\nContent-Type: application/http\r\n\r\n"
		return up("POST", "/batch", "multipart/mixed; boundary=batch_01",
			[]byte(cut+"POST "+path+" HTTP/1.1\r\nContent-Type: application/json\r\n\r\n"+string(js(v))+"\r\n--batch_01--\r\n"))
	}},
	{"websocket deflated", true, false, func(_ *gen, path string, v any) *inspect.Subject {
		var b bytes.Buffer
		w, err := flate.NewWriter(&b, flate.DefaultCompression)
		if err != nil {
			panic(err) // the level is a constant
		}
		_, _ = w.Write(js(v)) // a bytes.Buffer takes everything
		_ = w.Flush()
		s := frame(path, bytes.TrimSuffix(b.Bytes(), []byte("\x00\x00\xff\xff")), true) // RFC 7692, 7.2.1
		s.FrameDeflated = true
		return s
	}},
	{"websocket socket.io", true, false, func(_ *gen, path string, v any) *inspect.Subject {
		return frame("/socket.io/?EIO=4&transport=websocket", append([]byte("42"), js([]any{"upload", v})...), true)
	}},
}

// downCarriers answer a request that says nothing.
var downCarriers = []carrier{
	{"json", false, false, func(_ *gen, path string, v any) *inspect.Subject { return down(path, appJSON, js(v)) }},
	{"json, gzip", false, false, func(_ *gen, path string, v any) *inspect.Subject {
		s := down(path, appJSON, gz(js(v)))
		s.Response.Header.Set("Content-Encoding", "gzip")
		return s
	}},
	{"wrapped", false, false, func(_ *gen, path string, v any) *inspect.Subject {
		return down(path, "application/json; charset=utf-8", js(m{"code": 0, "msg": "ok", "data": v}))
	}},
	{"xml", false, false, func(_ *gen, path string, v any) *inspect.Subject {
		return down(path, "text/xml", xmlOf("response", v))
	}},
	{"guarded json", false, false, func(_ *gen, path string, v any) *inspect.Subject {
		return down(path, appJSON, append([]byte(")]}'\n"), js(v)...))
	}},
	{"jsonp", true, false, func(_ *gen, path string, v any) *inspect.Subject {
		return down(path+"?callback=cb1", "text/javascript", []byte("cb1("+string(js(v))+");"))
	}},
	{"websocket text", true, false, func(_ *gen, path string, v any) *inspect.Subject {
		s := frame(path, js(v), true)
		s.FrameDirection = flow.Down
		return s
	}},
	{"msgpack", true, false, func(_ *gen, path string, v any) *inspect.Subject {
		return down(path, "application/x-msgpack", msgpack(v))
	}},
}

// form is a posted form of names and values.
func form(path string, fields ...string) *inspect.Subject {
	var parts []string
	for i := 0; i+1 < len(fields); i += 2 {
		parts = append(parts, url.QueryEscape(fields[i])+"="+url.QueryEscape(fields[i+1]))
	}
	return up("POST", path, appForm, []byte(strings.Join(parts, "&")))
}

// query is a request without body.
func query(path string, fields ...string) *inspect.Subject {
	s := form(path, fields...)
	s.Query = string(s.Request.Body)
	s.Method, s.Request.Body = "GET", nil
	s.Request.Header.Del("Content-Type")
	return s
}

func phpForm(path string, v any) *inspect.Subject {
	var fields []string
	bracketed("", tree(v), func(k, v string) { fields = append(fields, k, v) })
	return form(path, fields...)
}

// coded is a JSON body with a content coding.
func coded(path, coding string, body []byte) *inspect.Subject {
	s := up("POST", path, appJSON, body)
	s.Request.Header.Set("Content-Encoding", coding)
	return s
}

// frame is a WebSocket message up.
func frame(path string, data []byte, text bool) *inspect.Subject {
	s := subject("GET", path)
	s.Status = 101
	s.Request.Header.Set("Upgrade", "websocket")
	s.Frame, s.FrameText, s.FrameDirection = data, text, flow.Up
	return s
}

// fields posts multipart/form-data without files.
func multipartFields(path string, fields ...string) *inspect.Subject {
	const cut = "----WebKitFormBoundary7MA4YWxk"
	var b bytes.Buffer
	for i := 0; i+1 < len(fields); i += 2 {
		fmt.Fprintf(&b, "--%s\r\nContent-Disposition: form-data; name=\"%s\"\r\n\r\n%s\r\n", cut, fields[i], fields[i+1])
	}
	fmt.Fprintf(&b, "--%s--\r\n", cut)
	return up("POST", path, "multipart/form-data; boundary="+cut, b.Bytes())
}
