# The float64 reference alone: no libtorch, so that tests build it by itself.
hydrophone_library(hydrophone_reference SRCS "${CMAKE_CURRENT_LIST_DIR}/reference.cc"
  DEPS hydrophone_core absl::status absl::span)
