"""Sending to a webhook: one signed request, by the Standard Webhooks specification
(https://www.standardwebhooks.com)."""

import asyncio
import secrets
import socket
import ssl
from base64 import b64encode
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

import httpx
from standardwebhooks import Webhook as Signature

from samplemind import __version__
from samplemind.domain.delivery import Delivery, NotDelivered
from samplemind.domain.errors import BadUserInput
from samplemind.domain.ids import now
from samplemind.domain.webhook import Webhook

_SECRET_BYTES = 32
_LONGEST_URL = 2_000
# IPv4 addresses are reached by these, so they hold private ones, too.
_NAT64, _6TO4 = IPv6Network("64:ff9b::/96"), IPv6Network("2002::/16")

GONE = httpx.codes.GONE

_URL = ("input", "url")


def new_secret() -> str:
    return "whsec_" + b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


async def check_url(url: str, *, private: bool) -> str:
    """The URL of a new webhook. Without `private` it is https, and nowhere inside.

    Raises BadUserInput.
    """
    try:
        parts = httpx.URL(url.strip())
    except httpx.InvalidURL:
        parts = httpx.URL()
    schemes = ("https", "http") if private else ("https",)
    if parts.scheme not in schemes or not parts.host or parts.userinfo or len(url) > _LONGEST_URL:
        example = "https://studio.example.org/hooks"
        message = f"`url` is an {' or '.join(schemes)} URL without a password, like {example}."
        raise BadUserInput(message, field=_URL)
    if not private:
        try:
            await _addresses(parts, private=False)
        except NotDelivered:
            # The same for each, so that nobody learns which names there are inside.
            message = "Nothing that can be reached from everywhere is at this `url`."
            raise BadUserInput(message, field=_URL) from None
    return str(parts.copy_with(fragment=None))


async def post(webhook: Webhook, delivery: Delivery, seconds: float, *, private: bool) -> int:
    """Sends it once; the status, which is one of success and all that is read. Follows nothing.

    The name is looked up once, and what was looked up is what is connected to. Raises NotDelivered.
    """
    url, headers = httpx.URL(webhook.url), _signed(webhook.secret, delivery)
    try:
        async with asyncio.timeout(seconds):
            status = await _post(url, headers, delivery.body, seconds, private)
    except TimeoutError:
        raise NotDelivered(f"There was no answer in {seconds:g} s.") from None
    if 300 <= status < 400:
        raise NotDelivered(f"It answered {status}: redirects are not followed.", status)
    if not 200 <= status < 300:
        raise NotDelivered(f"It answered {status}.", status, for_good=status == GONE)
    return status


async def _post(
    url: httpx.URL, headers: dict[str, str], body: str, seconds: float, private: bool
) -> int:
    addresses = await _addresses(url, private=private)
    headers = {**headers, "Host": url.netloc.decode("ascii")}
    name = {"sni_hostname": url.raw_host.decode("ascii").strip("[]")}
    # A second address gets its turn.
    timeout = httpx.Timeout(seconds, connect=seconds / 2)
    # Not by a proxy of the environment: the address would be the proxy's to find.
    async with httpx.AsyncClient(verify=_tls(), timeout=timeout, trust_env=False) as client:
        for address in addresses:
            to_it = url.copy_with(host=address)
            request = client.build_request(
                "POST", to_it, headers=headers, content=body.encode(), extensions=name
            )
            try:
                response = await client.send(request, stream=True)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                if address == addresses[-1]:
                    raise NotDelivered(f"No connection: {error or 'it took too long'}.") from error
                continue
            except httpx.HTTPError as error:
                raise NotDelivered(f"No answer: {error or type(error).__name__}.") from error
            await response.aclose()
            return response.status_code
    raise AssertionError("a name without addresses has been refused")


async def _addresses(url: httpx.URL, *, private: bool) -> list[str]:
    """Where the host is. Raises NotDelivered: also where one of them is private and may not be."""
    port = url.port or (443 if url.scheme == "https" else 80)
    host = url.raw_host.decode("ascii").strip("[]")
    try:
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NotDelivered(f"The name {host[:100]} was not found.") from error
    addresses = list(dict.fromkeys(str(place[0]) for *_, place in found))
    if not private and not all(map(is_public, addresses)):
        raise NotDelivered("The URL leads to an address that is not public.")
    return addresses


def is_public(address: str) -> bool:
    """Whether it is somewhere in the internet, rather than at home."""
    found = ip_address(address)
    if isinstance(found, IPv6Address):
        inner: IPv4Address | None = found.ipv4_mapped or found.sixtofour
        if found in _NAT64:
            inner = IPv4Address(int(found) & 0xFFFFFFFF)
        if inner:
            found = inner
        elif found in _6TO4 or found.teredo:
            return False
    return found.is_global and not found.is_multicast and not found.is_reserved


def _signed(secret: str, delivery: Delivery) -> dict[str, str]:
    moment = now()
    return {
        "Content-Type": "application/json",
        "User-Agent": f"SampleMind/{__version__}",
        "webhook-id": delivery.id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": Signature(secret).sign(delivery.id, moment, delivery.body),
    }


@lru_cache
def _tls() -> ssl.SSLContext:
    return httpx.create_ssl_context()
