#pragma once

#include <string>
#include <vector>

#include "server/federation.h"

namespace anybit {

/// The longest that a task may take on the device in the middle of a class: a year of virtual seconds.
inline constexpr double kLongestTask = 365.0 * 24 * 3600;

/// Throws ScenarioErrors where a class has longer tasks than kLongestTask; ScenarioError where too few clients ever
/// answer for as many updates as a version takes: federation.minimum of a round, the cohort of an asynchronous version.
/// A client answers where its device does not drop out of every task, is there as long as a task takes and is done
/// within federation.deadline. The error names what hinders most of the others. Of a larger fleet the first 10,000
/// clients stand for all, with links as fast as one task in a thousand has them.
void check_task_limits(const Federation& federation);

/// A line for each class whose devices never answer: they drop out of every task, or are never there as long as one
/// takes them.
std::vector<std::string> silent_classes(const Federation& federation);

}  // namespace anybit
