# Everyday commands. `just` alone lists them.

_default:
    @just --list

# Run the tests (PostgreSQL's part needs its programs on the machine)
test *arguments:
    cargo test --locked {{ arguments }}

# Check formatting and lints, warnings as errors
lint:
    cargo fmt --check
    cargo clippy --all-targets --locked -- -D warnings

# Put the code into its form
format:
    cargo fmt

# Serve the demonstration on http://127.0.0.1:8080
demo *arguments:
    cargo run --release --locked -- serve --demo {{ arguments }}

# Hold the API document against OpenAPI and the national REST API profile (needs node)
api-check:
    .ci/api-document

# Hold a running service against the API document; see .ci/api-live for the tokens it wants (needs python)
api-live url:
    .ci/api-live {{ url }}

# Try a cluster with a failover, under load (needs PostgreSQL, PgBouncer and nginx)
cluster:
    cargo build --release --locked
    tests/cluster/run

# Build the documentation of the code, and open it
doc:
    cargo doc --no-deps --document-private-items --open

# Everything that CI runs
ci:
    .ci/run
