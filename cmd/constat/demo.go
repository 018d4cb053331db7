package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"constat/certs"
	"constat/inspect/owner"
	"constat/store/report"
)

// demoBanner stands at the head of everything that the demonstration shows.
const demoBanner = "INVENTED. A simulated phone talked to simulated servers on this computer. " +
	"Hosts, people, numbers and contents are made up; nothing here says anything about any vendor."

// demoBannerFrench is the same for reports in French.
const demoBannerFrench = "CAS INVENTÉ. Un téléphone simulé a dialogué avec des serveurs simulés sur cet ordinateur. " +
	"Hôtes, personnes, numéros et contenus sont fictifs\u00a0; rien ici ne concerne un constructeur quel qu’il soit."

// bannerIn is the banner of a case in a language, as far as it is known in it.
func bannerIn(lang, banner string) string {
	if banner == demoBanner && lang == "fr" {
		return demoBannerFrench
	}
	return banner
}

func demoCommand() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "See it work without a phone: an invented affair, through the real proxy",
		Long: `Act out an invented affair through the real proxy, over loopback only: a phone lies idle,
downloads greetings, reports a text message to the same host, uploads a photo and its
statistics, and runs an app that refuses to be intercepted. Then the report is written.`,
		Example: "  constat demo\n  constat demo --dir /tmp/demo",
		Args:    exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if dir == "" {
				dir = freshDir("demo")
			}
			out := cmd.OutOrStdout()
			fmt.Fprintf(out, "%s\n\n", demoBanner)
			say := func(format string, args ...any) { fmt.Fprintf(out, "  "+format+"\n", args...) }
			caseFile, err := demo(cmd.Context(), dir, say)
			if err != nil {
				return err
			}
			fmt.Fprintf(out, "\nreport  %s\ncase    %s\n\nNext:   constat query --case %s\n        constat claims --case %s\n        constat verify %s\n",
				absolute(filepath.Join(dir, "report.html")), absolute(caseFile), caseFile, caseFile, caseFile)
			return nil
		},
	}
	cmd.Flags().StringVar(&dir, "dir", "", "new folder for the case and the report (default: demo, demo-2, …)")
	return cmd
}

// freshDir returns name, or name-2 and so on when it exists.
func freshDir(name string) string {
	for n := 1; ; n++ {
		dir := name
		if n > 1 {
			dir = fmt.Sprintf("%s-%d", name, n)
		}
		if _, err := os.Lstat(dir); errors.Is(err, os.ErrNotExist) {
			return dir
		}
	}
}

// demo acts the affair out and writes case and report into dir, which must be
// new or empty. It returns the case file.
func demo(ctx context.Context, dir string, say func(format string, args ...any)) (caseFile string, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	caseFile = filepath.Join(dir, "demo.constat")
	if _, err := os.Lstat(caseFile); err == nil {
		return "", hint{fmt.Errorf("%s exists", caseFile), "choose another folder with --dir"}
	}
	persona, err := inventPersona("fr")
	if err != nil {
		return "", err
	}
	if err := persona.WriteKit(filepath.Join(dir, "kit")); err != nil {
		return "", err
	}
	scratch, err := os.MkdirTemp("", "constat-demo-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(scratch)
	serverCA, err := certs.LoadOrCreate(filepath.Join(scratch, "servers"), certs.Options{})
	if err != nil {
		return "", err
	}
	servers, err := startDemoServers(serverCA)
	if err != nil {
		return "", err
	}
	defer servers.Close()
	roots := x509.NewCertPool()
	roots.AddCert(serverCA.Certificate())

	caDir := filepath.Join(dir, "ca")
	s, err := newService(ctx, serviceConfig{
		Listen: "127.0.0.1:0", Case: caseFile, CADir: caDir, Roots: roots, Resolve: servers.Resolve(),
		Persona: persona, BodyLimit: 256 << 20, Banner: demoBanner, Log: zerolog.Nop(),
	})
	if err != nil {
		return "", err
	}
	serving, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- s.Serve(serving) }()
	phone := newDemoPhone(s.door.Addr().String(), s.CA, persona)
	acted := phone.act(serving, s.Case, say)
	stop()
	if err := errors.Join(acted, <-done); err != nil {
		return "", err
	}

	r, err := openCase(ctx, caseFile)
	if err != nil {
		return "", err
	}
	defer r.Close()
	in, err := inspectorFor(ctx, r, nil)
	if err != nil {
		return "", err
	}
	f, err := os.OpenFile(filepath.Join(dir, "report.html"), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", err
	}
	answers, comparisons, err := new(answering).of(ctx, r, func(string, int64, int64) {})
	if err != nil {
		return "", errors.Join(err, f.Close())
	}
	err = report.Write(ctx, f, r, report.Options{
		Title: "What an invented phone sent", Banner: demoBanner, MaxDeciding: 5, Build: build(), Inspector: in, Owners: owner.New(), Now: time.Now,
		Answers: answers, Comparisons: comparisons,
	})
	return caseFile, errors.Join(err, f.Close())
}
