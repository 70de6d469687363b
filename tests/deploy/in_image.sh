# shellcheck shell=bash
# Bash runs this in the image, as the image's user: it checks the image's files, and the server from start
# to stop.
set -euo pipefail

fail() {
  printf 'in the image: %s\n' "$*" >&2
  exit 1
}

check_contents() {
  local tool
  [ "$(id -u)" = 65532 ] || fail "the user is $(id -u)"
  for tool in cc c++ gcc g++ clang ld as make cmake ninja python3 pip git; do
    ! command -v "$tool" >/dev/null || fail "there is $tool"
  done
  command -v sleep >/dev/null || fail "there is no sleep, which Kubernetes's preStop needs"
  [ ! -e /hydrophone ] || fail "the sources are in it"
  [ -z "$(find / -xdev \( -name '*.h' -o -name '*.a' -o -name 'libtorch_cuda*' \) -print -quit 2>/dev/null)" ] ||
    fail "there are things to build with"
  [ -z "$(find / -xdev -type f -writable -print -quit 2>/dev/null)" ] || fail "the user may write files of the image"
}

# next_line_with TEXT: reads the server's log up to the next line that contains TEXT and an address, and
# prints that address.
next_line_with() {
  local line
  while IFS= read -r -t 300 line <&3; do
    printf '  %s\n' "$line" >&2
    if [[ $line == *"$1"* && $line =~ (127\.0\.0\.1:[0-9]+) ]]; then
      printf '%s\n' "${BASH_REMATCH[1]}"
      return 0
    fi
  done
  fail "the server did not say \"$1\""
}

# The server takes free ports: the image shares this machine's network.
start_server() {
  exec 3< <(HYDROPHONE_LISTEN=127.0.0.1:0 HYDROPHONE_METRICS_LISTEN=127.0.0.1:0 exec hydrophone-server 2>&1)
  server=$!
  trap 'kill -KILL "$server" 2>/dev/null || true' EXIT
  metrics="$(next_line_with "metrics")"
  HYDROPHONE_SERVER="$(next_line_with "listening on")"
  export HYDROPHONE_SERVER
}

check_metrics() {
  local page
  exec 4<>"/dev/tcp/${metrics%:*}/${metrics#*:}"
  printf 'GET /metrics HTTP/1.0\r\n\r\n' >&4
  page="$(cat <&4)"
  [[ $page == *hydrophone_build_info* ]] || fail "no metrics on $metrics"
}

stop_server() {
  local status=0
  kill -TERM "$server"
  cat <&3 | sed 's/^/  /' >&2
  wait "$server" || status=$?
  [ "$status" -eq 0 ] || fail "the server ended with status $status after SIGTERM"
}

check_contents
start_server
hydrophone health --wait 120
hydrophone model
hydrophone verify
check_metrics
stop_server
# The server must work on a read-only root file system.
[ -z "$(ls -A /tmp)" ] || fail "something was left in /tmp: $(ls -A /tmp)"
