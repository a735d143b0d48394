"""Where the JupyterLab around this kernel is reached from, for links that a person clicks."""

import psutil

from monlab.settings import Settings
from monlab.stack.display import in_notebook


def proxy_prefix(settings: Settings) -> str:
    """The base URL under which jupyter-server-proxy forwards ports, such as `/user/x/`.

    Empty where direct addresses work: outside a notebook, and in a JupyterLab of this very machine.
    """
    if settings.proxy_prefix:
        return settings.proxy_prefix
    if not in_notebook():
        return ""
    from jupyter_server.serverapp import list_running_servers  # takes half a second to load

    above = {process.pid for process in psutil.Process().parents()}
    for server in list_running_servers():
        if server.get("pid") in above:
            base = str(server.get("base_url", "/"))
            return base if base != "/" or settings.remote_login else ""
    return ""
