"""Settings: read and checked once; a refusal names the key and never repeats a value that may be a secret."""

import traceback
from dataclasses import FrozenInstanceError, fields
from pathlib import Path

import pytest

from gateway.edge_settings import EdgeSettings
from gateway.errors import SettingsInvalid
from gateway.settings import Settings, data_folder, load

SECRET = "correct-horse"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch) -> None:
    """Run in a folder of its own: a gateway.toml of the checkout must not be read."""
    monkeypatch.chdir(tmp_path)


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "settings.toml"
    path.write_text(text, "utf-8")
    return path


def told(refused: pytest.ExceptionInfo[SettingsInvalid]) -> str:
    """Return everything that an operator could see of a refusal."""
    return "".join(traceback.format_exception(refused.value))


# --- order ------------------------------------------------------------------------------------------------------------


def test_defaults_run_the_embedded_gateway() -> None:
    found = load(environment={})
    assert (found.broker, found.port, found.home) == ("embedded", 8080, ())
    assert found.database.startswith("sqlite:///")
    assert found.partners == data_folder("partners")
    assert (found.partners / "ba" / "partner.toml").is_file()


def test_file_comes_before_the_default(tmp_path) -> None:
    assert load(written(tmp_path, "port = 9000"), environment={}).port == 9000


def test_environment_comes_before_the_file(tmp_path) -> None:
    assert load(written(tmp_path, "port = 9000"), environment={"GATEWAY_PORT": "9001"}).port == 9001


def test_command_line_comes_before_the_environment(tmp_path) -> None:
    found = load(written(tmp_path, "port = 9000"), environment={"GATEWAY_PORT": "9001"}, overrides={"port": 9002})
    assert found.port == 9002


def test_option_that_was_not_given_on_the_command_line_changes_nothing() -> None:
    assert load(environment={"GATEWAY_PORT": "9001"}, overrides={"port": None}).port == 9001


def test_gateway_toml_in_the_working_folder_is_read_by_itself(tmp_path) -> None:
    (tmp_path / "gateway.toml").write_text("port = 9003")
    assert load(environment={}).port == 9003
    assert load(written(tmp_path, "batch = 5"), environment={}).port == 8080


def test_secret_is_read_from_the_file_that_the_environment_names(tmp_path) -> None:
    url = f"postgresql://gateway:{SECRET}@db/gateway"
    (tmp_path / "secret").write_text(f"{url}\n")
    found = load(environment={"GATEWAY_DATABASE_FILE": str(tmp_path / "secret"), "GATEWAY_DATABASE": "sqlite:///other"})
    assert found.database == url


def test_other_variables_of_the_environment_are_left_alone() -> None:
    assert load(environment={"GATEWAY_DEMO": "x", "PORT": "1"}) == load(environment={})


# --- edges ------------------------------------------------------------------------------------------------------------


def test_edges_are_tables_by_authority_with_paths_from_the_file(tmp_path) -> None:
    text = """
    [edges.RS-MUP]
    url = "https://system.example/hooks"
    secret_file = "rs.secret"
    timeout_seconds = 20
    [edges.BA-MS]
    url_file = "/run/secrets/amqp"
    """
    found = load(written(tmp_path, text), environment={})
    assert (found.edge("RS-MUP").secret_file, found.edge("RS-MUP").timeout_seconds) == (tmp_path / "rs.secret", 20)
    assert found.edge("BA-MS").url_file == Path("/run/secrets/amqp")
    assert found.edge("AT-BMI") == EdgeSettings()


