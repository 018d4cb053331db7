package main

import (
	"io/fs"
	"path"
	"strings"

	"constat/inspect"
	"constat/proxy/flow"
)

// fragments are files of the telemetry folders that are no report: one small
// object of a format, dumps of threads, records of a server's own work.
var fragments = []string{
	"__json__", "thread_dump", "eng-workflow", "metadata__", "webpagetest", "deletion-request", "optout", "attachment", "feedback", "session-only",
	"anonymous", "prio.4", "core.1.",
}

// deviceStats sends the telemetry payloads up as their programs do. Whole
// reports are positives, fragments are labelled with nothing.
func (b *builder) deviceStats() {
	n := 0
	for _, dir := range []string{"mozilla-telemetry", "sentry-java", "otlp"} {
		files, _ := fs.Glob(b.data, "device-stats/"+dir+"/*")
		if len(files) == 0 {
			b.notes = append(b.notes, "device-stats/"+dir+" is absent")
		}
		for _, f := range files {
			name := path.Base(f)
			data := b.read(f)
			media := appJSON
			if strings.HasSuffix(name, ".txt") {
				media = "application/x-sentry-envelope"
			}
			class, direction := inspect.DeviceStats, flow.Up
			var open []inspect.Class
			for _, w := range fragments {
				if strings.Contains(name, w) && !whole[name] {
					class, direction, open = "", "", []inspect.Class{inspect.DeviceStats}
				}
			}
			b.add("stats "+name, n, up("POST", "/submit/"+dir, media, data), class, direction, open...)
			n++
		}
	}
}

// whole are fragments' lookalikes that describe a device after all.
var whole = map[string]bool{
	"sentry__src__test__resources__json__device.json":             true,
	"sentry__src__test__resources__json__contexts.json":           true,
	"sentry__src__test__resources__json__sentry_event.json":       true,
	"sentry__src__test__resources__json__sentry_base_event.json":  true,
	"sentry__src__test__resources__json__sentry_transaction.json": true,
}
