package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"constat/store"
)

func TestOffered(t *testing.T) {
	session := func(stopped bool, factors ...string) store.Session {
		s := store.Session{Factors: map[string]string{}, Stopped: stopped}
		for i := 0; i < len(factors); i += 2 {
			s.Factors[factors[i]] = factors[i+1]
		}
		return s
	}
	for name, x := range map[string]struct {
		sessions []store.Session
		want     [][2]string
	}{
		"none":      {nil, nil},
		"one value": {[]store.Session{session(false, "cloud", "off"), session(false, "cloud", "off")}, nil},
		"first on the left": {
			[]store.Session{session(false, "cloud", "on"), session(false, "cloud", "off")},
			[][2]string{{"cloud=on", "cloud=off"}},
		},
		"alike once": {
			[]store.Session{session(false, "account", "none", "cloud", "off", "screen", "off"), session(false, "account", "demo", "cloud", "on", "screen", "off"), session(false, "account", "demo", "cloud", "on", "screen", "on")},
			[][2]string{{"account=none", "account=demo"}, {"screen=off", "screen=on"}},
		},
		"three values": {[]store.Session{session(false, "rom", "a"), session(false, "rom", "b"), session(false, "rom", "c")}, nil},
		"controls and stopped ones": {
			[]store.Session{session(false, "cloud", "off"), session(true, "cloud", "on"), session(false, "cloud", "on", "control", "positive")},
			nil,
		},
	} {
		if diff := cmp.Diff(x.want, offered(x.sessions)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
