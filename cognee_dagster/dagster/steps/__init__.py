"""What a run executes.

Loaded on first use, so that a code location is loaded without what its steps need; the stub beside this file types it.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
