package store

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"constat/store/evidence"
)

// privateKey is the key that signs the checkpoints of a case.
type privateKey struct{ key ed25519.PrivateKey }

func (k privateKey) verifier(name string) (string, error) {
	return evidence.Verifier(name, k.key.Public().(ed25519.PublicKey))
}

const pemType = "PRIVATE KEY" // PKCS #8, RFC 5958

// loadKey reads the Ed25519 key in a PEM file, and makes both when absent.
func loadKey(path string) (privateKey, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return makeKey(path)
	}
	if err != nil {
		return privateKey{}, fileError("read checkpoint key", err)
	}
	block, _ := pem.Decode(text)
	if block == nil || block.Type != pemType {
		return privateKey{}, fmt.Errorf("read checkpoint key: %s holds no PEM private key", path)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if k, ok := key.(ed25519.PrivateKey); err == nil && ok {
		return privateKey{k}, nil
	}
	return privateKey{}, fmt.Errorf("read checkpoint key: %s holds no Ed25519 key", path)
}

func makeKey(path string) (privateKey, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return privateKey{}, fmt.Errorf("make checkpoint key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return privateKey{}, fmt.Errorf("make checkpoint key: %w", err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return privateKey{}, fileError("make checkpoint key", err)
	}
	var text bytes.Buffer
	err = pem.Encode(&text, &pem.Block{Type: pemType, Bytes: der})
	if err == nil {
		_, err = f.Write(text.Bytes())
	}
	// The key must be there before anything is signed with it.
	if err := errors.Join(err, f.Chmod(0o600), f.Sync(), f.Close()); err != nil {
		return privateKey{}, errors.Join(fileError("make checkpoint key", err), os.Remove(path))
	}
	return privateKey{key}, nil
}

// Checkpoint signs the log as it is and returns the signed note. When nothing
// came since the last one, it returns that.
func (c *Case) Checkpoint(ctx context.Context) (signed []byte, err error) {
	err = c.writer.control(ctx, func() error {
		err := c.seal()
		signed = bytes.Clone(c.signed)
		return err
	})
	return signed, err
}

// sealWhenDue seals the log once a minute. The writer's goroutine calls it.
func (c *Case) sealWhenDue() error {
	if c.writer.tree.Size() == c.signedSize || time.Since(c.signedAt) < c.sealEvery {
		return nil
	}
	return c.seal()
}

const insertCheckpoint = "INSERT INTO checkpoint(id, time, size, root, note) VALUES(?, ?, ?, ?, ?)"

// seal signs a checkpoint, and syncs it and all before it to the disk, by a
// commit with synchronous=FULL: it syncs the write-ahead log without waiting
// for readers. The writer's goroutine calls it.
func (c *Case) seal() error {
	w := c.writer
	if w.tree.Size() == c.signedSize {
		return nil
	}
	cp := evidence.Checkpoint{
		Origin: c.origin, Size: w.tree.Size(), Root: w.tree.Root(), Time: evidence.FormatTime(c.cfg.Clock()),
	}
	signed, err := cp.Sign(c.signer)
	if err != nil {
		return fmt.Errorf("sign checkpoint: %w", err)
	}
	if err := w.conn.script("PRAGMA synchronous = FULL"); err != nil {
		return sqlError("write checkpoint", err)
	}
	err = w.transaction(func() error {
		return w.conn.run(insertCheckpoint, c.checkpointID+1, cp.Time, cp.Size, cp.Root[:], string(signed))
	})
	if err != nil {
		return err
	}
	if err := w.conn.script("PRAGMA synchronous = NORMAL"); err != nil {
		return sqlError("write checkpoint", err)
	}
	c.checkpointID++
	c.signed, c.signedSize, c.signedAt = signed, cp.Size, time.Now()
	return nil
}
