"""What to do about an archive that cannot be used."""

DISTRUST = "Do not use it, or pack its files again if they are yours."
EXPORT_AGAIN = "Correct it where it was made, and export it again."
PACK_AGAIN = "Pack the archive again, as plain files beside each other."
WRITE_AGAIN = "Write or copy it again."
NAME_ANOTHER = "Name an archive that Cognee or another system exported as COGX."
SEND_LESS = "Push the graph that it was made of, which is cut into several archives, or export less of it."
