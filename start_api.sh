#!/bin/sh
# Starts SampleMind with all it needs. Installs it into .venv first where that is not done yet.
set -eu
cd "$(dirname "$0")"
# Compiling everything again at each start costs many seconds, and .venv is ours to write to.
unset PYTHONDONTWRITEBYTECODE
sh deploy/venv.sh requirements.lock
exec .venv/bin/samplemind serve "$@"
