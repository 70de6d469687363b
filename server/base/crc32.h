// The checksum of chunks on the wire.
#ifndef HYDROPHONE_SERVER_BASE_CRC32_H_
#define HYDROPHONE_SERVER_BASE_CRC32_H_

#include <cstddef>
#include <cstdint>

namespace hydrophone {

// CRC-32 as zlib computes it, of bytes that come in pieces: `crc` is the checksum of the pieces before, 0 for the
// first.
uint32_t ExtendCrc32(uint32_t crc, const void* data, size_t size);

}  // namespace hydrophone

#endif  // HYDROPHONE_SERVER_BASE_CRC32_H_
