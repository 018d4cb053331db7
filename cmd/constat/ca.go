package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"constat/certs"
)

func caCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "ca",
		Short: "Show or export the CA certificate that phones must trust",
		Long: `Show or export the certificate of this installation's CA. Its key never leaves the
folder given by --ca-dir: whoever has it can read the traffic of every phone that trusts
the certificate, so remove the certificate from the phone when the test is over.`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(caShowCommand(), caExportCommand())
	return cmd
}

func loadCA(dir string) (*certs.CA, error) {
	return certs.LoadOrCreate(dir, certs.Options{Passphrase: passphraseFor(dir, false)})
}

func caShowCommand() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:     "show",
		Short:   "Show the certificate's name, validity and fingerprint",
		Example: "  constat ca show",
		Args:    exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			ca, err := loadCA(dir)
			if err != nil {
				return err
			}
			c := ca.Certificate()
			fmt.Fprintf(cmd.OutOrStdout(), "name          %s\nvalid         %s to %s\nsha-256       %s\nandroid name  %s\nfile          %s\n",
				c.Subject.CommonName, c.NotBefore.Format(time.DateOnly), c.NotAfter.Format(time.DateOnly),
				ca.Fingerprint(), ca.AndroidName(), absolute(filepath.Join(dir, "ca.pem")))
			return nil
		},
	}
	addCADir(cmd, &dir)
	return cmd
}

// moduleFile is how a module for Magisk is called unless it is named.
const moduleFile = "constat-ca.zip"

func caExportCommand() *cobra.Command {
	var dir, format, out string
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write the certificate in the form that a device wants",
		Long: `Write the certificate in the form that a device wants:

  pem      most programs; desktop browsers
  der      Android's and Windows' installers
  android  the system store: the file is named after the subject (<hash>.0)
  ios      a configuration profile; then switch it on under Certificate Trust Settings
  magisk   a module for Magisk or KernelSU that puts it into a rooted phone's system store
  adb      a shell script that does so over adb until the phone restarts; "down" undoes it

docs/trust.md says, for each platform, what to do with it and how to remove it again.`,
		Example: `  constat ca export --format ios --out constat.mobileconfig
  constat ca export --format android
  constat ca export --format magisk
  constat ca export --format adb --out constat-adb.sh && sh constat-adb.sh up`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			ca, err := loadCA(dir)
			if err != nil {
				return err
			}
			var data []byte
			switch format {
			case "pem":
				data = ca.PEM()
			case "der":
				data = ca.DER()
			case "android":
				data = ca.AndroidFile()
				if out == "" {
					out = ca.AndroidName()
				}
			case "ios":
				if data, err = ca.MobileConfig(); err != nil {
					return err
				}
			case "magisk":
				if data, err = ca.MagiskModule(); err != nil {
					return err
				}
				if out == "" {
					out = moduleFile
				}
			case "adb":
				data = ca.ADBScript()
			default:
				return usagef("--format %s: want pem, der, android, ios, magisk or adb", format)
			}
			w, finish, err := output(cmd, out)
			if err != nil {
				return err
			}
			_, err = w.Write(data)
			if err = finish(err); err == nil && out != "" && out != "-" {
				fmt.Fprintln(os.Stderr, "wrote", out)
			}
			return err
		},
	}
	addCADir(cmd, &dir)
	cmd.Flags().StringVar(&format, "format", "pem", "pem, der, android, ios, magisk or adb")
	cmd.Flags().StringVar(&out, "out", "", "file to write (default: standard output; android: <hash>.0; magisk: "+moduleFile+")")
	return cmd
}
