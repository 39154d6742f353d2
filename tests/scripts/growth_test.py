import contextlib
import io
import json
import pathlib
import tempfile
import unittest

from fixtures import BUILD, load_script

import growth_axes
import growth_plot
from bench_cases import BenchError, Run, Shape
from growth_axes import Axis, Point

growth = load_script("growth")


def points(*pairs):
    return [{"x": x, "value": value, "least": value / 2, "most": value * 2} for x, value in pairs]


def axis(most=1, label="things", values=(1, 10, 100)):
    shape = Shape("mlp", 10, clients=4, examples=100)
    places = [10 ** power for power in range(len(values))]
    made = Axis("some", label, "of some kind", most, tuple(Point(x, shape) for x in places))
    return growth.axis_object(made, places, [[value] for value in values])


def run(*arguments):
    """(exit code, standard output, standard error); in this process, as Matplotlib takes a second to load."""
    out, error = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(error):
        code = growth.main([str(argument) for argument in arguments])
    return code, out.getvalue(), error.getvalue()


class OddPrograms:
    """Stands for the programs: the first two rounds take a second, the others as long as there are threads and
    settings."""

    def __init__(self):
        self.rounds = []

    def parameters(self, _, *settings):
        return 1000 + len(settings)

    def run(self, shape, threads, *settings):
        self.rounds.append(shape.rounds)
        return Run(1, 1, [1, 1, *[0.01 * (threads + len(settings))] * (shape.rounds - 2)])


class SlopeTest(unittest.TestCase):
    def test_of_powers_it_is_the_exponent(self):
        for exponent in (-1, 0, 0.5, 1, 2):
            pairs = [(x, 3 * x ** exponent) for x in (1, 10, 30, 1000)]
            self.assertAlmostEqual(growth_axes.slope(points(*pairs)), exponent)

    def test_it_is_the_line_of_least_squares(self):
        # log10: (0, 0), (1, 0), (2, 3): the mean of x is 1, so the slope is (-1 * 0 + 1 * 3) / 2.
        self.assertAlmostEqual(growth_axes.slope(points((1, 1), (10, 1), (100, 1000))), 1.5)

    def test_one_place_has_none(self):
        self.assertIsNone(growth_axes.slope(points((1, 5))))
        self.assertIsNone(axis(values=(5,))["slope"])

    def test_the_last_decade_is_what_is_nearly_ten_times_below(self):
        pairs = points((100, 1), (986_506, 2), (3_000_000, 3), (10_068_810, 4))
        self.assertEqual([one["value"] for one in growth_axes.last_decade(pairs)], [2, 3, 4])

    def test_turns_differ_before_a_slope_is_too_steep(self):
        for most, measured, expected in ((0, 0.04, False), (0, 0.06, True), (1, 1.04, False), (1, 1.06, True),
                                         (1, 0.2, False), (None, 5, False), (1, None, False)):
            self.assertEqual(growth_axes.too_steep(most, measured), expected, (most, measured))


class MeasuringTest(unittest.TestCase):
    def test_the_first_rounds_are_left_out_and_the_others_fill_the_time(self):
        programs = OddPrograms()
        point = Point(None, Shape("mlp", 10, clients=4, examples=100), settings=("a=1",))
        self.assertEqual(point.milliseconds(programs), 20)
        self.assertEqual(point.sized(programs, 0.4).shape.rounds, 20 + growth_axes.WARM)
        self.assertEqual(programs.rounds, [3, 3])

    def test_a_place_is_what_was_set_or_what_the_program_counts(self):
        shape = Shape("mlp", 10, clients=4, examples=100)
        self.assertEqual(Point(7, shape).place(OddPrograms()), 7)
        self.assertEqual(Point(None, shape, settings=("a=1",)).place(OddPrograms()), 1001)

    def test_all_points_take_a_turn_before_any_takes_the_next(self):
        shape, order = Shape("mlp", 10, clients=4, examples=100), []

        class Noting(OddPrograms):
            def run(self, shape, threads, *settings):
                order.append(threads)
                return super().run(shape, threads, *settings)

        wanted = [Axis("a", "a", "", 1, (Point(1, shape, 1), Point(2, shape, 2))),
                  Axis("b", "b", "", 1, (Point(3, shape, 3),))]
        with contextlib.redirect_stderr(io.StringIO()):
            values = growth.measured(wanted, Noting(), 2, 0.1)
        self.assertEqual(order, [1, 2, 3] * 3)  # the first time to see how many rounds
        self.assertEqual(values, [[[10, 10], [20, 20]], [[30, 30]]])

    def test_the_ranges_of_the_axes(self):
        axes = {one.name: one for one in growth_axes.axes(cores=6)}
        ends = {name: (one.points[0].x, one.points[-1].x) for name, one in axes.items()}
        self.assertEqual(ends, {"clients": (100, 1_000_000), "cohort": (1, 1000), "parameters": (None, None),
                                "threads": (1, 6)})
        self.assertEqual([point.threads for point in axes["threads"].points], [1, 2, 4, 6])
        self.assertEqual({name: one.most for name, one in axes.items()},
                         {"clients": 0, "cohort": 1, "parameters": 1, "threads": None})
        # Drawn when they are played: no data for each of a million clients.
        self.assertEqual({point.shape.partition for point in axes["clients"].points}, {"writer"})

    def test_axes_are_chosen_by_name(self):
        self.assertEqual([one.name for one in growth.chosen(["threads", "clients"], False)], ["clients", "threads"])
        self.assertEqual([len(one.points) for one in growth.chosen(["cohort"], True)], [2])
        with self.assertRaisesRegex(BenchError, "nothing is called client; there are clients, cohort, parameters"):
            growth.chosen(["client"], False)


class PlotTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.file = pathlib.Path(folder.name) / "a.json"

    def draw(self, *axes):
        self.file.write_text(json.dumps({"axes": axes}))
        pictures = "".join(f"{self.file.with_suffix(kind)}\n" for kind in (".png", ".svg"))
        self.assertEqual(run("--plot", self.file), (0, pictures, ""))
        return self.file.with_suffix(".svg").read_text()

    def test_the_picture_says_the_slopes(self):
        *_, threads = growth_axes.axes(cores=2)
        picture = self.draw(axis(), axis(0, "nobody", (5, 5, 4.99)),
                            growth.axis_object(threads, [1, 2], [[10], [8]]))
        # Matplotlib writes each text of a picture as a comment.
        for text in ("things: slope 1.00, 1.00 over the last decade",
                     "nobody: slope 0.00, 0.00 over the last decade",
                     "threads: slope \u22120.32, 1.25 times as fast on 2", "linear", "no growth", "perfect speed-up", "rounds per second"):
            self.assertIn(text, picture)

    def test_a_single_axis_with_a_single_point_is_drawn(self):
        self.assertIn("<!-- things", self.draw(axis(values=(5,))))

    def test_rounds_per_second_are_the_other_way_round(self):
        self.assertEqual([growth_plot.reciprocal(value) for value in (1000, 50)], [1, 20])

    def test_files_of_something_else_are_refused(self):
        whole = axis()
        for record, why in (([], "no list of axes"), ({"cases": []}, "no list of axes"),
                            ({"axes": [3]}, "an axis lacks"),
                            ({"axes": [{**whole, "points": []}]}, "an axis lacks"),
                            ({"axes": [{**whole, "points": points((1, 0))}]}, "an axis lacks")):
            self.file.write_text(json.dumps(record))
            code, out, error = run("--plot", self.file)
            self.assertEqual((code, out, error.count("\n")), (2, "", 1), error)
            self.assertIn(why, error)


class GrowthTest(unittest.TestCase):
    """The script on the real programs, for as short as it goes."""

    def test_a_file_and_its_pictures(self):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "a.json"
            code, _, error = run("-o", file, "--quick", "--only", "clients,parameters", "--build", BUILD)
            self.assertEqual(code, 0, error)
            self.assertEqual(sorted(path.name for path in file.parent.iterdir()), ["a.json", "a.png", "a.svg"])
            record = json.loads(file.read_text())
        self.assertEqual(sorted(record), ["axes", "commit", "kernel_set", "machine", "seconds", "turns"])
        # Dense layers of 784-12-12-10 and 784-40-40-10 with biases.
        self.assertEqual([[point["x"] for point in one["points"]] for one in record["axes"]],
                         [[100, 1000], [9706, 33450]])
        self.assertEqual(sorted(record["axes"][0]), ["label", "name", "points", "slope", "slope_allowed",
                                                     "slope_last_decade", "unit", "what"])
        self.assertTrue(all(0 < point["least"] <= point["value"] <= point["most"]
                            for one in record["axes"] for point in one["points"]))

    def test_mistakes_are_one_line(self):
        for arguments, why in ((["-o", "/nowhere/a.json"], "/nowhere/a.json: No such file or directory"),
                               (["-o", "a.png"], "a.png: must end in .json"),
                               (["--plot", "/nowhere/a.json"], "/nowhere/a.json: No such file or directory")):
            code, _, error = run(*arguments)
            self.assertEqual((code, error.count("\n")), (2, 1), error)
            self.assertIn(why, error)


if __name__ == "__main__":
    unittest.main()
