package main

import (
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime/debug"
	"runtime/pprof"
	"strings"
	"time"

	"github.com/mdp/qrterminal/v3"
	"github.com/rs/zerolog"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"constat/inspect/owner"
)

func runCommand() *cobra.Command {
	var cfg serviceConfig
	var upstreamCA, persona, logLevel string
	var tables owner.Files
	var resolve, lan []string
	var ready, encrypt, look bool
	var limitMiB int64
	var cpuProfile string
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Start the proxy, the onboarding page and the live page on a case",
		Long: `Start the proxy, the onboarding page and the live page, and record into a case.
Scan the code with the phone's camera: the page shows what to set, step by step, and
checks that it works. Ctrl-C ends it cleanly.`,
		Example: `  constat run
  constat run --case field-test.constat --persona persona.json
  constat run --listen 192.168.1.5:8080 --ui off --open`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			level, err := zerolog.ParseLevel(logLevel)
			if err != nil {
				return usagef("--log-level %s: want debug, info, warn or error", logLevel)
			}
			cfg.Log = logTo(cmd.ErrOrStderr(), level)
			cfg.BodyLimit = limitMiB << 20
			cfg.Later = !look
			if cfg.Listen == "" {
				cfg.Listen = defaultListen()
			}
			if cfg.UI == "off" {
				cfg.UI = ""
			}
			if cfg.Case == "" {
				cfg.Case = freshCase(time.Now())
			}
			if cfg.Resolve, err = parseResolve(resolve); err != nil {
				return err
			}
			if cfg.AllowLAN, err = parseNetworks(lan); err != nil {
				return err
			}
			if cfg.Roots, err = rootsWith(upstreamCA); err != nil {
				return err
			}
			if cfg.Owners, err = owner.Open(tables); err != nil {
				return err
			}
			if persona != "" {
				if cfg.Persona, err = readPersona(persona); err != nil {
					return err
				}
			}
			cfg.Passphrase = passphraseFor(cfg.CADir, encrypt)
			if cpuProfile != "" {
				stop, err := profile(cpuProfile)
				if err != nil {
					return err
				}
				defer stop()
			}
			tuneCollector()
			// It would write to the terminal that a buffer of the system is small.
			os.Setenv("QUIC_GO_DISABLE_RECEIVE_BUFFER_WARNING", "true")
			s, err := newService(ctx, cfg)
			if err != nil {
				return err
			}
			if ready {
				if err := json.NewEncoder(cmd.OutOrStdout()).Encode(s.ready()); err != nil {
					return errors.Join(err, s.Close())
				}
			} else {
				s.greet(cmd.OutOrStdout())
			}
			err = s.Serve(ctx)
			if err == nil {
				fmt.Fprintf(cmd.ErrOrStderr(), "Ended cleanly. Read it with: constat report --case %s --out report.html\n", cfg.Case)
			}
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&cfg.Listen, "listen", "", "address of the proxy (default: this computer's LAN address, port 8080)")
	f.StringVar(&cfg.UI, "ui", "127.0.0.1:8081", "loopback address of the live page, or off")
	f.StringVar(&cfg.Case, "case", "", "case file, created when absent (default "+casesDir+"/<date>.constat)")
	addCADir(cmd, &cfg.CADir)
	f.BoolVar(&encrypt, "ca-passphrase", false, "protect a new CA key with a passphrase, asked for at each start")
	f.StringVar(&upstreamCA, "upstream-ca", "", "PEM file of extra roots for verifying servers, beside the system's")
	f.StringArrayVar(&resolve, "resolve", nil, "HOST:PORT:ADDR, dial ADDR for that host, as curl's; repeatable")
	f.BoolVar(&cfg.Open, "open", false, "serve clients that are not enrolled; loopback clients always are")
	addDoors(f, &cfg.Doors)
	f.StringArrayVar(&lan, "allow-lan", nil, "private network that phones may reach through the proxy, as in 192.168.1.0/24; repeatable")
	f.StringVar(&persona, "persona", "", "file of the planted values, from 'constat persona new'")
	addOwners(cmd, &tables)
	f.BoolVar(&look, "inspect", true, "inspect while recording; --inspect=false leaves it to 'constat inspect'")
	f.Int64Var(&limitMiB, "body-limit", 256, "MiB kept of one body; the rest is hashed and counted")
	f.BoolVar(&ready, "print-ready", false, "print one JSON line once every listener is up, and nothing else")
	f.StringVar(&cpuProfile, "cpu-profile", "", "write a CPU profile of the run to this file, for 'go tool pprof'")
	f.StringVar(&logLevel, "log-level", "info", "debug, info, warn or error")
	return cmd
}

