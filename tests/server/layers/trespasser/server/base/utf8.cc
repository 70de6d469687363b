// A file that check_includes.cmake must complain of.
#include "server/core/errors.h"
