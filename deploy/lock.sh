#!/bin/sh
# Writes the lock files anew from pyproject.toml, and the one of uv itself. Needs uv.
set -eu
cd "$(dirname "$0")/.."
export UV_CUSTOM_COMPILE_COMMAND="deploy/lock.sh"
compile() {
    uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --no-emit-find-links --no-annotate pyproject.toml "$@"
}
compile --extra build --output-file requirements.lock "$@"
compile --extra build --extra dev --constraint requirements.lock --output-file requirements-dev.lock "$@"
echo uv | uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
    --no-emit-index-url --no-emit-find-links --output-file deploy/uv-requirements.lock "$@" -
