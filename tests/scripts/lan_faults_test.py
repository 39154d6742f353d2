import unittest

from fixtures import run_script


class LanFaultsTest(unittest.TestCase):
    """What scripts/lan_faults says before it makes any network."""

    def refused(self, *words):
        done = run_script("lan_faults", *words)
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        return done.stderr

    def test_parts_options_and_times_that_are_none(self):
        self.assertEqual(self.refused("cables"), "scripts/lan_faults: no part or option cables\n")
        self.assertEqual(self.refused("--cuts", "5"), "scripts/lan_faults: no part or option --cuts\n")
        self.assertEqual(self.refused("--cut", "0.5"), "scripts/lan_faults: --cut needs a whole number of seconds\n")
        self.assertEqual(self.refused("--cut"), "scripts/lan_faults: --cut needs a whole number of seconds\n")
        self.assertEqual(self.refused("--build"), "scripts/lan_faults: --build needs a folder\n")
        self.assertEqual(self.refused("--build", "/nowhere"),
                         "scripts/lan_faults: /nowhere/server/anybit-server is not built: scripts/test builds it, or "
                         "name a folder with --build\n")


if __name__ == "__main__":
    unittest.main()
