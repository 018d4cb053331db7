package store

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"constat/proxy/flow"
	"constat/store/evidence"
)

// TestOpenRecordsReadBack writes the facts of open exchanges as the journal does,
// with any bytes in them, and reads them back.
func TestOpenRecordsReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.Custom(func(t *rapid.T) string { return string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")) })
		want := &flow.Exchange{
			Connection: rapid.Int64().Draw(t, "connection"), Device: text.Draw(t, "device"), Host: rapid.String().Draw(t, "host"),
			Path: text.Draw(t, "path"), Query: text.Draw(t, "query"), Port: rapid.Uint16().Draw(t, "port"),
			Began:  time.UnixMicro(rapid.Int64Range(0, 1<<52).Draw(t, "began")).UTC(),
			Server: netip.AddrPortFrom(netip.AddrFrom4([4]byte(rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "address"))), 443),
		}
		want.Request.Head = rapid.SliceOf(rapid.Byte()).Draw(t, "head")
		want.Request.Exact = rapid.Bool().Draw(t, "exact")
		list := []byte{'['}
		for i, v := range exchangeKind.values(nil, want) {
			if i > 0 {
				list = append(list, ',')
			}
			list = evidence.AppendJSON(list, &v)
		}
		got, err := decodeOpen(exchangeKind, string(append(list, ']')))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, facts); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	})
}

func FuzzDecodeOpen(f *testing.F) {
	f.Add("[]")
	f.Add(`[1,"a","b","2014-07-20T08:00:00.000000Z",5,"","","",0,"","","","",1,null,null,null,null,null,null,null,0,"",0,null,null,null,null,null,null,null,""]`)
	f.Fuzz(func(t *testing.T, facts string) {
		r, err := decodeOpen(exchangeKind, facts)
		if err == nil && r == nil {
			t.Error("neither a record nor an error")
		}
	})
}
