package decode

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protowire"

	"constat/inspect"
)

// field appends a field to a message: text or a message as string or bytes, a
// varint as int, a double as float64.
func field(b []byte, number protowire.Number, value any) []byte {
	switch v := value.(type) {
	case string:
		return protowire.AppendString(protowire.AppendTag(b, number, protowire.BytesType), v)
	case []byte:
		return protowire.AppendBytes(protowire.AppendTag(b, number, protowire.BytesType), v)
	case int:
		return protowire.AppendVarint(protowire.AppendTag(b, number, protowire.VarintType), uint64(v))
	case float64:
		return protowire.AppendFixed64(protowire.AppendTag(b, number, protowire.Fixed64Type), math.Float64bits(v))
	}
	panic(fmt.Sprintf("%T", value))
}

func message(fields ...any) (b []byte) {
	for i := 0; i < len(fields); i += 2 {
		b = field(b, protowire.Number(fields[i].(int)), fields[i+1])
	}
	return b
}

// records lists the records of a message as "group: name=value name=value".
func records(t *testing.T, data []byte) []string {
	t.Helper()
	tree, damage := newInspector(t, inspect.Limits{}).Unwrap(context.Background(), body("application/x-protobuf", "", data))
	if len(damage) > 0 {
		t.Errorf("damage %v", damage)
	}
	var out []string
	for r := range tree.Records() {
		if r.Parent == nil || r.Fields[0].Decoder() != "protobuf" {
			continue
		}
		line := r.Group + ":"
		for _, f := range r.Fields {
			line += fmt.Sprintf(" %s=%s", f.Name, f.Data)
		}
		out = append(out, line)
	}
	return out
}

// What stands together in a message is one record; the values of attributes and
// of entries of maps are one under their keys; what only looks like an entry, a
// person and a number, is none.
func TestProtobufRecords(t *testing.T) {
	attribute := func(key string, value []byte) []byte { return message(1, key, 2, value) }
	for _, c := range []struct {
		name string
		data []byte
		want []string
	}{
		{
			"messages", message(1, message(1, "+33612345678", 2, "Dinner?", 3, 1406700000), 1, message(1, "+33698765432", 2, "Yes.", 3, 1406700060)),
			[]string{"1: 1=+33612345678 2=Dinner? 3=1406700000", "1[1]: 1=+33698765432 2=Yes. 3=1406700060"},
		},
		{
			"attributes", message(1, message(1, attribute("device.model.name", message(1, "HM NOTE")), 1, attribute("geo.lat", message(4, 48.85837)), 1, attribute("tags", message(5, message(1, message(1, "a"), 1, message(1, "b")))))),
			[]string{"1.1: 1=device.model.name", "1.1[]: device.model.name=HM NOTE geo.lat=48.85837", "1.1[1]: 1=geo.lat", "1.1[2]: 1=tags", "1.1[2].2.5.1: tags=a", "1.1[2].2.5.1[1]: tags=b"},
		},
		{
			"map", message(1, "x", 3, message(1, "imei", 2, "865371020412345"), 3, message(1, "Carrier", 2, 46000)),
			[]string{": 1=x", "3: 1=imei", "3[]: imei=865371020412345 Carrier=46000", "3[1]: 1=Carrier"},
		},
		{
			"person", message(7, message(1, "Camille", 2, "+33612345678")),
			[]string{"7: 1=Camille 2=+33612345678"},
		},
		{
			"three fields", message(7, message(1, "imei", 2, "865371020412345", 3, 1)),
			[]string{"7: 1=imei 2=865371020412345 3=1"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, records(t, c.data)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Whatever message is nested in another, no byte of its strings is lost.
func TestProtobufText(t *testing.T) {
	for n := 1; n < 300; n++ { // lengths that are line feeds, spaces and letters, too
		text := fmt.Sprintf("%0*d", n, n)
		got := records(t, message(2, message(1, text), 3, 1406700000))
		want := []string{"2: 1=" + text, ": 3=1406700000"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%d characters (-want +got):\n%s", n, diff)
		}
	}
}

func BenchmarkProtobuf(b *testing.B) {
	var data []byte
	for i := range 400 {
		data = field(data, 4, message(1, "+33612345678", 2, "Dinner at eight? The table is by the window.", 3, 1406700000+i, 4, message(1, 48.85837, 2, 2.294481)))
	}
	for name, media := range map[string]string{"declared": "application/x-protobuf", "undeclared": "application/octet-stream"} {
		b.Run(name, func(b *testing.B) {
			in := newInspector(b, inspect.Limits{})
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				in.Inspect(context.Background(), body(media, "", data))
			}
		})
	}
}

// Digests, keys and identifiers in a message stay what they are: hashed forms of
// planted values are looked for in them.
func TestProtobufBytes(t *testing.T) {
	in := newInspector(t, inspect.Limits{})
	r := rand.New(rand.NewPCG(5, 6))
	for _, n := range []int{8, 12, 16, 20, 24, 28, 32, 48, 64, 256} {
		const tries = 2000
		lost := 0
		for range tries {
			b := make([]byte, n)
			for i := range b {
				b[i] = byte(r.Uint32())
			}
			tree, _ := in.Unwrap(context.Background(), body("application/x-protobuf", "", message(1, "device", 2, b, 3, 1406700000)))
			if p := tree.Part("request.body|protobuf:2"); p == nil || !bytes.Equal(p.Data, b) {
				lost++
			}
		}
		t.Logf("%d bytes: %.2f %% taken apart", n, 100*float64(lost)/tries)
		if lost > tries/100 {
			t.Errorf("%d of %d values of %d random bytes are taken apart", lost, tries, n)
		}
	}
}