// tuneCollector lets the heap grow to several times what is in use before garbage
// is collected, and less so when it gets large. What the environment says
// (GOGC, GOMEMLIMIT) goes first.
func tuneCollector() {
	const percent, soft = 200, 112 << 20
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(percent)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(soft)
	}
}

// profile writes a CPU profile to a new file until stop is called.
func profile(name string) (stop func(), err error) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() {
		pprof.StopCPUProfile()
		f.Close()
	}, nil
}

// readiness is the line that --print-ready prints.
type readiness struct {
	Proxy string `json:"proxy"`        // address of the proxy
	UI    string `json:"ui,omitempty"` // address of the live page
	URL   string `json:"url,omitempty"`
	Enrol string `json:"enrol"` // link that enrols a phone

	WireGuard string `json:"wireguard,omitempty"` // address of the tunnel
	SOCKS     string `json:"socks,omitempty"`

	CA   string `json:"ca"`   // path of the CA certificate
	Case string `json:"case"` // path of the case file
	PID  int    `json:"pid"`
}

func (s *service) ready() readiness {
	r := readiness{
		Proxy: s.door.Addr().String(), Enrol: s.Enrolment.Link(s.phoneAddress()),
		CA: absolute(filepath.Join(s.cfg.CADir, "ca.pem")), Case: absolute(s.cfg.Case), PID: os.Getpid(),
	}
	if s.doors.wg != nil {
		r.WireGuard = s.doors.wg.Addr().String()
	}
	if s.doors.socks != nil {
		r.SOCKS = s.doors.socks.Addr().String()
	}
	if s.page != nil {
		r.UI = s.page.Addr().String()
		r.URL = "http://" + r.UI + "/?token=" + s.Token
	}
	return r
}

// greet tells a person what to do next.
func (s *service) greet(w io.Writer) {
	r := s.ready()
	fmt.Fprintf(w, "\nConstat records to %s\n\n", s.cfg.Case)
	tunnel := s.greetTunnel(w)
	if isTerminal(w) {
		qrterminal.GenerateHalfBlock(r.Enrol, qrterminal.L, w)
	}
	fmt.Fprintf(w, "  On the phone, same Wi-Fi:  scan the code with the camera, or open  %s\n", r.Enrol)
	fmt.Fprintf(w, "  Wi-Fi proxy to set:        %s\n", r.Proxy)
	if tunnel != "" {
		fmt.Fprintf(w, "  WireGuard, all traffic:    %s\n", tunnel)
	}
	if r.URL != "" {
		fmt.Fprintf(w, "  Live page, this computer:  %s\n", r.URL)
	}
	if host, _, err := net.SplitHostPort(r.Proxy); err == nil {
		if a, err := netip.ParseAddr(host); err == nil && a.IsLoopback() {
			fmt.Fprint(w, "  Only this computer can reach the proxy: use --listen with its Wi-Fi address for a phone.\n")
		}
	}
	fmt.Fprint(w, "\nCtrl-C ends it.\n\n")
}

// greetTunnel shows the code of the tunnel, which takes what the Wi-Fi setting
// misses, and returns how to get it.
func (s *service) greetTunnel(w io.Writer) string {
	if s.doors.wg == nil {
		return ""
	}
	devices := s.doors.book.Devices()
	endpoint := s.doors.endpoint(s.phoneAddress())
	if len(devices) == 1 && isTerminal(w) {
		c, err := s.doors.book.Config(devices[0].Name, "", endpoint)
		if err != nil {
			return ""
		}
		if text, err := c.Text(); err == nil {
			showTunnel(w, devices[0].Name, text)
			return "scan the upper code in the WireGuard app, as a new tunnel"
		}
	}
	return "constat device show NAME --endpoint " + endpoint + "  (NAME from 'constat device list')"
}

