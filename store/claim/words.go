package claim

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"constat/store"
)

// Sentences for people, in English and French. None of them says that something
// was not sent: only that it was not seen, and where.

// frenchSpaces are the ones that French puts before its double signs, and that must
// not break.
var frenchSpaces = strings.NewReplacer(" :", "\u00a0:", " ;", "\u00a0;", " ?", "\u00a0?", " !", "\u00a0!", " %", "\u00a0%", "« ", "«\u00a0", " »", "\u00a0»")

func both(en, fr string) Text { return Text{"en": en, "fr": frenchSpaces.Replace(fr)} }

// join puts sentences one after the other.
func join(first Text, more ...Text) Text {
	out := Text{}
	for _, lang := range []string{"en", "fr"} {
		out[lang] = first.In(lang)
		for _, t := range more {
			out[lang] = strings.TrimSpace(out[lang] + " " + t[lang])
		}
	}
	return out
}

func count[N int | int64](n N, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.FormatInt(int64(n), 10) + " " + many
}

// few is count for French, where zero is singular and a number is not parted from its
// noun.
func few[N int | int64](n N, one, many string) string {
	if n == 0 || n == 1 {
		many = one
	}
	return strconv.FormatInt(int64(n), 10) + "\u00a0" + many
}

func percent(share float64) string {
	p := share * 100
	switch {
	case p > 0 && p < 1:
		return "less than 1 %"
	case p > 99 && p < 100:
		return "more than 99 %"
	}
	return strconv.Itoa(int(math.Round(p))) + " %"
}

func percentFR(share float64) string {
	return strings.NewReplacer("less than", "moins de", "more than", "plus de").Replace(percent(share))
}

func span(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return strconv.Itoa(int(d.Round(time.Second).Seconds())) + " s"
	case d < 3*time.Hour:
		return strconv.Itoa(int(d.Minutes())) + " min"
	}
	return strconv.FormatFloat(math.Floor(d.Hours()*10)/10, 'f', -1, 64) + " h"
}

