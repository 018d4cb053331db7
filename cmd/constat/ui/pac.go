package ui

import (
	"encoding/json"
	"net"
	"net/http"
	"strconv"
	"strings"
)

// PAC returns a proxy auto-configuration file ("Navigator Proxy Auto-Config File
// Format", Netscape 1996) that sends everything through Constat. Both proxies are
// host:port, and either may be empty; what is not host:port is left out. SOCKS comes
// second, for what cannot use an HTTP proxy. There is no way past: without a proxy that
// answers, devices have no connection rather than an unseen one. With no proxy at all
// the file sends everything directly. Browsers do not ask it about localhost.
func PAC(httpProxy, socksProxy string) string {
	var ways []string
	if httpProxy = proxyAddress(httpProxy); httpProxy != "" {
		ways = append(ways, "PROXY "+httpProxy)
	}
	if socksProxy = proxyAddress(socksProxy); socksProxy != "" {
		ways = append(ways, "SOCKS5 "+socksProxy, "SOCKS "+socksProxy)
	}
	if len(ways) == 0 {
		ways = []string{"DIRECT"}
	}
	text, _ := json.Marshal(strings.Join(ways, "; ")) // of a string: cannot fail
	return "function FindProxyForURL(url, host) {\n\treturn " + string(text) + ";\n}\n"
}

// proxyAddress returns addr if it is host:port with a host that means nothing else in
// a PAC file, and else nothing.
func proxyAddress(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil || host == "" {
		return ""
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return ""
	}
	for i := range len(host) {
		switch c := host[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.', c == ':':
		default:
			return ""
		}
	}
	return net.JoinHostPort(host, port)
}

// pac answers with the PAC file for the address by which the client came. It holds no
// secret and enrols nobody, so everybody gets it.
func (o *onboarding) pac(w http.ResponseWriter, r *http.Request) {
	socks := o.cfg.SOCKS
	if socks != "" {
		socks = certain(r, socks)
	}
	file(w, "proxy.pac", "application/x-ns-proxy-autoconfig", []byte(PAC(o.shown(r), socks)))
}
