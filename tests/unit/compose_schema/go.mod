// The Compose specification's own schema, for test_compose.py: `go mod download` fetches it with this module.
module lab/tests/compose_schema

go 1.26.0

require github.com/compose-spec/compose-go/v2 v2.9.0
