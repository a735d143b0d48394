package main

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"math"
	"math/rand/v2"
	"net/http"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"
)

const (
	troubledVersion   = "1.5.0" // what bad_deploy pretends to have rolled out
	leakMegabytes     = 300     // no leak grows beyond this
	leakInterval      = 100 * time.Millisecond
	leakGCPercent     = 20 // with the usual 100 the collector would let a leak of 300 MB grow to 600
	pageBytes         = 4096
	burnPeriodSeconds = 0.02
)

// parameter is a number that a fault takes.
type parameter struct {
	name             string
	low, high, usual float64
}

var (
	lasting    = parameter{"lasting", 1, 3600, 60} // seconds until a fault ends by itself
	share      = parameter{"share", 0, 1, 1}
	faultKinds = map[string][]parameter{
		"slow":        {{"seconds", 0.001, 60, 1}, share},
		"errors":      {share},
		"crash":       {},
		"leak":        {{"megabytes_per_second", 1, 50, 5}},
		"burn":        {share},
		"clock_skew":  {{"seconds", -86400, 86400, -3600}},
		"cardinality": {},
		"bad_deploy":  {{"share", 0, 1, 0.3}},
	}
)

// fault is one that is switched on.
type fault struct {
	name   string
	values map[string]float64
	ends   time.Time
	timer  *time.Timer
	stop   func()
}

// faults are the switches that break the service on purpose.
type faults struct {
	version string
	log     *logger
	metrics *metrics

	mutex  sync.Mutex
	active map[string]*fault
}

func newFaults(version string, log *logger, m *metrics) *faults {
	return &faults{version: version, log: log, metrics: m, active: map[string]*fault{}}
}

// strike is called for every request of a route before it is handled.
func (f *faults) strike(span trace.Span) error {
	if seconds, hit := f.hits("slow", "seconds"); hit {
		span.AddEvent("fault.slow")
		time.Sleep(time.Duration(seconds * float64(time.Second)))
	}
	if _, hit := f.hits("errors", "share"); hit {
		return internal()
	}
	if _, hit := f.hits("bad_deploy", "share"); hit {
		return internal()
	}
	return nil
}

// hits tells whether this request belongs to the share of an active fault, and the value of one of its parameters.
func (f *faults) hits(name, parameter string) (value float64, hit bool) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	one := f.active[name]
	if one == nil || rand.Float64() >= one.values["share"] {
		return 0, false
	}
	return one.values[parameter], true
}

// begin switches a fault on; one of the same name is replaced.
func (f *faults) begin(name string, values map[string]float64, lastingSeconds float64) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if before := f.active[name]; before != nil {
		f.remove(before)
	}
	duration := time.Duration(lastingSeconds * float64(time.Second))
	one := &fault{name: name, values: values, ends: time.Now().Add(duration), stop: f.effect(name, values)}
	one.timer = time.AfterFunc(duration, func() { f.end(one) })
	f.active[name] = one
	f.log.warn(context.Background(), line{Message: "fault switched on", Fault: name})
}

func (f *faults) end(one *fault) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if f.active[one.name] != one {
		return // replaced meanwhile
	}
	f.remove(one)
	f.log.warn(context.Background(), line{Message: "fault ended", Fault: one.name})
}

func (f *faults) endAll() {
	for _, one := range f.sorted() {
		f.end(one)
	}
}

func (f *faults) remove(one *fault) {
	one.timer.Stop()
	one.stop()
	delete(f.active, one.name)
}

// effect starts what a fault does outside of requests; the function it returns ends that.
func (f *faults) effect(name string, values map[string]float64) (stop func()) {
	switch name {
	case "leak":
		return inBackground(func(done <-chan struct{}) { leak(done, values["megabytes_per_second"]) })
	case "burn":
		return inBackground(func(done <-chan struct{}) { burn(done, values["share"]) })
	case "clock_skew":
		f.log.skew.Store(int64(values["seconds"] * float64(time.Second)))
		return func() { f.log.skew.Store(0) }
	case "cardinality":
		return f.metrics.labelEveryClient()
	case "bad_deploy":
		f.showVersion(troubledVersion)
		return func() { f.showVersion(f.version) }
	}
	return func() {}
}

func (f *faults) showVersion(version string) {
	f.log.version.Store(version)
	f.metrics.showVersion(version)
}

func inBackground(work func(done <-chan struct{})) (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		work(done)
	}()
	return func() {
		close(done)
		<-ended
	}
}

// leak keeps memory on the heap, every page of it touched, until it is done.
func leak(done <-chan struct{}, megabytesPerSecond float64) {
	usual := debug.SetGCPercent(leakGCPercent)
	defer debug.FreeOSMemory()
	defer debug.SetGCPercent(usual)
	chunkBytes := int(megabytesPerSecond * 1e6 * leakInterval.Seconds())
	var kept [][]byte
	ticker := time.NewTicker(leakInterval)
	defer ticker.Stop()
	for {
		select {
		case <-done:
			clear(kept)
			return
		case <-ticker.C:
		}
		if (len(kept)+1)*chunkBytes > leakMegabytes*1e6 {
			continue
		}
		chunk := make([]byte, chunkBytes)
		for i := 0; i < len(chunk); i += pageBytes {
			chunk[i] = 1
		}
		kept = append(kept, chunk)
	}
}

