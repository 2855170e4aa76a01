"""`python -m alur` is the command line."""

from alur.cli import main

main()
