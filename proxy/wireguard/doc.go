// Package wireguard is a door: a WireGuard endpoint in user space that hands out
// everything a phone sends through its tunnel as connections that know where they
// were to go.
//
// A phone needs no more than the configuration that [ClientConfig] writes: from
// then on all its traffic arrives here, whether or not an app knows of proxies. A
// [Listener] takes the tunnel apart with a network stack of its own: it needs no
// root, no TUN device and no change of the machine's routes or firewall. TCP
// connections come out of Accept as streams, UDP as one flow for each pair of
// ports, and echo requests as one flow for each process that pings. Whoever
// accepts them reads the destination from LocalAddr and is, for the phone, that
// destination. Every conn also has User() and App(), the name and the app of the
// peer it came from.
//
// Who a packet came from is not a matter of trust: WireGuard drops packets whose
// source is not one of the addresses of the peer that encrypted them (whitepaper,
// https://www.wireguard.com/papers/wireguard.pdf, section 2, "cryptokey routing").
//
// # Bounds
//
// A peer has at most Config.MaxFlows flows at a time and 128 TCP handshakes that are
// unfinished or wait for Accept; all peers together have 1,024. What waits to be read
// is bounded too: a TCP connection begins with a window of 128 KiB, which grows to 4
// MiB while it is read as fast as it fills; of datagrams at most 256 of one flow and 4
// MiB of one peer are kept, and what comes above is dropped. A flow without a datagram
// in either direction ends by itself, and Read then returns io.EOF: UDP after five
// minutes (RFC 4787 section 4.3), echo after one (RFC 5508 section 3.2).
//
// # What does not pass
//
// Packets other than TCP, UDP and ICMP echo are not handed out; protocols that the
// stack does not know are answered as unreachable. Multicast and broadcast stay in
// the tunnel. Echo requests over IPv6 that are larger than the MTU are dropped.
package wireguard
