"""A PostgreSQL for tests and benchmarks: a cluster in a temporary folder, without network, gone when it is left.

PostgreSQL does not run as root: there, its programs run as the user `postgres` that Debian's package makes.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

DATABASE = "test"


def _programs() -> Path | None:
    """The folder of initdb, postgres, pg_ctl, of the newest version installed."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: -float(path.parent.name))
    if folders:
        return folders[0]
    found = shutil.which("initdb")
    return Path(found).resolve().parent if found else None


def missing_postgres() -> str | None:
    """Why there is no PostgreSQL to be used here, or None."""
    if _programs() is None:
        return "PostgreSQL is not installed: apt-get install postgresql"
    if os.geteuid() == 0 and "postgres" not in {user.pw_name for user in pwd.getpwall()}:
        return "PostgreSQL does not run as root, and there is no user postgres"
    try:
        import psycopg  # noqa: F401
    except ImportError:
        return 'the driver is not installed: pip install "opendensepose[team]"'
    return None


class PrivatePostgres:
    """with PrivatePostgres() as server: server.empty_database() -> URL."""

    def __enter__(self):
        self._user = "postgres" if os.geteuid() == 0 else None
        self._folder = Path(tempfile.mkdtemp(prefix="odp-pg-", dir="/tmp"))  # a socket's path is short
        if self._user:
            shutil.chown(self._folder, self._user)
        self._run("initdb", "-D", self._folder / "data", "-A", "trust", "-U", "tester", "-E", "UTF8", "--no-locale")
        options = f"-c listen_addresses='' -c unix_socket_directories={self._folder} -c max_connections=60"
        log = self._folder / "log"
        self._run("pg_ctl", "-D", self._folder / "data", "-w", "-l", log, "-o", options, "start")
        self._run("createdb", "-h", self._folder, "-U", "tester", DATABASE)
        return self

    def __exit__(self, *exc):
        self._run("pg_ctl", "-D", self._folder / "data", "-w", "-m", "immediate", "stop")
        shutil.rmtree(self._folder, ignore_errors=True)

    def empty_database(self) -> str:
        """The URL of the one database, emptied: one for each test would be hundreds of files each."""
        import psycopg

        url = f"postgresql://tester@/{DATABASE}?host={self._folder}"
        with psycopg.connect(url, autocommit=True) as connection:
            others = "datname = current_database() and pid <> pg_backend_pid()"
            connection.execute(f"select pg_terminate_backend(pid) from pg_stat_activity where {others}")
            connection.execute("drop schema public cascade")
            connection.execute("create schema public")
        return url

    def _run(self, program: str, *arguments) -> None:
        command = [str(_programs() / program), *map(str, arguments)]
        with (self._folder / "output").open("w+") as output:  # not a pipe: the server keeps it open
            done = subprocess.run(command, user=self._user, cwd=self._folder, stdout=output, stderr=output)
            if done.returncode:
                output.seek(0)
                raise RuntimeError(f"{program} failed: {output.read()}")
