from .archive import write_archive as write_archive
from .complete_check import check_complete as check_complete
from .given_archive import keep_archive as keep_archive
from .graph import look_at_graph as look_at_graph
from .import_check import check_import as check_import
from .push import push_stored as push_stored
from .sync_check import check_in_sync as check_in_sync
