"""`python -m tallystick.demo --data DIR [--invoices DIR]`: what `make run` calls."""

import sys

INTERRUPTED = 130
"""Exit code after Ctrl-C."""


def main() -> int:
    """Play the story. Loading it takes a second, in which Ctrl-C may be pressed too."""
    try:
        from tallystick.demo.run import main as play

        return play()
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
