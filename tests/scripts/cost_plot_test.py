import json
import pathlib
import tempfile
import unittest

from fixtures import point, write_run
from fleet_runs import Fleet, asynchronous, synchronous, write_fleet_run
from matplotlib import image

import cost_plot
import metrics
import picture

PER_ROUND = {"bytes_down": 1_000_000, "bytes_up": 500_000, "time": 120, "energy": {"phone": 40, "watch": 10}}


def xlabels(figure):
    return [panel.get_xlabel() for panel in figure.axes]


def legend_of(panel):
    return [text.get_text() for text in panel.get_legend().get_texts()]


class CostPlotTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.addCleanup(picture.plt.close, "all")
        self.around = pathlib.Path(folder.name)

    def run_of(self, name, keys=tuple(PER_ROUND), times=1):
        """A run of three rounds, of which two are evaluated, that know of these costs; each so many times PER_ROUND."""
        folder = write_run(self.around / name, {})
        lines = []
        for number in (1, 2, 3):
            told = {key: PER_ROUND[key] * times for key in keys if key != "energy"}
            if "time" in keys:
                told["time"] *= number
            if "energy" in keys:
                told["energy"] = {name: joules * times for name, joules in PER_ROUND["energy"].items()}
            accuracy = {} if number == 2 else {"accuracy": [point(32, 0.3 * number), point(2, 0.2 * number)]}
            lines.append(json.dumps({"round": number, **told, **accuracy}))
        (folder / "metrics.jsonl").write_text("".join(line + "\n" for line in lines))
        return metrics.read_run(folder)

    def test_one_run_has_a_panel_for_each_cost_and_a_line_per_width(self):
        figure = cost_plot.draw_by_cost([self.run_of("run")])
        self.assertEqual(xlabels(figure), ["virtual time (min)", "energy of all devices (J)",
                                           "bytes sent, down and up (MB)"])
        drawn = [[(list(line.get_xdata()), [round(value) for value in line.get_ydata()]) for line in panel.get_lines()]
                 for panel in figure.axes]
        self.assertEqual(drawn, [[([at, 3 * at], [30, 90]), ([at, 3 * at], [20, 60])] for at in (2, 50, 1.5)])
        self.assertEqual(legend_of(figure.axes[-1]), ["float", "2 bits"])

    def test_older_files_have_bytes_only(self):
        figure = cost_plot.draw_by_cost([self.run_of("old", ("bytes_down", "bytes_up"))])
        self.assertEqual(xlabels(figure), ["bytes sent, down and up (MB)"])
        self.assertIsNone(cost_plot.draw_by_cost([self.run_of("older", ())]))

    def test_several_runs_have_a_row_of_panels_for_each_width_and_a_line_each(self):
        runs = [self.run_of("one"), self.run_of("two", times=2)]
        figure = cost_plot.draw_by_cost(runs)
        self.assertEqual([panel.get_title(loc="left") for panel in figure.axes if panel.get_title(loc="left")],
                         ["float weights", "2-bit weights"])
        self.assertEqual([len(panel.get_lines()) for panel in figure.axes], [2] * 6)
        self.assertEqual(legend_of(figure.axes[2]), ["one", "two"])
        self.assertEqual({panel.get_xscale() for panel in figure.axes}, {"linear"})

    def test_runs_that_cost_very_different_amounts_share_a_logarithmic_axis(self):
        figure = cost_plot.draw_by_cost([self.run_of("cheap"), self.run_of("dear", times=20)])
        self.assertEqual({panel.get_xscale() for panel in figure.axes}, {"log"})

    def test_a_run_that_lacks_a_cost_says_so_and_keeps_its_colour(self):
        runs = [self.run_of("old", ("bytes_down", "bytes_up")), self.run_of("new"), self.run_of("newer")]
        figure = cost_plot.draw_by_cost(runs)
        self.assertEqual(legend_of(figure.axes[2]), ["old (without time, energy)", "new", "newer"])
        self.assertEqual([line.get_color() for line in figure.axes[0].get_lines()], picture.RUN_COLOURS[1:3])
        bars = cost_plot.draw_energy_by_class(runs).axes[0].containers
        self.assertEqual([bar[0].get_facecolor() for bar in bars],
                         [picture.matplotlib.colors.to_rgba(colour) for colour in picture.RUN_COLOURS[1:3]])

    def test_energy_is_a_bar_for_each_class_and_run(self):
        runs = [self.run_of("one"), self.run_of("two", times=10)]
        panel = cost_plot.draw_energy_by_class(runs).axes[0]
        self.assertEqual([label.get_text() for label in panel.get_yticklabels()], ["phone", "watch"])
        self.assertEqual([[bar.get_width() for bar in bars] for bars in panel.containers], [[120, 30], [1200, 300]])
        self.assertEqual(legend_of(panel), ["one: 150 J", "two: 1.5 kJ"])
        self.assertIsNone(cost_plot.draw_energy_by_class([self.run_of("old", ())]))

    def test_nothing_is_cut_off_at_the_edges(self):
        runs = [metrics.read_run(write_fleet_run(self.around / name, *played)) for name, played in
                (("sync", synchronous(Fleet(60, 1), 6, 20, 6)), ("async" * 12, asynchronous(Fleet(60, 1), 20, 20, 5)))]
        with picture.plt.rc_context(picture.STYLE):
            for shown in (runs[:1], runs):
                for draw in (cost_plot.draw_by_cost, cost_plot.draw_energy_by_class):
                    draw(shown).savefig(self.around / "picture.png", bbox_inches="tight")
                    pixels = image.imread(self.around / "picture.png")
                    for edge in (pixels[:3], pixels[-3:], pixels[:, :3], pixels[:, -3:]):
                        self.assertEqual(edge.min(), 1)


class UnitsTest(unittest.TestCase):
    def test_a_unit_is_that_of_which_there_are_a_few(self):
        units = [picture.unit_for(seconds, picture.TIME_UNITS)[1] for seconds in (0, 179, 180, 10799, 10800, 259200)]
        self.assertEqual(units, ["s", "s", "min", "min", "h", "days"])

    def test_amounts_have_three_digits(self):
        joules = picture.thousands("J")
        self.assertEqual([picture.amount_text(amount, joules) for amount in (0, 0.5, 999, 1000, 53412, 2.5e6)],
                         ["0 J", "0.5 J", "999 J", "1 kJ", "53.4 kJ", "2.5 MJ"])


if __name__ == "__main__":
    unittest.main()
