package decode

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"

	"constat/inspect"
)

// AES undoes encryption with keys that their programs carry and that researchers
// have published: what is sealed with them is hidden from nobody who looked. The
// argument names the key.
//
// A piece counts if its padding is right and what comes out is text of at least
// 16 bytes; anything else was sealed with another key and stays closed.
var AES = inspect.Decoder{
	Name:   "aes",
	Doc:    "opens AES-128-CBC with PKCS #7 padding (NIST SP 800-38A section 6.2, RFC 5652 section 6.3) sealed with a published key",
	Min:    2 * aes.BlockSize,
	Any:    inspect.Controls | inspect.NonASCII,
	Decode: decodeAES,
}

// publishedKey is a key that stands in a program which anybody can download.
type publishedKey struct {
	name  string
	block cipher.Block
	iv    [aes.BlockSize]byte
}

var publishedKeys = []publishedKey{
	// MIUI's Messaging app and yellow pages, for what they report: public code, 2018.
	newPublishedKey("xiaomi-sms-2018", "d101b17c77ff93cs", "0102030405060708"),
	// MIUI's updater, for the query of miotaV3.php: public code.
	newPublishedKey("miui-ota", "miuiotavalided11", "0102030405060708"),
}

func newPublishedKey(name, key, iv string) publishedKey {
	block, err := aes.NewCipher([]byte(key))
	if err != nil {
		panic(err) // a key of this table has another length
	}
	return publishedKey{name, block, [aes.BlockSize]byte([]byte(iv))}
}

func decodeAES(w *inspect.Work, p *inspect.Part) ([]inspect.Child, error) {
	d := p.Data
	if len(d)%aes.BlockSize != 0 || looksText(d[:aes.BlockSize]) {
		return nil, nil
	}
	for i := range publishedKeys {
		k := &publishedKeys[i]
		pad := k.padding(d)
		if pad == 0 || len(d)-pad < aes.BlockSize {
			continue
		}
		var first [aes.BlockSize]byte
		if cipher.NewCBCDecrypter(k.block, k.iv[:]).CryptBlocks(first[:], d[:aes.BlockSize]); !looksText(first[:]) {
			continue
		}
		if !w.Take(len(d)) {
			return nil, inspect.ErrBytes
		}
		out := make([]byte, len(d))
		cipher.NewCBCDecrypter(k.block, k.iv[:]).CryptBlocks(out, d)
		if out = out[:len(out)-pad]; looksText(out) {
			return []inspect.Child{{Arg: k.name, Data: out}}, nil
		}
	}
	return nil, nil
}

// padding opens the last block and returns how long the padding in it is, 0 if
// it is none.
func (k *publishedKey) padding(d []byte) int {
	var last [aes.BlockSize]byte
	k.block.Decrypt(last[:], d[len(d)-aes.BlockSize:])
	for i := range last {
		last[i] ^= d[len(d)-2*aes.BlockSize+i]
	}
	n := int(last[aes.BlockSize-1])
	if n == 0 || n > aes.BlockSize || !bytes.Equal(last[aes.BlockSize-n:], bytes.Repeat([]byte{byte(n)}, n)) {
		return 0
	}
	return n
}
