package main

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	bodyBytes  = 16 << 10
	bodyTime   = 10 * time.Second
	drainBytes = 32 << 20 // of a body that is too long so much is thrown away, so that the caller gets to read the answer
)

// timedBody gives a slow caller so much time for its body, counted from when the body is asked for: a server-wide limit
// would also run while a fault delays the request.
type timedBody struct {
	io.ReadCloser
	controller *http.ResponseController
	started    bool
}

func (b *timedBody) Read(into []byte) (int, error) {
	if !b.started {
		b.started = true
		b.controller.SetReadDeadline(time.Now().Add(bodyTime))
	}
	n, err := b.ReadCloser.Read(into)
	if err == io.EOF {
		b.controller.SetReadDeadline(time.Time{})
	}
	return n, err
}

// finish limits the time in which net/http throws away what nobody has read.
func (b *timedBody) finish() {
	if b.started {
		return // the limit that is set holds on
	}
	b.controller.SetReadDeadline(time.Now().Add(bodyTime))
}

// readBody returns the request's body, empty when there is none.
func readBody(r *http.Request) ([]byte, error) {
	tooLarge := refuse(http.StatusRequestEntityTooLarge, "body_too_large", "The body is longer than %d bytes.", bodyBytes)
	if r.ContentLength > bodyBytes && r.Header.Get("Expect") != "" {
		return nil, tooLarge // the caller asked first, and does not send it now
	}
	text, err := io.ReadAll(io.LimitReader(r.Body, bodyBytes+1))
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, refuse(http.StatusRequestTimeout, "request_timeout", "The body did not arrive in time.")
	case err != nil:
		return nil, invalid("The body could not be read to its end.")
	case len(text) > bodyBytes:
		io.CopyN(io.Discard, r.Body, drainBytes)
		return nil, tooLarge
	}
	return text, nil
}

// readObject returns the fields of the JSON object that is the body. Fields other than `known` are refused.
func readObject(r *http.Request, known ...string) (map[string]json.RawMessage, error) {
	text, err := readBody(r)
	if err != nil {
		return nil, err
	}
	return objectIn(r, text, known)
}

func objectIn(r *http.Request, text []byte, known []string) (map[string]json.RawMessage, error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if (err != nil && !errors.Is(err, mime.ErrInvalidMediaParameter)) || kind != "application/json" {
		return nil, refuse(http.StatusUnsupportedMediaType, "unsupported_media_type", "The body must be JSON: Content-Type: application/json.")
	}
	return parseObject(text, known)
}

// readNoFields accepts no body at all, or an empty object.
func readNoFields(r *http.Request) error {
	text, err := readBody(r)
	if err != nil || len(text) == 0 {
		return err
	}
	_, err = objectIn(r, text, nil)
	return err
}

// parseObject goes by the exact names of fields; decoding into a struct would also take other capitals.
func parseObject(text []byte, known []string) (map[string]json.RawMessage, error) {
	if !json.Valid(text) || !utf8.Valid(text) {
		return nil, refuse(http.StatusBadRequest, "invalid_json", "The body is not valid JSON.")
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil || fields == nil {
		return nil, invalid("The body must be a JSON object.")
	}
	for name := range fields {
		if !slices.Contains(known, name) {
			return nil, invalid("There is no field %.40q. Known: %s.", name, orNone(known))
		}
	}
	return fields, nil
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// wholeNumber is strict: no decimal point, no exponent, no text.
func wholeNumber(fields map[string]json.RawMessage, name string, low, high int64) (int64, error) {
	number, err := strconv.ParseInt(string(fields[name]), 10, 64)
	if err != nil || number < low || number > high {
		return 0, invalid("%s must be a whole number from %d to %d.", name, low, high)
	}
	return number, nil
}

// oneOf is text out of a list; a missing field is the list's first.
func oneOf(fields map[string]json.RawMessage, name string, values ...string) (string, error) {
	raw, given := fields[name]
	if !given {
		return values[0], nil
	}
	var text *string
	if json.Unmarshal(raw, &text) != nil || text == nil || !slices.Contains(values, *text) {
		return "", invalid("%s must be one of %q.", name, values)
	}
	return *text, nil
}
