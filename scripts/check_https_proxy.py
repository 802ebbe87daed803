"""Check the annotation server behind nginx and Caddy with https, as docs/how_to/annotate.md describes it.

python scripts/check_https_proxy.py     # after apt-get install nginx caddy openssl; a proxy that is missing is left out

Starts the server and each proxy on free ports, with a certificate made for the run, and checks from outside: one signs
in by a link over https, the cookie is for https only, changes from another site are refused, the secret of the link is
in no log of the proxy, invalid links are counted by the client's own address, and a large file passes.
"""

import json
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import httpx2
from PIL import Image

from opendensepose.annotate.server.access import invite
from opendensepose.annotate.work.store import open_store

NGINX = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx-error.log;
events {{}}
http {{
  access_log {folder}/access.log;
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  server {{
    listen 127.0.0.1:{port} ssl;
    server_name localhost;
    ssl_certificate {folder}/cert.pem; ssl_certificate_key {folder}/key.pem;
    client_max_body_size 600m;
    location / {{
      proxy_pass http://127.0.0.1:{upstream};
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_read_timeout 300s;
    }}
  }}
}}
"""
CADDY = """
{{
  admin off
  auto_https off
}}
https://localhost:{port} {{
  bind 127.0.0.1
  tls {folder}/cert.pem {folder}/key.pem
  log {{
    output file {folder}/access.log
  }}
  reverse_proxy 127.0.0.1:{upstream}
}}
"""
PROXIES: dict[str, tuple[str, Callable]] = {
    "nginx": (NGINX, lambda path: ["nginx", "-c", str(path), "-p", str(path.parent)]),
    "caddy": (CADDY, lambda path: ["caddy", "run", "--config", str(path), "--adapter", "caddyfile"]),
}


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def wait_for(get: Callable, process: subprocess.Popen, what: str) -> None:
    for _ in range(600):
        if process.poll() is not None:
            raise RuntimeError(f"{what} ended at once")
        try:
            get()
            return
        except httpx2.TransportError:
            time.sleep(0.2)
    raise RuntimeError(f"{what} does not answer")


def check(name: str) -> list[str]:
    """Run the checks behind one proxy; return what failed."""
    template, command_of = PROXIES[name]
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        photos = folder / "photos"
        photos.mkdir()
        Image.new("RGB", (64, 48)).save(photos / "one.png")
        make = (
            "openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost -addext subjectAltName=DNS:localhost"
        )
        files = ["-keyout", folder / "key.pem", "-out", folder / "cert.pem"]
        subprocess.run([*make.split(), *files], check=True, capture_output=True)
        port, upstream, db = free_port(), free_port(), folder / "a.sqlite"
        url = f"https://localhost:{port}"
        with open_store(db) as store:
            token = invite(store, "Maria", "manager")
        serve = [sys.executable, "-m", "opendensepose", "annotate", "serve", photos, "--db", db, "--boxes", "draw"]
        config = folder / "config"
        config.write_text(template.format(folder=folder, port=port, upstream=upstream))
        server = subprocess.Popen(
            [*serve, "--no-browser", "--port", str(upstream), "--url", url], stdout=subprocess.DEVNULL
        )
        proxy = subprocess.Popen(command_of(config), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_for(lambda: httpx2.get(f"http://127.0.0.1:{upstream}/enter"), server, "the server")
            trust = ssl.create_default_context(cafile=str(folder / "cert.pem"))
            with httpx2.Client(base_url=url, verify=trust, timeout=60) as client:
                wait_for(lambda: client.get("/enter"), proxy, name)
                return checks(client, trust, token, folder / "access.log", url)
        finally:
            for process in (proxy, server):
                process.terminate()
                process.wait()


def checks(client: httpx2.Client, trust: ssl.SSLContext, token: str, log: Path, url: str) -> list[str]:
    failed = []

    def expect(sentence: str, holds: bool) -> None:
        print(f"  {'ok' if holds else 'FAILED'}: {sentence}")
        if not holds:
            failed.append(sentence)

    expect("nothing is served without a session", client.get("/").status_code == 401)
    wrong = [client.post("/api/enter", json={"token": "x"}, headers={"Origin": url}).status_code for _ in range(11)]
    expect("invalid links are limited", wrong == [401] * 10 + [429])
    local = httpx2.HTTPTransport(verify=trust, local_address="127.0.0.2")
    with httpx2.Client(base_url=url, transport=local, timeout=60) as other:
        entered = other.post("/api/enter", json={"token": token}, headers={"Origin": url})
        expect("another address is not locked out by them, and signs in", entered.status_code == 200)
        cookie = entered.headers.get("set-cookie", "")
        expect(
            "the cookie is for https only", cookie.startswith("__Host-") and "Secure" in cookie and "HttpOnly" in cookie
        )
        session = other.get("/api/session").json()
        expect("the session is the user's", session.get("annotator") == "Maria")
        headers = {"X-CSRF-Token": session.get("csrf", ""), "Origin": url}
        expect(
            "the page's own changes pass", other.post("/api/tasks/next", json={}, headers=headers).status_code == 204
        )
        evil = headers | {"Origin": "https://evil.example"}
        expect("another site's do not", other.post("/api/tasks/next", json={}, headers=evil).status_code == 403)
        document = {"images": [], "annotations": [], "info": {"description": "x" * 20_000_000}}
        answer = other.post("/api/import", content=json.dumps(document), headers=headers)
        expect("a file of 20 MB is imported", answer.status_code == 200)
        expect("headers are safe", "content-security-policy" in other.get("/").headers)
    time.sleep(0.5)
    expect("the link's secret is in no log", log.exists() and token not in log.read_text())
    return failed


def main() -> None:
    present = [name for name in PROXIES if shutil.which(name)]
    if not present:
        sys.exit("neither nginx nor caddy is installed: apt-get install nginx caddy")
    failed = []
    for name in present:
        print(f"behind {name}:")
        failed += check(name)
    sys.exit(len(failed) > 0)


if __name__ == "__main__":
    main()
