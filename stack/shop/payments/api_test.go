package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

const orderA = "aaaaaaaa-0000-4000-8000-000000000001"

func TestPaymentsLife(t *testing.T) {
	s := startShop(t, testSettings(t))
	first := s.pay(orderA, `{"amount_cents": 1250}`)
	wantReply(t, first, 201, "")
	if first.json["status"] != "authorized" || first.json["order_id"] != orderA || first.json["amount_cents"] != 1250.0 {
		t.Error(first.text)
	}
	if first.header.Get("Idempotent-Replay") != "" {
		t.Error("the first answer is no replay")
	}
	again := s.pay(orderA, `{"amount_cents": 1250, "simulate": "decline"}`)
	if again.text != first.text || again.status != 201 || again.header.Get("Idempotent-Replay") != "true" {
		t.Error(again)
	}
	wantReply(t, s.pay(orderA, `{"amount_cents": 1251}`), 422, "idempotency_conflict")
	for range 2 {
		captured := s.ask("POST", "/payments/"+orderA+"/capture", "")
		if captured.status != 200 || captured.json["status"] != "captured" {
			t.Error(captured.text)
		}
	}
	wantReply(t, s.ask("POST", "/payments/"+orderA+"/void", ""), 409, "payment_captured")
	if shown := s.ask("GET", "/payments/"+orderA, ""); shown.json["status"] != "captured" {
		t.Error(shown.text)
	}
	if replay := s.pay(orderA, `{"amount_cents": 1250}`); replay.text != first.text {
		t.Error("the replay tells the first result, also after the capture:", replay.text)
	}
	s.wantMetric(`payments_total{result="authorized"}`, 1)
	s.wantMetric(`payments_total{result="captured"}`, 1)
	s.wantMetric(`payments_total{result="repeated"}`, 2)
	s.wantMetric(`payment_amount_cents_count`, 1)
	s.wantMetric(`payment_amount_cents_sum`, 1250)
}

func TestDeclinedCard(t *testing.T) {
	s := startShop(t, testSettings(t))
	for i := range 2 {
		got := s.pay(orderA, `{"amount_cents": 5, "simulate": "decline"}`)
		wantReply(t, got, 402, "card_declined")
		if replayed := got.header.Get("Idempotent-Replay") == "true"; replayed != (i == 1) {
			t.Errorf("answer %d: replayed %v", i, replayed)
		}
	}
	wantReply(t, s.ask("POST", "/payments/"+orderA+"/capture", ""), 409, "payment_not_authorized")
	if voided := s.ask("POST", "/payments/"+orderA+"/void", ""); voided.json["status"] != "voided" {
		t.Error(voided.text)
	}
	s.wantMetric(`payments_total{result="declined"}`, 1)
	s.wantMetric(`payments_total{result="authorized"}`, 0)
	s.wantMetric(`payment_amount_cents_count`, 0)
	for _, span := range s.spans.GetSpans() {
		if span.Name == "charge_card" && (len(span.Events) != 1 || span.Events[0].Name != "card.declined") {
			t.Error(span.Events)
		}
		if span.Status.Code != 0 {
			t.Error("a declined card is no failure:", span.Name, span.Status)
		}
	}
}

func TestVoids(t *testing.T) {
	s := startShop(t, testSettings(t))
	for range 2 {
		if tombstone := s.ask("POST", "/payments/"+orderA+"/void", ""); tombstone.status != 200 || tombstone.json["status"] != "voided" {
			t.Error(tombstone.text)
		}
	}
	wantReply(t, s.pay(orderA, `{"amount_cents": 5}`), 409, "payment_voided")
	wantReply(t, s.ask("POST", "/payments/"+orderA+"/capture", ""), 409, "payment_not_authorized")
	order := newUUID()
	s.pay(order, `{"amount_cents": 5}`)
	if voided := s.ask("POST", "/payments/"+order+"/void", "{}"); voided.json["status"] != "voided" {
		t.Error(voided.text)
	}
	wantReply(t, s.pay(order, `{"amount_cents": 5}`), 409, "payment_voided")
	wantReply(t, s.ask("GET", "/payments/"+newUUID(), ""), 404, "unknown_payment")
	wantReply(t, s.ask("POST", "/payments/"+newUUID()+"/capture", ""), 404, "unknown_payment")
	s.wantMetric(`payments_total{result="voided"}`, 2)
}

