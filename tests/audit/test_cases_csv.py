"""cases.csv and payments.csv: money to the fen, bad rows by line, the same file twice."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import ledger
from audit.access import LOCAL, Actor, Refused, Role
from audit.cases import CaseList, Imported, fen, import_cases, read_cases, stage_of, unknown_cases
from audit.config import CHINA
from audit.errors import BadCases
from audit.store import Store
from audit.store.cases import known_until

SAMPLES = Path(__file__).parents[2] / "samples"
HEADER = "case_id,agent_id,days_overdue,overdue_amount,assigned_at,委托方\n"


def read(folder: Path, text: str, encoding: str = "utf-8") -> CaseList:
    file = folder / "list.csv"
    file.write_bytes(text.encode(encoding))
    return read_cases(file, utc_offset=CHINA)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "s.db") as opened:
        yield opened


def samples() -> list[CaseList]:
    return [read_cases(SAMPLES / name, utc_offset=CHINA) for name in ("cases.csv", "payments.csv")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "utf-16"])
def test_every_encoding_of_a_spreadsheet_is_read(tmp_path: Path, encoding: str) -> None:
    (case,) = read(tmp_path, HEADER + 'AJ1,A1,35,"1,234.50",2026/11/2,云杉银行\n', encoding).cases
    assert (case.overdue_fen, case.stage, case.assigned_on) == (123_450, "M2", date(2026, 11, 2))
    assert case.extra == {"委托方": "云杉银行"}


@given(st.integers(0, 10**13))
def test_money_is_exact_to_the_fen(amount: int) -> None:
    yuan = f"{amount // 100}.{amount % 100:02d}"
    assert fen(yuan) == fen(f"￥{yuan}元") == fen(f"{amount // 100:,}.{amount % 100:02d}") == amount


@given(st.text(max_size=20))
def test_what_is_no_money_is_refused_and_never_a_crash(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert fen(text) >= 0


@pytest.mark.parametrize("text", ["-5", "1.234", "1e5", "nan", "", "12万", "9" * 40, "1,23", "."])
def test_slips_of_the_keyboard_are_no_money(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        fen(text)


@pytest.mark.parametrize(
    ("days", "stage"), [(0, "M0"), (1, "M1"), (30, "M1"), (31, "M2"), (180, "M6"), (181, "M7+"), (900, "M7+")]
)
def test_stages_of_overdue_are_thirty_days_long(days: int, stage: str) -> None:
    assert stage_of(days) == stage


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("days_overdue", "三十"), ("overdue_amount", "很多"), ("assigned_at", "2026-13-40"), ("case_id", ""),
        ("satisfaction", "101"), ("closed_at", "昨天"), ("paid_at", "2026-11-19"), ("days_overdue", "9" * 30),
    ],
)  # fmt: skip
def test_a_bad_cell_costs_its_row_and_is_told_with_line_and_column(tmp_path: Path, column: str, value: str) -> None:
    names = list(dict.fromkeys(["case_id", column, "paid_amount", "x"]))
    bad = ",".join({"case_id": "bad", column: value, "x": "1"}.get(name, "") for name in names)
    good = ",".join({"case_id": "good"}.get(name, "") for name in names)
    found = read(tmp_path, ",".join(names) + f"\n{bad}\n{good}\n")
    assert [case.case_id for case in found.cases] == ["good"]
    (row,) = found.bad
    assert row.line == 2
    assert column in row.reason


@pytest.mark.parametrize("text", ["", "agent_id\nA1\n", "case_id,case_id\n1,2\n", 'case_id,x\nc1,"a\n'])
def test_a_list_that_is_none_is_refused_with_its_name(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadCases, match=r"list\.csv"):
        read(tmp_path, text)


def test_payments_may_stand_in_columns_of_the_case(tmp_path: Path) -> None:
    found = read(
        tmp_path, "case_id,paid_at,paid_amount,paid_at_2,paid_amount_2\nAJ1,2026-11-03,10,2026-11-04 09:00,0.5\n"
    )
    assert [(p.fen, p.paid_at) for p in found.payments] == [
        (1_000, datetime(2026, 11, 3, 23, 59, 59, tzinfo=CHINA)),  # a day alone ends late: paid after that day's call
        (50, datetime(2026, 11, 4, 9, tzinfo=CHINA)),
    ]
    assert found.cases[0].extra == {}


def test_two_equal_payments_of_one_day_are_two(tmp_path: Path) -> None:
    found = read(tmp_path, "case_id,paid_at,amount\nAJ1,2026-11-03,10\nAJ1,2026-11-03,10\n")
    assert len({payment.key for payment in found.payments}) == 2


def test_the_same_files_again_change_nothing(store: Store) -> None:
    first = import_cases(store, samples(), actor=LOCAL)
    assert (first.new_cases, first.new_payments) == (12, 8)
    assert import_cases(store, samples(), actor=LOCAL) == Imported(
        new_cases=0, changed_cases=0, new_payments=0, changed_payments=0
    )
    assert known_until(store) == date(2026, 12, 4)
    assert [entry.data for entry in ledger.recent(store, kind=ledger.Kind.IMPORT)] == [
        {"new_cases": 12, "changed_cases": 0, "new_payments": 8, "changed_payments": 0}
    ]


def test_columns_that_a_later_list_lacks_stay_as_they_were(store: Store, tmp_path: Path) -> None:
    import_cases(store, [read(tmp_path, HEADER + "AJ1,A1,35,800,2026-11-02,甲\n")], actor=LOCAL)
    done = import_cases(store, [read(tmp_path, "case_id,satisfaction\nAJ1,90\n")], actor=LOCAL)
    assert done.changed_cases == 1
    row = store.one("select * from cases")
    assert row is not None
    assert (row["agent_id"], row["overdue_fen"], row["stage"], row["satisfaction"]) == ("A1", 80_000, "M2", 90)
    assert row["extra"] == '{"委托方":"甲"}'


def test_payments_for_cases_that_nobody_listed_are_named_and_left_out(store: Store, tmp_path: Path) -> None:
    found = read(tmp_path, "case_id,paid_at,amount\nAJ9,2026-11-03,10\n")
    kept, sentences = unknown_cases(store, [found])
    assert kept[0].payments == ()
    assert len(sentences) == 1
    assert "AJ9" in sentences[0]


def test_a_case_is_cured_on_the_day_that_pays_the_last_of_it(store: Store) -> None:
    import_cases(store, samples(), actor=LOCAL)
    cured = {row["case_id"]: (row["cured_on"], row["paid_fen"]) for row in store.all("select * from cases")}
    assert cured["AJ261001"] == ("2026-11-30", 352_000)  # 2000 and 1520 of 3520
    assert cured["AJ261002"] == (None, 105_000)


def test_who_may_not_import_is_refused_and_nothing_is_kept(store: Store) -> None:
    trainer = Actor(name="培训", role=Role.TRAINER)
    with pytest.raises(Refused):
        import_cases(store, samples(), actor=trainer)
    assert store.one("select 1 from cases") is None
