#!/usr/bin/env bash
# Compares a release by hand with `cargo xtask release all --rehearse`: the distributions of this
# repository, both ways in turn, RUNS times (default 5). By hand means one distribution after the
# other: `python -m build`, twine from one environment, a fresh environment with an upgraded pip for
# every smoke test, two indexes on loopback, tags pushed to a bare remote. Installing build and twine,
# or the tool, is not timed.
#
#   benches/release.sh [RUNS]
#
# PYTHON is the interpreter (default python3). Prints every time, the medians and their ratio.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
runs=${1:-5}
python=$(${PYTHON:-python3} -c 'import sys; print(sys.executable)')
work=$(mktemp -d)
indexes=()

stop_indexes() {
    for index in ${indexes[@]+"${indexes[@]}"}; do kill "$index" 2>/dev/null || true; done
    indexes=()
}
trap 'stop_indexes; rm -rf "$work"' EXIT

"$python" -m venv "$work/by-hand"
"$work/by-hand/bin/pip" install --quiet build twine pypiserver
by_hand=$work/by-hand/bin

# Every run has indexes of its own: an index accepts a file name only once.
start_index() {
    mkdir -p "$1/files"
    mkfifo "$1/hold"
    "$by_hand/python" -I "$root/xtask/tools/serve.py" "$1/files" <"$1/hold" >"$1/port" 2>/dev/null &
    indexes+=($!)
    exec {hold}>"$1/hold"
    until [ -s "$1/port" ]; do sleep 0.02; done
}

# The smoke test of one distribution, as its maintainers would type it.
smoke() {
    local bin=$1 distribution=$2
    case $distribution in
    aetherflow-core)
        "$bin/aetherflow" validate --help
        "$bin/aetherflow" run --help
        "$bin/python" -c 'import aetherflow.core; print(aetherflow.core.__version__)'
        "$bin/python" -c 'from aetherflow.core.api import list_steps, list_connectors; print(list_steps(), list_connectors())'
        ;;
    aetherflow-scheduler)
        "$bin/python" -c 'import aetherflow.scheduler; print(aetherflow.scheduler.__version__)'
        "$bin/python" -c 'import aetherflow.scheduler.service'
        "$bin/aetherflow-scheduler" --help
        "$bin/aetherflow-scheduler" run --help
        "$bin/aetherflow-scheduler" run --dry-run
        ;;
    aetherflow)
        "$bin/python" -c 'import aetherflow.core; print(aetherflow.core.__version__)'
        "$bin/python" -c 'import aetherflow.scheduler; print(aetherflow.scheduler.__version__)'
        "$bin/python" -c 'import aetherflow.scheduler.service'
        "$bin/aetherflow" --help
        "$bin/aetherflow" validate --help
        "$bin/aetherflow" run --help
        ;;
    esac
}

version_of() { sed -n 's/^version = "\(.*\)"/\1/p' "$1/pyproject.toml" | head -1; }

by_hand() {
    local run=$1 distribution version env
    cd "$run/clone"
    [ -z "$(git status --porcelain)" ]
    for distribution in aetherflow-core aetherflow-scheduler aetherflow; do
        cd "$run/clone/packages/$distribution"
        version=$(version_of .)
        "$by_hand/python" -m build
        "$by_hand/twine" upload --config-file "$run/pypirc" --repository testpypi dist/*
        env=$run/env-$distribution
        "$python" -m venv "$env"
        "$env/bin/pip" install --upgrade pip
        # The default index stays the one that pip is configured with, PyPI or a mirror.
        "$env/bin/pip" install --extra-index-url "http://127.0.0.1:$(cat "$run/testpypi/port")/simple/" \
            "$distribution==$version"
        (cd "$run" && smoke "$env/bin" "$distribution")
        "$by_hand/twine" upload --config-file "$run/pypirc" --repository pypi dist/*
        git tag -a "hand-$distribution-v$version" -m "$distribution $version"
        git push -q origin "hand-$distribution-v$version"
    done
}

# Everything before the first command of a release; not timed.
prepare() {
    local run=$1 index
    mkdir -p "$run"
    git clone -q "$root" "$run/clone"
    git clone -q --bare "$root" "$run/remote.git"
    git -C "$run/clone" remote set-url origin "$run/remote.git"
    printf '[distutils]\nindex-servers =\n    testpypi\n    pypi\n' >"$run/pypirc"
    for index in testpypi pypi; do
        start_index "$run/$index"
        printf '\n[%s]\nrepository = http://127.0.0.1:%s/\nusername = nobody\npassword = nothing\n' \
            "$index" "$(cat "$run/$index/port")" >>"$run/pypirc"
    done
}

timed() {
    local start=$EPOCHREALTIME log=$1
    shift
    if ! (set -e; "$@") >"$log" 2>&1; then
        tail -n 30 "$log" >&2
        exit 1
    fi
    local end=$EPOCHREALTIME
    echo $(((${end/[.,]/} - ${start/[.,]/}) / 1000))
}

median() { printf '%s\n' "$@" | sort -n | sed -n "$((($# + 1) / 2))p"; }

rehearse() { cd "$root" && XTASK_PYTHON=$python cargo xtask release all --rehearse; }

timed "$work/warm" rehearse >/dev/null
hand=() tool=()
for ((number = 1; number <= runs; number++)); do
    run=$work/run-$number
    prepare "$run"
    hand+=("$(timed "$run/by-hand.log" by_hand "$run")")
    stop_indexes
    tool+=("$(timed "$run/tool.log" rehearse)")
    echo "run $number: by hand ${hand[-1]} ms, cargo xtask ${tool[-1]} ms"
done
hand=$(median "${hand[@]}") tool=$(median "${tool[@]}")
echo "median: by hand $hand ms, cargo xtask $tool ms"
echo "ratio: $(awk "BEGIN { printf \"%.1f\", $hand / $tool }")"
