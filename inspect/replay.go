package inspect

import (
	"context"
	"fmt"
)

// Replay follows p through s and returns the Part it leads to, with its
// parents but without children. It runs the decoders that p names and no
// others, so it also follows paths that an Inspector with other lists found.
// The error is ErrNoPart if p leads nowhere.
func (in *Inspector) Replay(s *Subject, p Path) (part *Part, err error) {
	b := in.newBuild(context.Background(), s)
	b.roots()
	steps := p.Steps()
	for _, root := range b.t.Parts {
		if string(root.Path) == steps[0] {
			part = root
			break
		}
	}
	if part == nil {
		return nil, fmt.Errorf("%w: no %s", ErrNoPart, steps[0])
	}
	for _, step := range steps[1:] {
		if part, err = b.step(part, step); err != nil {
			return nil, err
		}
	}
	return part, nil
}

// step takes one decoding step from p.
func (b *build) step(p *Part, step string) (child *Part, err error) {
	name, _ := SplitStep(step)
	if len(p.Data) == 0 {
		return nil, fmt.Errorf("%w: no step %s", ErrNoPart, name)
	}
	shown := b.in.shown.of(p)
	for i := range b.in.cfg.Decoders {
		d := &b.in.cfg.Decoders[i]
		if d.Name != name || shown>>i&1 == 0 {
			continue
		}
		defer func() {
			if recover() != nil {
				child, err = nil, fmt.Errorf("%w: %s panicked", ErrNoPart, name)
			}
		}()
		b.w.used, b.w.next, b.w.over = 0, 0, false
		children, _ := d.Decode(&b.w, p)
		var text []byte
		for j := range children {
			text = appendStep(text[:0], name, children[j].Arg)
			if string(text[1:]) == step {
				q := &Part{Path: p.Path}
				b.append(q, name, children[j:j+1])
				q = q.Children[0]
				q.Direction, q.Parent, q.Depth = p.Direction, p, p.Depth+1
				return q, nil
			}
		}
	}
	return nil, fmt.Errorf("%w: no step %s", ErrNoPart, name)
}
