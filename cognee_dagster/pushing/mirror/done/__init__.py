"""What a push to a mirror does: it sends, deletes, and notes what it has done."""
