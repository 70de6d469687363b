// For layers_test: a scheduler must not know gRPC.
#include <grpcpp/grpcpp.h>

#include "server/core/plan.h"
