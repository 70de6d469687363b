#!/usr/bin/env bash
# Builds the container image from the Dockerfile and runs the server in it. Needs root, but neither a
# container daemon nor a registry: buildah builds, and the base image is made here by debootstrap.
#
# HYDROPHONE_CACHE/image keeps the base image, pip's cache and the compiler's cache for the next run.
set -euo pipefail

HYDROPHONE_ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
# shellcheck source-path=SCRIPTDIR
# shellcheck source=../../deploy/lib/install.sh
. "$HYDROPHONE_ROOT/deploy/lib/install.sh"

TEST_PACKAGES=(buildah debootstrap debian-archive-keyring python3)
SUITE=bookworm
BASE=docker.io/library/debian:bookworm-slim # the image that the Dockerfile's FROM names
IMAGE=localhost/hydrophone:image-test
CACHE="$HYDROPHONE_CACHE/image"

work=
container=

# buildah gets a storage of its own: this machine's containers and images stay as they are.
buildah() {
  command buildah --root "$CACHE/storage" --runroot "$CACHE/run" --storage-driver vfs "$@"
}

clean_up() {
  local status=$?
  trap - EXIT
  # Removes all containers of the storage, also those that an earlier, killed run left behind.
  buildah rm --all >/dev/null 2>&1 || true
  buildah rmi "$IMAGE" >/dev/null 2>&1 || true
  rm -rf "$work"
  exit "$status"
}

# smallest_system: installs Debian's smallest system into $work/base.
smallest_system() {
  debootstrap --variant=minbase "$SUITE" "$work/base" >"$work/debootstrap.log" ||
    fail "debootstrap failed: $(tail -n 3 "$work/debootstrap.log")"
}

# make_base: makes the smallest system an image under the name that the Dockerfile asks for.
make_base() {
  [ -n "$(buildah images -q "$BASE" 2>/dev/null)" ] && return 0
  watched "debootstrap: making $BASE" smallest_system
  # Debian's own image of that name has updates and security fixes too.
  local sources="$work/base/etc/apt/sources.list"
  sed -i -E "s|^(deb )([^ ]+) $SUITE (.*)|&\n\1\2 $SUITE-updates \3\n\1\2-security $SUITE-security \3|" "$sources"
  rm -rf "$work"/base/var/lib/apt/lists/* "$work"/base/var/cache/apt/*
  container="$(buildah from scratch)"
  buildah add -q "$container" "$work/base" / >/dev/null
  buildah config --cmd bash "$container"
  buildah commit -q "$container" "$BASE" >/dev/null
  buildah rm "$container" >/dev/null
  container=
}

# pip_settings: makes a directory that becomes ~/.config/pip in the build: with the certificates that this
# machine trusts, and its package index if it names one.
pip_settings() {
  mkdir -p "$work/pip"
  cp -L "${PIP_CERT:-/etc/ssl/certs/ca-certificates.crt}" "$work/pip/certificates.crt"
  {
    printf '[global]\ncert = /root/.config/pip/certificates.crt\n'
    [ -z "${PIP_INDEX_URL:-}" ] || printf 'index-url = %s\n' "$PIP_INDEX_URL"
  } >"$work/pip/pip.conf"
}

build_image() {
  pip_settings
  mkdir -p "$CACHE/pip" "$CACHE/ccache"
  say "buildah: building the image"
  buildah build --pull-never --isolation chroot --format docker -t "$IMAGE" \
    --volume "$work/pip:/root/.config/pip:ro" \
    --volume "$CACHE/pip:/root/.cache/pip" --volume "$CACHE/ccache:/root/.cache/ccache" \
    "$HYDROPHONE_ROOT"
}

# configured FIELD: prints a part of the image's configuration, as JSON.
configured() {
  buildah inspect --type image "$IMAGE" | python3 -c '
import json, sys
print(json.dumps(json.load(sys.stdin)["Docker"]["config"][sys.argv[1]], separators=",:"))' "$1"
}

# expect WHAT GOT EXPECTED: fails, naming WHAT, when GOT is not EXPECTED.
expect() {
  [ "$2" = "$3" ] || fail "$1: got $2, expected $3"
}

check_configuration() {
  expect "the user" "$(configured User)" '"65532:65532"'
  expect "the ports" "$(configured ExposedPorts)" '{"50051/tcp":{},"9464/tcp":{}}'
  expect "the entry point" "$(configured Entrypoint)" '["hydrophone-server"]'
  expect "the stop signal" "$(configured StopSignal)" '"SIGTERM"'
  case "$(configured Env)" in
    *'"HYDROPHONE_LISTEN=0.0.0.0:50051","HYDROPHONE_METRICS_LISTEN=0.0.0.0:9464"'*) ;;
    *) fail "the environment: got $(configured Env)" ;;
  esac
}

[ "$(id -u)" -eq 0 ] || fail "building an image without a daemon takes root"
install_packages "${TEST_PACKAGES[@]}"
mkdir -p "$CACHE"
work="$(mktemp -d)"
trap clean_up EXIT
make_base
build_image
check_configuration
container="$(buildah from --pull-never "$IMAGE")"
say "running the server in the image"
buildah run --isolation chroot "$container" -- bash -s <"$HYDROPHONE_ROOT/tests/deploy/in_image.sh"
say "the image takes $(buildah images --format '{{.Size}}' "$IMAGE")"
say "image test: passed"
