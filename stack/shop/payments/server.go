package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

const (
	unmatched   = "unmatched"
	otherMethod = "_OTHER"
)

var knownMethods = []string{"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"}

// service is everything that runs in the process.
type service struct {
	settings settings
	log      *logger
	metrics  *metrics
	provider *sdktrace.TracerProvider
	tracer   trace.Tracer
	journal  *journal
	ledger   *ledger
	faults   *faults

	business *http.ServeMux // counted, logged, traced
	paths    *http.ServeMux // the same paths without methods
	scrape   http.Handler
	stop     context.CancelFunc // of the background loop
	stopped  chan struct{}
}

func newService(s settings, log *logger, tracing ...sdktrace.TracerProviderOption) (*service, error) {
	journal, payments, repaired, err := openJournal(s.journalFolder, time.Now())
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	if repaired != "" {
		log.warn(context.Background(), line{Message: "journal repaired", Reason: repaired})
	}
	provider, err := newTracerProvider(s, log, tracing...)
	if err != nil {
		journal.close()
		return nil, fmt.Errorf("traces: %w", err)
	}
	one := &service{
		settings: s, log: log, metrics: newMetrics(s.version), provider: provider, tracer: provider.Tracer("shop/payments"),
		journal: journal, business: http.NewServeMux(), paths: http.NewServeMux(), stopped: make(chan struct{}),
	}
	one.ledger = newLedger(s, journal, payments, one.metrics, log, one.tracer)
	one.faults = newFaults(s.version, log, one.metrics)
	one.scrape = one.metrics.handler()
	one.addRoutes()

	ctx, stop := context.WithCancel(context.Background())
	one.stop = stop
	go func() {
		defer close(one.stopped)
		one.ledger.expireHolds(ctx)
	}()
	return one, nil
}

func (s *service) addRoutes() {
	for _, one := range routes {
		s.business.Handle(one.method+" "+one.path, s.watched(one.path, func(r *http.Request) (answer, error) {
			return one.handle(s, r)
		}))
		s.paths.Handle(one.path, http.NotFoundHandler())
	}
	s.business.Handle("/", s.watched(unmatched, s.notFound))
}

// close lets the background end, then sends the last spans.
func (s *service) close() {
	s.stop()
	<-s.stopped
	s.journal.close()
	ctx, cancel := context.WithTimeout(context.Background(), flushTime)
	defer cancel()
	if err := s.provider.Shutdown(ctx); err != nil {
		s.log.exportFailed(err)
	}
}

// ServeHTTP parts what is watched from what watches.
func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	asked := r.URL.EscapedPath()
	body := &timedBody{ReadCloser: r.Body, controller: http.NewResponseController(w)}
	defer body.finish()
	r = r.WithContext(r.Context())
	r.Body = body
	switch {
	case asked == "/healthz", asked == "/metrics", asked == "/lab", strings.HasPrefix(asked, "/lab/"):
		s.serveLab(w, r, asked)
	case !isClean(asked):
		// The mux would redirect to the clean path: an answer that the API does not have.
		s.watched(unmatched, s.notFound)(w, r)
	default:
		s.business.ServeHTTP(w, r)
	}
}

// isClean is false also for what is no path, such as the * of OPTIONS.
func isClean(asked string) bool { return strings.HasPrefix(asked, "/") && path.Clean(asked) == asked }

// serveLab answers what is neither counted nor logged nor traced.
func (s *service) serveLab(w http.ResponseWriter, r *http.Request, asked string) {
	r = r.WithContext(withRequestID(r.Context(), r))
	reads := r.Method == http.MethodGet || r.Method == http.MethodHead
	switch {
	case asked == "/metrics" && reads:
		s.scrape.ServeHTTP(w, r)
	case asked == "/healthz" && reads:
		s.write(w, r.Context(), answer{status: http.StatusOK, body: map[string]string{"status": "ok"}}, nil)
	case asked == "/metrics" || asked == "/healthz":
		s.write(w, r.Context(), answer{}, wrongMethod(http.MethodGet, http.MethodHead))
	default:
		s.serveFaults(w, r, asked)
	}
}

func wrongMethod(allowed ...string) *refusal {
	problem := refuse(http.StatusMethodNotAllowed, "method_not_allowed", "Allowed here: %s.", strings.Join(allowed, ", "))
	problem.allow = strings.Join(allowed, ", ")
	return problem
}

