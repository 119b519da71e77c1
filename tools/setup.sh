#!/bin/sh
# Builds .venv: a virtual environment with exactly what requirements.lock names, and Tallystick itself, editable.
# Needs Python 3.11 to 3.14 and nothing else; PYTHON=... chooses the interpreter. Safe to repeat, and quick then.
set -eu
cd "$(dirname "$0")/.."

is_good() {
    "$1" -c 'import sys; raise SystemExit(not (3, 11) <= sys.version_info[:2] < (3, 15))' 2>/dev/null
}

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        is_good "$PYTHON" && { echo "$PYTHON"; return; }
        echo "PYTHON=$PYTHON is not a working Python from 3.11 to 3.14." >&2
        exit 1
    fi
    # The system's own comes first: distributions build it with profile-guided optimisation, which a Python that was
    # compiled by hand mostly lacks (the same code took a fifth to a quarter longer with such a one).
    for name in /usr/bin/python3 python3 python3.14 python3.13 python3.12 python3.11; do
        is_good "$name" && "$name" -c 'import ensurepip, venv' 2>/dev/null && { echo "$name"; return; }
    done
    echo "Tallystick needs Python 3.11, 3.12, 3.13 or 3.14 and its venv; found: $(python3 --version 2>&1 || true)." >&2
    echo "Install one (Debian, Ubuntu: apt install python3 python3-venv) or say PYTHON=/path/to/python3." >&2
    exit 1
}

# An environment that is missing, broken or of another release of Python is made anew.
if ! is_good .venv/bin/python || ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    python=$(find_python)
    echo "setup: a virtual environment in .venv ($("$python" --version))"
    if ! "$python" -m venv --clear .venv; then
        echo "Python's venv module is not complete (Debian, Ubuntu: apt install python3-venv)." >&2
        exit 1
    fi
fi

# pip brings uv, at the release and with the hashes of the lock; uv brings everything else.
wanted=$(sed -n 's/^uv==\([^ ]*\).*/\1/p' requirements.lock)
if [ "$(.venv/bin/python -m uv --version 2>/dev/null | cut -d ' ' -f 2)" != "$wanted" ]; then
    echo "setup: uv $wanted"
    sed -n '/^uv==/,/[^\\]$/p' requirements.lock >.venv/uv.lock
    .venv/bin/python -m pip --disable-pip-version-check install --quiet --no-deps --require-hashes -r .venv/uv.lock
fi

echo "setup: the packages of requirements.lock"
export UV_LINK_MODE="${UV_LINK_MODE:-copy}" VIRTUAL_ENV="$PWD/.venv"
.venv/bin/python -m uv --no-config pip install --quiet --require-hashes -r requirements.lock
.venv/bin/python -m uv --no-config pip install --quiet --no-deps --no-build-isolation --offline --editable .
echo "setup: done"
