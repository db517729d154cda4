"""Who uses this session: signing in (OIDC, ``st.login``), the role, and the door before every page.

People sign in where Streamlit's secrets have a section ``[auth]``. Who they then are is said by ``[people]``
(docs/deploy.md); whoever is not on its lists stays outside. What a role may do is said by grouprec/core/rights.py.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, NoReturn

import streamlit as st
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from streamlit.errors import StreamlitSecretNotFoundError
from streamlit.runtime.scriptrunner import get_script_run_ctx

from grouprec.core import audit, rights
from grouprec.core.language import _
from grouprec.core.rights import STRANGER, Deed, Person, Role
from grouprec.core.types import GrouprecError, SettingError
from grouprec.ui import signed_out
from grouprec.ui.cards import plain

SECRETS = "STREAMLIT_SECRETS_FILES"  # the setting that says where Streamlit's secrets lie


def _lower(names: object) -> object:
    return tuple(rights.known_as(str(one)) for one in names) if isinstance(names, list | tuple) else names


Names = Annotated[tuple[str, ...], BeforeValidator(_lower)]


class Rules(BaseModel):
    """The section ``[people]``.

    Attributes:
        analysts, viewers: names or patterns like ``*@example.com``.
        claim: a claim that holds names of groups or roles, which the lists may name, too; "" for none.
        identity: the claim by which people are known.
        hours: that a sign-in lasts.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    analysts: Names = ()
    viewers: Names = ()
    claim: str = ""
    identity: str = "email"
    hours: float = Field(12.0, gt=0)


def sign_in_needed() -> bool:
    """Return whether people have to sign in on this server; asked once, when it starts.

    Raises:
        SettingError: the secrets cannot be read, or ``[people]`` is wrong or names nobody.
    """
    files = st.get_option("secrets.files")
    if not any(Path(file).exists() for file in files):
        if SECRETS in os.environ:  # behind a proxy the server would be open to everybody
            raise SettingError(f"{SECRETS} names no file that is there ({', '.join(files)}); unset it to do without.")
        return False
    try:
        needed, section = bool(st.secrets.get("auth")), st.secrets.get("people", {})
        rules = Rules.model_validate(dict(section))
    except StreamlitSecretNotFoundError as error:
        raise SettingError(f"The secrets of Streamlit cannot be read: {error}") from error
    except (ValidationError, TypeError, ValueError) as error:
        raise SettingError(f"The section [people] of secrets.toml is wrong: {error}") from error
    if needed and not rules.analysts + rules.viewers:
        raise SettingError("People have to sign in, but [people] of secrets.toml names no analysts and no viewers.")
    return needed


def _rules() -> Rules:
    return Rules.model_validate(dict(st.secrets.get("people", {})))


def who_is(claims: Mapping[str, Any], rules: Rules, now: float) -> Person:
    """Return who somebody is by what their provider says of them; a stranger where that is not enough.

    An e-mail address counts only where the provider says that it has verified it: others can be made up.
    """
    name = rights.known_as(str(claims.get(rules.identity) or ""))
    begun = claims.get("iat")
    fresh = isinstance(begun, int | float) and now - begun < rules.hours * 3600
    verified = rules.identity != "email" or claims.get("email_verified") is True
    if claims.get("is_logged_in") is not True or not (name.strip() and fresh and verified):
        return STRANGER
    given = claims.get(rules.claim) if rules.claim else None
    groups = [given] if isinstance(given, str) else given if isinstance(given, list | tuple) else []
    named = {name, *(rights.known_as(one) for one in groups if isinstance(one, str))}
    for role, patterns in ((Role.ANALYST, rules.analysts), (Role.VIEWER, rules.viewers)):
        if any(fnmatchcase(one, pattern) for one in named for pattern in patterns):
            return Person(name, role)
    return STRANGER


def current() -> Person:
    """Return who uses the session whose script runs in this thread; a stranger where none does."""
    return of_claims(dict(st.user)) if get_script_run_ctx(suppress_warning=True) else STRANGER


def of_claims(claims: Mapping[str, Any]) -> Person:
    """Return who a session or a cookie of ours is of; a stranger where they have signed out since."""
    who = who_is(claims, _rules(), time.time())
    return STRANGER if who.role is not Role.STRANGER and signed_out.ended(claims) else who


# -- on the page


def stop_strangers() -> None:
    """Let nobody further who has to sign in and has not, or is not on the lists."""
    if rights.person().role is Role.STRANGER:
        _ask_to_sign_in()


def _ask_to_sign_in() -> NoReturn:
    signed_in = bool(dict(st.user).get("is_logged_in"))
    with st.container(border=True, horizontal_alignment="center"):
        st.space("small")
        if signed_in:
            st.subheader(_("This server does not know you"), text_alignment="center", anchor=False)
            st.text(
                _("Your sign-in has ended, or you are on none of its lists; ask whoever runs the server."),
                text_alignment="center",
            )
            st.button(_("Sign in again"), type="primary", on_click=st.logout, key="sign_out")
        else:
            st.subheader(_("Sign in to see your team's runs"), text_alignment="center", anchor=False)
            st.button(_("Sign in"), type="primary", icon=":material/login:", on_click=st.login, key="sign_in")
        st.space("small")
    st.stop()


def draw_account() -> None:
    """Say who is signed in, in the sidebar, and offer the way out; nothing where nobody has to sign in."""
    who = rights.person()
    if who.role in (Role.ANALYST, Role.VIEWER):
        with st.popover(plain(who.name), icon=":material/account_circle:", type="tertiary"):
            st.caption(_("You may look, train and change.") if who.role is Role.ANALYST else _("You may look."))
            st.button(_("Sign out"), icon=":material/logout:", on_click=st.logout, key="sign_out")


def draw_sharing(folder: Path, what: str) -> None:
    """Let the owner of a run or dataset share it, and tell others whose it is."""
    who = rights.person()
    if who.role is Role.LOCAL:
        return
    owner, shared = rights.owner_of(folder)
    if rights.may(Deed.MANAGE, folder):
        key = f"share.{folder.name}"
        st.session_state[key] = shared
        st.toggle(
            _("Share this {what} with the team").format(what=_(what)), key=key, on_change=_share, args=(folder, key)
        )
    elif owner:
        st.caption(_("Shared by {owner}.").format(owner=plain(owner)))


def _share(folder: Path, key: str) -> None:
    try:
        rights.share(folder, st.session_state[key])
    except GrouprecError as error:
        st.toast(str(error))


def note_opened(name: str) -> None:
    """Note, once per session, that somebody opened a run."""
    opened: set[str] = st.session_state.setdefault("opened", set())
    if name not in opened:
        opened.add(name)
        audit.note(rights.person().name, "open", name)
