"""The book's library: fine-tuning and probing helpers, and the rooms of its chapters."""

DEFAULT = "real"  # the edition of `make book`; a test holds the notebooks to it
