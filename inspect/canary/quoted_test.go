package canary

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"constat/inspect"
)

// TestOrdinaryLanguage: what everybody writes is taken for nobody's message, also
// when a planted one is made of the same words.
func TestOrdinaryLanguage(t *testing.T) {
	m := matcher(t,
		Canary{Name: "long", Kind: SMSText, Value: "Hi mum, I am going to be late tonight because the train from Reading was cancelled again, can you feed the cat and put the oven on please"},
		Canary{Name: "token", Kind: SMSText, Value: "Happy new year to you and all your family, and here is your code: K7WQ2M9RX"},
		Canary{Name: "thai", Kind: SMSText, Value: "วันนี้ไปกินข้าวที่ร้านเดิมกันไหม เจอกันหกโมงเย็นหน้าห้างนะ อย่าลืมเอาร่มมาด้วยนะ ฝนอาจจะตก"})
	for _, text := range []string{
		"Hi mum, I am going to be late tonight", "Can you feed the cat and put the oven on please?", "the train was cancelled again",
		"Happy new year to you and all your family!", "Happy New Year to you and all your family, and here is your code: K7WQ2M9RY",
		"วันนี้ไปกินข้าวที่ร้านเดิมกันไหม", "อย่าลืมเอาร่มมาด้วยนะ", "ok", "", "&&&&&&&;;;;;;;", strings.Repeat("the train from Reading ", 50),
	} {
		if hits := m.Match(&inspect.Part{Data: []byte(text)}); len(hits) > 0 {
			t.Errorf("%q: found as %s of %s", text, hits[0].Form, hits[0].Canary)
		}
	}
}

func TestPassagesAreProof(t *testing.T) {
	for _, l := range Locales() {
		for _, c := range invented(t, l).Canaries {
			if c.Kind != SMSText && c.Kind != Note {
				continue
			}
			list := passages(c.Value)
			if len(list) == 0 {
				t.Errorf("%s %s: no passage is looked for", l, c.Name)
			}
			for _, p := range list {
				if entropy(p, inPassage) < minEntropy || !strings.Contains(c.Value, p) {
					t.Errorf("%s %s: a passage is no proof, or none of it", l, c.Name)
				}
			}
		}
	}
}

func FuzzBoil(f *testing.F) {
	for _, s := range []string{"Élodie &agrave; 7741", "가각\u1100\u1161", "ﬃ ½ Ⅷ ％", "\xff\xfe&#x;", "a\u0300\u0301", "𝔸𝕓 🔐"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		plain := boil(nil, data, nil)
		var origin []int32
		traced := boil(nil, data, &origin)
		if string(plain) != string(traced) || len(origin) != len(traced) {
			t.Fatalf("boiled down to %q, with places to %q and %d of them", plain, traced, len(origin))
		}
		for i, at := range origin {
			if int(at) >= len(data) || i > 0 && at < origin[i-1] {
				t.Fatal("places are out of order")
			}
		}
	})
}

func TestDigitRune(t *testing.T) {
	digits := 0
	for r := rune(0); r <= utf8.MaxRune; r++ {
		if !utf8.ValidRune(r) {
			continue
		}
		raw := utf8.AppendRune(nil, r)
		if bytes.ContainsAny(boil(nil, raw, nil), "0123456789") {
			digits++
			if !hasDigit(raw) {
				t.Errorf("%U is a digit, and not taken for one", r)
			}
		}
	}
	if digits < 200 {
		t.Errorf("only %d characters with digits", digits)
	}
	for _, s := range []string{"&#49;", "&frac12;", "&sup2;", "x&#x661;1"} {
		if !hasDigit([]byte(s)) {
			t.Errorf("%s has no digit", s)
		}
	}
	for _, s := range []string{"Élodie, “là-bas” — n'est-ce pas…", "今天、下午。", "&amp;&eacute;&", "\xe2\x80", "\xf0"} {
		if hasDigit([]byte(s)) {
			t.Errorf("%s has a digit", s)
		}
	}
}
