"""Watching background imports: from started pushes in the event log to one terminal event each."""
