#!/usr/bin/python3
"""usage: metrics.py CAIRN SOURCES [-k WORD]

What is counted, what docs/metrics.md says of it, what the alerts and the dashboard ask for, and what a
running node answers are the same.
"""
import json
import pathlib
import re
import shutil
import subprocess
import sys

import yaml

from harness import Ledger, run_cases

CAIRN, SOURCES = sys.argv[1], pathlib.Path(sys.argv[2])
KINDS = {"COUNTER": "counter", "TIME_COUNTER": "counter", "GAUGE": "gauge", "TIME_GAUGE": "gauge",
         "TIMES": "histogram", "SIZES": "histogram"}
TEXT = r'((?:"[^"]*"|\w+|\s|\\\n)+)'


def table():
    """The table of the program: name -> (kind, label, values, meaning)."""
    source = (SOURCES / "src/base/metric_table.h").read_text()
    joined = re.sub(r'"[\s\\]*\n\s*"', "", source)
    texts = dict(re.findall(r'#define (\w+)[\s\\]*"([^"]*)"', joined))

    def text(parts):
        words = re.findall(r'"([^"]*)"|(\w+)', parts)
        return "".join(texts[name] if name else literal for literal, name in words)

    rows = re.findall(r"\bX\(\w+, (\w+),%s,%s,%s,%s\)" % (TEXT, TEXT, TEXT, TEXT), source)
    out = {text(name): (KINDS[kind], text(label), text(values), text(meaning))
           for kind, name, label, values, meaning in rows}
    assert len(out) == len(re.findall(r"\bX\(METRIC_", source)) > 30, len(out)
    return out


def documented():
    """The same as docs/metrics.md has it."""
    page = (SOURCES / "docs/metrics.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (.*?) \| (.*?) \| (.*?) \|$", page, re.M)
    assert len(rows) == page.count("\n| `"), "a row of docs/metrics.md is not in five columns"
    assert len({row[0] for row in rows}) == len(rows), "a row stands twice"
    out = {}
    for name, kind, label, meaning, worry in rows:
        assert worry, name
        match = re.fullmatch(r"`(\w+)`: (.*)", label)
        assert match or label == "-", (name, label)
        label, values = (match[1], match[2].replace(", ", ",")) if match else ("", "")
        out[name] = (kind, label, values, meaning)
    return out


def scraped(text):
    """The same out of an answer, and the values: name -> {label value: number}."""
    rows, values = {}, {}
    for line in text.splitlines():
        if line.startswith("# HELP "):
            name, meaning = line[len("# HELP "):].split(" ", 1)
        elif line.startswith("# TYPE "):
            rows[name] = [line.rsplit(" ", 1)[1], "", [], meaning]
            values[name] = {}
        else:
            sample, number = line.rsplit(" ", 1)
            match = re.fullmatch(r'(\w+?)(_bucket|_sum|_count)?(?:\{(.*)\})?', sample)
            labels = dict(re.findall(r'(\w+)="([^"]*)"', match[3] or ""))
            labels.pop("le", None)
            for label, value in labels.items():
                rows[name][1] = label
                if value not in rows[name][2]:
                    rows[name][2].append(value)
            if rows[name][0] != "histogram" or match[2] == "_count":
                values[name]["".join(labels.values())] = float(number)
    return {name: (row[0], row[1], ",".join(row[2]), row[3]) for name, row in rows.items()}, values


def differences(one, other):
    return {name: (one.get(name), other.get(name)) for name in set(one) | set(other)
            if one.get(name) != other.get(name)}


def the_page_says_what_the_program_counts(_):
    assert not differences(table(), documented()), differences(table(), documented())


