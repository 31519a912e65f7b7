"""A Tidegate for the suite alone: started on free ports of this machine with a data folder that goes with it.

It offers one API per backend, and a token of an application that subscribes to all of them. It knows the REST API and
the command line, nothing of the product's code.
"""

import http.cookiejar
import json
import pathlib
import ssl
import subprocess
import tempfile
import time
import urllib.request

START_SECONDS_MAX = 60


class Gateway:
    def __init__(self, binary):
        self._folder = tempfile.TemporaryDirectory(prefix="tidegate-autobahn-")
        self._data = pathlib.Path(self._folder.name, "data")
        listeners = [word for name in ("portal", "ws", "wss", "echo") for word in (f"--{name}", "localhost:0")]
        self._log = open(pathlib.Path(self._folder.name, "log"), "w+")
        command = [binary, "serve", "--demo", "--data", self._data, *listeners]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log)

    def __enter__(self):
        try:
            self._origin = self._ready()["portal"]
            self._sign_in()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self._process.terminate()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()
        self._folder.cleanup()

    def offer(self, name, backend, compression):
        """The address of a new API in front of this backend."""
        endpoints = {"production": {"url": backend}}
        design = {"name": name, "context": f"/{name}", "version": "1.0", "endpoints": endpoints}
        protocol = {"compression": compression}
        api = self._call("/apis", {**design, "protocol": protocol, "plans": ["Unlimited"], "publish": True})
        subscription = {"application_id": self._application, "api_id": api["id"], "plan": "Unlimited"}
        self._call("/subscriptions", subscription)
        return api["urls"]["ws"]

    def token(self):
        """A fresh token: its hour begins now."""
        form = f"grant_type=client_credentials&client_id={self._key['client_id']}"
        form += f"&client_secret={self._key['client_secret']}"
        request = urllib.request.Request(f"{self._origin}/oauth2/token", form.encode())
        return json.load(self._http.open(request))["access_token"]

    def _ready(self):
        """What it listens on, once it says so."""
        deadline = time.monotonic() + START_SECONDS_MAX
        while self._process.poll() is None and time.monotonic() < deadline:
            try:
                addresses = json.loads((self._data / "addresses.json").read_text())
                trust = ssl.create_default_context(cafile=self._data / "tls" / "cert.pem")
                cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
                handlers = (urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trust), cookies)
                self._http = urllib.request.build_opener(*handlers)
                self._http.open(f"{addresses['portal']}/readyz").read()
                return addresses
            except (OSError, ValueError):
                time.sleep(0.05)
        self._log.seek(0)
        raise SystemExit(f"the gateway did not start: {self._log.read()}")

    def _sign_in(self):
        noted = json.loads((self._data / "first-start.json").read_text())
        password = noted["users"]["admin"]["password"]
        self._headers = {}
        session = self._call("/session", {"username": "admin", "password": password})
        self._headers = {"X-CSRF-Token": session["csrf_token"]}
        token = self._call("/tokens", {"name": "conformance"})["token"]
        self._headers = {"Authorization": f"Bearer {token}"}
        self._application = self._call("/applications", {"name": "Autobahn", "policy": "Unlimited"})["id"]
        self._key = self._call(f"/applications/{self._application}/keys", {"type": "production"})

    def _call(self, path, body):
        headers = {"Content-Type": "application/json", **self._headers}
        request = urllib.request.Request(f"{self._origin}/api/v1{path}", json.dumps(body).encode(), headers)
        try:
            return json.load(self._http.open(request))
        except urllib.error.HTTPError as error:
            raise SystemExit(f"{path}: {error.status} {error.read().decode()}") from error
