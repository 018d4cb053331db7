package certs

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// The files of a CA's directory. KeyFile holds the private key, wrapped or not,
// and the certificate after it: it alone is the CA, so that creating it is one
// atomic step. CertFile is a copy of the certificate, for people and programs.
const (
	KeyFile  = "ca.key"
	CertFile = "ca.pem"
)

const (
	maxFile     = 64 << 10 // bytes read of KeyFile and CertFile
	tempPattern = ".ca-*.tmp"
)

// LoadOrCreate reads the CA in dir, or makes one if there is none. Processes
// that do so at the same time get the same CA, and a crash leaves a whole one
// or none.
//
// Both files are made 0600 whatever the umask, and so is dir 0700 if it is
// created, or empty. Nobody else may read or write the key, or write to dir:
// that is refused, not repaired, since the key may have been read already.
func LoadOrCreate(dir string, opt Options) (*CA, error) {
	if opt.Clock == nil {
		opt.Clock = time.Now
	}
	if err := prepareDir(dir); err != nil {
		return nil, err
	}
	sweep(dir)
	// The certificate first: where it is there, the key was there before it.
	copied, err := readFile(filepath.Join(dir, CertFile))
	if err != nil {
		return nil, err
	}
	stored, err := readKeyFile(filepath.Join(dir, KeyFile))
	if err != nil {
		return nil, err
	}
	if stored == nil {
		if copied != nil {
			return nil, fmt.Errorf("%s holds %s and no %s: bring the key back, or move %s away and a new CA is made", dir, CertFile, KeyFile, CertFile)
		}
		if err := create(dir, opt); err != nil {
			return nil, err
		}
		// Read back what is there, which another process may have made.
		if stored, err = readKeyFile(filepath.Join(dir, KeyFile)); err != nil {
			return nil, err
		}
	}
	key, cert, err := parse(dir, stored, copied, opt)
	if err != nil {
		return nil, err
	}
	if copied == nil {
		if err := replaceFile(filepath.Join(dir, CertFile), certPEM(cert)); err != nil {
			return nil, err
		}
	}
	return newCA(cert, key, opt.Clock)
}

// prepareDir creates dir, and refuses one in which others could put a key of
// theirs. Permissions mean nothing on Windows, where a user's own folders are
// closed to others.
func prepareDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("create CA directory: %w", err)
	}
	if runtime.GOOS == "windows" {
		return nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("read CA directory: %w", err)
	}
	if len(entries) == 0 {
		if err := os.Chmod(dir, 0o700); err != nil {
			return fmt.Errorf("close CA directory to others: %w", err)
		}
		return nil
	}
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("read CA directory: %w", err)
	}
	if info.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("others can write to the CA directory %s: run chmod 700 %s, or use a directory of its own", dir, dir)
	}
	return nil
}

// readFile returns the contents of path, nil when it is not there.
func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read CA: %w", err)
	}
	if !info.Mode().IsRegular() || info.Size() > maxFile {
		return nil, fmt.Errorf("%s is not a file of a CA: move it away", path)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read CA: %w", err)
	}
	return data, nil
}

func readKeyFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err == nil && runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("others can read the CA's key (mode %04o): if nobody did, run chmod 600 %s; else move it and %s away and a new CA is made", info.Mode().Perm(), path, CertFile)
	}
	return readFile(path)
}

// create makes a CA and puts its key file in place, unless one is there by now.
func create(dir string, opt Options) error {
	key, cert, err := generate(opt.Name, opt.Clock())
	if err != nil {
		return fmt.Errorf("make CA: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fmt.Errorf("make CA: %w", err)
	}
	block := &pem.Block{Type: "PRIVATE KEY", Bytes: der}
	if opt.Passphrase != nil {
		pass, err := opt.Passphrase(true)
		if err != nil {
			return fmt.Errorf("ask for the passphrase of a new CA: %w", err)
		}
		if block, err = wrap(der, pass, opt.scryptWork); err != nil {
			return err
		}
	}
	tmp, err := writeTemp(dir, append(pem.EncodeToMemory(block), certPEM(cert)...))
	if err != nil {
		return err
	}
	defer os.Remove(tmp)
	// A link, unlike a rename, never takes the place of a file.
	err = os.Link(tmp, filepath.Join(dir, KeyFile))
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("store CA key, which needs a file system with links and permissions: %w", err)
	}
	return syncDir(dir)
}

