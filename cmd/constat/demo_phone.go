package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"
	"time"

	"github.com/coder/websocket"

	"constat/certs"
	"constat/inspect/canary"
	"constat/store"
)

// demoPhone is the simulated phone: its apps speak HTTP through the proxy and
// trust its CA, but for one.
type demoPhone struct {
	persona *canary.Persona
	apps    *http.Client // trust the CA, HTTP/2 where offered
	pinned  *http.Client // trusts its own server's CA only
}

func newDemoPhone(proxyAddr string, ca *certs.CA, p *canary.Persona) *demoPhone {
	through := http.ProxyURL(&url.URL{Scheme: "http", Host: proxyAddr})
	trust := x509.NewCertPool()
	trust.AddCert(ca.Certificate())
	return &demoPhone{
		persona: p,
		apps: &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{
			Proxy: through, TLSClientConfig: &tls.Config{RootCAs: trust}, ForceAttemptHTTP2: true, DisableCompression: true,
		}},
		pinned: &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{
			Proxy: through, TLSClientConfig: &tls.Config{RootCAs: x509.NewCertPool()},
		}},
	}
}

// act goes through the scenes, each one a session of the case.
func (d *demoPhone) act(ctx context.Context, c *store.Case, say func(string, ...any)) error {
	defer d.apps.CloseIdleConnections()
	off := map[string]string{"cloud": "off", "account": "none", "screen": "off", "network": "wifi"}
	with := func(more ...string) map[string]string {
		m := map[string]string{}
		for k, v := range off {
			m[k] = v
		}
		for i := 0; i < len(more); i += 2 {
			m[more[i]] = more[i+1]
		}
		return m
	}
	scenes := []struct {
		name    string
		factors map[string]string
		what    string
		play    func(context.Context) error
	}{
		{"idle", off, "the phone lies idle, cloud off: update check, statistics", d.idle},
		{"greetings", off, "the messaging app downloads greetings", d.greetings},
		{"sms", with("screen", "on"), "a text message comes in, and is reported to the same host", d.message},
		{"contact", with("screen", "on"), "a contact is created, and its number is looked up", d.contact},
		{"photo", with("screen", "on", "cloud", "on", "account", "demo"), "cloud on: a photo is taken and uploaded", d.photo},
		{"push", with("screen", "on"), "the push channel opens (WebSocket)", d.push},
		{"bank", with("screen", "on"), "an app refuses the certificate and cannot be read", d.bank},
	}
	for i, s := range scenes {
		if i > 0 {
			// Time passes, as it does for a person, and can be seen in the timeline.
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(scenePause):
			}
		}
		say("%-10s %s", s.name, s.what)
		if err := c.Mark(ctx, s.name, s.factors, s.what); err != nil {
			return err
		}
		if err := s.play(ctx); err != nil {
			return fmt.Errorf("demo scene %s: %w", s.name, err)
		}
		// The bytes of a connection count in the session in which it was opened.
		d.apps.CloseIdleConnections()
	}
	if err := recorded(ctx, c, demoBank); err != nil {
		return err
	}
	return c.Mark(ctx, "", nil, "")
}

