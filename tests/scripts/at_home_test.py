"""docs/at_home.md: what it has people install is what the programs need."""
import pathlib
import re
import shutil
import subprocess
import unittest

from fixtures import BUILD, SCRIPTS, skip_all

TEXT = (SCRIPTS.parent / "docs" / "at_home.md").read_text(encoding="utf-8")
EVERYWHERE = {"libc6", "libgcc-s1", "libstdc++6"}  # on every Debian
OF_SANITIZERS = re.compile(r"lib[a-z]+san\d+$")  # in a build for them


def output(*command):
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def packages_of(program):
    """Debian's packages of the libraries that a program names as needed."""
    needed = re.findall(r"\(NEEDED\).*\[(.*)\]", output("readelf", "-d", program))
    paths = dict(re.findall(r"(\S+) => (/\S+)", output("ldd", program)))
    packages = set()
    for library in needed:
        found = output("dpkg-query", "-S", paths[library], "/usr" + paths[library])
        packages.add(found.partition(":")[0])
    return {package for package in packages if not OF_SANITIZERS.match(package)}


class LibrariesTest(unittest.TestCase):
    def test_a_client_that_was_built_elsewhere_needs_those_that_are_listed(self):
        listed = re.search(r"the Pi needs libraries alone:\s*`sudo apt-get install ([^`]*)`", TEXT).group(1).split()
        needed = packages_of(pathlib.Path(BUILD, "client", "anybit-client")) - EVERYWHERE
        self.assertEqual(sorted(needed), sorted(listed))


class DataTest(unittest.TestCase):
    def test_the_servers_data_is_where_its_service_looks_and_no_clients(self):
        fetched = re.search(r"fetch_data --to (\S+)", TEXT).group(1)
        self.assertIn(f"OPTIONS=--data-dir {fetched} ", TEXT)
        self.assertNotIn(f"DATA=idx:{fetched}\n", TEXT)


if __name__ == "__main__":
    if shutil.which("dpkg-query") is None:
        del LibrariesTest
        skip_all(__file__, "machine: no dpkg-query")
    unittest.main()
