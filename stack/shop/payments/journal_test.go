package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

func TestReplay(t *testing.T) {
	given := testSettings(t)
	s := startShop(t, given)
	first := s.pay(orderA, `{"amount_cents": 700}`)
	declinedOrder, voidedOrder := newUUID(), newUUID()
	s.pay(declinedOrder, `{"amount_cents": 5, "simulate": "decline"}`)
	s.ask("POST", "/payments/"+voidedOrder+"/void", "")
	s.stop()

	s = startShop(t, given)
	again := s.pay(orderA, `{"amount_cents": 700}`)
	if again.text != first.text || again.header.Get("Idempotent-Replay") != "true" {
		t.Error(again)
	}
	wantReply(t, s.pay(declinedOrder, `{"amount_cents": 5}`), 402, "card_declined")
	wantReply(t, s.pay(voidedOrder, `{"amount_cents": 5}`), 409, "payment_voided")
	s.wantMetric(`payments_total{result="authorized"}`, 0)
	if repaired := s.log.lines(t, "journal repaired"); len(repaired) != 0 {
		t.Error(repaired)
	}
}

func TestExpiryGoesOnAfterRestart(t *testing.T) {
	given := testSettings(t)
	given.hold = 300 * time.Millisecond
	s := startShop(t, given)
	s.pay(orderA, `{"amount_cents": 700}`)
	s.stop()
	given.hold = time.Hour
	s = startShop(t, given)
	s.pay(newUUID(), `{"amount_cents": 700}`)
	eventually(t, "the hold of before expires", func() bool { return s.metric(`payments_total{result="expired"}`) == 1 })
}

