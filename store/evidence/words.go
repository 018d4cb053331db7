package evidence

import (
	"fmt"
	"time"
)

// words says in plain words what the check proves and what it does not.
func (v *bundleCheck) words() {
	if !v.Verified {
		v.NotProven = append(v.NotProven, "Nothing can be relied on before the problems are explained: ask for another copy of the bundle.")
		return
	}
	proven := func(format string, args ...any) { v.Proven = append(v.Proven, fmt.Sprintf(format, args...)) }
	open := func(format string, args ...any) { v.NotProven = append(v.NotProven, fmt.Sprintf(format, args...)) }

	proven("Whoever holds the key %s signed a log of %d entries; of these, the %d that are shown here are, to the last bit, what was signed, in that order, without any removed, inserted or exchanged since.",
		v.Verifier, v.Records, v.Records-v.Withheld)
	proven("Of %s, %d values are shown, and each is the one that was logged.", count(v.Values+v.Hidden, "sealed value"), v.Values)
	if v.Bodies > 0 {
		proven("The %d bodies are the ones that the records name.", v.Bodies)
	}
	if v.Checkpoints > 1 {
		proven("All %d checkpoints, from %s to %s, are about one log that only grew.", v.Checkpoints, v.First, v.Last)
	}
	if v.Signed {
		proven("The same key signed the manifests: reports, HAR and the copy of the database are those that were packed with the records.")
	}
	if s := v.Stamp; s != nil && s.Trusted {
		proven("The log with all its entries, shown or withheld, existed at %s: %q said so, whom you chose to trust.", s.Time.Format(time.RFC3339), s.Signer)
	}
	if r := v.Replay; r.Same+r.Leads > 0 {
		proven("Of %s, %d paths lead from the stored bytes to what the finding quotes, and %d to a piece that it describes as a picture, which this program does not look at.",
			count(r.Findings, "finding"), r.Same, r.Leads)
	}

	open("That nothing else was sent. The log holds what came through the proxy and could be recorded; what it could not read is in the connections, and how much that was in the coverage. An inclusion proof says that an entry is in the log, not that the log has all that happened.")
	open("That the log began with the capture and that no other one was kept beside it: who holds the key can write another history. A checkpoint that was given away earlier, or a time stamp, contradicts it.")
	if v.Stamp == nil || !v.Stamp.Trusted {
		open("When it happened. All times are of the clock of the machine that recorded.")
	} else {
		open("That it happened at the times in the records: they are of the clock of the machine that recorded. The time stamp only says when the log was there at the latest. Manifests, reports and all else that was packed with it can be younger, and whether the authority's certificate was revoked was not asked.")
	}
	open("Who holds the key. That it belongs to the person who says so has to be known from elsewhere.")
	open("What a finding means. A path shows which bytes it is about; that they are a text message or a photo is an opinion with a reason, certain only where a planted value was found.")
	if v.Withheld > 0 {
		open("What the %d withheld entries say, or of which kind they are. Only their number and their places are known.", v.Withheld)
	}
	if v.Hidden > 0 {
		open("What the %d withheld values are. They are fixed by their commitments: who has them can show them later, and nobody can show others. What stands in their place in masked form is the word of whoever exported the bundle.", v.Hidden)
	}
	if r := v.Replay; r.Withheld > 0 {
		open("That %d findings are about what they say: the bytes are withheld.", r.Withheld)
	}
	if r := v.Replay; r.Pieces > 0 {
		open("That %d findings in files that were sent in several requests are about what they say: this program does not put those together. An inspection of the case does.", r.Pieces)
	}
	if !v.Signed {
		open("That reports, HAR and the copy of the database come from the records.")
	} else {
		open("That reports, HAR and the copy of the database say the same as the records: they are for reading, the records are the evidence.")
	}
	open("That verify/VERIFY.md is harmless: it is text of whoever packed the bundle. Read what a command does before you run it.")
}

func count(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
