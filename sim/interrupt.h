#pragma once

namespace anybit {

/// From now on the first Ctrl-C (SIGINT) or SIGTERM only asks the run to end; a second one ends the process as usual.
void catch_interrupts();

/// Whether somebody asked. Any thread may want to know.
bool interrupted();

}  // namespace anybit
