"""A played partner: each behaviour ends as it must on our side, each attack is refused; a defect of ours would be told."""

from dataclasses import replace

import pytest

from gateway.errors import NotFound, ScriptInvalid, UnknownPartner
from gateway.simulation import attacks, behaviours
from gateway.simulation.cast import find_cast
from gateway.simulation.report import Report, Scene
from gateway.simulation.script import MOST_TIMES, chosen, read_script, whole
from tests.attacks.catalogue import CATALOGUE


def wrong(report: Report) -> list[tuple[str, str, str, str]]:
    """Return every check that did not come about."""
    return [
        (scene.name, check.what, check.expected, check.found)
        for scene in report.scenes
        for check in scene.checks
        if not check.ok
    ]


def scenes(report: Report) -> dict[str, Scene]:
    return {scene.name: scene for scene in report.scenes}


# --- behaviours and attacks -------------------------------------------------------------------------------------------------


def test_whole_run_goes_well_with_a_partner_whose_limits_are_verified(play) -> None:
    report = play(whole(), "rs", counterpart="AT-BMI")
    assert wrong(report) == []
    assert report.ok
    assert [scene.name for scene in report.scenes] == [str(act) for act in whole().acts]
    found = scenes(report)
    assert {check.what: check.found for check in found["silent"].checks}[
        "the silence is recorded as the treaty says"
    ] == "lapsed"
    assert {check.what: check.found for check in found["late"].checks}["the deadline of the reply"] == "late"


def test_silence_is_never_recorded_where_no_limit_is_verified(play) -> None:
    report = play(chosen(["silent"], []), "pk")
    (scene,) = report.scenes
    assert wrong(report) == []
    assert next(check.what for check in scene.checks) == "no verified limit, so no silence is recorded"


@pytest.mark.parametrize("partner", ["ba", "at"])
def test_each_partner_can_be_played(play, partner: str) -> None:
    report = play(chosen(["accept", "refuse", "ask"], [7]), partner)
    assert wrong(report) == []


def test_played_system_may_be_connected_by_files(play) -> None:
    report = play(chosen(["accept", "twice"], [], over="files"), over="files")
    assert wrong(report) == []


def test_two_sides_may_be_connected_by_rabbitmq(play, rabbitmq) -> None:
    report = play(chosen(["ask", "twice"], [24, 31], over="rabbitmq"), "rs", over="rabbitmq", broker=rabbitmq)
    assert wrong(report) == []


def test_every_forgery_of_a_class_can_be_sent(play) -> None:
    report = play(chosen([], [13, 34], every=True))
    assert wrong(report) == []
    assert [len(scene.sent) > 1 for scene in report.scenes] == [True, True]


def test_classes_are_those_of_the_catalogue_and_none_is_forgotten() -> None:
    known = {attack.number: attack.what for attack in CATALOGUE}
    assert set(attacks.CLASSES) | set(attacks.NOT_SENT) == set(known)
    assert not set(attacks.CLASSES) & set(attacks.NOT_SENT)
    assert {attack.number for attack in CATALOGUE if attack.forged} <= set(attacks.CLASSES)


# --- a report is not a blank cheque ----------------------------------------------------------------------------------------


def test_attack_that_is_taken_is_told(play, monkeypatch: pytest.MonkeyPatch) -> None:
    def harmless(rig, cast, forge):
        document = attacks.genuine(rig, cast)
        body = attacks._sealed(rig, cast, document)
        yield attacks.Thrown(name="good", body=body, code="signature-invalid", message_id="x", answered=True)

    monkeypatch.setattr(attacks, "_MADE", {**attacks._MADE, 36: harmless})
    report = play(chosen([], [36]))
    assert not report.ok
    assert ("attack-36", "good", "[('refused', 'signature-invalid')]", "[('accepted', None)]") in wrong(report)
    assert [what for _, what, _, _ in wrong(report)][-1] == "nothing of it is kept as a message or a case"


def test_partner_that_does_not_do_what_it_should_is_told(play, monkeypatch: pytest.MonkeyPatch) -> None:
    async def mute(play) -> None:
        await play.arrived("ReadmissionApplication")
        play.scene.check("the case", "agreed", play.case().state)

    monkeypatch.setattr(behaviours, "BEHAVIOURS", {**behaviours.BEHAVIOURS, "accept": mute})
    assert wrong(play(chosen(["accept"], []))) == [("accept", "the case", "agreed", "requested")]


def test_suspended_exchange_ends_a_scene_with_its_code(play) -> None:
    from gateway.domain.partner_decisions import Scope
    from gateway.flow.partner_decisions import suspend

    def before(rig) -> None:
        suspend(rig.ours.rt, Scope.read("pk"), by="B. Specimen", why="tried")

    report = play(chosen(["accept"], []), before=before)
    ((_, what, _, found),) = wrong(report)
    assert what == "the scene is played to its end"
    assert found.startswith("partner-suspended")


