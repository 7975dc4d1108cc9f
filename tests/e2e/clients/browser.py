"""What every Python client of the tests needs: its settings, and a browser without scripts."""

import json
import re
import sys
from html import unescape
from urllib.parse import urljoin

import requests

# They come as JSON on standard input.
settings = json.load(sys.stdin)
browser = requests.Session()
browser.trust_env = False


def browse(url):
    """Follows redirects to the application; fills in the sign-in form when it is shown."""
    for _ in range(10):
        page = browser.get(url, allow_redirects=False)
        if page.is_redirect:
            url = urljoin(url, page.headers["location"])
            if url.startswith(settings["redirect_uri"]):
                return url
            continue
        assert page.status_code == 200, page.text
        fields = {}
        for tag in re.findall(r"<input\b[^>]*>", page.text):
            attributes = {name: unescape(value) for name, value in re.findall(r'\b([a-z_]+)="([^"]*)"', tag)}
            if "name" in attributes:
                fields[attributes["name"]] = attributes.get("value", "")
        fields.update(login=settings["login"], password=settings["password"])
        sent = browser.post(urljoin(url, "/login"), data=fields, allow_redirects=False)
        assert sent.status_code == 303, sent.text
        url = urljoin(url, sent.headers["location"])
    raise AssertionError(f"no way to the application from {url}")
