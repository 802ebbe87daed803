"""Hostile requests to every endpoint of the annotation server, on SQLite and on PostgreSQL: how each was answered.

python benchmarks/annotate_fuzz.py [--requests 5000] [--at-once 10] [--seed 0] [--db sqlite postgresql]

So many attacks run at once, each on a database of its own. Ends with 1 if an answer is a server's error, has no safe
headers, or shows an annotator another one's work.
"""

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # for the tests' requests and PostgreSQL
from tests.annotate.fuzzing import Attack
from tests.annotate.postgres import PrivatePostgres

from opendensepose.annotate.work.store import open_store


def attack(url: str, folder: Path, num_requests: int, seed: int) -> Attack:
    with open_store(url) as store:
        one = Attack(store, folder, seed)
        one.run(num_requests)
    return one


def attack_all(kind: str, urls: list[str], num_requests: int, seed: int) -> int:
    """Attack all databases at once; print what came back; return the number of problems."""
    codes: Counter = Counter()
    problems: list[str] = []
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(len(urls)) as threads:
        share = -(-num_requests // len(urls))
        begun = [
            threads.submit(attack, url, Path(name, str(k)), share, seed + k)  # each with seeds of its own
            for k, url in enumerate(urls)
        ]
        for done in as_completed(begun):
            codes += done.result().codes
            problems += done.result().problems
            print(f"{kind}: {sum(codes.values())} requests, {len(problems)} problems so far", flush=True)
    answers = ", ".join(f"{code}: {count}" for code, count in sorted(codes.items(), key=lambda pair: str(pair[0])))
    print(f"{kind}: {sum(codes.values())} requests, {len(problems)} problems; answers {answers}")
    for problem in problems[:20]:
        print(f"  {problem}")
    return len(problems)


def postgres_urls(server: PrivatePostgres, count: int) -> Iterator[str]:
    """Empty databases of a server."""
    import psycopg

    first = server.empty_database()
    with psycopg.connect(first, autocommit=True) as connection:
        for k in range(count):
            connection.execute(f"create database attacked{k}")
            yield first.replace("/test?", f"/attacked{k}?")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--requests", type=int, default=5000)
    parser.add_argument("--at-once", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--db", nargs="*", default=["sqlite", "postgresql"])
    given, count = parser.parse_args(), 0
    if "sqlite" in given.db:
        with tempfile.TemporaryDirectory() as name:
            urls = [str(Path(name, f"{k}.sqlite")) for k in range(given.at_once)]
            count += attack_all("SQLite", urls, given.requests, given.seed)
    if "postgresql" in given.db:
        with PrivatePostgres() as postgres:
            urls = list(postgres_urls(postgres, given.at_once))
            count += attack_all("PostgreSQL", urls, given.requests, given.seed)
    sys.exit(count > 0)


if __name__ == "__main__":
    main()
