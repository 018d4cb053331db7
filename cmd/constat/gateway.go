package main

import (
	"io"

	"github.com/spf13/cobra"

	"constat/proxy/transparent"
)

func gatewayCommand() *cobra.Command {
	var s transparent.Setup
	var redirect bool
	var port uint16
	cmd := &cobra.Command{
		Use:   "gateway",
		Short: "Print the script that lets a Linux hotspot divert its phones to Constat",
		Long: `Print a shell script that diverts what phones send through this computer, their hotspot
or router, to the door that 'constat run --gateway' opens. "up" sets the firewall up,
"down" takes all of it back, "status" says what is there. It needs nftables and root.`,
		Example: `  constat gateway --interface wlan0 > gateway.sh
  sudo sh gateway.sh up
  sudo constat run --gateway 0.0.0.0:8443
  sudo sh gateway.sh down`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			s.TCPPort, s.UDPPort = port, port
			if redirect {
				s.Mode, s.UDPPort = transparent.Redirect, 0
			}
			text, err := transparent.Script(s)
			if err != nil {
				return usagef("%w", err)
			}
			_, err = io.WriteString(cmd.OutOrStdout(), text)
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&s.Interface, "interface", "", "network interface that the phones come in by, as in wlan0")
	f.Uint16Var(&port, "port", 8443, "port of 'constat run --gateway'")
	f.BoolVar(&redirect, "redirect", false, "divert TCP by REDIRECT, for kernels without TPROXY; UDP goes past then")
	f.BoolVar(&s.DNS, "dns", true, "divert questions to this computer's own DNS server")
	f.BoolVar(&s.IPv6, "ipv6", true, "divert IPv6; without it IPv6 is refused")
	return cmd
}
