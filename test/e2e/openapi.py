#!/usr/bin/python3
"""usage: openapi.py CAIRN SOURCES [-k WORD]

docs/openapi.yaml says what the server does: the same paths and methods as the table of routes, the
same text as is served, and real answers have the content types and fields that it promises.
"""
import hashlib
import json
import pathlib
import re
import sys

import yaml

from harness import Ledger, run_cases

CAIRN, SOURCES = sys.argv[1], pathlib.Path(sys.argv[2])
TEXT = (SOURCES / "docs/openapi.yaml").read_text()
API = yaml.safe_load(TEXT)
METHODS = {"get", "post", "put", "delete", "patch", "head", "options"}
TYPES = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool,
         "null": type(None)}


def resolve(node):
    while "$ref" in node:
        where = API
        for part in node["$ref"].removeprefix("#/").split("/"):
            where = where[part]
        node = where
    return node


def is_type(value, name):
    return isinstance(value, TYPES[name]) and not (name == "integer" and isinstance(value, bool))


def check(value, schema, place):
    """What this project uses of JSON Schema."""
    schema = resolve(schema)
    for part in schema.get("allOf", ()):
        check(value, part, place)
    names = schema.get("type", [])
    names = [names] if isinstance(names, str) else names
    assert not names or any(is_type(value, name) for name in names), (place, value, names)
    if "enum" in schema:
        assert value in schema["enum"], (place, value)
    if "pattern" in schema and isinstance(value, str):
        assert re.search(schema["pattern"], value), (place, value)
    if schema.get("format") == "date-time" and value is not None:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", value), (place, value)
    if isinstance(value, dict):
        for name in schema.get("required", ()):
            assert name in value, (place, name, value)
        for name, inner in value.items():
            described = schema.get("properties", {}).get(name, schema.get("additionalProperties"))
            if described:
                check(inner, described, place + "." + name)
    if isinstance(value, list) and "items" in schema:
        for inner in value:
            check(inner, schema["items"], place + "[]")


def properties(schema):
    """Every field that a schema describes."""
    schema = resolve(schema)
    out = set(schema.get("properties", ()))
    for part in schema.get("allOf", ()):
        out |= properties(part)
    return out


def check_answer(path, method, answer):
    """An answer against the description of its path; returns its JSON, if it is that."""
    status, headers, body = answer
    responses = API["paths"][path][method]["responses"]
    response = resolve(responses.get(str(status)) or responses["default"])
    kind = headers["Content-Type"].split(";")[0]
    assert kind in response["content"], (path, status, kind, body[:200])
    if not kind.endswith("json"):
        return None
    value = json.loads(body)
    schema = response["content"][kind]["schema"]
    check(value, schema, path)
    known = properties(schema)
    assert not known or set(value) <= known, (path, set(value) - known)
    return value


def the_description_and_the_table_of_routes_agree(_):
    source = (SOURCES / "src/http/api.c").read_text()
    table = set(re.findall(r'\{"([A-Z]+)", "([^"]+)",', source.replace("...}", "}")))
    described = {(method.upper(), path) for path, operations in API["paths"].items()
                 for method in operations if method in METHODS}
    assert table and table == described, (table - described, described - table)
    for path, operations in API["paths"].items():
        for operation in operations.values():
            names = {resolve(parameter)["name"] for parameter in operation.get("parameters", ())
                     if resolve(parameter)["in"] == "path"}
            assert names == set(re.findall(r"\{(\w+)\}", path)), (path, names)
            assert operation["summary"].endswith("."), path
    ids = [operation["operationId"] for operations in API["paths"].values()
           for operation in operations.values()]
    assert len(ids) == len(set(ids)), ids


