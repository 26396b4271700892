set positional-arguments

# List the recipes.
default:
    @just --list --unsorted

# Formatting, lints, documentation, dependencies: all without a warning.
check:
    cargo fmt --all --check
    cargo fmt --manifest-path benches-cache/Cargo.toml --check
    cargo fmt --manifest-path benches-insight/Cargo.toml --check
    cargo clippy --workspace --all-targets --all-features -- -D warnings
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --all-features
    @command -v cargo-deny >/dev/null || { echo "cargo-deny is missing: cargo install --locked cargo-deny (some three minutes)" >&2; exit 1; }
    cargo deny --workspace --all-features check bans licenses sources -D warnings

# Every test, with a private PostgreSQL, Redis and Redis Cluster (arguments go to `cargo test`).
test *ARGS:
    scripts/services with --fast --cluster cargo test --workspace --all-features "$@"

# Unit tests and the suite on SQLite: no servers.
test-fast:
    cargo test --workspace --all-features --lib -- --skip server:: --skip redis --skip postgres
    cargo test --workspace --all-features --test all -- sqlite

# The index advisor against PostgreSQL and SQLite, the large fixture included (HypoPG, where it is installed, is used).
test-insight *ARGS:
    scripts/services with --fast cargo test -p guildhall-insight --test advisor -- --include-ignored "$@"

# Each case of the advisor and what came of it, as Markdown (docs/benchmarks.md has the last run).
table-insight:
    scripts/services with --fast cargo test -p guildhall-insight --test advisor -- --ignored --nocapture --exact table::every_case_as_a_table

# The advisor on TPC-H's tables with primary keys only: time and bytes before and after, as Markdown.
bench-tpch:
    scripts/services with --fast cargo run --manifest-path benches-insight/Cargo.toml --target-dir target/bench-insight

# What the profiler adds to a call, as ratios against the bare connection in the same run.
bench-insight *ARGS:
    cargo bench -p guildhall-insight --bench overhead -- "$@"

# Let each fuzz target of the cache look for a finding (arguments: seconds a target, default 300).
fuzz SECONDS="300":
    @command -v cargo-fuzz >/dev/null || { echo "cargo-fuzz is missing: cargo install --locked cargo-fuzz (some two minutes)" >&2; exit 1; }
    @# Without a sanitizer it needs no nightly compiler, and our code has no `unsafe` to be watched.
    cd crates/cache && for target in header codec; do \
        cargo fuzz run --sanitizer none "$target" -- -max_total_time="$1" -max_len=4096 -timeout=10 -rss_limit_mb=1024 || exit 1; \
    done

# Measure, with durable writes (arguments go to the bench program).
bench *ARGS:
    scripts/services with cargo run --release -p guildhall-benches -- "$@"

# Check the cache protocol exhaustively: minutes, 4 GB (`V3 --trace`: a shortest way to each breach).
model *ARGS:
    cargo run --release -p guildhall-cache-model -- --all "$@"

# Measure the cache beside others of its kind (arguments go to the bench program).
bench-cache *ARGS:
    scripts/services with cargo run --release --manifest-path benches-cache/Cargo.toml --target-dir target/bench-cache -- "$@"

# Ten minutes of faults against the cache, a long outage, a stampede (arguments: one run of your own).
soak-cache *ARGS:
    cargo build --release -p guildhall-soak
    if [ $# -gt 0 ]; then target/release/cache-soak "$@"; else \
        target/release/cache-soak --seconds 600 \
        && target/release/cache-soak --outage 30 --delay-ms 50 \
        && target/release/cache-soak stampede; fi

# Generate a community in a fresh SQLite file and put it under load.
demo *ARGS:
    cargo run --release -- demo "$@"

# Build the API reference and, with mdbook, the guide.
doc:
    cargo doc --workspace --no-deps --all-features
    @if command -v mdbook >/dev/null; then mdbook build docs; else echo "the guide is left out: mdbook is missing (cargo install --locked mdbook)" >&2; fi

# Private servers to work against: up, down, env, with CMD.
services *ARGS:
    @scripts/services "$@"

# Pack every crate that is published, and see that the migrations are in.
package:
    rm -f target/package/*.crate
    cargo package --workspace --exclude guildhall-tests --exclude guildhall-benches --exclude guildhall-cache-model --exclude guildhall-soak --no-verify --allow-dirty
    @for system in postgres sqlite; do \
        tar -tzf target/package/guildhall-diesel-*.crate | grep -q "/migrations/$system/.*\.sql$" \
            || { echo "the packed guildhall-diesel lacks migrations/$system" >&2; exit 1; }; \
    done
    @echo "packed into target/package; guildhall-diesel holds its migrations"
