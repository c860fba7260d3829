"""Pages of the site that stand at the top of the repository, where code hosts and package indexes look for them."""

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

# Path from the top of the repository -> its page.
PAGES = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security-policy.md",
    "LICENSE": "LICENSE",
}
_LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)(#[^)\s]*)?\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds those pages; called by mkdocs."""
    root = Path(config.docs_dir).parent
    for path, page in PAGES.items():
        text = (root / path).read_text(encoding="utf-8")
        files.append(File.generated(config, page, content=_LINK.sub(_from_the_top, text)))
    return files


def on_page_markdown(markdown: str, **_: object) -> str:
    """Turns links out of ``docs/`` towards those pages; called by mkdocs."""
    return _LINK.sub(lambda link: f"]({_page(link[1].removeprefix('../'), link[1])}{link[2] or ''})", markdown)


def _from_the_top(link: "re.Match[str]") -> str:
    return f"]({_page(link[1], link[1].removeprefix('docs/'))}{link[2] or ''})"


def _page(path: str, otherwise: str) -> str:
    return PAGES.get(path, otherwise)
