import pathlib
import tempfile
import unittest

from fixtures import point, run_script, write_run

import quickstart_report


class QuickstartReportTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.around = pathlib.Path(folder.name)

    def report(self, fedavg, mqat):
        runs = [write_run(self.around / "fedavg", {1: fedavg}), write_run(self.around / "mqat", {1: mqat}, "mqat")]
        return run_script("quickstart_report.py", *runs).stdout

    def test_two_standard_errors_of_a_difference(self):
        # 2 * sqrt(0.9 * 0.1 / 5000 + 0.8 * 0.2 / 5000) = 2 * sqrt(0.00005)
        self.assertAlmostEqual(quickstart_report.two_standard_errors(0.9, 0.8, 5000), 0.01414214, places=8)

    def test_claims_only_what_separates(self):
        # Against 0.9, two standard errors are 0.0123: 0.8870 is further away, 0.8880 is not.
        text = self.report([point(2, 0.8870), point(3, 0.8880), point(32, 0.95)],
                           [point(2, 0.9000), point(3, 0.9000), point(32, 0.95)])
        self.assertIn("at 2 bits, mqat is 1.30 points above fedavg (two standard errors: 1.23)", text)
        self.assertIn("at 3 bits, in float: not separable", text)
        self.assertNotIn("at 3 bits, mqat", text)

    def test_says_it_when_the_method_is_worse(self):
        text = self.report([point(4, 0.9)], [point(4, 0.8)])
        self.assertIn("at 4 bits, mqat is 10.00 points below fedavg (two standard errors: 1.41)", text)

    def test_each_is_shown_at_its_best_rule_and_fedavg_at_min_max_too(self):
        rows = [row.split() for row in self.report(
            [point(4, 0.6), point(4, 0.8, range_="mse"), point(4, 0.85, range_="mse", granularity="channel"),
             point(32, 0.9)],
            [point(4, 0.85), point(4, 0.7, range_="mse"), point(32, 0.9)]).splitlines()]
        self.assertIn(["weights,", "bits", "4", "float"], rows)
        self.assertIn(["fedavg", "80.0", "90.0"], rows)
        self.assertIn(["fedavg,", "min-max", "60.0", "90.0"], rows)
        self.assertIn(["mqat", "85.0", "90.0"], rows)
        self.assertIn(["range", "rule", "mse", "-"], rows)
        self.assertNotIn(["mqat,", "min-max"], [row[:2] for row in rows])

    def test_first_and_last_widths_are_said_where_they_are_set(self):
        text = self.report([point(4, 0.8)], [point(4, 0.9, first=8, last=8), point(4, 0.99)])
        self.assertRegex(text, r"(?m)^  fedavg +80\.0$")
        self.assertRegex(text, r"(?m)^  mqat, first layer 8 bits, last layer 8 bits +90\.0$")

    def test_a_missing_run_is_one_clear_error(self):
        done = run_script("quickstart_report.py", self.around / "nothing")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("nothing/metrics.jsonl: No such file", done.stderr)


if __name__ == "__main__":
    unittest.main()
