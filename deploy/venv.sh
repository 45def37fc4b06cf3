#!/bin/sh
# Makes .venv hold what a lock file pins, and this project: deploy/venv.sh requirements.lock
# Does nothing where it already does. Starts anew where an earlier run was interrupted.
# PYTHON names the interpreter to use; by default the first suitable one of the PATH.
set -eu
cd "$(dirname "$0")/.."
cd "$(pwd -P)"
lock=$1

say() { echo "$*" >&2; }

# Prints the interpreter itself, behind any shim or virtual environment.
find_python() {
    # Those first for which every locked package has a built wheel.
    set -- python3.11 python3.12 python3.13 python3.14 python3 python
    [ -z "${PYTHON:-}" ] || set -- "$PYTHON"
    for candidate; do
        "$candidate" -c '
import sys
if sys.version_info < (3, 11): sys.exit(1)
print(sys._base_executable)' 2>/dev/null && return
    done
    say "SampleMind needs Python 3.11 or newer, and ${PYTHON:-the PATH} has none."
    say "Install it, or name it: PYTHON=/path/to/python3.12 ./start_api.sh"
    exit 1
}

# Prints what an installation from lock file $1 rests on, by the interpreter of .venv: the files,
# the version of Python, and this folder, since scripts in .venv name it.
state() {
    .venv/bin/python -c '
import hashlib, os, pathlib, sys
files = b"".join(pathlib.Path(name).read_bytes() for name in [sys.argv[1], "pyproject.toml"])
print(hashlib.sha256(files + repr((sys.version, os.getcwd())).encode()).hexdigest())' "$1"
}

# The development lock holds everything that the other one does.
is_installed() {
    [ -x .venv/bin/python ] && [ -f .venv/.installed ] || return 1
    installed=$(cat .venv/.installed)
    [ "$installed" = "$(state "$lock")" ] || [ "$installed" = "$(state requirements-dev.lock)" ]
}

# uv takes 10 s for what takes pip 150 s, but it ignores pip's configuration, so it is told the
# index and certificates, and where it fails pip has another go.
with_uv() {
    .venv/bin/uv --version >/dev/null 2>&1 ||
        with_pip --require-hashes --only-binary :all: -r deploy/uv-requirements.lock 2>/dev/null ||
        return 1
    index=${PIP_INDEX_URL:-$(.venv/bin/python -m pip config get global.index-url 2>/dev/null || :)}
    (
        [ -z "$index" ] || export UV_DEFAULT_INDEX="${UV_DEFAULT_INDEX:-$index}"
        [ -z "${PIP_CERT:-}" ] || export SSL_CERT_FILE="${SSL_CERT_FILE:-$PIP_CERT}"
        exec .venv/bin/uv pip install --quiet --python .venv/bin/python "$@"
    )
}

with_pip() { .venv/bin/python -m pip --disable-pip-version-check install --quiet "$@"; }

install() {
    with_uv "$@" || {
        say "Trying again with pip, which takes some minutes."
        with_pip "$@"
    }
}

if is_installed; then exit 0; fi
python=$(find_python)

# One run at a time. The lock is an open file, inherited by what replaces this process, so it ends
# with that process however that ends.
if [ -z "${VENV_IS_LOCKED:-}" ]; then
    export VENV_IS_LOCKED=1
    exec "$python" -c '
import fcntl, os, sys
lock = os.open("deploy/venv.sh", os.O_RDWR)
fcntl.flock(lock, fcntl.LOCK_EX)
os.set_inheritable(lock, True)
os.execv("/bin/sh", ["sh", "deploy/venv.sh", *sys.argv[1:]])' "$lock"
fi

# Keep an environment only if it is of the same Python and folder, and was left whole.
version=$("$python" -c 'import sys; print(sys.version.split()[0])')
if [ -e .venv/.installing ] || ! grep -qsF "$PWD/.venv" .venv/bin/activate ||
    ! .venv/bin/python -c '
import pip, sys
sys.exit(sys.version.split()[0] != sys.argv[1])' "$version" 2>/dev/null; then
    "$python" -c 'import ensurepip, venv' 2>/dev/null || {
        say "$python cannot make virtual environments: it lacks the module venv or ensurepip."
        say "On Debian and Ubuntu: apt install python3-venv (or python${version%.*}-venv)"
        exit 1
    }
    rm -rf .venv
    say "Making .venv with Python $version ..."
    "$python" -m venv .venv
fi
: >.venv/.installing
rm -f .venv/.installed
say "Installing what $lock pins ..."
install --require-hashes -r "$lock"
install --no-deps --no-build-isolation --editable .
state "$lock" >.venv/.installed
rm .venv/.installing
