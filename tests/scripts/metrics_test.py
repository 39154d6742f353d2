import json
import pathlib
import tempfile
import unittest

from fixtures import point, write_run

import metrics


class MetricsTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name) / "run"

    def error_of(self):
        with self.assertRaises(metrics.MetricsError) as caught:
            metrics.read_run(self.folder)
        return str(caught.exception)

    def test_reads_evaluated_rounds_and_the_method(self):
        run = metrics.read_run(write_run(self.folder, {1: [], 2: [point(32, 0.5)]}, method="mqat"))
        self.assertEqual((run.name, run.method), ("run", "mqat"))
        self.assertEqual(run.evaluations, [(2, [point(32, 0.5)])])

    def test_rounds_that_were_abandoned_do_not_count(self):
        write_run(self.folder, {})
        lines = [{"round": 1, "version": 0, "abandoned": True},
                 {"round": 2, "version": 1, "accuracy": [point(32, 0.5)]},
                 {"round": 3, "version": 1, "abandoned": True},
                 {"round": 4, "version": 2, "accuracy": [point(32, 0.6)]}]
        (self.folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        self.assertEqual([round_ for round_, _ in metrics.read_run(self.folder).evaluations], [1, 2])

    def test_a_line_that_is_still_being_written_is_left_out(self):
        write_run(self.folder, {1: [point(32, 0.5)]})
        with open(self.folder / "metrics.jsonl", "a", encoding="utf-8") as file:
            file.write('{"round": 2, "accu')
        self.assertEqual([round_ for round_, _ in metrics.read_run(self.folder).evaluations], [1])

    def test_a_broken_line_is_named(self):
        write_run(self.folder, {1: [point(32, 0.5)]})
        with open(self.folder / "metrics.jsonl", "a", encoding="utf-8") as file:
            file.write("nonsense\n")
        self.assertIn("metrics.jsonl:2: ", self.error_of())

    def test_a_last_line_that_was_cut_off_is_left_out(self):
        write_run(self.folder, {1: [point(32, 0.5)]})
        for torn in (b'{"round": 2, "accu\n', b'{"round": 2, "accu', b'{"round": 2, "a\xc3'):
            with open(self.folder / "metrics.jsonl", "ab") as file:
                file.write(torn)
            self.assertEqual([round_ for round_, _ in metrics.read_run(self.folder).evaluations], [1], torn)
            write_run(self.folder, {1: [point(32, 0.5)]})

    def test_a_line_cut_off_amid_others_is_named(self):
        write_run(self.folder, {1: [point(32, 0.5)]})
        with open(self.folder / "metrics.jsonl", "a", encoding="utf-8") as file:
            file.write('{"round": 2, "accu\n{"round": 3}\n')
        self.assertTrue(self.error_of().endswith("metrics.jsonl:2: not a line of JSON"))

    def test_what_is_no_evaluation_is_told_in_plain_words(self):
        for record, words in [([], "no object with the number of a round"),
                              ({"accuracy": []}, "no object with the number of a round"),
                              ({"round": 1, "version": "1"}, "version is no whole number"),
                              ({"round": 1, "accuracy": 0.5}, "accuracy is no list of points"),
                              ({"round": 1, "accuracy": [0.5]}, "a point of accuracy is no object"),
                              ({"round": 1, "accuracy": [point("4", 0.5)]}, "weights is no whole number of bits"),
                              ({"round": 1, "accuracy": [point(4, 0.5, range_=[])]}, "range is no text")]:
            write_run(self.folder, {})
            (self.folder / "metrics.jsonl").write_text(json.dumps(record) + "\n")
            self.assertEqual(self.error_of(), f"{self.folder / 'metrics.jsonl'}:1: {words}")

    def test_a_value_that_is_no_accuracy_is_refused(self):
        for value, shown in [(1.5, "1.5"), (-0.1, "-0.1"), (float("nan"), "NaN"), (True, "true"), ("0.5", '"0.5"')]:
            write_run(self.folder, {1: [point(32, value)]})
            self.assertTrue(self.error_of().endswith(f":1: value is {shown}, but an accuracy is a number from 0 to 1"))

    def test_a_scenario_that_cannot_be_read_is_told_in_plain_words(self):
        write_run(self.folder, {1: [point(32, 0.5)]})
        scenario = self.folder / "scenario.toml"
        scenario.write_text("[training]\n")
        self.assertEqual(self.error_of(), f"{scenario}: training.method has no name")
        scenario.write_bytes(b"\xff")
        self.assertEqual(self.error_of(), f"{scenario}: not UTF-8 text")

    def test_a_point_without_a_value_is_named(self):
        incomplete = point(32, 0.5)
        del incomplete["value"]
        write_run(self.folder, {1: [incomplete]})
        self.assertIn("metrics.jsonl:1: a point of accuracy lacks value", self.error_of())

    def test_nothing_evaluated_is_an_error_that_says_what_to_do(self):
        write_run(self.folder, {1: [], 2: []})
        self.assertIn("evaluate.every", self.error_of())

    def test_curves_hold_the_regular_evaluation_without_the_final_grid(self):
        final = [point(32, 0.9), point(4, 0.8), point(4, 0.85, range_="mse"), point(3, 0.7)]
        run = metrics.read_run(write_run(self.folder, {10: [point(32, 0.6), point(4, 0.5)], 20: final}))
        self.assertEqual(metrics.curves(run), ((32, "minmax", "tensor", 0, 0), {4: [(10, 0.5), (20, 0.8)],
                                                                        32: [(10, 0.6), (20, 0.9)]}))

    def test_the_line_of_float_weights_goes_on_under_another_range_rule(self):
        final = [point(32, 0.9, range_="mse", granularity="channel"), point(4, 0.8, range_="mse")]
        run = metrics.read_run(write_run(self.folder, {10: [point(32, 0.6), point(4, 0.5)], 20: final}))
        self.assertEqual(metrics.curves(run)[1], {4: [(10, 0.5)], 32: [(10, 0.6), (20, 0.9)]})

    def test_the_line_of_float_weights_keeps_to_its_activations(self):
        run = metrics.read_run(write_run(self.folder, {10: [point(32, 0.6)], 20: [point(32, 0.9, activations=8)]}))
        self.assertEqual(metrics.curves(run)[1], {32: [(10, 0.6)]})

    def test_float_weights_are_among_the_points_of_each_range_rule(self):
        points = [point(32, 0.9, range_="mse"), point(4, 0.8, range_="mse"), point(4, 0.7)]
        run = metrics.read_run(write_run(self.folder, {1: points}))
        self.assertEqual(metrics.best_by_width(run, 32, only_range="minmax"), {4: points[2], 32: points[0]})

    def test_the_best_point_of_each_width_is_chosen_over_rules_at_one_granularity(self):
        best = point(4, 0.8, range_="mse")
        plain = point(4, 0.6)
        others = [point(4, 0.95, granularity="channel"), point(4, 0.99, activations=8)]
        run = metrics.read_run(write_run(self.folder, {5: [best, plain, *others]}))
        self.assertEqual(metrics.best_by_width(run, 32), {4: best})
        self.assertEqual(metrics.best_by_width(run, 32, only_range="minmax"), {4: plain})
        self.assertEqual(metrics.activation_widths([run]), [32, 8])

    def test_quantizers_of_the_methods_own_have_no_granularity_and_activations_of_their_own(self):
        def trained(weights, value, activations=32):
            return point(weights, value, activations=activations, range_="trained", granularity="trained")

        usual = [point(4, 0.6, granularity="channel"), point(32, 0.85, activations=8), point(4, 0.5, activations=8)]
        own = [trained(32, 0.9), trained(4, 0.7), trained(32, 0.88, 8), trained(4, 0.65, 8)]
        run = metrics.read_run(write_run(self.folder, {1: own, 2: own + usual}))
        self.assertEqual(metrics.curves(run), ((32, "trained", "trained", 0, 0), {4: [(1, 0.7), (2, 0.7)],
                                                                         32: [(1, 0.9), (2, 0.9)]}))
        self.assertEqual(metrics.shown_granularity(run), "tensor")
        self.assertEqual(metrics.best_by_width(run, 8), {4: own[3], 32: own[2]})
        self.assertEqual(metrics.best_by_width(run, 8, only_range="minmax"), {4: usual[2], 32: usual[1]})
        self.assertEqual(metrics.best_by_width(run, 32), {4: own[1], 32: own[0]})
        self.assertEqual(metrics.granularity_text([run]), "ranges per tensor")
        alone = metrics.read_run(write_run(self.folder / "alone", {1: own}))
        self.assertEqual(metrics.best_by_width(alone, 8), {4: own[3], 32: own[2]})
        self.assertEqual(metrics.granularity_text([alone]), "quantizers as trained")

    def test_points_of_other_first_and_last_widths_stay_apart(self):
        final = [point(4, 0.7, activations=8, first=8, last=6), point(4, 0.9), point(2, 0.1)]
        run = metrics.read_run(write_run(self.folder, {1: [point(4, 0.5)], 2: final}))
        self.assertEqual(metrics.curves(run)[1], {4: [(1, 0.5), (2, 0.9)]})
        self.assertEqual(metrics.activation_widths([run]), [8])
        self.assertEqual(metrics.best_by_width(run, 8), {4: final[0]})
        self.assertEqual(metrics.best_by_width(run, 32), {})
        self.assertEqual(metrics.ends_text(metrics.shown_ends(run)), ", first layer 8 bits, last layer 6 bits")

    def test_curves_keep_to_the_plainest_setting_of_their_own_first_and_last_widths(self):
        regular = [point(4, 0.6, range_="mse", last=8), point(4, 0.5, last=8)]
        run = metrics.read_run(write_run(self.folder, {1: regular, 2: [point(4, 0.9), *regular]}))
        self.assertEqual(metrics.curves(run), ((32, "minmax", "tensor", 0, 8), {4: [(1, 0.5), (2, 0.5)]}))


if __name__ == "__main__":
    unittest.main()
