"""The pages, and the small JSON interface that feeds them."""
