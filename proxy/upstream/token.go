package upstream

// tokens holds the characters of a token (RFC 9110, section 5.6.2).
var tokens = func() (set [0x80]bool) {
	for _, c := range []byte("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") {
		set[c] = true
	}
	return set
}()

// isToken says whether s is a token: a valid method or field name.
func isToken[T string | []byte](s T) bool {
	for i := range len(s) {
		if c := s[i]; c >= 0x80 || !tokens[c] {
			return false
		}
	}
	return len(s) > 0
}
