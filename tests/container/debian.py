"""A bare Debian 12, as its own image has it, in a folder. Needs root and debootstrap."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

BASE = Path(tempfile.gettempdir()) / "debian-12-minbase.tar"
# What any machine on this network is given: name server, certificates, package sources, clients.
_NETWORK = (
    "etc/resolv.conf", "etc/hosts", "etc/pip.conf", "etc/npmrc", "root/.npmrc",
    "usr/local/etc/npmrc", "etc/apt/sources.list", "etc/apt/sources.list.d", "usr/share/keyrings",
    "usr/local/share/ca-certificates", "etc/ssl/certs/ca-certificates.crt",
)  # fmt: skip


def base() -> Path:
    """Return the tar of the bare system, made on first use."""
    if not BASE.exists():
        files = [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))]
        text = "\n".join(path.read_text() for path in files if path.is_file())
        mirror = re.search(r"(?m)^(?:URIs:|deb(?: \[.*\])?) *(\S+)", text)
        with tempfile.TemporaryDirectory() as folder:
            command = ["debootstrap", "--variant=minbase", "bookworm", folder]
            command += mirror.groups() if mirror else ()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            # As in the official image: a build that is broken off is thrown away anyhow.
            Path(folder, "etc/dpkg/dpkg.cfg.d/unsafe-io").write_text("force-unsafe-io\n")
            part = BASE.with_suffix(f".{os.getpid()}")
            subprocess.run(["tar", "-C", folder, "-cf", part, "."], check=True)
            part.rename(BASE)
    return BASE


def unpack(folder: Path) -> None:
    """Make ``folder`` a bare Debian that reaches the network as this machine does."""
    folder.mkdir()
    subprocess.run(["tar", "-C", folder, "-xf", base()], check=True)
    folder.chmod(0o755)
    for name in _NETWORK:
        source, target = Path("/", name), folder / name
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True)
        elif source.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
