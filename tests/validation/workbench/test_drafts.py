"""Drafts as text: from a pack and back without loss, edits, and every mistake of an editor named."""

from __future__ import annotations

import tomllib
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import InputError, RefusedError, UsageError
from harness.extractors.llm import pack as packs
from harness.extractors.llm.pack import ASKED
from ranscore.commands import main
from validation.workbench import drafts
from validation.workbench.drafts import Guide


@pytest.mark.parametrize("mode", ["single", "joint"])
def test_a_fresh_draft_asks_what_its_pack_asks(mode: str) -> None:
    made = drafts.create("mine", "ranscore-1", mode)
    assert all(not guide.guidance and guide.words and guide.means for guide in made.guides)
    assert drafts.load("mine") == made and made.pack().digest == packs.load(mode=mode).digest
    assert drafts.changed(made, packs.load(mode=mode).questions) == ()


def test_a_pack_without_fields_is_drafted_as_whole_texts() -> None:
    base = packs.load()
    free = tuple(replace(item, guidance=f'About {item.finding}: say 1\nif "seen".\x7f') for item in base.questions)
    packs.save(replace(base, name="free", questions=free))
    made = drafts.create("mine", "free")
    assert drafts.load("mine") == made and made.pack().digest == packs.load("free").digest
    assert main(["pack", "edit", "mine", "edema", "--add-word", "x"]) == 2
    assert main(["pack", "edit", "mine", "edema", "--guidance", "Another text."]) == 0
    assert drafts.changed(drafts.load("mine"), free) == ("Edema",)


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=40)


@settings(max_examples=100, deadline=None)
@given(
    st.builds(
        Guide,
        st.just("Edema"),
        TEXT.filter(bool),
        st.lists(TEXT).map(tuple),
        TEXT,
        TEXT,
        st.lists(TEXT).map(tuple),
        st.lists(TEXT).map(tuple),
    )
)
def test_whatever_somebody_writes_comes_back(guide: Guide) -> None:
    base = packs.load()
    guides = tuple(guide if name == "Edema" else Guide(name, "x") for name in ASKED)
    data = tomllib.loads(drafts.dumps(drafts.PackDraft("mine", base.name, base.digest, "single", guides)))
    assert tuple(drafts._guide(item) for item in data["label"]) == guides


def test_edits_replace_add_and_remove(capsys: pytest.CaptureFixture[str]) -> None:
    drafts.create("mine", "ranscore-1")
    words = ["--means", "a broken bone", "--add-word", "snapped clavicle", "--add-yes", "Old rib fracture.", "--add-no", "No break."]
    assert main(["pack", "edit", "mine", "FRACTURE", *words]) == 0
    own = drafts.load("mine").guide("Fracture")
    assert own.means == "a broken bone" and own.words[-1] == "snapped clavicle" and own.yes[-1] == "Old rib fracture."
    assert main(["pack", "edit", "mine", "fracture", "--remove-word", "snapped clavicle"]) == 0
    assert "snapped clavicle" not in drafts.load("mine").guide("Fracture").words
    assert main(["pack", "edit", "mine", "fracture", "--remove-word", "never there"]) == 2
    assert "never there" in capsys.readouterr().err
    assert main(["pack", "edit", "mine", "fractur", "--means", "x"]) == 2
    assert "fracture" in capsys.readouterr().err.lower()
    assert main(["pack", "diff", "ranscore-1", "mine"]) == 0
    out = capsys.readouterr().out
    assert "+Present means: a broken bone." in out and "1 of 20 findings differ: Fracture" in out


def test_every_mistake_in_the_file_comes_at_once() -> None:
    made = drafts.create("mine", "ranscore-1")
    text = (
        drafts.dumps(made)
        .replace("signs = ", "sings = ", 1)
        .replace('finding = "Edema"', 'finding = "Oedema"')
        .replace("yes = [", "yes = [3, ", 1)
    )
    drafts.path_of("mine").write_text(text)
    with pytest.raises(InputError) as caught:
        drafts.load("mine")
    said = [problem.what for problem in caught.value.problems]
    assert (
        len(said) == 3
        and any("sings" in what for what in said)
        and any("Edema" in what for what in said)
        and any("yes" in what for what in said)
    )
    drafts.path_of("mine").write_text("from = \n")
    with pytest.raises(InputError) as caught:
        drafts.load("mine")
    assert caught.value.problems[0].line == 1


def test_names_that_are_reserved_taken_or_no_names() -> None:
    for name in ("ranscore-1", "ran-2026-06", "../x", "A b"):
        with pytest.raises(UsageError):
            drafts.create(name, "ranscore-1")
    drafts.create("mine", "ranscore-1")
    with pytest.raises(RefusedError):
        drafts.create("mine", "ranscore-1")
    with pytest.raises(UsageError, match="mine"):
        drafts.load("yours")
    packs.save(replace(packs.load(), name="frozen"))
    with pytest.raises(RefusedError):
        drafts.create("frozen", "ranscore-1")


def test_a_pack_that_was_replaced_under_a_draft_is_noticed() -> None:
    base = packs.load()
    packs.save(replace(base, name="base"))
    made = drafts.create("mine", "base")
    packs.save(replace(base, name="base", hedges="Another rule."))
    with pytest.raises(InputError, match="not the one"):
        made.pack()