// recorded waits until a connection to host has its row: the client has hung up
// before the proxy has read why.
func recorded(ctx context.Context, c *store.Case, host string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for {
		var n int
		if err := c.DB().QueryRowContext(ctx, "SELECT count(*) FROM connections WHERE host = ?", host).Scan(&n); err != nil || n > 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// scenePause is the time between two scenes.
const scenePause = 1200 * time.Millisecond

const demoAgent = "Dalvik/2.1.0 (Linux; U; Android 4.4.2; Demo Phone Build/DEMO1)"

func (d *demoPhone) do(ctx context.Context, method, target, contentType string, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, method, target, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("User-Agent", demoAgent)
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	resp, err := d.apps.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

func (d *demoPhone) get(ctx context.Context, target string) error {
	return d.do(ctx, http.MethodGet, target, "", nil)
}

func (d *demoPhone) form(ctx context.Context, target string, values url.Values) error {
	return d.do(ctx, http.MethodPost, target, "application/x-www-form-urlencoded", []byte(values.Encode()))
}

// packed is base64(gzip(JSON)), as analytics libraries send it.
func packed(v any) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	json.NewEncoder(z).Encode(v)
	z.Close()
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

func (d *demoPhone) idle(ctx context.Context) error {
	event := map[string]any{
		"event": "app_start", "time": time.Now().UnixMilli(), "type": "track",
		"lib": map[string]any{"$lib": "Android", "$lib_version": "5.0.2"},
		"properties": map[string]any{
			"$manufacturer": "Demo", "$model": "Demo Phone", "$os": "Android", "$os_version": "4.4.2",
			"$screen_width": 720, "$screen_height": 1280, "battery_level": 0.81, "network_type": "wifi", "carrier": "Demo Mobile",
			"memory_free_mb": 412, "uptime": 86213, "imei": d.persona.Get("imei").Value, "android_id": d.persona.Get("android_id").Value,
		},
	}
	return errors.Join(
		d.get(ctx, "https://"+demoUpdate+"/check?device=demo&version=V5.2.2.0&carrier=demo"),
		d.form(ctx, "https://"+demoStats+"/sa?project=demo", url.Values{"data_list": {packed([]any{event})}, "gzip": {"1"}}),
		d.get(ctx, "http://"+demoMessages+"/v2/res/version"),
		d.get(ctx, "https://"+demoExpired+"/never"),
	)
}

func (d *demoPhone) greetings(ctx context.Context) error {
	return errors.Join(
		d.get(ctx, "https://"+demoMessages+"/v2/res/messages?cat=3&marker=2100&count=20"),
		d.get(ctx, "https://"+demoCloud+"/wallpaper/today.svg"),
	)
}

func (d *demoPhone) message(ctx context.Context) error {
	report := map[string]any{
		"address": d.persona.Get("sms-1.sender").Value, "body": d.persona.Get("sms-1.text").Value,
		"date": time.Now().UnixMilli(), "type": 1, "read": 0,
	}
	return d.form(ctx, "https://"+demoMessages+"/v2/report", url.Values{"app": {"messaging"}, "data": {packed(report)}})
}

func (d *demoPhone) contact(ctx context.Context) error {
	number := strings.ReplaceAll(d.persona.Get("contact-1.phone").Value, " ", "")
	return d.get(ctx, "https://"+demoAccount+"/presence?phone="+url.QueryEscape(number))
}

func (d *demoPhone) photo(ctx context.Context) error {
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	err := m.WriteField("album", "Camera")
	part, perr := m.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {`form-data; name="file"; filename="IMG_20140731_134500.jpg"`}, "Content-Type": {"image/jpeg"},
	})
	if err := errors.Join(err, perr); err != nil {
		return err
	}
	for _, c := range d.persona.Canaries {
		if c.Kind == canary.PhotoFile {
			part.Write(c.Photo.Data)
			break
		}
	}
	if err := m.Close(); err != nil {
		return err
	}
	return d.do(ctx, http.MethodPost, "https://"+demoCloud+"/gallery/upload", m.FormDataContentType(), b.Bytes())
}

func (d *demoPhone) push(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	// WebSockets need HTTP/1.1.
	t := d.apps.Transport.(*http.Transport).Clone()
	t.ForceAttemptHTTP2, t.TLSClientConfig.NextProtos = false, []string{"http/1.1"}
	defer t.CloseIdleConnections()
	ws, _, err := websocket.Dial(ctx, "wss://"+demoPush+"/channel", &websocket.DialOptions{HTTPClient: &http.Client{Transport: t}})
	if err != nil {
		return err
	}
	defer ws.CloseNow()
	if _, _, err := ws.Read(ctx); err != nil {
		return err
	}
	hello, err := json.Marshal(map[string]any{"type": "register", "android_id": d.persona.Get("android_id").Value, "apps": []string{"com.example.notes", "com.example.mail"}})
	if err != nil {
		return err
	}
	if err := ws.Write(ctx, websocket.MessageText, hello); err != nil {
		return err
	}
	if _, _, err := ws.Read(ctx); err != nil {
		return err
	}
	return ws.Close(websocket.StatusNormalClosure, "")
}

func (d *demoPhone) bank(ctx context.Context) error {
	resp, err := d.pinned.Get("https://" + demoBank + "/balance")
	if err == nil {
		resp.Body.Close()
		return errors.New("the app that trusts nobody was answered")
	}
	return nil
}
