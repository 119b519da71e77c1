"""The loop of the doors looks at its sockets seldom while there is other work, but it does look."""

from __future__ import annotations

import asyncio
import socket

from tallystick.api.turns import ROUNDS_MAX, Selector, new_loop


def test_a_selector_looks_when_there_is_nothing_else_to_do() -> None:
    here, there = socket.socketpair()
    with here, there, Selector() as selector:
        selector.register(here, 1)
        there.send(b"news")
        assert [key.fileobj for key, _ in selector.select(1.0)] == [here]
        assert [key.fileobj for key, _ in selector.select()] == [here]


def test_a_selector_looks_now_and_then_while_callbacks_wait() -> None:
    here, there = socket.socketpair()
    with here, there, Selector() as selector:
        selector.register(here, 1)
        there.send(b"news")
        looks = [bool(selector.select(0)) for _ in range(3 * (ROUNDS_MAX + 1))]
        assert looks == 3 * [*([False] * ROUNDS_MAX), True]


def test_a_loop_that_is_never_idle_hears_of_news() -> None:
    async def busy() -> int:
        loop, rounds = asyncio.get_running_loop(), 0
        here, there = socket.socketpair()
        with here, there:
            here.setblocking(False)
            heard = asyncio.ensure_future(loop.sock_recv(here, 4))
            await asyncio.sleep(0)
            there.send(b"news")
            while not heard.done():
                await asyncio.sleep(0)
                rounds += 1
            assert heard.result() == b"news"
        return rounds

    with asyncio.Runner(loop_factory=new_loop) as runner:
        assert runner.run(busy()) <= 2 * ROUNDS_MAX
