"""The verb: one graph, from an archive to a remote dataset, once.

What users of the engine need of it is here, and loaded on first use; the stub beside this file names and types it.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
