"""A JSON object with a member twice is refused: parsers keep the last one, and nobody would be told of the first."""

import json
from pathlib import Path

import pytest

from cognee_dagster.errors import GraphFileError
from cognee_dagster.sources.files import open_graph_file
from tests.graph_files import graphml, read

NODE, LINK = '{"id": "a"}', '{"source": "a", "target": "a", "target": "a"}'


def test_a_member_that_is_there_twice_is_no_graph_of_which_half_is_read(tmp_path: Path) -> None:
    once = '{"nodes": [{"id": "nodes", "nodes": 1}], "x": {"nodes": []}, "links": []'
    read(tmp_path / "g.json", once + "}")
    for again in (', "nodes": [{"id": "b"}]}', ', "nodes" : []}'):
        with pytest.raises(GraphFileError, match=r"g\.json has 'nodes' more than once"):
            read(tmp_path / "g.json", once + again)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ('{"nodes": [{"id": "a", "x": 1, "x": 2}], "links": []}', r"""what begins with '{"id": "a".* has 'x'"""),
        ('{"nodes": [{"id": "a", "x": {"y" : 1, "y" : 2}}], "links": []}', "has 'y'"),
        (f'{{"nodes": [{NODE}], "links": [{LINK}]}}', """what begins with '{"source".* has 'target'"""),
        ('{"nodes": [{"id": "a", "x": NaN, "x": 2}], "links": []}', r"g\.json has 'x'"),
        ('{"elements": {"nodes": [], "nodes": [], "edges": []}}', """what begins with '{"nodes".* has 'nodes'"""),
        ('{"graph": {"nodes": {"a": {}, "b": {}, "a": {"x": 1}}, "edges": []}}', "has 'a'"),
        ('{"type": "node", "id": "1", "properties": {"x": "\\":", "x": 2}}\n{}', "has a line 1 that has 'x'"),
    ],
)
def test_what_is_there_twice_deep_in_a_document_is_named_with_its_place(
    tmp_path: Path, content: str, what: str
) -> None:
    with pytest.raises(
        GraphFileError, match=f"{what} more than once, and only the last would be read. Join them."
    ) as refused:
        read(tmp_path / "g.json", content)
    assert "is not JSON" not in str(refused.value)


def test_a_table_of_texts_in_which_one_is_there_twice_is_none(tmp_path: Path) -> None:
    """However many there are, and whether the two are as long as each other or not."""
    (tmp_path / "graph_chunk_entity_relation.graphml").write_text(graphml('<node id="a"/>'))
    for again in ('"t7": {"content": "Another text 7"}', '"t7" :\t{"content": ""}'):
        texts = [f'"t{n}": {{"content": "A longer text {n}"}}' for n in range(99)]
        for content in (", ".join(texts), ", ".join([*texts, again])):
            (tmp_path / "kv_store_text_chunks.json").write_text(f"{{{content}}}")
            if content.endswith(again):
                with pytest.raises(GraphFileError, match=r"kv_store_text_chunks\.json has 't7' more than once"):
                    open_graph_file(tmp_path)
            else:
                open_graph_file(tmp_path)


@pytest.mark.parametrize("text", [":Movie", 'She said "x": y', "a\\", 'ends with \\":', "{,:}", ""])
def test_colons_and_quotes_in_texts_and_names_are_no_members(tmp_path: Path, text: str) -> None:
    content = {"nodes": [{"id": "a", "t": text, "x": {text: [text]}}], "links": [], text: text}
    for spelled in (json.dumps(content), json.dumps(content, indent=1, separators=(",", " : "))):
        assert read(tmp_path / "g.json", spelled).names == ["a"]
