#pragma once

namespace anybit {

/// Bytes of this process that lie in memory now, pages of its code and libraries among them. What was freed is given
/// back to the system first. 0 where the system does not say (/proc/self/smaps_rollup).
double resident_bytes();

/// Bytes of memory that this machine has.
double physical_bytes();

}  // namespace anybit
