"""Reports files that are right: any format, any order, exactly the text that was written."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.errors import InputError
from harness.formats import reports, tabular
from harness.formats.complaints import Complaints
from harness.formats.nearest_id import Nearest
from harness.types import ReportSet, Section

IDS = st.from_regex(r"\A[A-Za-z][A-Za-z0-9_-]{0,20}\Z")
TEXTS = st.text(st.characters(categories=("L", "N", "P", "Zs"), exclude_characters="<&`="), max_size=200).filter(
    lambda text: text.strip().lower() not in ("nan", "none", "null", "n/a", "na", "#n/a", "nil", "undefined")
)
PER_FUNCTION = [HealthCheck.function_scoped_fixture]


@given(table=st.dictionaries(IDS, TEXTS, min_size=1, max_size=8))
@settings(suppress_health_check=PER_FUNCTION, deadline=None, max_examples=25)
def test_what_is_written_is_read_again_from_every_format(tmp_path: Path, table: dict[str, str]) -> None:
    import csv

    reports.write(tmp_path / "a.jsonl", table)
    (tmp_path / "a.json").write_text(json.dumps(table))
    (tmp_path / "b.json").write_text(json.dumps([{"study_id": name, "report": text} for name, text in table.items()], indent=1))
    with (tmp_path / "a.csv").open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([("study_id", "report"), *table.items()])
    pq.write_table(pa.table({"study_id": list(table), "report": list(table.values())}), tmp_path / "a.parquet")
    for name in ("a.jsonl", "a.json", "b.json", "a.csv", "a.parquet"):
        kept = {study: text if text.strip() else "" for study, text in table.items()}
        assert reports.read(tmp_path / name, list(table)).reports == kept, name


@given(content=st.binary(max_size=400) | st.text(max_size=200).map(str.encode))
@settings(suppress_health_check=PER_FUNCTION, deadline=None, max_examples=80)
def test_no_content_whatever_does_more_than_complain(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    complaints = Complaints("a.csv")
    found = reports.check(tabular.read(tmp_path / "a.csv", complaints), complaints, ["s1"])
    assert complaints.problems or set(found) == {"s1"}


@pytest.mark.parametrize("head", [b"study_id,report\n", b'{"study_id": "s1", ', b'[{"study_id"', b"PAR1", b'{"s1"'])
@given(tail=st.binary(max_size=100))
@settings(suppress_health_check=PER_FUNCTION, deadline=None, max_examples=20)
def test_a_promising_beginning_changes_nothing(tmp_path: Path, head: bytes, tail: bytes) -> None:
    test_no_content_whatever_does_more_than_complain.hypothesis.inner_test(tmp_path, head + tail)  # type: ignore[attr-defined]


def test_a_permuted_file_gives_the_same_set(tmp_path: Path) -> None:
    table = {f"s{number}": f"Text {number}." for number in range(200)}
    order = list(table)
    random.Random(3).shuffle(order)
    reports.write(tmp_path / "a.jsonl", table)
    (tmp_path / "b.jsonl").write_text("".join(json.dumps({"report": table[name], "study_id": name}) + "\n" for name in order))
    assert reports.read(tmp_path / "a.jsonl", table) == reports.read(tmp_path / "b.jsonl", table)


def test_missing_and_empty_reports_are_warned_of_and_kept_apart(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("study_id,report\ns1,\ns2,.\n")
    found = reports.read(tmp_path / "a.csv", ["s1", "s2", "s3"])
    assert found.reports == {"s1": "", "s2": "."}
    assert len(found.warnings) == 2
    assert "study 's1': the report has no text" in found.warnings[0]
    assert "study 's3': the study has no row" in found.warnings[1]


@pytest.mark.parametrize(
    ("section", "text"),
    [(Section.BOTH, "Large heart.\nCardiomegaly."), (Section.FINDINGS, "Large heart."), (Section.IMPRESSION, "Cardiomegaly.")],
)
def test_sections_are_joined_as_the_cohort_scores_them(tmp_path: Path, section: Section, text: str) -> None:
    (tmp_path / "a.csv").write_text("Study_ID,Findings,Impression\ns1,Large heart.,Cardiomegaly.\n")
    assert reports.read(tmp_path / "a.csv", ["s1"], section).reports == {"s1": text}


@pytest.mark.parametrize(
    "content",
    [
        "\ufeffstudy_id,report\ns1,Clear.\n",
        "study_id;report\r\ns1;Clear.\r\n",
        "study_id\treport\ns1\tClear.\n",
        '\n{"Study_ID": "s1", "Report": "Clear."}\n\n',
        '{"s1": "Clear."}',
        ' [ {"report": "Clear.", "study_id": " s1 "} ] ',
    ],
)
def test_harmless_differences_are_read_without_a_word(tmp_path: Path, content: str) -> None:
    (tmp_path / "a").write_text(content, encoding="utf-8", newline="")
    assert reports.read(tmp_path / "a", ["s1"]) == ReportSet({"s1": "Clear."})


def test_numbers_are_ids_and_text_may_hold_signs_and_other_languages(tmp_path: Path) -> None:
    texts = ["- Nodule <1 cm & stable; SpO2 > 90 %", "心影增大。\n双肺清晰。", "Effusion (½) — grösser…\tyes"]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps({"study_id": n, "report": text}) + "\n" for n, text in enumerate(texts)))
    assert reports.read(tmp_path / "a.jsonl", ["0", "1", "2"]).reports == dict(zip("012", texts, strict=True))


def test_a_unicode_line_separator_does_not_end_a_line(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"study_id": "s1", "report": "One.\u2028Two."}\n', encoding="utf-8")
    assert reports.read(tmp_path / "a.jsonl").reports == {"s1": "One.\u2028Two."}


@pytest.mark.parametrize("schema", [True, False])
def test_a_parquet_file_that_unfolds_is_stopped(tmp_path: Path, schema: bool) -> None:
    repeated = pa.DictionaryArray.from_arrays(pa.array([0] * 20_000, pa.int32()), ["x" * 1_500_000])
    table = pa.table({"study_id": [f"s{number}" for number in range(20_000)], "report": repeated})
    pq.write_table(table, tmp_path / "a.parquet", compression="zstd", dictionary_pagesize_limit=1 << 30, store_schema=schema)
    assert (tmp_path / "a.parquet").stat().st_size < 1_000_000, "it would be 30 GB unfolded"
    with pytest.raises(InputError, match="more than 1,000,000 bytes"):
        reports.read(tmp_path / "a.parquet")


def test_every_problem_is_collected_and_the_rest_is_counted() -> None:
    complaints = Complaints("a.csv")
    content = "study_id,report\n" + "".join(f"z{number},Clear {number}.\n" for number in range(351)) + "s1,Clear.\n"
    reports.check(tabular.parse(content.encode(), complaints), complaints, ["s1"])
    assert len(complaints.problems) == 21
    assert str(complaints.problems[-1]) == "a.csv: and 331 more: unknown id"


def test_the_nearest_id_is_found_by_letters_digits_or_likeness() -> None:
    nearest = Nearest(["CXR3030_IM-1405", "CXR38_IM-1911", "s50414267", "s53189527"])
    assert nearest.to("cxr3030-im-1405.png") == "CXR3030_IM-1405"
    assert nearest.to("50414267.0") == "s50414267"
    assert nearest.to("s5318952") == "s53189527"
    assert nearest.to("xs53189528") == "s53189527"
    assert nearest.to("quite another") == ""


def test_real_submissions_are_sound(shared: Path) -> None:
    expected = reports.read(shared / "submissions" / "references.csv").reports
    found = reports.read(shared / "submissions" / "moerad-iu.csv", expected)
    assert len(found.reports) == len(expected) == 590
    constant = reports.read(shared / "submissions" / "aamn-iu.csv", expected)
    assert any("one text stands for" in warning for warning in constant.warnings)


def test_the_examples_of_the_documentation_are_one_set() -> None:
    folder = Path(__file__).parents[2] / "submissions" / "examples"
    table = reports.read(folder / "predictions.csv")
    assert table == reports.read(folder / "predictions.jsonl")
    assert len(table.reports) == 3 and not table.warnings
