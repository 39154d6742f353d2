import pathlib
import tempfile
import unittest

import fleet_runs

import tasks
from metrics import MetricsError
from tasks import Task, Window

HEADER = fleet_runs.HEADER
LINE = "1,7,phone,0,0,10,counted,0,0,1,6,2,100,20,30,0.5"


def task(client, sent, ended, round_=1, device_class="phone", phases=(1, 6, 2), outcome="counted"):
    return Task(round_, client, device_class, sent, sent, ended, outcome, phases)


class ReadingTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.file = self.folder / "tasks.csv"

    def read(self, text):
        self.file.write_text(text)
        return tasks.read_tasks(self.folder)

    def error_of(self, text):
        with self.assertRaises(MetricsError) as caught:
            self.read(text)
        return str(caught.exception)

    def test_a_line_is_a_task(self):
        self.assertEqual(self.read(f"{HEADER}\n{LINE}\n2,8,,10,10,12.5,lost,1,0,1e-3,6,2,1,2,3,0\n"),
                         [task(7, 0, 10), task(8, 10, 12.5, 2, "", (0.001, 6, 2), "lost")])
        self.assertEqual(self.read(HEADER + "\n"), [])

    def test_further_columns_and_another_order_are_read_by_their_names(self):
        header = "client,note,class,round,sent,began,ended,outcome,down_seconds,compute_seconds,up_seconds"
        self.assertEqual(self.read(f"{header}\n7,new,phone,1,0,0,10,counted,1,6,2\n"), [task(7, 0, 10)])

    def test_a_last_line_that_was_cut_off_is_left_out(self):
        for torn in ("1,8,phone", "1,8,phone\n", "1,8,phone,0,0,10,counted,0,0,1,6,2,100,20,30,0."):
            self.assertEqual(self.read(f"{HEADER}\n{LINE}\n{torn}"), [task(7, 0, 10)], torn)

    def test_a_malformed_line_is_named(self):
        for line, words in [("1,8,phone", "3 fields, but the header has 16"),
                            (LINE.replace("counted", "won"), "outcome is 'won', but must be one of counted, late, "
                             "released, abandoned, refused, lost"),
                            (LINE.replace(",10,", ",soon,"), "ended is 'soon', but must be a number from 0 on"),
                            (LINE.replace(",10,", ",nan,"), "ended is 'nan', but must be a number from 0 on"),
                            (LINE.replace(",0,0,10,", ",0,11,10,"), "began at 11, but was sent at 0 and ended at 10"),
                            (LINE.replace(",7,", ",7.5,"), "client is '7.5', but must be a whole number")]:
            self.assertEqual(self.error_of(f"{HEADER}\n{LINE}\n{line}\n{LINE}\n"), f"{self.file}:3: {words}")

    def test_a_header_without_a_column_is_named(self):
        self.assertEqual(self.error_of("round,client,class,sent,began,ended\n"),
                         f"{self.file}:1: the header lacks down_seconds, compute_seconds, up_seconds, outcome")
        self.assertIn(":1: the header lacks round", self.error_of(""))

    def test_a_run_without_tasks_says_why_and_what_to_do(self):
        with self.assertRaises(MetricsError) as caught:
            tasks.read_tasks(self.folder)
        self.assertEqual(str(caught.exception), f"{self.file}: no such file; anybit-sim writes it where devices take "
                         "time, a server never: give the scenario a fleet (docs/scenario.md), and run it "
                         "with anybit-sim")


class PhasesTest(unittest.TestCase):
    def test_phases_follow_each_other(self):
        self.assertEqual(task(1, 5, 20, phases=(1, 6, 2)).bars(), [(5, 6), (6, 12), (12, 14)])

    def test_phases_are_cut_off_where_the_task_ended(self):
        self.assertEqual(task(1, 5, 8, phases=(1, 6, 2)).bars(), [(5, 6), (6, 8), (8, 8)])


