//go:build race

package inspecttest

const raced = true
