"""One small graph of made-up facts, as the programs that write graphs write it: see ``README.md`` here."""
