"""Python aiohttp: a ClientSession, several calls at once."""
import asyncio
import os
import ssl
import sys
import time

import aiohttp

count = int(os.environ.get("COUNT", "1"))
at_once = int(os.environ.get("AT_ONCE", "1"))


async def call(session, **fields):
    fields["key"] = os.environ["PANEL_KEY"]
    async with session.post(os.environ["PANEL_URL"], data=fields) as answer:
        return await answer.json()


async def side_by_side(jobs):
    left = iter(jobs)

    async def work():
        for job in left:
            await job()

    began = time.monotonic()
    await asyncio.gather(*(work() for _ in range(at_once)))
    print("seconds", time.monotonic() - began)


async def statuses(session):
    first = int(os.environ["FIRST"])
    ids, records = [str(i) for i in range(first, first + count)], {}

    async def some(part):
        records.update(await call(session, action="status", orders=",".join(part)))

    await side_by_side([lambda i=i: some(ids[i:i + 100]) for i in range(0, count, 100)])
    assert all("charge" in records[i] for i in ids)


async def balance(session):
    async def one():
        assert (await call(session, action="balance"))["balance"]

    await one()
    await side_by_side([one] * count)


async def main():
    ca = os.environ.get("PANEL_CA")
    trust = ssl.create_default_context(cafile=ca) if ca else None
    connector = aiohttp.TCPConnector(ssl=trust, limit=at_once)
    async with aiohttp.ClientSession(connector=connector) as session:
        await {"statuses": statuses, "balance": balance}[sys.argv[1]](session)


asyncio.run(main())
