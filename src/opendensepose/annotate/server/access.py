"""Who may enter: personal links, sessions, and the checks that every request passes.

A link holds 32 random bytes, of which the database keeps a hash; opening it begins a session, a cookie that scripts
cannot read and that other sites' pages do not send. Revoking the link ends its sessions. On one's own machine, with
nobody invited, there is no sign-in; the checks of Host, Origin and the CSRF header keep other pages out there too.
"""

import hashlib
import hmac
import secrets
import threading
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

import sqlalchemy as sql

from opendensepose.annotate.work.refusals import Refused
from opendensepose.annotate.work.store import Store, annotators, sessions
from opendensepose.annotate.work.tasks import User, log

__all__ = [
    "LOCAL_NAME",
    "ROLES",
    "SECURITY_HEADERS",
    "SESSION_SECONDS",
    "Gate",
    "Session",
    "Throttle",
    "enter",
    "has_invited",
    "invite",
    "is_loopback",
    "leave",
    "local_session",
    "revoke",
    "session_of",
]

ROLES = ("annotator", "reviewer", "manager")
LOCAL_NAME = "me"  # who works alone on their own machine
SESSION_SECONDS = 14 * 24 * 3600.0
_MAX_NAME = 60  # characters

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self';"
        " font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@dataclass(frozen=True)
class Session:
    """A user who is signed in, and the value that their page sends with every change."""

    user: User
    csrf: str


def _hash(secret: str) -> str:
    """SHA-256 is enough for random secrets of 256 bits: there is nothing to guess."""
    return hashlib.sha256(secret.encode()).hexdigest()


# --- people ----------------------------------------------------------------------------------------------------------


def invite(store: Store, name: str, role: str = "annotator") -> str:
    """Lets somebody in, or gives them a new link in place of the old one; returns the secret of the link. ValueError
    if the name or role is unsuitable."""
    name = name.strip()
    if role not in ROLES:
        raise ValueError(f"the role is one of {', '.join(ROLES)}, got {role!r}.")
    if not name or len(name) > _MAX_NAME or not name.isprintable() or name == LOCAL_NAME:
        raise ValueError(f"a name has 1 to {_MAX_NAME} printable characters and is not {LOCAL_NAME!r}, got {name!r}.")
    token = secrets.token_urlsafe(32)
    with store.writing() as connection:
        known = connection.execute(sql.select(annotators).where(annotators.c.name == name)).one_or_none()
        values = {"role": role, "token_hash": _hash(token)}
        if known is None:
            connection.execute(annotators.insert().values(name=name, made_at=store.clock(), **values))
        else:
            connection.execute(annotators.update().where(annotators.c.id == known.id).values(**values))
            connection.execute(sessions.delete().where(sessions.c.annotator_id == known.id))
        log(connection, store, None, None, "invite", detail={"name": name, "role": role})
    return token


def revoke(store: Store, name: str) -> None:
    """Ends somebody's link and sessions; their work stays. ValueError if there is nobody of that name."""
    with store.writing() as connection:
        known = connection.scalar(sql.select(annotators.c.id).where(annotators.c.name == name.strip()))
        if known is None:
            raise ValueError(f"nobody called {name!r} was invited.")
        connection.execute(annotators.update().where(annotators.c.id == known).values(token_hash=None))
        connection.execute(sessions.delete().where(sessions.c.annotator_id == known))
        log(connection, store, None, None, "revoke", detail={"name": name})


def has_invited(store: Store) -> bool:
    """Whether anybody was ever invited: from then on everybody signs in."""
    with store.reading() as connection:
        return (
            connection.scalar(sql.select(annotators.c.id).where(annotators.c.name != LOCAL_NAME).limit(1)) is not None
        )


def local_session(store: Store) -> Session:
    """The session of who works alone; the same after a restart, so that an open page goes on."""
    csrf = store.setting("local_csrf", secrets.token_urlsafe(32))
    with store.writing() as connection:
        known = connection.scalar(sql.select(annotators.c.id).where(annotators.c.name == LOCAL_NAME))
        if known is None:
            values = {"name": LOCAL_NAME, "role": "manager", "made_at": store.clock()}
            known = connection.execute(annotators.insert().values(**values)).inserted_primary_key[0]
    return Session(User(known, LOCAL_NAME, "manager", alone=True), csrf)


