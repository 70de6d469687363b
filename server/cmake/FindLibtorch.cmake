# FindLibtorch: the parts of libtorch that run on the CPU, without its own package file, which insists on a CUDA toolkit
# when libtorch was built with CUDA.
#
# Looks in CMAKE_PREFIX_PATH for an official archive ("libtorch/"), or for the "torch/" directory of a Python wheel, with
# or without CUDA. Gives the target Libtorch::Libtorch and the variables Libtorch_VERSION, Libtorch_PREFIX (the directory
# of include/ and lib/) and Libtorch_LIBRARY_DIR.
# The CUDA part, libtorch_cuda.so, is not linked.

find_path(Libtorch_INCLUDE_DIR ATen/ATen.h PATH_SUFFIXES include torch/include libtorch/include)
find_library(Libtorch_CPU_LIBRARY torch_cpu PATH_SUFFIXES lib torch/lib libtorch/lib)
find_library(Libtorch_C10_LIBRARY c10 PATH_SUFFIXES lib torch/lib libtorch/lib)

if(Libtorch_INCLUDE_DIR AND EXISTS "${Libtorch_INCLUDE_DIR}/torch/headeronly/version.h")
  set(_version_header "${Libtorch_INCLUDE_DIR}/torch/headeronly/version.h")
elseif(Libtorch_INCLUDE_DIR AND EXISTS "${Libtorch_INCLUDE_DIR}/torch/csrc/api/include/torch/version.h")
  set(_version_header "${Libtorch_INCLUDE_DIR}/torch/csrc/api/include/torch/version.h")
endif()
if(_version_header)
  set(Libtorch_VERSION "")
  foreach(part MAJOR MINOR PATCH)
    file(STRINGS "${_version_header}" _line REGEX "^#define TORCH_VERSION_${part} ")
    string(REGEX REPLACE "[^0-9]" "" _number "${_line}")
    list(APPEND Libtorch_VERSION "${_number}")
  endforeach()
  list(JOIN Libtorch_VERSION "." Libtorch_VERSION)
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Libtorch
  REQUIRED_VARS Libtorch_CPU_LIBRARY Libtorch_C10_LIBRARY Libtorch_INCLUDE_DIR
  VERSION_VAR Libtorch_VERSION
  REASON_FAILURE_MESSAGE "put the path of libtorch or of a wheel's torch/ directory into CMAKE_PREFIX_PATH")

if(Libtorch_FOUND)
  get_filename_component(Libtorch_LIBRARY_DIR "${Libtorch_CPU_LIBRARY}" DIRECTORY)
  get_filename_component(Libtorch_PREFIX "${Libtorch_LIBRARY_DIR}" DIRECTORY)
endif()
if(Libtorch_FOUND AND NOT TARGET Libtorch::Libtorch)
  add_library(Libtorch::c10 SHARED IMPORTED)
  set_target_properties(Libtorch::c10 PROPERTIES IMPORTED_LOCATION "${Libtorch_C10_LIBRARY}")
  add_library(Libtorch::Libtorch SHARED IMPORTED)
  # libtorch carries an old google/protobuf; -idirafter lets the system's headers win.
  set_target_properties(Libtorch::Libtorch PROPERTIES
    IMPORTED_LOCATION "${Libtorch_CPU_LIBRARY}"
    INTERFACE_COMPILE_OPTIONS "SHELL:-idirafter \"${Libtorch_INCLUDE_DIR}\""
    INTERFACE_LINK_LIBRARIES Libtorch::c10
    # The wheel's own dependencies (CUDA's runtime, cupti) are found by its run path, not at our link.
    INTERFACE_LINK_OPTIONS "LINKER:--allow-shlib-undefined")
endif()
mark_as_advanced(Libtorch_INCLUDE_DIR Libtorch_CPU_LIBRARY Libtorch_C10_LIBRARY)
