"""GitHub's REST API as far as we use it, on the loopback address: stateful, with its errors."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

Answer = tuple[int, Any]
_NOT_FOUND: Answer = (404, {"message": "Not Found", "status": "404"})
_TOKEN = "ghp_test"


@dataclass
class FakePull:
    """A pull request, and what speaks for it."""

    number: int
    head: str
    author: str = "ada"
    branch: str = "by-region"
    base: str = "main"
    state: str = "open"
    draft: bool = False
    fork: str | None = None
    mergeable: bool | None = True
    behind_by: int = 0
    reviews: list[dict[str, Any]] = field(default_factory=list)
    committers: list[str | None] = field(default_factory=lambda: ["ada"])
    """Of each commit; None of one whose address GitHub does not know."""

    def review(self, user: str, state: str = "APPROVED", commit: str | None = None) -> None:
        """Add somebody's review of the head, or of another commit."""
        who = {"login": user, "url": ""}
        self.reviews.append({"user": who, "state": state, "commit_id": commit or self.head})


@dataclass
class FakeGitHub:
    """One repository with pull requests."""

    repository: str = "acme/flows"
    url: str = ""
    pulls: dict[int, FakePull] = field(default_factory=dict)
    permissions: dict[str, str] = field(default_factory=dict)
    required: list[str] = field(default_factory=list)
    rules: list[str] = field(default_factory=list)
    statuses: dict[str, dict[str, str]] = field(default_factory=dict)
    check_runs: dict[str, dict[str, str | None]] = field(default_factory=dict)
    apps: dict[str, int] = field(default_factory=dict)
    """Which app makes a check, and must make it."""
    impostors: set[str] = field(default_factory=set)
    """Names of check runs that another app makes, and of statuses that a person sets."""
    failures: list[Answer] = field(default_factory=list)
    """What is answered to the next requests instead."""

    def open(self, pull: FakePull) -> FakePull:
        """Open a pull request."""
        self.pulls[pull.number] = pull
        return pull

    def answer(self, path: str, query: dict[str, list[str]], token: str | None) -> Answer:
        """Return status and body for a request."""
        if self.failures:
            return self.failures.pop(0)
        if token != f"token {_TOKEN}":
            return 401, {"message": "Bad credentials", "status": "401"}
        prefix = f"/repos/{self.repository}/"
        if not path.startswith(prefix):
            return _NOT_FOUND
        for pattern, answer in self._routes():
            if match := re.fullmatch(pattern, path.removeprefix(prefix)):
                return answer(query, *map(unquote, match.groups()))
        return _NOT_FOUND

    def _routes(self) -> list[tuple[str, Callable[..., Answer]]]:
        return [
            (r"pulls/(\d+)", self._pull),
            (r"pulls/(\d+)/reviews", self._reviews),
            (r"pulls/(\d+)/commits", self._commits),
            (r"compare/(.+)\.\.\.(\w+)", self._compare),
            (r"branches/([^/]+)", self._branch),
            (r"rules/branches/([^/]+)", self._rules),
            (r"collaborators/([^/]+)/permission", self._permission),
            (r"commits/(\w+)", self._commit),
            (r"statuses/(\w+)", self._statuses),
            (r"commits/(\w+)/check-runs", self._runs),
        ]

    def _pull(self, _: object, number: str) -> Answer:
        pull = self.pulls.get(int(number))
        if pull is None:
            return _NOT_FOUND
        home = f"{self.url}/repos/{self.repository}"
        base = {"full_name": self.repository, "url": home, "default_branch": "main"}
        head = base | ({"full_name": pull.fork} if pull.fork else {})
        return 200, {
            "url": f"{base['url']}/pulls/{number}",
            "html_url": f"https://github.example.com/{self.repository}/pull/{number}",
            "number": pull.number,
            "title": "Forecast by region",
            "state": pull.state,
            "draft": pull.draft,
            "mergeable": pull.mergeable,
            "user": {"login": pull.author},
            "head": {"sha": pull.head, "ref": pull.branch, "repo": head},
            "base": {"ref": pull.base, "repo": base},
        }

    def _reviews(self, query: dict[str, list[str]], number: str) -> Answer:
        return 200, _page(self.pulls[int(number)].reviews, query)

    def _commits(self, query: dict[str, list[str]], number: str) -> Answer:
        people = self.pulls[int(number)].committers
        told = [
            {"sha": f"{index:040x}", "author": name and {"login": name}, "committer": None}
            for index, name in enumerate(people)
        ]
        return 200, _page(told, query)

    def _compare(self, _: object, base: str, head: str) -> Answer:
        pull = next((each for each in self.pulls.values() if each.head == head), None)
        if pull is None or pull.base != base:
            return _NOT_FOUND
        return 200, {"behind_by": pull.behind_by, "ahead_by": 1}

    def _branch(self, _: object, name: str) -> Answer:
        checks: dict[str, Any] = {"enforcement_level": "everyone", "contexts": self.required}
        if self.apps:
            checks["checks"] = [
                {"context": name, "app_id": self.apps.get(name)} for name in self.required
            ]
        protection = {"enabled": bool(self.required), "required_status_checks": checks}
        return 200, {"name": name, "protection": protection}

    def _rules(self, _: object, __: str) -> Answer:
        checks = [{"context": name, "integration_id": self.apps.get(name)} for name in self.rules]
        told = {"required_status_checks": checks}
        return 200, [{"type": "deletion"}, {"type": "required_status_checks", "parameters": told}]

    def _permission(self, _: object, user: str) -> Answer:
        if user not in self.permissions:
            return _NOT_FOUND
        return 200, {"permission": self.permissions[user], "user": {"login": user}}

    def _commit(self, _: object, sha: str) -> Answer:
        return 200, {"sha": sha, "url": f"{self.url}/repos/{self.repository}/commits/{sha}"}

    def _statuses(self, query: dict[str, list[str]], sha: str) -> Answer:
        told = [
            {
                "context": name,
                "state": state,
                "creator": {"login": "x", "type": "User" if name in self.impostors else "Bot"},
            }
            for name, state in self.statuses.get(sha, {}).items()
        ]
        return 200, _page(told, query)

    def _app(self, check: str) -> dict[str, int] | None:
        if check in self.impostors:
            return {"id": 666}
        return {"id": self.apps[check]} if check in self.apps else None

    def _runs(self, query: dict[str, list[str]], sha: str) -> Answer:
        told = [
            {
                "name": name,
                "status": "completed" if conclusion else "in_progress",
                "conclusion": conclusion,
                "app": self._app(name),
            }
            for name, conclusion in self.check_runs.get(sha, {}).items()
        ]
        return 200, {"total_count": len(told), "check_runs": _page(told, query)}


def _page(items: list[dict[str, Any]], query: dict[str, list[str]]) -> list[dict[str, Any]]:
    size, page = int(query.get("per_page", ["30"])[0]), int(query.get("page", ["1"])[0])
    return items[(page - 1) * size : page * size]


@contextmanager
def serving(github: FakeGitHub) -> Iterator[str]:
    """Serve it while the block lasts, and yield the address of its API."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            """Answer."""
            parts = urlsplit(self.path)
            query = parse_qs(parts.query)
            status, body = github.answer(parts.path, query, self.headers.get("Authorization"))
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("Content-Length", str(len(text)))
            if isinstance(body, list) and len(body) == int(query.get("per_page", ["30"])[0]):
                page = int(query.get("page", ["1"])[0]) + 1
                after = f"{github.url}{parts.path}?per_page={len(body)}&page={page}"
                self.send_header("Link", f'<{after}>; rel="next"')
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        github.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield github.url
        finally:
            server.shutdown()
            thread.join()
