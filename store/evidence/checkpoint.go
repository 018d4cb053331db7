package evidence

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Checkpoint is a signed statement of how long the log is and what it holds, as
// a C2SP tlog-checkpoint (https://c2sp.org/tlog-checkpoint). Time is said in an
// extension line, "time 2006-01-02T15:04:05.000000Z".
type Checkpoint struct {
	Origin string // "constat/" and the case's id
	Size   int64  // leaves
	Root   tlog.Hash
	Time   string
}

// Origin is the first line of the checkpoints of a case, and the name of its
// signing key.
func Origin(caseID string) string { return "constat/" + caseID }

// TimeFormat is how times are written in records and checkpoints, in UTC.
const TimeFormat = "2006-01-02T15:04:05.000000Z"

// FormatTime writes t to the microsecond; "" for the zero time.
func FormatTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(TimeFormat)
}

// ParseTime reads what FormatTime wrote.
func ParseTime(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	return time.Parse(TimeFormat, s)
}

const timePrefix = "time "

// Text returns the checkpoint as it is signed.
func (c Checkpoint) Text() string {
	return c.Origin + "\n" + strconv.FormatInt(c.Size, 10) + "\n" +
		base64.StdEncoding.EncodeToString(c.Root[:]) + "\n" + timePrefix + c.Time + "\n"
}

// Sign returns the signed note of the checkpoint.
func (c Checkpoint) Sign(s note.Signer) ([]byte, error) {
	return note.Sign(&note.Note{Text: c.Text()}, s)
}

// OpenCheckpoint checks the signature of a signed note and reads it. It
// accepts only the one way of writing that Text has.
func OpenCheckpoint(signed []byte, v note.Verifier) (Checkpoint, error) {
	n, err := note.Open(signed, note.VerifierList(v))
	if err != nil {
		return Checkpoint{}, err
	}
	if err := canonicalNote(signed, n); err != nil {
		return Checkpoint{}, err
	}
	return parse(n.Text)
}

// canonicalNote checks that a note is written in the one way that Sign has. The
// same signature can be written in several ways: the last character of its base64
// has bits without meaning.
func canonicalNote(signed []byte, n *note.Note) error {
	sig, err := base64.StdEncoding.Strict().DecodeString(n.Sigs[0].Base64)
	if err != nil || len(n.Sigs)+len(n.UnverifiedSigs) != 1 ||
		string(signed) != n.Text+"\n— "+n.Sigs[0].Name+" "+base64.StdEncoding.EncodeToString(sig)+"\n" {
		return errNotCanonical
	}
	return nil
}

var errNotCanonical = errors.New("checkpoint is not in its one form")

func parse(text string) (c Checkpoint, err error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 5 || !strings.HasPrefix(lines[3], timePrefix) {
		return c, errors.New("not a checkpoint of a case")
	}
	c.Origin, c.Time = lines[0], lines[3][len(timePrefix):]
	if c.Size, err = strconv.ParseInt(lines[1], 10, 64); err != nil {
		return c, fmt.Errorf("parse checkpoint size: %w", err)
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(root) != len(c.Root) {
		return c, errors.New("parse checkpoint root: not a hash")
	}
	copy(c.Root[:], root)
	if t, err := ParseTime(c.Time); err != nil || t.IsZero() || FormatTime(t) != c.Time {
		return c, errors.New("parse checkpoint time: not a time")
	}
	if c.Size < 0 || c.Text() != text {
		return c, errNotCanonical
	}
	return c, nil
}

// openVerifier reads a verifier key. It accepts only the one way of writing that
// Verifier has.
func openVerifier(key string) (note.Verifier, error) {
	v, err := note.NewVerifier(key)
	if err != nil {
		return nil, err
	}
	notOne := errors.New("verifier key is not in its one form")
	parts := strings.SplitN(key, "+", 3) // base64 may have one, too
	pub, err := base64.StdEncoding.DecodeString(parts[len(parts)-1])
	if err != nil || len(pub) != 1+ed25519.PublicKeySize {
		return nil, notOne
	}
	if again, err := Verifier(v.Name(), pub[1:]); err != nil || again != key {
		return nil, notOne
	}
	return v, nil
}

// Signer signs checkpoints and bundles for a case.
type Signer = note.Signer

// NewSigner returns the signer called name that signs with key.
func NewSigner(name string, key ed25519.PrivateKey) (note.Signer, error) {
	const algorithm = 1 // Ed25519, https://c2sp.org/signed-note
	pub := append([]byte{algorithm}, key.Public().(ed25519.PublicKey)...)
	sum := sha256.Sum256(append([]byte(name+"\n"), pub...))
	seed := append([]byte{algorithm}, key.Seed()...)
	return note.NewSigner(fmt.Sprintf("PRIVATE+KEY+%s+%08x+%s", name,
		binary.BigEndian.Uint32(sum[:]), base64.StdEncoding.EncodeToString(seed)))
}

// Verifier returns the C2SP verifier key, as text, of the signer that NewSigner
// makes of the same name and the private half of key.
func Verifier(name string, key ed25519.PublicKey) (string, error) {
	return note.NewEd25519VerifierKey(name, key)
}
