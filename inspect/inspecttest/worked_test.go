package inspecttest_test

import (
	"constat/inspect"
)

// password is the detector that docs/adding-a-detector.md builds up.
var password = inspect.Detector{
	Name:   "password",
	Class:  inspect.Credentials,
	Doc:    "a password next to the name of its user, in one record that leaves the phone",
	Detect: detectPassword,
}

func detectPassword(t *inspect.Tree) []inspect.Finding {
	var found []inspect.Finding
	for r := range t.Records() {
		secret := r.Field("password", "passwd", "pwd")
		user := r.Field("user", "username", "login", "email")
		if r.Direction != "up" || secret == nil || user == nil || len(secret.Data) < 4 || secret.Kind != inspect.Text {
			continue
		}
		found = append(found, inspect.Finding{
			Confidence: inspect.Probable,
			Path:       secret.Path,
			Reason:     "A field named " + secret.Name + " is sent together with a field named " + user.Name + ".",
		})
	}
	return found
}
