package canary

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// scanPlainly is numbers.scan byte by byte.
func (n *numbers) scanPlainly(data []byte, found func(number int32, start, end int) bool) {
	for i := 0; i < len(data); i++ {
		if data[i]-'0' > 9 {
			continue
		}
		if i > 0 && data[i-1] == '%' {
			i++
			continue
		}
		if !n.at(data, i, found) {
			return
		}
		for i+1 < len(data) && data[i+1]-'0' < 10 {
			i++
		}
	}
}

func TestNumbersAgainstPlainScan(t *testing.T) {
	m := matcher(t,
		Canary{Name: "p", Kind: Phone, Value: "+33639984712"}, Canary{Name: "i", Kind: IMEI, Value: "352099001761481"},
		Canary{Name: "g", Kind: Place, Value: "48.85837,2.294481"}, Canary{Name: "s", Kind: Place, Value: "-0.128765,-71.999951"})
	pieces := strings.Fields("+33639984712 0639984712 06.39.98.47.12 33 6 3998 352099001761481 35209900176148 48.85837 2.294481 2,294481 -0.128765 71.999951 " +
		"% %2 %20 %B %% - . , / ( ) x \xc2\xa0 \xe2\x80\xaf \xe2\x80\x91 0 9 12345678")
	r := rand.New(rand.NewPCG(5, 6))
	hits := 0
	for range 20_000 {
		var data []byte
		for range 1 + r.IntN(9) {
			data = append(data, pieces[r.IntN(len(pieces))]...)
			if r.IntN(3) == 0 {
				data = append(data, ' ')
			}
		}
		var want, got []string
		m.numbers.scanPlainly(data, func(number int32, start, end int) bool {
			want = append(want, fmt.Sprint(number, start, end))
			return true
		})
		m.numbers.scan(data, func(number int32, start, end int) bool {
			got = append(got, fmt.Sprint(number, start, end))
			return true
		})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%q (-want +got):\n%s", data, diff)
		}
		hits += len(got)
	}
	if hits < 1000 {
		t.Errorf("only %d hits", hits)
	}
}
