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
// A peer has at most Config.MaxFlows flows at a time and 128 unfinished TCP
// handshakes, all peers together 1,024. The least that was read waits in the
// kernel's manner: a TCP connection starts with a window of 128 KiB and grows to 4
// MiB when it is read as fast as it fills; at most 64 datagrams of one flow and 4
// MiB of one peer wait to be read, what comes above is dropped, as a full queue
// drops it. Flows without a datagram in either direction end by themselves: UDP
// after five minutes (RFC 4787 section 4.3), echo after one (RFC 5508 section 3.2).
//
// # What does not pass
//
// Packets other than TCP, UDP and ICMP echo are not handed out; protocols that the
// stack does not know are answered as unreachable. Multicast and broadcast stay in
// the tunnel. Echo requests over IPv6 that are larger than the MTU are dropped.
package wireguard
