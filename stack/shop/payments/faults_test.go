package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func (s *shop) active() (names []string) {
	s.t.Helper()
	var list []map[string]any
	if err := json.Unmarshal([]byte(s.lab("GET", "").text), &list); err != nil {
		s.t.Fatal(err)
	}
	for _, one := range list {
		names = append(names, one["name"].(string))
	}
	return names
}

func TestSwitchesNeedTheToken(t *testing.T) {
	given := testSettings(t)
	s := startShop(t, given)
	for _, header := range []string{"", "Bearer", "Bearer x", "Basic " + testToken, testToken, "Bearer " + testToken + "x"} {
		for _, method := range []string{"GET", "POST", "DELETE"} {
			wantReply(t, s.ask(method, "/lab/faults", "", "Authorization", header), 401, "unauthorized")
		}
	}
	if got := s.lab("GET", ""); got.status != 200 || got.text != "[]\n" {
		t.Error(got)
	}
	wantReply(t, s.lab("PUT", ""), 405, "method_not_allowed")
	s.stop()
	given.token = ""
	s = startShop(t, given)
	wantReply(t, s.ask("GET", "/lab/faults", "", "Authorization", "Bearer "), 401, "unauthorized")
}

func TestBadSwitches(t *testing.T) {
	s := startShop(t, testSettings(t))
	cases := []struct{ body, says string }{
		{`{}`, "bad_deploy, burn, cardinality"},
		{`{"name": "x"}`, "bad_deploy, burn, cardinality"},
		{`{"name": 1}`, "Known"},
		{`{"name": "slow", "x": 1}`, `"x"`},
		{`{"name": "errors", "seconds": 1}`, "It takes: share, lasting"},
		{`{"name": "slow", "seconds": 61}`, "from 0.001 to 60"},
		{`{"name": "slow", "seconds": true}`, "from 0.001 to 60"},
		{`{"name": "slow", "share": -0.1}`, "from 0 to 1"},
		{`{"name": "slow", "share": null}`, "from 0 to 1"},
		{`{"name": "slow", "lasting": 0.5}`, "from 1 to 3600"},
		{`{"name": "slow", "lasting": 3601}`, "from 1 to 3600"},
		{`[]`, "object"},
	}
	for _, one := range cases {
		got := s.lab("POST", one.body)
		wantReply(t, got, 400, "invalid_request")
		if !strings.Contains(got.message(), one.says) {
			t.Errorf("%s: %q does not say %q", one.body, got.message(), one.says)
		}
	}
	wantReply(t, s.lab("POST", `{`), 400, "invalid_json")
	wantReply(t, s.ask("POST", "/lab/faults", "{}", "Authorization", "Bearer "+testToken, "Content-Type", "text/plain"), 415, "unsupported_media_type")
	if names := s.active(); len(names) != 0 {
		t.Error(names)
	}
}

func TestFaultLife(t *testing.T) {
	s := startShop(t, testSettings(t))
	got := s.lab("POST", `{"name": "slow", "seconds": 0.01, "share": 0.5}`)
	var list []map[string]any
	json.Unmarshal([]byte(got.text), &list)
	if len(list) != 1 || list[0]["name"] != "slow" || list[0]["seconds"] != 0.01 || list[0]["share"] != 0.5 || list[0]["ends_in_seconds"] != 60.0 || len(list[0]) != 4 {
		t.Error(got.text)
	}
	s.lab("POST", `{"name": "slow", "lasting": 1}`)
	s.lab("POST", `{"name": "errors"}`)
	if names := s.active(); strings.Join(names, " ") != "errors slow" {
		t.Error(names)
	}
	eventually(t, "slow ends by itself", func() bool { return len(s.active()) == 1 })
	if got := s.lab("DELETE", ""); got.status != 200 || got.text != "[]\n" {
		t.Error(got)
	}
	on, off := s.log.lines(t, "fault switched on"), s.log.lines(t, "fault ended")
	if len(on) != 3 || len(off) != 2 || on[0]["fault"] != "slow" || on[0]["level"] != "warn" || off[1]["fault"] != "errors" {
		t.Error(on, off)
	}
	if lines := s.log.lines(t, "request"); len(lines) != 0 {
		t.Error("switches are no requests of the business:", lines)
	}
}

func TestSlow(t *testing.T) {
	s := startShop(t, testSettings(t))
	s.lab("POST", `{"name": "slow", "seconds": 0.2}`)
	start := time.Now()
	s.ask("GET", "/payments/"+orderA, "")
	if taken := time.Since(start); taken < 200*time.Millisecond {
		t.Error(taken)
	}
	spans := s.spans.GetSpans()
	if len(spans) != 1 || len(spans[0].Events) != 1 || spans[0].Events[0].Name != "fault.slow" {
		t.Error(spans)
	}
	start = time.Now()
	s.ask("GET", "/healthz", "")
	s.ask("GET", "/nothing", "")
	if taken := time.Since(start); taken > 150*time.Millisecond {
		t.Error("only routes of the business are slow:", taken)
	}
}

