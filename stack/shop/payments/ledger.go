package main

import (
	"container/heap"
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

const (
	expiryInterval    = time.Second
	parallelExpiries  = 64
	slowCardSeconds   = 1 // a slow card takes from one to two of these
	simulateSlow      = "slow"
	simulateDecline   = "decline"
	eventCardDeclined = "card.declined"
)

// ledger holds all payments. What happens to one order happens one after the other; a change counts once it is journaled.
type ledger struct {
	journal       *journal
	metrics       *metrics
	log           *logger
	tracer        trace.Tracer
	declinedShare float64
	hold          time.Duration

	mutex    sync.Mutex
	payments map[string]payment
	locks    map[string]*orderLock
	holds    holdQueue
}

func newLedger(s settings, j *journal, replayed map[string]payment, m *metrics, log *logger, tracer trace.Tracer) *ledger {
	l := &ledger{
		journal: j, metrics: m, log: log, tracer: tracer, declinedShare: s.declinedShare, hold: s.hold,
		payments: replayed, locks: map[string]*orderLock{},
	}
	for _, one := range replayed {
		if one.Status == authorized {
			l.holds = append(l.holds, openHold{one.OrderID, one.ExpiresAt})
		}
	}
	heap.Init(&l.holds)
	return l
}

// orderLock is a mutex that can be waited for with a context; it goes away with its last user.
type orderLock struct {
	users int
	held  chan struct{}
}

// lock waits until nobody else works on the order, or until ctx ends.
func (l *ledger) lock(ctx context.Context, orderID string) (unlock func(), err error) {
	l.mutex.Lock()
	one := l.locks[orderID]
	if one == nil {
		one = &orderLock{held: make(chan struct{}, 1)}
		l.locks[orderID] = one
	}
	one.users++
	l.mutex.Unlock()

	leave := func() {
		l.mutex.Lock()
		defer l.mutex.Unlock()
		if one.users--; one.users == 0 {
			delete(l.locks, orderID)
		}
	}
	unlock = func() { <-one.held; leave() }
	select {
	case one.held <- struct{}{}: // a free lock is taken even when ctx has ended
		return unlock, nil
	default:
	}
	select {
	case one.held <- struct{}{}:
		return unlock, nil
	case <-ctx.Done():
		leave()
		return nil, callerGone()
	}
}

func (l *ledger) get(orderID string) (payment, bool) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	one, known := l.payments[orderID]
	return one, known
}

// record journals a change before anybody can see it.
func (l *ledger) record(one payment) error {
	if err := l.journal.append(one); err != nil {
		return err
	}
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.payments[one.OrderID] = one
	if one.Status == authorized {
		heap.Push(&l.holds, openHold{one.OrderID, one.ExpiresAt})
	}
	return nil
}

// pay charges an order's card once; asked again with the same amount it tells the first result.
func (l *ledger) pay(ctx context.Context, orderID string, amountCents int64, simulate string) (one payment, repeated bool, err error) {
	unlock, err := l.lock(ctx, orderID)
	if err != nil {
		return payment{}, false, err
	}
	defer unlock()
	// From here on the result is recorded even when the caller has hung up: its retry must meet it.
	ctx = context.WithoutCancel(ctx)

	one, known := l.get(orderID)
	switch {
	case !known:
		one, err = l.charge(ctx, orderID, amountCents, simulate)
		return one, false, err
	case one.Status == voided:
		return one, false, refuse(http.StatusConflict, "payment_voided", "This payment was voided.")
	case one.AmountCents != amountCents:
		return one, false, refuse(http.StatusUnprocessableEntity, "idempotency_conflict", "This Idempotency-Key was used with another amount_cents.")
	}
	l.metrics.payments.WithLabelValues("repeated").Inc()
	l.log.info(ctx, line{Message: "payment repeated", OrderID: orderID, AmountCents: amountCents})
	return one, true, nil
}

func (l *ledger) charge(ctx context.Context, orderID string, amountCents int64, simulate string) (payment, error) {
	ctx, span := l.tracer.Start(ctx, "charge_card", trace.WithAttributes(
		attribute.String("shop.order_id", orderID), attribute.Int64("shop.amount_cents", amountCents)))
	defer span.End()
	if simulate == simulateSlow {
		time.Sleep(time.Duration((1 + rand.Float64()) * slowCardSeconds * float64(time.Second)))
	}
	now := time.Now().UTC()
	one := payment{
		OrderID: orderID, PaymentID: newUUID(), Status: authorized, AmountCents: amountCents,
		TraceID: span.SpanContext().TraceID().String(), ChangedAt: now, ExpiresAt: now.Add(l.hold),
	}
	if simulate == simulateDecline || declinedByCard(orderID, l.declinedShare) {
		one.Status, one.ExpiresAt = declined, time.Time{}
		span.AddEvent(eventCardDeclined)
	}
	one.FirstStatus = one.Status
	if err := l.record(one); err != nil {
		span.RecordError(err)
		span.SetStatus(codes.Error, "the journal could not be written")
		return payment{}, err
	}
	l.metrics.payments.WithLabelValues(string(one.Status)).Inc()
	if one.Status == declined {
		l.log.warn(ctx, line{Message: "payment declined", OrderID: orderID, AmountCents: amountCents, Error: "card_declined"})
		return one, nil
	}
	l.metrics.amountCents.Observe(float64(amountCents))
	l.log.info(ctx, line{Message: "payment authorized", OrderID: orderID, AmountCents: amountCents})
	return one, nil
}

