#pragma once

namespace anybit {

/// Has threads that wait for others sleep instead of spin, for a program that shares its processor with those it talks
/// to: on two cores beside its clients, a server's spinning threads took a seventh of both. Begins this program anew,
/// for OpenMP reads OMP_WAIT_POLICY before main() alone; comes back where the variable is set already, be it by this or
/// by the user, or where that cannot be done. To be called first in main().
void let_waiting_threads_sleep(char** arguments);

}  // namespace anybit
