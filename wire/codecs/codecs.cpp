#include "wire/codecs/rows.h"

namespace anybit {

const CodecTable& codecs() {
  static const CodecTable table("codec", {float32_row(), uniform_row()});
  return table;
}

}  // namespace anybit
