#include "data/partitions/partition.h"

namespace anybit {

const PartitionTable& partitions() {
  static const PartitionTable table("partition", {
                                                     iid_row(),
                                                     dirichlet_row(),
                                                     quantity_row(),
                                                     writer_row(),
                                                 });
  return table;
}

}  // namespace anybit