func TestDamagedJournal(t *testing.T) {
	whole := func(order string, age time.Duration, state status) string {
		at := time.Now().Add(-age).UTC()
		return string(payment{OrderID: order, PaymentID: order, Status: state, FirstStatus: authorized, AmountCents: 5, ChangedAt: at, ExpiresAt: at.Add(time.Hour)}.journalLine())
	}
	other := "bbbbbbbb-0000-4000-8000-000000000002"
	line := whole(orderA, time.Minute, authorized)
	cases := []struct {
		name, before, after string
		repaired            bool
		fails               string
	}{
		{"empty", "", "", false, ""},
		{"whole", line, line, false, ""},
		{"torn", line + whole(other, 0, authorized)[:30], line, true, ""},
		{"torn before the end of line", line + strings.TrimSpace(whole(other, 0, authorized)), line, true, ""},
		{"zeros", line + strings.Repeat("\x00", 100), line, true, ""},
		{"last line is no JSON", line + "x\n", line, true, ""},
		{"damage in the middle", "x\n" + line, "", false, "line 1 is damaged"},
		{"old", whole(other, 25*time.Hour, captured) + line, line, false, ""},
		{"old line of a payment that changed since", whole(orderA, 25*time.Hour, authorized) + line, line, false, ""},
	}
	for _, one := range cases {
		t.Run(one.name, func(t *testing.T) {
			folder := t.TempDir()
			path := filepath.Join(folder, journalName)
			if err := os.WriteFile(path, []byte(one.before), 0o600); err != nil {
				t.Fatal(err)
			}
			j, _, repaired, err := openJournal(folder, time.Now())
			if one.fails != "" {
				if err == nil || !strings.Contains(err.Error(), one.fails) {
					t.Error(err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if (repaired != "") != one.repaired {
				t.Error(repaired)
			}
			added := payment{OrderID: other, Status: voided, ChangedAt: time.Now().UTC()}
			if err := j.append(added); err != nil {
				t.Error(err)
			}
			j.close()
			after, _ := os.ReadFile(path)
			if want := one.after + string(added.journalLine()); string(after) != want {
				t.Errorf("got\n%swant\n%s", after, want)
			}
		})
	}
}

func TestRepairIsLogged(t *testing.T) {
	given := testSettings(t)
	os.WriteFile(filepath.Join(given.journalFolder, journalName), []byte(`{"order`), 0o600)
	s := startShop(t, given)
	if lines := s.log.lines(t, "journal repaired"); len(lines) != 1 || lines[0]["level"] != "warn" {
		t.Error(lines)
	}
}

func TestOldOpenHoldIsStillReported(t *testing.T) {
	given := testSettings(t)
	at := time.Now().Add(-25 * time.Hour).UTC()
	text := payment{OrderID: orderA, Status: authorized, FirstStatus: authorized, AmountCents: 5, ChangedAt: at, ExpiresAt: at.Add(time.Minute)}.journalLine()
	os.WriteFile(filepath.Join(given.journalFolder, journalName), text, 0o600)
	s := startShop(t, given)
	eventually(t, "it expires", func() bool { return len(s.log.lines(t, "hold expired")) == 1 })
}

func TestFailedWriteChangesNothing(t *testing.T) {
	s := startShop(t, testSettings(t))
	path := filepath.Join(s.service.settings.journalFolder, journalName)
	// A file that is open for reading only fails like a full disk would, but also when it is to be cut back.
	readOnly, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	writable := s.service.journal.file
	s.service.journal.file = readOnly
	wantReply(t, s.pay(orderA, `{"amount_cents": 700}`), 500, "internal_error")
	if lines := s.log.lines(t, "unexpected error"); len(lines) != 1 || lines[0]["trace_id"] == nil || lines[0]["reason"] == nil {
		t.Error(lines)
	}
	wantReply(t, s.ask("GET", "/payments/"+orderA, ""), 404, "unknown_payment")
	s.wantMetric(`payments_total{result="authorized"}`, 0)
	writable.Close()
}

// process is the service as a process of its own.
type process struct {
	command *exec.Cmd
	url     string
	pipe    io.Closer
	output  *bufio.Scanner
}

func startProcess(t *testing.T, folder string, environment ...string) *process {
	t.Helper()
	command := exec.Command(os.Args[0], "--listen=127.0.0.1:0", "--journal="+folder)
	// Otherwise the race detector would make every exit last a second.
	own := []string{asProcess + "=1", "PAYMENTS_DECLINED_SHARE=0", "GORACE=atexit_sleep_ms=0"}
	command.Env = slices.Concat(os.Environ(), own, environment)
	command.Stderr = os.Stderr
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	one := &process{command: command, pipe: stdout, output: bufio.NewScanner(stdout)}
	t.Cleanup(func() { command.Process.Kill(); command.Wait() })
	for one.output.Scan() {
		var entry line
		json.Unmarshal(one.output.Bytes(), &entry)
		if entry.Message == "listening" {
			one.url = "http://" + entry.Address
			return one
		}
	}
	t.Fatal("the process ended before it listened")
	return nil
}

// discard reads the log, because a full pipe would stop the service.
func (p *process) discard() {
	for p.output.Scan() {
	}
}

func TestKilledInTheMiddleOfLoad(t *testing.T) {
	folder := t.TempDir()
	var mutex sync.Mutex
	authorizedIDs, capturedOrders := map[string]any{}, map[string]bool{}
	for round := range 4 {
		one := startProcess(t, folder)
		go one.discard()
		var running sync.WaitGroup
		enough := make(chan struct{})
		var once sync.Once
		answered := 0
		for worker := range 16 {
			running.Go(func() {
				for i := 0; ; i++ {
					order := fmt.Sprintf("%08x-%04x-4000-8000-%012x", round, worker, i)
					paid, err := ask(one.url, "POST", "/payments", `{"amount_cents": 100}`, "Idempotency-Key", order)
					if err != nil {
						return
					}
					mutex.Lock()
					authorizedIDs[order] = paid.json["payment_id"]
					if answered++; answered == 150 {
						once.Do(func() { close(enough) })
					}
					mutex.Unlock()
					taken, err := ask(one.url, "POST", "/payments/"+order+"/capture", "")
					if err != nil {
						return
					}
					if taken.status == 200 {
						mutex.Lock()
						capturedOrders[order] = true
						mutex.Unlock()
					}
				}
			})
		}
		select {
		case <-enough:
		case <-time.After(30 * time.Second):
			t.Fatal("no load")
		}
		one.command.Process.Signal(syscall.SIGKILL)
		running.Wait()
		one.command.Wait()
	}

	one := startProcess(t, folder)
	go one.discard()
	for order, id := range authorizedIDs {
		got, err := ask(one.url, "GET", "/payments/"+order, "")
		if err != nil {
			t.Fatal(err)
		}
		if got.json["payment_id"] != id || (capturedOrders[order] && got.json["status"] != "captured") {
			t.Fatalf("%s was answered as %v, captured %v, and is now %s", order, id, capturedOrders[order], got.text)
		}
	}
	wantOneChargeAnOrder(t, filepath.Join(folder, journalName))
	t.Logf("%d authorized, %d captured", len(authorizedIDs), len(capturedOrders))
}

func wantOneChargeAnOrder(t *testing.T, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	charges := map[string]int{}
	for _, entry := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		var one payment
		if err := json.Unmarshal([]byte(entry), &one); err != nil {
			t.Fatal(entry)
		}
		charges[one.OrderID+string(one.Status)]++
	}
	for what, count := range charges {
		if count != 1 {
			t.Errorf("%s happened %d times", what, count)
		}
	}
}

func TestStopOfAProcess(t *testing.T) {
	// Nobody answers at this address: the last spans cannot be sent, and the stop does not wait for them.
	one := startProcess(t, t.TempDir(), "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:9")
	ask(one.url, "GET", "/payments/"+orderA, "")
	start := time.Now()
	one.command.Process.Signal(syscall.SIGTERM)
	messages := []string{}
	for one.output.Scan() {
		var entry line
		json.Unmarshal(one.output.Bytes(), &entry)
		messages = append(messages, entry.Message)
	}
	if err := one.command.Wait(); err != nil {
		t.Error(err)
	}
	if taken := time.Since(start); taken > time.Second {
		t.Error(taken)
	}
	if all := strings.Join(messages, ", "); !strings.HasPrefix(all, "request, stopping") {
		t.Error(all)
	}
}

func TestStopLetsARunningRequestFinish(t *testing.T) {
	one := startProcess(t, t.TempDir())
	done := make(chan reply)
	go func() {
		got, err := ask(one.url, "POST", "/payments", `{"amount_cents": 5, "simulate": "slow"}`, "Idempotency-Key", orderA)
		if err != nil {
			t.Error(err)
		}
		done <- got
	}()
	eventually(t, "the request runs", func() bool {
		got, _ := ask(one.url, "GET", "/metrics", "")
		return strings.Contains(got.text, "http_requests_in_flight 1")
	})
	one.command.Process.Signal(syscall.SIGTERM)
	wantReply(t, <-done, 201, "")
	one.discard()
	if err := one.command.Wait(); err != nil {
		t.Error(err)
	}
}

func TestALogThatNobodyReadsAnyMore(t *testing.T) {
	one := startProcess(t, t.TempDir())
	one.pipe.Close()
	for range 2 {
		if got, err := ask(one.url, "GET", "/payments/"+orderA, ""); err != nil || got.status != 404 {
			t.Fatal(got, err)
		}
	}
}