func TestBadRequests(t *testing.T) {
	s := startShop(t, testSettings(t))
	key := []string{"Idempotency-Key", orderA}
	good := `{"amount_cents": 5}`
	with := func(headers ...string) []string { return append(append([]string{}, key...), headers...) }
	cases := []struct {
		name, method, path, body string
		headers                  []string
		status                   int
		code, says               string
	}{
		{"no JSON", "POST", "/payments", "{", key, 400, "invalid_json", "JSON"},
		{"no body", "POST", "/payments", "", with("Content-Type", "application/json"), 400, "invalid_json", ""},
		{"two objects", "POST", "/payments", good + good, key, 400, "invalid_json", ""},
		{"no UTF-8", "POST", "/payments", "{\"simulate\": \"\xff\"}", key, 400, "invalid_json", ""},
		{"a list", "POST", "/payments", "[]", key, 400, "invalid_request", "object"},
		{"null", "POST", "/payments", "null", key, 400, "invalid_request", "object"},
		{"unknown field", "POST", "/payments", `{"amount_cents": 5, "x": 1}`, key, 400, "invalid_request", `"x"`},
		{"other capitals", "POST", "/payments", `{"Amount_Cents": 5}`, key, 400, "invalid_request", "Amount_Cents"},
		{"no amount", "POST", "/payments", `{}`, key, 400, "invalid_request", "amount_cents"},
		{"amount 0", "POST", "/payments", `{"amount_cents": 0}`, key, 400, "invalid_request", "amount_cents"},
		{"amount too high", "POST", "/payments", `{"amount_cents": 10000001}`, key, 400, "invalid_request", "amount_cents"},
		{"amount beyond int64", "POST", "/payments", `{"amount_cents": 99999999999999999999}`, key, 400, "invalid_request", "amount_cents"},
		{"amount with decimals", "POST", "/payments", `{"amount_cents": 1.5}`, key, 400, "invalid_request", "amount_cents"},
		{"amount as text", "POST", "/payments", `{"amount_cents": "1"}`, key, 400, "invalid_request", "amount_cents"},
		{"amount as boolean", "POST", "/payments", `{"amount_cents": true}`, key, 400, "invalid_request", "amount_cents"},
		{"amount null", "POST", "/payments", `{"amount_cents": null}`, key, 400, "invalid_request", "amount_cents"},
		{"simulate unknown", "POST", "/payments", `{"amount_cents": 5, "simulate": "x"}`, key, 400, "invalid_request", "simulate"},
		{"simulate null", "POST", "/payments", `{"amount_cents": 5, "simulate": null}`, key, 400, "invalid_request", "simulate"},
		{"no key", "POST", "/payments", good, nil, 400, "invalid_request", "Idempotency-Key"},
		{"key in capitals", "POST", "/payments", good, []string{"Idempotency-Key", strings.ToUpper(orderA)}, 400, "invalid_request", "Idempotency-Key"},
		{"other type", "POST", "/payments", good, with("Content-Type", "text/plain"), 415, "unsupported_media_type", ""},
		{"no type", "POST", "/payments", good, with("Content-Type", ""), 415, "unsupported_media_type", ""},
		{"just too long", "POST", "/payments", good + strings.Repeat(" ", bodyBytes), key, 413, "body_too_large", ""},
		{"no UUID", "GET", "/payments/x", "", nil, 400, "invalid_request", "order_id"},
		{"slash in the id", "GET", "/payments/a%2Fb", "", nil, 400, "invalid_request", "order_id"},
		{"fields for capture", "POST", "/payments/" + orderA + "/capture", `{"x": 1}`, nil, 400, "invalid_request", `"x"`},
		{"type for capture", "POST", "/payments/" + orderA + "/capture", `{}`, []string{"Content-Type", "text/plain"}, 415, "unsupported_media_type", ""},
		{"other path", "GET", "/", "", nil, 404, "not_found", ""},
		{"slash at the end", "POST", "/payments/", good, key, 404, "not_found", ""},
		{"two slashes", "POST", "//payments", good, key, 404, "not_found", ""},
		{"no UTF-8 in the path", "GET", "/%ff", "", nil, 404, "not_found", ""},
		{"other method", "GET", "/payments", "", nil, 405, "method_not_allowed", "POST"},
		{"other method below", "DELETE", "/payments/" + orderA, "", nil, 405, "method_not_allowed", "GET"},
		{"odd method", "BREW", "/payments", "", nil, 405, "method_not_allowed", "POST"},
	}
	for _, one := range cases {
		t.Run(one.name, func(t *testing.T) {
			got := s.ask(one.method, one.path, one.body, one.headers...)
			wantReply(t, got, one.status, one.code)
			if !strings.Contains(got.message(), one.says) {
				t.Errorf("%q does not name %q", got.message(), one.says)
			}
			details, _ := got.json["error"].(map[string]any)
			if details["request_id"] != got.header.Get("X-Request-Id") || len(fmt.Sprint(details["trace_id"])) != 32 {
				t.Error(got.text)
			}
		})
	}
	wantReply(t, s.pay(orderA, good), 201, "")
	typed := s.ask("POST", "/payments", good, with("Content-Type", "application/json; charset=utf-8")...)
	wantReply(t, typed, 201, "")
	s.wantMetric(`http_requests_total{code="405",method="_OTHER",route="unmatched"}`, 1)
	s.wantMetric(`http_requests_total{code="405",method="GET",route="unmatched"}`, 1)
}

