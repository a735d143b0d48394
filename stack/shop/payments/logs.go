package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	stdlog "log"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/trace"
)

const (
	serviceName  = "payments"
	reasonBytes  = 500
	quietSeconds = 60 // a failed export is logged once in this time
)

// line is one line of the log; its fields are those of the contract.
type line struct {
	Time        string   `json:"time"`
	Level       string   `json:"level"`
	Service     string   `json:"service"`
	Version     string   `json:"version"`
	Message     string   `json:"message"`
	TraceID     string   `json:"trace_id,omitempty"`
	SpanID      string   `json:"span_id,omitempty"`
	RequestID   string   `json:"request_id,omitempty"`
	Method      string   `json:"method,omitempty"`
	Route       string   `json:"route,omitempty"`
	Status      int      `json:"status,omitempty"`
	DurationMS  *float64 `json:"duration_ms,omitempty"`
	OrderID     string   `json:"order_id,omitempty"`
	AmountCents int64    `json:"amount_cents,omitempty"`
	Error       string   `json:"error,omitempty"`
	Reason      string   `json:"reason,omitempty"`
	Fault       string   `json:"fault,omitempty"`
	Address     string   `json:"address,omitempty"`
}

// logger writes lines of JSON. Version and skew can be switched while it runs.
type logger struct {
	mutex           sync.Mutex
	out             io.Writer
	version         atomic.Value // string
	skew            atomic.Int64 // nanoseconds that the clock is off
	lastExportError atomic.Int64 // Unix seconds
}

func newLogger(out io.Writer, version string) *logger {
	l := &logger{out: out}
	l.version.Store(version)
	return l
}

func (l *logger) info(ctx context.Context, one line)   { l.write(ctx, "info", one) }
func (l *logger) warn(ctx context.Context, one line)   { l.write(ctx, "warn", one) }
func (l *logger) failed(ctx context.Context, one line) { l.write(ctx, "error", one) }

func (l *logger) unexpected(ctx context.Context, err error) {
	l.failed(ctx, line{Message: "unexpected error", Reason: shortened(err.Error())})
}

func (l *logger) write(ctx context.Context, level string, one line) {
	now := time.Now().Add(time.Duration(l.skew.Load())).UTC()
	one.Time, one.Level = now.Format("2006-01-02T15:04:05.000Z"), level
	one.Service, one.Version = serviceName, l.version.Load().(string)
	if span := trace.SpanContextFromContext(ctx); span.IsValid() {
		one.TraceID, one.SpanID = span.TraceID().String(), span.SpanID().String()
	}
	one.RequestID = requestID(ctx)

	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if encoder.Encode(one) != nil {
		return // a line of strings and numbers can always be encoded
	}
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.out.Write(text.Bytes())
}

// exportFailed is told of errors by the OpenTelemetry SDK, which repeats them with every batch.
func (l *logger) exportFailed(err error) {
	last, now := l.lastExportError.Load(), time.Now().Unix()
	if now-last < quietSeconds || !l.lastExportError.CompareAndSwap(last, now) {
		return
	}
	l.warn(context.Background(), line{Message: "telemetry export failed", Reason: shortened(err.Error())})
}

// forServer is the log of net/http, which would write plain text to standard error.
func (l *logger) forServer() *stdlog.Logger {
	return stdlog.New(serverErrors{l}, "", 0)
}

type serverErrors struct{ log *logger }

func (s serverErrors) Write(text []byte) (int, error) {
	s.log.unexpected(context.Background(), fmt.Errorf("%s", bytes.TrimSpace(text)))
	return len(text), nil
}

func shortened(text string) string {
	if len(text) <= reasonBytes {
		return text
	}
	return text[:reasonBytes]
}
