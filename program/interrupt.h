#pragma once

namespace anybit {

/// From now on the first Ctrl-C (SIGINT), SIGTERM or closed terminal (SIGHUP) only asks the run to end; a second one
/// ends the process as usual. A SIGHUP that was ignored, as nohup does, stays ignored. `heard` is told at once on
/// standard error, as a line of its own; it must live as long as the process.
void catch_interrupts(const char* heard);

/// From now on a write to a pipe without a reader fails, and does not end the process.
void ignore_closed_pipes();

/// Whether somebody asked. Any thread may want to know.
bool interrupted();

}  // namespace anybit
