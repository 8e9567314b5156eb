"""Questions to the history for its topology: the noisiest containers and connections, and what the others come to.

The database groups; what comes out is bounded, however many containers and addresses there are.
"""

from __future__ import annotations

from typing import Final

from falcokit.history.query import Filter, scope
from falcokit.history.store import History
from falcokit.overview.topology import Box, Link

__all__ = ["boxes_and_links"]

_MOST: Final = 5000
"""How many containers, services with others, and connections are told apart."""
_BOX: Final = (
    "CASE WHEN container_id = 'host' OR (container_id IS NULL AND container = 'host') THEN NULL"
    " ELSE coalesce(left(container_id, 12), nullif(concat_ws(chr(31), container, pod), ''),"
    " nullif(concat_ws(chr(31), cluster, namespace, deployment, image), '')) END"
)
"""What tells the containers of a host apart."""
_NAMES: Final = ("container", "image", "cluster", "namespace", "deployment", "pod")
_SERVICE: Final = ("image", "cluster", "namespace", "deployment")
_CONNECTED: Final = r"^([0-9a-fA-F.:]{2,45}):[0-9]{1,5}->([0-9a-fA-F.:]{2,45}):([0-9]{1,5})$"
_LISTENING: Final = r"^()((?:[0-9]{1,3}\.){3}[0-9]{1,3}|[0-9a-fA-F:]*:[0-9a-fA-F:.]*):([0-9]{1,5})$"
"""What ``fd.name`` says of a connection, and of a socket that waits for one."""


def boxes_and_links(history: History, chosen: Filter, most: int = _MOST) -> tuple[list[Box], list[Link], int]:
    """The containers that the events are of which *chosen* lets through, their connections, and how many addresses those lead to that
    do not tell them.

    At most *most* of each on their own, and as many rows again of others put together.
    """
    source, values = scope(history, chosen)
    return _boxes(history, source, values, most), *_links(history, source, values, most)


def _boxes(history: History, source: str, values: list[object], most: int) -> list[Box]:
    names = ", ".join(f"max({name}) AS {name}" for name in _NAMES)
    columns = ", ".join(_NAMES)
    rows = history.all(
        f"""
        WITH grouped AS MATERIALIZED (
          SELECT host, {_BOX} AS box, max(left(container_id, 12)) AS id, {names}, count(*) AS count, min(rank) AS rank
          FROM {source} GROUP BY host, box
        ), numbered AS MATERIALIZED (SELECT *, row_number() OVER (ORDER BY count DESC, host, box) AS number FROM grouped
        ), services AS (
          SELECT host, {", ".join(_SERVICE)}, sum(count)::BIGINT AS count, min(rank) AS rank, count(box) AS merged
          FROM numbered WHERE number > ? GROUP BY ALL
        ), ordered AS MATERIALIZED (
          SELECT *, row_number() OVER (ORDER BY count DESC, host, {", ".join(_SERVICE)}) AS number FROM services
        )
        SELECT host, box, id, {columns}, count, rank, 0, false FROM numbered WHERE number <= ?
        UNION ALL
        SELECT host, NULL, NULL, NULL, image, cluster, namespace, deployment, NULL, count, rank, merged, false
        FROM ordered WHERE number <= ?
        UNION ALL
        SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, sum(count)::BIGINT, min(rank), sum(merged)::BIGINT, true
        FROM ordered WHERE number > ? HAVING count(*) > 0
        """,
        [*values, most, most, most, most],
    )
    return sorted([Box(*row) for row in rows], key=lambda box: (-box.events, str(box)))


def _links(history: History, source: str, values: list[object], most: int) -> tuple[list[Link], int]:
    history.connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE links AS
        WITH told AS (
          SELECT host, {_BOX} AS box, rank, proto, client, server, port,
            CASE WHEN client IS NULL AND server IS NULL
              THEN CASE WHEN contains(file, '->') THEN regexp_extract(file, '{_CONNECTED}', ['client', 'server', 'port'])
                ELSE regexp_extract(file, '{_LISTENING}', ['client', 'server', 'port']) END END AS named
          FROM {source} AND (client IS NOT NULL OR server IS NOT NULL OR (file NOT LIKE '/%' AND contains(file, ':')))
        ), ends AS (
          SELECT host, box, rank, proto, coalesce(client, nullif(named.client, '')) AS client,
            coalesce(server, nullif(named.server, '')) AS server,
            coalesce(port, try_cast(nullif(named.port, '') AS INTEGER)) AS port
          FROM told
        ), grouped AS (
          SELECT host, box, proto, client, server, port, count(*) AS count, min(rank) AS rank
          FROM ends WHERE client IS NOT NULL OR server IS NOT NULL GROUP BY host, box, proto, client, server, port
        )
        SELECT row_number() OVER () AS number, * FROM grouped
        """,
        values,
    )
    rows = history.all(
        "SELECT * FROM links ORDER BY count DESC, host, box, client, server, port, proto LIMIT ?", [most]
    )
    found = [Link(*row[1:]) for row in rows]
    others = 0
    if len(rows) == most:
        history.connection.execute(
            f"DELETE FROM links WHERE number IN (SELECT unnest([{', '.join(str(row[0]) for row in rows)}]))"
        )
        # Of the ends that a container is seen with, the ones that differ more are not its own.
        others = history.all(
            """
            WITH ways AS (
              SELECT host, box, approx_count_distinct(server) >= approx_count_distinct(client) AS out FROM links GROUP BY host, box
            )
            SELECT count(DISTINCT CASE WHEN out THEN server ELSE client END) FROM links JOIN ways
            ON links.host IS NOT DISTINCT FROM ways.host AND links.box IS NOT DISTINCT FROM ways.box
            WHERE CASE WHEN out THEN server ELSE client END NOT IN (SELECT unnest(?::VARCHAR[]))
            """,
            [[end for link in found for end in (link.client, link.server) if end is not None]],
        )[0][0]
        found += [
            Link(host, box, None, None, None, None, count, rank)
            for host, box, count, rank in history.all(
                """
                WITH places AS (
                  SELECT host, box, sum(count) AS count, min(rank) AS rank FROM links GROUP BY host, box
                ), numbered AS (SELECT *, row_number() OVER (ORDER BY count DESC, host, box) AS number FROM places)
                SELECT CASE WHEN number <= ? THEN host END AS host, CASE WHEN number <= ? THEN box ELSE '' END AS box,
                  sum(count)::BIGINT, min(rank)
                FROM numbered GROUP BY 1, 2
                """,
                [most, most],
            )
        ]
    history.connection.execute("DROP TABLE links")
    return sorted(found, key=lambda link: (-link.events, str(link))), others
