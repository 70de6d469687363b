// A file that check_includes.cmake must complain of.
#include "server/plan/select/selectors.h"
