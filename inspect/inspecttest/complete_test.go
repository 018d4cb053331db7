package inspecttest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
)

func TestIncomplete(t *testing.T) {
	const all = "-- all.go --\npackage p\nvar All = []inspect.Decoder{\n\tA,\n\tB,\n\t// C: too slow\n}\n"
	const a = "-- a.go --\npackage p\nvar A = inspect.Decoder{}\n"
	const b = "-- b.go --\npackage p\nvar B = inspect.Decoder{}\n"
	for _, c := range []struct {
		name, files string
		want        []string
	}{
		{"whole", all + a + b, nil},
		{"left out with the reason", all + a + b + "-- c.go --\npackage p\nvar C = inspect.Decoder{}\n", nil},
		{"other types", all + a + b + "-- d.go --\npackage p\nvar D = inspect.Limits{}\nfunc f() { var E = inspect.Decoder{}; _ = E }\n", nil},
		{"forgotten", all + a + b + "-- d.go --\npackage p\nvar D = inspect.Decoder{}\n", []string{
			"d.go: D is neither in All nor, with the reason, among those left out in all.go",
		}},
		{"two in one file", all + "-- a.go --\npackage p\nvar A, B = inspect.Decoder{}, inspect.Decoder{}\n", []string{
			"a.go: A, B in one file, want a file for each",
		}},
		{"nothing behind a line", all + a, []string{"All lists B, which is not a variable written as inspect.Decoder{...}"}},
		{"nothing at all", "-- all.go --\npackage p\nvar All = []inspect.Decoder{A}\n", []string{
			"no variable of type inspect.Decoder", "All lists A, which is not a variable written as inspect.Decoder{...}",
		}},
	} {
		dir := t.TempDir()
		for _, f := range txtar.Parse([]byte(c.files)).Files {
			if err := os.WriteFile(filepath.Join(dir, f.Name), f.Data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		got, err := incomplete(dir, "Decoder")
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
	if _, err := incomplete(t.TempDir(), "Decoder"); err == nil {
		t.Error("a folder without all.go is accepted")
	}
}
