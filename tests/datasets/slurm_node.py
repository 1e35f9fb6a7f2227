"""A SLURM cluster of one node, this machine, for as long as a test needs it."""

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

__all__ = ["DAEMONS", "one_node_slurm"]

DAEMONS = ("munged", "slurmctld", "slurmd")

# No control groups, no accounting: what a container or a laptop has.
_CONF = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
ReturnToService=2
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory={memory} State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


@contextmanager
def one_node_slurm(folder: Path) -> Iterator[Path]:
    """Start munged, slurmctld and slurmd below ``folder`` (a short path, for sockets); yield the path of slurm.conf.

    Raises:
        TimeoutError: The node does not become idle; the message holds the ends of the logs.
    """
    for name in ("state", "spool"):
        (folder / name).mkdir()
    conf = folder / "slurm.conf"
    conf.write_text(_configuration(folder))
    key = folder / "munge.key"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o400)
    environment = os.environ | {"SLURM_CONF": str(conf)}
    munge = ["munged", "--foreground", "--force", f"--key-file={key}"]
    munge += [f"--{part}-file={folder}/munge.{part}" for part in ("pid", "log", "seed")]
    with ExitStack() as stack:
        stack.enter_context(_daemon([*munge, f"--socket={folder}/munge.socket"], environment))
        _wait((folder / "munge.socket").exists, folder)
        stack.enter_context(_daemon(["slurmctld", "-D", "-f", str(conf)], environment))
        stack.enter_context(_daemon(["slurmd", "-D", "-f", str(conf)], environment))
        _wait(lambda: "idle" in _node_state(environment), folder)
        yield conf


def _configuration(folder: Path) -> str:
    return _CONF.format(
        folder=folder,
        host=socket.gethostname().split(".")[0],
        user=getpass.getuser(),
        controller_port=_free_port(),
        node_port=_free_port(),
        cpus=os.cpu_count(),
        memory=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20 // 2,
    )


@contextmanager
def _daemon(command: list[str], environment: dict[str, str]) -> Iterator[None]:
    executable = shutil.which(command[0], path=f"{os.environ['PATH']}:/usr/sbin")
    process = subprocess.Popen(
        [str(executable), *command[1:]], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(20)


def _node_state(environment: dict[str, str]) -> str:
    return subprocess.run(
        ["sinfo", "--noheader", "--format=%T"], env=environment, capture_output=True, text=True, check=False
    ).stdout


def _wait(condition, folder: Path, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            logs = "\n".join(f"{path.name}: {path.read_text()[-800:]}" for path in sorted(folder.glob("*.log")))
            message = f"SLURM did not start within {seconds} s.\n{logs}"
            raise TimeoutError(message)
        time.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
