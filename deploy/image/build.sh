#!/usr/bin/env bash
# One step of building the container image, called by the Dockerfile: deploy/image/build.sh STEP.
#
#   tools     installs the packages that the programs are built with
#   libtorch  installs libtorch
#   programs  builds the programs
#   collect   puts the image's files into /image: usr/local as the image will have it, and
#             run-time-packages, the names of the distribution's packages that the programs need
set -euo pipefail

HYDROPHONE_ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
# shellcheck source-path=SCRIPTDIR
# shellcheck source=../lib/install.sh
. "$HYDROPHONE_ROOT/deploy/lib/install.sh"

IMAGE=/image

# owner_of FILE: prints the package that a library of the system belongs to. dpkg knows only one of the
# library's two paths, since /lib is a link to /usr/lib.
owner_of() {
  local owner
  owner="$(dpkg-query -S "$1" 2>/dev/null || dpkg-query -S "/usr$1" 2>/dev/null || dpkg-query -S "${1#/usr}")"
  printf '%s\n' "${owner%%:*}"
}

# system_libraries: prints the paths of the system's libraries that the programs and the installed
# libraries load, one a line. Fails when a library is not found.
system_libraries() {
  loaded_libraries "$IMAGE"/usr/local/bin/* "$IMAGE"/usr/local/lib/hydrophone/* | grep -v "^$IMAGE/"
}

# run_time_packages: prints the packages that hold the system's libraries, one a line.
run_time_packages() {
  local library libraries
  libraries="$(system_libraries)"
  for library in $libraries; do owner_of "$library"; done | sort -u
}

# licences: copies the licences of libtorch and of the packages that came with it beside Hydrophone's.
licences() {
  local directory package documents="$IMAGE/usr/local/share/doc/hydrophone"
  for directory in "$(site_packages)"/{torch,nvidia_*}-*.dist-info/licenses; do
    package="$(basename "$(dirname "$directory")" .dist-info)"
    mkdir -p "$documents/$package"
    cp -R "$directory/." "$documents/$package/"
  done
}

step="${1:-}"
case "$step" in
  tools) install_packages "${BUILD_PACKAGES[@]}" ;;
  libtorch) install_libtorch ;;
  programs)
    configure_build -DHYDROPHONE_BUILD_TESTS=OFF
    build_targets hydrophone-server hydrophone
    ;;
  collect)
    DESTDIR="$IMAGE" cmake --install "$HYDROPHONE_ROOT/$HYDROPHONE_BUILD_DIR" --prefix /usr/local --strip
    licences
    run_time_packages >"$IMAGE/run-time-packages"
    say "packages at run time: $(tr '\n' ' ' <"$IMAGE/run-time-packages")"
    ;;
  *) fail "there is no step \"$step\"" ;;
esac
