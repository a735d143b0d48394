package main

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"math"
	"time"
)

type status string

const (
	authorized status = "authorized"
	declined   status = "declined"
	captured   status = "captured"
	voided     status = "voided"
	expired    status = "expired"
)

// payment is the state after a change, and a line of the journal. A void of an unknown order is one without an amount.
type payment struct {
	OrderID     string    `json:"order_id"`
	PaymentID   string    `json:"payment_id"`
	Status      status    `json:"status"`
	FirstStatus status    `json:"first_status"` // authorized or declined: what a repeated request is answered with
	AmountCents int64     `json:"amount_cents"`
	TraceID     string    `json:"trace_id,omitempty"` // of the request that authorized it
	ChangedAt   time.Time `json:"changed_at"`
	ExpiresAt   time.Time `json:"expires_at,omitzero"`
}

func (p payment) valid() bool {
	switch p.Status {
	case authorized, declined, captured, voided, expired:
		return orderIDPattern.MatchString(p.OrderID)
	}
	return false
}

// changed is the payment in its next state.
func (p payment) changed(to status) payment {
	p.Status, p.ChangedAt = to, time.Now().UTC()
	return p
}

func (p payment) journalLine() []byte {
	text, err := json.Marshal(p)
	if err != nil {
		panic(err) // text and times of this century can always be encoded
	}
	return append(text, '\n')
}

// declinedByCard is decided by the order id alone, so that every try of an order meets the same card.
func declinedByCard(orderID string, share float64) bool {
	sum := sha256.Sum256([]byte(orderID))
	place := float64(binary.BigEndian.Uint64(sum[:8])>>11) / math.Pow(2, 53)
	return place < share
}
