"""In Grafana's place, where its image and its archive cannot be had: takes what the lab hands to Grafana, and tells it on asking.

It proves the lab's side only: environment, secret, mounts, port. `bin/grafana` in an archive, `/run.sh` in an image.
"""

import io
import tarfile

from marks import worker

# One that does not exist: nothing here may be taken for the real one. Each worker has its own, for all share the user's cache.
VERSION = f"0.0.{worker()}"
PROGRAM = r'''
import http.server, json, os, pathlib, re, sys

def known(name):
    """A setting, or the content of the file that holds it, as the image's start script reads it."""
    if name in os.environ:
        return os.environ[name]
    return pathlib.Path(os.environ[name + "__FILE"]).read_text().strip()

def filled(text):
    text = re.sub(r"(?<!\$)\$\{(\w+)\}", lambda found: os.environ.get(found[1], ""), text)
    return text.replace("$$", "$")

def seen():
    home = pathlib.Path(known("GF_PATHS_PROVISIONING"))
    data = pathlib.Path(known("GF_PATHS_DATA"))
    (data / "grafana.db").write_text("written")
    return {
        "words": sys.argv[1:], "user": os.getuid(), "password": known("GF_SECURITY_ADMIN_PASSWORD"),
        "environment": {name: value for name, value in os.environ.items() if name.startswith("GF_")},
        "files": {str(path.relative_to(home)): filled(path.read_text()) for path in sorted(home.glob("*/*.yml"))},
        "dashboards": sorted(path.name for path in pathlib.Path(os.environ["DASHBOARDS"]).glob("*.json")),
        "home_is_writable": os.access(home, os.W_OK),
    }

ANSWERS = {
    "/api/health": lambda: json.dumps({"database": "ok"}),
    "/metrics": lambda: 'grafana_build_info{edition="oss",version="VERSION"} 1\n',
    "/seen": lambda: json.dumps(seen()),
}

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        answer = ANSWERS.get(self.path)
        self.send_response(200 if answer else 404)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(answer().encode() if answer else b"")

    def log_message(self, *words):
        pass

http.server.ThreadingHTTPServer((known("GF_SERVER_HTTP_ADDR"), int(known("GF_SERVER_HTTP_PORT"))), Handler).serve_forever()
'''.replace("VERSION", VERSION)


def archive(python: str) -> bytes:
    """A release archive around the program: more than the program, and a link and a path that must not be taken."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        files = {
            "bin/grafana": f"#!{python}\n{PROGRAM}",
            "conf/defaults.ini": "[paths]\n",
            "public/build/app.js": "1",
            "../../evil": "evil",
        }
        for name, text in files.items():
            entry = tarfile.TarInfo(f"grafana-{VERSION}/{name}")
            entry.size, entry.mode = len(text.encode()), 0o755 if name.startswith("bin/") else 0o644
            tar.addfile(entry, io.BytesIO(text.encode()))
        link = tarfile.TarInfo(f"grafana-{VERSION}/conf/link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    return out.getvalue()