// replaceFile puts data in path, whole or not at all.
func replaceFile(path string, data []byte) error {
	tmp, err := writeTemp(filepath.Dir(path), data)
	if err != nil {
		return err
	}
	if err := os.Rename(tmp, path); err != nil {
		os.Remove(tmp)
		return fmt.Errorf("store CA certificate: %w", err)
	}
	return syncDir(filepath.Dir(path))
}

// writeTemp writes data to a new file in dir that only its owner can read, down
// to the disk, and returns its path.
func writeTemp(dir string, data []byte) (path string, err error) {
	f, err := os.CreateTemp(dir, tempPattern) // 0600 less the umask
	if err != nil {
		return "", fmt.Errorf("store CA: %w", err)
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
			err = fmt.Errorf("store CA: %w", err)
		}
	}()
	_, err = f.Write(data)
	err = errors.Join(err, f.Chmod(0o600), f.Sync())
	return f.Name(), errors.Join(err, f.Close())
}

// sweep removes what a crash left of writeTemp, which may be a second name of
// the key. Another process may be writing one at this moment, so the young ones
// stay.
func sweep(dir string) {
	left, _ := fs.Glob(os.DirFS(dir), tempPattern)
	for _, name := range left {
		path := filepath.Join(dir, name)
		if info, err := os.Lstat(path); err == nil && time.Since(info.ModTime()) > time.Hour {
			os.Remove(path)
		}
	}
}

// syncDir makes the names in dir durable, where the system can.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("store CA: %w", err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("store CA: %w", err)
	}
	return nil
}

// parse takes the key and the certificate out of the key file. A key file
// without a certificate, made by other means, takes that of CertFile.
func parse(dir string, stored, copied []byte, opt Options) (crypto.Signer, *x509.Certificate, error) {
	path := filepath.Join(dir, KeyFile)
	var keyBlock, certBlock *pem.Block
	for block, rest := pem.Decode(stored); block != nil; block, rest = pem.Decode(rest) {
		switch {
		case keyBlock == nil && (block.Type == wrappedType || strings.HasSuffix(block.Type, "PRIVATE KEY")):
			keyBlock = block
		case certBlock == nil && block.Type == "CERTIFICATE":
			certBlock = block
		}
	}
	if keyBlock == nil {
		return nil, nil, fmt.Errorf("%s holds no key: bring it back, or move it and %s away and a new CA is made", path, CertFile)
	}
	copyBlock, _ := pem.Decode(copied)
	switch {
	case certBlock == nil && copyBlock == nil:
		return nil, nil, fmt.Errorf("%s holds no certificate: bring back %s, or move %s away and a new CA is made", path, CertFile, KeyFile)
	case certBlock == nil:
		certBlock = copyBlock
	case copied != nil && (copyBlock == nil || !bytes.Equal(certBlock.Bytes, copyBlock.Bytes)):
		return nil, nil, fmt.Errorf("%s and %s in %s do not belong together: move %s away and it is written again from the key file", CertFile, KeyFile, dir, CertFile)
	}
	cert, err := x509.ParseCertificate(certBlock.Bytes)
	if err != nil {
		return nil, nil, fmt.Errorf("read certificate of the CA in %s: %w", dir, err)
	}
	der := keyBlock.Bytes
	if keyBlock.Type == wrappedType {
		if der, err = unwrap(path, der, opt.Passphrase); err != nil {
			return nil, nil, err
		}
	}
	key, err := parseKeyDER(der)
	if err != nil {
		return nil, nil, fmt.Errorf("%s holds no ECDSA or RSA key that can be read: bring it back, or move it and %s away and a new CA is made", path, CertFile)
	}
	return key, cert, check(cert, key, opt.Clock(), dir)
}

// parseKeyDER reads the forms in which tools write a key that can sign for
// browsers.
func parseKeyDER(der []byte) (crypto.Signer, error) {
	if key, err := x509.ParseECPrivateKey(der); err == nil {
		return key, nil
	}
	if key, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return key, nil
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, err
	}
	switch key := key.(type) {
	case *ecdsa.PrivateKey:
		return key, nil
	case *rsa.PrivateKey:
		return key, nil
	}
	return nil, errors.New("neither ECDSA nor RSA")
}
