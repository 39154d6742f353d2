import contextlib
import io
import pathlib
import re
import tempfile
import unittest

from matplotlib import image

from fixtures import point, write_run

import metrics
import plot

PICTURES = ["accuracy_by_round.png", "accuracy_by_round.svg", "accuracy_by_width.png", "accuracy_by_width.svg"]


def pictures_in(folder):
    return sorted(path.name for path in folder.iterdir() if path.suffix in (".png", ".svg"))


def draw(*arguments):
    """(exit code, what went to stderr); in this process, as Matplotlib takes a second to load."""
    error = io.StringIO()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(error):
        code = plot.main([str(argument) for argument in arguments])
    return code, error.getvalue()


class PlotTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.around = pathlib.Path(folder.name)

    def write(self, name, method, value):
        points = [point(32, 0.95), point(2, value), point(2, value + 0.1, range_="mse")]
        return write_run(self.around / name, {1: points[:2], 2: points}, method)

    def test_one_run_is_drawn_into_its_own_folder(self):
        run = self.write("mqat", "mqat", 0.5)
        self.assertEqual(draw(run), (0, ""))
        self.assertEqual(pictures_in(run), PICTURES)
        self.assertTrue((run / PICTURES[0]).read_bytes().startswith(b"\x89PNG"))

    def test_several_runs_are_drawn_into_the_folder_around_them(self):
        self.assertEqual(draw(self.write("fedavg", "fedavg", 0.2), self.write("mqat", "mqat", 0.5)), (0, ""))
        self.assertEqual(pictures_in(self.around), PICTURES)

    def test_only_fedavg_has_a_dashed_line_of_min_max(self):
        fedavg = self.write("fedavg", "fedavg", 0.2)
        mqat = self.write("mqat", "mqat", 0.5)
        draw("--out", self.around / "out", fedavg, mqat)
        picture = (self.around / "out" / "accuracy_by_width.svg").read_text()
        # Matplotlib writes each text of a picture as a comment.
        self.assertIn("<!-- fedavg, min-max -->", picture)
        self.assertIn("<!-- mqat, best range rule -->", picture)
        self.assertNotIn("<!-- mqat, min-max -->", picture)

    def test_quantizers_of_the_methods_own_have_no_ranges(self):
        points = [point(weights, value, activations=8, range_="trained", granularity="trained")
                  for weights, value in ((32, 0.9), (4, 0.8))]
        run = write_run(self.around / "lsq", {1: points}, "lsq")
        self.assertEqual(draw(run), (0, ""))
        self.assertIn("8-bit activations, quantizers as trained", (run / "accuracy_by_round.svg").read_text())
        self.assertIn("; quantizers as trained", self.title(run))

    def title(self, *runs):
        self.assertEqual(draw("--out", self.around / "out", *runs), (0, ""))
        picture = (self.around / "out" / "accuracy_by_width.svg").read_text()
        return " ".join(re.search("<!-- (Accuracy after .*?) -->", picture, re.DOTALL)[1].split())

    def test_the_title_says_when_a_run_is_not_over(self):
        rounds = {2: [point(4, 0.5)], 4: [point(4, 0.6)], 5: []}
        done = write_run(self.around / "done", rounds, planned=4)
        cut = write_run(self.around / "cut", rounds, planned=60)
        self.assertIn("Accuracy after training, one model", self.title(done))
        self.assertIn("Accuracy after round 4 of 60, one model", self.title(cut))
        self.assertIn("Accuracy after training (done), round 4 of 60 (cut), one model", self.title(done, cut))

    def test_nothing_is_cut_off_at_the_edges(self):
        runs = [self.write(name, "fedavg", 0.2) for name in ("short", "a-long-name" * 8, "wide-name" * 8)]
        for shown in (runs[:1], runs):
            draw("--out", self.around / "out", *shown)
            for name in PICTURES[0], PICTURES[2]:
                pixels = image.imread(self.around / "out" / name)
                for edge in (pixels[:3], pixels[-3:], pixels[:, :3], pixels[:, -3:]):
                    self.assertEqual(edge.min(), 1, name)

    def test_long_names_do_not_run_into_each_other(self):
        runs = [metrics.read_run(self.write(name, "fedavg", 0.2)) for name in ("a-long-name" * 8, "wide-name" * 8)]
        figure = plot.draw_by_round(runs)
        figure.canvas.draw()
        left, right = (panel.get_children() for panel in figure.axes)
        ends = [max(text.get_window_extent().x1 for text in left if getattr(text, "get_text", str)().startswith("a-l")),
                min(text.get_window_extent().x0 for text in right if getattr(text, "get_text", str)().startswith("wi"))]
        self.assertLess(*ends)

    def test_a_single_evaluation_has_one_whole_round_as_its_axis(self):
        panel = plot.draw_by_round([metrics.read_run(write_run(self.around / "run", {6: [point(4, 0.5)]}))]).axes[0]
        self.assertEqual([label.get_text() for label in panel.get_xticklabels()], ["6"])
        self.assertEqual(panel.get_lines()[0].get_marker(), "o")

    def test_a_low_point_under_min_max_does_not_set_the_axis(self):
        points = [point(32, 0.96), point(2, 0.44), point(2, 0.91, range_="mse")]
        panel = plot.draw_by_width([metrics.read_run(write_run(self.around / "run", {6: points}))]).axes[0]
        self.assertEqual(panel.get_ylim()[0], 90)
        self.assertIn("\u2193 44.0", [text.get_text() for text in panel.texts])

    def test_low_best_points_keep_the_axis_at_zero(self):
        points = [point(32, 0.96), point(2, 0.3), point(2, 0.44, range_="mse")]
        panel = plot.draw_by_width([metrics.read_run(write_run(self.around / "run", {6: points}))]).axes[0]
        self.assertEqual(panel.get_ylim()[0], 0)

    def test_a_run_that_was_not_evaluated_is_left_out_with_a_note(self):
        done = self.write("done", "fedavg", 0.2)
        young = write_run(self.around / "young", {1: []})
        code, error = draw(done, young)
        self.assertEqual((code, error.count("\n")), (0, 1))
        self.assertIn(f"left out: {young / 'metrics.jsonl'}: nothing was evaluated yet", error)
        self.assertEqual(pictures_in(self.around), PICTURES)
        newborn = write_run(self.around / "newborn", {})
        (newborn / "metrics.jsonl").unlink()
        self.assertEqual(draw(newborn, young),
                         (1, "plot.py: none of the runs was evaluated yet; run on, or set evaluate.every to a smaller "
                             "number\n"))

    def test_a_folder_that_cannot_be_written_is_told_in_plain_words(self):
        run = self.write("mqat", "mqat", 0.5)
        file = run / "metrics.jsonl"
        self.assertEqual(draw("--out", file / "out", run),
                         (1, f"plot.py: cannot write {file / 'out'}: Not a directory\n"))

    def test_runs_of_one_name_are_told_apart_by_their_folders(self):
        runs = [self.write(f"seed{seed}/mqat", "mqat", 0.5) for seed in (1, 2)]
        draw(*runs)
        picture = (self.around / "accuracy_by_round.svg").read_text()
        self.assertIn("<!-- seed1/mqat", picture)
        self.assertIn("<!-- seed2/mqat", picture)

    def test_first_and_last_widths_are_shown_where_they_are_set(self):
        run = write_run(self.around / "fedavg", {1: [point(4, 0.5, first=8)]})
        self.assertEqual(draw(run, "--out", run), (0, ""))
        self.assertIn("<!-- fedavg, first layer 8 bits -->", (run / "accuracy_by_width.svg").read_text())
        self.assertIn("min-max per tensor, first layer 8 bits", (run / "accuracy_by_round.svg").read_text())

    def test_a_folder_without_metrics_is_one_clear_error(self):
        empty = self.around / "empty"
        empty.mkdir()
        code, error = draw(empty)
        self.assertEqual((code, error.count("\n")), (1, 1))
        self.assertIn(f"{empty / 'metrics.jsonl'}: No such file", error)
        self.assertEqual(pictures_in(empty), [])


if __name__ == "__main__":
    unittest.main()
