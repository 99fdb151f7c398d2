"""Where a feature lies follows the grids, whoever redraws them; history stays."""

import psycopg
import pytest

from tests.conftest import TestDatabase

COMMUNITY = "990101101001"
WEST, EAST = f"{COMMUNITY}001", f"{COMMUNITY}002"


@pytest.fixture
def connection(database: TestDatabase):  # type: ignore[no-untyped-def]
    with database.connect() as connection:
        connection.execute(
            "INSERT INTO areas (code, name, level, parent) VALUES"
            " ('990101101', '镇', 'town', NULL), (%s, '社区', 'community', '990101101')",
            [COMMUNITY],
        )
        grid(connection, WEST, 117.00, 117.01)
        grid(connection, EAST, 117.01, 117.02)
        connection.commit()
        yield connection


def grid(connection: psycopg.Connection, code: str, west: float, east: float) -> None:
    connection.execute(
        "INSERT INTO grids (code, name, parent, geom)"
        " VALUES (%s, %s, %s, st_multi(st_makeenvelope(%s, 31, %s, 31.01, 4326)))",
        [code, code, COMMUNITY, west, east],
    )


def dispute(connection: psycopg.Connection, code: str, lon: float, when: str = "now") -> None:
    connection.execute(
        "INSERT INTO disputes (code, category, occurred_at, geom)"
        " VALUES (%s, 'other', %s, st_setsrid(st_makepoint(%s, 31.005), 4326))",
        [code, when, lon],
    )


def where(connection: psycopg.Connection, code: str) -> tuple[object, ...]:
    row = connection.execute(
        "SELECT grid_now, area_now, grid_at_event FROM disputes WHERE code = %s", [code]
    ).fetchone()
    assert row
    return row


def swap_border(connection: psycopg.Connection, at: float) -> None:
    """Move the border between the two grids, in one transaction."""
    for code, west, east in ((WEST, 117.00, at), (EAST, at, 117.02)):
        connection.execute(
            "UPDATE grids SET geom = st_multi(st_makeenvelope(%s, 31, %s, 31.01, 4326))"
            " WHERE code = %s AND valid_to IS NULL",
            [west, east, code],
        )
    connection.commit()


def test_a_point_lies_in_its_grid(connection: psycopg.Connection) -> None:
    dispute(connection, "a", 117.005)
    assert where(connection, "a") == (WEST, COMMUNITY, WEST)


def test_a_point_on_a_shared_edge_lies_in_the_lowest_code(connection: psycopg.Connection) -> None:
    dispute(connection, "edge", 117.01)
    assert where(connection, "edge")[0] == WEST


def test_a_point_outside_lies_nowhere(connection: psycopg.Connection) -> None:
    dispute(connection, "out", 118)
    assert where(connection, "out") == (None, None, None)


def test_points_follow_a_moved_border(connection: psycopg.Connection) -> None:
    dispute(connection, "a", 117.008)
    dispute(connection, "b", 117.002)
    swap_border(connection, 117.006)
    assert where(connection, "a") == (EAST, COMMUNITY, WEST)
    assert where(connection, "b") == (WEST, COMMUNITY, WEST)


def test_the_grid_at_the_event_is_of_that_time(connection: psycopg.Connection) -> None:
    swap_border(connection, 117.006)
    dispute(connection, "before", 117.008, "2020-01-01")
    dispute(connection, "after", 117.008)
    assert where(connection, "before") == (EAST, COMMUNITY, WEST)
    assert where(connection, "after") == (EAST, COMMUNITY, EAST)
    connection.execute("UPDATE disputes SET status = 'closed'")
    assert where(connection, "before") == (EAST, COMMUNITY, WEST)


def test_a_redrawn_grid_leaves_its_past_version(connection: psycopg.Connection) -> None:
    swap_border(connection, 117.006)
    swap_border(connection, 117.004)
    versions = connection.execute(
        "SELECT version, valid_from IS NULL, valid_to IS NULL, round(st_xmax(geom)::numeric, 3)"
        " FROM grids WHERE code = %s ORDER BY version",
        [WEST],
    ).fetchall()
    assert [(n, first, last, float(x)) for n, first, last, x in versions] == [
        (1, True, False, 117.010),
        (2, False, False, 117.006),
        (3, False, True, 117.004),
    ]
    joined = connection.execute(
        "SELECT bool_and(b.valid_from = a.valid_to) FROM grids AS a JOIN grids AS b"
        " ON b.code = a.code AND b.version = a.version + 1"
    ).fetchone()
    assert joined == (True,)


