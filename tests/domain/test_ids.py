"""Ids sort by time and never repeat."""

import re
import time
from concurrent.futures import ThreadPoolExecutor

from samplemind.domain.ids import new_id


def test_ids_sort_in_the_order_they_were_made() -> None:
    ids = [new_id() for _ in range(50_000)]
    assert ids == sorted(ids)
    assert all(re.fullmatch(r"[0-9a-f]{24}", id_) for id_ in ids)


def test_threads_never_make_the_same_id() -> None:
    with ThreadPoolExecutor(8) as pool:
        made = pool.map(lambda _: [new_id() for _ in range(2_000)], range(8))
        ids = [id_ for some in made for id_ in some]
    assert len(set(ids)) == len(ids)


def test_an_id_tells_when_it_was_made() -> None:
    before = time.time_ns() // 1_000
    id_ = new_id()
    assert before <= int(id_[:14], 16) <= time.time_ns() // 1_000
