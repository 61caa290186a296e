#!/usr/bin/env bash
# From a clone to the first answer, and every day after that: `cargo xtask status` in a fresh clone
# with an empty target/ (RUNS times, default 3; what cargo downloads is there already), then warm.
#
#   benches/start.sh [RUNS]
#
# Prints every cold start, the size of target/, the crates that are built, and the median of 20 warm
# runs, of cargo with the tool and of the tool alone.
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
echo "crates, ours among them: $crates"
echo "warm, with cargo: $(for _ in $(seq 20); do timed cargo xtask status; done | median 20) ms"
echo "warm, the tool alone: $(for _ in $(seq 20); do timed target/debug/xtask status; done | median 20) ms"
