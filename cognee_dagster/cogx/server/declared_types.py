"""Node types that Cognee declares itself, with their fields (1.6.5, ``modules/migration/snapshot.py``).

A server makes its own class of a node whose type it knows, if every required field is there, and forgets all other
attributes, even the name. Of a node of any other type it keeps everything.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

BASE_FIELDS = frozenset(
    {"belongs_to_set", "created_at", "feedback_weight", "id", "importance_weight", "metadata", "ontology_uri"}
    | {"ontology_valid", "source_content_hash", "source_node_set", "source_pipeline", "source_task", "source_user"}
    | {"topological_rank", "type", "updated_at", "version"}
)


@dataclass(frozen=True, kw_only=True)
class DeclaredType:
    """One of Cognee's types.

    Attributes:
        required: Fields without which a server does not take a node for one of this type.
        fields: All its fields.
    """

    required: frozenset[str]
    fields: frozenset[str]


# Types, required fields, other fields.
_TABLE = (
    (
        "ApiEndpoint CodeAssociation CodeExtractionAccount CodeFileReference CodeFlow CodeGraphEntity "
        "CodeInsight CodeIntent CodeLintFinding CodeModule CodeService CodeTestReference ExternalDependency "
        "StorageResource",
        "kind name",
        "description doc end_line enola_id fact_hash fact_properties file_path line part_of repo",
    ),
    (
        "AudioDocument Document ImageDocument PdfDocument UnstructuredDocument",
        "external_metadata mime_type name raw_data_location",
        "",
    ),
    ("CandidateSkill", "skill_id", "score signals skill_description skill_name skill_text"),
    ("ClassDefinition FunctionDefinition", "end_point name source_code start_point", "file_path"),
    (
        "CodeFile",
        "file_path name",
        "depends_on language part_of provides_class_definition provides_function_definition source_code",
    ),
    (
        "CodeFileDocument CodeRepoDocument CsvDocument DltSourceDocument TextDocument",
        "external_metadata name raw_data_location",
        "mime_type",
    ),
    ("CodePart", "file_path", "source_code"),
    ("CodeRepository", "name path", "last_delta last_mapping_version last_receipt last_snapshot_id"),
    ("CodeSummary", "summarizes text", ""),
    (
        "CodeSymbol",
        "kind name",
        "description doc end_line enola_id fact_hash fact_properties file_path line part_of repo symbol_kind",
    ),
    ("ColumnValue DltColumn TableRow", "description name properties", ""),
    ("DatabaseSchema", "database_type description name sample_data tables", ""),
    (
        "DltRow DocumentChunk",
        "chunk_index chunk_size cut_type is_part_of text",
        "chunker_id contains content_hash document_id document_name external_metadata max_chunk_tokens "
        "truth_alignment truth_epoch",
    ),
    ("EdgeType", "number_of_edges relationship_name", ""),
    (
        "Entity",
        "description name",
        "conflicts_reviewed_at is_a relations truth_alignment truth_epoch truth_subspace_signature",
    ),
    ("EntityType", "description name", "relations"),
    ("ExtendableDataPoint", "", ""),
    ("FactConflict", "about_id attribute dataset_id kind status text", "review_pending sources values"),
    ("ForkChunkIndexPoint", "text", "chunk_index document_id document_name source_chunk_id"),
    ("GlobalContextSummary", "dataset_id level text", "graph_bucket_entity_ids is_root summarized_in"),
    ("ImportStatement", "end_point module name source_code start_point", "file_path"),
    ("InternalDataPoint", "", "is_internal"),
    (
        "LanguageMetadata",
        "character_count content_id detected_language language_confidence requires_translation",
        "language_name",
    ),
    ("NodeSet", "name", ""),
    ("RekeyedPoint Rule SessionQAVector", "text", ""),
    ("Repository", "path", ""),
    ("RuleSet", "rules", ""),
    (
        "SchemaRelationship",
        "description name relationship_type source_column source_table target_column target_table",
        "",
    ),
    ("SchemaTable", "columns description foreign_keys name primary_key row_count_estimate sample_rows", ""),
    (
        "Skill",
        "name",
        "content_hash dataset_scope declared_tools description is_active license maintainer maintainer_url "
        "procedure search_text skill_text skill_version source_dir source_file source_repo_url tags",
    ),
    (
        "SkillImprovementProposal",
        "proposal_id skill_id skill_name",
        "confidence dataset_scope model_name old_procedure proposed_procedure rationale runs runs_used skill status",
    ),
    (
        "SkillRun",
        "run_id session_id task_text",
        "candidate_skills cognee_session_id dataset_scope error_message error_type feedback latency_ms "
        "previous_run result_summary router_version selected_skill selected_skill_id selected_skill_name "
        "started_at_ms success_score task_pattern_id tool_trace",
    ),
    ("SourceCodeChunk", "", "code_chunk_of previous_chunk source_code"),
    ("TableType", "description name", ""),
    ("TextSummary", "made_from text", "global_context_bucket_id source_chunk_id summarized_in"),
    ("Timestamp", "day hour minute month second time_at timestamp_str year", "name precision time_until"),
    ("Tool", "description handler_ref name", "dataset_id input_schema permission_required readonly_hint"),
    ("ToolCall", "tool_name", "duration_ms success tool_input tool_output"),
    (
        "TranslatedContent",
        "confidence_score original_chunk_id original_text source_language translated_text translation_provider",
        "target_language translated_from translation_timestamp",
    ),
    ("Triplet", "from_node_id text to_node_id", ""),
    ("UserPreference", "dataset_id user_id", "is_internal text text_watermark turn_counter"),
)

DECLARED: dict[str, DeclaredType] = {
    name: DeclaredType(
        required=frozenset(required.split()),
        fields=BASE_FIELDS | frozenset(required.split()) | frozenset(others.split()),
    )
    for names, required, others in _TABLE
    for name in names.split()
}


def not_searched(nodes_by_type: Mapping[str, int]) -> dict[str, int]:
    """How many nodes are of types that Cognee does not know, by type.

    A search never finds them by name or text, but only as neighbours of what it has found.
    """
    return {kind: count for kind, count in nodes_by_type.items() if kind not in DECLARED}


def loses_attributes(node_type: str, attributes: Collection[str]) -> bool:
    """Whether a server would make one of its own classes of such a node, and forget what that does not declare."""
    declared = DECLARED.get(node_type)
    if declared is None or not declared.required <= set(attributes):
        return False  # where a field is missing, it keeps the node as it is
    return bool(set(attributes) - declared.fields)


def own_type(node_type: str) -> str:
    """A name for a type that happens to be called like one of Cognee's."""
    return f"{node_type}Node"
