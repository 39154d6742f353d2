import importlib.util
import json
import os
import pathlib
import tempfile
import unittest

from fixtures import BUILD, load_script, run_script, skip_all

from bench_cases import TRAININGS, BenchError, Programs, Shape, Training

bench_pytorch = load_script("bench_pytorch")


class FiguresTest(unittest.TestCase):
    def test_the_figure_is_ours_while_a_run_agrees(self):
        self.assertEqual(bench_pytorch.chosen(100, 91, 0.1), 100)
        self.assertEqual(bench_pytorch.chosen(91, 100, 0.1), 91)

    def test_else_the_smaller(self):
        self.assertEqual(bench_pytorch.chosen(100, 89, 0.1), 89)
        self.assertEqual(bench_pytorch.chosen(80, 100, 0.1), 80)
        self.assertEqual(bench_pytorch.chosen(100, 76, 0.25), 100)

    def test_a_case_is_the_medians_of_its_turns(self):
        case = Training(Shape("mlp", 10, clients=3, examples=10))
        made = bench_pytorch.result(case, {"version": "1"}, [(10, 10, 5), (40, 20, 4), (30, 28, 10)])
        self.assertEqual([made[key] for key in ("model", "batch", "ours", "ours_run", "pytorch", "ratio", "turns")],
                         ["mlp", 10, 30, 20, 5, 4, 3])
        self.assertEqual(made["ranges"], {"ours": [10, 40], "ours_run": [10, 28], "pytorch": [4, 10], "ratio": [2, 5]})


class ScriptTest(unittest.TestCase):
    def test_a_case_is_a_line_of_json_and_nothing_else(self):
        done = run_script("bench_pytorch", "--turns", 1, "--seconds", 0.02, "--only", "logistic", "--build", BUILD)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stderr, r"\Abench_pytorch: PyTorch \d")
        self.assertEqual(done.stdout.count("\n"), 1)
        line = json.loads(done.stdout)
        self.assertEqual((line["model"], line["batch"]), ("logistic", 10))
        for key in ("ours", "ours_run", "pytorch", "ratio"):
            self.assertGreater(line[key], 0)
        self.assertEqual(line["pytorch_build"]["threads"], 1)

    def test_the_networks_are_ours(self):
        import pytorch_steps
        with tempfile.TemporaryDirectory() as scratch:
            programs = Programs(pathlib.Path(BUILD), scratch)
            known = programs.models()
            for shape in {case.shape.model: case.shape for case in TRAININGS}.values():
                if shape.model in known:
                    own = pytorch_steps.Training(shape.model, 2).parameters()
                    self.assertEqual(own, programs.parameters(shape), shape.model)

    def test_both_thread_limits_stand_in_the_environment_of_pytorch(self):
        self.assertEqual(bench_pytorch.PINNED, {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"})
        with bench_pytorch.PyTorch(Shape("mlp", 10, clients=3, examples=10)) as pytorch:
            environment = pathlib.Path(f"/proc/{pytorch.process.pid}/environ").read_bytes().split(b"\0")
            self.assertIn(b"OMP_NUM_THREADS=1", environment)
            self.assertIn(b"OPENBLAS_NUM_THREADS=1", environment)
            self.assertGreater(pytorch.samples_per_second(0.01), 0)

    def test_another_network_is_refused(self):
        class Other:
            def parameters(self, _):
                return 3
        with self.assertRaisesRegex(BenchError, "mlp: 3 parameters, but 4 in PyTorch"):
            bench_pytorch.check_same_network(Training(Shape("mlp", 10, 3, 10)), Other(), {"parameters": 4})

    def test_without_pytorch_the_command_that_installs_it_is_told(self):
        with tempfile.TemporaryDirectory() as folder:
            (pathlib.Path(folder) / "torch.py").write_text("raise ImportError\n")
            done = run_script("bench_pytorch", env={**os.environ, "PYTHONPATH": folder})
        self.assertEqual((done.returncode, done.stdout, done.stderr.count("\n")), (1, "", 1))
        self.assertIn("apt-get install --no-install-recommends python3-torch libopenblas0-pthread", done.stderr)


if __name__ == "__main__":
    if not importlib.util.find_spec("torch"):
        skip_all(__file__, "machine: no python3-torch")
    else:
        unittest.main()
