package main

import "net/http"

// route is one of the contract's. `success` is the code that its counter is born with.
type route struct {
	method  string
	path    string
	success int
	handle  func(*service, *http.Request) (answer, error)
}

var routes = []route{
	{http.MethodPost, "/payments", http.StatusCreated, (*service).pay},
	{http.MethodGet, "/payments/{order_id}", http.StatusOK, (*service).show},
	{http.MethodPost, "/payments/{order_id}/capture", http.StatusOK, (*service).capture},
	{http.MethodPost, "/payments/{order_id}/void", http.StatusOK, (*service).void},
}

// answer is what a handler gives back; the middleware writes it.
type answer struct {
	status   int
	body     any
	replayed bool // header Idempotent-Replay
}

type paymentBody struct {
	OrderID     string `json:"order_id"`
	PaymentID   string `json:"payment_id"`
	Status      status `json:"status"`
	AmountCents int64  `json:"amount_cents"`
}

func shown(one payment, as status) paymentBody {
	return paymentBody{OrderID: one.OrderID, PaymentID: one.PaymentID, Status: as, AmountCents: one.AmountCents}
}

func (s *service) pay(r *http.Request) (answer, error) {
	fields, err := readObject(r, "amount_cents", "simulate")
	if err != nil {
		return answer{}, err
	}
	amountCents, err := wholeNumber(fields, "amount_cents", 1, 10_000_000)
	if err != nil {
		return answer{}, err
	}
	simulate, err := oneOf(fields, "simulate", "", simulateSlow, simulateDecline)
	if err != nil {
		return answer{}, err
	}
	keys := r.Header.Values("Idempotency-Key")
	if len(keys) != 1 || !orderIDPattern.MatchString(keys[0]) {
		return answer{}, invalid("The header Idempotency-Key must be the order id, a UUID in small letters.")
	}
	one, repeated, err := s.ledger.pay(r.Context(), keys[0], amountCents, simulate)
	if err != nil {
		return answer{}, err
	}
	if one.FirstStatus == declined {
		return answer{replayed: repeated}, refuse(http.StatusPaymentRequired, "card_declined", "The card was declined.")
	}
	return answer{status: http.StatusCreated, body: shown(one, one.FirstStatus), replayed: repeated}, nil
}

func (s *service) show(r *http.Request) (answer, error) {
	orderID, err := orderIDInPath(r)
	if err != nil {
		return answer{}, err
	}
	return answerWith(s.ledger.find(r.Context(), orderID))
}

func (s *service) capture(r *http.Request) (answer, error) {
	orderID, err := orderIDWithoutFields(r)
	if err != nil {
		return answer{}, err
	}
	return answerWith(s.ledger.capture(r.Context(), orderID))
}

func (s *service) void(r *http.Request) (answer, error) {
	orderID, err := orderIDWithoutFields(r)
	if err != nil {
		return answer{}, err
	}
	return answerWith(s.ledger.void(r.Context(), orderID))
}

func answerWith(one payment, err error) (answer, error) {
	return answer{status: http.StatusOK, body: shown(one, one.Status)}, err
}

func orderIDWithoutFields(r *http.Request) (string, error) {
	if err := readNoFields(r); err != nil {
		return "", err
	}
	return orderIDInPath(r)
}

func orderIDInPath(r *http.Request) (string, error) {
	orderID := r.PathValue("order_id")
	if !orderIDPattern.MatchString(orderID) {
		return "", invalid("order_id must be a UUID in small letters.")
	}
	return orderID, nil
}

// notFound tells a wrong path from a wrong method.
func (s *service) notFound(r *http.Request) (answer, error) {
	if _, pattern := s.paths.Handler(r); pattern != "" && isClean(r.URL.EscapedPath()) {
		return answer{}, wrongMethod(allowedMethods(pattern)...)
	}
	return answer{}, refuse(http.StatusNotFound, "not_found", "There is nothing at this address.")
}

func allowedMethods(path string) []string {
	for _, one := range routes {
		if one.path == path && one.method == http.MethodGet {
			return []string{http.MethodGet, http.MethodHead}
		}
		if one.path == path {
			return []string{one.method}
		}
	}
	return nil
}
