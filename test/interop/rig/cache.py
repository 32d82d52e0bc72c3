"""What is fetched or built once per machine and kept: jars, client libraries, compiled drivers.

Everything lives in ~/.cache/barnabas/<name>. A directory is made in a temporary place under a lock and renamed into
place with a stamp in it, so that a half-made one is never used and two runs at once do the work once.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(os.environ.get("BARNABAS_CACHE", Path.home() / ".cache" / "barnabas"))
STAMP = ".prepared"


class Unavailable(Exception):
    """A toolchain or a package that this machine cannot get. The tests that need it are skipped by name."""


def fingerprint(*paths: Path) -> str:
    """Twelve hex digits over the bytes of files: the name of what is built from them changes when they do."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def need(*programs: str) -> None:
    for program in programs:
        if shutil.which(program) is None:
            raise Unavailable(f"{program} is not installed")


def run(argv, **kwargs) -> str:
    """A step of a preparation; its failure, with the end of what it said, makes the client unavailable."""
    done = subprocess.run([str(a) for a in argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace", **kwargs)
    if done.returncode != 0:
        said = " | ".join(done.stdout.strip().splitlines()[-6:])
        raise Unavailable(f"`{' '.join(str(a) for a in argv[:4])} ...` exited with {done.returncode}: {said}")
    return done.stdout


def prepared(name: str, build) -> Path:
    """The directory ROOT/name, made by build(directory) if it is not there yet."""
    final = ROOT / name
    if (final / STAMP).exists():
        return final
    ROOT.mkdir(parents=True, exist_ok=True)
    with open(ROOT / f".{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (final / STAMP).exists():
            return final
        fresh = Path(tempfile.mkdtemp(prefix=f".{name}.", dir=ROOT))
        try:
            build(fresh)
            fresh.chmod(0o755)
            (fresh / STAMP).touch()
            shutil.rmtree(final, ignore_errors=True)
            fresh.rename(final)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    return final


def maven(name: str, artefacts: list[str]) -> Path:
    """Jars of group:artifact:version and what they need, in ROOT/name/libs."""
    final = ROOT / name / "libs"
    if final.is_dir():
        return final
    need("mvn", "java")
    dependencies = "".join(
        "<dependency><groupId>{}</groupId><artifactId>{}</artifactId><version>{}</version></dependency>".format(*a.split(":"))
        for a in artefacts)
    pom = ('<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
           "<groupId>barnabas</groupId><artifactId>interop-jars</artifactId><version>0</version>"
           f"<packaging>pom</packaging><dependencies>{dependencies}</dependencies></project>")
    (ROOT / name).mkdir(parents=True, exist_ok=True)
    with open(ROOT / f".{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if final.is_dir():
            return final
        with tempfile.TemporaryDirectory(prefix=".libs.", dir=ROOT / name) as place:
            place = Path(place)
            (place / "pom.xml").write_text(pom)
            run(["mvn", "-q", "-B", "dependency:copy-dependencies", f"-DoutputDirectory={place / 'libs'}"], cwd=place)
            try:
                (place / "libs").rename(final)
            except OSError:
                if not final.is_dir():  # another program that shares the cache was quicker
                    raise
    return final