// watched puts everything around a route that the contract promises: span, counters, log line, faults, errors.
func (s *service) watched(template string, handle func(*http.Request) (answer, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		method := methodLabel(r.Method)
		ctx := otel.GetTextMapPropagator().Extract(r.Context(), propagation.HeaderCarrier(r.Header))
		ctx, span := s.startSpan(ctx, r, method, template)
		defer span.End()
		ctx = withRequestID(ctx, r)
		s.metrics.inFlight.Inc()
		defer s.metrics.inFlight.Dec()

		result, err := s.guarded(ctx, template, r.WithContext(ctx), handle)
		problem := s.explain(ctx, span, err)
		status := s.write(w, ctx, result, problem)

		span.SetAttributes(attribute.Int("http.response.status_code", status))
		if status >= http.StatusInternalServerError {
			span.SetStatus(codes.Error, "")
			span.SetAttributes(attribute.String("error.type", strconv.Itoa(status)))
		}
		s.metrics.countClient(r.UserAgent())
		s.count(ctx, method, template, status, time.Since(start))
		s.logRequest(ctx, method, template, status, time.Since(start), problem)
	}
}

// startSpan follows the semantic conventions: what matches no route has no http.route and only its method as a name, "HTTP"
// when that is none of HTTP.
func (s *service) startSpan(ctx context.Context, r *http.Request, method, template string) (context.Context, trace.Span) {
	name := method
	if method == otherMethod {
		name = "HTTP"
	}
	attributes := []attribute.KeyValue{
		attribute.String("http.request.method", method),
		attribute.String("url.path", r.URL.EscapedPath()), // unescaped it may not be UTF-8, and the collector would refuse it
		attribute.String("url.scheme", "http"),
	}
	if template != unmatched {
		name += " " + template
		attributes = append(attributes, attribute.String("http.route", template))
	}
	return s.tracer.Start(ctx, name, trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(attributes...))
}

// guarded runs the faults and the handler; a panic becomes an error.
func (s *service) guarded(ctx context.Context, template string, r *http.Request, handle func(*http.Request) (answer, error)) (result answer, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			result, err = answer{}, fmt.Errorf("panic: %v", cause)
		}
	}()
	if template != unmatched {
		if err := s.faults.strike(trace.SpanFromContext(ctx)); err != nil {
			return answer{}, err
		}
	}
	return handle(r)
}

// explain turns an error into what the caller may know; an unexpected one is logged here, once.
func (s *service) explain(ctx context.Context, span trace.Span, err error) *refusal {
	var problem *refusal
	if err == nil || errors.As(err, &problem) {
		return problem
	}
	s.log.unexpected(ctx, err)
	span.RecordError(err)
	return internal()
}

// write sends the answer, or the problem if there is one, and returns the status code.
func (s *service) write(w http.ResponseWriter, ctx context.Context, result answer, problem *refusal) int {
	header := w.Header()
	if problem != nil {
		details := errorDetails{Code: problem.code, Message: problem.message, RequestID: requestID(ctx)}
		if span := trace.SpanContextFromContext(ctx); span.IsValid() {
			details.TraceID = span.TraceID().String()
		}
		result.status, result.body = problem.status, errorBody{details}
		if problem.allow != "" {
			header.Set("Allow", problem.allow)
		}
		if problem.status == http.StatusRequestEntityTooLarge {
			header.Set("Connection", "close")
		}
	}
	text, err := json.Marshal(result.body)
	if err != nil {
		panic(err) // bodies are made of text and numbers
	}
	text = append(text, '\n')
	header.Set("Content-Type", "application/json")
	header.Set("Content-Length", strconv.Itoa(len(text)))
	header.Set("X-Request-Id", requestID(ctx))
	if result.replayed {
		header.Set("Idempotent-Replay", "true")
	}
	w.WriteHeader(result.status)
	w.Write(text) // a caller that has gone is no concern of ours
	return result.status
}

func (s *service) count(ctx context.Context, method, template string, status int, duration time.Duration) {
	code := strconv.Itoa(status)
	s.metrics.requests.WithLabelValues(method, template, code).(prometheus.ExemplarAdder).AddWithExemplar(1, exemplar(ctx))
	observe(s.metrics.duration.WithLabelValues(method, template, code), duration.Seconds(), ctx)
}

func (s *service) logRequest(ctx context.Context, method, template string, status int, duration time.Duration, problem *refusal) {
	durationMS := float64(duration.Microseconds()) / 1000
	one := line{Message: "request", Method: method, Route: template, Status: status, DurationMS: &durationMS}
	if problem != nil {
		one.Error = problem.code
	}
	switch {
	case status >= 500:
		s.log.failed(ctx, one)
	case status >= 400:
		s.log.warn(ctx, one)
	default:
		s.log.info(ctx, one)
	}
}

func methodLabel(method string) string {
	if slices.Contains(knownMethods, method) {
		return method
	}
	return otherMethod
}
