package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"constat/inspect/canary"
)

// A persona is kept in a JSON file of its own, and in each case that it was
// planted for.

func readPersona(name string) (*canary.Persona, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	p, err := canary.Read(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return p, nil
}

func inventPersona(locale string) (*canary.Persona, error) {
	p, err := canary.New(rand.Reader, locale)
	if err != nil {
		return nil, usageError{err}
	}
	return p, nil
}

func personaJSON(p *canary.Persona) ([]byte, error) {
	var b bytes.Buffer
	err := p.Write(&b)
	return b.Bytes(), err
}

// fingerprint tells personas apart without giving a value away.
func fingerprint(personaJSON []byte) string {
	sum := sha256.Sum256(personaJSON)
	return hex.EncodeToString(sum[:8])
}

// addValue adds a value that the phone already has. The canary is named after
// its kind, and numbered from the second one on.
func addValue(p *canary.Persona, kind, value string) error {
	if canary.Kind(kind) == canary.PhotoFile {
		return errors.New("photos are added with --photos FOLDER")
	}
	if _, err := p.Put(canary.Canary{Name: kind, Kind: canary.Kind(kind), Value: value}); err != nil {
		return fmt.Errorf("%.20s: %w", kind, err)
	}
	return nil
}

// ownValues names files with what a phone already has.
type ownValues struct {
	values, contacts, sms, photos string
	country                       string
}

func (o *ownValues) empty() bool { return *o == ownValues{country: o.country} }

// addTo adds the contents of the files to p, and says in a line each what came of
// it. No value is in these lines.
func (o *ownValues) addTo(p *canary.Persona) (notes []string, err error) {
	for _, f := range []struct {
		name string
		add  func(*canary.Persona, io.Reader) (string, error)
	}{{o.values, addDevice}, {o.contacts, o.addContacts}, {o.sms, addSMSes}} {
		if f.name == "" {
			continue
		}
		file, err := os.Open(f.name)
		if err != nil {
			return nil, err
		}
		note, err := f.add(p, file)
		if err := errors.Join(err, file.Close()); err != nil {
			return nil, usageError{fmt.Errorf("%s: %w", f.name, err)}
		}
		notes = append(notes, f.name+": "+note)
	}
	if o.photos != "" {
		note, err := addPhotos(p, o.photos)
		if err != nil {
			return nil, err
		}
		notes = append(notes, o.photos+": "+note)
	}
	return notes, nil
}

func addDevice(p *canary.Persona, r io.Reader) (string, error) {
	list, err := canary.ReadValues(r)
	if err != nil {
		return "", err
	}
	if len(list) == 0 {
		return "", errors.New("no value is filled in")
	}
	for _, c := range list {
		if _, err := p.Put(c); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%d values", len(list)), nil
}

// tally counts what was added and what was not, and why.
type tally struct {
	added, known int
	left         map[string]int
}

func (t *tally) put(p *canary.Persona, c canary.Canary) {
	switch ok, err := p.Put(c); {
	case err != nil:
		t.leave(err.Error())
	case ok:
		t.added++
	default:
		t.known++
	}
}

func (t *tally) leave(why string) {
	if t.left == nil {
		t.left = make(map[string]int)
	}
	t.left[why]++
}

func (t *tally) String() string {
	out := fmt.Sprintf("%d values added", t.added)
	if t.known > 0 {
		out += fmt.Sprintf(", %d were there already", t.known)
	}
	for _, why := range slices.Sorted(maps.Keys(t.left)) {
		out += fmt.Sprintf("; %d left out: %s", t.left[why], why)
	}
	return out
}

func (o *ownValues) addContacts(p *canary.Persona, r io.Reader) (string, error) {
	list, err := canary.ReadContacts(r)
	if err != nil {
		return "", err
	}
	var t tally
	for i, c := range list {
		id := fmt.Sprintf("own-contact-%d", i+1)
		if c.Name != "" {
			t.put(p, canary.Canary{Name: id + ".name", Kind: canary.ContactName, Value: c.Name})
		}
		for _, v := range c.Phones {
			if n := canary.International(v, o.country); n == "" {
				t.leave("no country code in the number: give --country")
			} else {
				t.put(p, canary.Canary{Name: id + ".phone", Kind: canary.ContactPhone, Value: n})
			}
		}
		for _, v := range c.Emails {
			t.put(p, canary.Canary{Name: id + ".email", Kind: canary.ContactEmail, Value: v})
		}
	}
	return t.String(), nil
}

func addSMSes(p *canary.Persona, r io.Reader) (string, error) {
	list, err := canary.ReadSMSes(r)
	if err != nil {
		return "", err
	}
	var t tally
	for i, m := range list {
		id := fmt.Sprintf("own-sms-%d", i+1)
		if m.Sender != "" {
			t.put(p, canary.Canary{Name: id + ".sender", Kind: canary.SMSSender, Value: m.Sender})
		}
		if m.Text != "" {
			t.put(p, canary.Canary{Name: id + ".text", Kind: canary.SMSText, Value: m.Text})
		}
	}
	return t.String(), nil
}

// maxPhoto is the largest photo that is read.
const maxPhoto = 64 << 20

// converters are programs that read more kinds of picture than Constat does, as
// far as they are installed. They are given pictures of the user's own only:
// nothing that came over the network.
var converters = [][]string{
	{"heif-convert", "-q", "90", "IN", "OUT"},
	{"magick", "IN[0]", "-auto-orient", "OUT"},
	{"convert", "IN[0]", "-auto-orient", "OUT"},
	{"ffmpeg", "-loglevel", "quiet", "-i", "IN", "-frames:v", "1", "OUT"},
	{"sips", "-s", "format", "jpeg", "IN", "--out", "OUT"},
}

// rendition returns the picture in file as a JPEG, nil if no program on this
// computer can make one.
func rendition(file string) []byte {
	dir, err := os.MkdirTemp("", "constat-photo-")
	if err != nil {
		return nil
	}
	defer os.RemoveAll(dir)
	if file, err = filepath.Abs(file); err != nil {
		return nil
	}
	out := filepath.Join(dir, "photo.jpg")
	for _, c := range converters {
		if _, err := exec.LookPath(c[0]); err != nil {
			continue
		}
		args := make([]string, len(c)-1)
		for i, a := range c[1:] {
			args[i] = strings.NewReplacer("IN", file, "OUT", out).Replace(a)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		err := exec.CommandContext(ctx, c[0], args...).Run()
		cancel()
		if data, err2 := os.ReadFile(out); err == nil && err2 == nil && len(data) > 0 {
			return data
		}
	}
	return nil
}

// addPhotos adds the pictures of a folder. Their bytes stay where they are: the
// persona keeps hashes and a small square of brightness of each.
func addPhotos(p *canary.Persona, dir string) (string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", err
	}
	var t tally
	blind := 0
	for _, e := range entries {
		switch strings.ToLower(filepath.Ext(e.Name())) {
		case ".jpg", ".jpeg", ".png", ".webp", ".heic", ".heif", ".avif", ".dng":
		default:
			continue
		}
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		if info.Size() > maxPhoto {
			t.leave("larger than 64 MiB")
			continue
		}
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return "", err
		}
		photo, err := canary.NewPhoto(data)
		if err != nil {
			t.leave(err.Error())
			continue
		}
		if len(photo.Luma) == 0 && !photo.Look(rendition(filepath.Join(dir, e.Name()))) {
			blind++
		}
		t.put(p, canary.Canary{Name: "own-photo", Kind: canary.PhotoFile, Value: e.Name(), Photo: photo})
	}
	if t.added+t.known+len(t.left) == 0 {
		return "", hint{fmt.Errorf("%s holds no photo", dir), "give the folder with the .jpg or .heic files themselves"}
	}
	note := t.String()
	if blind > 0 {
		note += fmt.Sprintf("; %d are found by their bytes only, not when they were changed: to read HEIC and AVIF, install heif-convert (libheif-examples), ImageMagick or ffmpeg, and import again", blind)
	}
	return note, nil
}
