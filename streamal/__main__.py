"""`python -m streamal`."""

from streamal.cli import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
