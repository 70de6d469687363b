#include "server/base/crc32.h"

#include <libdeflate.h>

namespace hydrophone {

uint32_t ExtendCrc32(uint32_t crc, const void* data, size_t size) { return libdeflate_crc32(crc, data, size); }

}  // namespace hydrophone