def test_scene_in_which_nothing_was_looked_at_is_not_well() -> None:
    assert not Scene(name="accept", what="").ok
    assert not Report(partner="pk", played="PK-MOI", tested="BA-MS", over="memory", scenes=[], left_out={}).ok


def test_what_is_not_begun_in_time_is_left_out_and_told(play) -> None:
    report = play(replace(chosen(["accept"], []), most_seconds=0))
    assert (report.ok, report.scenes, list(report.left_out)) == (False, [], ["accept"])


# --- who plays ---------------------------------------------------------------------------------------------------------------


def test_unknown_partner_is_refused(play) -> None:
    with pytest.raises(UnknownPartner):
        play(chosen(["accept"], []), "xx")


def test_partner_without_a_treaty_with_the_counterpart_is_refused(play) -> None:
    with pytest.raises(NotFound):
        play(chosen(["accept"], []), "pk", counterpart="RS-MUP")


def test_counterpart_without_an_example_of_its_own_gets_one_under_a_treaty_that_binds(play) -> None:
    report = play(chosen(["accept"], []), "rs", counterpart="BA-MS")
    assert (report.tested, report.played) == ("BA-MS", "RS-MUP")


async def _sides(folder):
    from tests.simulation.conftest import rig_of

    async with rig_of(folder) as (rig, cast):
        return (
            rig.ours.rt.ring.authorities(),
            rig.theirs.rt.ring.authorities(),
            find_cast(rig.ours.rt, "pk").theirs,
            cast.theirs,
        )


def test_neither_side_holds_the_keys_of_the_other(tmp_path) -> None:
    import asyncio

    ours, theirs, found, played = asyncio.run(_sides(tmp_path))
    assert (ours, theirs) == (("BA-MS",), ("PK-MOI", "XX-OTHER"))
    assert found == played


# --- scripts ---------------------------------------------------------------------------------------------------------------

GOOD = """
over = "files"
counterpart = "BA-MS"
most_seconds = 20

[[play]]
behaviour = "accept"
times = 3

[[play]]
attack = 7
every = true

[[play]]
attack = "all"
"""


def test_script_says_what_is_played(tmp_path) -> None:
    (tmp_path / "script.toml").write_text(GOOD)
    script = read_script(tmp_path / "script.toml")
    assert (script.over, script.counterpart, script.most_seconds) == ("files", "BA-MS", 20)
    assert [str(act) for act in script.acts][:4] == ["accept", "accept", "accept", "attack-7"]
    assert [act.every for act in script.acts][:5] == [False, False, False, True, False]
    assert len(script.acts) == 4 + len(attacks.CLASSES)


WRONG = {
    "": "no [[play]]",
    "over = 'pigeon'\n[[play]]\nbehaviour='accept'": "over is 'pigeon'",
    "pace = 1\n[[play]]\nbehaviour='accept'": "no key 'pace'",
    "[[play]]\nbehaviour='nod'": "'nod' is no behaviour",
    "[[play]]\nbehaviour=['accept']": "is no behaviour",
    "[[play]]\nattack=38": "our own process must die",
    "[[play]]\nattack=41": "cannot be sent",
    "[[play]]\nattack=true": "cannot be sent",
    "[[play]]\nattack=7\nbehaviour='accept'": "either a behaviour or an attack",
    "[[play]]\ntimes=2": "either a behaviour or an attack",
    f"[[play]]\nbehaviour='accept'\ntimes={MOST_TIMES + 1}": "times must be",
    "[[play]]\nbehaviour='accept'\ntimes=true": "times must be",
    "[[play]]\nattack=7\nevery='yes'": "every is true or false",
    "most_seconds=0\n[[play]]\nbehaviour='accept'": "most_seconds",
    "counterpart=7\n[[play]]\nbehaviour='accept'": "counterpart",
    "play = 7": "no [[play]]",
    "play = [7]": "must be a table",
    "[[play]]\nbehaviour='accept'\nwhen='now'": "no key 'when'",
    "not toml": "cannot be read",
    "[[play]]\nattack='all'\ntimes=100": "at most",
}


def test_script_that_names_what_there_is_not_is_refused_with_its_place(tmp_path) -> None:
    path = tmp_path / "script.toml"
    for text, reason in WRONG.items():
        path.write_text(text)
        with pytest.raises(ScriptInvalid) as refusal:
            read_script(path)
        assert reason in refusal.value.message, text
        assert "script.toml" in refusal.value.message
