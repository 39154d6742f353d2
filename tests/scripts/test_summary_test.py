import pathlib
import tempfile
import unittest

from fixtures import SCRIPTS, run_script

PASSED = '<testcase name="A.Passes" status="run"><system-out>fine</system-out></testcase>'
FAILED = '<testcase name="A.Fails" status="fail"><failure message=""/></testcase>'
DISABLED = '<testcase name="A.Off" status="disabled"><system-out>Disabled</system-out></testcase>'
NOT_BUILT = '<testcase name="A.Lost" status="notrun"><skipped message="Unable to find executable"/></testcase>'
LIST = "# comment\n\nmachine | * | no data*\naccepted | A.Known | slow | odd\n"


def skipped(test, reason):
    return (f'<testcase name="{test}" status="notrun"><skipped message="SKIP_REGULAR_EXPRESSION_MATCHED"/>'
            f"<system-out>[ RUN      ] {test}\na.cpp:1: Skipped\n{reason}\n[  SKIPPED ] {test} (0 ms)\n</system-out>"
            "</testcase>")


class TestSummaryTest(unittest.TestCase):
    def summary(self, *cases, known=LIST):
        with tempfile.TemporaryDirectory() as folder:
            results, rules = pathlib.Path(folder) / "tests.xml", pathlib.Path(folder) / "skips.txt"
            results.write_text(f"<testsuite>{''.join(cases)}</testsuite>")
            rules.write_text(known)
            done = run_script("test_summary.py", results, rules)
        return done.returncode, done.stdout.splitlines(), done.stderr

    def test_all_passed(self):
        self.assertEqual(self.summary(PASSED), (0, ["1 passed, 0 failed, 0 skipped"], ""))

    def test_a_failure_is_named(self):
        code, lines, _ = self.summary(PASSED, FAILED, NOT_BUILT)
        self.assertEqual(lines, ["Failed (2):", "  A.Fails", "  A.Lost", "1 passed, 2 failed, 0 skipped"])
        self.assertEqual(code, 1)

    def test_a_reason_that_names_the_machine_does_not_count(self):
        reason = "no data: mnist"
        code, lines, _ = self.summary(PASSED, skipped("B.Reads", reason), skipped("A.Reads", reason))
        self.assertEqual(lines, ["Skipped, because this machine lacks something (2):", "  no data: mnist",
                                 "    A.Reads", "    B.Reads", "1 passed, 0 failed, 2 skipped"])
        self.assertEqual(code, 0)

    def test_an_accepted_skip_is_accepted_for_its_test_and_reason_only(self):
        self.assertEqual(self.summary(PASSED, skipped("A.Known", "slow | odd"))[0], 0)
        self.assertEqual(self.summary(PASSED, skipped("A.Other", "slow | odd"))[0], 1)
        self.assertEqual(self.summary(PASSED, skipped("A.Known", "broken"))[0], 1)

    def test_a_new_reason_counts_as_failed(self):
        code, lines, _ = self.summary(PASSED, skipped("A.New", "not today"), DISABLED, skipped("A.Silent", ""))
        self.assertEqual(lines[1:], ["  disabled in the source", "    A.Off", "  no reason given", "    A.Silent",
                                     "  not today", "    A.New", "1 passed, 3 failed, 0 skipped"])
        self.assertEqual(code, 1)

    def test_the_list_of_the_house_accepts_named_reasons_only(self):
        house = (SCRIPTS.parent / "tests" / "skips.txt").read_text()
        for reason in ("machine: no AVX-512", "machine: no root for a tmpfs", "no data: cifar-10"):
            self.assertEqual(self.summary(PASSED, skipped("A.Any", reason), known=house)[0], 0, reason)
        for reason in ("machine: no mood", "machine: no AVX-512 today", "no data: penguins", "no data", "no AVX-512"):
            self.assertEqual(self.summary(PASSED, skipped("A.Any", reason), known=house)[0], 1, reason)

    def test_no_test_at_all_is_no_success(self):
        self.assertEqual(self.summary(), (1, ["0 passed, 0 failed, 0 skipped"], ""))

    def test_a_bad_line_of_the_list_is_named(self):
        code, _, error = self.summary(PASSED, known="machine | no data\n")
        self.assertEqual(code, 1)
        self.assertIn("skips.txt:1: a line is KIND | TEST | REASON", error)


if __name__ == "__main__":
    unittest.main()