def real_answers_are_as_described(folder):
    ledger = Ledger(CAIRN, folder).init().start()
    key = ledger.member("clerk")
    paper, newer = folder / "paper.txt", folder / "newer.txt"
    paper.write_text("paper")
    newer.write_text("newer")
    ledger.cli("deposit", paper, "--plain", "--key", key, "--out", folder)
    record = ledger.json("/v1/evidence?sha256=" + hashlib.sha256(b"paper").hexdigest())
    record = record["evidence"][0]
    statement, number = record["statement"], str(record["number"])
    ledger.cli("supersede", record["evidence"], newer, "--reason", "typo", "--key", key)
    ledger.cli("countersign", record["evidence"], "--as", "witness", "--key", key)
    ledger.cli("withdraw", record["evidence"], "--reason", "wrong", "--key", key)
    asked = 0

    def ask(path, real, method="get", body=None, headers=None, wanted=200):
        nonlocal asked
        asked += 1
        answer = ledger.http(method.upper(), real, body, headers)
        assert answer[0] == wanted, (real, answer)
        return check_answer(path, method, answer)

    ask("/v1/evidence", "/v1/evidence?sm3=" + record["item"]["sm3"])
    shown = ask("/v1/evidence/{id}", "/v1/evidence/" + record["evidence"].lower())["evidence"][0]
    assert {said["action"] for said in shown["said"]} == {"supersede", "countersign", "withdraw"}
    ask("/v1/evidence/{id}", "/v1/evidence/%s.%s" % (statement, number))
    entry = ledger.http("GET", "/v1/statements/" + statement)[2]
    items = ledger.http("GET", "/v1/statements/" + statement + "/items")[2]
    ask("/v1/statements/{id}", "/v1/statements/" + statement)
    ask("/v1/statements/{id}/items", "/v1/statements/" + statement + "/items")
    word = ledger.http("GET", "/v1/statements/" + shown["said"][0]["statement"])[2]
    ask("/v1/statements", "/v1/statements", "post", word, {"Content-Type": "application/cose"}, 201)
    ask("/v1/statements", "/v1/statements", "post", word + entry,
        {"Content-Type": "application/cbor-seq"}, 207)
    ask("/v1/statements", "/v1/statements", "post", entry, wanted=400)
    ask("/v1/batches", "/v1/batches", "post", entry + items, wanted=201)
    ask("/v1/batches", "/v1/batches", "post", entry, wanted=400)
    ask("/v1/digests", "/v1/digests", "post", json.dumps(
        {"sha256": [record["item"]["sha256"], "0" * 64]}))
    ask("/v1/proofs/{id}", "/v1/proofs/" + statement)
    ask("/v1/proofs/{id}/{number}", "/v1/proofs/%s/%s" % (statement, number))
    head = ask("/v1/ledger", "/v1/ledger")["head"]
    ask("/v1/trust-update", "/v1/trust-update?epoch=0&height=0&size=1")
    ask("/v1/trust-update", "/v1/trust-update?epoch=0&height=%d&size=%d" % (
        head["height"], head["size"]), wanted=409)
    ask("/v1/blocks/{height}", "/v1/blocks/latest")
    ask("/v1/blocks/{height}", "/v1/blocks/1", headers={"Accept": "application/cbor"})
    ask("/v1/blocks/{height}/notes", "/v1/blocks/1/notes", wanted=404)
    ask("/tlog/checkpoint", "/tlog/checkpoint")
    ask("/tlog/tile/{level}/{tile}", "/tlog/tile/0/000.p/%d" % head["size"])
    ask("/tlog/tile/entries/{tile}", "/tlog/tile/entries/000.p/2")
    ask("/v1/state/{module}/{key}", "/v1/state/member/8266" + b"member".hex() + "65" + b"clerk".hex())
    members = ask("/v1/members", "/v1/members")["members"]
    assert {member["id"] for member in members} >= {"operator", "clerk"}, members
    clerk = ask("/v1/members/{id}", "/v1/members/clerk")
    ask("/v1/keys/{kid}", "/v1/keys/" + clerk["keys"][0])
    ask("/entries", "/entries", "post", word, {"Content-Type": "application/cose"}, 201)
    ask("/entries", "/entries", "post", b"no statement", wanted=400)
    ask("/entries/{id}", "/entries/" + statement)
    ask("/entries/{id}", "/entries/" + statement,
        headers={"Accept": "application/scitt-statement+cose"})
    ask("/.well-known/scitt-keys", "/.well-known/scitt-keys")
    node = ask("/v1/members/{id}", "/v1/members/node-1")["keys"]
    assert {ledger.http("GET", "/.well-known/scitt-keys/" + kid)[0] for kid in node} == {200, 404}
    ask("/v1/sessions", "/v1/sessions", wanted=401)
    ask("/v1/sessions", "/v1/sessions", "post", b"no statement", wanted=400)
    ask("/v1/sessions/{id}", "/v1/sessions/" + "0" * 16, "delete", wanted=401)
    ask("/problems", "/problems")
    ask("/problems/{name}", "/problems/not-found", headers={"Accept": "text/html"})
    ask("/healthz", "/healthz")
    assert ask("/readyz", "/readyz") == {"ready": True, "reasons": []}
    ask("/metrics", "/metrics")
    for path in API["paths"]:
        if "{" in path and "get" in API["paths"][path]:
            answer = ledger.http("GET", re.sub(r"\{\w+\}", "f" * 64, path))
            assert answer[0] in (400, 404), (path, answer)
            check_answer(path, "get", answer)
            asked += 1
    status, headers, body = ledger.http("GET", "/openapi.yaml")
    assert (status, headers["Content-Type"], body.decode()) == (200, "application/yaml", TEXT)
    ledger.stop()
    print("%d answers" % asked)


