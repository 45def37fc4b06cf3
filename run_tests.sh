#!/bin/sh
# Runs the tests, or those named: ./run_tests.sh tests/test_local.py
set -eu
cd "$(dirname "$0")"
# Compiling everything again at each start costs many seconds, and .venv is ours to write to.
unset PYTHONDONTWRITEBYTECODE
sh deploy/venv.sh requirements-dev.lock
exec .venv/bin/python -m pytest "$@"
