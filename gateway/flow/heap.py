"""What lives as long as the process is taken out of the search for garbage, which would otherwise stop all threads for it.

Partners, formats and schemas are a quarter of a million objects: to look through them takes a tenth of a second, and the
interpreter does so again and again while messages come. Measured in docs/performance.md.
"""

import asyncio
import gc

# When what was made since the start is taken out too: by then formats are compiled, which happens with their first message.
_AFTER_SECONDS = (0.0, 60.0, 540.0)


def settle() -> None:
    """Collect what is garbage now, and leave everything else alone from here on. Stops the process for that long."""
    gc.collect()
    gc.freeze()


async def settle_heap(stop: asyncio.Event) -> None:
    """Settle the heap at the start, after a minute and after ten; then end."""
    for seconds in _AFTER_SECONDS:
        try:
            await asyncio.wait_for(stop.wait(), seconds)
        except TimeoutError:
            settle()
        else:
            return
