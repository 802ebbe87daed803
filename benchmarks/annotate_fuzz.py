"""Hostile requests to every endpoint of the annotation server, on SQLite and on PostgreSQL: how each was answered.

python benchmarks/annotate_fuzz.py [--requests 5000] [--seed 0] [--db sqlite postgresql]

Ends with 1 if an answer is a server's error, has no safe headers, or shows an annotator another one's work.
"""

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # for the tests' requests and PostgreSQL
from tests.annotate.fuzzing import Attack
from tests.annotate.postgres import PrivatePostgres

from opendensepose.annotate.work.store import open_store


def attack(kind: str, url: str, num_requests: int, seed: int) -> int:
    """Attack one database; print what came back; return the number of problems."""
    with tempfile.TemporaryDirectory() as name, open_store(url) as store:
        one = Attack(store, Path(name, "photos"), seed)
        one.run(num_requests)
    codes = ", ".join(f"{code}: {count}" for code, count in sorted(one.codes.items(), key=lambda pair: str(pair[0])))
    print(f"{kind}: {num_requests} requests, {len(one.problems)} problems; answers {codes}")
    for problem in one.problems[:20]:
        print(f"  {problem}")
    return len(one.problems)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--requests", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--db", nargs="*", default=["sqlite", "postgresql"])
    given, count = parser.parse_args(), 0
    if "sqlite" in given.db:
        with tempfile.TemporaryDirectory() as name:
            count += attack("SQLite", str(Path(name, "a.sqlite")), given.requests, given.seed)
    if "postgresql" in given.db:
        with PrivatePostgres() as postgres:
            count += attack("PostgreSQL", postgres.empty_database(), given.requests, given.seed)
    sys.exit(count > 0)


if __name__ == "__main__":
    main()