func TestErrorsAndBadDeploy(t *testing.T) {
	for _, name := range []string{"errors", "bad_deploy"} {
		t.Run(name, func(t *testing.T) {
			s := startShop(t, testSettings(t))
			s.lab("POST", `{"name": "`+name+`", "share": 1}`)
			wantReply(t, s.pay(orderA, `{"amount_cents": 5}`), 500, "internal_error")
			lines := s.log.lines(t, "request")
			wantVersion := map[string]string{"errors": "1.4.0", "bad_deploy": "1.5.0"}[name]
			if len(lines) != 1 || lines[0]["level"] != "error" || lines[0]["error"] != "internal_error" || lines[0]["version"] != wantVersion {
				t.Error(lines)
			}
			spans := s.spans.GetSpans()
			if len(spans) != 1 || spans[0].Status.Code.String() != "Error" {
				t.Fatal(spans)
			}
			wantAttributes(t, spans[0].Attributes, map[string]string{"http.request.method": "POST", "http.route": "/payments",
				"http.response.status_code": "500", "url.path": "/payments", "url.scheme": "http", "error.type": "500"})
			s.wantMetric(`shop_build_info{language="go",version="`+wantVersion+`"}`, 1)
			s.lab("DELETE", "")
			s.wantMetric(`shop_build_info{language="go",version="1.4.0"}`, 1)
			s.wantMetric(`shop_build_info{language="go",version="1.5.0"}`, -1)
			wantReply(t, s.pay(orderA, `{"amount_cents": 5}`), 201, "")
		})
	}
}

func TestClockSkew(t *testing.T) {
	s := startShop(t, testSettings(t))
	ahead := func() time.Duration {
		lines := s.log.lines(t, "request")
		at, err := time.Parse("2006-01-02T15:04:05.000Z", lines[len(lines)-1]["time"].(string))
		if err != nil {
			t.Fatal(err)
		}
		return time.Until(at).Round(time.Minute)
	}
	s.lab("POST", `{"name": "clock_skew"}`)
	s.ask("GET", "/nothing", "")
	if got := ahead(); got != -time.Hour {
		t.Error(got)
	}
	s.lab("DELETE", "")
	s.ask("GET", "/nothing", "")
	if got := ahead(); got != 0 {
		t.Error(got)
	}
}

func TestCardinality(t *testing.T) {
	s := startShop(t, testSettings(t))
	s.lab("POST", `{"name": "cardinality"}`)
	for range 5 {
		s.ask("GET", "/payments/"+orderA, "", "User-Agent", "k6/2")
	}
	extra := func() int { return strings.Count(s.ask("GET", "/metrics", "").text, `{client="client-`) }
	if got := extra(); got != 5 {
		t.Error(got)
	}
	s.wantMetric(`shop_requests_by_client_total{client="k6"}`, 0)
	s.lab("DELETE", "")
	if got := extra(); got != 0 {
		t.Error(got)
	}
	s.ask("GET", "/payments/"+orderA, "", "User-Agent", "k6/2")
	s.wantMetric(`shop_requests_by_client_total{client="k6"}`, 1)
}

func TestLeakAndBurn(t *testing.T) {
	s := startShop(t, testSettings(t))
	before := s.metric("process_resident_memory_bytes")
	s.lab("POST", `{"name": "leak", "megabytes_per_second": 50}`)
	eventually(t, "memory grows", func() bool { return s.metric("process_resident_memory_bytes") > before+40e6 })
	s.lab("DELETE", "")
	// Not the resident memory: the race detector keeps its own.
	eventually(t, "memory is given back", func() bool {
		return s.metric("go_memstats_heap_sys_bytes")-s.metric("go_memstats_heap_released_bytes") < 30e6
	})

	busy := s.metric("process_cpu_seconds_total")
	s.lab("POST", `{"name": "burn"}`)
	eventually(t, "a core is busy", func() bool { return s.metric("process_cpu_seconds_total") > busy+0.5 })
	wantReply(t, s.ask("GET", "/payments/"+orderA, ""), 404, "unknown_payment")
	s.lab("DELETE", "")
}

func TestCrash(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	os.WriteFile(path, []byte(testToken+"\n"), 0o600)
	one := startProcess(t, t.TempDir(), "LAB_TOKEN_FILE="+path)
	got, err := ask(one.url, "POST", "/lab/faults", `{"name": "crash"}`, "Authorization", "Bearer "+testToken)
	if err != nil || got.status != 200 || !strings.Contains(got.text, `"crash"`) {
		t.Error(got, err)
	}
	last := ""
	for one.output.Scan() {
		last = one.output.Text()
	}
	one.command.Wait()
	if code := one.command.ProcessState.ExitCode(); code != 1 {
		t.Error(code)
	}
	if !strings.Contains(last, `"fault switched on"`) {
		t.Error(last)
	}
}
