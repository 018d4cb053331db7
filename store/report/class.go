package report

import (
	"fmt"
	"html/template"
	"slices"
	"strings"

	"constat/inspect"
)

// style is how a class is named and coloured, here and nowhere else. Colours are
// dark enough for white text on them (WCAG 2.2, contrast of 4.5 to 1) and differ in
// lightness where their neighbours in charts would be confused.
type style struct {
	class  inspect.Class
	label  string // in tables
	phrase string // in a sentence: "text messages (SMS)"
	colour string
}

var styles = []style{
	{inspect.SMS, "Text messages (SMS)", "text messages (SMS)", "#a3262a"},
	{inspect.Photo, "Photographs", "photographs or data about them", "#8a3b8f"},
	{inspect.Contacts, "Contacts", "contacts", "#a8500f"},
	{inspect.CallLog, "Call log", "the call log", "#7d4a2d"},
	{inspect.Email, "E-mail", "e-mail", "#b03a6b"},
	{inspect.Notes, "Notes", "notes", "#7a6a12"},
	{inspect.Location, "Location", "the location", "#1d6f5c"},
	{inspect.BrowsingHistory, "Browsing history", "addresses of pages that were visited or searched", "#4c55a8"},
	{inspect.AppList, "List of apps", "the list of installed apps", "#5e6b1f"},
	{inspect.Credentials, "Credentials", "passwords, tokens or other credentials", "#5b2e2e"},
	{inspect.Identifiers, "Identifiers", "identifiers of the phone, its SIM card or its user", "#1f5a96"},
	{inspect.DeviceStats, "Device statistics", "statistics of the device", "#3f6f87"},
	{inspect.GreetingContent, "Greeting content", "preset greetings, jokes or poems", "#2f7a3a"},
	{inspect.UpdateCheck, "Update check", "checks for updates", "#5f6b78"},
	{inspect.Opaque, "Unreadable (opaque)", "data that is encrypted or random and could not be read", "#3a3d42"},
}

// other is what requests without a class are drawn in.
const other = "#c9ced5"

func styleOf(c inspect.Class) style {
	if i := slices.IndexFunc(styles, func(s style) bool { return s.class == c }); i >= 0 {
		return styles[i]
	}
	return style{c, string(c), strings.ReplaceAll(string(c), "_", " "), "#5f6b78"}
}

// rank is the place of a class in the order of reports.
func rank(c inspect.Class) int {
	if i := slices.Index(inspect.Classes, c); i >= 0 {
		return i
	}
	return len(inspect.Classes)
}

// badge is the name of the CSS class of c. It is made of known words only.
func badge(c inspect.Class) string {
	if slices.ContainsFunc(styles, func(s style) bool { return s.class == c }) {
		return "c-" + string(c)
	}
	return "c-unknown"
}

// colours is the part of the style sheet that the classes have.
func colours() template.CSS {
	var b strings.Builder
	for _, s := range styles {
		fmt.Fprintf(&b, ".c-%s{--c:%s}", s.class, s.colour)
	}
	fmt.Fprintf(&b, ".c-unknown{--c:#5f6b78}.c-none{--c:%s}\n", other)
	return template.CSS(b.String())
}
