"""Sign-offs: who signed which bytes, gates and data; whether that still holds; and a log that cannot be cut unseen."""
