package compare

import (
	"math/rand/v2"
	"testing"
)

// TestNothingDiffers deals hundreds of things to five sessions a side by chance alone,
// many times: hardly ever may a row be called sure, though by its own p one would be
// nearly each time.
func TestNothingDiffers(t *testing.T) {
	const cases, many, side = 400, 400, 5
	random := rand.New(rand.NewPCG(1, 2))
	called, alone := 0, 0
	for range cases {
		c := newChance()
		var rows []Row
		for range many {
			r := Row{OfA: side, OfB: side, P: 1}
			often := random.Float64()
			for i := range 2 * side {
				switch {
				case random.Float64() > often:
				case i < side:
					r.SessionsA++
				default:
					r.SessionsB++
				}
			}
			if (r.SessionsA == 0) != (r.SessionsB == 0) {
				r.Change, r.P = Appears, fisher(r.SessionsA, side, r.SessionsB, side)
				rows = append(rows, r)
			}
			c.add(&r)
		}
		sures, alones := 0, 0
		for i := range rows {
			if sureness(rows[i].P, c.share(&rows[i]), side, side) == "sure" {
				sures++
			}
			if sureness(rows[i].P, 0, side, side) == "sure" {
				alones++
			}
		}
		called += min(1, sures)
		alone += min(1, alones)
	}
	if called > cases*5/100 {
		t.Errorf("in %d of %d cases a row is called sure, and nothing differs", called, cases)
	}
	if alone < cases/10 {
		t.Errorf("in %d of %d cases only chance makes such a row: the test shows nothing", alone, cases)
	}
	t.Logf("%d of %d cases, by p alone %d", called, cases, alone)
}
