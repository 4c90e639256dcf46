# What the scripts share. Sourced from the repository root, under `set -euo pipefail`.

# say TEXT...: one line of progress.
say() { printf '==> %s\n' "$*"; }

# fail WHAT [WHAT-TO-DO]: says plainly what failed and what to do, and ends the script.
fail() {
  printf 'error: %s\n' "$1" >&2
  if [ $# -gt 1 ]; then printf '       %s\n' "$2" >&2; fi
  exit 1
}

# quietly NAME COMMAND...: runs a command with its output in .cache/log/NAME.log; shows the end of it if the command fails.
quietly() {
  local log=.cache/log/$1.log
  shift
  mkdir -p .cache/log
  if ! "$@" >"$log" 2>&1; then
    tail -n 30 "$log" >&2
    printf 'error: `%s` failed; its whole output is in %s\n' "$*" "$log" >&2
    return 1
  fi
}

# The preset that is built and tested.
preset=${QUERN_PRESET:-release}
build=build/$preset

# A rustup proxy finds its toolchains through HOME, which may not be the one it was installed in.
if [ -z "${RUSTUP_HOME:-}" ] && proxy=$(command -v cargo) && [ -d "$(dirname "$proxy")/../../.rustup" ]; then
  RUSTUP_HOME=$(cd "$(dirname "$proxy")/../../.rustup" && pwd)
  export RUSTUP_HOME
fi
