package detect

import (
	"testing"

	"constat/inspect"
)

// FuzzKinds compares what is said of a value by the kinds of its bytes first with what
// is said of it by reading it.
func FuzzKinds(f *testing.F) {
	for _, s := range []string{
		"+33639981122", "tel:+33639981122", " 0639981122;5", "06 39 98 11 22", "12345", "2026-11-20T10:00:00Z", "tel://0639981122", "xtel:0639981122",
		"Odile:+33639981122;Paul:0639981122", "a|1234567", "06XXXXXX22", "\u0660\u0661\u0662\u0663\u0664\u0665\u0666\u0667", "5e884898da28047151d0e56f8dc62927", "Zk81kd02mQ8fZx==",
		"IMG_20140731_134500.jpg", "/DCIM/Camera/a.HEIC?x#y", "12.3456", "Missed call from +33639981122, 3:25", "CALL IN 0639981122",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) == 0 || len(b) > 600 {
			return
		}
		p := &inspect.Part{Data: b, Kind: inspect.Text}
		check := func(what string, got, want bool) {
			if got != want {
				t.Errorf("%s(%q) = %v", what, b, got)
			}
		}
		for least := shortCode; least <= fullPhone; least++ {
			check("holdsPhone", holdsPhone(p, least), telephone(b) >= least)
		}
		check("joinsPhone", joinsPhone(p), joins(b, func(v []byte) bool { return telephone(v) >= bareDigits }))
		check("isDigest", isDigest(p), digest(b) > 0)
		check("isCameraFile", isCameraFile(p), len(b) <= 300 && cameraName(string(b)) != "")
		if _, _, _, number := callPhrase(b); number && !numberIn(b) {
			t.Errorf("no number in %q", b)
		}
	})
}
