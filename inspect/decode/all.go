// Package decode holds the decoders: each takes one layer off a part of a
// message.
//
// A decoder is one file with one package-level inspect.Decoder, its cases under
// testdata, and one line in All. Decoders are pure functions, safe for
// concurrent use, and bounded by the inspect.Work they are given. They decide
// from the bytes alone and from what was declared for them (Part.Media,
// ContentType, Coding); they know no hosts and no products.
package decode

import "constat/inspect"

// All lists the decoders in the order in which they look at a part: what was
// declared comes before what is guessed, and what has an unmistakable first byte
// before what has not. Every decoder sees every part; the order only decides in
// which order the parts stand in the tree.
var All = []inspect.Decoder{
	// Content codings and compression inside fields.
	Gzip,
	Deflate,
	Zstd,
	Brotli,
	PerMessageDeflate,

	// Character sets, before anything reads text.
	Charset,

	// Structures.
	JSON,
	Envelope,
	NDJSON,
	JSONP,
	XML,
	Plist,
	VObject,
	YAML,
	Mail,
	HTTP,
	Multipart,
	GraphQL,
	Form,
	PathSegments,
	URL,

	// Messages inside connections.
	EngineIO,
	SocketIO,
	SockJS,
	SignalR,
	Stomp,

	// Binary structures.
	GRPC,
	Protobuf,
	MessagePack,
	CBOR,
	BSON,
	Zip,
	Tar,
	SQLite,
	MQTT,
	MMS,

	// Encodings of one value.
	Transfer,
	DataURI,
	Authorization,
	JWT,
	Percent,
	Escape,
	Base64,
	Base32,
	Ascii85,
	UUEncode,
	Hex,
	Narrow,
	PDU,

	// Encryption that hides nothing.
	AES,

	// What is not taken apart here, but could harm whoever does.
	Image,

	// Left out:
	// quoted-printable, undeclared: only mail and vCards carry it, and they declare it.
	// compress (LZW): registered as a content coding; no client sends it.
}
