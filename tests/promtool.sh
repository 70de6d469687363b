# shellcheck shell=bash
# Takes promtool out of the distribution's package prometheus, without installing the package, which would start a
# Prometheus. Source this file after deploy/lib/install.sh.

# install_promtool: unpacks the package into the cache, unless that has been done. Fails where apt has none.
install_promtool() {
  local directory="$HYDROPHONE_CACHE/promtool"
  [ -x "$directory/usr/bin/promtool" ] && return 0
  rm -rf "$directory"
  mkdir -p "$directory"
  if ! apt-cache show prometheus >/dev/null 2>&1; then
    watched "apt: reading the package lists" as_root apt-get update -q || return 1
  fi
  say "apt: unpacking promtool"
  (
    cd "$directory" &&
      apt-get download -q prometheus &&
      dpkg-deb -x prometheus_*.deb . &&
      rm prometheus_*.deb
  ) || return 1
}
