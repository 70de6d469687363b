# Who may know whom, checked on every #include of server/ and client/: system headers lie in one place, so the linker alone
# would not notice a layer that reaches past its neighbours.
#
#   cmake -DROOT=<repository> -P check_includes.cmake
cmake_minimum_required(VERSION 3.22)

# A header without a folder is the language's or the system's and free to all, but for those named here.
set(libraries_without_folder "libdeflate.h")

# What each layer may include beside its own folder and absl/: regular expressions on the include's path.
set(allowed_core "nlohmann/" "openssl/")
set(allowed_checkpoint "server/core/" "nlohmann/" "sys/")
set(allowed_tokenizer "server/core/" "nlohmann/")
set(allowed_model "server/core/" "server/checkpoint/" "ATen/" "c10/" "torch/")
set(allowed_sched "server/core/")
set(allowed_verify "server/core/")
set(allowed_wire "server/core/" "server/verify/" "google/protobuf/" "hydrophone/v1/[a-z_]+\\.pb\\.h" "libdeflate\\.h")
set(allowed_obs "server/core/" "prometheus/" "spdlog/")
set(allowed_rpc "server/core/" "server/sched/" "server/wire/" "grpc/" "grpcpp/" "google/rpc/" "google/protobuf/" "hydrophone/v1/")
set(layers core checkpoint tokenizer model sched verify wire obs rpc)

# The program sees everything; the client sees nothing of the server but its API.
set(allowed_client "client/cpp/" "CLI/" "google/protobuf/" "google/rpc/" "grpc/" "grpcpp/" "hydrophone/v1/" "nlohmann/" "sys/" "libdeflate\\.h")

set(problems "")
set(checked 0)

# Every include of `files` must match one of `allowed`, or be of the language, the system, or Abseil.
function(check_files files allowed)
  foreach(file ${files})
    file(RELATIVE_PATH shown "${ROOT}" "${file}")
    file(STRINGS "${file}" lines REGEX "^[ \t]*#[ \t]*include[ \t]*[<\"]")
    foreach(line ${lines})
      string(REGEX REPLACE "^[^<\"]*[<\"]([^>\"]+)[>\"].*$" "\\1" include "${line}")
      math(EXPR checked "${checked} + 1")
      if(NOT include MATCHES "/" AND NOT include IN_LIST libraries_without_folder)
        continue()
      endif()
      set(known FALSE)
      foreach(pattern "absl/" ${allowed})
        if(include MATCHES "^${pattern}")
          set(known TRUE)
        endif()
      endforeach()
      if(NOT known)
        list(APPEND problems "${shown} includes ${include}")
      endif()
    endforeach()
  endforeach()
  set(problems "${problems}" PARENT_SCOPE)
  set(checked "${checked}" PARENT_SCOPE)
endfunction()

file(GLOB folders LIST_DIRECTORIES true "${ROOT}/server/*")
foreach(folder ${folders})
  file(GLOB_RECURSE files "${folder}/*.h" "${folder}/*.cc")
  get_filename_component(layer "${folder}" NAME)
  if(IS_DIRECTORY "${folder}" AND files AND NOT layer IN_LIST layers)
    list(APPEND problems "server/${layer} is a layer that this test does not know")
  elseif(layer IN_LIST layers)
    check_files("${files}" "server/${layer}/;${allowed_${layer}}")
  endif()
endforeach()
file(GLOB_RECURSE files "${ROOT}/client/cpp/*.h" "${ROOT}/client/cpp/*.cc")
check_files("${files}" "${allowed_client}")

if(checked LESS 100)
  list(APPEND problems "only ${checked} includes found under ${ROOT}: is it the repository?")
endif()
if(problems)
  list(JOIN problems "\n  " text)
  message(FATAL_ERROR "includes that the layers do not allow:\n  ${text}")
endif()
message(STATUS "${checked} includes keep to the layers")
