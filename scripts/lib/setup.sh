# Sourced by every script here: makes .venv and the node_modules folders match the lock files, and does nothing when they do.
# Needs only python3 (3.11+), node (20+) with npm, and git.
set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$ROOT"

setup_python() {
  local want have
  want=$(cat requirements.lock pyproject.toml | sha256sum | cut -d' ' -f1)
  have=$(cat .venv/.installed 2>/dev/null || true)
  [ "$want" = "$have" ] && return 0
  python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "python 3.11 or newer is needed; found $(python3 --version)" >&2; exit 1; }
  echo "installing Python packages into .venv ..." >&2
  [ -x .venv/bin/python ] || python3 -m venv .venv
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
  echo "$want" >.venv/.installed
}

setup_node() { # folder, what for
  local want have
  want=$(sha256sum "$1/package-lock.json" | cut -d' ' -f1)
  have=$(cat "$1/node_modules/.installed" 2>/dev/null || true)
  [ "$want" = "$have" ] && return 0
  command -v npm >/dev/null || { echo "node 20 or newer with npm is needed" >&2; exit 1; }
  echo "installing $2 into $1/node_modules ..." >&2
  # Not `npm ci`: it wants every platform's optional binary in the lock file, also those that a mirror does not carry.
  # --no-save keeps to the lock file (versions and hashes) and never writes it.
  npm install --prefix "$1" --no-save --no-fund --no-audit --loglevel=error >&2
  echo "$want" >"$1/node_modules/.installed"
}

setup_python
setup_node contracts "the ledger node and the Solidity tools"
setup_node tests/integration/interop "verifiers written by others"
export PATH="$ROOT/.venv/bin:$ROOT/contracts/node_modules/.bin:$PATH"
