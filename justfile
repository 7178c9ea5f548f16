# Recipes for whoever works on logretry. `just` lists them.

_default:
    @just --list

# What the tests need besides cargo: real servers and packers, from Debian's packages.
install:
    #!/bin/sh
    set -eu
    packages="nginx apache2 logrotate jq zstd xz-utils bzip2 util-linux sqlite3 strace valgrind"
    missing=""
    for package in $packages; do
        dpkg -s "$package" >/dev/null 2>&1 || missing="$missing $package"
    done
    if [ -n "$missing" ]; then
        sudo=$(command -v sudo || true)
        $sudo apt-get update -q
        # Without starting them: the tests start their own.
        $sudo env RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing
    fi
    command -v cargo-nextest >/dev/null || cargo install --locked cargo-nextest

# All tests, those of the documentation included.
test: install
    cargo nextest run --workspace --all-features
    cargo test --workspace --all-features --doc

# Format, lints, documentation.
check:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets --all-features --locked -- -D warnings
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --all-features --no-deps --locked

# Each crate builds alone, with and without its command line.
alone:
    #!/bin/sh
    set -eu
    for manifest in crates/*/Cargo.toml bins/Cargo.toml; do
        echo "$manifest"
        cargo check -q --locked --manifest-path "$manifest" --no-default-features
        cargo check -q --locked --manifest-path "$manifest" --all-features
    done

# How gently refires go: simulated servers on a paused clock, those that the pace was made for and others, then the real program with real servers. Tables, and a plot of each server (SVG, CSV) in FOLDER.
gentle folder="target/gentle":
    LOGRETRY_GENTLE="{{ justfile_directory() }}/{{ folder }}" cargo test --release -p logretry-refirer --lib gentle -- --nocapture --include-ignored
    LOGRETRY_GENTLE="{{ justfile_directory() }}/{{ folder }}" cargo test --release -p logretry --test blackbox gentle -- --nocapture --include-ignored

# The catalogue of server faults, so many times over: no descriptor and no memory may be left behind.
faults rounds="100":
    LOGRETRY_FAULT_ROUNDS={{ rounds }} cargo test --release -p logretry-refirer --all-features --test refire faults -- --nocapture

# What is done to logs under the eyes of a follower: so many random sequences, on a simulated file system.
follow sequences="5000":
    LOGRETRY_SEQUENCES={{ sequences }} cargo test --release -p logretry-reader --lib follow::tests

# Processes that are killed, disks that fail, power cuts: 200 kills among 100,000 requests, each system call once, 400 power cuts. Minutes.
torture: install
    cargo test --release -p logretry --all-features --test torture -- --include-ignored --nocapture --test-threads 1

# The small form of the same, which `just test` runs too.
torture-quick: install
    cargo nextest run -p logretry --all-features --test torture

# Speed, memory, size and start beside the tools that people would use instead, in one run: tests/bench/BENCHMARKS.md. `just bench 500000` is a quick one, printed only.
bench lines="5000000" folder="target/bench":
    #!/bin/sh
    set -eu
    missing=""
    for pair in rg:ripgrep mawk:mawk jq:jq hyperfine:hyperfine strip:binutils time:time goaccess:goaccess wrk:wrk nginx:nginx; do
        command -v "${pair%%:*}" >/dev/null || missing="$missing ${pair#*:}"
    done
    if [ -n "$missing" ]; then
        sudo=$(command -v sudo || true)
        $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing
    fi
    cargo build --release --locked -p logretry --bins --example make-log
    tests/bench/run.sh "{{ folder }}" "{{ lines }}" > "{{ folder }}.md"
    if [ "{{ lines }}" = 5000000 ]; then cp "{{ folder }}.md" tests/bench/BENCHMARKS.md; else cat "{{ folder }}.md"; fi

# How many instructions the hot paths take, which a change may not raise by much: tests/counts. `cargo bench -p logretry-format --bench formats` and the like measure times.
counts: install
    #!/bin/sh
    set -eu
    if ! grep -qw avx2 /proc/cpuinfo; then
        echo "just counts: what is written down was counted on x86-64 with AVX2, which this machine has not: nothing is compared" >&2
        exit 0
    fi
    # The runner has to be of the very version of the library.
    version=$(sed -n 's/^gungraun = "=\(.*\)"$/\1/p' Cargo.toml)
    [ "$(gungraun-runner --version 2>/dev/null)" = "gungraun-runner $version" ] || cargo install --locked --debug "gungraun-runner@$version"
    cargo bench --profile counts --locked -p logretry-counts || {
        echo "just counts: where a count exceeds its limit, make the path cheaper; or, if what it does is worth that, write down the new count in tests/counts, and say why in the commit." >&2
        exit 1
    }

# Programs to hand out, in target/dist: small, with what a debugger wants in files beside them.
dist:
    #!/bin/sh
    set -eu
    cargo build --profile dist --locked -p logretry --bins
    for program in lr-read lr-filter lr-refire lr-write logretry; do
        program="target/dist/$program"
        objcopy --only-keep-debug "$program" "$program.debug"
        # Into another file: this one is cargo's own as well, which would not build it again, and the next time nothing would be left to keep.
        objcopy --strip-all --add-gnu-debuglink="$program.debug" "$program" "$program.stripped"
        mv "$program.stripped" "$program"
    done
    ls -l target/dist/lr-* target/dist/logretry

# Licences, sources and boundaries of the dependencies; `just deny advisories` asks the advisory database as well.
deny *which="bans licenses sources":
    command -v cargo-deny >/dev/null || cargo install --locked cargo-deny
    cargo deny check {{ which }}

# Everything that a change must pass.
ci: check alone deny counts test

# Fuzzes a target (`lines`, `specs`, `captures`) for so many seconds.
fuzz target="lines" seconds="60":
    command -v cargo-fuzz >/dev/null || cargo install --locked cargo-fuzz
    cd crates/logretry-{{ if target == "captures" { "reader" } else { "format" } }} && RUSTC_BOOTSTRAP=1 cargo fuzz run --sanitizer none {{ target }} -- -max_total_time={{ seconds }} -max_len=4096 -timeout=5
