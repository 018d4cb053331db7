package report

import (
	"fmt"
	"html/template"
	"slices"
	"strings"

	"constat/inspect"
)

// style is how a class is coloured, here and nowhere else. Colours are
// dark enough for white text on them (WCAG 2.2, contrast of 4.5 to 1) and differ in
// lightness where their neighbours in charts would be confused.
type style struct {
	class  inspect.Class
	colour string
}

var styles = []style{
	{inspect.SMS, "#a3262a"},
	{inspect.Photo, "#8a3b8f"},
	{inspect.Contacts, "#a8500f"},
	{inspect.CallLog, "#7d4a2d"},
	{inspect.Email, "#b03a6b"},
	{inspect.Notes, "#7a6a12"},
	{inspect.Location, "#1d6f5c"},
	{inspect.BrowsingHistory, "#4c55a8"},
	{inspect.AppList, "#5e6b1f"},
	{inspect.Credentials, "#5b2e2e"},
	{inspect.Identifiers, "#1f5a96"},
	{inspect.DeviceStats, "#3f6f87"},
	{inspect.GreetingContent, "#2f7a3a"},
	{inspect.UpdateCheck, "#5f6b78"},
	{inspect.Opaque, "#3a3d42"},
}

// other is what requests without a class are drawn in.
const other = "#c9ced5"

func styleOf(c inspect.Class) style {
	if i := slices.IndexFunc(styles, func(s style) bool { return s.class == c }); i >= 0 {
		return styles[i]
	}
	return style{c, "#5f6b78"}
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
