"""Accounts over HTTP: the anonymous caller first, then the person, then another."""

import asyncio
import time
import unicodedata
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import jwt
import pytest
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from samplemind.auth.tokens import Tokens
from samplemind.domain.ids import new_id, now
from samplemind.parts import Parts
from samplemind.settings import Settings
from samplemind.signing import Signer
from schema.ids import decode_id
from tests.people import (
    LOG_IN,
    LOG_OUT,
    PASSWORD,
    REFRESH,
    REGISTER,
    Person,
    open_to_many,
    opened,
    registered,
    served,
)

VIEWER = "{ viewer { id username email role totalUploads totalAnalyses } }"


@pytest.fixture(scope="module")
async def parts(settings: Settings) -> AsyncIterator[Parts]:
    async for parts in opened(open_to_many(settings)):
        yield parts


@pytest.fixture(scope="module")
async def http(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    async for client in served(open_to_many(settings)):
        await registered(client)  # the first, who is an admin
        yield client


@pytest.fixture
async def anonymous(http: httpx.AsyncClient) -> Person:
    return Person(http)


@pytest.fixture
async def person(http: httpx.AsyncClient) -> Person:
    return await registered(http)


async def log_in(person: Person, email: str, password: str) -> dict[str, Any]:
    asked = {"email": email, "password": password}
    return (await person.ask(LOG_IN, input=asked))["logIn"]


async def refresh(person: Person, token: str) -> dict[str, Any]:
    return (await person.ask(REFRESH, input={"refreshToken": token}))["refreshSession"]


class TestRegisterUser:
    async def test_makes_an_account_that_is_signed_in(self, anonymous: Person):
        email = f"{new_id()}@Example.org"
        asked = {"email": email, "username": " Ada  Lovelace ", "password": PASSWORD}
        made = (await anonymous.ask(REGISTER, input=asked))["registerUser"]
        assert made["errors"] == []
        told = {"username": "Ada Lovelace", "email": email.lower(), "role": "USER"}
        assert made["user"] == {"id": made["user"]["id"], **told}
        viewer = (await replace(anonymous, bearer=made["accessToken"]).ask(VIEWER))["viewer"]
        assert viewer == {**made["user"], "totalUploads": 0, "totalAnalyses": 0}

    async def test_takes_an_email_once(self, anonymous: Person, person: Person):
        asked = {"email": person.email.upper(), "username": "Eve", "password": PASSWORD}
        made = (await anonymous.ask(REGISTER, input=asked))["registerUser"]
        assert made["errors"] == [{"code": "EMAIL_TAKEN", "field": ["input", "email"]}]
        assert made["accessToken"] is None

    async def test_of_many_at_once_takes_one(self, anonymous: Person):
        asked = {"email": f"{new_id()}@example.org", "username": "Ada", "password": PASSWORD}
        many = await asyncio.gather(*(anonymous.ask(REGISTER, input=asked) for _ in range(4)))
        codes = [[error["code"] for error in each["registerUser"]["errors"]] for each in many]
        assert sorted(codes) == [[], *[["EMAIL_TAKEN"]] * 3]

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("email", "ada"),
            ("email", "@example.org"),
            ("email", "a da@example.org"),
            ("email", "a@" + "b" * 260),
            ("username", " "),
            ("username", "a" * 65),
            ("username", "a\x00b"),
            ("password", "short"),
            ("password", "x" * 257),
        ],
    )
    async def test_says_what_is_wrong(self, anonymous: Person, name: str, value: str):
        asked = {"email": f"{new_id()}@example.org", "username": "Ada", "password": PASSWORD}
        made = (await anonymous.ask(REGISTER, input={**asked, name: value}))["registerUser"]
        assert made["errors"] == [{"code": "BAD_USER_INPUT", "field": ["input", name]}]

    async def test_may_be_closed(self, settings: Settings):
        async for http in served(open_to_many(settings, registration=False)):
            asked = {"email": "a@example.org", "username": "Ada", "password": PASSWORD}
            made = (await Person(http).ask(REGISTER, input=asked))["registerUser"]
            assert made["errors"] == [{"code": "REGISTRATION_CLOSED", "field": None}]


