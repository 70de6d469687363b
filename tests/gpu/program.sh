#!/bin/sh
# Starts the program of this name with the libraries of the kit, and with libtorch where tests/gpu/run found it. Python's own
# processes must not see the kit's libraries: they have theirs.
kit="$(cd "$(dirname "$0")/.." && pwd)"
LD_LIBRARY_PATH="$kit/lib:$HYDROPHONE_TEST_LIBTORCH" exec "$kit/programs/$(basename "$0")" "$@"
