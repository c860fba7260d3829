"""A Cognee server over HTTP: what it has, what it is asked to import, and what becomes of that.

What users of the engine need of it is here, and loaded on first use; the stub beside this file names and types it.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
