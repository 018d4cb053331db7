package compare

import (
	"fmt"
	"strings"
	"time"
)

// why is the sentence of a row in English.
func why(r *Row) string {
	switch r.Change {
	case More, Less:
		return whyChanged(r)
	case Hidden:
		has, of, name, not := r.SessionsB, r.OfB, "B", "A"
		if r.OfB == 0 || r.A > 0 {
			has, of, name, not = r.SessionsA, r.OfA, "A", "B"
		}
		return fmt.Sprintf("Seen in %s of %s, and in %s the phone connected there and nothing could be read: what it sent cannot be told.", outOf(has, of), name, not)
	}
	has, of, name, not, ofNot := r.SessionsB, r.OfB, "B", "A", r.OfA
	if r.Change == Vanish {
		has, of, name, not, ofNot = r.SessionsA, r.OfA, "A", "B", r.OfB
	}
	var b strings.Builder
	none := fmt.Sprintf("in none of %d", ofNot)
	if ofNot == 1 {
		none = "not in the one session"
	}
	fmt.Fprintf(&b, "Seen in %s of %s and %s of %s", outOf(has, of), name, none, not)
	if r.Untold > 0 {
		fmt.Fprintf(&b, "; %d more could not tell, because nothing could be read there", r.Untold)
	}
	if r.Cause == OneSession {
		b.WriteString(". One session on a side can be chance: repeat it.")
		return b.String()
	}
	fmt.Fprintf(&b, " %s.%s It may still come in up to %.0f %% of the sessions of %s.", chanceWords(r.P), amongMany(r), 100*r.Unseen, not)
	return b.String()
}

func whyChanged(r *Row) string {
	rates := fmt.Sprintf("%s per hour in A and %s in B; ", perHour(r.PerHourA), perHour(r.PerHourB))
	switch r.Cause {
	case OneSession:
		return rates + "one session on a side can be chance: repeat it."
	case Separate:
		return rates + "every session of one side has more than every session of the other " + chanceWords(r.P) + "." + amongMany(r)
	}
	return rates + "but the sessions of the sides overlap."
}

// Held reports whether a row is called less than its p alone would allow, because so
// many things were compared that chance is expected to make such rows.
func (r *Row) Held() bool {
	return (r.Cause == Parted || r.Cause == Separate) && sureness(r.P, 0, r.OfA, r.OfB) != r.Sure
}

func amongMany(r *Row) string {
	if !r.Held() {
		return ""
	}
	return fmt.Sprintf(" So many things were compared that chance is expected to make %.0f of 100 rows like it.", 100*r.Chance)
}

func perHour(x float64) string {
	if x >= 10 {
		return fmt.Sprintf("%.0f", x)
	}
	return fmt.Sprintf("%.2g", x)
}

// chanceWords says what a p means.
func chanceWords(p float64) string {
	if p >= 0.1 {
		return fmt.Sprintf("(chance alone does that in %.0f of 100 cases)", 100*p)
	}
	return fmt.Sprintf("(chance alone does that in %.2g of 100 cases)", 100*p)
}

func outOf(n, of int) string {
	if of == 1 {
		return fmt.Sprintf("%d of 1 session", n)
	}
	return fmt.Sprintf("%d of %d sessions", n, of)
}

