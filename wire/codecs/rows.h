#pragma once

#include "wire/codec.h"

namespace anybit {

// The rows of codecs(), one file each.
CodecTable::Row float32_row();
CodecTable::Row uniform_row();

}  // namespace anybit
