package report

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"constat/inspect"
	"constat/inspect/decode"
	"constat/inspect/detect"
)

// many is an invented table with a company and a country for each host.
type many struct{}

func (many) Lookup(host string, _ netip.Addr) inspect.Owner {
	n := 0
	if _, err := fmt.Sscanf(host, "host-%d.", &n); err != nil || n == 0 {
		return inspect.Owner{}
	}
	return inspect.Owner{Name: fmt.Sprintf("Company %d", n), Country: string([]byte{'A' + byte(n%26), 'A' + byte(n%7)})}
}

// TestFlowIsBounded draws flows to many operators and countries.
func TestFlowIsBounded(t *testing.T) {
	b := newBuilder(t)
	if got := b.html(b.options()); strings.Contains(got, "class=\"flow\"") || !strings.Contains(got, "there is no flow to draw") {
		t.Error("an empty case has a flow")
	}
	var err error
	if b.in, err = inspect.New(inspect.Config{Decoders: decode.All, Detectors: detect.All, Owners: many{}, Build: "test"}); err != nil {
		t.Fatal(err)
	}
	const hosts = 40
	for i := range hosts {
		for range 1 + i%3 {
			b.exchange("POST", fmt.Sprintf("https://host-%d.example/p", i), "Content-Type: application/json\r\n",
				fmt.Appendf(nil, `{"smsText":"See you at eight","senderNumber":"+33639980123","receiveTime":1793608200000,"type":1,"thread_id":%d}`, i), 200, "", nil)
		}
	}
	b.inspect()
	f := b.gather().Flow
	sum, unknown := int64(0), false
	for _, r := range f.Rows {
		if r.Class == inspect.SMS {
			sum += r.Requests
			unknown = unknown || r.Operator == "not known (host-0.example)" && r.Country == "not declared"
		}
	}
	if want := int64(hosts + (hosts-1)/3 + 2*((hosts-2)/3+1) - (hosts-2)/3 - 1); sum < want || !unknown {
		t.Errorf("%d requests in the flow, at least %d; a host without a known operator is named: %v", sum, want, unknown)
	}
	for _, p := range []*FlowPlot{f.wide, f.narrow, f.paper} {
		columns := map[float64]int{}
		for _, n := range p.Nodes {
			columns[n.X]++
			if n.Y < 0 || n.Y+n.Height > p.Height+1 || n.X+n.Width > p.Width {
				t.Errorf("a node is outside: %+v", n)
			}
		}
		if len(columns) != 4 || len(p.Nodes) > 1+len(inspect.Classes)+maxOperators+maxCountries || len(p.Bands) > 200 {
			t.Errorf("%d columns, %d nodes, %d bands", len(columns), len(p.Nodes), len(p.Bands))
		}
		for _, band := range p.Bands {
			if band.Y0 < 0 || band.Y1+band.Height > p.Height+8 {
				t.Errorf("a band is outside: %+v", band)
			}
		}
	}
	page := b.html(b.options())
	if strings.Count(page, "<svg class=\"flow\"") != 2 || !strings.Contains(page, "33 others") {
		t.Error("the page has not the two pictures, or does not fold the rest")
	}
}
