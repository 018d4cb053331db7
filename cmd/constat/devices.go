package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/mdp/qrterminal/v3"
	"github.com/spf13/cobra"

	"constat/cmd/constat/device"
)

// bookFile is the book of devices, beside the CA.
func bookFile(caDir string) string { return filepath.Join(caDir, "devices.json") }

func deviceCommand() *cobra.Command {
	var caDir string
	cmd := &cobra.Command{
		Use:   "device",
		Short: "Name phones, and set up their WireGuard tunnels",
		Long: `A device is a phone with a name. It is known by its WireGuard tunnel, by its name and
password where one signs in, or by its address on the local network. What is changed
here counts at once for a Constat that runs with the same --ca-dir.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.PersistentFlags().StringVar(&caDir, "ca-dir", defaultCADir(), "folder of ca.pem and ca.key; the devices are in devices.json there")
	cmd.AddCommand(deviceList(&caDir), deviceAdd(&caDir), deviceRemove(&caDir), deviceShow(&caDir))
	return cmd
}

func deviceList(caDir *string) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the devices", Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			b, err := device.Open(bookFile(*caDir))
			if err != nil {
				return err
			}
			if len(b.Devices()) == 0 {
				fmt.Fprintln(cmd.OutOrStdout(), "No devices yet. Add one with: constat device add NAME")
				return nil
			}
			peers, err := b.Peers()
			if err != nil {
				return err
			}
			t := table.NewWriter()
			t.SetStyle(table.StyleLight)
			t.AppendHeader(table.Row{"Device", "App", "In the tunnel", "Always at", "Added"})
			n := 0
			for _, d := range b.Devices() {
				for i := range d.Tunnels {
					home := ""
					if i == 0 {
						home = strings.Trim(fmt.Sprint(d.Addresses), "[]")
					}
					t.AppendRow(table.Row{d.Name, cmp.Or(peers[n].App, "all"), peers[n].Addresses[0], home, d.Added.Format("2006-01-02")})
					n++
				}
			}
			fmt.Fprintln(cmd.OutOrStdout(), t.Render())
			return nil
		},
	}
}

func deviceAdd(caDir *string) *cobra.Command {
	var addresses, apps []string
	cmd := &cobra.Command{
		Use: "add NAME", Short: "Add a device, or tunnels for apps of one",
		Example: `  constat device add redmi
  constat device add redmi --app com.miui.analytics
  constat device add pixel --address 192.168.1.23`,
		Args: exactly("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var at []netip.Addr
			for _, text := range addresses {
				a, err := netip.ParseAddr(text)
				if err != nil {
					return usagef("--address %s: want an address, as in 192.168.1.23", text)
				}
				at = append(at, a.Unmap())
			}
			b, err := device.Open(bookFile(*caDir))
			if err != nil {
				return err
			}
			err = b.Add(args[0], at...)
			if errors.Is(err, device.ErrKnown) && len(apps) > 0 && len(at) == 0 {
				err = nil
			}
			for _, app := range apps {
				if err == nil {
					err = b.AddApp(args[0], app)
				}
			}
			if err != nil {
				return usagef("%w", err)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "Added. Set the phone up with: constat device show %s\n", args[0])
			return nil
		},
	}
	cmd.Flags().StringArrayVar(&addresses, "address", nil, "address on the local network that is always this phone, which may use the proxy then; repeatable")
	cmd.Flags().StringArrayVar(&apps, "app", nil, "package name of an app that gets a tunnel of its own, so that rows carry its name; repeatable")
	return cmd
}

func deviceRemove(caDir *string) *cobra.Command {
	return &cobra.Command{
		Use: "remove NAME", Short: "Remove a device: its tunnels and its password end at once", Args: exactly("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			b, err := device.Open(bookFile(*caDir))
			if err != nil {
				return err
			}
			if err := b.Remove(args[0]); errors.Is(err, device.ErrUnknown) {
				return usagef("%w; see 'constat device list'", err)
			} else if err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), "Removed.")
			return nil
		},
	}
}

func deviceShow(caDir *string) *cobra.Command {
	var endpoint, app, out string
	cmd := &cobra.Command{
		Use: "show NAME", Short: "Show what a device needs: its WireGuard code, its user name and password",
		Long: `Show the WireGuard configuration of a device, as a code for the WireGuard app's "scan
from QR code" on a terminal, as text elsewhere. It holds the device's private key.`,
		Args: exactly("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			b, err := device.Open(bookFile(*caDir))
			if err != nil {
				return err
			}
			at, err := endpointOf(endpoint)
			if err != nil {
				return err
			}
			c, err := b.Config(args[0], app, at)
			if err != nil {
				return usagef("%w; see 'constat device list'", err)
			}
			text, err := c.Text()
			if err != nil {
				return err
			}
			w := cmd.OutOrStdout()
			switch {
			case out != "":
				if err := writeSecret(out, text); err != nil {
					return err
				}
				fmt.Fprintf(w, "Wrote %s. Import it in the phone's WireGuard app, then delete it.\n", out)
			case isTerminal(w):
				showTunnel(w, args[0], text)
				if secret, ok := b.Password(args[0]); ok {
					fmt.Fprintf(w, "  Where one signs in:  user %s, password %s\n", args[0], secret)
				}
			default:
				_, err = io.WriteString(w, text)
			}
			return err
		},
	}
	cmd.Flags().StringVar(&endpoint, "endpoint", "", "address at which the phone reaches this computer (default: its LAN address, port 51820)")
	cmd.Flags().StringVar(&app, "app", "", "the tunnel of this app")
	cmd.Flags().StringVar(&out, "out", "", "write the configuration to a new file instead")
	return cmd
}

// endpointOf completes the address of the tunnel.
func endpointOf(text string) (string, error) {
	host, _, _ := net.SplitHostPort(defaultListen())
	if text == "" {
		return net.JoinHostPort(host, strconv.Itoa(wireguardPort)), nil
	}
	if h, port, err := net.SplitHostPort(text); err == nil {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 || h == "" {
			return "", usagef("--endpoint %s: want ADDRESS or ADDRESS:PORT", text)
		}
		return text, nil
	}
	return net.JoinHostPort(strings.Trim(text, "[]"), strconv.Itoa(wireguardPort)), nil
}

// showTunnel shows the configuration of a tunnel as a code.
func showTunnel(w io.Writer, name, text string) {
	fmt.Fprintf(w, "\n  WireGuard for %s: in the WireGuard app, add a tunnel by QR code and scan this.\n\n", name)
	qrterminal.GenerateHalfBlock(text, qrterminal.L, w)
}

// writeSecret writes a new file that only its owner can read.
func writeSecret(name, text string) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return usagef("%s is there already; remove it, or choose another name", name)
	}
	if err != nil {
		return err
	}
	_, err = io.WriteString(f, text)
	return errors.Join(err, f.Close())
}
