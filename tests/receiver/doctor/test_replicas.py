"""What the doctor says of replicas and Sentinels, with real ones."""

from __future__ import annotations

import pytest

from pipeline.core.errors import Misconfigured
from pipeline.settings import Settings
from receiver.doctor.replicas import check_replicas
from tests.servers.sentinel import PASSWORD, replicated_valkey
from tests.servers.valkey import valkey


def findings(tmp_path, url, replicas=0, timeout="20"):
    variables = {"REDIS_URL": url, "CRATEWIRE_REPLICAS": str(replicas), "CRATEWIRE_REDIS_TIMEOUT": timeout}
    settings = Settings.from_environment(variables, data_dir=tmp_path)
    return {finding.name: finding for finding in check_replicas(settings)}


def plain_url(servers):
    return f"redis://:{PASSWORD}@127.0.0.1:{servers.ports[0]}/0"


def test_a_single_server_has_nothing_to_say(tmp_path, valkey_url):
    assert findings(tmp_path, valkey_url) == {}


def test_replicas_that_are_not_there_are_wrong(tmp_path, valkey_url):
    found = findings(tmp_path, valkey_url, replicas=1)["replicas"]

    assert (found.state, found.says) == ("wrong", "0 of 1 connected")


def test_replicas_that_none_waits_for_are_worth_a_note(tmp_path):
    with replicated_valkey(0) as servers:
        assert findings(tmp_path, plain_url(servers))["replicas"].state == "note"


def test_the_only_replica_confirms_and_one_more_is_advised(tmp_path):
    with replicated_valkey(0) as servers:
        found = findings(tmp_path, plain_url(servers), replicas=1)["replicas"]

    assert (found.state, "1 confirmed a write after" in found.says) == ("note", True)


def test_a_replica_without_an_append_only_file_is_wrong(tmp_path):
    with replicated_valkey(0, "--appendonly", "no") as servers:
        found = findings(tmp_path, plain_url(servers), replicas=1, timeout="0.2")["replicas"]

    assert (found.state, "appendonly yes" in found.advice) == ("wrong", True)


def test_sentinels_that_answer_and_agree_are_well(tmp_path):
    with replicated_valkey(3) as servers:
        whole = findings(tmp_path, servers.url)["sentinels"]
        servers.kill(servers.sentinel_ports[2])
        one_less = findings(tmp_path, servers.url)["sentinels"]
        servers.kill(servers.sentinel_ports[1])
        minority = findings(tmp_path, servers.url)["sentinels"]

    assert (whole.state, whole.says) == ("ok", "3 of 3 Sentinels answer; quorum reached")
    assert one_less.state == "note"
    assert (minority.state, minority.says) == ("wrong", "1 of 3 Sentinels answer")


def test_sentinels_that_do_not_know_the_primary_are_wrong(tmp_path):
    with replicated_valkey(1) as servers:
        found = findings(tmp_path, servers.url.replace("/cratewire-test/", "/other/"))["sentinels"]

    assert (found.state, "no quorum for other" in found.says) == ("wrong", True)


def test_the_embedded_valkey_has_no_replicas(tmp_path):
    with pytest.raises(Misconfigured, match="CRATEWIRE_REPLICAS: needs REDIS_URL"):
        Settings.from_environment({"CRATEWIRE_REPLICAS": "1"}, data_dir=tmp_path)


def test_a_server_that_does_not_answer_is_the_finding_of_another_check(tmp_path):
    with valkey() as url:
        pass

    assert findings(tmp_path, url, replicas=1) == {}