func TestLargeBodyIsNotKept(t *testing.T) {
	s := startShop(t, testSettings(t))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	request, _ := http.NewRequest("POST", s.url+"/payments", io.LimitReader(zeros{}, 10<<20))
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	runtime.ReadMemStats(&after)
	if response.StatusCode != 413 {
		t.Error(response.Status)
	}
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 2<<20 {
		t.Errorf("%d bytes were allocated for a body that is refused", grown)
	}
}

type zeros struct{}

func (zeros) Read(into []byte) (int, error) { clear(into); return len(into), nil }

func TestRequestIDs(t *testing.T) {
	s := startShop(t, testSettings(t))
	for given, kept := range map[string]bool{"abc-1.2_3": true, "": false, "a b": false, strings.Repeat("x", 65): false} {
		got := s.ask("GET", "/payments/"+orderA, "", "X-Request-Id", given).header.Get("X-Request-Id")
		if (got == given) != kept || (!kept && !orderIDPattern.MatchString(got)) {
			t.Errorf("%q became %q", given, got)
		}
	}
}

func TestManyWithOneKeyChargeOnce(t *testing.T) {
	s := startShop(t, testSettings(t))
	var running sync.WaitGroup
	answers := make(chan reply, 200)
	for range 200 {
		running.Go(func() {
			got, err := ask(s.url, "POST", "/payments", `{"amount_cents": 700}`, "Idempotency-Key", orderA)
			if err != nil {
				t.Error(err)
			}
			answers <- got
		})
	}
	running.Wait()
	close(answers)
	firsts, ids := 0, map[any]bool{}
	for got := range answers {
		wantReply(t, got, 201, "")
		ids[got.json["payment_id"]] = true
		if got.header.Get("Idempotent-Replay") == "" {
			firsts++
		}
	}
	if firsts != 1 || len(ids) != 1 {
		t.Errorf("%d first answers, %d payments", firsts, len(ids))
	}
	s.wantMetric(`payments_total{result="authorized"}`, 1)
	s.wantMetric(`payments_total{result="repeated"}`, 199)
	if len(s.service.ledger.locks) != 0 {
		t.Error("locks are left behind")
	}
}