@pytest.mark.parametrize(
    "text",
    [
        "edges = 1",
        "[edges]\nurl = 'x'",
        "[edges.RS-MUP]\nurll = 'x'",
        "[edges.RS-MUP]\nurl = 1",
        "[edges.RS-MUP]\nprivate_addresses = 'yes'",
        "[edges.RS-MUP]\ntimeout_seconds = true",
        "[edges.RS-MUP]\ntimeout_seconds = 0",
        "[edges.RS-MUP]\ntimeout_seconds = 31",
        "[edges.RS-MUP]\nretry_first_seconds = 10\nretry_most_seconds = 5",
        "[edges.RS-MUP]\nquiet_seconds = -1",
        "[edges.RS-MUP]\ncertificate_file = 'x'",
    ],
)
def test_edge_that_is_written_wrongly_stops_the_start(tmp_path, text) -> None:
    with pytest.raises(SettingsInvalid, match="edge"):
        load(written(tmp_path, text), environment={})


def test_edges_in_the_environment_are_the_same_tables_as_text() -> None:
    found = load(environment={"GATEWAY_EDGES": "[RS-MUP]\nquiet_seconds = 7"})
    assert found.edge("RS-MUP").quiet_seconds == 7
    with pytest.raises(SettingsInvalid):
        load(environment={"GATEWAY_EDGES": "[RS-MUP"})


def test_address_of_a_system_is_not_shown_when_settings_are_printed() -> None:
    assert "example" not in repr(EdgeSettings(url="https://system.example/?token=1"))


# --- values -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ('home = ["BA-MS", "PK-MOI"]', "home", ("BA-MS", "PK-MOI")),
        ("retry_seconds = [1, 2]", "retry_seconds", (1, 2)),
        ("log_json = true", "log_json", True),
        ("batch = 7", "batch", 7),
        ('name = "west"', "name", "west"),
    ],
)
def test_value_of_the_file_has_the_type_of_its_setting(tmp_path, text, name, value) -> None:
    assert getattr(load(written(tmp_path, text), environment={}), name) == value


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("home", "BA-MS,PK-MOI", ("BA-MS", "PK-MOI")),
        ("home", "BA-MS, PK-MOI", ("BA-MS", "PK-MOI")),
        ("home", "", ()),
        ("retry_seconds", "1, 2", (1, 2)),
        ("log_json", "TRUE", True),
        ("log_json", "0", False),
        ("secure_cookies", "no", False),
        ("batch", "7", 7),
        ("broker", "amqps://host/vhost", "amqps://host/vhost"),
    ],
)
def test_text_of_the_environment_is_read_as_the_type_of_its_setting(name, text, value) -> None:
    assert getattr(load(environment={f"GATEWAY_{name.upper()}": text}), name) == value


def test_path_in_the_file_is_anchored_where_the_file_lies(tmp_path) -> None:
    (tmp_path / "etc").mkdir()
    found = load(written(tmp_path / "etc", 'keys = "keys"\ndrop_folder = "../drop"'), environment={})
    assert (found.keys, found.drop_folder) == (tmp_path / "etc" / "keys", tmp_path / "drop")


def test_path_in_the_environment_is_anchored_in_the_working_folder(tmp_path) -> None:
    assert load(environment={"GATEWAY_KEYS": "keys"}).keys == tmp_path / "keys"


@pytest.mark.parametrize("text", ["parse_isolated = true", "parse.isolated = true", "[parse]\nisolated = true"])
def test_name_of_two_words_may_be_written_as_a_table(tmp_path, text) -> None:
    assert load(written(tmp_path, text), environment={}).parse_isolated


def test_settings_cannot_be_changed_after_the_start() -> None:
    with pytest.raises(FrozenInstanceError):
        load(environment={}).port = 1  # type: ignore[misc]


def test_every_setting_may_be_given_in_the_environment(tmp_path) -> None:
    (tmp_path / "x").mkdir()
    changed = {"database": "sqlite:///x", "broker": "memory", "revocation": "off", "ocsp_nonce": "optional"}
    changed["environment"] = "production"
    changed |= {"edges": "[BA-MS]\nquiet_seconds = 7", "routes": "[BA-MS]\nurl = 'amqps://broker.example/ba'"}
    changed |= dict.fromkeys(
        ("log_json", "parse_isolated", "revocation_private_addresses", "broker_plain", "share_port"), "yes"
    ) | {
        "secure_cookies": "no",
        "hints": "no",
    }
    for item in fields(Settings):
        number = "int" in str(item.type)
        value = changed.get(item.name, "7" if number else "x")
        found = load(environment={f"GATEWAY_{item.name.upper()}": value})
        assert getattr(found, item.name) != getattr(Settings(), item.name), item.name


