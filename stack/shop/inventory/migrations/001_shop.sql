CREATE TABLE products (
    sku               text PRIMARY KEY,
    name              text NOT NULL,
    price_cents       integer NOT NULL CHECK (price_cents > 0),
    stock             integer NOT NULL CHECK (stock >= 0),    -- the last guard against overselling
    reorder_level     integer NOT NULL,                       -- below this
    reorder_quantity  integer NOT NULL                        -- so many come in; 0: never
);

CREATE TABLE orders (
    order_id      uuid PRIMARY KEY,
    sku           text REFERENCES products,    -- unknown for an order that was cancelled before it arrived
    quantity      integer,
    amount_cents  integer,
    state         text NOT NULL CHECK (state IN ('reserved', 'confirming', 'confirmed', 'cancelled')),
    created_at    timestamptz NOT NULL DEFAULT now(),
    changed_at    timestamptz NOT NULL DEFAULT now()
);

-- One row for each confirmation that is still to be sent. It is written with the reservation, in one transaction.
CREATE TABLE outbox (
    order_id      uuid PRIMARY KEY REFERENCES orders,
    traceparent   text NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    next_try_at   timestamptz NOT NULL DEFAULT now(),
    tries         integer NOT NULL DEFAULT 0
);

INSERT INTO products VALUES
    ('TEA-001', 'Green tea, 100 g',      790, 2000, 500, 2000),
    ('TEA-002', 'Black tea, 100 g',      690, 2000, 500, 2000),
    ('CUP-001', 'Cup, 300 ml',          1250, 1000, 250, 1000),
    ('POT-001', 'Teapot, 1 l',          3900,  600, 150,  600),
    ('KET-001', 'Kettle, 1.7 l',        6900,  400, 100,  400),
    ('SET-001', 'Tea set for six',     14900,   50,   0,    0);    -- a last batch: what is gone is gone