class TestLogIn:
    async def test_signs_in(self, anonymous: Person, person: Person):
        found = await log_in(anonymous, f" {person.email.upper()} ", PASSWORD)
        assert found["errors"] == []
        assert found["user"]["id"] == person.id
        assert (await replace(anonymous, bearer=found["accessToken"]).ask(VIEWER))["viewer"]

    async def test_knows_who_types_the_same_letters_in_another_way(self, anonymous: Person):
        email, password = f"zoé{new_id()}@example.org", "très secret, déjà"
        asked = {"email": email, "username": "Zoé", "password": password}
        made = (await anonymous.ask(REGISTER, input=asked))["registerUser"]
        assert made["errors"] == []
        typed = [unicodedata.normalize("NFD", text) for text in (email, password)]
        assert typed != [email, password]
        found = await log_in(anonymous, *typed)
        assert found["user"]["id"] == made["user"]["id"]
        again = (await anonymous.ask(REGISTER, input={**asked, "email": typed[0]}))["registerUser"]
        assert [error["code"] for error in again["errors"]] == ["EMAIL_TAKEN"]

    async def test_says_the_same_of_a_wrong_password_and_an_unknown_email(
        self, anonymous: Person, person: Person
    ):
        wrong = await log_in(anonymous, person.email, "wrong password")
        unknown = await log_in(anonymous, f"{new_id()}@example.org", "wrong password")
        assert wrong == unknown
        [error] = wrong["errors"]
        assert error["code"] == "INVALID_CREDENTIALS"
        assert wrong["accessToken"] is None

    async def test_takes_the_same_time_for_both(self, anonymous: Person, person: Person):
        times: dict[str, list[float]] = {person.email: [], f"{new_id()}@example.org": []}
        for _ in range(7):
            for email, taken in times.items():
                began = time.perf_counter()
                await log_in(anonymous, email, "wrong password")
                taken.append(time.perf_counter() - began)
        known, unknown = map(median, times.values())
        # A hash takes tens of milliseconds; without one, an answer would take a few.
        assert unknown > 0.6 * known

    async def test_hashes_anew_what_was_hashed_in_an_older_way(
        self, anonymous: Person, person: Person, parts: Parts
    ):
        _, id_ = decode_id(person.id)
        older = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),))
        await parts.store.users.set_password(id_, older.hash(PASSWORD))
        assert (await log_in(anonymous, person.email, PASSWORD))["errors"] == []
        hash_ = await parts.store.users.password_hash(id_)
        assert hash_
        assert "m=65536" in hash_
        assert (await log_in(anonymous, person.email, PASSWORD))["errors"] == []

    async def test_is_throttled_by_account_known_or_not(self, settings: Settings, person: Person):
        async for http in served(open_to_many(settings, attempts_per_account=3)):
            for email in (person.email, f"{new_id()}@example.org"):
                tries = [await log_in(Person(http), email, "wrong password") for _ in range(4)]
                codes = [each["errors"][0]["code"] for each in tries]
                assert codes == [*["INVALID_CREDENTIALS"] * 3, "TOO_MANY_ATTEMPTS"]
            # The right password too, or it could be found.
            found = await log_in(Person(http), person.email, PASSWORD)
            assert found["errors"][0]["code"] == "TOO_MANY_ATTEMPTS"
            # Sessions go on.
            assert (await replace(person, http=http).ask(VIEWER))["viewer"]

    async def test_forgets_attempts_that_ended_well(self, settings: Settings, person: Person):
        async for http in served(open_to_many(settings, attempts_per_account=3)):
            for _ in range(4):
                await log_in(Person(http), person.email, "wrong password")
                found = await log_in(Person(http), person.email, PASSWORD)
                assert found["errors"] == []

    async def test_is_throttled_by_address(self, settings: Settings, parts: Parts):
        keys = [key async for key in parts.events.redis.scan_iter("*attempts-address*")]
        if keys:
            await parts.events.redis.delete(*keys)
        async for http in served(open_to_many(settings, attempts_per_address=3)):
            codes = []
            for _ in range(4):
                found = await log_in(Person(http), f"{new_id()}@example.org", "wrong password")
                codes.append(found["errors"][0]["code"])
            assert codes == [*["INVALID_CREDENTIALS"] * 3, "TOO_MANY_ATTEMPTS"]
            asked = {"email": f"{new_id()}@a.org", "username": "Ada", "password": PASSWORD}
            made = (await Person(http).ask(REGISTER, input=asked))["registerUser"]
            assert made["errors"][0]["code"] == "TOO_MANY_ATTEMPTS"


