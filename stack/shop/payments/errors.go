package main

import (
	"fmt"
	"net/http"
)

const internalMessage = "Something went wrong here. Quote the trace id."

// refusal is an answer other than the one asked for. Any other error is an unexpected one and answered as 500.
type refusal struct {
	status  int
	code    string
	message string
	allow   string // header Allow, of 405
}

func (r *refusal) Error() string { return r.code + ": " + r.message }

func refuse(status int, code, format string, values ...any) *refusal {
	return &refusal{status: status, code: code, message: fmt.Sprintf(format, values...)}
}

func invalid(format string, values ...any) *refusal {
	return refuse(http.StatusBadRequest, "invalid_request", format, values...)
}

func internal() *refusal {
	return refuse(http.StatusInternalServerError, "internal_error", internalMessage)
}

// statusCallerGone is what the log and the counters show for a caller that hung up while it waited; nobody receives it.
const statusCallerGone = 499

func callerGone() *refusal {
	return refuse(statusCallerGone, "client_closed_request", "The caller hung up.")
}

type errorBody struct {
	Error errorDetails `json:"error"`
}

type errorDetails struct {
	Code      string `json:"code"`
	Message   string `json:"message"`
	TraceID   string `json:"trace_id,omitempty"`
	RequestID string `json:"request_id,omitempty"`
}
