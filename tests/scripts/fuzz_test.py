import unittest

from fixtures import run_script


class FuzzTest(unittest.TestCase):
    """What scripts/fuzz says before it builds anything."""

    def refused(self, *words):
        done = run_script("fuzz", *words)
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        return done.stderr

    def test_targets_options_and_times_that_are_none(self):
        self.assertEqual(self.refused("frames"), "scripts/fuzz: no target frames in tests/fuzz\n")
        self.assertEqual(self.refused("make_seeds"), "scripts/fuzz: no target make_seeds in tests/fuzz\n")
        self.assertEqual(self.refused("--second", "5"), "scripts/fuzz: no option --second\n")
        self.assertEqual(self.refused("--seconds", "0.5"), "scripts/fuzz: --seconds needs a whole number\n")
        self.assertEqual(self.refused("--seconds"), "scripts/fuzz: --seconds needs a whole number\n")


if __name__ == "__main__":
    unittest.main()
