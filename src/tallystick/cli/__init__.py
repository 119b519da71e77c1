"""`tally`, the command line.

- `main.py`: read this first; the command tree and what happens to errors.
- `session.py`: what every command may be told: node, who signs, language, JSON.
- `group.py`: groups that import a command only when it runs.
- `commands/`: the commands that are not derived, one module each.
- `render.py`: tables and sentences for people; `output.py`: JSON, progress, plain lines.
- `exits.py`: exit codes, from the tree of errors.
"""
