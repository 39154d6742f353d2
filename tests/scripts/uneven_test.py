import pathlib
import tempfile
import unittest

from fixtures import load_script, run_script
from fleet_runs import Fleet, asynchronous, synchronous, write_fleet_run

uneven = load_script("uneven")


def settings(way, rounds=4, seed=7):
    words = uneven.settings_of(way, rounds, seed)
    return dict(word.split("=", 1) for word in words if word != "--set")


class WaysTest(unittest.TestCase):
    def test_all_join_as_many_updates_and_are_evaluated_after_as_many(self):
        for name, way in (uneven.POLICIES | uneven.TRAINED_WIDTHS).items():
            told = settings(way)
            updates = int(told.get("federation.cohort", uneven.COHORT))
            self.assertEqual(int(told["federation.rounds"]) * updates, 4 * uneven.COHORT, name)
            self.assertEqual(int(told["evaluate.every"]) * updates, uneven.EVERY * uneven.COHORT, name)
            self.assertEqual(told["seed"], "7")

    def test_no_two_differ_in_nothing(self):
        for study in uneven.STUDIES.values():
            told = [tuple(sorted(settings(way).items())) for way in study.values()]
            self.assertEqual(len(set(told)), len(told))
            self.assertEqual(len({uneven.folder_of(pathlib.Path("a"), name, 1) for name in study}), len(study))

    def test_weightings_act(self):
        for name, way in uneven.TRAINED_WIDTHS.items():
            self.assertIn("weighted = true", settings(way)["federation.aggregation"], name)


class TablesTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.out = pathlib.Path(folder.name)

    def test_the_first_evaluation_at_the_target_counts(self):
        points = [(10, 1, {8: 80}), (20, 2, {8: 91}), (30, 3, {8: 89}), (40, 4, {8: 95})]
        self.assertEqual(uneven.first_at(points, 8, 90), (20, 2))
        self.assertEqual(uneven.first_at(points, 8, 95), (40, 4))
        self.assertIsNone(uneven.first_at(points, 8, 96))

    def test_a_spread_is_a_sample_deviation(self):
        self.assertEqual(uneven.spread_text([3600, 7200], 3600, 2), "1.50 ± 0.71")
        self.assertEqual(uneven.spread_text([3600], 3600, 2), "1.00 ± 0.00")

    def write_all(self):
        for policy in uneven.POLICIES:
            for seed in (1, 2):
                played = asynchronous(Fleet(30, seed), 6, 20, 5) if "FedBuff" in policy else \
                    synchronous(Fleet(30, seed), 6, 10, 2)
                write_fleet_run(uneven.folder_of(self.out, policy, seed), *played, pace=1)
                metrics = uneven.folder_of(self.out, policy, seed) / "metrics.jsonl"
                metrics.write_text(metrics.read_text().replace('"weights": 4', '"weights": 8')
                                   .replace('"weights": 2', '"weights": 3'))

    def test_a_row_has_time_and_energy_or_says_who_did_not_get_there(self):
        self.write_all()
        reached = uneven.row("synchronous", self.out, (1, 2), 60)
        self.assertRegex(reached, r"^\| synchronous \| 60 \|( \d+\.\d+ ± \d+\.\d+ \|){5}$")
        self.assertIn("| not reached by 2 of 2 |  |", uneven.row("synchronous", self.out, (1, 2), 99.9))

    def test_both_axes_and_all_policies_are_drawn(self):
        self.write_all()
        uneven.draw(self.out, (1, 2), 60)
        svg = (self.out / "uneven-60.svg").read_text()
        for text in (*uneven.POLICIES, "virtual time (h)", "energy of all devices (kJ)", "8-bit weights",
                     "3-bit weights", "target 60 %"):
            self.assertIn(text.split(", normalised")[0], svg)

    def test_mistakes_are_one_clear_error(self):
        done = run_script("uneven", "--seeds", "1", env={"ANYBIT_SIM": "/nowhere/anybit-sim"})
        self.assertEqual((done.returncode, done.stderr), (1, "scripts/uneven: /nowhere/anybit-sim is not built; run "
                                                            "scripts/test or set ANYBIT_SIM\n"))


if __name__ == "__main__":
    unittest.main()