// sentence is that of a caution in English.
func (c *Caution) sentence() string {
	switch c.Word {
	case "one_session":
		return "One side has one session only: any difference can be chance. Repeat the test, at least three times a side."
	case "few_sessions":
		return "One side has two sessions only: nothing can be sure. Five a side are needed for that."
	case "stopped":
		return fmt.Sprintf("Sessions that were stopped before their end are left out: %d.", c.Count)
	case "length":
		return fmt.Sprintf("The sessions of the sides differ in length: on average %s in A and %s in B.", spell(c.Sides[0]), spell(c.Sides[1]))
	case "coverage":
		if side, share, one := c.OneSided(); one {
			return fmt.Sprintf("Of the bytes that left the phone %s could be read in %s: what differs in the rest is not seen.", percent(share), side)
		}
		return fmt.Sprintf("Of the bytes that left the phone %s could be read in A and %s in B: what differs in the rest is not seen, and what seems to appear or vanish may only have become readable or unreadable.",
			percent(c.Sides[0]), percent(c.Sides[1]))
	case "not_inspected":
		return fmt.Sprintf("%d requests were not inspected: their classes, planted values and identifiers are not counted. Run 'constat inspect'.", c.Count)
	case "device":
		return fmt.Sprintf("The devices are not the same: %s in A and %s in B.", listed(c.Differ[0].A), listed(c.Differ[0].B))
	case "declared":
		return fmt.Sprintf("What was declared of the device differs: %s.", c.names())
	case "conditions":
		return fmt.Sprintf("The sides differ in more than what is compared: %s.", c.values())
	case "persona":
		return "The cases have different planted values, so that planted values and identifiers of one cannot be in the other."
	case "tool":
		return fmt.Sprintf("The cases were recorded by different builds: %s and %s. Run 'constat inspect' on both, so that one build looked at all.", listed(c.Differ[0].A), listed(c.Differ[0].B))
	case "control":
		return "A case has no positive control ('constat protocol run' makes one): whether what is sent is seen at all was not shown."
	case "chance":
		return fmt.Sprintf("%d things were compared. If the sides did not differ at all, chance alone would part up to about %.2g of them with a p of 0.1 or less; %.0f are. What is left of a row after that is in its word: sure, likely or open.",
			c.Count, c.Sides[0], c.Sides[1])
	case "cut":
		return fmt.Sprintf("There is too much to compare all; a sample was: %s. Choose fewer sessions, or one device.", c.samples())
	}
	return ""
}

// OneSided returns the side whose share could be measured, if it is only one: in the
// sessions of the other no connection was opened.
func (c *Caution) OneSided() (side string, share float64, one bool) {
	switch {
	case len(c.Sides) != 2:
	case c.Sides[0] < 0:
		return "B", c.Sides[1], true
	case c.Sides[1] < 0:
		return "A", c.Sides[0], true
	}
	return "", 0, false
}

func (c *Caution) names() string {
	var list []string
	for _, d := range c.Differ {
		list = append(list, d.Name)
	}
	return strings.Join(list, ", ")
}

func (c *Caution) values() string {
	var list []string
	for _, d := range c.Differ {
		if d.A == nil && d.B == nil { // the end of a list that was cut
			list = append(list, d.Name)
			continue
		}
		list = append(list, fmt.Sprintf("%s (%s in A, %s in B)", d.Name, declared(d.A), declared(d.B)))
	}
	return strings.Join(list, "; ")
}

func (c *Caution) samples() string {
	var list []string
	for _, d := range c.Differ {
		list = append(list, fmt.Sprintf("of %s keys 1 in %d", d.Name, d.Count))
	}
	if c.Count > 0 {
		list = append(list, fmt.Sprintf("of hosts that could not be read the first %d", c.Count))
	}
	return strings.Join(list, ", ")
}

// percent is rounded down: 100 % is all of it.
func percent(x float64) string { return fmt.Sprintf("%d %%", int(100*x)) }

func spell(seconds float64) string {
	return time.Duration(seconds * float64(time.Second)).Round(time.Second).String()
}

func listed(list []string) string { return strings.Join(list, ", ") }

// declared lists the values of a factor; "none" can be one of them.
func declared(list []string) string {
	if len(list) == 0 {
		return "not declared"
	}
	return listed(list)
}

// bounded is the first few of a list, none of them long.
func bounded(list []string) (out []string) {
	const most, longest = 5, 60
	for i, s := range list {
		if i == most {
			return append(out, "…")
		}
		if runes := []rune(s); len(runes) > longest {
			s = string(runes[:longest]) + "…"
		}
		out = append(out, s)
	}
	return out
}
