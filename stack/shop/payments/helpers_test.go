package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

const (
	testToken = "open-sesame"
	asProcess = "PAYMENTS_TEST_PROCESS" // set: this test binary is the service
)

func TestMain(m *testing.M) {
	if os.Getenv(asProcess) != "" {
		os.Exit(run(os.Args[1:], os.Stdout))
	}
	os.Exit(m.Run())
}

// shop is a service under test: the real server on a real port.
type shop struct {
	t       *testing.T
	service *service
	url     string
	log     *logBuffer
	spans   *tracetest.InMemoryExporter
	stop    func()
}

type logBuffer struct {
	mutex sync.Mutex
	text  bytes.Buffer
}

func (b *logBuffer) Write(text []byte) (int, error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.text.Write(text)
}

func (b *logBuffer) lines(t *testing.T, message string) (found []map[string]any) {
	t.Helper()
	b.mutex.Lock()
	defer b.mutex.Unlock()
	scanner := bufio.NewScanner(bytes.NewReader(b.text.Bytes()))
	for scanner.Scan() {
		var one map[string]any
		if err := json.Unmarshal(scanner.Bytes(), &one); err != nil {
			t.Fatalf("not JSON: %s", scanner.Text())
		}
		if message == "" || one["message"] == message {
			found = append(found, one)
		}
	}
	return found
}

func testSettings(t *testing.T) settings {
	return settings{version: "1.4.0", token: testToken, journalFolder: t.TempDir(), hold: time.Minute}
}

func startShop(t *testing.T, s settings) *shop {
	t.Helper()
	buffer, spans := &logBuffer{}, tracetest.NewInMemoryExporter()
	service, err := newService(s, newLogger(buffer, s.version), sdktrace.WithSyncer(spans))
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	signals, ended := make(chan os.Signal, 1), make(chan error, 1)
	go func() { ended <- serve(service, listener, signals) }()
	var once sync.Once
	one := &shop{t: t, service: service, url: "http://" + listener.Addr().String(), log: buffer, spans: spans}
	one.stop = func() {
		once.Do(func() {
			service.faults.endAll()
			http.DefaultClient.CloseIdleConnections()
			signals <- syscall.SIGTERM
			if err := <-ended; err != nil {
				t.Error(err)
			}
			service.close()
		})
	}
	t.Cleanup(one.stop)
	return one
}

type reply struct {
	status int
	header http.Header
	text   string
	json   map[string]any
}

func (r reply) code() string {
	details, _ := r.json["error"].(map[string]any)
	code, _ := details["code"].(string)
	return code
}

func (r reply) message() string {
	details, _ := r.json["error"].(map[string]any)
	message, _ := details["message"].(string)
	return message
}

// ask sends a request; headers are pairs of name and value. A body is sent as JSON unless a header says otherwise.
func (s *shop) ask(method, path, body string, headers ...string) reply {
	s.t.Helper()
	answer, err := ask(s.url, method, path, body, headers...)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer
}

func ask(url, method, path, body string, headers ...string) (reply, error) {
	request, err := http.NewRequest(method, url+path, strings.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return reply{}, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	answer := reply{status: response.StatusCode, header: response.Header, text: string(text)}
	json.Unmarshal(text, &answer.json)
	return answer, err
}

func (s *shop) pay(orderID, body string) reply {
	s.t.Helper()
	return s.ask("POST", "/payments", body, "Idempotency-Key", orderID)
}

func (s *shop) lab(method, body string) reply {
	s.t.Helper()
	return s.ask(method, "/lab/faults", body, "Authorization", "Bearer "+testToken)
}

// metric is the value of one series, -1 when there is none.
func (s *shop) metric(series string) float64 {
	s.t.Helper()
	for _, line := range strings.Split(s.ask("GET", "/metrics", "").text, "\n") {
		if value, found := strings.CutPrefix(line, series+" "); found {
			number, err := strconv.ParseFloat(value, 64)
			if err != nil {
				s.t.Fatal(line)
			}
			return number
		}
	}
	return -1
}

func (s *shop) wantMetric(series string, want float64) {
	s.t.Helper()
	if got := s.metric(series); got != want {
		s.t.Errorf("%s is %g, want %g", series, got, want)
	}
}

func wantReply(t *testing.T, got reply, status int, code string) {
	t.Helper()
	if got.status != status || got.code() != code {
		t.Errorf("got %d %q (%s), want %d %q", got.status, got.code(), strings.TrimSpace(got.text), status, code)
	}
}

// eventually polls until the condition holds.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
		if condition() {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("not within 10 s: %s", what)
}