class TestRefreshSession:
    async def test_answers_two_others(self, anonymous: Person, person: Person):
        found = await refresh(anonymous, person.refresh_token)
        assert found["errors"] == []
        assert found["user"]["id"] == person.id
        assert found["refreshToken"] != person.refresh_token
        assert (await replace(person, bearer=found["accessToken"]).ask(VIEWER))["viewer"]
        again = await refresh(anonymous, found["refreshToken"])
        assert again["errors"] == []

    async def test_of_a_spent_token_ends_the_whole_family(self, anonymous: Person, person: Person):
        found = await refresh(anonymous, person.refresh_token)
        thief = await refresh(anonymous, person.refresh_token)
        assert [error["code"] for error in thief["errors"]] == ["SESSION_ENDED"]
        # The honest one's tokens too: nobody knows who is who.
        later = await refresh(anonymous, found["refreshToken"])
        assert [error["code"] for error in later["errors"]] == ["SESSION_ENDED"]
        for bearer in (person.bearer, found["accessToken"]):
            assert await replace(person, bearer=bearer).refused(VIEWER) == (200, "UNAUTHENTICATED")

    async def test_of_two_at_once_answers_one(self, anonymous: Person, person: Person):
        both = await asyncio.gather(*(refresh(anonymous, person.refresh_token) for _ in range(2)))
        assert sorted(len(each["errors"]) for each in both) == [0, 1]

    async def test_leaves_other_sessions_alone(self, anonymous: Person, person: Person):
        other = await log_in(anonymous, person.email, PASSWORD)
        for _ in range(2):
            await refresh(anonymous, person.refresh_token)
        assert (await refresh(anonymous, other["refreshToken"]))["errors"] == []

    @pytest.mark.parametrize("kind", ["nonsense", "access", "another secret's", "over"])
    async def test_takes_no_other_token(self, settings: Settings, person: Person, kind: str):
        ours = Tokens(Signer(open_to_many(settings).secret))
        token = {
            "nonsense": "x.y.z",
            "access": person.bearer,
            "another secret's": Tokens(Signer("s" * 32)).refresh("session", 1, now()),
            "over": ours.refresh("session", 1, now() - timedelta(days=31)),
        }[kind]
        found = await refresh(Person(person.http), token)
        assert [error["code"] for error in found["errors"]] == ["SESSION_ENDED"]

    async def test_works_beside_an_access_token_that_is_over(
        self, settings: Settings, person: Person
    ):
        """As clients send it that add their token to each request."""
        stale = replace(person, bearer=_over(settings, person))
        assert (await refresh(stale, person.refresh_token))["errors"] == []


class TestLogOut:
    async def test_is_for_who_has_signed_in(self, anonymous: Person):
        assert await anonymous.refused(LOG_OUT) == (401, "UNAUTHENTICATED")

    async def test_ends_the_session(self, anonymous: Person, person: Person):
        assert await person.ask(LOG_OUT) == {"logOut": {"errors": []}}
        assert await person.refused("{ audioFiles { totalCount } }") == (401, "UNAUTHENTICATED")
        found = await refresh(anonymous, person.refresh_token)
        assert [error["code"] for error in found["errors"]] == ["SESSION_ENDED"]

    async def test_leaves_others_in(self, person: Person, http: httpx.AsyncClient):
        other = await registered(http)
        same = await log_in(Person(http), person.email, PASSWORD)
        await person.ask(LOG_OUT)
        for bearer in (other.bearer, same["accessToken"]):
            assert (await Person(http, bearer).ask(VIEWER))["viewer"]

    async def test_is_known_to_other_processes_at_once(self, settings: Settings, person: Person):
        async for elsewhere in served(open_to_many(settings)):
            there = replace(person, http=elsewhere)
            assert (await there.ask(VIEWER))["viewer"]
            await person.ask(LOG_OUT)
            async with asyncio.timeout(5):
                while "errors" not in (await there.post(VIEWER)).json():
                    pass

    async def test_is_known_to_processes_that_start_later(self, settings: Settings, person: Person):
        await person.ask(LOG_OUT)
        async for elsewhere in served(open_to_many(settings)):
            there = replace(person, http=elsewhere)
            assert (await there.refused(VIEWER))[1] in ("UNAUTHENTICATED", "UNAVAILABLE")


