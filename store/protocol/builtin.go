package protocol

import (
	"bytes"
	"embed"
	"fmt"
	"slices"
)

//go:embed builtin/*.yaml
var files embed.FS

// Template is a protocol to start from, with comments.
//
//go:embed template.yaml
var Template string

// names are the protocols of the program, in the order in which they are listed.
var names = []string{"idle", "cloud", "sms", "contact", "photo", "incognito", "update", "first-boot"}

// Builtin returns the protocols of the program.
func Builtin() ([]*Protocol, error) {
	var out []*Protocol
	for _, name := range names {
		data, err := files.ReadFile("builtin/" + name + ".yaml")
		if err != nil {
			return nil, fmt.Errorf("read protocol: %w", err)
		}
		p, err := Parse(name, bytes.NewReader(data))
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// Named returns the protocol of the program that has the id, nil when there is none.
func Named(id string) (*Protocol, error) {
	list, err := Builtin()
	if i := slices.IndexFunc(list, func(p *Protocol) bool { return p.ID == id }); err == nil && i >= 0 {
		return list[i], nil
	}
	return nil, err
}
