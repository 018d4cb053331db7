package main

import (
	"bytes"
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
				if strings.Contains(name, w) && !reports[name] {
					class, direction, open = "", "", []inspect.Class{inspect.DeviceStats}
				}
			}
			s := up("POST", "/submit/"+dir, media, data)
			x := b.add("stats "+name, n, s, class, direction, open...)
			if x.want == nil {
				x.want = make(map[inspect.Class]flow.Direction)
			}
			look(data).label(x, s)
			if bytes.Contains(data, []byte(`"prioData"`)) {
				x.want[inspect.Opaque] = flow.Up // shares of counters, each encrypted for one of two servers
			}
			n++
		}
	}
}

// reports are fragments' lookalikes that describe a device after all.
var reports = map[string]bool{
	"sentry__src__test__resources__json__device.json":             true,
	"sentry__src__test__resources__json__contexts.json":           true,
	"sentry__src__test__resources__json__sentry_event.json":       true,
	"sentry__src__test__resources__json__sentry_base_event.json":  true,
	"sentry__src__test__resources__json__sentry_transaction.json": true,
}
