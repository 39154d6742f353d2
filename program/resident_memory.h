#pragma once

namespace anybit {

/// Bytes of this process that lie in memory now, pages of its code and libraries among them. What was freed is given
/// back to the system first. 0 where the system does not say (/proc/self/smaps_rollup).
double resident_bytes();

/// The same to a megabyte or so, at once and without giving anything back. 0 where the system does not say.
double resident_bytes_now();

/// From now on buffers of several megabytes go back to the system as soon as they are freed, whatever lies beside them:
/// for a process that holds few of them at a time and others now and then.
void return_large_buffers();

/// Bytes of memory that this machine has.
double physical_bytes();

}  // namespace anybit
