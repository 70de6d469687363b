# CMake's toolchain file for arm64: cross-compiles against HYDROPHONE_ARM64_ROOT, a tree of Debian's arm64 packages, and runs what it
# makes under qemu. tests/run --arm64 makes the tree (arm64.sh).
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES HYDROPHONE_ARM64_ROOT)

set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_SYSROOT "${HYDROPHONE_ARM64_ROOT}")
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64-static -L "${HYDROPHONE_ARM64_ROOT}")

# Libraries come from the tree, or from where CMAKE_PREFIX_PATH says; programs (protoc, ccache) are the host's.
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY BOTH)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE BOTH)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(ENV{PKG_CONFIG_SYSROOT_DIR} "${HYDROPHONE_ARM64_ROOT}")
set(ENV{PKG_CONFIG_LIBDIR} "${HYDROPHONE_ARM64_ROOT}/usr/lib/aarch64-linux-gnu/pkgconfig:${HYDROPHONE_ARM64_ROOT}/usr/share/pkgconfig")
