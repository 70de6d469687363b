# What every target of ours shares: the language, the warnings, the sanitizers; and the two functions that make targets.

include(GoogleTest)

add_library(hydrophone_options INTERFACE)
target_compile_features(hydrophone_options INTERFACE cxx_std_20)
target_include_directories(hydrophone_options INTERFACE "${PROJECT_SOURCE_DIR}")
target_compile_options(hydrophone_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror -fno-math-errno -ffp-contract=off)
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  target_compile_options(hydrophone_options INTERFACE -Wthread-safety)  # only clang reads the locks' annotations
endif()
if(HYDROPHONE_SANITIZER)
  target_compile_options(hydrophone_options INTERFACE -fsanitize=${HYDROPHONE_SANITIZER} -fno-omit-frame-pointer)
  target_link_options(hydrophone_options INTERFACE -fsanitize=${HYDROPHONE_SANITIZER})
  if(HYDROPHONE_SANITIZER MATCHES "thread")
    # Under g++'s macro, protobuf's map fields have members that the system's library, compiled without, does not know of.
    # libstdc++ keeps what it does under the macro.
    target_compile_options(hydrophone_options INTERFACE -U__SANITIZE_THREAD__ -D_GLIBCXX_TSAN=1)
  endif()
endif()

# What the sanitizers are told when they run a test: an allocation of an absurd size fails, as it does without them.
set(hydrophone_test_properties)
if(HYDROPHONE_SANITIZER MATCHES "thread")
  # It keeps a list of the addresses that it reported, suppressed ones too, and goes through it for each byte of a message that gRPC
  # brought from another thread: minutes for a message of megabytes, seconds without the list.
  set(hydrophone_test_properties ENVIRONMENT
    "TSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tests/thread_sanitizer.supp:suppress_equal_addresses=0:allocator_may_return_null=1")
elseif(HYDROPHONE_SANITIZER MATCHES "address")
  set(hydrophone_test_properties ENVIRONMENT "ASAN_OPTIONS=allocator_may_return_null=1")
endif()

# hydrophone_library(NAME SRCS file... [DEPS target...] [PRIVATE_DEPS target...]): a static library of ours.
function(hydrophone_library name)
  cmake_parse_arguments(ARG "" "" "SRCS;DEPS;PRIVATE_DEPS" ${ARGN})
  add_library(${name} STATIC ${ARG_SRCS})
  target_link_libraries(${name} PUBLIC hydrophone_options ${ARG_DEPS} PRIVATE ${ARG_PRIVATE_DEPS})
endfunction()

# hydrophone_test(NAME SRCS file... [DEPS target...]): a GoogleTest program, each test of which is an entry of ctest's,
# `NAME.Suite.Test`.
function(hydrophone_test name)
  cmake_parse_arguments(ARG "" "" "SRCS;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SRCS})
  target_link_libraries(${name} PRIVATE hydrophone_options ${ARG_DEPS} GTest::gmock GTest::gtest_main)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
  # ctest asks the program for its tests, not the build: the build need not be able to run what it makes.
  gtest_discover_tests(${name}
    TEST_PREFIX "${name}."
    WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}"
    DISCOVERY_MODE PRE_TEST
    DISCOVERY_TIMEOUT 120
    PROPERTIES ${hydrophone_test_properties})
endfunction()
