"""One module a verb, or a pair of them."""