def an_answer_has_every_metric_and_counts_what_happened(folder):
    ledger = Ledger(CAIRN, folder).init().start()
    status, headers, body = ledger.http("GET", "/metrics")
    assert (status, headers["Content-Type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    rows, before = scraped(body.decode())
    assert not differences(table(), rows), differences(table(), rows)

    key = ledger.member("clerk")
    paper = folder / "paper.txt"
    paper.write_text("paper")
    ledger.cli("deposit", paper, "--key", key, "--out", folder)
    assert ledger.http("POST", "/v1/statements", b"\xd2\x84\x40\xa0\x40\x40",
                       {"Content-Type": "application/cose"})[0] == 400
    _, after = scraped(ledger.http("GET", "/metrics")[2].decode())
    ledger.stop()

    def grown(name, label=""):
        return after[name][label] - before[name][label]

    assert grown("cairn_node_accepted_statements_total") == 2
    assert grown("cairn_node_items_total") == 1
    assert grown("cairn_admit_signatures_total", "good") == 2
    assert grown("cairn_admit_refused_statements_total", "malformed") == 1
    assert grown("cairn_order_blocks_total") == grown("cairn_node_height_blocks") == 2
    assert grown("cairn_order_block_duration_seconds", "commit") == 2
    assert grown("cairn_store_fsync_duration_seconds", "log") == 2
    assert grown("cairn_store_fsync_duration_seconds", "mark") == 2
    assert grown("cairn_node_proofs_total", "entry") >= 1
    assert grown("cairn_node_signed_heads_total", "receipt") >= 1
    assert grown("cairn_node_tree_size_entries") == 2
    assert after["cairn_process_resident_memory_bytes"][""] > 1 << 20
    assert after["cairn_node_ready_state"][""] == 1
    assert after["cairn_node_disk_free_bytes"][""] > 0


def a_refusal_in_the_block_is_counted_by_its_reason(folder):
    ledger = Ledger(CAIRN, folder).init().start()
    key = ledger.member("clerk")
    paper = folder / "paper.txt"
    paper.write_text("paper")
    ledger.cli("deposit", paper, "--key", key, "--out", folder)
    evidence = ledger.json("/v1/ledger")["head"]["size"]
    ledger.cli("member", "revoke", "clerk", "--reason", "left", "--key",
               ledger.dir / "operator.key")
    ledger.cli("deposit", paper, "--key", key, "--out", folder, wanted=None)
    _, values = scraped(ledger.http("GET", "/metrics")[2].decode())
    refused = sum(values["cairn_node_refused_statements_total"].values()) + sum(
        values["cairn_admit_refused_statements_total"].values())
    assert refused == 1, (evidence, values["cairn_node_refused_statements_total"])
    ledger.stop()


def asked_for(text):
    """The metrics that a query names, histograms without what their parts add."""
    return {re.sub(r"_(bucket|sum|count)$", "", name) if name not in table() else name
            for name in re.findall(r"\bcairn_\w+", text)}


def alerts_and_dashboard_ask_for_what_there_is(_):
    rules = SOURCES / "packaging/prometheus/cairn.rules.yml"
    board = SOURCES / "packaging/grafana/cairn.json"
    anchors = set(re.findall(r"^## (\w+)$", (SOURCES / "docs/alerts.md").read_text(), re.M))
    names = set()
    for group in yaml.safe_load(rules.read_text())["groups"]:
        for rule in group["rules"]:
            assert asked_for(rule["expr"]) <= set(table()), (rule["expr"], asked_for(rule["expr"]))
            if "alert" in rule:
                names.add(rule["alert"])
                link = rule["annotations"]["runbook_url"]
                assert link.endswith("docs/alerts.md#" + rule["alert"].lower()), link
                assert rule["annotations"]["summary"].endswith("."), rule
                assert rule["labels"]["severity"] in ("page", "ticket"), rule
    assert names == anchors, names ^ anchors
    queries = [target["expr"] for panel in json.loads(board.read_text())["panels"]
               for target in panel.get("targets", ())]
    assert len(queries) >= 20
    for query in queries:
        assert asked_for(query) and asked_for(query) <= set(table()), query
    if shutil.which("promtool"):
        subprocess.run(["promtool", "check", "rules", rules], check=True, capture_output=True)


def promtool_finds_nothing_wrong_with_an_answer(folder):
    if not shutil.which("promtool"):
        print("promtool is not installed")
        return
    ledger = Ledger(CAIRN, folder).init().start()
    body = ledger.http("GET", "/metrics")[2]
    ledger.stop()
    done = subprocess.run(["promtool", "check", "metrics"], input=body, capture_output=True,
                          check=False)
    assert done.returncode == 0, done.stderr.decode() + done.stdout.decode()


def main():
    run_cases(the_page_says_what_the_program_counts,
              an_answer_has_every_metric_and_counts_what_happened,
              a_refusal_in_the_block_is_counted_by_its_reason,
              alerts_and_dashboard_ask_for_what_there_is,
              promtool_finds_nothing_wrong_with_an_answer)


main()
