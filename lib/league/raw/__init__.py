"""From played games to the raw tables, as their sources would have delivered them."""
