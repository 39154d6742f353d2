import contextlib
import io
import json
import pathlib
import tempfile
import unittest

from fixtures import BUILD, load_script, run_script

import bench_cases
import bench_compare
import bench_measurements
import bench_records
from bench_cases import BenchError, Run, Shape, Training

bench = load_script("bench")


def case(name, value, higher_is_better=True):
    return {"name": name, "unit": "units", "higher_is_better": higher_is_better, "value": value}


class OddPrograms:
    """Stands for the programs: what they measure is 100 samples a second, 0.5 s a round, 2 s a test."""

    def __init__(self):
        self.threads = []

    def play_clients(self, _, __, *settings):
        return {"samples_per_second": 80.0 if settings else 100.0}

    def run(self, _, threads=None, *settings):
        self.threads.append(threads)
        return Run(seconds=3.0, peak_mib=50.0 + len(settings), rounds=[0.25 if threads == 2 else 0.5])

    def evaluate_last(self, *_):
        return 2.0


class WriteRecordTest(unittest.TestCase):
    def test_a_failure_leaves_files_as_they_were(self):
        def fails():
            raise BenchError("no program")
        with tempfile.TemporaryDirectory() as folder:
            new, old = pathlib.Path(folder, "new.json"), pathlib.Path(folder, "old.json")
            old.write_text("kept")
            for file in (new, old):
                with self.assertRaises(BenchError):
                    bench_records.write_record(file, fails)
            self.assertFalse(new.exists())
            self.assertEqual(old.read_text(), "kept")


class CompareTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def write(self, name, *cases, **fields):
        (self.folder / name).write_text(json.dumps({"machine": "a", "kernel_set": "b", "cases": cases, **fields}))

    def compare(self, *options):
        return run_script("bench", "--compare", "old", "new", *options, cwd=self.folder)

    def refusal(self):
        done = self.compare()
        self.assertEqual((done.returncode, done.stdout, done.stderr.count("\n")), (2, "", 1))
        return done.stderr

    def test_a_ratio_above_one_is_better_whichever_way_the_unit_points(self):
        self.write("old", case("rate", 100), case("time", 10, False))
        self.write("new", case("rate", 150), case("time", 5, False))
        done = self.compare()
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        lines = done.stdout.splitlines()
        self.assertEqual(lines[1].split(), ["rate", "100", "150", "1.500", "units"])
        self.assertEqual(lines[2].split(), ["time", "10", "5", "2.000", "units"])
        self.assertEqual(lines[3], "0 slower by more than 10 %")

    def test_slower_ones_are_marked_and_fail(self):
        self.write("old", case("rate", 100), case("time", 10, False), case("fine", 100))
        self.write("new", case("rate", 80), case("time", 12, False), case("fine", 95))
        done = self.compare()
        marked = [line.split()[0] for line in done.stdout.splitlines() if line.endswith("SLOWER")]
        self.assertEqual((done.returncode, marked), (1, ["rate", "time"]))
        self.assertEqual(self.compare("--margin", "0.25").returncode, 0)
        self.assertEqual(self.compare("--margin", "0.01").stdout.count("SLOWER"), 3)

    def test_a_margin_is_a_fraction(self):
        self.write("old", case("rate", 100))
        self.write("new", case("rate", 100))
        for margin in ("-0.1", "1", "10", "nan", "much"):
            done = self.compare(f"--margin={margin}")
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertIn(f"argument --margin: invalid fraction value: '{margin}'", done.stderr)
        self.assertEqual(self.compare("--margin", "0").returncode, 0)

    def test_times_and_names_that_are_none_are_refused(self):
        for option, value in [("seconds", "nan"), ("seconds", "-1"), ("seconds", "0"), ("only", ""), ("only", "a,,b")]:
            for script in ("bench", "growth"):
                done = run_script(script, "-o", self.folder / "new.json", f"--{option}={value}")
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertIn(f"argument --{option}: invalid", done.stderr)

    def test_a_case_that_only_one_has_is_named(self):
        self.write("old", case("gone", 1), case("both", 1))
        self.write("new", case("both", 1), case("come", 1))
        done = self.compare()
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r"(?m)^gone +only in old$")
        self.assertRegex(done.stdout, r"(?m)^come +only in new$")

    def test_another_machine_is_told(self):
        self.write("old", case("a", 1))
        self.write("new", case("a", 1), machine="c")
        self.assertEqual(self.compare().stderr, 'bench: not of the same machine: "a" and "c"\n')

    def test_files_of_something_else_are_refused(self):
        self.write("old", case("a", 1))
        self.assertIn("new: No such file or directory", self.refusal())
        for text, why in (("{", "not JSON"), ("[]", "no list of cases"), ('{"cases": 3}', "no list of cases"),
                          ('{"cases": [{"name": "a"}]}', "a case needs name, unit, higher_is_better, value")):
            (self.folder / "new").write_text(text)
            self.assertIn(why, self.refusal())
        self.write("new", case("a", 0))
        self.assertIn("a: the value is 0; it must be above 0", self.refusal())


