# shellcheck shell=bash
# Builds the Go programs that the tests use, once, from the Go module proxy, and keeps them in the cache.
# Source this file after install.sh. GO (default: go) is the Go that builds them: 1.19 (Debian 12's) or
# later.

GO_TOOLS="$HYDROPHONE_CACHE/go-bin"

GRPCURL=github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.1
KUSTOMIZE=sigs.k8s.io/kustomize/kustomize/v5@v5.0.3

# install_go_tool NAME PACKAGE@VERSION: builds $GO_TOOLS/NAME, unless this version of it is there already.
install_go_tool() {
  local name="$1" package="$2"
  # A file beside the program says which version it is: the program itself cannot tell.
  local stamp="$GO_TOOLS/$name.version"
  [ -x "$GO_TOOLS/$name" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$package" ] && return 0
  mkdir -p "$GO_TOOLS"
  # GOTOOLCHAIN=local makes go build with itself, instead of downloading another toolchain.
  watched "go: building $name ($package)" \
    env GOTOOLCHAIN=local GOFLAGS= CGO_ENABLED=0 GOBIN="$GO_TOOLS" "${GO:-go}" install "$package" ||
    fail "$name could not be built; see above"
  printf '%s' "$package" >"$stamp"
}

# install_go_tools: builds all Go programs that the tests use.
install_go_tools() {
  install_go_tool grpcurl "$GRPCURL"
  install_go_tool kustomize "$KUSTOMIZE"
}
