"""Users: one-time links, and the sessions that they begin.

A link holds 32 random bytes behind its #, which browsers send to no server and no proxy logs. The page sends them once,
in exchange for a session: a cookie that scripts cannot read and that other sites' pages do not send. The database keeps
hashes of both. A link expires; revoking a user ends their link and sessions. On a user's own machine, with nobody
invited, there is no sign-in.
"""

import hashlib
import secrets
from dataclasses import dataclass

import sqlalchemy as sql
from sqlalchemy.engine import Connection

from opendensepose.annotate.work.errors import RequestError
from opendensepose.annotate.work.store import Store, annotators, insert_row, sessions
from opendensepose.annotate.work.tasks import User, log

__all__ = [
    "LINK_SECONDS",
    "LOCAL_NAME",
    "ROLES",
    "SESSION_SECONDS",
    "Session",
    "find_session",
    "has_invitations",
    "invite",
    "local_session",
    "new_link",
    "revoke",
    "sign_in",
    "sign_out",
]

ROLES = ("annotator", "reviewer", "manager")
LOCAL_NAME = "me"  # the only user of a tool on their own machine
LINK_SECONDS = 7 * 24 * 3600.0
SESSION_SECONDS = 14 * 24 * 3600.0  # without a request
_EXTEND_SECONDS = 24 * 3600.0  # a session is extended at most so often
_MAX_NAME = 60  # characters
_SESSION = (  # made once, as every request runs it
    sql.select(sessions.c.csrf, sessions.c.expires_at, annotators.c.id, annotators.c.name, annotators.c.role)
    .join(annotators, sessions.c.annotator_id == annotators.c.id)
    .where(sessions.c.key_hash == sql.bindparam("key_hash"), sessions.c.expires_at > sql.bindparam("now"))
    .where(annotators.c.active)
)


@dataclass(frozen=True)
class Session:
    """A user who is signed in, and the CSRF token that their page sends with every change."""

    user: User
    csrf: str


def _hash(secret: str) -> str:
    """SHA-256 is enough for random secrets of 256 bits, which cannot be guessed."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


# --- links -----------------------------------------------------------------------------------------------------------


def invite(
    store: Store, name: str, role: str = "annotator", *, by: User | None = None, seconds: float = LINK_SECONDS
) -> str:
    """Make a one-time link, which replaces an older one of that name and its sessions; return its token.

    ValueError if the name or role is unsuitable.
    """
    name = name.strip()
    if role not in ROLES:
        raise ValueError(f"the role must be one of {', '.join(ROLES)}, got {role!r}.")
    if not name or len(name) > _MAX_NAME or not name.isprintable() or name == LOCAL_NAME:
        raise ValueError(
            f"a name must have 1 to {_MAX_NAME} printable characters and not be {LOCAL_NAME!r}, got {name!r}."
        )
    with store.writing() as connection:
        known = connection.scalar(sql.select(annotators.c.id).where(annotators.c.name == name))
        if known is None:
            known = insert_row(connection, annotators, name=name, role=role, made_at=store.clock(), active=True)
        connection.execute(annotators.update().where(annotators.c.id == known).values(role=role, active=True))
        connection.execute(sessions.delete().where(sessions.c.annotator_id == known))
        log(connection, store, by, None, "invite", detail={"name": name, "role": role})
        return _link(connection, store, known, seconds)


def new_link(store: Store, user: User) -> str:
    """Make the user's own link for another browser, good for a day; their sessions stay. Returns its token."""
    if user.alone:
        raise RequestError("Nobody signs in here: this tool has one user.", 404)
    with store.writing() as connection:
        log(connection, store, user, None, "link")
        return _link(connection, store, user.id, 24 * 3600.0)


def _link(connection: Connection, store: Store, annotator_id: int, seconds: float) -> str:
    token = secrets.token_urlsafe(32)
    values = {"token_hash": _hash(token), "link_expires_at": store.clock() + seconds}
    connection.execute(annotators.update().where(annotators.c.id == annotator_id).values(**values))
    return token


def revoke(store: Store, name: str, *, by: User | None = None) -> None:
    """End a user's link and sessions; their work stays. ValueError if nobody has that name."""
    with store.writing() as connection:
        known = connection.scalar(sql.select(annotators.c.id).where(annotators.c.name == name.strip()))
        if known is None:
            raise ValueError(f"nobody called {name!r} was invited.")
        ended = {"token_hash": None, "link_expires_at": 0.0, "active": False}
        connection.execute(annotators.update().where(annotators.c.id == known).values(**ended))
        connection.execute(sessions.delete().where(sessions.c.annotator_id == known))
        log(connection, store, by, None, "revoke", detail={"name": name})


def has_invitations(store: Store) -> bool:
    """Tell whether anybody was ever invited: from then on everybody signs in."""
    invited = sql.or_(annotators.c.active, annotators.c.link_expires_at.is_not(None))
    with store.reading() as connection:
        query = sql.select(annotators.c.id).where(annotators.c.name != LOCAL_NAME, invited).limit(1)
        return connection.scalar(query) is not None


# --- sessions --------------------------------------------------------------------------------------------------------


def local_session(store: Store) -> Session:
    """Return the session of a tool's only user; the same after a restart, so that an open page stays signed in."""
    csrf = store.setting("local_csrf", secrets.token_urlsafe(32))
    with store.writing() as connection:
        known = connection.scalar(sql.select(annotators.c.id).where(annotators.c.name == LOCAL_NAME))
        if known is None:
            values = {"name": LOCAL_NAME, "role": "manager", "made_at": store.clock()}
            known = insert_row(connection, annotators, **values)
    return Session(User(known, LOCAL_NAME, "manager", alone=True), csrf)


def sign_in(store: Store, token: str) -> str:
    """Exchange a link's token for a session; return its key. RequestError 401 if no link has this token any more."""
    now = store.clock()
    good = sql.and_(annotators.c.token_hash == _hash(token), annotators.c.link_expires_at > now, annotators.c.active)
    with store.writing() as connection:
        taken = annotators.update().where(good).values(token_hash=None)  # atomic: a link serves once
        known = connection.execute(taken.returning(annotators.c.id, annotators.c.name, annotators.c.role)).one_or_none()
        if known is None:
            raise RequestError("This link was used before, has expired or was revoked: ask for a new one.", 401)
        key = secrets.token_urlsafe(32)
        connection.execute(sessions.delete().where(sessions.c.expires_at <= now))
        values = {"csrf": secrets.token_urlsafe(32), "expires_at": now + SESSION_SECONDS}
        connection.execute(sessions.insert().values(key_hash=_hash(key), annotator_id=known.id, **values))
        log(connection, store, User(known.id, known.name, known.role), None, "enter")
    return key


def find_session(store: Store, key: str | None) -> Session | None:
    """Return the session with this key and extend it; None if there is none, it has expired, or was revoked."""
    if not key or len(key) > 200:
        return None
    now = store.clock()
    with store.reading() as connection:
        row = connection.execute(_SESSION, {"key_hash": _hash(key), "now": now}).one_or_none()
    if row is None:
        return None
    if row.expires_at < now + SESSION_SECONDS - _EXTEND_SECONDS:
        extended = sessions.update().where(sessions.c.key_hash == _hash(key)).values(expires_at=now + SESSION_SECONDS)
        with store.writing() as connection:
            connection.execute(extended)
    return Session(User(row.id, row.name, row.role), row.csrf)


def sign_out(store: Store, key: str | None) -> None:
    """End a session."""
    with store.writing() as connection:
        connection.execute(sessions.delete().where(sessions.c.key_hash == _hash(key or "")))
