#pragma once

#include "quant/quantizers/range_rule.h"

namespace anybit {

// One row per rule; each is defined in the file of its name.
RangeRuleTable::Row minmax_rule();
RangeRuleTable::Row mse_rule();
RangeRuleTable::Row percentile_rule();
RangeRuleTable::Row learned_rule();

}  // namespace anybit
