package main

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
)

// net/http itself answers what it cannot read as a request: in plain text, and no handler sees it. Here such an answer becomes
// one like all others: JSON, counted, logged and traced, once.

var (
	// How such an answer begins: net/http/server.go, func (c *conn) serve.
	ownAnswer = regexp.MustCompile(`^HTTP/1\.[01] (4\d\d|501|505) `)
	ofHandler = []byte("X-Request-Id: ") // every refusal by a handler has it
)

var unreadCodes = map[int]string{
	http.StatusRequestTimeout:              "request_timeout",
	http.StatusRequestHeaderFieldsTooLarge: "headers_too_large",
}

type refusingListener struct {
	net.Listener
	service *service
}

func (l refusingListener) Accept() (net.Conn, error) {
	connection, err := l.Listener.Accept()
	if tcp, known := connection.(*net.TCPConn); known {
		return &refusingConn{tcp, l.service}, err
	}
	return connection, err
}

type refusingConn struct {
	*net.TCPConn
	service *service
}

func (c *refusingConn) Write(text []byte) (int, error) {
	found := ownAnswer.FindSubmatch(text)
	if found == nil || bytes.Contains(text, ofHandler) {
		return c.TCPConn.Write(text)
	}
	status, _ := strconv.Atoi(string(found[1]))
	if _, err := c.TCPConn.Write(c.service.refuseUnread(status)); err != nil {
		return 0, err
	}
	return len(text), nil
}

// refuseUnread is the whole answer to bytes that are no request.
func (s *service) refuseUnread(status int) []byte {
	code, known := unreadCodes[status]
	if !known {
		code = "invalid_request"
	}
	answers := s.watched(unmatched, func(*http.Request) (answer, error) {
		return answer{}, refuse(status, code, "This is no request that can be read.")
	})
	kept := &keptAnswer{header: http.Header{}}
	answers(kept, &http.Request{Method: otherMethod, URL: &url.URL{}, Header: http.Header{}})
	whole := http.Response{
		StatusCode: status, ProtoMajor: 1, ProtoMinor: 1, Close: true, Header: kept.header,
		Body: io.NopCloser(&kept.body), ContentLength: int64(kept.body.Len()),
	}
	var text bytes.Buffer
	whole.Write(&text) // a buffer takes everything
	return text.Bytes()
}

type keptAnswer struct {
	header http.Header
	body   bytes.Buffer
}

func (k *keptAnswer) Header() http.Header            { return k.header }
func (k *keptAnswer) WriteHeader(int)                {}
func (k *keptAnswer) Write(text []byte) (int, error) { return k.body.Write(text) }
