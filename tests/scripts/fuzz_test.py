import re
import unittest

from fixtures import SCRIPTS, run_script


class FuzzTest(unittest.TestCase):
    """What scripts/fuzz says before it builds anything."""

    def refused(self, *words):
        done = run_script("fuzz", *words)
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        return done.stderr

    def test_targets_options_and_times_that_are_none(self):
        self.assertEqual(self.refused("frames"), "scripts/fuzz: no target frames in tests/fuzz\n")
        for program in ("make_seeds", "replay"):
            self.assertEqual(self.refused(program), f"scripts/fuzz: no target {program} in tests/fuzz\n")
        self.assertEqual(self.refused("--second", "5"), "scripts/fuzz: no option --second\n")
        self.assertEqual(self.refused("--seconds", "0.5"), "scripts/fuzz: --seconds needs a whole number\n")
        self.assertEqual(self.refused("--seconds"), "scripts/fuzz: --seconds needs a whole number\n")

    def test_the_targets_are_those_that_are_built_and_replayed(self):
        folder = SCRIPTS.parent / "tests" / "fuzz"
        built = re.search(r"set\(targets ([^)]*)\)", (folder / "CMakeLists.txt").read_text()).group(1).split()
        defining = [file.stem for file in folder.glob("*.cpp")
                    if re.search(r"LLVMFuzzerTestOneInput\(.*\{", file.read_text())]
        self.assertEqual(sorted(built), sorted(defining))
        self.assertEqual(sorted(built), sorted(corpus.name for corpus in (folder / "corpus").iterdir()))
        # Each is taken for one: what is refused is the option behind it.
        self.assertEqual(self.refused(*built, "--second"), "scripts/fuzz: no option --second\n")


if __name__ == "__main__":
    unittest.main()