# --- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('port = "eighty"', "port"),
        ("port = true", "port"),
        ("port = 80.5", "port"),
        ("port = []", "port"),
        ("port = 65536", "port"),
        ("port = -1", "port"),
        ("batch = 0", "batch"),
        ('log_json = "maybe"', "log_json"),
        ("log_json = 2", "log_json"),
        ("name = 5", "name"),
        ("home = 5", "home"),
        ("home = [5]", "home"),
        ("retry_seconds = []", "retry_seconds"),
        ("retry_seconds = [-1]", "retry_seconds"),
        ("retry_seconds = [1.5]", "retry_seconds"),
        ("watch_seconds = 0", "watch_seconds"),
        ('revocation = "sometimes"', "revocation"),
        ('ocsp_nonce = ""', "ocsp_nonce"),
        ('environment = "staging"', "environment"),
        ("pass_days = 0", "pass_days"),
        ("unclaimed_megabytes = 0", "unclaimed_megabytes"),
        ("root_seconds = 0", "root_seconds"),
        ("evidence_hours = 0", "evidence_hours"),
        ("evidence_hours = 0.5", "evidence_hours"),
        ("timestamp_authorities = [5]", "timestamp_authorities"),
        ("keys = 5", "keys"),
        ('broker = "redis://host"', "broker"),
        ('database = "mysql://host/x"', "database"),
        ("drop_folder = []", "drop_folder"),
    ],
)
def test_value_of_the_wrong_kind_is_refused_by_the_name_of_its_setting(tmp_path, text, key) -> None:
    with pytest.raises(SettingsInvalid, match=key):
        load(written(tmp_path, text), environment={})


def test_unknown_setting_in_the_file_is_refused_by_its_name(tmp_path) -> None:
    with pytest.raises(SettingsInvalid, match=r"'prot' in 'settings\.toml'"):
        load(written(tmp_path, f'prot = "{SECRET}"'), environment={})


@pytest.mark.parametrize("content", ["port = ", b"\xff\xfe", None], ids=["not TOML", "not UTF-8", "not there"])
def test_settings_file_that_cannot_be_read_stops_the_start(tmp_path, content) -> None:
    path = tmp_path / "settings.toml"
    if content is not None:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(SettingsInvalid, match=r"settings\.toml"):
        load(path, environment={})


@pytest.mark.parametrize("content", [b"\xff" + SECRET.encode(), None], ids=["not UTF-8", "not there"])
def test_secret_file_that_cannot_be_read_stops_the_start(tmp_path, content) -> None:
    if content is not None:
        (tmp_path / "secret").write_bytes(content)
    with pytest.raises(SettingsInvalid, match="GATEWAY_DATABASE_FILE") as refused:
        load(environment={"GATEWAY_DATABASE_FILE": str(tmp_path / "secret")})
    assert SECRET not in told(refused)


@pytest.mark.parametrize("key", ["database", "broker", "port", "log_json", "retry_seconds"])
def test_refusal_never_repeats_the_value(key) -> None:
    with pytest.raises(SettingsInvalid, match=key) as refused:
        load(environment={f"GATEWAY_{key.upper()}": f"scheme://user:{SECRET}@host"})
    assert SECRET not in told(refused)


@pytest.mark.parametrize("key", ["partners", "schemas"])
def test_folder_that_is_not_there_stops_the_start(tmp_path, key) -> None:
    with pytest.raises(SettingsInvalid, match="nowhere"):
        load(environment={f"GATEWAY_{key.upper()}": str(tmp_path / "nowhere")})


def test_refused_settings_are_the_operators_to_mend() -> None:
    assert (SettingsInvalid.code, SettingsInvalid.exit_code) == ("settings-invalid", 4)
