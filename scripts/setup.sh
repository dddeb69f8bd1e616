# shellcheck shell=bash
# What the scripts share: find the project, check the tools, install what is missing, build. Sourced, never run.
# Progress goes to standard error; standard output belongs to the script that sources this.

set -euo pipefail

DYNAMOS_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
DYNAMOS_NODE_MINIMUM=20.19

say() { printf '%s\n' "$*" >&2; }
fail() {
  say "$*"
  exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }

# Waits for a slow command, showing its output only when it fails.
quietly() {
  local title=$1 log status=0
  shift
  log=$(mktemp)
  say "- $title"
  "$@" >"$log" 2>&1 || status=$?
  if ((status != 0)); then
    cat "$log" >&2
    say "$title: failed (exit $status)"
  fi
  rm -f "$log"
  return "$status"
}

require_tools() {
  local tool version
  for tool in git node npm; do
    have "$tool" || fail "$tool is missing: install Node.js $DYNAMOS_NODE_MINIMUM or later (with npm) and git, then run this again."
  done
  version=$(node --version)
  version=${version#v}
  if ! printf '%s\n%s\n' "$DYNAMOS_NODE_MINIMUM" "$version" | sort --check=quiet --version-sort; then
    fail "Node.js $DYNAMOS_NODE_MINIMUM or later is needed, found $version at $(command -v node)."
  fi
}

# apt packages whose command or file is missing: NAME=TEST pairs, where TEST is a command, or a path when it has a slash.
missing_packages() {
  local pair name test
  for pair in "$@"; do
    name=${pair%%=*}
    test=${pair#*=}
    if [[ $test == */* ]]; then [[ -e $test ]] || printf '%s\n' "$name"; else have "$test" || printf '%s\n' "$name"; fi
  done
}

# Installs packages where that is allowed. Returns 1, with the one command to type, where it is not.
apt_install() {
  (($# == 0)) && return 0
  if ! have apt-get; then
    say "Missing: $*. Install them with this system's package manager."
    return 1
  fi
  if ((EUID != 0)); then
    say "Missing: $*. Type this once:"
    say "  sudo apt-get install --yes $*"
    return 1
  fi
  quietly "installing $*" apt_get_install "$@" || return 1
}

apt_get_install() {
  export DEBIAN_FRONTEND=noninteractive
  apt-get install --yes --no-install-recommends "$@" || { apt-get update && apt-get install --yes --no-install-recommends "$@"; }
}

# Whether the native part of sqlite3 loads with the node at hand.
sqlite3_loads() {
  (cd "$DYNAMOS_ROOT" && node -e "require('sqlite3')") >/dev/null 2>&1
}

install_modules() {
  local stamp=$DYNAMOS_ROOT/node_modules/.package-lock.json
  if [[ ! -e $stamp || $DYNAMOS_ROOT/package-lock.json -nt $stamp ]]; then
    (cd "$DYNAMOS_ROOT" && quietly 'npm ci' npm ci)
  fi
  if ! sqlite3_loads; then
    local -a packages
    mapfile -t packages < <(missing_packages g++=g++ make=make python3=python3 libsqlite3-dev=/usr/include/sqlite3.h)
    apt_install ${packages[@]+"${packages[@]}"} || fail 'sqlite3 has to be compiled once, which needs the packages above.'
  fi
}

build() {
  (cd "$DYNAMOS_ROOT" && quietly 'npm run build' npm run build)
  sqlite3_loads || fail 'sqlite3 was built but does not load; run "npm run build" and read what it says.'
}

# Whether a sandbox can really be made here: the command may be present and user namespaces forbidden.
sandbox_works() {
  have bwrap && bwrap --unshare-all --die-with-parent --ro-bind / / true >/dev/null 2>&1
}

install_sandbox() {
  local -a packages
  mapfile -t packages < <(missing_packages bubblewrap=bwrap)
  apt_install ${packages[@]+"${packages[@]}"} || return 1
  sandbox_works || {
    say 'bubblewrap is installed but cannot make a namespace here (kernel.unprivileged_userns_clone, or a container without them).'
    return 1
  }
}

# What the second checker of audit exports needs, which is written in Python.
install_checker() {
  local -a packages
  mapfile -t packages < <(missing_packages python3=/usr/bin/python3 python3-cbor2=/usr/lib/python3/dist-packages/cbor2 \
    python3-cryptography=/usr/lib/python3/dist-packages/cryptography)
  apt_install ${packages[@]+"${packages[@]}"}
}

# A PostgreSQL server: tests start one of their own.
install_postgres() {
  local -a packages
  mapfile -t packages < <(missing_packages postgresql=/usr/lib/postgresql)
  apt_install ${packages[@]+"${packages[@]}"}
}
