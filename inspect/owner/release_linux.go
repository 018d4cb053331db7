package owner

import (
	"os"
	"syscall"
	"unsafe"
)

// release gives the memory of the pages inside table back. Touching one byte of a
// mapped file makes Linux map the 64 KiB around it (fault_around_bytes), so that
// some hundred lookups would make nearly half of the tables resident. Nobody writes
// to them: what is touched again is mapped again from the file of the program.
// Pages that the table shares with other data are left alone.
func release(table []byte) {
	page := uintptr(os.Getpagesize())
	start := uintptr(unsafe.Pointer(unsafe.SliceData(table)))
	from := (start+page-1)&^(page-1) - start
	to := (start+uintptr(len(table)))&^(page-1) - start
	if from < to && to <= uintptr(len(table)) {
		_ = syscall.Madvise(table[from:to], syscall.MADV_DONTNEED) // it saves memory, no more
	}
}
