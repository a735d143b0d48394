package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"
)

const (
	traceID       = "11111111111111111111111111111111"
	sampledParent = "00-" + traceID + "-2222222222222222-01"
	otherParent   = "00-" + traceID + "-2222222222222222-00"
	openMetrics   = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.2"
)

func TestSeriesAreBornAtZero(t *testing.T) {
	s := startShop(t, testSettings(t))
	for _, series := range []string{
		`http_requests_total{code="201",method="POST",route="/payments"}`,
		`http_requests_total{code="200",method="GET",route="/payments/{order_id}"}`,
		`http_requests_total{code="200",method="POST",route="/payments/{order_id}/capture"}`,
		`http_requests_total{code="200",method="POST",route="/payments/{order_id}/void"}`,
		`shop_requests_by_client_total{client="k6"}`,
		`payments_total{result="expired"}`,
		`http_requests_in_flight`,
		`payment_amount_cents_count`,
	} {
		s.wantMetric(series, 0)
	}
	s.wantMetric(`shop_build_info{language="go",version="1.4.0"}`, 1)
}

func TestMetricsFormats(t *testing.T) {
	s := startShop(t, testSettings(t))
	s.ask("POST", "/payments", `{"amount_cents": 700}`, "Idempotency-Key", orderA, "traceparent", sampledParent)
	plain := s.ask("GET", "/metrics", "")
	if !strings.HasPrefix(plain.header.Get("Content-Type"), "text/plain; version=0.0.4") || strings.Contains(plain.text, traceID) {
		t.Error(plain.header.Get("Content-Type"))
	}
	open := s.ask("GET", "/metrics", "", "Accept", openMetrics)
	if !strings.HasPrefix(open.header.Get("Content-Type"), "application/openmetrics-text; version=1.0.0") || !strings.HasSuffix(open.text, "# EOF\n") {
		t.Error(open.header.Get("Content-Type"))
	}
	for _, pattern := range []string{
		`http_requests_total\{code="201",method="POST",route="/payments"\} 1\.0 # \{trace_id="` + traceID + `"\}`,
		`http_request_duration_seconds_bucket\{.*\} 1 # \{trace_id="` + traceID + `"\}`,
	} {
		if !regexp.MustCompile(pattern).MatchString(open.text) {
			t.Error(pattern)
		}
	}
	native := s.ask("GET", "/metrics", "", "Accept", "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited")
	if !strings.HasPrefix(native.header.Get("Content-Type"), "application/vnd.google.protobuf") {
		t.Error(native.header.Get("Content-Type"))
	}
}

func TestNoExemplarForATraceThatIsNotSampled(t *testing.T) {
	s := startShop(t, testSettings(t))
	s.ask("GET", "/payments/"+orderA, "", "traceparent", otherParent)
	if text := s.ask("GET", "/metrics", "", "Accept", openMetrics).text; strings.Contains(text, "# {trace_id") {
		t.Error("an exemplar leads to a trace that nobody has")
	}
	if lines := s.log.lines(t, "request"); lines[0]["trace_id"] != traceID {
		t.Error(lines)
	}
}

