package evidence

import (
	"bufio"
	"bytes"
	"encoding/base64"
)

func newBuffered(b []byte) *bufio.Reader { return bufio.NewReader(bytes.NewReader(b)) }

func b64(b []byte) string { return base64.StdEncoding.EncodeToString(b) }
