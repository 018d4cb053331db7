package claim

import "constat/store"

// ParseWith is Parse with a checker that is used again.
var ParseWith = parse

// Fits says whether a session plays the role.
func (n *Need) Fits(s *store.Session) bool { return n.fits(s) }
