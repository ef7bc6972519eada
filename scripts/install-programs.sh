#!/usr/bin/env bash
# The real programs whose caches the tests keep, from PyPI and npm, into virtual environments outside of the repository.
#
#     scripts/install-programs.sh [NAME …]      default: jax triton numba ray node-24; also: torch
#
# Measured on 2 cores with a fast mirror, without pip's and npm's caches:
#     jax 18 s, 0.6 GB · triton 11 s, 1.0 GB · numba 10 s, 0.3 GB · torch 145 s, 5.5 GB (it loads CUDA's libraries)
#     on the same machine under load: ray with JAX 37 s, 0.9 GB · node-24 34 s, 0.2 GB (CPU 25 s and 5 s)
set -euo pipefail

directory="${CACHELATCH_TEST_PROGRAMS:-$HOME/.cache/cachelatch-programs}"
python="${PYTHON:-python3}"
mkdir -p "$directory"

install_from_pypi() {
  local name="$1" && shift
  [ -x "$directory/$name/bin/python" ] || "$python" -m venv "$directory/$name"
  "$directory/$name/bin/python" -m pip install --quiet --disable-pip-version-check "$@"
}

[ $# -gt 0 ] || set -- jax triton numba ray node-24
for name in "$@"; do
  case "$name" in
    jax) install_from_pypi jax 'jax>=0.6' ;;
    triton) install_from_pypi triton 'triton>=3.3' ;;
    numba) install_from_pypi numba 'numba>=0.61' ;;
    ray) install_from_pypi ray 'ray>=2.40' 'jax>=0.6' ;;
    torch) install_from_pypi torch 'torch>=2.6' numpy ;;
    node-24) npm install --no-audit --no-fund --silent --prefix "$directory/node-24" node@24 ;;
    *) echo "install-programs.sh: no program '$name'" >&2 && exit 64 ;;
  esac
done
