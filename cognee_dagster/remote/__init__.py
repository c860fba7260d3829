"""The remote side: a Cognee server over HTTP."""