class MeasurementsTest(unittest.TestCase):
    def setUp(self):
        self.programs = OddPrograms()
        with contextlib.redirect_stderr(io.StringIO()):
            self.values = bench_records.measured("bench", bench_measurements.MEASUREMENTS, self.programs, 2, 1)

    def test_each_case_gets_a_value_in_each_turn(self):
        self.assertEqual(set(self.values), set(bench_measurements.CASES))
        self.assertEqual({len(values) for values in self.values.values()}, {2})

    def test_ratios_point_the_right_way(self):
        for name, value in (("quantize.lenet.32.mse", 1.25), ("threads.cnn.10", 2), ("threads.skewed.lenet.10", 2),
                            ("round.mlp.10x600", 500), ("start.mlp", 3), ("start.mlp.round", 0.5),
                            ("memory.mlp.rounds", 50 / 51), ("memory.mlp.clients", 52 / 51)):
            self.assertEqual(self.values[name][0], value, name)

    def test_the_object_of_a_case_holds_the_median_the_range_and_what_is_required(self):
        self.assertEqual(bench.case_object("round.mlp.10x600", [30, 20.00049, 40]),
                         {"name": "round.mlp.10x600", "unit": "ms", "higher_is_better": False, "value": 30, "least": 20,
                          "most": 40, "must": 35, "aim": 22})


class CasesTest(unittest.TestCase):
    def test_the_rounds_of_a_run_follow_its_speed(self):
        shape = Shape("mlp", 10, clients=4, examples=100, epochs=5)
        self.assertEqual(shape.samples, 2000)
        for rate, rounds in ((20_000, 20), (10, 3), (1e9, 1000)):
            self.assertEqual(bench_cases.with_rounds_for(shape, rate, 2).rounds, rounds)

    def test_a_cohort_is_never_one_client(self):
        for one in bench_cases.TRAININGS:
            self.assertGreaterEqual(one.shape.clients, 3)
            self.assertEqual((one.shape.cohort, one.shape.examples % one.shape.batch), (0, 0))

    def test_models_are_chosen_by_name(self):
        names = [one.name for one in bench_cases.trainings_of(["lenet", "mlp"])]
        self.assertEqual(names, ["mlp.10", "lenet.10", "lenet.32"])
        self.assertEqual(len(bench_cases.trainings_of([])), 6)
        with self.assertRaisesRegex(BenchError, "unknown model lenot; known: logistic, mlp, lenet, cnn, resnet20"):
            bench_cases.trainings_of(["lenot"])

    def test_a_network_that_the_program_lacks_is_an_error(self):
        class Older:
            def models(self):
                return ["mlp"]
        bench_cases.check_known([Training(Shape("mlp", 1, 1, 1))], Older())
        with self.assertRaisesRegex(BenchError, r"no network cnn \(it has mlp\); name others with --only"):
            bench_cases.check_known([Training(Shape("cnn", 1, 1, 1))], Older())


class BenchTest(unittest.TestCase):
    """The script on the real programs, for as short as it goes."""

    def test_a_file_that_compares(self):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "a.json"
            done = run_script("bench", "-o", file, "--turns", 1, "--seconds", 0.01, "--only", "train.logistic,start",
                              "--build", BUILD)
            self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)
            record = json.loads(file.read_text())
            same = run_script("bench", "--compare", file, file)
        self.assertEqual(sorted(record),
                         ["cases", "commit", "kernel_set", "machine", "seconds", "turns"])
        self.assertEqual([one["name"] for one in record["cases"]],
                         ["train.logistic.10", "start.mlp", "start.mlp.round"])
        self.assertTrue(all(one["value"] > 0 for one in record["cases"]))
        self.assertEqual((same.returncode, same.stdout.count("  1.000")), (0, 3))

    def test_mistakes_are_one_line(self):
        for arguments, why in ((["-o", "/nowhere/a"], "/nowhere/a: No such file or directory"),
                               (["-o", "/dev/null", "--build", "/nowhere"], "anybit-sim is not built"),
                               (["-o", "/dev/null", "--build", BUILD, "--only", "tra,b"], "nothing is called b")):
            done = run_script("bench", *arguments)
            self.assertEqual((done.returncode, done.stderr.count("\n")), (2, 1), done.stderr)
            self.assertIn(why, done.stderr)


if __name__ == "__main__":
    unittest.main()
