"""The conformance suite `kosoku`: plays its cases, and prints a line for each: number, verdict, verdict of the close.

  conformance.py client URL PARALLEL [CASE ...]   is the client of a server under test; cases may be globs
  conformance.py server [CASE ...]                is the server: prints its address first, ends after updateReports

What a line says after the verdicts is for whoever looks into a failure.
"""

import asyncio
import os
import sys

from kosoku import FailureError, run_fuzzingclient, run_fuzzingserver


async def client(url, parallel, *cases):
    return await run_fuzzingclient(url, cases, None, int(parallel))


async def server(*cases):
    async with run_fuzzingserver(cases, None, host="127.0.0.1", port=0) as suite:
        print(f"ws://{suite.address}:{suite.port}", flush=True)
        return await suite.get_result()


async def main(mode, *rest):
    try:
        results = await {"client": client, "server": server}[mode](*rest)
    except FailureError as failure:
        results = failure.results
    for case in results:
        verdicts = f"{case.behavior.value}\t{case.behavior_close.value}"
        why = f"{case.result} {case.result_close} ({case.remote_close_code} {case.remote_close_reason})"
        print(f"{case.case_id}\t{verdicts}\t{case.duration}\t{why}")


asyncio.run(main(*sys.argv[1:]))
# The suite's own threads sometimes abort an interpreter that takes itself down, when all is said.
sys.stdout.flush()
os._exit(0)
