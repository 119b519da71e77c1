#!/bin/sh
# Makes sure that PostgreSQL is here, for `make bench-peer`; says what to do where it cannot.
set -eu

if command -v pgbench >/dev/null 2>&1 && ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then
    exit 0
fi
if command -v pgbench >/dev/null 2>&1 && command -v initdb >/dev/null 2>&1; then
    exit 0
fi
if ! command -v apt-get >/dev/null 2>&1; then
    echo "bench-peer: PostgreSQL is not here, and this is no Debian: install it (initdb, postgres and pgbench on the PATH) and try again" >&2
    exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
    echo "bench-peer: PostgreSQL is not here: sudo apt-get install postgresql, and try again" >&2
    exit 1
fi
echo "bench-peer: apt-get install postgresql" >&2
if ! { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends postgresql; } >&2; then
    echo "bench-peer: PostgreSQL could not be installed: is Debian's mirror reached? try apt-get install postgresql" >&2
    exit 1
fi
