"""`evaluate` runs one handler on one context and answers in the form of AWS's EvaluateCode."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from appsync_events_local.cli.main import main

CODE = """import { util, runtime } from '@aws-appsync/utils';

export function onPublish(ctx) {
  console.log('batch of', ctx.events.length, { deep: true });
  ctx.stash.seen = ctx.events.length;
  util.appendError('beside', 'Kind', { a: 1 });
  if (ctx.events.length === 2) util.error('too many', 'Limit', { most: 1 });
  if (ctx.events.length === 3) return ctx.events[3].payload;
  const at = util.time.epochMilliSecondsToISO8601(0);
  return ctx.events.map(({ id, payload }) => ({ id, payload: { ...payload, at } }));
}
export const onSubscribe = {
  request(ctx) {
    if (ctx.info.channel.segments.length === 1) runtime.earlyReturn({ early: true });
    return { operation: 'GetItem', key: util.dynamodb.toMapValues({ id: ctx.info.channel.segments[1] }) };
  },
  response(ctx) {
    if (ctx.result === null) util.unauthorized();
  },
};
"""


@pytest.fixture
def code(tmp_path: Path) -> Path:
    (tmp_path / "handler.js").write_text(CODE)
    return tmp_path / "handler.js"


def run(
    capsys: pytest.CaptureFixture[str], code: Path, context: Any, function: str, folder: Path
) -> tuple[int, dict[str, Any]]:
    (folder / "context.json").write_text(json.dumps(context))
    given = ["evaluate", "--code", str(code), "--context", str(folder / "context.json"), "--function", function]
    status = main(given)
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return status, answer


def batch(count: int) -> dict[str, Any]:
    return {"events": [{"id": str(number), "payload": {"n": number}} for number in range(count)]}


def channel(*segments: str) -> dict[str, Any]:
    return {"info": {"channel": {"path": "/" + "/".join(segments), "segments": list(segments)}}}


def test_a_result_comes_with_its_logs_stash_and_appended_errors(
    capsys: pytest.CaptureFixture[str], code: Path, tmp_path: Path
) -> None:
    status, answer = run(capsys, code, batch(1), "onPublish", tmp_path)
    assert status == 0
    assert json.loads(answer["evaluationResult"]) == [
        {"id": "0", "payload": {"n": 0, "at": "1970-01-01T00:00:00.000Z"}}
    ]
    assert answer["logs"][0] == 'INFO - code.js:4:3: batch of 1 {"deep":true}'
    assert json.loads(answer["stash"]) == {"seen": 1}
    assert json.loads(answer["outErrors"]) == [
        {"message": "beside", "errorType": "Kind", "data": {"a": 1}, "errorInfo": None}
    ]


def test_an_error_of_the_handler_has_its_message_and_a_status(
    capsys: pytest.CaptureFixture[str], code: Path, tmp_path: Path
) -> None:
    status, answer = run(capsys, code, batch(2), "onPublish", tmp_path)
    assert (status, answer["error"]) == (1, {"message": "too many"})
    assert json.loads(answer["stash"]) == {"seen": 2}
    assert "evaluationResult" not in answer


def test_crash_is_reported_with_its_line(capsys: pytest.CaptureFixture[str], code: Path, tmp_path: Path) -> None:
    status, answer = run(capsys, code, batch(3), "onPublish", tmp_path)
    assert status == 1
    assert "(line 8)" in answer["error"]["message"]


def test_request_and_response_of_a_handler_run_separately(
    capsys: pytest.CaptureFixture[str], code: Path, tmp_path: Path
) -> None:
    status, answer = run(capsys, code, channel("teams", "first"), "onSubscribe.request", tmp_path)
    assert (status, json.loads(answer["evaluationResult"])) == (
        0,
        {"operation": "GetItem", "key": {"id": {"S": "first"}}},
    )
    status, answer = run(capsys, code, channel("teams"), "onSubscribe.request", tmp_path)
    assert (status, answer["evaluationResult"]) == (0, '{"early":true}')
    status, answer = run(capsys, code, {"result": {"id": "first"}}, "onSubscribe.response", tmp_path)
    assert (status, answer["evaluationResult"]) == (0, "null")
    status, answer = run(capsys, code, {"result": None}, "onSubscribe.response", tmp_path)
    assert (status, answer["error"]["message"]) == (1, "You are not authorized to make this call.")


@pytest.mark.parametrize(
    ("function", "words"),
    [
        ("onSubscribe", "name onSubscribe.request or onSubscribe.response"),
        ("onPublish.request", "onPublish is a function, it has no request"),
    ],
)
def test_function_name_must_match_the_shape_of_the_export(
    capsys: pytest.CaptureFixture[str], code: Path, tmp_path: Path, function: str, words: str
) -> None:
    status, answer = run(capsys, code, {}, function, tmp_path)
    assert status == 1
    assert words in answer["error"]["message"]


def test_refused_code_is_reported_with_every_location(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code = tmp_path / "bad.js"
    code.write_text("export function onPublish(ctx) {\n  let i = 0; i++;\n  return util.xml.toMap('');\n}\n")
    status, answer = run(capsys, code, {}, "onPublish", tmp_path)
    assert (status, answer["error"]["message"]) == (1, "The code contains one or more errors.")
    errors = answer["error"]["codeErrors"]
    assert [error["location"] for error in errors] == [
        {"line": 2, "column": 14, "span": 1},
        {"line": 3, "column": 10, "span": 1},
    ]
    assert "util.xml.toMap is not imitated" in errors[1]["value"]
    code.write_text("export function onSubscribe(ctx) {}\n")
    _, answer = run(capsys, code, {}, "onPublish", tmp_path)
    assert answer["error"]["message"] == "the code exports no onPublish; it exports onSubscribe"


def test_dash_reads_the_context_from_standard_input(
    capsys: pytest.CaptureFixture[str], code: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(batch(1))))
    assert main(["evaluate", "--code", str(code), "--context", "-", "--function", "onPublish"]) == 0
    assert "evaluationResult" in json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("context", "words"), [("{", "the context is not JSON"), ("[]", "must be a JSON object"), (None, "No such file")]
)
def test_unreadable_context_ends_with_status_2(
    capsys: pytest.CaptureFixture[str], code: Path, tmp_path: Path, context: str | None, words: str
) -> None:
    if context is not None:
        (tmp_path / "context.json").write_text(context)
    given = ["--code", str(code), "--context", str(tmp_path / "context.json"), "--function", "onPublish"]
    assert main(["evaluate", *given]) == 2
    assert words in capsys.readouterr().err


def test_help_describes_arguments_and_output(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["evaluate", "--help"])
    assert caught.value.code == 0
    shown = capsys.readouterr().out
    for words in ("--code", "--context", "--function", "onSubscribe.response", "evaluationResult", "exit status"):
        assert words in shown
