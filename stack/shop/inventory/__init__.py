"""Stock and reservations: PostgreSQL holds the truth, Valkey remembers it for a minute, an outbox confirms."""
