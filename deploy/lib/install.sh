# shellcheck shell=bash
# Functions that deploy/quickstart and tests/run share: they install missing packages, and build. Source
# this file with `set -euo pipefail`, after setting HYDROPHONE_ROOT to the repository's root.
#
# HYDROPHONE_CACHE (default: hydrophone/ in the user's cache directory) holds the packages that are
# installed from PyPI; it may be removed at any time.
# HYDROPHONE_BUILD_DIR (default: build) is the build directory: absolute, or relative to the repository's
# root.

HYDROPHONE_CACHE="${HYDROPHONE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/hydrophone}"
HYDROPHONE_BUILD_DIR="${HYDROPHONE_BUILD_DIR:-build}"
HYDROPHONE_VENV="$HYDROPHONE_CACHE/venv"

# The packages that the server and the client are built with. Debian 12 and Ubuntu 24.04 name them alike.
# shellcheck disable=SC2034  # used by scripts that source this file
BUILD_PACKAGES=(
  g++ cmake ninja-build pkg-config ccache
  python3 python3-venv python3-pip ca-certificates
  libgrpc++-dev libprotobuf-dev protobuf-compiler protobuf-compiler-grpc libabsl-dev
  prometheus-cpp-dev nlohmann-json3-dev libspdlog-dev libssl-dev libdeflate-dev libcli11-dev libre2-dev
)

# The PyTorch wheel and the two libraries of the CUDA runtime that its CPU part links to. No GPU and
# no CUDA toolkit are needed.
LIBTORCH_REQUIREMENTS=(torch==2.13.0 nvidia-cuda-runtime==13.0.96 nvidia-cuda-cupti==13.0.85)
LIBTORCH_VERSION=2.13.0

# say TEXT...: prints what is being done, with the seconds since the script's start.
say() {
  printf '[%3ds] %s\n' "$SECONDS" "$*"
}

# fail TEXT...: prints what went wrong, and ends the script with status 1.
fail() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

# watched TEXT COMMAND...: runs a long command, says every 30 seconds that it still runs, and returns its
# status.
watched() {
  local text="$1"
  shift
  say "$text"
  (
    # The watcher ends when the script does, even if the script is killed. Its sleep outlives it, and must not hold a pipe
    # open that the script's output goes to.
    while sleep 30 >/dev/null 2>&1 && kill -0 $$ 2>/dev/null; do say "$text: still at it"; done
  ) &
  local watcher=$!
  local status=0
  "$@" || status=$?
  kill "$watcher" 2>/dev/null || true
  wait "$watcher" 2>/dev/null || true
  return "$status"
}

# as_root COMMAND...: runs the command as root, with sudo where this is not root.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  else
    sudo "$@"
  fi
}

# missing_packages NAME...: prints the packages that are not installed, one a line. Needs no root.
missing_packages() {
  local installed
  installed="$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null |
    sed -n 's/^installed //p' || true)"
  printf '%s\n' "$@" | grep -vxF "$installed" || true
}

# install_packages NAME...: installs the packages that are missing, with apt.
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

# make_venv: makes the Python environment in the cache, if it is not there yet.
make_venv() {
  [ -x "$HYDROPHONE_VENV/bin/python" ] && [ -x "$HYDROPHONE_VENV/bin/pip" ] && return 0
  say "making a Python environment in $HYDROPHONE_VENV"
  rm -rf "$HYDROPHONE_VENV"
  mkdir -p "$HYDROPHONE_CACHE"
  python3 -m venv "$HYDROPHONE_VENV"
}

# pip_install ARGUMENT...: runs `pip install` in the Python environment, and shows its progress.
pip_install() {
  "$HYDROPHONE_VENV/bin/python" -m pip --disable-pip-version-check install --progress-bar on "$@"
}

# site_packages: prints the directory of the Python environment's packages.
site_packages() {
  local found=("$HYDROPHONE_VENV"/lib/python3.*/site-packages)
  printf '%s\n' "${found[0]}"
}

# torch_directory: prints the torch package's directory, which holds libtorch's headers and libraries.
torch_directory() {
  printf '%s/torch\n' "$(site_packages)"
}

# has_libtorch: succeeds when the right libtorch is in the cache, with the two libraries that it needs.
has_libtorch() {
  local packages
  packages="$(site_packages)"
  [ -d "$packages/torch-$LIBTORCH_VERSION.dist-info" ] &&
    [ -f "$packages/torch/lib/libtorch_cpu.so" ] &&
    compgen -G "$packages/nvidia/*/lib/libcudart.so.13" >/dev/null &&
    compgen -G "$packages/nvidia/*/lib/libcupti.so.13" >/dev/null
}

# install_libtorch: installs libtorch from PyPI's torch wheel, without the packages that only Python's
# torch needs.
install_libtorch() {
  make_venv
  has_libtorch && return 0
  watched "pip: installing libtorch $LIBTORCH_VERSION (half a gigabyte to download)" \
    pip_install --no-deps "${LIBTORCH_REQUIREMENTS[@]}"
  has_libtorch || fail "pip went well, but libtorch $LIBTORCH_VERSION is not in $(torch_directory)"
}

# build_directory: prints the build directory's absolute path.
build_directory() {
  case "$HYDROPHONE_BUILD_DIR" in
    /*) printf '%s\n' "$HYDROPHONE_BUILD_DIR" ;;
    *) printf '%s\n' "$HYDROPHONE_ROOT/$HYDROPHONE_BUILD_DIR" ;;
  esac
}

# is_configured: succeeds when the build directory has been configured before.
is_configured() {
  [ -f "$(build_directory)/build.ninja" ]
}

# configure_build CMAKE_ARGUMENT...: configures a Release build with Ninja. CMake keeps the cached value of
# every setting that is not among the arguments.
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

# build_targets TARGET...: builds the targets in the configured build directory.
build_targets() {
  say "ninja: building $*"
  cmake --build "$(build_directory)" --target "$@"
}

# loaded_libraries FILE...: prints the paths of the shared libraries that programs and libraries load, one a line. Fails
# when one is not found.
loaded_libraries() {
  local file
  for file in "$@"; do ldd "$file"; done | awk '
    /not found/ { print "missing: " $1 > "/dev/stderr"; exit 1 }
    $2 == "=>" { print $3 }' | sort -u
}
