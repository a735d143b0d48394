package main

import (
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

// version is set by the linker; SHOP_VERSION wins.
var version = "1.4.0"

type settings struct {
	version       string
	token         string // opens /lab; empty: nobody may
	otlpEndpoint  string // where traces go; empty: nowhere
	journalFolder string
	declinedShare float64
	hold          time.Duration
}

// readSettings reads the environment. The version is valid even with an error, because the error is logged with it.
func readSettings(env func(string) string) (settings, error) {
	s := settings{version: version, otlpEndpoint: strings.TrimRight(env("OTEL_EXPORTER_OTLP_ENDPOINT"), "/")}
	if given := env("SHOP_VERSION"); given != "" {
		s.version = given
	}
	if path := env("LAB_TOKEN_FILE"); path != "" {
		text, err := os.ReadFile(path)
		if err != nil {
			return s, fmt.Errorf("LAB_TOKEN_FILE: %w", err)
		}
		s.token = strings.TrimSpace(string(text))
	}
	if s.otlpEndpoint != "" {
		endpoint, err := url.Parse(s.otlpEndpoint)
		if err != nil || (endpoint.Scheme != "http" && endpoint.Scheme != "https") || endpoint.Host == "" {
			return s, fmt.Errorf("OTEL_EXPORTER_OTLP_ENDPOINT must be a URL such as http://otelcol:4318, not %q", s.otlpEndpoint)
		}
	}
	var err error
	if s.declinedShare, err = numberIn(env, "PAYMENTS_DECLINED_SHARE", 0.05, 0, 1); err != nil {
		return s, err
	}
	holdSeconds, err := numberIn(env, "PAYMENTS_HOLD_SECONDS", 30, 0.001, 86400)
	s.hold = time.Duration(holdSeconds * float64(time.Second))
	return s, err
}

func numberIn(env func(string) string, name string, usual, low, high float64) (float64, error) {
	text := env(name)
	if text == "" {
		return usual, nil
	}
	number, err := strconv.ParseFloat(text, 64)
	if err != nil || !(number >= low && number <= high) {
		return 0, fmt.Errorf("%s must be a number from %g to %g, not %q", name, low, high, text)
	}
	return number, nil
}
