#include "server/record/class_table.h"

#include <gtest/gtest.h>

namespace anybit {
namespace {

TEST(ClassTable, HasARowForEachClassAndWidth) {
  const std::string table =
      class_table({{"phone", 0.7, 70, 8, 32, 0.93, 0.915}, {"a long name", 0.3, 0, 2, 2, {}, {}}});
  EXPECT_EQ(table.substr(table.find('\n') + 1),
            "class          share  clients  weights  activations     own  unseen\n"
            "phone            0.7       70        8           32   93.00   91.50\n"
            "a long name      0.3        0        2            2       -       -\n");
  EXPECT_TRUE(table.starts_with("accuracy in % by class of the fleet"));
}

}  // namespace
}  // namespace anybit
