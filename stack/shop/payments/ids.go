package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"regexp"
)

var (
	orderIDPattern   = regexp.MustCompile(`^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$`)
	requestIDPattern = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)
)

// newUUID is a random one (version 4): ids made from the clock collide.
func newUUID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:])
}

type requestIDKey struct{}

// withRequestID keeps the caller's id when it is a harmless one, and makes one otherwise.
func withRequestID(ctx context.Context, r *http.Request) context.Context {
	id := r.Header.Get("X-Request-Id")
	if !requestIDPattern.MatchString(id) {
		id = newUUID()
	}
	return context.WithValue(ctx, requestIDKey{}, id)
}

func requestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}