// burn keeps one core busy for a share of the time.
func burn(done <-chan struct{}, share float64) {
	busy := time.Duration(burnPeriodSeconds * share * float64(time.Second))
	rest := time.Duration(burnPeriodSeconds * (1 - share) * float64(time.Second))
	for {
		for until := time.Now().Add(busy); time.Now().Before(until); {
		}
		select {
		case <-done:
			return
		case <-time.After(rest):
		}
	}
}

func (f *faults) sorted() []*fault {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	list := make([]*fault, 0, len(f.active))
	for _, one := range f.active {
		list = append(list, one)
	}
	slices.SortFunc(list, func(a, b *fault) int { return strings.Compare(a.name, b.name) })
	return list
}

// shown is the list of active faults as the caller sees it.
func (f *faults) shown() []map[string]any {
	list := []map[string]any{}
	for _, one := range f.sorted() {
		left := max(0, time.Until(one.ends).Seconds())
		entry := map[string]any{"name": one.name, "ends_in_seconds": math.Round(left*10) / 10}
		for name, value := range one.values {
			entry[name] = value
		}
		list = append(list, entry)
	}
	return list
}

// serveFaults answers everything below /lab.
func (s *service) serveFaults(w http.ResponseWriter, r *http.Request, asked string) {
	ctx := r.Context()
	if problem := s.switchFaults(r, asked); problem != nil {
		s.write(w, ctx, answer{}, problem)
		return
	}
	s.write(w, ctx, answer{status: http.StatusOK, body: s.faults.shown()}, nil)
	if s.faults.isOn("crash") {
		http.NewResponseController(w).Flush()
		os.Exit(1)
	}
}

func (f *faults) isOn(name string) bool {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	return f.active[name] != nil
}

func (s *service) switchFaults(r *http.Request, asked string) *refusal {
	if !s.mayUseLab(r) {
		return refuse(http.StatusUnauthorized, "unauthorized", "This needs the lab's token: Authorization: Bearer TOKEN.")
	}
	if asked != "/lab/faults" {
		return refuse(http.StatusNotFound, "not_found", "There is nothing at this address.")
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		return nil
	case http.MethodDelete:
		s.faults.endAll()
		return nil
	case http.MethodPost:
		fields, err := readObject(r, allParameters()...)
		if err == nil {
			err = s.switchOn(fields)
		}
		if err != nil {
			return s.explain(r.Context(), trace.SpanFromContext(r.Context()), err)
		}
		return nil
	}
	return wrongMethod(http.MethodGet, http.MethodHead, http.MethodPost, http.MethodDelete)
}

// mayUseLab compares hashes, so that neither the token's text nor its length shows in the time it takes.
func (s *service) mayUseLab(r *http.Request) bool {
	kind, given, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	want, got := sha256.Sum256([]byte(s.settings.token)), sha256.Sum256([]byte(given))
	same := subtle.ConstantTimeCompare(want[:], got[:]) == 1
	return same && s.settings.token != "" && strings.EqualFold(kind, "Bearer")
}

func (s *service) switchOn(fields map[string]json.RawMessage) error {
	var name string
	json.Unmarshal(fields["name"], &name) // what is no text stays empty, which is not known either
	parameters, known := faultKinds[name]
	if !known {
		return invalid("There is no fault %.40q here. Known: %s.", name, strings.Join(faultNames(), ", "))
	}
	parameters = append(slices.Clone(parameters), lasting)
	values := map[string]float64{}
	for _, one := range parameters {
		value, err := one.read(fields)
		if err != nil {
			return err
		}
		values[one.name] = value
	}
	for field := range fields {
		if _, taken := values[field]; !taken && field != "name" {
			return invalid("%s does not take %s. It takes: %s.", name, field, names(parameters))
		}
	}
	seconds := values[lasting.name]
	delete(values, lasting.name)
	s.faults.begin(name, values, seconds)
	return nil
}

func (p parameter) read(fields map[string]json.RawMessage) (float64, error) {
	raw, given := fields[p.name]
	if !given {
		return p.usual, nil
	}
	var number *float64
	if json.Unmarshal(raw, &number) != nil || number == nil || *number < p.low || *number > p.high {
		return 0, invalid("%s must be a number from %g to %g.", p.name, p.low, p.high)
	}
	return *number, nil
}

func names(parameters []parameter) string {
	list := make([]string, len(parameters))
	for i, one := range parameters {
		list[i] = one.name
	}
	return strings.Join(list, ", ")
}

func faultNames() (list []string) {
	for name := range faultKinds {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}

func allParameters() []string {
	list := []string{"name", lasting.name}
	for _, parameters := range faultKinds {
		for _, one := range parameters {
			if !slices.Contains(list, one.name) {
				list = append(list, one.name)
			}
		}
	}
	slices.Sort(list)
	return list
}
