# hydrophone_protos(NAME PROTOS file... [GRPC] [DEPS target...]): C++ from .proto files, as an object library, so that the
# descriptors of protos that nobody calls by name (health, for reflection) are linked all the same.
function(hydrophone_protos name)
  cmake_parse_arguments(ARG "GRPC" "" "PROTOS;DEPS" ${ARGN})
  set(generated)
  foreach(proto ${ARG_PROTOS})
    string(REGEX REPLACE "\\.proto$" "" stem "${proto}")
    set(outputs "${CMAKE_BINARY_DIR}/gen/${stem}.pb.cc" "${CMAKE_BINARY_DIR}/gen/${stem}.pb.h")
    set(arguments --cpp_out=${CMAKE_BINARY_DIR}/gen)
    if(ARG_GRPC)
      list(APPEND outputs "${CMAKE_BINARY_DIR}/gen/${stem}.grpc.pb.cc" "${CMAKE_BINARY_DIR}/gen/${stem}.grpc.pb.h")
      list(APPEND arguments --grpc_out=${CMAKE_BINARY_DIR}/gen
           --plugin=protoc-gen-grpc=$<TARGET_FILE:gRPC::grpc_cpp_plugin>)
    endif()
    add_custom_command(
      OUTPUT ${outputs}
      COMMAND "${CMAKE_COMMAND}" -E make_directory "${CMAKE_BINARY_DIR}/gen"
      COMMAND protobuf::protoc -I "${PROJECT_SOURCE_DIR}/proto" ${arguments} ${proto}
      DEPENDS "${PROJECT_SOURCE_DIR}/proto/${proto}"
      COMMENT "protoc ${proto}" VERBATIM)
    list(APPEND generated ${outputs})
  endforeach()
  add_library(${name} OBJECT ${generated})
  target_compile_features(${name} PUBLIC cxx_std_20)
  target_include_directories(${name} SYSTEM PUBLIC "${CMAKE_BINARY_DIR}/gen")
  target_link_libraries(${name} PUBLIC protobuf::libprotobuf ${ARG_DEPS})
  if(ARG_GRPC)
    target_link_libraries(${name} PUBLIC gRPC::grpc++)
  endif()
endfunction()
