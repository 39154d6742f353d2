#pragma once

namespace anybit {

/// From now on the first Ctrl-C (SIGINT), SIGTERM or closed terminal (SIGHUP) only asks the run to end; a second one
/// ends the process as usual. A SIGHUP that was ignored, as nohup does, stays ignored.
void catch_interrupts();

/// From now on a write to a pipe without a reader fails, and does not end the process.
void ignore_closed_pipes();

/// Whether somebody asked. Any thread may want to know.
bool interrupted();

}  // namespace anybit
