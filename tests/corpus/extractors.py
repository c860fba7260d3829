"""GraphRAG, LightRAG and nano-graphrag, run over the handbook with the stand-in for a language model.

Each needs its own package, and none of them is one of this project's: see ``README.md`` here.
"""

import asyncio
import os
import re
import shutil
import sys
import tempfile
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from cognee_dagster.sandbox.embeddings import DIMENSIONS, embedded
from tests.corpus import language_model

HANDBOOK = Path(__file__).parents[2] / "examples" / "handbook"
INCIDENTS = Path(__file__).with_name("incidents.md")


class Words:
    """A tokenizer of words, which needs no vocabulary from the network."""

    def __init__(self) -> None:
        self._words: list[str] = []

    def encode(self, text: str, **_: Any) -> list[int]:
        words = re.findall(r"\s*\S+\s*", text)
        start = len(self._words)
        self._words += words
        return list(range(start, start + len(words)))

    def decode(self, tokens: list[int]) -> str:
        return "".join(self._words[token] for token in tokens)

    def encode_batch(self, texts: list[str], **_: Any) -> list[list[int]]:
        return [self.encode(text) for text in texts]

    def decode_batch(self, batches: list[list[int]]) -> list[str]:
        return [self.decode(tokens) for tokens in batches]


def nano_graphrag(folder: Path) -> None:
    """The working directory of nano-graphrag."""
    tiktoken: Any = import_module("tiktoken")
    words = Words()
    tiktoken.encoding_for_model = lambda *_: words
    nano, utils = import_module("nano_graphrag"), import_module("nano_graphrag._utils")
    prompts = import_module("nano_graphrag.prompt").PROMPTS
    marks = {
        "between": prompts["DEFAULT_TUPLE_DELIMITER"],
        "after": prompts["DEFAULT_RECORD_DELIMITER"],
        "end": prompts["DEFAULT_COMPLETION_DELIMITER"],
    }

    async def complete(prompt: str, history_messages: Any = (), **more: Any) -> str:
        if (text := language_model.text_in(prompt)) is not None:
            return language_model.tuples(text, **marks)
        return language_model.report(prompt) if "response_format" in more else str(marks["end"])

    rag = nano.GraphRAG(
        working_dir=str(folder),
        best_model_func=complete,
        cheap_model_func=complete,
        embedding_func=utils.EmbeddingFunc(embedding_dim=DIMENSIONS, max_token_size=8192, func=_vectors),
    )
    rag.insert([path.read_text() for path in _pages()])


def lightrag(folder: Path) -> None:
    """The working directory of LightRAG."""
    asyncio.run(_lightrag(folder))


async def _lightrag(folder: Path) -> None:
    light, utils = import_module("lightrag"), import_module("lightrag.utils")
    prompts = import_module("lightrag.prompt").PROMPTS
    marks = {"between": prompts["DEFAULT_TUPLE_DELIMITER"], "end": prompts["DEFAULT_COMPLETION_DELIMITER"]}

    async def complete(prompt: str, history_messages: Any = None, **_: Any) -> str:
        text = re.search(r"---Input Text---\n```\n(.*)\n```", prompt, re.DOTALL)
        if text is None or history_messages:
            return str(marks["end"])
        return language_model.lines(text[1], **marks)

    rag = light.LightRAG(
        working_dir=str(folder),
        llm_model_func=complete,
        embedding_func=utils.EmbeddingFunc(embedding_dim=DIMENSIONS, max_token_size=8192, func=_vectors),
        tokenizer=utils.Tokenizer("words", Words()),
    )
    await rag.initialize_storages()
    await rag.ainsert([path.read_text() for path in _pages()], file_paths=[path.name for path in _pages()])
    await rag.finalize_storages()


def graphrag(folder: Path) -> None:
    """The output folder of GraphRAG."""
    _graphrag(folder, _pages())


def graphrag_claims(folder: Path) -> None:
    """The output folder of GraphRAG that looks for claims, too: in what was reported, and in a text without any."""
    _graphrag(folder, [INCIDENTS, HANDBOOK / "systems.md"], settings="extract_claims: {enabled: true}\n")


def _graphrag(folder: Path, pages: list[Path], *, settings: str = "") -> None:
    litellm = find_spec("litellm")
    assert litellm is not None
    assert litellm.origin is not None
    os.environ["TIKTOKEN_CACHE_DIR"] = str(Path(litellm.origin).parent / "litellm_core_utils" / "tokenizers")
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    build_index = import_module("graphrag.api").build_index
    load_config = import_module("graphrag.config.load_config").load_config
    with tempfile.TemporaryDirectory() as directory, language_model.served() as url:
        root = Path(directory)
        (root / "input").mkdir()
        for page in pages:
            shutil.copy(page, root / "input" / page.with_suffix(".txt").name)
        access = f"model_provider: openai, api_key: none, api_base: {url}"
        (root / "settings.yaml").write_text(
            f"completion_models: {{default_completion_model: {{{access}, model: gpt-4}}}}\n"
            f"embedding_models: {{default_embedding_model: {{{access}, model: text-embedding-3-small}}}}\n"
            "chunking: {type: tokens, size: 300, overlap: 0, encoding_model: cl100k_base}\n"
            f"vector_store: {{vector_size: {DIMENSIONS}}}\n{settings}"
        )
        for result in asyncio.run(build_index(load_config(root))):
            print(result.workflow, result.error or "", file=sys.stderr)  # noqa: T201
        shutil.copytree(root / "output", folder, dirs_exist_ok=True)


def _pages() -> list[Path]:
    return sorted(HANDBOOK.glob("*.md"))


async def _vectors(texts: list[str], **_: Any) -> Any:
    return import_module("numpy").array([embedded(text) for text in texts])