def forms(operation):
    """The media types of the body and of good answers."""
    taken = list(operation.get("requestBody", {}).get("content", {}))
    given = {kind for status, response in operation["responses"].items()
             if status.startswith("2") for kind in resolve(response).get("content", {})}
    return taken, given


def forms_are_negotiated_as_described(folder):
    ledger = Ledger(CAIRN, folder).init().start()
    asked = 0
    for path, operations in API["paths"].items():
        real = re.sub(r"\{\w+\}", "f" * 64, path)
        for method, operation in operations.items():
            taken, given = forms(operation)
            body = b"x" if taken else None
            kind = {"Content-Type": taken[0]} if taken else {}

            def status(**headers):
                nonlocal asked
                asked += 1
                headers = {name.replace("_", "-"): value for name, value in headers.items()}
                if path == "/v1/events":
                    return ledger.http("HEAD", real, None, headers)[0]
                return ledger.http(method.upper(), real, body, headers)[0]

            if given:
                assert status(**kind, Accept="image/png") == 406, (method, path)
                assert status(**kind, Accept="image/png, */*;q=0") == 406, (method, path)
                for one in given | {"*/*"}:
                    assert status(**kind, Accept=one) != 406, (method, path, one)
            if taken:
                assert status(Content_Type="image/png") == 415, (method, path)
                assert status() != 415, (method, path)
                for one in taken:
                    assert status(Content_Type=one + "; a=b") != 415, (method, path, one)
    ledger.stop()
    print("%d answers" % asked)


def head_is_get_without_a_body_and_pages_of_others_get_no_leave(folder):
    ledger = Ledger(CAIRN, folder).init().start()
    origin = {"Origin": "https://elsewhere.example"}
    for path, operations in API["paths"].items():
        real = re.sub(r"\{\w+\}", "1", path)
        if "get" in operations and path != "/v1/events":
            head, get = ledger.http("HEAD", real), ledger.http("GET", real, None, origin)
            assert head[0] == get[0] and head[2] == b"", (path, head, get[0])
            assert head[1]["Content-Type"] == get[1]["Content-Type"], path
            # CORS is not wanted: docs/decisions.md.
            assert not [name for name in get[1] if name.lower().startswith("access-control")], path
        status, headers, _ = ledger.http("OPTIONS", real, None, dict(
            origin, **{"Access-Control-Request-Method": "GET"}))
        assert status == 204 and "OPTIONS" in headers["Allow"], (path, status)
        assert not [name for name in headers if name.lower().startswith("access-control")], path
    ledger.stop()


def what_never_changes_may_be_kept(folder):
    ledger = Ledger(CAIRN, folder).init().start()
    key = ledger.member("clerk")
    paper = folder / "paper.txt"
    paper.write_text("paper")
    ledger.cli("deposit", paper, "--plain", "--key", key, "--out", folder)
    record = ledger.json("/v1/evidence?sha256=" + hashlib.sha256(b"paper").hexdigest())
    statement = record["evidence"][0]["statement"]
    for path, wanted in (("/v1/statements/" + statement, "immutable"),
                         ("/v1/statements/" + statement + "/items", "immutable"),
                         ("/v1/blocks/1", "immutable"), ("/v1/blocks/latest", "no-cache"),
                         ("/v1/evidence/" + statement, "no-store"),
                         ("/v1/ledger", "no-store"), ("/entries/" + statement, "no-cache"),
                         ("/.well-known/scitt-keys", "no-cache"), ("/problems", "no-cache"),
                         ("/openapi.yaml", "no-cache"), ("/v1/blocks/9999", "no-store")):
        status, headers, body = ledger.http("GET", path)
        assert wanted in headers["Cache-Control"], (path, headers["Cache-Control"])
        assert ("ETag" in headers) == (wanted != "no-store"), (path, headers)
        if "ETag" in headers:
            again = ledger.http("GET", path, None, {"If-None-Match": headers["ETag"]})
            assert (again[0], again[2]) == (304, b""), (path, again)
            assert status == 200 and body, path
    ledger.stop()


def main():
    run_cases(the_description_and_the_table_of_routes_agree, real_answers_are_as_described,
              forms_are_negotiated_as_described,
              head_is_get_without_a_body_and_pages_of_others_get_no_leave,
              what_never_changes_may_be_kept)


main()
