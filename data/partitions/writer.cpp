#include "data/partitions/partition.h"

namespace anybit {

PartitionTable::Row writer_row() {
  return {{"writer",
           "client k is writer k of a built-in set: made when played, never stored, any number of clients",
           "",
           {}},
          [](const Options&) -> Deal { return {}; }};
}

}  // namespace anybit
