import json
import math
import pathlib
import tempfile
import unittest

from fixtures import point, write_run

import costs
import metrics
from costs import Spent

ROUNDS = [{"round": 1, "bytes_down": 10, "bytes_up": 5, "time": 2.5, "energy": {"phone": 3, "watch": 1},
           "wasted": {"tasks": 1, "flops": 9, "energy": 0.5}},
          {"round": 2, "version": 1, "abandoned": True, "bytes_down": 1, "bytes_up": 0, "time": 4, "energy": {}},
          {"round": 3, "version": 2, "bytes_down": 10, "bytes_up": 6, "time": 9, "energy": {"watch": 2, "tablet": 7},
           "wasted": {"tasks": 2, "flops": 9, "energy": 2}}]


class CostsTest(unittest.TestCase):
    def read(self, records):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        run = write_run(pathlib.Path(folder.name) / "run", {})
        (run / "metrics.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
        return metrics.read_run(run)

    def test_bytes_and_energy_add_up_and_time_goes_on(self):
        self.assertEqual(costs.running_totals(ROUNDS), [Spent(2.5, 4, 15), Spent(4, 4, 16), Spent(9, 13, 32)])

    def test_energy_is_added_up_for_each_class(self):
        self.assertEqual(costs.energy_by_class(ROUNDS), {"phone": 3, "watch": 3, "tablet": 7})
        self.assertEqual(costs.wasted_energy(ROUNDS), 2.5)

    def test_what_older_files_do_not_tell_is_not_known(self):
        old = [{"round": 1, "bytes_down": 10, "bytes_up": 5}, {"round": 2, "bytes_down": 10, "bytes_up": 5}]
        self.assertEqual(costs.running_totals(old), [Spent(None, None, 15), Spent(None, None, 30)])
        self.assertEqual(costs.running_totals([{"round": 1}]), [Spent()])
        self.assertEqual((costs.energy_by_class(old), costs.wasted_energy(old)), ({}, 0))

    def test_an_evaluated_version_has_cost_what_abandoned_rounds_before_it_cost_too(self):
        records = [ROUNDS[0] | {"accuracy": [point(4, 0.5)]}, ROUNDS[1], ROUNDS[2] | {"accuracy": [point(4, 0.6)]}]
        run = self.read(records)
        self.assertEqual(run.spent, {1: Spent(2.5, 4, 15), 2: Spent(9, 13, 32)})
        self.assertEqual((run.energy, run.wasted), ({"phone": 3, "watch": 3, "tablet": 7}, 2.5))

    def test_a_cost_that_is_no_amount_is_named(self):
        for told, words in [({"time": -1}, "time is -1, but must be a number from 0 on"),
                            ({"time": math.nan}, "time is NaN, but must be a number from 0 on"),
                            ({"time": math.inf}, "time is Infinity, but must be a number from 0 on"),
                            ({"bytes_up": "3"}, 'bytes_up is "3", but must be a number from 0 on'),
                            ({"energy": 5}, "energy is no table of classes and joules"),
                            ({"energy": {"phone": None}}, "energy is no table of classes and joules"),
                            ({"wasted": {"energy": True}}, "wasted is no table with joules as its energy")]:
            with self.assertRaises(metrics.MetricsError) as caught:
                self.read([{"round": 1}, {"round": 2} | told])
            self.assertTrue(str(caught.exception).endswith(f"metrics.jsonl:2: {words}"), caught.exception)


if __name__ == "__main__":
    unittest.main()
