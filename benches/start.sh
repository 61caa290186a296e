#!/usr/bin/env bash
# Measures the start of the tool: `cargo xtask status` in a fresh clone with an empty target/ (RUNS
# times, default 3, with the crates downloaded before), then warm.
#
#   benches/start.sh [RUNS]
#
# Prints every cold start, the size of target/, the number of crates built, and the median of 20 warm
# runs: through cargo, and of the tool alone.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
runs=${1:-3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timed() {
    local start=$EPOCHREALTIME
    "$@" >/dev/null
    local end=$EPOCHREALTIME
    echo $(((${end/[.,]/} - ${start/[.,]/}) / 1000))
}

median() { sort -n | sed -n "$((($1 + 1) / 2))p"; }

git clone -q "$root" "$work/clone"
cd "$work/clone"
cargo fetch --quiet --locked
for ((number = 1; number <= runs; number++)); do
    rm -rf target
    echo "cold start $number: $(timed cargo xtask status) ms"
done
echo "target/: $(du -sm target | cut -f1) MB"
crates=$(cargo tree --locked --package xtask --edges normal,build --prefix none | cut -d' ' -f1 | sort -u | wc -l)
echo "crates, including ours: $crates"
echo "warm, through cargo: $(for _ in $(seq 20); do timed cargo xtask status; done | median 20) ms"
echo "warm, the tool alone: $(for _ in $(seq 20); do timed target/debug/xtask status; done | median 20) ms"