func TestOnlyTheContractsMetrics(t *testing.T) {
	s := startShop(t, testSettings(t))
	s.pay(orderA, `{"amount_cents": 700}`)
	want := []string{"http_request_duration_seconds", "http_requests_in_flight", "http_requests_total", "payment_amount_cents",
		"payments_total", "shop_build_info", "shop_requests_by_client_total"}
	var got []string
	for _, line := range strings.Split(s.ask("GET", "/metrics", "").text, "\n") {
		name, _, _ := strings.Cut(strings.TrimPrefix(line, "# TYPE "), " ")
		if strings.HasPrefix(line, "# TYPE ") && !strings.HasPrefix(name, "go_") && !strings.HasPrefix(name, "process_") {
			got = append(got, name)
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Error(got)
	}
}

func TestClientKinds(t *testing.T) {
	for agent, want := range map[string]string{
		"Grafana k6/2.2.0": "k6", "Mozilla/5.0 (X11)": "browser", "shop-gateway/1.4.0": "shop", "": "other", "curl/8": "other", "a shop-x": "other",
	} {
		if got := clientKind(agent); got != want {
			t.Errorf("%q is %s, want %s", agent, got, want)
		}
	}
}

func TestSpans(t *testing.T) {
	s := startShop(t, testSettings(t))
	s.ask("POST", "/payments", `{"amount_cents": 700}`, "Idempotency-Key", orderA, "traceparent", sampledParent)
	spans := s.spans.GetSpans()
	if len(spans) != 2 || spans[0].Name != "charge_card" || spans[1].Name != "POST /payments" {
		t.Fatal(spans)
	}
	charge, server := spans[0], spans[1]
	if server.SpanContext.TraceID().String() != traceID || server.Parent.SpanID().String() != "2222222222222222" ||
		server.SpanKind != trace.SpanKindServer || server.Status.Code != 0 {
		t.Error(server)
	}
	if charge.Parent.SpanID() != server.SpanContext.SpanID() || charge.SpanKind != trace.SpanKindInternal {
		t.Error(charge)
	}
	wantAttributes(t, server.Attributes, map[string]string{"http.request.method": "POST", "http.route": "/payments",
		"http.response.status_code": "201", "url.path": "/payments", "url.scheme": "http"})
	wantAttributes(t, charge.Attributes, map[string]string{"shop.order_id": orderA, "shop.amount_cents": "700"})
	wantAttributes(t, server.Resource.Attributes(), map[string]string{"service.name": "payments", "service.namespace": "shop",
		"service.version": "1.4.0", "deployment.environment.name": "lab"})
}

func TestSpanOfAnUnknownMethod(t *testing.T) {
	s := startShop(t, testSettings(t))
	s.ask("BREW", "/coffee", "")
	span := s.spans.GetSpans()[0]
	if span.Name != "HTTP" {
		t.Error(span.Name)
	}
	wantAttributes(t, span.Attributes, map[string]string{"http.request.method": "_OTHER", "http.response.status_code": "404",
		"url.path": "/coffee", "url.scheme": "http"})
}

func TestACallersBaggageIsNotAFailedExport(t *testing.T) {
	s := startShop(t, testSettings(t))
	s.ask("GET", "/payments/"+orderA, "", "baggage", "=,,;")
	if lines := s.log.lines(t, "telemetry export failed"); len(lines) != 0 {
		t.Error(lines)
	}
}

func wantAttributes(t *testing.T, got []attribute.KeyValue, want map[string]string) {
	t.Helper()
	if len(got) != len(want) {
		t.Error(got)
	}
	for _, one := range got {
		if want[string(one.Key)] != one.Value.Emit() {
			t.Errorf("%s is %s", one.Key, one.Value.Emit())
		}
	}
}

func TestRequestLine(t *testing.T) {
	s := startShop(t, testSettings(t))
	s.ask("GET", "/healthz", "")
	s.ask("GET", "/metrics", "")
	s.ask("GET", "/payments/"+orderA, "", "X-Request-Id", "r1", "traceparent", sampledParent)
	lines := s.log.lines(t, "request")
	if len(lines) != 1 {
		t.Fatal(lines)
	}
	one := lines[0]
	for field, want := range map[string]any{"level": "warn", "service": "payments", "version": "1.4.0", "method": "GET",
		"route": "/payments/{order_id}", "status": 404.0, "trace_id": traceID, "request_id": "r1", "error": "unknown_payment"} {
		if one[field] != want {
			t.Errorf("%s is %v", field, one[field])
		}
	}
	if !regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`).MatchString(one["time"].(string)) {
		t.Error(one["time"])
	}
	if _, ok := one["duration_ms"].(float64); !ok || len(one["span_id"].(string)) != 16 {
		t.Error(one)
	}
}

func TestSpansAreSentByHTTP(t *testing.T) {
	received := make(chan *collector.ExportTraceServiceRequest, 10)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		request := &collector.ExportTraceServiceRequest{}
		if err := proto.Unmarshal(text, request); err != nil || r.URL.Path != "/v1/traces" {
			t.Error(r.URL.Path, err)
		}
		received <- request
	}))
	defer receiver.Close()
	given := testSettings(t)
	given.otlpEndpoint = receiver.URL
	s := startShop(t, given)
	s.ask("GET", "/%ff", "", "traceparent", sampledParent)
	s.stop()
	span := (<-received).ResourceSpans[0].ScopeSpans[0].Spans[0]
	if span.Name != "GET" {
		t.Error(span)
	}
}

func TestSettings(t *testing.T) {
	cases := []struct {
		name, value, says string
	}{
		{"PAYMENTS_DECLINED_SHARE", "1.1", "PAYMENTS_DECLINED_SHARE"},
		{"PAYMENTS_DECLINED_SHARE", "NaN", "PAYMENTS_DECLINED_SHARE"},
		{"PAYMENTS_HOLD_SECONDS", "x", "PAYMENTS_HOLD_SECONDS"},
		{"OTEL_EXPORTER_OTLP_ENDPOINT", "otelcol:4318", "http://otelcol:4318"},
		{"LAB_TOKEN_FILE", "/does/not/exist", "LAB_TOKEN_FILE"},
		{"SHOP_VERSION", "9.9.9", ""},
	}
	for _, one := range cases {
		got, err := readSettings(func(name string) string {
			if name == one.name {
				return one.value
			}
			return ""
		})
		if one.says == "" {
			if err != nil || got.version != "9.9.9" {
				t.Error(got, err)
			}
		} else if err == nil || !strings.Contains(err.Error(), one.says) {
			t.Errorf("%s=%s: %v", one.name, one.value, err)
		}
	}
}
