#pragma once

#include "server/federation.h"

namespace anybit {

/// Throws ScenarioError where federation.deadline leaves too little time: so few clients can do a task within it, on
/// their own devices and with links as fast as one task in a thousand has them, that federation.minimum is never
/// reached. Of a larger fleet the first 10,000 clients stand for all.
void check_deadline(const Federation& federation);

}  // namespace anybit
