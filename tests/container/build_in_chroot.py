"""Carry out the Dockerfile without a container engine, and run what it makes.

``python -m tests.container.build_in_chroot``, as root on a machine with debootstrap. Each stage is
a Debian 12 of the smallest kind; its steps run in it by chroot, in namespaces of their own, so that
nothing stays mounted or running. At the end the command of the last stage runs as its user over an
embedded database of this machine, and is asked as the HEALTHCHECK asks.
"""

import contextlib
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from geo_service.embedded import Cluster
from tests.container import debian
from tests.container.dockerfile import Instruction, Stage, context, stages

REPOSITORY = Path(__file__).resolve().parents[2]
_CLIENTS = re.compile(r"(PIP_(?!FIND_LINKS)|NPM_|npm_|NODE_EXTRA|SSL_|REQUESTS_CA|CURL_CA)")
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def lacking() -> str | None:
    """Return why the build cannot be tried here, or None."""
    if os.geteuid() != 0:
        return "building in a chroot needs root"
    missing = [name for name in ("debootstrap", "unshare", "chroot") if not shutil.which(name)]
    if missing:
        return f"building in a chroot needs {', '.join(missing)}"
    trial = subprocess.run(["unshare", "--mount", "--pid", "--fork", "true"], check=False)
    return "this machine gives no namespaces of its own" if trial.returncode else None


@dataclass
class Root:
    """The file system of a stage, and what its instructions have set so far."""

    folder: Path
    env: dict[str, str] = field(default_factory=lambda: {"PATH": _PATH})
    user: str = "0"
    workdir: str = "/"

    def inside(self, path: str) -> Path:
        """Return where ``path`` of the stage lies on this machine."""
        return self.folder / (Path(self.workdir) / path).relative_to("/")

    def command(
        self, words: list[str], env: Mapping[str, str], socket_folder: Path | None = None
    ) -> list[str]:
        """Return the command that runs ``words`` in the stage."""
        mounts = ["mount --rbind /dev dev", "mount -t proc proc proc"]
        if socket_folder:
            (self.folder / "socket").mkdir(exist_ok=True)
            mounts.append(f"mount --bind {shlex.quote(str(socket_folder))} socket")
        home = "/root" if self.user == "0" else "/var/lib/geo-service"
        settings = [f"{k}={v}" for k, v in {"HOME": home, **self.env, **env}.items()]
        inside = f"cd {shlex.quote(self.workdir)} && exec {shlex.join(words)}"
        within = ["/usr/bin/env", "-i", *settings, "/bin/sh", "-c", inside]
        chroot = shlex.join(["chroot", f"--userspec={self.user}", ".", *within])
        script = " && ".join([f"cd {shlex.quote(str(self.folder))}", *mounts, f"exec {chroot}"])
        return ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", script]


def build(work: Path, text: str) -> tuple[Root, Stage]:
    """Carry out every stage below ``work``; return the last one's root and instructions."""
    files = context(REPOSITORY)
    roots: dict[str, Root] = {}
    for stage in stages(text):
        root = roots[stage.name] = Root(work / stage.name)
        debian.unpack(root.folder)
        for item in stage.instructions:
            started = time.monotonic()
            _carry_out(item, root, roots, files)
            if item.keyword == "RUN":
                print(f"{time.monotonic() - started:6.1f} s  {item.value[:90]}", flush=True)
    return root, stage


def _carry_out(item: Instruction, root: Root, roots: Mapping[str, Root], files: set[Path]) -> None:
    match item.keyword:
        case "RUN":
            clients = {k: v for k, v in os.environ.items() if _CLIENTS.match(k)}
            subprocess.run(root.command(["/bin/sh", "-ec", item.value], clients), check=True)
        case "ENV":
            root.env |= item.pairs
        case "USER":
            root.user = item.value
        case "WORKDIR":
            root.workdir = item.value
            root.inside(".").mkdir(parents=True, exist_ok=True)
        case "COPY":
            *sources, target = item.words
            for source in sources:
                place = root.inside(target)
                if target.endswith("/"):
                    place /= Path(source).name
                if stage := item.options.get("from"):
                    place.parent.mkdir(parents=True, exist_ok=True)
                    subprocess.run(["cp", "-aT", roots[stage].inside(source), place], check=True)
                else:
                    _copy(source, place, files)
        case "ARG" | "LABEL" | "EXPOSE" | "HEALTHCHECK" | "CMD":
            pass
        case other:
            raise ValueError(f"{other} is not carried out here")


def _copy(source: str, place: Path, files: set[Path]) -> None:
    """Copy a file or the content of a folder to ``place``, as far as .dockerignore lets it."""
    found = REPOSITORY / source
    wanted = [path for path in files if path == found or path.is_relative_to(found)]
    if not wanted:
        raise FileNotFoundError(f"COPY {source}: .dockerignore leaves nothing of it")
    for path in wanted:
        into = place / path.relative_to(found)
        into.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, into)


@contextlib.contextmanager
def running(root: Root, stage: Stage, cluster: Cluster) -> Iterator[str]:
    """Run the stage's CMD over the cluster until its HEALTHCHECK is content; yield its address."""
    command, check = stage.last("CMD"), stage.last("HEALTHCHECK")
    assert command
    assert check
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    cluster.socket_folder.chmod(0o755)  # for the user of the container; the cluster is ours alone
    env = {
        "GEO_SERVICE_DATABASE_URL": "postgresql://postgres@/town?host=/socket",
        "GEO_SERVICE_PORT": port,
    }
    process = subprocess.Popen(root.command(command.words, env, cluster.socket_folder))
    asking = Instruction("", {}, check.value.removeprefix("CMD").strip()).words
    try:
        for _ in range(60):
            assert process.poll() is None, "the service ended by itself"
            done = subprocess.run(root.command(asking, env), capture_output=True, check=False)
            if done.returncode == 0:
                break
            time.sleep(0.5)
        else:
            raise TimeoutError(f"the HEALTHCHECK stays unhappy: {done.stderr.decode()[-500:]}")
        yield f"http://127.0.0.1:{port}"
        # As an engine stops it: the process itself, not "unshare", which stands outside.
        (inner,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        os.kill(int(inner), signal.SIGTERM)
        assert process.wait(10) == 0, "the service does not end cleanly when asked to"
    finally:
        process.kill()
        process.wait()


def main() -> None:
    """Build, run and ask."""
    if reason := lacking():
        raise SystemExit(reason)
    work = Path(tempfile.mkdtemp(prefix="geo-build-"))
    work.chmod(0o755)
    try:
        root, stage = build(work, (REPOSITORY / "Dockerfile").read_text())
        with (
            Cluster(work / "data", fast_and_loose=True) as cluster,
            running(root, stage, cluster) as address,
        ):
            inside = (
                "from static_maps import assets, fonts; assets.script(); fonts.without_glyph('网')"
            )
            subprocess.run(root.command(["python3", "-c", inside], {}), check=True)
            for path in ("/healthz", "/readyz", "/sign-in", "/static/map.js"):
                with urllib.request.urlopen(address + path, timeout=30) as answer:
                    print(answer.status, path)
    finally:
        # Mounts lived in the namespaces of the steps: nothing of this machine lies below.
        subprocess.run(["rm", "-rf", "--one-file-system", work], check=True)


if __name__ == "__main__":
    main()
