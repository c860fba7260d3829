"""Every metadata key, tag key and check name that this package writes, in one place.

The plain names are those of ``PushResult``; everything else is under ``cognee/``. The import sensor reads what
``remote_push`` wrote, so a key is part of the stored format: never rename one.
"""

# remote_push (and, where they apply, remote_graph)
NUM_NODES = "num_nodes"
NUM_EDGES = "num_edges"
PIPELINE_RUN_ID = "pipeline_run_id"
STATUS = "status"
DATASET_NAME = "dataset_name"
TARGET_DATASET = "target_dataset"
MODE = "mode"
REMOTE_URL = "cognee/remote_url"
REMOTE_DATASET_ID = "cognee/remote_dataset_id"
REMOTE_PAGE = "cognee/remote_page"  # where the server shows the graph of the dataset
CONNECTION_SOURCE = "cognee/connection_source"
ARCHIVE_DIGEST = "cognee/archive_digest"
ARCHIVE_SHA256 = "cognee/archive_sha256"
ARCHIVE_CONTENT = "cognee/archive_content_sha256"
ARCHIVE_BYTES = "cognee/archive_bytes"
CHOSEN_ARCHIVE = "cognee/chosen_archive"  # the digest of a stored archive that was chosen at launch
PROMOTED_FROM = "cognee/promoted_from"  # the target that had confirmed the archive
ARCHIVES_TOTAL = "cognee/archives_total"  # how many archives a graph takes, of one that takes several
ARCHIVES_DONE = "cognee/archives_done"  # how many of them the remote has, or is importing as the last one
IMPORT_KNOWN_BY = "cognee/import_known_by"  # what the word on an import rests on: a KnownBy
MIRROR = "cognee/mirror"  # of a push to a mirror: what was added, changed and removed, and in how many segments
NUM_DIFFERENCES = "cognee/num_differences"  # records that the remote lacks, has otherwise, or has besides
DIFFERENCES = "cognee/differences"  # a table of them, by kind: how many, and the first
NOT_COMPARED = "cognee/not_compared"  # what a remote does not show, and so cannot be held against anything
ANSWERS = "cognee/answers"  # a table of probes: what was asked, what must be found, and what was
DRY_RUN = "cognee/dry_run"  # True: an observation of what a push would do
PLAN = "cognee/plan"  # a table of that: records, how many are added, changed and removed, and the first
PLAN_DETAILS = "cognee/plan_details"  # the same and the rest, as `cognee-dagster plan --json` prints it
REMARKS = "cognee/remarks"  # what the remote graph has besides the archive
GRAPH_DIGEST = "cognee/graph_digest"
SECONDS = "cognee/seconds"
DELIVERED_AT = "cognee/delivered_at"  # by the server's clock; of an import without a run of its own
PUSH_FAILED = "cognee/push_failed"  # True: of a push that was not made, and had sent something
PUSH_RUN_ID = "cognee/push_run_id"  # the Dagster run whose remote_push an import belongs to
REASON = "cognee/reason"
PARTITION = "cognee/partition"  # of the push, in events whose partition cannot be told to Dagster
ERROR = "cognee/error"  # the error's class; what to look for in the troubleshooting guide

# cognified_graph and cogx_archive
GRAPH_READ = "cognee/graph_read"  # False: the graph's store had not changed since an earlier step read it

# cognified_graph
NODES_BY_TYPE = "cognee/nodes_by_type"
ENTITIES_BY_TYPE = "cognee/entities_by_type"  # of nodes that are an Entity: how many are of which EntityType
EDGES_BY_RELATIONSHIP = "cognee/edges_by_relationship"
PICTURE = "cognee/picture"  # the most connected part of the graph, as an image within Markdown
MOST_CONNECTED = "cognee/most_connected"  # a table of its nodes: name, type, edges
SAMPLE_NODES = "cognee/sample_nodes"
SAMPLE_EDGES = "cognee/sample_edges"
READ_THROUGH = "cognee/read_through"
DATASET_ID = "cognee/dataset_id"
DOCUMENTS = "cognee/documents"  # what became of the documents: how many were added, changed, forgotten …
PROFILE = "cognee/profile"  # whose conventions a foreign graph follows
ATTRIBUTES_LEFT_BEHIND = "cognee/attributes_left_behind"  # by name: how many nodes and edges have one that is not sent
DANGLING_EDGES = "cognee/dangling_edges"
EXAMPLES = "cognee/examples"

# cogx_archive
SOURCE_SYSTEM = "cognee/source_system"  # of an archive that is there already: which system exported it
RECORD_COUNTS = "cognee/record_counts"
UNPACKED_BYTES = "cognee/unpacked_bytes"
BYTES_FREED = "cognee/bytes_freed"  # of older archives, which the IO manager has removed
CHANGED_SINCE_LOOK = "cognee/graph_changed_since_cognified_graph"

# all assets of a chain with partitions, in their definitions
TARGET_TEMPLATE = "cognee/target_template"  # the remote dataset's name, with {partition} in place of the key

# checks of remote_graph that were executed, of a chain with partitions
PARTITIONS = "cognee/partitions"  # how many of them were pushed, and looked at
PARTITIONS_NOT_FINE = "cognee/partitions_not_fine"  # the run that pushed each that failed; null: nothing can be said

# all assets of a chain, in their definitions
AUTOMATED_ELSEWHERE = "cognee/automated_elsewhere"  # True: a sensor of the user's evaluates their automation conditions

# remote_push, in its definition
PROMOTE_FROM = "cognee/promote_from"  # the target whose confirmed archives it gets
REPUSH_ATTEMPTS = "cognee/repush_attempts"
REPUSH_IN_BACKGROUND = "cognee/repush_in_background"
PROBES = "cognee/probes"  # what the remote is asked when an import has ended

# in definitions with a translator
NEEDS = "cognee/needs"  # the chain's own assets that one needs
REMOTE_GRAPH_KEY = "cognee/remote_graph"  # of remote_push: the asset that stands for its import

# tags
DATASET_TAG = "cognee/dataset"
REMOTE_TAG = "cognee/remote"  # the key of the resource that the dataset is pushed to
TARGET_TAG = "cognee/target"  # the target's name, of a dataset with several
MAY_BE_ABSENT_TAG = "cognee/archive_may_be_absent"  # of a step that can do without the archive, or find another one
REPUSH_OF_TAG = "cognee/repush_of"  # of a run: the import that it pushes again
REPUSH_ATTEMPT_TAG = "cognee/repush_attempt"
DISCOVERED_TAG = "cognee/discovered"  # of a run: the push asset, and the dataset's id

# asset checks
CHECK_NOT_EMPTY = "graph_not_empty"
CHECK_NO_DANGLING_EDGES = "no_dangling_edges"
CHECK_NOTHING_LEFT_BEHIND = "no_attributes_left_behind"
CHECK_WITHIN_LIMITS = "archive_within_server_limits"
CHECK_IMPORT_SUCCEEDED = "remote_import_succeeded"
CHECK_GRAPH_COMPLETE = "remote_graph_complete"
CHECK_IN_SYNC = "remote_in_sync"
CHECK_ANSWERS = "remote_answers"
