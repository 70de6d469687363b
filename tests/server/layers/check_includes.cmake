# Who may know whom, checked on every #include of server/ and client/: system headers lie in one place, so the linker alone
# would not notice a folder that reaches past its neighbours.
#
#   cmake -DROOT=<repository> -P check_includes.cmake
cmake_minimum_required(VERSION 3.22)

# A header without a folder is the language's or the system's and free to all, but for those named here.
set(libraries_without_folder "libdeflate.h")

set(protobuf "google/protobuf/" "hydrophone/v1/[a-z_]+\\.pb\\.h$")
set(libtorch "ATen/" "c10/" "torch/")

# What the files of each folder may include beside that folder's own and absl/: regular expressions on the include's path. A folder
# within another one is a layer by itself, with a line of its own; "[a-z0-9_]+\\.h$" is a folder's own headers without those below it.
set(headers "[a-z0-9_]+\\.h$")
set(allowed_base "arpa/" "netinet/" "nlohmann/" "openssl/" "libdeflate\\.h")
set(allowed_core "server/base/" "re2/")
set(allowed_container "server/base/" "server/core/")
set(allowed_checkpoint "server/base/" "server/core/" "nlohmann/" "sys/")
set(allowed_tokenizer "server/base/" "server/core/" "nlohmann/")
set(allowed_model/libtorch "server/base/" "server/core/" ${libtorch})
set(allowed_model/batch "server/base/" "server/core/" "server/model/libtorch/" ${libtorch})
set(allowed_model/kernels "server/core/" "server/model/batch/" ${libtorch})
set(allowed_model/kernels/cpu ${allowed_model/kernels} "server/model/kernels/${headers}" "server/model/libtorch/")
set(allowed_model/kernels/torch ${allowed_model/kernels/cpu})
set(allowed_model/taps "server/core/" "server/model/batch/" "server/model/libtorch/" ${libtorch})
set(allowed_model/device "server/core/" "server/model/taps/" "server/model/libtorch/" ${libtorch})
set(allowed_model/gpt2 "server/base/" "server/core/" "server/checkpoint/" "server/model/batch/" "server/model/kernels/${headers}" "server/model/taps/"
  "server/model/libtorch/" ${libtorch})
set(allowed_model/engine "server/base/" "server/core/" "server/container/" "server/checkpoint/" "server/model/" ${libtorch})
set(allowed_sched "server/base/" "server/core/")
set(allowed_access "server/base/" "server/core/" "server/sched/clock\\.h" "openssl/" "sys/")
set(allowed_verify "server/base/" "server/core/")
set(allowed_verify/call "server/base/" "server/core/" "server/verify/${headers}" "server/plan/inputs/" "server/answer/" "google/protobuf/" ${protobuf})
set(allowed_wire "server/base/" "server/core/" ${protobuf})
set(allowed_plan/inputs "server/base/" "server/core/" ${protobuf})
set(allowed_plan/select ${allowed_plan/inputs} "server/plan/inputs/")
set(allowed_plan/edits ${allowed_plan/inputs} "server/plan/inputs/" "server/plan/select/")
set(allowed_plan/captures ${allowed_plan/inputs} "server/plan/inputs/" "server/plan/select/")
set(allowed_plan ${allowed_plan/inputs} "server/plan/")
# Of planning, answering knows what comes out of it.
set(allowed_answer "server/base/" "server/core/" "server/plan/inputs/extract_call\\.h"
  "server/plan/parameters_call\\.h" ${protobuf})
set(allowed_obs "server/base/" "server/core/" "nlohmann/" "prometheus/" "spdlog/")
set(allowed_net "server/base/" "server/sched/clock\\.h" "grpcpp/" "arpa/" "linux/" "netinet/" "sys/")
set(allowed_rpc "server/base/" "server/core/" "server/sched/" "server/access/" "server/net/" "server/wire/" "server/plan/${headers}" "server/plan/inputs/" "server/answer/"
  "server/verify/call/" "grpc/" "grpcpp/" "google/rpc/" ${protobuf} "hydrophone/v1/")
set(layers base core container checkpoint tokenizer model/libtorch model/batch model/kernels model/kernels/cpu model/kernels/torch model/taps
  model/device model/gpt2 model/engine sched access verify verify/call wire plan plan/inputs plan/select plan/edits plan/captures answer obs net rpc)

# A file that may include less than its folder: the reference must not share the mistakes of the fast path.
set(fewer_server/model/gpt2/reference "server/core/" "server/checkpoint/" "server/model/gpt2/reference(_activation)?\\.h")
set(fewer_server/model/gpt2/reference_activation "server/core/" "server/model/gpt2/reference_activation\\.h")

# The program sees everything; the client sees nothing of the server but base and the API.
set(allowed_client "client/cpp/" "server/base/" "CLI/" "google/protobuf/" "google/rpc/" "grpc/" "grpcpp/" "hydrophone/v1/" "nlohmann/" "sys/")

set(problems "")
set(checked 0)

# Every include of `files` must match one of `allowed`, or be of the language, the system, or Abseil.
function(check_files files allowed)
  foreach(file ${files})
    file(RELATIVE_PATH shown "${ROOT}" "${file}")
    string(REGEX REPLACE "\\.[a-z]+$" "" stem "${shown}")
    set(patterns "absl/" ${allowed})
    if(DEFINED fewer_${stem})
      set(patterns "absl/" ${fewer_${stem}})
    endif()
    file(STRINGS "${file}" lines REGEX "^[ \t]*#[ \t]*include[ \t]*[<\"]")
    foreach(line ${lines})
      string(REGEX REPLACE "^[^<\"]*[<\"]([^>\"]+)[>\"].*$" "\\1" include "${line}")
      math(EXPR checked "${checked} + 1")
      if(NOT include MATCHES "/" AND NOT include IN_LIST libraries_without_folder)
        continue()
      endif()
      set(known FALSE)
      foreach(pattern ${patterns})
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

file(GLOB_RECURSE files RELATIVE "${ROOT}/server" "${ROOT}/server/*.h" "${ROOT}/server/*.cc")
set(folders "")
foreach(file ${files})
  get_filename_component(folder "${file}" DIRECTORY)
  list(APPEND folders "${folder}")
endforeach()
list(REMOVE_DUPLICATES folders)
foreach(folder ${folders})
  if(folder STREQUAL "")  # the program's own files see everything
    continue()
  endif()
  if(NOT folder IN_LIST layers)
    list(APPEND problems "server/${folder} is a layer that this test does not know")
    continue()
  endif()
  file(GLOB files "${ROOT}/server/${folder}/*.h" "${ROOT}/server/${folder}/*.cc")
  check_files("${files}" "server/${folder}/${headers};${allowed_${folder}}")
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
