#!/bin/sh
# Runs the tests, or those named: ./run_tests.sh tests/test_local.py
set -eu
cd "$(dirname "$0")"
sh deploy/venv.sh requirements-dev.lock
exec .venv/bin/python -m pytest "$@"
