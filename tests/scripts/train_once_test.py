import fcntl
import pathlib
import tempfile
import unittest

from fixtures import run_script

# Stands for anybit-sim: refuses a folder of other things, says what it was asked for, and leaves a run.
PROGRAM = """#!/usr/bin/env bash
mkdir -p runs/a
[ -z "$(ls -A runs/a)" ] || [ -e runs/a/scenario.toml ] || exit 1
echo "asked: $*"
touch runs/a/scenario.toml runs/a/model.ckpt
"""
FAILING = "#!/usr/bin/env bash\nexit 1\n"
ANEW = "runs/a: made with another program, scenario or options: training anew\n"


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

    def call(self, *options):
        return run_script("train_once", "./program", "a.toml", "runs/a", *options, cwd=self.folder)

    def refusal(self):
        done = self.call()
        self.assertEqual((done.returncode, done.stderr.count("\n")), (1, 1))
        return done.stderr

    def files(self):
        return sorted(path.name for path in (self.folder / "runs" / "a").iterdir())

    def train(self, *options):
        done = self.call(*options)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def test_the_first_call_runs(self):
        self.assertEqual(self.train("--set", "seed=2"), "asked: run a.toml --out runs/a --set seed=2\n")

    def test_the_same_again_goes_on_with_what_is_there(self):
        self.train()
        for _ in range(2):
            self.assertEqual(self.train(), "asked: run a.toml --out runs/a --resume\n")

    def test_any_change_trains_anew_and_says_so(self):
        self.train()
        (self.folder / "a.toml").write_text("seed = 3\n")
        self.assertEqual(self.train(), ANEW + "asked: run a.toml --out runs/a\n")
        self.write_program(PROGRAM + "# another\n")
        self.assertEqual(self.train(), ANEW + "asked: run a.toml --out runs/a\n")
        self.assertEqual(self.train("--set", "seed=2"), ANEW + "asked: run a.toml --out runs/a --set seed=2\n")
        self.assertIn("--resume", self.train("--set", "seed=2"))

    def test_the_run_of_an_old_program_never_passes_for_one_of_a_program_that_fails(self):
        self.train()
        self.write_program(FAILING)
        self.assertEqual(self.call().returncode, 1)
        self.assertFalse((self.folder / "runs" / "a").exists())

    def test_a_run_that_nobody_signed_is_trained_anew(self):
        self.train()
        (self.folder / "runs" / "a.made-with.txt").unlink()
        (self.folder / "runs" / "a" / "old").touch()
        self.assertEqual(self.train(), ANEW + "asked: run a.toml --out runs/a\n")
        self.assertEqual(self.files(), ["model.ckpt", "scenario.toml"])

    def test_an_empty_folder_will_do(self):
        (self.folder / "runs" / "a").mkdir(parents=True)
        self.assertIn("asked: run a.toml --out runs/a\n", self.train())

    def test_a_folder_of_something_else_is_left_alone(self):
        (self.folder / "runs" / "a").mkdir(parents=True)
        (self.folder / "runs" / "a" / "thesis.tex").write_text("years of work\n")
        self.assertIn("runs/a: neither empty nor a run's folder", self.refusal())
        self.assertEqual(self.files(), ["thesis.tex"])

    def test_a_run_in_which_another_process_works_is_left_alone(self):
        self.train()
        before = self.files()
        self.write_program(FAILING)
        with open(self.folder / "runs" / "a" / "lock", "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.assertIn("runs/a: another process runs there", self.refusal())
        self.assertEqual(self.files(), sorted([*before, "lock"]))
        self.write_program(PROGRAM)
        self.assertIn("--resume", self.train())


if __name__ == "__main__":
    unittest.main()
