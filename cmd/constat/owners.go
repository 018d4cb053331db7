package main

import (
	"github.com/spf13/cobra"

	"constat/inspect/owner"
)

// addOwners adds the flags that name the user's own tables of who answers behind
// an address.
func addOwners(cmd *cobra.Command, files *owner.Files) {
	cmd.Flags().StringVar(&files.AS, "owner-as", "", "MaxMind DB file of autonomous systems, in place of the built-in table")
	cmd.Flags().StringVar(&files.Country, "owner-country", "", "MaxMind DB file of countries, in place of the built-in table")
}