func TestRetryMeetsTheResultOfACallerThatHungUp(t *testing.T) {
	s := startShop(t, testSettings(t))
	body := `{"amount_cents": 700, "simulate": "slow"}`
	ctx, hangUp := context.WithCancel(context.Background())
	defer hangUp()
	gone := make(chan error)
	go func() {
		request, _ := http.NewRequestWithContext(ctx, "POST", s.url+"/payments", strings.NewReader(body))
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Idempotency-Key", orderA)
		_, err := http.DefaultClient.Do(request)
		gone <- err
	}()
	eventually(t, "the charge is being worked on", func() bool { return s.metric("http_requests_in_flight") == 1 })
	eventually(t, "the order is locked", func() bool {
		s.service.ledger.mutex.Lock()
		defer s.service.ledger.mutex.Unlock()
		return len(s.service.ledger.locks) == 1
	})
	hangUp()
	if <-gone == nil {
		t.Fatal("the first caller was answered")
	}
	start := time.Now()
	retry := s.pay(orderA, body)
	wantReply(t, retry, 201, "")
	if retry.header.Get("Idempotent-Replay") != "true" || time.Since(start) > 2100*time.Millisecond {
		t.Error(retry, time.Since(start))
	}
	s.wantMetric(`payments_total{result="authorized"}`, 1)
}

func TestWaitingCallerMayHangUp(t *testing.T) {
	s := startShop(t, testSettings(t))
	unlock, err := s.service.ledger.lock(context.Background(), orderA)
	if err != nil {
		t.Fatal(err)
	}
	ctx, hangUp := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer hangUp()
	request, _ := http.NewRequestWithContext(ctx, "GET", s.url+"/payments/"+orderA, nil)
	if _, err := http.DefaultClient.Do(request); err == nil {
		t.Fatal("answered although the order is busy")
	}
	eventually(t, "the waiting request ends", func() bool {
		return s.metric(`http_requests_total{code="499",method="GET",route="/payments/{order_id}"}`) == 1
	})
	unlock()
	wantReply(t, s.ask("GET", "/payments/"+orderA, ""), 404, "unknown_payment")
}

func TestHoldExpires(t *testing.T) {
	given := testSettings(t)
	given.hold = 50 * time.Millisecond
	s := startShop(t, given)
	s.ask("POST", "/payments", `{"amount_cents": 700}`, "Idempotency-Key", orderA,
		"traceparent", "00-11111111111111111111111111111111-2222222222222222-01")
	eventually(t, "the hold expires", func() bool { return s.ask("GET", "/payments/"+orderA, "").json["status"] == "expired" })
	s.wantMetric(`payments_total{result="expired"}`, 1)
	lines := s.log.lines(t, "hold expired")
	if len(lines) != 1 || lines[0]["order_id"] != orderA || lines[0]["amount_cents"] != 700.0 || lines[0]["level"] != "warn" ||
		lines[0]["trace_id"] != "11111111111111111111111111111111" {
		t.Error(lines)
	}
	if late := s.ask("POST", "/payments/"+orderA+"/capture", ""); late.json["status"] != "captured" {
		t.Error(late.text)
	}
}

func TestShareOfDeclinedCards(t *testing.T) {
	count := 0
	for range 20000 {
		if declinedByCard(newUUID(), 0.05) {
			count++
		}
	}
	if count < 850 || count > 1150 {
		t.Errorf("%d of 20000 are declined", count)
	}
	if declinedByCard(orderA, 0) || !declinedByCard(orderA, 1) {
		t.Error("shares 0 and 1")
	}
}

func TestSlowCallerDoesNotBlockTheStop(t *testing.T) {
	s := startShop(t, testSettings(t))
	silent, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	wantReply(t, s.ask("GET", "/healthz", ""), 200, "")
	start := time.Now()
	s.stop()
	if taken := time.Since(start); taken > time.Second {
		t.Error(taken)
	}
	if _, err := bufio.NewReader(silent).ReadByte(); err == nil {
		t.Error("the connection is still open")
	}
}
