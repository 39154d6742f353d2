import contextlib
import io
import json
import pathlib
import re
import subprocess
import tempfile
import unittest

from fixtures import BUILD, SCRIPTS
from fleet_runs import Fleet, asynchronous, synchronous, write_fleet_run, write_tasks
from matplotlib import image
from matplotlib.text import Text

import metrics
import tasks
import timeline


def draw(*arguments):
    """(exit code, what went to stderr); in this process, as Matplotlib takes a second to load."""
    error = io.StringIO()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(error):
        code = timeline.main([str(argument) for argument in arguments])
    return code, error.getvalue()


def set_all(settings):
    return [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]


def texts_of(run):
    """Every text of the picture: Matplotlib writes each as a comment."""
    return re.findall("<!-- (.*?) -->", (run / "timeline.svg").read_text(), re.DOTALL)


def panel_of(run, window, most_clients=60):
    ends = tasks.round_ends(run, metrics.read_records(run))
    window = tasks.asked_window(window, ends)
    with timeline.picture.plt.rc_context(timeline.picture.STYLE):
        figure = timeline.draw(run, metrics.read_records(run), tasks.read_tasks(run), window, ends, most_clients)
        figure.canvas.draw()
    return figure.axes[0]


class TimelineTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.addCleanup(timeline.picture.plt.close, "all")
        self.around = pathlib.Path(folder.name)

    def write(self, name, played):
        return write_fleet_run(self.around / name, *played)

    def test_a_run_is_drawn_into_its_own_folder_or_another(self):
        run = self.write("tiny", synchronous(Fleet(2, 5), 3, 2))
        self.assertEqual(draw(run), (0, ""))
        self.assertTrue((run / "timeline.png").read_bytes().startswith(b"\x89PNG"))
        self.assertIn("tiny: rounds 1 to 3 of 3, 2 clients", texts_of(run))
        self.assertIn("6 tasks ended in them: 6 counted", texts_of(run))
        self.assertEqual(draw(run, "--out", self.around / "out"), (0, ""))
        self.assertTrue((self.around / "out" / "timeline.svg").exists())

    def test_rounds_and_clients_that_are_asked_for_are_shown(self):
        run = self.write("sync", synchronous(Fleet(100, 1), 6, 20, 6))
        self.assertEqual(draw(run, "--rounds", "4-5", "--clients", "10"), (0, ""))
        texts = texts_of(run)
        rows = re.search(r"sync: rounds 4 to 5 of 6, 10 of (\d+) clients, the last of each round and others "
                         r"\((\d+) left out\)\n"
                         r"52 tasks ended in them: 40 counted, ", "\n".join(texts))
        self.assertEqual(int(rows[1]), int(rows[2]) + 10)
        self.assertIn("virtual time since round 4 began (s)", texts)
        self.assertTrue({"round 4", "round 5", "phone", "tablet", "released: called off, for nobody", "waited for it"}
                        <= set(texts))

    def test_nothing_is_cut_off_and_little_is_left_empty(self):
        run = self.write("sync", synchronous(Fleet(60, 1), 3, 30, 10, deadline=45))
        draw(run)
        pixels = image.imread(run / "timeline.png")[:, :, :3]
        for edge in (pixels[:3], pixels[-3:], pixels[:, :3], pixels[:, -3:]):
            self.assertEqual(edge.min(), 1)
        used = (pixels.min(axis=(1, 2)) < 1).nonzero()[0]
        self.assertGreater(used[-1], len(pixels) - 30)

    def test_each_phase_is_a_bar_and_marks_are_where_tasks_ended(self):
        task = Fleet(2, 5).task(0, 0, 0) | {"outcome": "lost", "down_seconds": 2, "compute_seconds": 5, "up_seconds": 9,
                                            "round": 2, "sent": 100, "began": 100, "ended": 110}
        run = self.write("run", ([task], [100, 120]))
        panel = panel_of(run, "2")
        spans = [(path.get_extents().x0, path.get_extents().x1) for path in panel.collections[0].get_paths()]
        self.assertEqual(spans, [(0, 10), (0, 2), (2, 7), (7, 10)])  # first the thin line of all of it
        mark, = (line for line in panel.lines if line.get_marker() == "x")
        self.assertEqual((list(mark.get_xdata()), list(mark.get_ydata())), ([10], [0]))

    def test_bars_begin_when_the_client_came_by(self):
        task = Fleet(2, 5).task(0, 0, 0) | {"round": 1, "sent": 0, "began": 40, "ended": 56, "down_seconds": 2,
                                            "compute_seconds": 5, "up_seconds": 9}
        panel = panel_of(self.write("run", ([task], [60])), "1")
        spans = [(path.get_extents().x0, path.get_extents().x1) for path in panel.collections[0].get_paths()]
        self.assertEqual(spans, [(0, 56), (40, 42), (42, 47), (47, 56)])
        self.assertIn("waiting, latency", [text.get_text() for text in panel.figure.findobj(Text)])

    def test_a_line_is_where_each_round_ends(self):
        played = synchronous(Fleet(4, 5), 4, 3)
        panel = panel_of(self.write("run", played), "2-3")
        self.assertEqual([line.get_xdata()[0] for line in panel.lines if line.get_marker() == "None"
                          and line.get_linestyle() == "-" and line.get_clip_on() is False],
                         [end - played[1][0] for end in played[1][1:3]])

    def test_labels_of_many_rounds_do_not_run_into_each_other(self):
        panel = panel_of(self.write("async", asynchronous(Fleet(80, 1), 60, 40, 5)), "20-60")
        boxes = [text.get_window_extent() for text in panel.texts if re.fullmatch(r"(round )?\d+", text.get_text())]
        self.assertGreater(len(boxes), 10)
        for left, right in zip(boxes, boxes[1:]):
            self.assertLess(left.x1, right.x0)

    def test_a_client_that_comes_again_has_one_row(self):
        run = self.write("async", asynchronous(Fleet(6, 1), 20, 6, 2))
        panel = panel_of(run, "1-20")
        labels = [label.get_text().removeprefix("client ") for label in panel.get_yticklabels()]
        self.assertEqual(sorted(labels), ["0", "1", "2", "3", "4", "5"])

    def test_hours_read_as_hours(self):
        run = self.write("slow", synchronous(Fleet(5, 3, slowness=500), 3, 3, 1))
        self.assertEqual(draw(run), (0, ""))
        self.assertIn("virtual time (h)", texts_of(run))

    def test_the_title_says_of_waiting_and_of_rounds_that_were_abandoned(self):
        run = self.write("run", synchronous(Fleet(4, 5), 3, 3))
        records = [{"round": number, "time": 20.0 * number} for number in (1, 2, 3)]
        records[1] |= {"version": 1, "abandoned": True, "waited": 90}
        (run / "metrics.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
        panel = panel_of(run, "1-3")
        self.assertTrue(panel.get_title(loc="left").endswith("; 1.5 min without enough clients; 1 round abandoned "
                                                             "(dotted)"))
        self.assertEqual([line.get_xdata()[0] for line in panel.lines if line.get_linestyle() == ":"], [40])

    def test_a_run_of_the_program_with_an_abandoned_round_is_drawn(self):
        run = self.around / "run"
        # Of 20 clients one in ten is lost, so that 18 are often too many to ask for.
        subprocess.run([f"{BUILD}/sim/anybit-sim", "run", SCRIPTS.parent / "scenarios" / "uneven.toml", "--out", run,
                        *set_all({"model": "logistic", "federation.rounds": 6, "federation.minimum": 18,
                                  "evaluate.every": 6})], check=True, capture_output=True)
        self.assertIn("abandoned", {task.outcome for task in tasks.read_tasks(run)})
        self.assertEqual(draw(run), (0, ""))
        self.assertIn("abandoned with its round", texts_of(run))

    def test_mistakes_are_one_clear_error(self):
        run = self.write("run", synchronous(Fleet(4, 5), 2, 3))
        self.assertEqual(draw(run, "--clients", "0"),
                         (1, "timeline.py: --clients 0: must be a whole number from 1 on\n"))
        self.assertEqual(draw(run, "--rounds", "2-5"),
                         (1, "timeline.py: --rounds 2-5: the rounds that are over are 1 to 2\n"))
        write_tasks(run, [])
        self.assertEqual(draw(run), (1, f"timeline.py: {run / 'tasks.csv'}: rounds 1 to 2 took no time, or no task "
                                        "ended in them; ask for others (--rounds A-B)\n"))
        (run / "tasks.csv").unlink()
        code, error = draw(run)
        self.assertEqual((code, error.count("\n")), (1, 1))
        self.assertIn("tasks.csv: no such file; anybit-sim writes it where devices take time", error)
        nowhere = self.around / "nowhere"
        self.assertIn(f"{nowhere} is no folder of a run", draw(nowhere)[1])


if __name__ == "__main__":
    unittest.main()