func absolute(name string) string {
	if abs, err := filepath.Abs(name); err == nil {
		return abs
	}
	return name
}

// logTo returns the logger of the program: for people on a terminal, JSON lines
// elsewhere.
func logTo(w io.Writer, level zerolog.Level) zerolog.Logger {
	if isTerminal(w) {
		w = zerolog.ConsoleWriter{Out: w, TimeFormat: time.TimeOnly}
	}
	return zerolog.New(w).Level(level).With().Timestamp().Logger()
}

// defaultListen is port 8080 of this computer's address on the local network:
// one address, chosen and shown, rather than all of them.
func defaultListen() string {
	addrs, _ := net.InterfaceAddrs()
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Is4() && p.Addr().IsPrivate() {
			return netip.AddrPortFrom(p.Addr(), 8080).String()
		}
	}
	return "127.0.0.1:8080"
}

// parseResolve reads curl's HOST:PORT:ADDR.
func parseResolve(entries []string) (map[string]string, error) {
	out := map[string]string{}
	for _, e := range entries {
		host, rest, ok1 := strings.Cut(e, ":")
		port, addr, ok2 := strings.Cut(rest, ":")
		if !ok1 || !ok2 || host == "" || port == "" || addr == "" {
			return nil, usagef("--resolve %s: want HOST:PORT:ADDR, as in example.org:443:127.0.0.1", e)
		}
		addr = strings.TrimSuffix(strings.TrimPrefix(addr, "["), "]")
		if _, err := netip.ParseAddr(addr); err != nil {
			if _, err := netip.ParseAddrPort(addr); err != nil {
				return nil, usagef("--resolve %s: %s is not an address", e, addr)
			}
		}
		out[strings.ToLower(host)+":"+port] = addr
	}
	return out, nil
}

// parseNetworks reads prefixes such as 192.168.1.0/24, and single addresses.
func parseNetworks(entries []string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, e := range entries {
		p, err := netip.ParsePrefix(e)
		if err != nil {
			a, err := netip.ParseAddr(e)
			if err != nil {
				return nil, usagef("--allow-lan %s: want a network as in 192.168.1.0/24", e)
			}
			p = netip.PrefixFrom(a, a.BitLen())
		}
		out = append(out, p.Masked())
	}
	return out, nil
}

// rootsWith returns the system's roots and those in the file; nil for no file.
func rootsWith(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("--upstream-ca: %w", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(text) {
		return nil, usagef("--upstream-ca %s: no certificate in it; want PEM, as in '-----BEGIN CERTIFICATE-----'", file)
	}
	return pool, nil
}

// passphraseFor returns how to ask for the passphrase of the CA key: on the
// terminal, or from CONSTAT_CA_KEY_PASSPHRASE. It is nil, for a key that is
// stored as it is, unless the person asked for one or the key has one.
func passphraseFor(dir string, encrypt bool) func(confirm bool) (string, error) {
	if head, err := os.ReadFile(filepath.Join(dir, "ca.key")); err == nil {
		encrypt = strings.HasPrefix(string(head), "age-encryption.org/") || strings.Contains(string(head), "AGE ENCRYPTED FILE")
	}
	if !encrypt {
		return nil
	}
	return func(confirm bool) (string, error) {
		if p, ok := os.LookupEnv("CONSTAT_CA_KEY_PASSPHRASE"); ok {
			return p, nil
		}
		tty := int(os.Stdin.Fd())
		if !term.IsTerminal(tty) {
			return "", usagef("the CA key has a passphrase and there is no terminal to ask on; set CONSTAT_CA_KEY_PASSPHRASE")
		}
		ask := func(prompt string) (string, error) {
			fmt.Fprint(os.Stderr, prompt)
			p, err := term.ReadPassword(tty)
			fmt.Fprintln(os.Stderr)
			return string(p), err
		}
		first, err := ask("Passphrase of the CA key: ")
		if err != nil || !confirm {
			return first, err
		}
		second, err := ask("The same again: ")
		if err == nil && first != second {
			err = usagef("the two passphrases differ; start again")
		}
		return first, err
	}
}