// capture takes the money of an authorization, also of one whose hold has expired: at most once.
func (l *ledger) capture(ctx context.Context, orderID string) (payment, error) {
	unlock, err := l.lock(ctx, orderID)
	if err != nil {
		return payment{}, err
	}
	defer unlock()
	one, known := l.get(orderID)
	switch {
	case !known:
		return one, unknownPayment()
	case one.Status == captured:
		return one, nil
	case one.Status != authorized && one.Status != expired:
		return one, refuse(http.StatusConflict, "payment_not_authorized", "This payment is %s and cannot be captured.", one.Status)
	}
	return l.change(ctx, one, captured, "payment captured")
}

// void gives an authorization up. An order that is not known yet is remembered as voided, so that a charge that is still on
// its way here is refused.
func (l *ledger) void(ctx context.Context, orderID string) (payment, error) {
	unlock, err := l.lock(ctx, orderID)
	if err != nil {
		return payment{}, err
	}
	defer unlock()
	one, known := l.get(orderID)
	switch {
	case !known:
		one = payment{OrderID: orderID}
	case one.Status == voided:
		return one, nil
	case one.Status == captured:
		return one, refuse(http.StatusConflict, "payment_captured", "This payment was captured and cannot be voided.")
	}
	return l.change(ctx, one, voided, "payment voided")
}

// find waits for a charge that is being worked on: to say "unknown" meanwhile would be wrong a moment later.
func (l *ledger) find(ctx context.Context, orderID string) (payment, error) {
	unlock, err := l.lock(ctx, orderID)
	if err != nil {
		return payment{}, err
	}
	defer unlock()
	one, known := l.get(orderID)
	if !known {
		return one, unknownPayment()
	}
	return one, nil
}

func (l *ledger) change(ctx context.Context, one payment, to status, message string) (payment, error) {
	one = one.changed(to)
	if err := l.record(one); err != nil {
		return payment{}, err
	}
	l.metrics.payments.WithLabelValues(string(to)).Inc()
	l.log.info(ctx, line{Message: message, OrderID: one.OrderID, AmountCents: one.AmountCents})
	return one, nil
}

func unknownPayment() *refusal {
	return refuse(http.StatusNotFound, "unknown_payment", "There is no payment for this order.")
}

// openHold is an authorization that expires unless something happens to it.
type openHold struct {
	orderID   string
	expiresAt time.Time
}

// holdQueue is a heap, the hold that expires first on top: after a restart with another hold time they are out of order.
type holdQueue []openHold

func (q holdQueue) Len() int           { return len(q) }
func (q holdQueue) Less(i, j int) bool { return q[i].expiresAt.Before(q[j].expiresAt) }
func (q holdQueue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *holdQueue) Push(one any)      { *q = append(*q, one.(openHold)) }
func (q *holdQueue) Pop() any {
	last := len(*q) - 1
	one := (*q)[last]
	*q = (*q)[:last]
	return one
}

// expireHolds runs until ctx ends.
func (l *ledger) expireHolds(ctx context.Context) {
	ticker := time.NewTicker(expiryInterval)
	defer ticker.Stop()
	for {
		l.expireDue(ctx)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// expireDue works on several at a time, so that they share the journal's fsync.
func (l *ledger) expireDue(ctx context.Context) {
	var running sync.WaitGroup
	places := make(chan struct{}, parallelExpiries)
	failures := make(chan error, 1)
	for _, due := range l.dueHolds(time.Now()) {
		places <- struct{}{}
		running.Go(func() {
			defer func() { <-places }()
			if err := l.expire(ctx, due); err != nil {
				l.mutex.Lock()
				heap.Push(&l.holds, due) // tried again next time
				l.mutex.Unlock()
				select {
				case failures <- err:
				default:
				}
			}
		})
	}
	running.Wait()
	select {
	case err := <-failures:
		if ctx.Err() == nil && !errors.Is(err, errJournalClosed) {
			l.log.unexpected(ctx, err)
		}
	default:
	}
}

func (l *ledger) dueHolds(now time.Time) (due []openHold) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	for len(l.holds) > 0 && !l.holds[0].expiresAt.After(now) {
		due = append(due, heap.Pop(&l.holds).(openHold))
	}
	return due
}

func (l *ledger) expire(ctx context.Context, due openHold) error {
	unlock, err := l.lock(ctx, due.orderID)
	if err != nil {
		return err
	}
	defer unlock()
	one, _ := l.get(due.orderID)
	if one.Status != authorized {
		return nil
	}
	one = one.changed(expired)
	if err := l.record(one); err != nil {
		return err
	}
	l.metrics.payments.WithLabelValues(string(expired)).Inc()
	l.log.warn(ctx, line{Message: "hold expired", OrderID: one.OrderID, AmountCents: one.AmountCents, TraceID: one.TraceID})
	return nil
}