func shortTime(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") + " UTC" }

// seenText says what decides.
func seenText(q *asked) Text {
	first := q.kept[0]
	name, nom := fmt.Sprintf("request %d", first.Request), fmt.Sprintf("la requête %d", first.Request)
	if first.Request == 0 {
		name, nom = fmt.Sprintf("connection %d", first.Connection), fmt.Sprintf("la connexion %d", first.Connection)
	}
	in, dans := "", ""
	if q.inside > 0 {
		in, dans = " in "+count(q.inside, "session", "sessions"), " dans "+few(q.inside, "session", "sessions")
	}
	en, fr := q.counted()
	return both(
		fmt.Sprintf("Seen in %s%s, to %s; the first is %s, %s, to %s.", en, in, count(q.hosts, "host", "hosts"), name, shortTime(first.Time), first.Host),
		fmt.Sprintf("Vu dans %s%s, vers %s ; la première est %s, %s, vers %s.", fr, dans, few(q.hosts, "hôte", "hôtes"), nom, shortTime(first.Time), first.Host))
}

// counted says in how many requests and connections the rows of a query are.
func (q *asked) counted() (en, fr string) {
	en, fr = count(q.requests, "request", "requests"), few(q.requests, "requête", "requêtes")
	if q.connections > 0 {
		c, d := count(q.connections, "connection", "connections"), few(q.connections, "connexion", "connexions")
		if q.requests == 0 {
			en, fr = c, d
		} else {
			en, fr = en+" and "+c, fr+" et "+d
		}
	}
	if q.more {
		en, fr = "more than "+en, "plus de "+fr
	}
	return en, fr
}

// notSeenText says what an answer rests on that rests on absence.
func notSeenText(m *store.Coverage, whole bool) Text {
	in, dans := "in "+count(m.Sessions, "session", "sessions"), "dans "+few(m.Sessions, "session", "sessions")
	if whole {
		in, dans = "in the whole case", "dans tout le dossier"
	}
	return both(
		fmt.Sprintf("This rests on what was not seen: %s, %s in all, %s came through the door and %s of the bytes sent could be read. It says nothing of what took another way.",
			in, span(m.Duration), count(m.Requests, "request", "requests"), percent(readable(m))),
		fmt.Sprintf("Cela repose sur ce qui n’a pas été vu : %s, %s en tout, %s par le point d’entrée et %s des octets envoyés ont pu être lus. Cela ne dit rien de ce qui a pris un autre chemin.",
			dans, span(m.Duration), few(m.Requests, "requête est passée", "requêtes sont passées"), percentFR(readable(m))))
}

// undecidedText names the first of what is missing.
func undecidedText(missing []Text) Text {
	if len(missing) == 0 {
		return both("This case does not decide it.", "Ce dossier ne permet pas de trancher.")
	}
	more, plus := "", ""
	if n := len(missing) - 1; n > 0 {
		more, plus = " And "+count(n, "more thing is missing.", "more things are missing."), " Et il manque encore "+few(n, "autre chose.", "autres choses.")
	}
	return both("This case does not decide it: "+lowered(missing[0]["en"])+more, "Ce dossier ne permet pas de trancher : "+lowered(missing[0]["fr"])+plus)
}

// lowered is a sentence behind a colon: without its capital, unless that is an
// abbreviation's.
func lowered(s string) string {
	r := []rune(s)
	if len(r) < 2 || unicode.IsUpper(r[1]) {
		return s
	}
	return string(unicode.ToLower(r[0])) + string(r[1:])
}

func onlyRow(v Verdict) Text {
	if v == Supported {
		return both("Only a request that shows it could decide, and none was seen: that proves nothing either way.",
			"Seule une requête qui le montre pourrait trancher, et aucune n’a été vue : cela ne prouve rien, dans aucun sens.")
	}
	return both("Only a request that contradicts it could decide, and none was seen: that proves nothing either way.",
		"Seule une requête qui le contredit pourrait trancher, et aucune n’a été vue : cela ne prouve rien, dans aucun sens.")
}

func parameterMissing(p *Parameter) Text {
	return both(
		fmt.Sprintf("A value for %s: %s Give it with --set %s=….", p.Name, p.Help.In("en"), p.Name),
		fmt.Sprintf("Une valeur pour %s : %s À donner avec --set %s=….", p.Name, p.Help.In("fr"), p.Name))
}

// sessionsMissing says how many more sessions of a role are needed, and how to mark
// one.
func sessionsMissing(r *Role, long int, n *Need, protocol string) Text {
	more := r.Needed - long
	lasting, durée := "", ""
	if r.Minutes > 0 {
		m := strconv.FormatFloat(r.Minutes, 'f', -1, 64)
		lasting, durée = " of "+m+" minutes or longer", " d’au moins "+m+" minutes"
	}
	short, courtes := "", ""
	if k := len(r.Sessions) - long; k > 0 {
		short, courtes = ", "+count(k, "shorter or stopped one", "shorter or stopped ones")+" besides", ", plus "+few(k, "trop courte ou interrompue", "trop courtes ou interrompues")
	}
	how, comment := "mark one with: constat mark "+n.example(), "en marquer une : constat mark "+n.example()
	if protocol != "" {
		how, comment = how+", or: constat protocol run "+protocol, comment+", ou : constat protocol run "+protocol
	}
	return both(
		fmt.Sprintf("%s%s in which %s (found %d of %d%s; %s).", count(more, "more session", "more sessions"), lasting, r.Title.In("en"), long, r.Needed, short, how),
		fmt.Sprintf("%s%s où %s (trouvées : %d sur %d%s ; %s).", "Encore "+few(more, "session", "sessions"), durée, r.Title.In("fr"), long, r.Needed, courtes, comment))
}

// example is a mark that fits.
func (n *Need) example() string {
	name, factors := n.Name, []string{}
	c := n.Match[0]
	keys := make([]string, 0, len(c))
	for k := range c {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		if slices.Contains(c[k], undeclared) {
			continue
		}
		v := c[k][0]
		if v == "*" || strings.HasPrefix(v, "!") {
			v = "…"
		}
		if k == "name" {
			name = v
		} else {
			factors = append(factors, k+"="+v)
		}
	}
	return strings.Join(append([]string{name}, factors...), " ")
}

func positiveText(sessions int, hits int64) Text {
	switch {
	case sessions == 0:
		return both("The positive control was not run: send a planted value on purpose in a session of its own (constat mark control control=positive), to show that it would be seen.",
			"Le contrôle positif n’a pas été fait : envoyer exprès une valeur témoin dans une session à part (constat mark control control=positive), pour montrer qu’elle serait vue.")
	case hits == 0:
		return both("The positive control was not seen: in the session marked as control no planted value was found on its way up. Send an invented one on purpose (constat persona new); until it is seen, not seeing something means nothing.",
			"Le contrôle positif n’a pas été vu : dans la session marquée comme contrôle, aucune valeur témoin n’a été trouvée en partance. En envoyer exprès une qui est inventée (constat persona new) ; tant qu’elle n’est pas vue, ne rien voir ne signifie rien.")
	}
	return both("The positive control was seen: "+count(hits, "planted value", "planted values")+" sent on purpose.",
		"Le contrôle positif a été vu : "+few(hits, "valeur témoin envoyée", "valeurs témoins envoyées")+" exprès.")
}

func negativeText(sessions, long int, minutes float64, connections, requests, lookups int64) Text {
	m := strconv.FormatFloat(minutes, 'f', -1, 64)
	switch {
	case sessions == 0:
		return both("The negative control was not run: a session with the phone switched off (constat mark off phone=off) shows that nothing else uses the door.",
			"Le contrôle négatif n’a pas été fait : une session avec le téléphone éteint (constat mark off phone=off) montre que rien d’autre n’utilise le point d’entrée.")
	case connections+requests > 0:
		return both(fmt.Sprintf("The negative control failed: with the phone switched off there were %s and %s.", count(connections, "connection", "connections"), count(requests, "request", "requests")),
			fmt.Sprintf("Le contrôle négatif a échoué : téléphone éteint, il y a eu %s et %s.", few(connections, "connexion", "connexions"), few(requests, "requête", "requêtes")))
	case lookups > 0:
		return both("The negative control failed: with the phone switched off the DNS was asked "+count(lookups, "time", "times")+".",
			"Le contrôle négatif a échoué : téléphone éteint, le DNS a été interrogé "+few(lookups, "fois", "fois")+".")
	case long == 0:
		return both("The negative control was too short, or stopped: it must last "+m+" minutes, as long as the sessions that it is compared with.",
			"Le contrôle négatif a été trop court, ou interrompu : il doit durer "+m+" minutes, autant que les sessions auxquelles on le compare.")
	}
	return both("The negative control was clean: nothing came through the door with the phone switched off.",
		"Le contrôle négatif est net : rien n’est passé par le point d’entrée, téléphone éteint.")
}

func controlFailed() Text {
	return both("With the phone switched off there was traffic, so what was seen cannot be laid to the phone: keep other devices away from the door, and repeat the test.",
		"Téléphone éteint, il y a eu du trafic : ce qui a été vu ne peut être attribué au téléphone. Écarter les autres appareils du point d’entrée et refaire le test.")
}

func plantedMissing(kind string) Text {
	return both("No value of the kind "+kind+" was planted: give the case a persona that has one (constat persona), put it on the phone, and repeat the test.",
		"Aucune valeur de type "+kind+" n’a été placée : donner au dossier une identité fictive qui en a une (constat persona), la mettre sur le téléphone et refaire le test.")
}

// unreadText says how much could not be read, and where it went.
func unreadText(r *Role, m *store.Coverage, required float64, domains []string) Text {
	where, où := "", ""
	if len(domains) > 0 {
		where, où = " to "+some(domains), " vers "+some(domains)
	}
	if r != nil {
		where, où = where+" in the sessions in which "+r.Title.In("en"), où+" dans les sessions où "+r.Title.In("fr")
	}
	var hosts []string
	for _, h := range m.Unread {
		if len(hosts) < 3 && h.BytesUp > 0 {
			hosts = append(hosts, h.Host)
		}
	}
	to, vers := "", ""
	if len(hosts) > 0 {
		to, vers = "; hosts never read: "+strings.Join(hosts, ", "), " ; hôtes jamais lus : "+strings.Join(hosts, ", ")
		if more := int64(len(m.Unread)-len(hosts)) + m.MoreUnread; more > 0 {
			to, vers = to+fmt.Sprintf(" and %d more", more), vers+fmt.Sprintf(" et %d autres", more)
		}
	}
	if m.OpaqueRequests > 0 {
		to += "; " + count(m.OpaqueRequests, "request holds", "requests hold") + " bytes that an app encrypted itself"
		vers += " ; " + few(m.OpaqueRequests, "requête contient", "requêtes contiennent") + " des octets chiffrés par une application"
	}
	share := 1 - readable(m)
	return both(
		fmt.Sprintf("%s of the bytes sent%s could not be read, and at most %s may be%s.", percent(share), where, percent(1-required), to),
		fmt.Sprintf("%s des octets envoyés%s n’ont pu être lus ; %s au plus sont admis%s.", percentFR(share), où, percentFR(1-required), vers))
}

func devicesText(devices []string) Text {
	return both(fmt.Sprintf("What decides comes from %d devices (%s): make sure that each is the phone that is spoken of.", len(devices), some(devices)),
		fmt.Sprintf("Ce qui tranche vient de %d appareils (%s) : s’assurer que chacun est le téléphone dont on parle.", len(devices), some(devices)))
}

// anybodyText says that an answer is not about one company.
func anybodyText() Text {
	return both("Counted is what went to anybody, since no domains were given (--set domains=…).",
		"Est compté ce qui est allé vers n’importe qui, aucun domaine n’ayant été donné (--set domains=…).")
}

// some names the first of a list.
func some(list []string) string {
	if len(list) > 3 {
		return strings.Join(list[:3], ", ") + ", …"
	}
	return strings.Join(list, ", ")
}

func nowhereText(domains []string) Text {
	list := some(domains)
	return both("Nothing at all went to "+list+" in this case, so that not seeming to send anything there says nothing: check the spelling, or take domains that 'constat query' lists.",
		"Rien du tout n’est allé vers "+list+" dans cette affaire ; ne rien y voir partir ne dit donc rien : vérifier l’orthographe, ou prendre des domaines que « constat query » énumère.")
}

func where(r *Role) (en, fr string) {
	return "the sessions in which " + r.Title.In("en"), "les sessions où " + r.Title.In("fr")
}

func blockedText(r *Role, hosts []string, narrow bool) Text {
	en, fr, how, comment := "", "", "Have", "Faire"
	if narrow {
		how, comment = "Narrow the claim down (--set domains=…), or have", "Restreindre la question (--set domains=…), ou faire"
	}
	if r != nil {
		a, b := where(r)
		en, fr = " in "+a, " dans "+b
	}
	list := some(hosts)
	return both("Never read, since no connection there came about (refused by the phone, or by or on the way to the server), so that what would have been sent is not known: "+list+en+". "+how+" these apps trust the certificate (docs/limits.md).",
		"Jamais lus, aucune connexion n’ayant abouti (refusée par le téléphone, ou par le serveur ou en chemin) ; ce qui y serait parti n’est pas connu : "+list+fr+". "+comment+" accepter le certificat à ces applications (docs/limits.md).")
}

func sessionsUnread(r *Role, read int, required float64) Text {
	en, fr := where(r)
	return both(fmt.Sprintf("Of %s only %d of %d could be read by %s each.", en, read, r.Needed, percent(required)),
		fmt.Sprintf("Parmi %s, %d sur %d seulement ont pu être lues à %s chacune.", fr, read, r.Needed, percentFR(required)))
}

func intoText(r *Role, connections, bytes int64) Text {
	en, fr := where(r)
	return both(fmt.Sprintf("%s with %d bytes from the phone could not be read and had begun before %s, so that nobody can tell what left in them: restart the phone's connections (airplane mode on and off) after each mark.",
		count(connections, "connection", "connections"), bytes, en),
		fmt.Sprintf("%s, avec %d octets venus du téléphone, n’ont pu être lues et avaient commencé avant %s ; nul ne peut dire ce qui y est parti : relancer les connexions du téléphone (mode avion, puis retour) après chaque marque.",
			few(connections, "connexion", "connexions"), bytes, fr))
}

func socketsText(r *Role, n int64) Text {
	en, fr := where(r)
	return both(fmt.Sprintf("%s had been opened before %s, and went on in them: restart the phone's connections (airplane mode on and off) after each mark.", count(n, "WebSocket or stream", "WebSockets or streams"), en),
		fmt.Sprintf("%s, qui avaient commencé avant %s, s’y sont poursuivies : relancer les connexions du téléphone (mode avion, puis retour) après chaque marque.", few(n, "WebSocket ou transmission continue", "WebSockets ou transmissions continues"), fr))
}

func untimedText(n int64) Text {
	return both("It was found on a WebSocket that outlasts the session in which it was opened, or in a stream that does ("+count(n, "place", "places")+"): nobody can tell in which session it left.",
		"Cela se trouve sur une WebSocket, ou dans une transmission continue, qui dure plus longtemps que la session où elle a commencé ("+few(n, "endroit", "endroits")+") : nul ne peut dire dans quelle session c’est parti.")
}

func tooLargeText(n int64) Text {
	return both(count(n, "body is", "bodies are")+" larger than the 16 MiB of a body that are inspected: what stands behind them nobody has looked at.",
		few(n, "corps dépasse", "corps dépassent")+" les 16 Mio qui sont examinés d’un corps : personne n’a regardé ce qui suit.")
}

func notMeasuredText() Text {
	return both("How much of the traffic was not read cannot be told: another tool made the capture, and says nothing of connections.",
		"La part du trafic qui n’a pas été lue ne peut être dite : la capture vient d’un autre outil, qui ne dit rien des connexions.")
}

func truncatedText(n int64) Text {
	return both(count(n, "body was", "bodies were")+" too large to be kept whole: record again with a higher --body-limit.",
		few(n, "corps était trop grand", "corps étaient trop grands")+" pour être gardés entiers : enregistrer à nouveau avec un --body-limit plus élevé.")
}

func lookupsText(n int64) Text {
	return both("The phone asked the DNS "+count(n, "time", "times")+": a name that is looked up is no contact with its server, and an answer that rests on nothing having left has to explain it (view dns).",
		"Le téléphone a interrogé le DNS "+few(n, "fois", "fois")+" : demander un nom n’est pas contacter son serveur, mais une réponse fondée sur l’absence de tout envoi doit l’expliquer (vue dns).")
}

func notInspectedText(n int64) Text {
	return both(count(n, "request has", "requests have")+" not been looked at yet: constat inspect.",
		few(n, "requête n’a", "requêtes n’ont")+" pas encore été examinées : constat inspect.")
}

// escapeNames are the words of store.Coverage.Escapes in sentences.
var escapeNames = map[string]Text{
	"quic":          {"en": "QUIC", "fr": "QUIC"},
	"raw_sockets":   {"en": "sockets that ignore the proxy setting", "fr": "les connexions qui ignorent le réglage du proxy"},
	"dns":           {"en": "DNS", "fr": "le DNS"},
	"mobile_data":   {"en": "mobile data (declare sim=none if there is no SIM)", "fr": "les données mobiles (déclarer sim=none s’il n’y a pas de SIM)"},
	"udp":           {"en": "UDP", "fr": "UDP"},
	"icmp":          {"en": "what is neither TCP nor UDP, such as pings", "fr": "ce qui n’est ni TCP ni UDP, comme les pings"},
	"sms":           {"en": "the SMS channel", "fr": "le canal SMS"},
	"before_tunnel": {"en": "what is sent before the tunnel is up", "fr": "ce qui part avant l’ouverture du tunnel"},
	"vpn_bypass":    {"en": "what the system or an app keeps out of VPNs", "fr": "ce que le système ou une application tient hors des VPN"},
	escapeUnknown:   {"en": "ways that are not known, since another tool made the capture", "fr": "des chemins inconnus, la capture venant d’un autre outil"},
}

func escapesText(ways []string) Text {
	var en, fr []string
	for _, w := range ways {
		name, ok := escapeNames[w]
		if !ok {
			name = Text{"en": w, "fr": w}
		}
		en, fr = append(en, name["en"]), append(fr, name["fr"])
	}
	return both("What leaves can pass the door by: "+strings.Join(en, ", ")+". Record through a door that these cannot pass (docs/limits.md).",
		"Ce qui part peut contourner le point d’entrée : "+strings.Join(fr, ", ")+". Enregistrer par un point d’entrée que ces chemins ne contournent pas (docs/limits.md).")
}

func lateText(q string, limit time.Duration) Text {
	return both(fmt.Sprintf("The query %s took longer than %s and was ended: give it more with --timeout.", q, span(limit)),
		fmt.Sprintf("La requête SQL %s a pris plus de %s et a été arrêtée : lui donner plus avec --timeout.", q, span(limit)))
}

func doubtsText(q *asked) Text {
	var names, noms []string
	for _, d := range q.kept {
		name := strconv.FormatInt(d.Request, 10)
		nom := name
		if d.Request == 0 {
			name = "connection " + strconv.FormatInt(d.Connection, 10)
			nom = "connexion " + strconv.FormatInt(d.Connection, 10)
		}
		if !slices.Contains(names, name) && len(names) < 5 {
			names, noms = append(names, name), append(noms, nom)
		}
	}
	more, plus := "", ""
	if q.requests+q.connections > int64(len(names)) {
		more, plus = " and more", " et d’autres"
	}
	en, fr := q.counted()
	return both("Perhaps in "+en+", which a person must look at: "+strings.Join(names, ", ")+more+" ("+q.kept[0].Reason+").",
		"Peut-être dans "+fr+", à examiner par une personne : "+strings.Join(noms, ", ")+plus+" (« "+q.kept[0].Reason+" »).")
}

func exampleMissing() Text {
	return both("What the claim is about was not seen to happen at all, so that nothing contradicts it says nothing: do on the phone what should cause it.",
		"Ce dont parle l’affirmation n’a pas été vu du tout ; que rien ne la contredise ne dit donc rien : faire sur le téléphone ce qui devrait le provoquer.")
}
