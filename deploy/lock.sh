#!/bin/sh
# Writes both lock files anew from pyproject.toml. Needs uv.
set -eu
cd "$(dirname "$0")/.."
export UV_CUSTOM_COMPILE_COMMAND="deploy/lock.sh"
compile() {
    uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --no-emit-find-links --no-annotate pyproject.toml "$@"
}
compile --extra build --output-file requirements.lock "$@"
compile --extra build --extra dev --constraint requirements.lock --output-file requirements-dev.lock "$@"
