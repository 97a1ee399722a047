"""
The client of a small project that knows nothing of echod, nor of Twisted.
"""

import asyncio


async def ask(address: tuple[str, int], question: bytes) -> bytes:
    """
    @return: The answer.  Mostly: what comes first need not be all of it.
    """
    reader, writer = await asyncio.open_connection(*address)
    writer.write(question)
    answer = await reader.read(1024)
    writer.close()
    return answer
