"""What the registry's scanner is known to flag in the packed archive, and why each place has to stay.

The scanner's rules are private; these are the ones that publishers were shown. They are plain text matches: comments,
Markdown and JavaScript count as much as code. Any finding, however harmless, sends a version to a manual review, so
there should be few places, and each should be quickly understood.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

RULES: Mapping[str, str] = {
    "python_network_operations": r"aiohttp\.ClientSession|requests\.(?:get|post|put|delete|request|Session)\("
    r"|urllib\.request|urlopen\(|\.urlretrieve\(|http\.client|\bhttpx\b|socket\.socket\("
    r"|\.(?:connect|bind|send|sendall|recv)\(",
    "python_environment_manipulation": r"os\.environ|os\.getenv|os\.putenv|os\.unsetenv",
    "python_command_injection_risk": r"subprocess\.|os\.system\(|os\.popen\(|shell=True",
    "python_url_command_execution": r"(?:subprocess\.|os\.system\(|Popen\().*https?://",
    "python_dynamic_execution": r"\b(?:eval|exec)\(|__import__\(|importlib\.import_module\(|(?<![\w.])compile\(",
    "python_bytecode_manipulation": r"\bmarshal\.|types\.CodeType|__code__|\bpickle\.loads?\(",
    "python_sensitive_file_access": r"/etc/(?:passwd|shadow)|\.ssh/|\.aws/|\.netrc\b|\.git-credentials",
    "python_database_connections": r"sqlite3\.connect\(|psycopg2?\.connect\(|create_engine\(|pymysql\.",
    "contains_blacklisted_url": r"://raw\.githubusercontent\.com|://(?:www\.)?(?:transfer\.sh|gofile\.io|anonfiles"
    r"|catbox\.moe|file\.io|pastebin\.com|mega\.nz)|://discord(?:app)?\.com/api/webhooks",
    "contains_custom_url_dependency": r"^\s*[\w.-]+\s*@\s*(?:git\+)?https?://|--(?:extra-)?index-url|--find-links",
    "contains_btc_address": r"\b(?:bc1[a-z0-9]{25,60}|[13][a-km-zA-HJ-NP-Z1-9]{33})\b",
    "imports_cryptography_py": r"^\s*(?:import|from)\s+(?:cryptography|Crypto)\b",
    "prohibited_string": r"auth_token_comfy_org|api_key_comfy_org|AUTH_TOKEN_COMFY_ORG|API_KEY_COMFY_ORG",
}

NETWORK, DATABASE, FILES = "python_network_operations", "python_database_connections", "python_sensitive_file_access"

REASONS: Mapping[tuple[str, str], str] = {
    (
        NETWORK,
        "jobs/http.py",
    ): "The one module that sends anything out: to the providers and their result links.",
    (NETWORK, "jobs/connections.py"): "Holds what jobs/http.py sends to public addresses: the guard against SSRF.",
    (FILES, "jobs/http.py"): "A comment: it keeps requests from reading that file.",
    (NETWORK, "jobs/services.py"): "Calls send() of jobs/http.py.",
    (NETWORK, "jobs/watches.py"): "Calls send() of jobs/http.py: how a task stands.",
    (NETWORK, "jobs/keys.py"): "Calls send() of jobs/http.py: whether a key works.",
    (NETWORK, "web/keys_row.mjs"): "Asks ComfyUI's own server through its api, nobody else.",
    (NETWORK, "web/tasks_view.mjs"): "Asks ComfyUI's own server through its api, nobody else.",
    (NETWORK, "jobs/submit.py"): "Calls send() of jobs/http.py: the line that pays.",
    (NETWORK, "jobs/database.py"): "SQLAlchemy's connect(), to the ledger on the user's own disk or database.",
    (
        DATABASE,
        "jobs/database.py",
    ): "The ledger, by which nothing is paid twice; its address is no input.",
    (NETWORK, "sandbox/desk.py"): "Our own test server, which answers on 127.0.0.1 alone in place of the providers.",
    (NETWORK, "sandbox/intake.py"): "Our own test server fetches input pictures, as the providers do.",
    (NETWORK, "sandbox/server.py"): "Our own test server listens on a free port of 127.0.0.1, nowhere else.",
    (NETWORK, "sandbox/webhooks.py"): "Our own test server tells of finished tasks, as the providers do.",
}
"""Why a place stays, by rule and file."""


@dataclass(frozen=True)
class Finding:
    """One rule in one file, with the first text that it matched. `reason` is None where nobody has given one."""

    rule: str
    file: str
    line: int
    text: str

    @property
    def reason(self) -> str | None:
        return REASONS.get((self.rule, self.file))


def findings(archive: Path) -> list[Finding]:
    """What the rules match in the text files of a packed archive, one finding for each rule and file."""
    found = []
    with zipfile.ZipFile(archive) as packed:
        for name in sorted(packed.namelist()):
            data = packed.read(name)
            if b"\0" not in data[:1024]:
                found += _in(name, data.decode("utf-8", "replace"))
    return found


def table(found: Iterable[Finding]) -> str:
    """The findings for a person."""
    rows = ["| rule | place | text | why it stays |", "|---|---|---|---|"]
    rows += [
        f"| {one.rule} | {one.file}:{one.line} | `{one.text}` | {one.reason or '**no reason given**'} |"
        for one in found
    ]
    return "\n".join(rows)


def _in(name: str, text: str) -> list[Finding]:
    found = []
    for rule, pattern in RULES.items():
        match = re.search(pattern, text, re.MULTILINE)
        if match:
            found.append(Finding(rule, name, text.count("\n", 0, match.start()) + 1, match[0].strip()[:60]))
    return found
