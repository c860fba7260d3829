"""What a Cognee server makes of an archive: what it refuses, and what it takes but changes (1.6.5, default stores)."""
