# shellcheck shell=bash
# What deploy/quickstart and tests/run share: installing what is missing, and building. To be
# sourced, with `set -euo pipefail` and HYDROPHONE_ROOT, the repository's root, set.
#
# HYDROPHONE_CACHE (default: hydrophone/ in the user's cache directory) holds what is installed from
# PyPI; it may be removed at any time.
# HYDROPHONE_BUILD_DIR (default: build) is the build directory, from the repository's root or absolute.

HYDROPHONE_CACHE="${HYDROPHONE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/hydrophone}"
HYDROPHONE_BUILD_DIR="${HYDROPHONE_BUILD_DIR:-build}"
HYDROPHONE_VENV="$HYDROPHONE_CACHE/venv"

# What the two programs are built with. The names are the same on Debian 12 and Ubuntu 24.04.
# shellcheck disable=SC2034  # used by those who source this
BUILD_PACKAGES=(
  g++ cmake ninja-build pkg-config ccache
  python3 python3-venv python3-pip ca-certificates
  libgrpc++-dev libprotobuf-dev protobuf-compiler protobuf-compiler-grpc libabsl-dev
  prometheus-cpp-dev nlohmann-json3-dev libspdlog-dev libssl-dev libdeflate-dev libcli11-dev
)

# The PyTorch wheel and the two libraries of the CUDA runtime that its CPU part links to. No GPU and
# no CUDA toolkit are needed.
LIBTORCH_REQUIREMENTS=(torch==2.13.0 nvidia-cuda-runtime==13.0.96 nvidia-cuda-cupti==13.0.85)
LIBTORCH_VERSION=2.13.0

# say TEXT...: what is being done, with the seconds since the start.
say() {
  printf '[%3ds] %s\n' "$SECONDS" "$*"
}

# fail TEXT...: what went wrong; ends the script.
fail() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

# watched TEXT COMMAND...: runs a long command, and says now and then that it still runs.
watched() {
  local text="$1"
  shift
  say "$text"
  (
    # Not longer than the script itself, however that ends.
    while sleep 30 && kill -0 $$ 2>/dev/null; do say "$text: still at it"; done
  ) &
  local watcher=$!
  local status=0
  "$@" || status=$?
  kill "$watcher" 2>/dev/null || true
  wait "$watcher" 2>/dev/null || true
  return "$status"
}

# as_root COMMAND...: runs it as root, by sudo if need be.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  else
    sudo "$@"
  fi
}

# missing_packages NAME...: those that are not installed, one a line. Needs no root.
missing_packages() {
  local installed
  installed="$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null |
    sed -n 's/^installed //p' || true)"
  printf '%s\n' "$@" | grep -vxF "$installed" || true
}

# install_packages NAME...: installs those that are missing, with apt.
install_packages() {
  command -v dpkg-query >/dev/null || fail "no dpkg here: this takes Debian 12 or Ubuntu 24.04"
  local missing
  mapfile -t missing < <(missing_packages "$@")
  [ "${#missing[@]}" -eq 0 ] && return 0
  if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
    fail "run this as root, or install these packages: ${missing[*]}"
  fi
  watched "apt: reading the package lists" as_root apt-get update -q
  watched "apt: installing ${missing[*]}" \
    as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -q --no-install-recommends "${missing[@]}"
}

# make_venv: the Python environment in the cache, if it is not there yet.
make_venv() {
  [ -x "$HYDROPHONE_VENV/bin/python" ] && [ -x "$HYDROPHONE_VENV/bin/pip" ] && return 0
  say "making a Python environment in $HYDROPHONE_VENV"
  rm -rf "$HYDROPHONE_VENV"
  mkdir -p "$HYDROPHONE_CACHE"
  python3 -m venv "$HYDROPHONE_VENV"
}

# pip_install ARGUMENT...: pip in that environment, with its progress shown.
pip_install() {
  "$HYDROPHONE_VENV/bin/python" -m pip --disable-pip-version-check install --progress-bar on "$@"
}

# site_packages: where that environment keeps its packages.
site_packages() {
  local found=("$HYDROPHONE_VENV"/lib/python3.*/site-packages)
  printf '%s\n' "${found[0]}"
}

# torch_directory: the torch package, which holds libtorch's headers and libraries.
torch_directory() {
  printf '%s/torch\n' "$(site_packages)"
}

# has_libtorch: whether the right libtorch is in the cache, with the two libraries that it needs.
has_libtorch() {
  local packages
  packages="$(site_packages)"
  [ -d "$packages/torch-$LIBTORCH_VERSION.dist-info" ] &&
    [ -f "$packages/torch/lib/libtorch_cpu.so" ] &&
    compgen -G "$packages/nvidia/*/lib/libcudart.so.13" >/dev/null &&
    compgen -G "$packages/nvidia/*/lib/libcupti.so.13" >/dev/null
}

# install_libtorch: libtorch from PyPI's torch wheel, without the rest of what Python would need.
install_libtorch() {
  make_venv
  has_libtorch && return 0
  watched "pip: installing libtorch $LIBTORCH_VERSION (half a gigabyte to download)" \
    pip_install --no-deps "${LIBTORCH_REQUIREMENTS[@]}"
  has_libtorch || fail "pip went well, but libtorch $LIBTORCH_VERSION is not in $(torch_directory)"
}

# build_directory: its absolute path.
build_directory() {
  case "$HYDROPHONE_BUILD_DIR" in
    /*) printf '%s\n' "$HYDROPHONE_BUILD_DIR" ;;
    *) printf '%s\n' "$HYDROPHONE_ROOT/$HYDROPHONE_BUILD_DIR" ;;
  esac
}

# is_configured: whether the build directory has been configured before.
is_configured() {
  [ -f "$(build_directory)/build.ninja" ]
}

# configure_build CMAKE_ARGUMENT...: a Release with Ninja. What is not given stays as it was.
configure_build() {
  local build
  build="$(build_directory)"
  say "cmake: configuring $build"
  mkdir -p "$build"
  if ! cmake -S "$HYDROPHONE_ROOT" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release \
    -DCMAKE_PREFIX_PATH="$(torch_directory)" "$@" >"$build/configure.log" 2>&1; then
    cat "$build/configure.log" >&2
    fail "cmake could not configure; see above"
  fi
}

# build_targets TARGET...: builds them in the configured build directory.
build_targets() {
  say "ninja: building $*"
  cmake --build "$(build_directory)" --target "$@"
}
