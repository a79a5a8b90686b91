"""Settings: from where they come, and that each problem is one line that helps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError

from streamal.errors import SettingsInvalid
from streamal.settings import EstimationSettings, GateSettings, Settings, load_settings

SECRET = "correct-horse-battery-staple"  # noqa: S105 - nobody uses it

Load = Callable[[str], Settings]
Problems = Callable[[str], tuple[str, ...]]


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    monkeypatch.chdir(tmp_path)

    def read(text: str) -> Settings:
        path = tmp_path / "streamal.toml"
        path.write_text(text, encoding="utf-8")
        return load_settings(path)

    return read


@pytest.fixture
def problems(load: Load) -> Problems:
    def read(text: str) -> tuple[str, ...]:
        with pytest.raises(SettingsInvalid) as caught:
            load(text)
        assert all("\n" not in line for line in caught.value.problems)
        return caught.value.problems

    return read


def test_everything_has_a_default(load: Load) -> None:
    assert load("").model_dump() == load_settings(None).model_dump() == Settings().model_dump()


def test_the_file_is_read(load: Load) -> None:
    settings = load("[gate]\nbudget = 0.02\n[gate.breaker]\nmin_events = 7\n")
    assert settings.gate.budget == 0.02
    assert settings.gate.breaker.min_events == 7
    assert settings.gate.exploration == Settings().gate.exploration


def test_the_environment_overrides_key_by_key(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAMAL_GATE__BUDGET", "0.03")
    monkeypatch.setenv("streamal_gate__breaker__window_events", "9")
    settings = load("[gate]\nbudget = 0.02\nexploration = 0.5\n[gate.breaker]\nmin_events = 7\n")
    assert (settings.gate.budget, settings.gate.exploration) == (0.03, 0.5)
    assert (settings.gate.breaker.min_events, settings.gate.breaker.window_events) == (7, 9)


@pytest.mark.parametrize("text", ["a, b,,c ", '["a", "b", "c"]'])
def test_lists_in_the_environment(text: str, load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAMAL_PIPELINE__CLASSES", text)
    monkeypatch.setenv("STREAMAL_BROKER__BOOTSTRAP_SERVERS", "one:9092,two:9092")
    monkeypatch.setenv("STREAMAL_GATE__COMMITTEE", "event,model")
    monkeypatch.setenv("STREAMAL_SNAPSHOTS__SIGNING_KEYS", f"{SECRET},other-{SECRET}")
    settings = load("")
    assert settings.pipeline.classes == ("a", "b", "c")
    assert settings.broker.bootstrap_servers == ("one:9092", "two:9092")
    assert settings.gate.committee == ("event", "model")
    assert [key.get_secret_value() for key in settings.snapshots.signing_keys] == [
        SECRET,
        f"other-{SECRET}",
    ]


def test_settings_made_in_code_do_not_see_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAMAL_GATE__BUDGET", "0.5")
    monkeypatch.setenv("STREAMAL_LEARNER__NAME", "nope")
    assert Settings(gate=GateSettings(exploration=0.5)).gate.budget == GateSettings().budget
    assert Settings().learner.name == "default"
    assert load_settings(None).gate.budget == 0.5


def test_parameters_in_the_environment_are_json(
    load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STREAMAL_GATE__POLICY_PARAMETERS", '{"window": 50}')
    assert load("").gate.policy_parameters == {"window": 50}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[gate]\nbudget = 2", "gate.budget = 2: Input should be less than or equal to 1"),
        ("[gate]\nbudget = 0", "gate.budget = 0: Input should be greater than 0"),
        ("[gate]\nbudget = nan", "gate.budget = nan: Input should be a finite number"),
        ("[labels]\nttl_seconds = inf", "labels.ttl_seconds = inf: Input should be a finite numb"),
        ("[gate]\ndelivery = 'twice'", "gate.delivery = 'twice': Input should be 'exactly_once' "),
        ("[gate]\ncommittee = ['x']", "gate.committee.0 = 'x': Input should be 'learner', 'event'"),
        ("[pipeline]\nname = 'a b'", "pipeline.name = 'a b': String should match pattern"),
        ("[pipeline]\nclasses = '[a'", "pipeline.classes = '[a': begins like a JSON list"),
        ("[topics]\nlabels = ''", "topics.labels = '': String should have at least 1 character"),
        ("[telemetry]\nport = 70000", "telemetry.port = 70000: Input should be less than or equal"),
        ("gate = 3", "gate: must be a table of settings, as under [gate]"),
        (
            "[gate]\nbudgt = 1",
            "gate.budgt: unknown key; did you mean budget? allowed: advance_labels",
        ),
        ("[gates]\n", "gates: unknown key; did you mean gate? allowed: broker, "),
        ("[format.fields]\nid = 'x'", "format.fields.id: unknown key; "),
        ("[topics]\nreviews = 'labels'", "topics: reviews and labels have the same name 'labels'"),
    ],
)
def test_a_problem_is_one_line_with_key_value_and_what_is_allowed(
    text: str, line: str, problems: Problems
) -> None:
    (found,) = problems(text)
    assert found.startswith(line)


def test_all_problems_are_told_at_once(problems: Problems, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAMAL_GATES__BUDGET", "0.1")
    lines = problems("[gate]\nbudget = 2\ndelivery = 'x'\n[labels]\nttl_seconds = -1\n")
    assert [line.split(" ")[0].rstrip(":") for line in lines] == [
        "STREAMAL_GATES__BUDGET",
        "gate.budget",
        "gate.delivery",
        "labels.ttl_seconds",
    ]


def test_long_values_are_shortened(problems: Problems) -> None:
    (line,) = problems(f"[gate]\ndelivery = '{'x' * 10_000}'")
    assert len(line) < 200


@pytest.mark.parametrize(
    "text",
    [
        f"broker = '{SECRET}'",
        f"snapshots = ['{SECRET}']",
        f"[snapshots]\nsigning_keys = ['{SECRET}', 5]",
        f"[snapshots]\nsigning_keys = [['{SECRET}']]",
        f"[broker]\nsasl_password = ['{SECRET}']",
        f"[broker.sasl_password]\nvalue = '{SECRET}'",
        f"[broker]\nsasl_passwort = '{SECRET}'",
        f"[broker]\noauth_client_secret = {{a = '{SECRET}'}}",
        f"[broker]\nssl_password = ['{SECRET}']",
        f"[broker]\nssl_password = '{SECRET}'\nport = 1",
    ],
)
def test_no_problem_shows_a_secret(text: str, problems: Problems) -> None:
    assert SECRET not in "\n".join(problems(text))


def test_no_problem_in_the_environment_shows_a_secret(
    problems: Problems, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STREAMAL_BROKER", f'{{"sasl_password": "{SECRET}"')
    (line,) = problems("")
    assert line.startswith("STREAMAL_BROKER: must be JSON (")
    assert SECRET not in line


def test_settings_print_without_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAMAL_BROKER__SASL_PASSWORD", SECRET)
    monkeypatch.setenv("STREAMAL_SNAPSHOTS__SIGNING_KEYS", SECRET)
    settings = load_settings(None)
    assert SECRET not in f"{settings!r} {settings} {settings.model_dump_json()}"


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("STREAMAL_GATE__BUDGET", "much", "gate.budget = 'much': Input should be a valid number"),
        ("STREAMAL_GATE__BUDGT", "0.1", "gate.budgt: unknown key; did you mean budget?"),
        (
            "STREAMAL_GATES__BUDGET",
            "0.1",
            "STREAMAL_GATES__BUDGET: unknown key; did you mean gate?",
        ),
        (
            "STREAMAL_GATE__POLICY_PARAMETERS",
            "{window",
            "STREAMAL_GATE__POLICY_PARAMETERS: must be JSON (",
        ),
    ],
)
def test_a_problem_in_the_environment(
    name: str, value: str, line: str, problems: Problems, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    (found,) = problems("")
    assert found.startswith(line)


def test_variables_that_kubernetes_sets_are_no_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAMAL_GATE_PORT_9464_TCP", "tcp://10.0.0.1:9464")
    monkeypatch.setenv("STREAMAL_SERVICE_HOST", "10.0.0.1")
    assert load_settings(None).model_dump() == Settings().model_dump()


def test_a_file_that_is_not_toml(problems: Problems, tmp_path: Path) -> None:
    (line,) = problems("[gate\n")
    assert "streamal.toml: not TOML: " in line
    assert "line 1" in line
    (tmp_path / "streamal.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsInvalid, match="cannot be read"):
        load_settings(tmp_path / "streamal.toml")


def test_a_file_that_is_missing_or_a_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "no.toml", tmp_path):
        with pytest.raises(SettingsInvalid, match="no such file") as caught:
            load_settings(path)
        assert str(path) in str(caught.value)


#: Numbers without a unit: shares, counts of what the name itself says, and identifiers.
DIMENSIONLESS = {
    "annotator_series",
    "bins",
    "budget",
    "budget_factor",
    "classes",
    "committee_size",
    "error_objective",
    "exploration",
    "false_alarm",
    "false_alarm_rate",
    "labels_partitions",
    "least_shift",
    "level",
    "login_attempts_per_minute",
    "max_features",
    "max_pending",
    "max_per_hour",
    "max_reject_share",
    "min_agreement",
    "min_comparisons",
    "min_confidence",
    "overlap",
    "port",
    "predictions_partitions",
    "probability_tolerance",
    "project_id",
    "reference_windows",
    "replication",
    "required",
    "seed",
    "stop_at_accuracy",
    "synthetic_share",
    "segment_values",
    "share",
    "tolerance",
    "trust",
    "webhook_port",
}
UNITS = ("_seconds", "_bytes", "_events", "_records", "_labels", "_tasks")


def leaves(model: type[BaseModel]) -> Iterator[tuple[str, object]]:
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from leaves(kind)
        else:
            yield name, kind


def test_every_quantity_carries_its_unit_in_its_name() -> None:
    numbers = {
        name for name, kind in leaves(Settings) if kind in (int, float, int | None, float | None)
    }
    assert {name for name in numbers if not name.endswith(UNITS)} == DIMENSIONLESS


def test_every_key_that_holds_a_secret_is_a_secret() -> None:
    secrets = {name for name, kind in leaves(Settings) if "SecretStr" in str(kind)}
    assert secrets == {
        "oauth_client_secret",
        "sasl_password",
        "signing_keys",
        "ssl_password",
        "token",
        "webhook_secret",
    }


@pytest.mark.parametrize(
    ("text", "keys"),
    [("country,tier", ("country", "tier")), ('["model_version"]', ("model_version",)), ("", ())],
)
def test_segments_are_a_list(text: str, keys: tuple[str, ...]) -> None:
    assert EstimationSettings.model_validate({"segments": text}).segments == keys


@pytest.mark.parametrize("text", ["prediction", "a,a", ",".join(f"k{n}" for n in range(11))])
def test_segments_are_few_and_distinct(text: str) -> None:
    with pytest.raises(ValidationError, match="must"):
        EstimationSettings.model_validate({"segments": text})
