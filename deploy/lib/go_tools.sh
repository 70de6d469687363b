# shellcheck shell=bash
# The programs in Go that the tests use: built from the Go module proxy once, and kept in the cache. To
# be sourced after install.sh. GO (default: go) is the Go to build them with; 1.19, Debian 12's, and all
# later ones do.

GO_TOOLS="$HYDROPHONE_CACHE/go-bin"

GRPCURL=github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.1
KUSTOMIZE=sigs.k8s.io/kustomize/kustomize/v5@v5.0.3

# install_go_tool NAME PACKAGE@VERSION: $GO_TOOLS/NAME, unless this version of it is there.
install_go_tool() {
  local name="$1" package="$2"
  # A stamp says which version is there: a program that `go install` built does not know.
  local stamp="$GO_TOOLS/$name.version"
  [ -x "$GO_TOOLS/$name" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$package" ] && return 0
  mkdir -p "$GO_TOOLS"
  # The Go that is there is the Go that is used: no other toolchain is downloaded.
  watched "go: building $name ($package)" \
    env GOTOOLCHAIN=local GOFLAGS= CGO_ENABLED=0 GOBIN="$GO_TOOLS" "${GO:-go}" install "$package" ||
    fail "$name could not be built; see above"
  printf '%s' "$package" >"$stamp"
}

# install_go_tools: all of them.
install_go_tools() {
  install_go_tool grpcurl "$GRPCURL"
  install_go_tool kustomize "$KUSTOMIZE"
}
