"""`python -m crosslingual` is the command `crosslingual`."""

from crosslingual.cli import main

main()
