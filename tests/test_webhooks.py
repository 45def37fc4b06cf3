"""Where a webhook may go, and that what was looked up is what is connected to."""

import pytest

from samplemind.domain.errors import BadUserInput
from samplemind.webhooks import check_url, is_public


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34", "64:ff9b::5db8:d822"]
)
def test_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "192.0.2.1",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fd00::1",
        "ff02::1",
        "2001:db8::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
        "2001:0:5ef5:79fb::1",
    ],
)
def test_is_not_public(address: str) -> None:
    assert not is_public(address)


class TestCheckUrl:
    @pytest.mark.parametrize(
        "url",
        [
            "",
            "hooks",
            "ftp://example.org",
            "http://93.184.216.34/",
            "https://ada:pass@93.184.216.34/",
            "https:///hooks",
            "https://[::1",
            f"https://93.184.216.34/{'x' * 2_000}",
            "https://localhost/",
            "https://127.0.0.1/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://[::ffff:127.0.0.1]/",
            "https://192.168.0.1:8443/",
        ],
    )
    async def test_refuses(self, url: str):
        with pytest.raises(BadUserInput) as refused:
            await check_url(url, private=False)
        assert refused.value.field == ("input", "url")

    async def test_takes_what_is_public(self):
        assert await check_url(" https://93.184.216.34/a?b=c#d ", private=False) == (
            "https://93.184.216.34/a?b=c"
        )

    async def test_takes_what_is_at_home_where_that_is_allowed(self):
        assert await check_url("http://localhost:3000/a", private=True)