def test_a_new_name_is_no_new_version(connection: psycopg.Connection) -> None:
    connection.execute("UPDATE grids SET name = '新名' WHERE code = %s", [WEST])
    row = connection.execute("SELECT count(*), max(version) FROM grids").fetchone()
    assert row == (2, 1)


def test_outlines_follow(connection: psycopg.Connection) -> None:
    def areas() -> list[tuple[str, float]]:
        return [
            (code, round(width, 6))
            for code, width in connection.execute(
                "SELECT code, st_xmax(geom) - st_xmin(geom) FROM areas ORDER BY code"
            )
        ]

    assert areas() == [("990101101", 0.02), (COMMUNITY, 0.02)]
    grid(connection, f"{COMMUNITY}003", 117.02, 117.03)
    connection.commit()
    assert areas() == [("990101101", 0.03), (COMMUNITY, 0.03)]


def test_overlapping_grids_are_refused_at_commit(connection: psycopg.Connection) -> None:
    grid(connection, f"{COMMUNITY}003", 117.015, 117.03)
    with pytest.raises(psycopg.errors.CheckViolation) as refused:
        connection.commit()
    assert refused.value.diag.constraint_name == "coverage_overlap"
    assert f"{COMMUNITY}003" in str(refused.value)


def test_a_gap_is_refused_at_commit(connection: psycopg.Connection) -> None:
    connection.execute(
        "UPDATE grids SET geom = st_multi(st_difference(geom,"
        " st_makeenvelope(117.002, 31.002, 117.004, 31.004, 4326))) WHERE code = %s",
        [WEST],
    )
    with pytest.raises(psycopg.errors.CheckViolation) as refused:
        connection.commit()
    assert refused.value.diag.constraint_name == "coverage_gap"


def test_a_filled_hole_is_no_gap(connection: psycopg.Connection) -> None:
    connection.execute(
        "UPDATE grids SET geom = st_multi(st_difference(geom,"
        " st_makeenvelope(117.002, 31.002, 117.004, 31.004, 4326))) WHERE code = %s",
        [WEST],
    )
    connection.execute(
        "INSERT INTO grids (code, name, parent, geom) VALUES (%s, '内', %s,"
        " st_multi(st_makeenvelope(117.002, 31.002, 117.004, 31.004, 4326)))",
        [f"{COMMUNITY}009", COMMUNITY],
    )
    connection.commit()
    # Taken out again, the gap is back: the check runs anew in each transaction.
    connection.execute("DELETE FROM grids WHERE code = %s", [f"{COMMUNITY}009"])
    with pytest.raises(psycopg.errors.CheckViolation):
        connection.commit()


def test_an_invisible_overlap_in_between_is_allowed(connection: psycopg.Connection) -> None:
    """Only what others can read must hold: inside a transaction, grids may pass through it."""
    connection.execute(
        "UPDATE grids SET geom = st_multi(st_makeenvelope(117, 31, 117.015, 31.01, 4326))"
        " WHERE code = %s",
        [WEST],
    )
    connection.execute(
        "UPDATE grids SET geom = st_multi(st_makeenvelope(117.015, 31, 117.02, 31.01, 4326))"
        " WHERE code = %s AND valid_to IS NULL",
        [EAST],
    )
    connection.commit()


def test_a_removed_grid_leaves_its_past_version(connection: psycopg.Connection) -> None:
    dispute(connection, "a", 117.015)
    connection.execute("DELETE FROM grids WHERE code = %s", [EAST])
    connection.commit()
    row = connection.execute(
        "SELECT count(*), max(valid_to) IS NOT NULL FROM grids WHERE code = %s", [EAST]
    ).fetchone()
    assert row == (1, True)
    assert where(connection, "a") == (None, None, EAST)
