"""A stand-in for a language model, so that the demo and the tests need neither a key nor a network."""

from examples.stand_in_llm.server import MODEL, LLMStandIn, language_model

__all__ = ["MODEL", "LLMStandIn", "language_model"]
