import pathlib
import tempfile
import unittest

from fixtures import point, run_script, write_run


class GridTableTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.around = pathlib.Path(folder.name)

    def table(self, *grids):
        """The Markdown lines for runs with these final grids."""
        runs = [write_run(self.around / str(number), {1: grid}) for number, grid in enumerate(grids)]
        done = run_script("grid_table.py", *runs)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return [line for line in done.stdout.splitlines() if line.startswith("|")]

    def test_a_line_for_each_setting_with_mean_and_deviation(self):
        self.assertEqual(self.table([point(32, 0.9), point(4, 0.8), point(4, 0.7, activations=8)],
                                    [point(32, 0.8), point(4, 0.8), point(4, 0.7, activations=8)]),
                         ["| activations | range | granularity | W float | W 4 |",
                          "| --- | --- | --- | ---: | ---: |",
                          "| float | minmax | tensor | 85.0 ± 7.1 | 80.0 ± 0.0 |",
                          "| 8 | minmax | tensor |  | 70.0 ± 0.0 |"])

    def test_first_and_last_widths_have_columns_where_they_are_set(self):
        self.assertEqual(self.table([point(32, 0.9), point(4, 0.7, first=8, last=6), point(4, 0.6)]),
                         ["| activations | range | granularity | first | last | W float | W 4 |",
                          "| --- | --- | --- | --- | --- | ---: | ---: |",
                          "| float | minmax | tensor | - | - | 90.0 | 60.0 |",
                          "| float | minmax | tensor | 8 | 6 |  | 70.0 |"])


if __name__ == "__main__":
    unittest.main()
