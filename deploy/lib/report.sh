# shellcheck shell=bash
# Makes the small Python environment that draws the lessons' report, once, and keeps it in the cache. Source this file
# after install.sh.

REPORT_VENV="$HYDROPHONE_CACHE/report"
REPORT_REQUIREMENTS=("$HYDROPHONE_ROOT/client/python[report]" matplotlib==3.11.2 numpy==2.4.6 grpcio==1.85.1)

# report_stamp: prints what the environment holds: the versions, and a digest of what the Python client is built from.
report_stamp() {
  printf '%s\n' "${REPORT_REQUIREMENTS[*]}"
  (
    cd "$HYDROPHONE_ROOT" || exit
    find client/python/src client/python/pyproject.toml client/python/hatch_build.py proto \
      -type f \( -name '*.py' -o -name '*.toml' -o -name '*.proto' \) -print0 |
      LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -d' ' -f1
  )
}

# install_report: makes the environment, unless it holds these versions and this client already.
install_report() {
  local stamp="$REPORT_VENV/hydrophone-report.txt" wanted
  wanted="$(report_stamp)"
  [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && return 0
  say "making a Python environment in $REPORT_VENV"
  rm -rf "$REPORT_VENV"
  mkdir -p "$HYDROPHONE_CACHE"
  python3 -m venv "$REPORT_VENV"
  watched "pip: installing the Python client and Matplotlib" \
    "$REPORT_VENV/bin/python" -m pip --disable-pip-version-check install --quiet "${REPORT_REQUIREMENTS[@]}" ||
    fail "the Python environment of the report could not be made; see above"
  printf '%s\n' "$wanted" >"$stamp"
}
