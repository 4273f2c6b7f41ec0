"""Every platform of the demo has a row, and what it holds is read as the sandbox Customer.io's is."""

from __future__ import annotations

from bench.chaos.faults import FAULTS
from bench.chaos.other_platform import OtherPlatform
from bench.chaos.platform import ArrivedEvent
from bench.chaos.proxy import Proxy
from receiver.demo.platforms import PLATFORMS
from sandbox.segment.app import World, create_app
from sandbox.serving import serving


def test_every_platform_has_a_row():
    names = {fault.name for fault in FAULTS}

    assert {f"{name}: network down" for name in PLATFORMS if name != "customerio"} <= names


def test_what_a_platform_holds_is_read_person_by_person_and_its_address_is_the_proxys(tmp_path):
    world = World("key")
    with serving(create_app(world)) as url:
        proxy = Proxy(int(url.rpartition(":")[2]))
        said = {"url": url, "base_url": f"{url}/v1", "write_key": "key"}
        platform = OtherPlatform(PLATFORMS["segment"], said, proxy)
        world.source.take_call("identify", {"userId": "cj_1", "traits": {"email": "Alice@example.com"}})
        for subject in (5, 6):
            track = {"userId": "cj_1", "event": "order_new", "properties": {"subject_id": subject}}
            world.source.take_call("track", track)

        found = platform.arrived(), platform.count(), platform.list_options(tmp_path)
        proxy.stop()

    first, second = (ArrivedEvent("alice@example.com", subject, at, str(at)) for at, subject in enumerate("56"))
    assert found[:2] == ([first, second], 2)
    assert f"http://127.0.0.1:{proxy.port}/v1" in found[2]
