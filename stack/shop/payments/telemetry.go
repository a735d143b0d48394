package main

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

const (
	exportInterval     = time.Second
	exportTimeout      = 5 * time.Second
	nativeBucketFactor = 1.1
	nativeBucketCount  = 160
	nativeResetTime    = time.Hour
)

// metrics are those of ../../telemetry.yaml; names, labels and buckets stand there.
type metrics struct {
	registry    *prometheus.Registry
	requests    *prometheus.CounterVec
	duration    *prometheus.HistogramVec
	inFlight    prometheus.Gauge
	buildInfo   *prometheus.GaugeVec
	byClient    *prometheus.CounterVec
	payments    *prometheus.CounterVec
	amountCents prometheus.Histogram

	mutex        sync.Mutex
	extraClients []string // labels that the fault cardinality has made; nil while it is off
}

func newMetrics(version string) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "http_requests_total", Help: "Requests answered, by method, route template and status code.",
		}, []string{"method", "route", "code"}),
		duration: prometheus.NewHistogramVec(histogram("http_request_duration_seconds", "Time from the request's arrival to its answer.",
			0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10), []string{"method", "route", "code"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "http_requests_in_flight", Help: "Requests being worked on now.",
		}),
		buildInfo: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "shop_build_info", Help: "Always 1; its labels tell what runs.",
		}, []string{"version", "language"}),
		byClient: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "shop_requests_by_client_total", Help: "Requests by kind of client, told by the User-Agent.",
		}, []string{"client"}),
		payments: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "payments_total", Help: "Payments by step; a repeated one was asked for again with the same key and not charged again.",
		}, []string{"result"}),
		amountCents: prometheus.NewHistogram(histogram("payment_amount_cents", "Amounts authorized.",
			500, 1000, 2500, 5000, 10000, 25000, 50000, 100000)),
	}
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		m.requests, m.duration, m.inFlight, m.buildInfo, m.byClient, m.payments, m.amountCents)
	// Born at 0, so that the first event of a kind is a rise.
	for _, client := range []string{"browser", "k6", "shop", "other"} {
		m.byClient.WithLabelValues(client)
	}
	for _, result := range []string{"authorized", "declined", "repeated", "captured", "voided", "expired"} {
		m.payments.WithLabelValues(result)
	}
	for _, one := range routes {
		m.requests.WithLabelValues(one.method, one.path, strconv.Itoa(one.success))
		m.duration.WithLabelValues(one.method, one.path, strconv.Itoa(one.success))
	}
	m.showVersion(version)
	return m
}

func histogram(name, help string, buckets ...float64) prometheus.HistogramOpts {
	return prometheus.HistogramOpts{
		Name: name, Help: help, Buckets: buckets, NativeHistogramBucketFactor: nativeBucketFactor,
		NativeHistogramMaxBucketNumber: nativeBucketCount, NativeHistogramMinResetDuration: nativeResetTime,
	}
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{EnableOpenMetrics: true})
}

func (m *metrics) showVersion(version string) {
	m.buildInfo.Reset()
	m.buildInfo.WithLabelValues(version, "go").Set(1)
}

// countClient counts a kind of client, or, while the fault cardinality is on, a client of its own for every request.
func (m *metrics) countClient(userAgent string) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	label := clientKind(userAgent)
	if m.extraClients != nil {
		label = "client-" + newUUID()
		m.extraClients = append(m.extraClients, label)
	}
	m.byClient.WithLabelValues(label).Inc()
}

// labelEveryClient starts the fault cardinality; the function it returns ends it and removes the extra series.
func (m *metrics) labelEveryClient() (stop func()) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.extraClients = []string{}
	return func() {
		m.mutex.Lock()
		defer m.mutex.Unlock()
		for _, label := range m.extraClients {
			m.byClient.DeleteLabelValues(label)
		}
		m.extraClients = nil
	}
}

// clientKind is a closed set, because the header itself could hold anything.
func clientKind(userAgent string) string {
	switch {
	case strings.Contains(userAgent, "k6"):
		return "k6"
	case strings.HasPrefix(userAgent, "Mozilla"):
		return "browser"
	case strings.HasPrefix(userAgent, "shop-"):
		return "shop"
	}
	return "other"
}

// exemplar is the sampled trace of ctx; nil when nobody could look it up.
func exemplar(ctx context.Context) prometheus.Labels {
	span := trace.SpanContextFromContext(ctx)
	if !span.IsSampled() {
		return nil
	}
	return prometheus.Labels{"trace_id": span.TraceID().String()}
}

func observe(observer prometheus.Observer, value float64, ctx context.Context) {
	observer.(prometheus.ExemplarObserver).ObserveWithExemplar(value, exemplar(ctx))
}

// newTracerProvider makes the spans. Without an endpoint they are made, so that ids stand in logs, and not sent.
func newTracerProvider(s settings, log *logger, extra ...sdktrace.TracerProviderOption) (*sdktrace.TracerProvider, error) {
	otel.SetTextMapPropagator(propagation.TraceContext{}) // no baggage: nobody reads it, and a bad one is told to the error handler
	otel.SetErrorHandler(otel.ErrorHandlerFunc(log.exportFailed))
	options := append(extra, sdktrace.WithResource(resource.NewSchemaless(
		attribute.String("service.name", serviceName),
		attribute.String("service.namespace", "shop"),
		attribute.String("service.version", s.version),
		attribute.String("deployment.environment.name", "lab"),
	)))
	if s.otlpEndpoint != "" {
		exporter, err := otlptracehttp.New(context.Background(),
			otlptracehttp.WithEndpointURL(s.otlpEndpoint+"/v1/traces"), otlptracehttp.WithTimeout(exportTimeout))
		if err != nil {
			return nil, err
		}
		options = append(options, sdktrace.WithBatcher(exporter, sdktrace.WithBatchTimeout(exportInterval)))
	}
	return sdktrace.NewTracerProvider(options...), nil
}
