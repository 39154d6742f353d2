#pragma once

#include "quant/method.h"

namespace anybit {

// One row per method; each is defined in the file of its name.
MethodTable::Row fedavg_row();
MethodTable::Row kure_row();
MethodTable::Row apqn_row();
MethodTable::Row qat_row();
MethodTable::Row mqat_row();
MethodTable::Row joint_row();
MethodTable::Row lsq_row();
MethodTable::Row lsqplus_row();

}  // namespace anybit