class TestAccessToken:
    async def test_none_is_nobody(self, anonymous: Person):
        assert await anonymous.ask(VIEWER) == {"viewer": None}
        assert await anonymous.refused("{ audioFiles { totalCount } }") == (401, "UNAUTHENTICATED")

    async def test_that_is_over_says_so(self, settings: Settings, person: Person):
        stale = replace(person, bearer=_over(settings, person))
        for query in (VIEWER, "{ audioFiles { totalCount } }"):
            assert (await stale.refused(query))[1] == "TOKEN_EXPIRED"

    @pytest.mark.parametrize("kind", ["nonsense", "refresh", "unsigned", "others", "link"])
    async def test_no_other_is_taken(self, settings: Settings, person: Person, kind: str):
        ours = Signer(open_to_many(settings).secret)
        claims = jwt.decode(person.bearer, options={"verify_signature": False})
        headers = {"kid": jwt.get_unverified_header(person.bearer)["kid"]}
        bearer = {
            "nonsense": "x.y.z",
            "refresh": person.refresh_token,
            "unsigned": jwt.encode(claims, "", "none", headers),
            "others": jwt.encode(claims, "s" * 64, "HS256", headers),
            "link": ours.sign("media", **{k: v for k, v in claims.items() if k != "aud"}),
        }[kind]
        forged = replace(person, bearer=bearer)
        assert await forged.refused("{ batchJobs { totalCount } }") == (401, "UNAUTHENTICATED")

    async def test_of_a_former_secret_is_taken(self, settings: Settings, person: Person):
        changed = {"secret": "new" * 16, "former_secrets": (open_to_many(settings).secret,)}
        async for http in served(open_to_many(settings, **changed)):
            there = replace(person, http=http)
            assert (await there.ask(VIEWER))["viewer"]
            found = await refresh(there, person.refresh_token)
            kids = [jwt.get_unverified_header(found[name])["kid"] for name in _BOTH]
            assert kids == [Signer("new" * 16)._kid] * 2

    async def test_tells_how_to_sign_in(self, anonymous: Person):
        answer = await anonymous.post("{ batchJobs { totalCount } }")
        assert answer.headers["www-authenticate"] == "Bearer"

    async def test_of_another_scheme_is_not_ours(self, anonymous: Person):
        headers = {"authorization": "Basic YTpi"}
        answer = await anonymous.http.post("/graphql", json={"query": VIEWER}, headers=headers)
        assert answer.json()["data"] == {"viewer": None}


_BOTH = ("accessToken", "refreshToken")


def _over(settings: Settings, person: Person) -> str:
    """The person's access token as it is in an hour."""
    claims = jwt.decode(person.bearer, options={"verify_signature": False})
    tokens = Tokens(Signer(open_to_many(settings).secret))
    return tokens.access(claims["sub"], claims["sid"], now() - timedelta(hours=1))[0]


class TestTheFirst:
    """Who registers first is an admin, and has what was stored without sign-in."""

    @pytest.fixture
    def empty(self, settings: Settings, tmp_path: Path) -> Settings:
        url = settings.mongo_url.replace("/samplemind", f"/first-{new_id()}")
        return settings.model_copy(update={"mongo_url": url, "blob_url": tmp_path.as_uri()})

    async def test_is_an_admin_and_nobody_else_is(self, empty: Settings):
        async for http in served(open_to_many(empty)):
            asked = [
                {"email": f"{n}@example.org", "username": "Ada", "password": PASSWORD}
                for n in range(4)
            ]
            made = await asyncio.gather(*(Person(http).ask(REGISTER, input=x) for x in asked))
            roles = [each["registerUser"]["user"]["role"] for each in made]
            assert sorted(roles) == ["ADMIN", "USER", "USER", "USER"]

    async def test_has_what_was_stored_without_sign_in(self, empty: Settings, sounds: list[Path]):
        stored: dict[str, Any] = {}
        async for http in served(empty):
            stored = await Person(http).upload(sounds[0].read_bytes(), "kick.flac")
        async for http in served(open_to_many(empty)):
            first, second = await registered(http), await registered(http)
            list_ = "{ audioFiles { edges { node { id owner { id } } } } }"
            [edge] = (await first.ask(list_))["audioFiles"]["edges"]
            assert edge["node"] == {"id": stored["audioFile"]["id"], "owner": {"id": first.id}}
            assert (await second.ask(list_))["audioFiles"]["edges"] == []