# --- sessions --------------------------------------------------------------------------------------------------------


def enter(store: Store, token: str) -> str:
    """The key of a new session for the holder of a link. Refused if no link has this token."""
    token_hash = _hash(token)
    with store.writing() as connection:
        known = connection.execute(sql.select(annotators).where(annotators.c.token_hash == token_hash)).one_or_none()
        if known is None or not hmac.compare_digest(known.token_hash, token_hash):
            raise Refused("This link is not valid (any more): ask for a new one.", 401)
        key, now = secrets.token_urlsafe(32), store.clock()
        connection.execute(sessions.delete().where(sessions.c.expires_at <= now))
        values = {"csrf": secrets.token_urlsafe(32), "expires_at": now + SESSION_SECONDS}
        connection.execute(sessions.insert().values(key_hash=_hash(key), annotator_id=known.id, **values))
        log(connection, store, User(known.id, known.name, known.role), None, "enter")
    return key


def session_of(store: Store, key: str | None) -> Session | None:
    """The session that a cookie names; None if there is none, it has ended, or the link was revoked."""
    if not key or len(key) > 200:
        return None
    query = (
        sql.select(sessions.c.csrf, annotators.c.id, annotators.c.name, annotators.c.role)
        .join(annotators, sessions.c.annotator_id == annotators.c.id)
        .where(sessions.c.key_hash == _hash(key), sessions.c.expires_at > store.clock())
        .where(annotators.c.token_hash.is_not(None))
    )
    with store.reading() as connection:
        row = connection.execute(query).one_or_none()
    return None if row is None else Session(User(row.id, row.name, row.role), row.csrf)


def leave(store: Store, key: str | None) -> None:
    """Ends a session."""
    with store.writing() as connection:
        connection.execute(sessions.delete().where(sessions.c.key_hash == _hash(key or "")))


# --- checks ----------------------------------------------------------------------------------------------------------


def is_loopback(host: str) -> bool:
    return host in ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Gate:
    """Checks of a request's head. hosts: what the Host header may be, without a port; None: anything, as then every
    request needs a session, whose cookie a browser sends to its own host only. is_https: the scheme of Origin."""

    hosts: frozenset[str] | None
    is_https: bool = False

    def check_host(self, host: str) -> None:
        """Refuses other names for this machine: a page of another site can make its name point here."""
        if self.hosts is not None and (urlsplit(f"//{host}").hostname or "") not in self.hosts:
            raise Refused("This server does not answer to that host name.", 421)

    def check_change(self, header: Callable[[str], str | None], csrf: str) -> None:
        """Refuses a change unless it comes from our own page with the session's value."""
        origin, site = header("origin"), header("sec-fetch-site")
        own = f"{'https' if self.is_https else 'http'}://{header('host')}"
        if (origin is not None and origin != own) or site in ("cross-site", "same-site"):
            raise Refused("Changes are taken from the tool's own page only.", 403)
        if not hmac.compare_digest((header("x-csrf-token") or "").encode(), csrf.encode()):
            raise Refused("The X-CSRF-Token header is missing or wrong: load the page again.", 403)


class Throttle:
    """Counts failures by address: at most `most` in `seconds`."""

    def __init__(self, clock: Callable[[], float], most: int = 10, seconds: float = 60.0):
        self._clock, self._most, self._seconds = clock, most, seconds
        self._failures: dict[str, deque[float]] = defaultdict(deque)
        self._lock = threading.Lock()

    def check(self, address: str) -> None:
        """Refused if there were too many failures of late."""
        with self._lock:
            if len(self._recent(address)) >= self._most:
                raise Refused("Too many links that are not valid: wait a minute.", 429)

    def failed(self, address: str) -> None:
        with self._lock:
            if len(self._failures) > 10_000:  # addresses are cheap to make up
                self._failures.clear()
            self._recent(address).append(self._clock())

    def _recent(self, address: str) -> deque[float]:
        times = self._failures[address]
        while times and times[0] <= self._clock() - self._seconds:
            times.popleft()
        return times
