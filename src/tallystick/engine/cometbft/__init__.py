"""CometBFT orders, Tallystick executes: its ABCI 2.0 application. `application.py` first."""
