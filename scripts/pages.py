"""What the providers' pages state, as far as the adapters rest on it; docs/wire-facts.md is made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

E_MODEL, E_O1, E_V15 = "EachLabs' model pages", "EachLabs, page kling-o1", "EachLabs, page kling-v1-5-img-to-img"
E_DOCS, E_SPEC = "docs.eachlabs.ai", "EachLabs' OpenAPI file (github.com/eachlabs/mintlify-docs)"
M_PAGE, M_API = "Modellix, page kling-v1.5-i2i", "docs.modellix.ai/ways-to-use/api"
M_CLI, M_BOOK = "github.com/Modellix/modellix-cli", "github.com/Modellix/modellix-skill, REST playbook"
P_PAGE, P_FILES = "apimodels.app/en/docs/kling-image", "apimodels.app/en/docs/files"
KLING = "Kling's own API documents (klingai.com/document-api)"

NEVER = "not asked for"
"""In place of a fact of the live check: it has no way to see this, or none that would not cost or harm."""


@dataclass(frozen=True)
class Fact:
    """One row. `seen_as` is the live check's name for it, without the provider's."""

    what: str
    value: str
    source: str
    seen_as: str = NEVER


STATED: Mapping[str, tuple[Fact, ...]] = {
    "eachlabs": (
        Fact("the key", "header `X-API-Key`; newer pages: `Authorization: Bearer`", f"{E_MODEL}; {E_DOCS}", "created"),
        Fact("create", "`POST /prediction/`, fields under `input`", E_MODEL, "created"),
        Fact("the new task's id", '`predictionID`; `status: "success"` means created', f"{E_V15}; {E_DOCS}", "created"),
        Fact("`version`", "`0.0.1` for kling-v1-5, left out for kling-o1", E_MODEL, "takes image-kling-v1-5"),
        Fact("look", "`GET /prediction/{id}`", E_MODEL, "word done"),
        Fact("words while it runs", "`created`, `starting`, `processing`", f"{E_DOCS}; {E_O1}", "word running"),
        Fact("word when it is done", "`success`", E_MODEL, "word done"),
        Fact("words when it failed", "`error` (pages), `failed` (OpenAPI)", f"{E_MODEL}; {E_SPEC}"),
        Fact("word when it was cancelled", "`cancelled`", E_DOCS),
        Fact(
            "result links", "`output`: a text, a list of them, or objects with `url`", f"{E_MODEL}; {E_DOCS}", "links"
        ),
        Fact("why it failed", "`output.error_message`, or `message` and `details` beside it", f"{E_DOCS}; {E_O1}"),
        Fact("what it cost", "`metrics.cost`, in USD", E_DOCS, "cost"),
        Fact("a key that is none", "401", f"{E_O1}; {E_DOCS}", "wrong key"),
        Fact("a task that is none", "404", f"{E_O1}; {E_DOCS}", "unknown task"),
        Fact("no credit, too much at once", "402, 429; nothing is created", E_DOCS),
        Fact("cancel", "`POST /prediction/{id}/cancel`; at best", E_DOCS),
        Fact("upload", "`POST /upload/presign` → `presigned_url`, `public_url`, `required_headers`", E_DOCS, "upload"),
        Fact("the picture's bytes", "`PUT` with the required headers, verbatim", E_DOCS, "put"),
        Fact("an upload's life", "`expires_in_seconds`, 60 to 31536000; 180 days without", E_DOCS),
        Fact("delete an upload", "`DELETE /files/{id}` → 204", E_DOCS, "discard"),
        Fact("inputs", "https links alone; no Base64, no `data:`", E_O1, "takes edit-kling-image-o1"),
        Fact("names of pictures in a prompt", "`@Image1`", E_O1),
    ),
    "modellix": (
        Fact("the key", "header `Authorization: Bearer`", f"{M_PAGE}; {M_API}", "created"),
        Fact(
            "create kling-v1.5-i2i",
            "`POST /image-to-image/kling/kling-v1.5-i2i/async`",
            M_PAGE,
            "takes image-kling-v1-5",
        ),
        Fact("create any other", "`POST /kling/{model}/async`, fields flat", M_API, "created"),
        Fact("the new task's id", "`data.task_id`, with `code` 0", f"{M_PAGE}; {M_API}", "created"),
        Fact("look", "`GET /tasks/{id}`", "docs.modellix.ai/api-reference/query-task-result", "word done"),
        Fact("words while it runs", "`pending`, `processing`", M_BOOK, "word running"),
        Fact(
            "words when it is done",
            "`success`; its command line tool also takes `completed`, `succeeded`",
            f"{M_BOOK}; {M_CLI}",
            "word done",
        ),
        Fact("words when it failed", "`failed`; the tool also takes `error`", f"{M_BOOK}; {M_CLI}"),
        Fact("words when it was cancelled", "`cancelled`, `canceled`", M_CLI),
        Fact("result links", "`data.result.resources[].url`, else `data.resources[]`, or plain texts", M_CLI, "links"),
        Fact("why it failed", "no page says; the first text under a plausible name", "none"),
        Fact("errors", "`code` is the HTTP status, `message` is `<Category>: <detail>`", M_API, "wrong key"),
        Fact("a task that is none", "404", M_API, "unknown task"),
        Fact(
            "when to come back after 429",
            "`X-RateLimit-Reset` in seconds since 1970, `Retry-After`",
            f"{M_BOOK}; {M_CLI}",
        ),
        Fact(
            "inputs",
            "Base64 without `data:` prefix",
            "docs.modellix.ai/kling/kling-image-expansion; " + KLING,
            "takes expand-kling-expand",
        ),
        Fact(
            "several pictures in an edit",
            "`image_list: [{image}]`, `<<<image_1>>>` in the prompt",
            "docs.modellix.ai/kling/kling-image-o1",
        ),
        Fact("cancel", "no page has it", "none"),
    ),
    "apimodels": (
        Fact("the key", "header `Authorization: Bearer`", P_PAGE, "created"),
        Fact("create", "`POST /images/generations`, routed by `model`, fields flat", P_PAGE, "created"),
        Fact("the new task's id", "`data.taskId`, with `code` 200", P_PAGE, "created"),
        Fact("look", "`GET /images/generations?task_id=`, every 5-10 s", P_PAGE, "word done"),
        Fact("words while it runs", "`pending`, `processing`", P_PAGE, "word running"),
        Fact("word when it is done", "`completed`", P_PAGE, "word done"),
        Fact("word when it failed", "`failed`, with HTTP and `code` 200", P_PAGE),
        Fact("result links", "`data.resultUrls[]`, kept 7 days", P_PAGE, "links"),
        Fact("why it failed", "`data.failMsg`", P_PAGE),
        Fact("a key that is none", "401", P_PAGE, "wrong key"),
        Fact("a task that is none", "404", P_PAGE, "unknown task"),
        Fact("no credit", "402; nothing is created", P_PAGE),
        Fact("the shape of an error", "no page shows it; `code` and `msg` as in a success", "none", "wrong key"),
        Fact("upload", "`POST /files` → `data.uploadUrl`, `data.publicUrl`; kept 7 days", P_FILES, "upload"),
        Fact("the picture's bytes", "`PUT` with the same `Content-Type`, within 10 minutes", P_FILES, "put"),
        Fact("delete an upload, cancel a task", "no page has it", "none"),
        Fact("names of pictures in a prompt", "no page has it; `<<<image_1>>>`, as Kling's own", KLING),
        Fact("what a credit is worth", "no page says; `prices.json` may", "none"),
    ),
}

LIMITS = {
    "eachlabs": f"{E_V15} (the strictest of three statements)",
    "modellix": "docs.modellix.ai, overview (100 a minute); 10 in flight is a guess",
    "apimodels": "none; a guess",
}
PAGES = {"eachlabs": E_MODEL, "modellix": "docs.modellix.ai/kling/*", "apimodels": P_PAGE}
INPUTS = (
    Fact("formats", "PNG or JPEG", f"{M_PAGE}; {KLING}"),
    Fact("largest file", "10 MB, read as 10,000,000 bytes", f"{M_PAGE}; {KLING}"),
    Fact("shortest side", "300 px", f"docs.modellix.ai/kling/kling-image-expansion; {KLING}"),
    Fact("ratio", "1:2.5 to 2.5:1", KLING),
    Fact("expansion", "each side 0 to 2, the new area at most 3 times the old", f"{P_PAGE}; {KLING}"),
    Fact("longest prompt", "2500 characters", f"{E_O1}; {M_PAGE}; {P_PAGE}"),
)
