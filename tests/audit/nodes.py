"""A Ray cluster of two nodes on this machine, one processor each, for tests/audit/test_cluster.py.

Prints the address to join. A line on stdin: `freeze` stops the worker of the second node in the middle of what it does,
`kill` kills that node; each is answered with a line. The end of stdin ends the cluster.
"""

from __future__ import annotations

import os
import signal
import socket
import sys

import psutil

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
os.environ["RAY_CLIENT_SERVER_CHECK_CHANNEL_TIMEOUT_S"] = "120"  # on a busy machine 30 are too few


def main() -> None:
    from ray.cluster_utils import Cluster

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    head = {"num_cpus": 0, "ray_client_server_port": port, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    nodes = [cluster.add_node(num_cpus=1) for _ in range(2)]
    _say(f"ray://127.0.0.1:{port}")
    for line in sys.stdin:
        if line.strip() == "freeze":
            _say(str(_freeze(nodes[1])))
        else:
            cluster.remove_node(nodes[1], allow_graceful=False)
            _say("killed")
    cluster.shutdown()


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _freeze(node) -> int:  # type: ignore[no-untyped-def]
    """How many workers were stopped."""
    raylet = psutil.Process(node.all_processes["raylet"][0].process.pid)
    workers = [one for one in raylet.children(recursive=True) if "spawn_main" in " ".join(one.cmdline())]
    for worker in workers:
        worker.send_signal(signal.SIGSTOP)
    return len(workers)


if __name__ == "__main__":
    main()
