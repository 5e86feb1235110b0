#!/usr/bin/python3
"""usage: history_test.py [-k WORD]

The judge of histories itself: a good one passes, and one for each rule that breaks it, and nothing
else, is named by that rule.
"""
import history
from harness import run_cases


class Story:
    """A history of two nodes, both of which hold the statements a to e at places 1 to 5."""

    def __init__(self):
        self.now = 0
        self.answers = []
        log = ["genesis", "a", "b", "c", "d", "e"]
        headers = ["h%d" % i for i in range(6)]
        self.ends = {"one": (list(log), list(headers)), "two": (list(log), list(headers))}

    def ask(self, what, of, status, index=-1, height=-1, client=0, node=0, asked=None):
        self.now += 10
        self.answers.append(history.Answer(self.now if asked is None else asked, self.now + 5,
                                           client, node, what, of, status, index, height))
        return self

    def rules(self):
        wrong, self.counts = history.check(self.answers, self.ends)
        return sorted({rule for rule, _ in wrong})


def good():
    return (Story().ask("write", "a", 201, 1, 1).ask("head", "h1", 200, 2, 1)
            .ask("write", "b", 504).ask("again", "b", 201, 2, 2, node=1)
            .ask("find", "b", 404, node=0).ask("find", "b", 200, 2, 2, node=1)
            .ask("write", "c", 0).ask("write", "lost on the way", 503)
            .ask("head", "h3", 200, 4, 3, client=1).ask("head", "h2", 200, 3, 2, client=1, node=1)
            .ask("again", "a", 201, 1, 1, client=2))


def a_good_history_passes_and_is_counted(_):
    story = good()
    assert story.rules() == [], story.rules()
    assert story.counts == {
        "writes": 4, "acknowledged": 2, "open": 2, "open but stored": 1, "resent": 2,
        "resent and answered": 2, "found": 1, "heads read": 3, "without an answer": 1}, story.counts


def broken(rule, story):
    assert story.rules() == [rule], (rule, story.rules())


def an_acknowledged_write_that_is_gone_is_lost(_):
    broken("lost", good().ask("write", "z", 201, 6, 5))
    story = good()
    for log, _ in story.ends.values():
        log[1] = "another"
    broken("lost", story)
    broken("lost", good().ask("write", "d", 201, 4, 99))  # of a block that is not there


def what_one_node_lacks_is_lost_there_and_the_nodes_differ(_):
    story = good()
    del story.ends["two"][0][2:]
    assert story.rules() == ["differ", "lost"], story.rules()


def a_place_that_two_statements_have_is_named(_):
    # The log decides which one has it; the other is lost as well.
    assert good().ask("write", "x", 201, 2, 2).rules() == ["lost", "twice"]
    story = good()
    for log, _ in story.ends.values():
        log.append("a")
    broken("twice", story)


def a_statement_that_moved_is_named(_):
    broken("moved", good().ask("again", "b", 201, 3, 3, client=3))
    broken("moved", good().ask("find", "b", 200, 2, 3, client=3))


def a_write_that_overtakes_an_acknowledged_one_is_named(_):
    broken("order", Story().ask("write", "b", 201, 2, 2).ask("write", "a", 201, 1, 1, client=1))
    # Side by side, either order is right.
    story = Story().ask("write", "b", 201, 2, 2)
    assert story.ask("write", "a", 201, 1, 1, client=1, asked=14).rules() == []
    # As is a resent one that was stored in time, though its answer was lost.
    story = Story().ask("write", "a", 504).ask("write", "b", 201, 2, 2, client=1)
    assert story.ask("again", "a", 201, 1, 1, client=2).rules() == []


def a_refused_write_is_named(_):
    for status in (400, 403, 409, 500):
        broken("refused", good().ask("write", "y", status))
        broken("refused", good().ask("again", "a", status))


def a_head_that_goes_back_is_named(_):
    broken("back", good().ask("head", "h2", 200, 3, 2, client=1))
    # Older than the block of which this node told this client.
    broken("back", good().ask("head", "h1", 200, 2, 1, client=0, node=1))
    assert good().ask("head", "h1", 200, 2, 1, client=2, node=1).rules() == []


def a_statement_that_vanishes_is_named(_):
    broken("vanished", good().ask("find", "b", 404, node=1))
    # Elsewhere it may not be there yet; and a node that does not answer shows nothing.
    assert good().ask("find", "b", 404, client=1, node=1).ask("find", "b", 503, node=1).rules() == []


def two_heads_of_one_height_are_a_fork(_):
    story = good().ask("head", "other", 200, 4, 3, client=4)
    assert set(story.rules()) == {"fork"}, story.rules()
    broken("fork", good().ask("head", "h3", 200, 5, 3, client=4))
    broken("fork", good().ask("head", "h9", 200, 12, 9, client=4))


def nodes_that_hold_different_things_differ(_):
    story = good()
    story.ends["two"][0][4] = "another"
    broken("differ", story)
    story = good()
    story.ends["two"][1][5] = "another"
    broken("differ", story)
    story = good()
    story.ends["one"][0].append("more")
    broken("differ", story)


def a_line_is_read_as_it_was_written(_):
    answer = history.parse("17 29 3 1 write 00ff 201 7 5\n")
    assert answer == (17, 29, 3, 1, "write", "00ff", 201, 7, 5)


run_cases(a_good_history_passes_and_is_counted,
          an_acknowledged_write_that_is_gone_is_lost,
          what_one_node_lacks_is_lost_there_and_the_nodes_differ,
          a_place_that_two_statements_have_is_named,
          a_statement_that_moved_is_named,
          a_write_that_overtakes_an_acknowledged_one_is_named,
          a_refused_write_is_named,
          a_head_that_goes_back_is_named,
          a_statement_that_vanishes_is_named,
          two_heads_of_one_height_are_a_fork,
          nodes_that_hold_different_things_differ,
          a_line_is_read_as_it_was_written)
