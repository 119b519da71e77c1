#!/bin/sh
# Builds the crate in native/ and installs it into .venv as the package tallystick-native.
# Needs Rust; maturin comes from native/requirements.lock. `make native` calls it when something has changed.
set -eu
cd "$(dirname "$0")/.."

command -v cargo >/dev/null 2>&1 || PATH="$PATH:${CARGO_HOME:-$HOME/.cargo}/bin"
wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' native/Cargo.toml)
for program in cargo rustc; do
    if ! "$program" --version >/dev/null 2>&1; then
        echo "The native body is written in Rust $wanted or later, and \`$program\` is not here." >&2
        echo "Get it from https://rustup.rs, or on Debian and Ubuntu: apt install rustup && rustup default stable." >&2
        echo "It is for speed alone: everything works without it." >&2
        exit 1
    fi
done

export UV_LINK_MODE="${UV_LINK_MODE:-copy}" VIRTUAL_ENV="$PWD/.venv"
.venv/bin/python -m uv --no-config pip install --quiet --require-hashes -r native/requirements.lock

echo "native: $(rustc --version), release build"
wheels="$PWD/.venv/wheels"
rm -rf "$wheels"
if ! said=$(cd native && "$VIRTUAL_ENV/bin/maturin" build --quiet --release --locked --auditwheel skip \
    --interpreter "$VIRTUAL_ENV/bin/python" --out "$wheels" 2>&1); then
    echo "$said" >&2
    exit 1
fi
.venv/bin/python -m uv --no-config pip install --quiet --no-deps --offline --reinstall "$wheels"/*.whl
.venv/bin/python -c 'from tallystick.accel import load; load("native")'
echo "native: installed; \`make test-native\` compares it with the Python body"
