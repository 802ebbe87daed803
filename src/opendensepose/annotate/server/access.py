"""Users: personal links, and the sessions that they begin.

A link holds 32 random bytes, of which the database keeps a hash. Opening it begins a session: a cookie that scripts
cannot read and that other sites' pages do not send. Revoking the link ends its sessions. On a user's own machine, with
nobody invited, there is no sign-in.
"""

import hashlib
import secrets
from dataclasses import dataclass

import sqlalchemy as sql

from opendensepose.annotate.work.errors import RequestError
from opendensepose.annotate.work.store import Store, annotators, insert_row, sessions
from opendensepose.annotate.work.tasks import User, log

__all__ = [
    "LOCAL_NAME",
    "ROLES",
    "SESSION_SECONDS",
    "Session",
    "find_session",
    "has_invitations",
    "invite",
    "local_session",
    "revoke",
    "sign_in",
    "sign_out",
]

ROLES = ("annotator", "reviewer", "manager")
LOCAL_NAME = "me"  # the only user of a tool on their own machine
SESSION_SECONDS = 14 * 24 * 3600.0
_MAX_NAME = 60  # characters


@dataclass(frozen=True)
class Session:
    """A user who is signed in, and the CSRF token that their page sends with every change."""

    user: User
    csrf: str


def _hash(secret: str) -> str:
    """SHA-256 is enough for random secrets of 256 bits, which cannot be guessed."""
    return hashlib.sha256(secret.encode()).hexdigest()


# --- links -----------------------------------------------------------------------------------------------------------


def invite(store: Store, name: str, role: str = "annotator") -> str:
    """Make a personal link, which replaces an older one of that name; return its token.

    ValueError if the name or role is unsuitable.
    """
    name = name.strip()
    if role not in ROLES:
        raise ValueError(f"the role must be one of {', '.join(ROLES)}, got {role!r}.")
    if not name or len(name) > _MAX_NAME or not name.isprintable() or name == LOCAL_NAME:
        raise ValueError(
            f"a name must have 1 to {_MAX_NAME} printable characters and not be {LOCAL_NAME!r}, got {name!r}."
        )
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
    """End a user's link and sessions; their work stays. ValueError if nobody has that name."""
    with store.writing() as connection:
        known = connection.scalar(sql.select(annotators.c.id).where(annotators.c.name == name.strip()))
        if known is None:
            raise ValueError(f"nobody called {name!r} was invited.")
        connection.execute(annotators.update().where(annotators.c.id == known).values(token_hash=None))
        connection.execute(sessions.delete().where(sessions.c.annotator_id == known))
        log(connection, store, None, None, "revoke", detail={"name": name})


def has_invitations(store: Store) -> bool:
    """Tell whether anybody was ever invited: from then on everybody signs in."""
    with store.reading() as connection:
        query = sql.select(annotators.c.id).where(annotators.c.name != LOCAL_NAME).limit(1)
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
    """Begin a session for the holder of a link; return its key. RequestError 401 if no link has this token."""
    with store.writing() as connection:
        known = connection.execute(sql.select(annotators).where(annotators.c.token_hash == _hash(token))).one_or_none()
        if known is None:
            raise RequestError("This link is not valid or no longer valid: ask for a new one.", 401)
        key, now = secrets.token_urlsafe(32), store.clock()
        connection.execute(sessions.delete().where(sessions.c.expires_at <= now))
        values = {"csrf": secrets.token_urlsafe(32), "expires_at": now + SESSION_SECONDS}
        connection.execute(sessions.insert().values(key_hash=_hash(key), annotator_id=known.id, **values))
        log(connection, store, User(known.id, known.name, known.role), None, "enter")
    return key


def find_session(store: Store, key: str | None) -> Session | None:
    """Return the session with this key; None if there is none, it has expired, or the link was revoked."""
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


def sign_out(store: Store, key: str | None) -> None:
    """End a session."""
    with store.writing() as connection:
        connection.execute(sessions.delete().where(sessions.c.key_hash == _hash(key or "")))
