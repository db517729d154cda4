"""A Ray cluster on this machine: a head that only manages, and workers of one core each."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator
from typing import Any

MEMORY = 100 * 1024 * 1024  # of every node's object store


@contextlib.contextmanager
def local_cluster(n_workers: int = 2) -> Iterator[tuple[Any, str]]:
    """Start a cluster and return it with the address for jobs; all its processes end with the block."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    from ray.cluster_utils import Cluster

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    head = {"num_cpus": 0, "object_store_memory": MEMORY, "include_dashboard": True, "dashboard_port": port}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    try:
        for _ in range(n_workers):
            add_worker(cluster)
        cluster.wait_for_nodes()
        yield cluster, f"http://{cluster.head_node.webui_url}"
    finally:
        cluster.shutdown()


def add_worker(cluster: Any) -> Any:
    return cluster.add_node(num_cpus=1, object_store_memory=MEMORY)
