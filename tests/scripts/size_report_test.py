import pathlib
import tempfile
import unittest

from fixtures import run_script


def function(name, lines):
    return f"int {name}(int x) {{\n" + "  ++x;\n" * (lines - 2) + "}\n"


class SizeReportTest(unittest.TestCase):
    def report(self, **files):
        with tempfile.TemporaryDirectory() as folder:
            for name, text in files.items():
                (pathlib.Path(folder) / name.replace("_", ".")).write_text(text)
            return run_script("size_report", folder).stdout

    def test_prints_files_over_400_lines(self):
        text = self.report(a_cpp="\n" * 400, b_cpp="\n" * 401)
        self.assertIn("files over 400 lines: 1 (in 2 files)\n    401 b.cpp\n", text)

    def test_prints_functions_over_60_lines(self):
        text = self.report(a_cpp=function("fits", 60) + function("large", 61))
        self.assertIn("functions over 60 lines: 1 (in 1 files)\n     61 a.cpp:61 large\n", text)

    def test_braces_in_strings_comments_and_initialisers_end_no_function(self):
        body = "  s = \"}\"; c = '}'; // }\n  std::vector<int> v{1, 2};\n" * 40
        text = self.report(a_cpp="Big::Big(int x) : a_{x}, b_{f(x)} {\n" + body + "}\n")
        self.assertIn("     82 a.cpp:1 Big::Big\n", text)

    def test_a_namespace_or_a_class_is_no_function(self):
        members = "  int x() const { return 1; }\n" * 80
        text = self.report(a_h="namespace a {\nclass B {\n public:\n" + members + "};\n}\n")
        self.assertIn("functions over 60 lines: 0", text)

    def test_prints_large_python_functions(self):
        self.assertIn("     61 a.py:1 large\n", self.report(a_py="def large():\n" + "    x = 1\n" * 60))


if __name__ == "__main__":
    unittest.main()
