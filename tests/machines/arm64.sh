# shellcheck shell=bash
# What tests/run --arm64 builds against: a tree of Debian's arm64 packages, and libtorch for arm64. Source this file after install.sh.
#
# The host stays as it is: an apt with directories of its own fetches the packages from the host's sources, and they are
# unpacked into the cache.

ARM64="$HYDROPHONE_CACHE/arm64"
ARM64_ROOT="$ARM64/root"
ARM64_BUILD=build-arm64  # CMakePresets.json's

# Folders of C++ tests that are run there: those in which numbers, bytes and characters are computed.
ARM64_TESTS=(base core checkpoint tokenizer model answer)

# has_stamp FILE TEXT...: succeeds when the file holds the text, which says what was installed beside it.
has_stamp() {
  local file="$1"
  shift
  [ "$(cat "$file" 2>/dev/null)" = "$*" ]
}

# check_arm64_host: fails where the host's sources hold no arm64 packages.
check_arm64_host() {
  local system
  system="$(sed -n 's/^ID=//p' /etc/os-release)"
  [ "$system" = debian ] || fail "--arm64 takes Debian, whose sources hold every architecture; this is $system"
  [ "$(dpkg --print-architecture)" = amd64 ] || fail "--arm64 takes an amd64 machine, whose bits it compares"
}

# arm64_apt ARGUMENT...: apt-get for arm64, in directories of its own, as if nothing were installed.
arm64_apt() {
  APT_CONFIG="$ARM64/apt/apt.conf" apt-get -q "$@"
}

# fetch_arm64_packages NAME...: downloads the packages and all that they depend on.
fetch_arm64_packages() {
  local apt="$ARM64/apt"
  mkdir -p "$apt/state/lists/partial" "$apt/cache/archives/partial"
  : >"$apt/status"
  cat >"$apt/apt.conf" <<CONF
APT::Architecture "arm64";
APT::Architectures { "arm64"; };
APT::Sandbox::User "root";
Dir::State "$apt/state";
Dir::State::status "$apt/status";
Dir::Cache "$apt/cache";
CONF
  arm64_apt update && arm64_apt install -y --download-only --no-install-recommends "$@"
}

# complete_arm64_tree ROOT: what a tree needs beyond its packages' files.
complete_arm64_tree() {
  local root="$1" link target tool cpu
  # Links are meant from the tree's root, not from the host's.
  find "$root" -type l -lname '/*' -printf '%P %l\n' | while read -r link target; do
    ln -sfrn "$root$target" "$root/$link"
  done
  # gRPC's package file expects its programs beside its libraries; those that generate code are the host's.
  mkdir -p "$root/usr/bin"
  for tool in /usr/bin/grpc_*_plugin; do ln -sf "$tool" "$root/usr/bin/"; done
  # libtorch reads which CPU it runs on, and crashes on the host's answer. qemu takes the tree's files first.
  mkdir -p "$root/proc"
  for ((cpu = 0; cpu < $(nproc --all); ++cpu)); do
    printf 'processor\t: %s\nFeatures\t: fp asimd atomics asimdhp asimddp\n' "$cpu"
    printf 'CPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x3\nCPU part\t: 0xd0c\nCPU revision\t: 1\n\n'
  done >"$root/proc/cpuinfo"
}

# make_arm64_tree NAME...: fetches the packages, and unpacks them into $ARM64_ROOT.
make_arm64_tree() {
  local new="$ARM64_ROOT.new" package
  fetch_arm64_packages "$@"
  rm -rf "$new" "$ARM64_ROOT"
  mkdir -p "$new"
  for package in "$ARM64"/apt/cache/archives/*.deb; do dpkg-deb -x "$package" "$new"; done
  complete_arm64_tree "$new"
  mv "$new" "$ARM64_ROOT"
  rm -rf "$ARM64/apt"
}

# install_arm64_tree NAME...: makes the tree, unless it is there already. Of the names, only libraries count.
install_arm64_tree() {
  local libraries
  mapfile -t libraries < <(printf '%s\n' "$@" | grep -e '-dev$')
  has_stamp "$ARM64/tree.txt" "${libraries[@]}" && return 0
  watched "apt: fetching and unpacking arm64 packages" make_arm64_tree "${libraries[@]}"
  printf '%s' "${libraries[*]}" >"$ARM64/tree.txt"
}

# install_arm64_libtorch: unpacks PyPI's wheels for arm64, without the parts for a GPU and for Python.
install_arm64_libtorch() {
  local stamp="$ARM64/libtorch.txt" minor platforms=()
  has_stamp "$stamp" "${LIBTORCH_REQUIREMENTS[@]}" && return 0
  make_venv
  rm -rf "$ARM64/libtorch"
  for minor in {17..28}; do platforms+=(--platform "manylinux_2_${minor}_aarch64"); done
  watched "pip: fetching libtorch for arm64 (half a gigabyte)" \
    pip_install --quiet --no-deps --no-compile --only-binary=:all: "${platforms[@]}" --target "$ARM64/libtorch" \
    "${LIBTORCH_REQUIREMENTS[@]}"
  rm -f "$ARM64"/libtorch/torch/lib/libtorch_{cuda,cuda_linalg,nvshmem,python}.so
  printf '%s' "${LIBTORCH_REQUIREMENTS[*]}" >"$stamp"
}

# build_arm64: cross-compiles the server and the C++ tests.
build_arm64() {
  local targets=("${ARM64_TESTS[@]/#/tests/server/}")
  cmake --preset arm64 -DHYDROPHONE_ARM64_ROOT="$ARM64_ROOT" -DCMAKE_PREFIX_PATH="$ARM64/libtorch/torch" >/dev/null &&
    cmake --build --preset arm64 --target hydrophone-server "${targets[@]/%//all}"
}

# test_arm64: runs those C++ tests under qemu.
test_arm64() {
  local folder status=0
  for folder in "${ARM64_TESTS[@]}"; do ctest_in "$ARM64_BUILD/tests/server/$folder" || status=1; done
  return "$status"
}