class PickingTest(unittest.TestCase):
    ENDS = {1: 10.0, 2: 30.0, 3: 35.0}

    def test_a_window_begins_where_the_round_before_it_ended(self):
        self.assertEqual(tasks.asked_window("1-2", self.ENDS), Window(1, 2, 0, 30))
        self.assertEqual(tasks.asked_window("2-3", self.ENDS), Window(2, 3, 10, 35))
        self.assertEqual(tasks.asked_window("3", self.ENDS), Window(3, 3, 30, 35))

    def test_rounds_that_are_none_are_refused(self):
        for text, words in [("x", "must be A-B"), ("3-1", "must be A-B"), ("0-1", "must be A-B"), ("1-", "must be A-B"),
                            ("-2", "must be A-B"), ("2-4", "the rounds that are over are 1 to 3")]:
            with self.assertRaises(MetricsError) as caught:
                tasks.asked_window(text, self.ENDS)
            self.assertIn(f"--rounds {text}: {words}", str(caught.exception))

    def test_a_window_has_what_can_be_seen_in_it(self):
        window = Window(2, 2, 10, 30)
        seen = {(0, 10): False, (0, 10.0001): False, (0, 12): True, (0, 40): True, (10, 30): True, (15, 15): True,
                (29.9999, 40): False, (25, 40): True, (30, 40): False}
        self.assertEqual({span: window.has(task(1, *span)) for span in seen}, seen)

    def test_rounds_are_shown_until_their_clients_have_no_more_rows(self):
        of_rounds = [task(10 * number + index, 0, 1, number) for number in range(1, 8) for index in range(10)]
        ends = {number: float(number) for number in range(1, 8)}
        self.assertEqual(tasks.fitting_window(of_rounds, ends, 50), Window(1, 5, 0, 5))
        self.assertEqual(tasks.fitting_window(of_rounds, ends, 60), Window(1, 6, 0, 6))
        self.assertEqual(tasks.fitting_window(of_rounds, ends, 1000), Window(1, 7, 0, 7))

    def test_three_rounds_are_shown_however_many_clients_they_have(self):
        of_rounds = [task(10 * number + index, 0, 1, number) for number in range(1, 8) for index in range(10)]
        self.assertEqual(tasks.fitting_window(of_rounds, self.ENDS, 5), Window(1, 3, 0, 35))

    def test_rounds_of_the_same_few_clients_are_shown_until_each_has_four_tasks(self):
        of_rounds = [task(index, 0, 1, number) for number in range(1, 30) for index in range(2)]
        ends = {number: float(number) for number in range(1, 30)}
        self.assertEqual(tasks.fitting_window(of_rounds, ends, 60), Window(1, 4, 0, 4))

    def test_clients_come_by_class_then_by_who_is_sent_a_task_and_is_done_first(self):
        shown = [task(1, 0, 9, device_class="watch"), task(2, 0, 5), task(3, 0, 2), task(3, 5, 6), task(4, 1, 2)]
        everything = [*shown, task(9, 0, 50, device_class="watch")]
        self.assertEqual(tasks.ordered_clients(everything, shown),
                         [("phone", 3), ("phone", 2), ("phone", 4), ("watch", 1)])

    def test_a_few_of_many_are_spread_over_all(self):
        self.assertEqual(tasks.evenly(list(range(10)), 5), [1, 3, 5, 7, 9])
        self.assertEqual(tasks.evenly(list(range(10)), 3), [1, 5, 8])
        self.assertEqual(tasks.evenly([1, 2], 3), [1, 2])

    def test_who_ended_a_round_is_among_the_few(self):
        rows = [("phone", client) for client in range(20)]
        played = [task(client, 0, 10 + client, 1) for client in range(17)]
        played += [task(18, 30, 33, 2), task(17, 30, 50, 2, outcome="lost")]
        kept = tasks.with_stragglers(rows, played, 5)
        self.assertEqual(len(kept), 5)
        self.assertEqual(kept, sorted(kept))
        self.assertTrue({("phone", 16), ("phone", 18)} <= set(kept))
        self.assertEqual(tasks.with_stragglers(rows[:3], played, 5), rows[:3])

    def test_the_ends_of_rounds_come_from_the_metrics(self):
        self.assertEqual(tasks.round_ends("m", [{"round": 1, "time": 2}, {"round": 2, "time": 3.5}]), {1: 2, 2: 3.5})
        with self.assertRaisesRegex(MetricsError, "^m: no round has a time"):
            tasks.round_ends("m", [{"round": 1}])


if __name__ == "__main__":
    unittest.main()
