"""Bytes that are sent through connections of this process."""
# the expected value stands on the left

import socket

import pytest

from suite.training.distributed import traffic
from suite.training.distributed.traffic import ring_bytes, sent_bytes


@pytest.mark.parametrize(("ranks", "expected"), [(1, 0), (2, 1000), (4, 1500)])
def test_a_ring_sends_its_payload_nearly_twice(ranks, expected):
    assert expected == ring_bytes(1000, ranks)


@pytest.mark.skipif(not traffic.OPEN.is_dir(), reason="the counters are Linux'")
def test_bytes_of_open_connections_are_counted():
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = socket.create_connection(server.getsockname())
        ours, _ = server.accept()
        with client, ours:
            before = sent_bytes()
            client.sendall(bytes(1000))
            ours.recv(1000, socket.MSG_WAITALL)
            assert 1000 == sent_bytes() - before


def test_without_counters_nothing_is_known(monkeypatch, tmp_path):
    monkeypatch.setattr(traffic, "OPEN", tmp_path / "none")
    assert sent_bytes() is None
