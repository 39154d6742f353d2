import pathlib
import tempfile
import unittest

from fixtures import run_script

# Stands for anybit-sim: says what it was asked for.
PROGRAM = '#!/usr/bin/env bash\necho "asked: $*"\n'


class TrainOnceTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.write_program(PROGRAM)
        (self.folder / "a.toml").write_text("seed = 1\n")

    def write_program(self, text):
        (self.folder / "program").write_text(text)
        (self.folder / "program").chmod(0o755)

    def train(self, *options):
        done = run_script("train_once", "./program", "a.toml", "runs/a", *options, cwd=self.folder)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def test_the_first_call_runs(self):
        self.assertEqual(self.train("--set", "seed=2"), "asked: run a.toml --out runs/a --set seed=2\n")

    def test_the_same_again_goes_on_with_what_is_there(self):
        self.train()
        for _ in range(2):
            self.assertEqual(self.train(), "asked: run a.toml --out runs/a --resume\n")

    def test_any_change_trains_anew_and_says_so(self):
        anew = "runs/a: made with another program, scenario or options: training anew\n"
        self.train()
        (self.folder / "a.toml").write_text("seed = 3\n")
        self.assertEqual(self.train(), anew + "asked: run a.toml --out runs/a --force\n")
        self.write_program(PROGRAM + "# another\n")
        self.assertEqual(self.train(), anew + "asked: run a.toml --out runs/a --force\n")
        self.assertEqual(self.train("--set", "seed=2"), anew + "asked: run a.toml --out runs/a --force --set seed=2\n")
        self.assertIn("--resume", self.train("--set", "seed=2"))

    def test_a_run_that_nobody_signed_is_trained_anew(self):
        (self.folder / "runs" / "a").mkdir(parents=True)
        self.assertIn("--force", self.train())


if __name__ == "__main__":
    unittest.main()
