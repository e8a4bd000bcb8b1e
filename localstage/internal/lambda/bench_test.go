package lambda

import (
	"testing"
	"time"
)

// BenchmarkInvoke measures one event and its response, through the process of a trivial Go function: "idle" with the
// environment at rest before each event, as in real life, and "busy" with one event after the other. ns/invoke is the
// caller's wait; ns/op includes the way back to rest.
func BenchmarkInvoke(b *testing.B) {
	benchmarks := []struct {
		name           string
		noFreeze, rest bool
	}{
		{"frozen/idle", false, true},
		{"frozen/busy", false, false},
		{"unfrozen/idle", true, true},
		{"unfrozen/busy", true, false},
	}
	for _, benchmark := range benchmarks {
		b.Run(benchmark.name, func(b *testing.B) {
			f := addFunction(b, startService(b, Options{NoFreeze: benchmark.noFreeze}))
			invoke[int](b, f, `{"do":"pid"}`)
			event := []byte(`{"do":"echo"}`)
			var waited time.Duration
			for b.Loop() {
				for benchmark.rest && !isIdle(f) {
					<-time.After(50 * time.Microsecond)
				}
				began := time.Now()
				if _, err := f.Invoke(b.Context(), event); err != nil {
					b.Fatal(err)
				}
				waited += time.Since(began)
			}
			b.ReportMetric(float64(waited.Nanoseconds())/float64(b.N), "ns/invoke")
		})
	}
}

func isIdle(f *Function) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.idle) > 0
}

// BenchmarkColdStart measures an event that needs a new process, with the end of the previous one.
func BenchmarkColdStart(b *testing.B) {
	f := addFunction(b, startService(b, Options{}))
	for b.Loop() {
		invoke[int](b, f, `{"do":"pid"}`)
		for _, e := range f.Environments() {
			e.Kill()
		}
	}
}
