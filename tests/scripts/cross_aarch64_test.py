"""scripts/cross_aarch64: the client and some tests for 64-bit Arm, built here and run under qemu. The tests are those
of the wire and of the kernels' bits, without what takes long there."""
import os
import shutil
import sys
import unittest

from fixtures import run_script, skip_all

NEEDED = ("aarch64-linux-gnu-g++", "qemu-aarch64-static")
NO_LIBRARIES = "cross_aarch64: apt "  # how the script says that apt cannot fetch them
LONG = ("TlsStream.AHandshakeMayBeCutAnywhere", "Layers/FiniteDifference.*", "Runs/TrainingGolden.*", "Models/Descend.*")
done = None


class CrossAarch64Test(unittest.TestCase):
    def test_client_starts_and_tests_pass(self):
        self.assertEqual(done.returncode, 0, done.stdout[-4000:] + done.stderr[-4000:])
        for line in ("test_wire under qemu", "test_nn_portable under qemu"):
            self.assertIn(f"cross_aarch64: {line}", done.stdout)
        self.assertEqual(done.stdout.count("[  PASSED  ]"), 2, done.stdout[-4000:])


if __name__ == "__main__":
    if not all(map(shutil.which, NEEDED)):
        skip_all(__file__, "machine: no aarch64 compiler")
        sys.exit()
    done = run_script("cross_aarch64", "--jobs", "1", "anybit-client", "test_wire", "test_nn_portable",
                      env={**os.environ, "GTEST_FILTER": "-" + ":".join(LONG)})
    if done.returncode != 0 and NO_LIBRARIES in done.stderr:
        skip_all(__file__, "machine: no aarch64 libraries")
        sys.exit()
    unittest.main()
