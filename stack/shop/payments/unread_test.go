package main

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// say sends bytes as they are and returns every answer until the connection is closed.
func (s *shop) say(bytes string) (answers []reply) {
	s.t.Helper()
	connection, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		s.t.Fatal(err)
	}
	defer connection.Close()
	if _, err := io.WriteString(connection, bytes); err != nil {
		s.t.Fatal(err)
	}
	reader := bufio.NewReader(connection)
	for {
		response, err := http.ReadResponse(reader, nil)
		if err != nil {
			return answers
		}
		text, _ := io.ReadAll(response.Body)
		one := reply{status: response.StatusCode, header: response.Header, text: string(text)}
		json.Unmarshal(text, &one.json)
		answers = append(answers, one)
	}
}

func TestWhatIsNoRequestIsRefusedLikeAnyOther(t *testing.T) {
	const host = "\r\nHost: x\r\n"
	for what, one := range map[string]struct {
		bytes  string
		status int
		code   string
	}{
		"a path that cannot be unescaped": {"GET /payments/%zz HTTP/1.1" + host + "\r\n", 400, "invalid_request"},
		"a path without an end":           {"GET /" + strings.Repeat("a", 40_000) + " HTTP/1.1" + host + "\r\n", 431, "headers_too_large"},
		"no host":                         {"GET /payments/x HTTP/1.1\r\n\r\n", 400, "invalid_request"},
		"two hosts":                       {"GET /payments/x HTTP/1.1" + host + "Host: y\r\n\r\n", 400, "invalid_request"},
		"a length below nothing":          {"POST /payments HTTP/1.1" + host + "Content-Length: -1\r\n\r\n", 400, "invalid_request"},
		"an encoding that nobody knows":   {"POST /payments HTTP/1.1" + host + "Transfer-Encoding: gzip, chunked\r\n\r\n", 501, "invalid_request"},
		"an expectation nobody meets":     {"POST /payments HTTP/1.1" + host + "Expect: 200-ok\r\nContent-Length: 2\r\n\r\n{}", 417, "invalid_request"},
		"a version to come":               {"GET / HTTP/9.9" + host + "\r\n", 505, "invalid_request"},
		"another protocol":                {"\x16\x03\x01\x02\x00\x01\r\n\r\n", 400, "invalid_request"},
	} {
		t.Run(what, func(t *testing.T) {
			s := startShop(t, testSettings(t))
			answers := s.say(one.bytes)
			if len(answers) != 1 {
				t.Fatalf("%d answers", len(answers))
			}
			got := answers[0]
			wantReply(t, got, one.status, one.code)
			if got.header.Get("Content-Type") != "application/json" || got.header.Get("X-Request-Id") == "" {
				t.Error(got.header)
			}
			lines := s.log.lines(t, "request")
			if len(lines) != 1 || lines[0]["status"] != float64(one.status) || lines[0]["error"] != one.code || lines[0]["route"] != unmatched {
				t.Error(lines)
			}
			s.wantMetric(`http_requests_total{code="`+strconv.Itoa(one.status)+`",method="_OTHER",route="unmatched"}`, 1)
			s.wantMetric("http_requests_in_flight", 0)
			if spans := s.spans.GetSpans(); len(spans) != 1 || spans[0].Name != "HTTP" {
				t.Error(spans)
			}
		})
	}
}

func TestARequestBeforeSomethingThatIsNoneIsAnsweredToo(t *testing.T) {
	s := startShop(t, testSettings(t))
	answers := s.say("GET /payments/nothing HTTP/1.1\r\nHost: x\r\n\r\nBREW\r\n\r\n")
	if len(answers) != 2 || answers[1].status != 400 || answers[1].code() != "invalid_request" {
		t.Fatal(answers)
	}
	if lines := s.log.lines(t, "request"); len(lines) != 2 {
		t.Error(lines)
	}
}
