"""The measurements of jobs under Python: each gives nanoseconds a job."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

# Those that were started, as each has threads.
pools = {}


class Ferry:
    def __init__(self, workers):
        self.pool = ferry.Pool(workers)
        self.submit = self.pool.submit

    def start(self, loop, function, *args):
        return self.submit(function, *args)


class Executor:
    def __init__(self, workers):
        self.pool = ThreadPoolExecutor(workers)
        self.submit = self.pool.submit

    def start(self, loop, function, *args):
        return loop.run_in_executor(self.pool, function, *args)


def of(contender, workers):
    key = contender, workers
    if key not in pools:
        pools[key] = contender(workers)
    return pools[key]


def same(value):
    return value


def sleeps(value):
    time.sleep(0.001)
    return value


# Each: how many jobs, how many of them in flight, the function, and the quantile, if each is timed alone.
tiny = 4000, 1000, same, None
one_ms = 100, 100, sleeps, None
round_trip_p50 = 1000, 1, same, 0.5
round_trip_p99 = 1000, 1, same, 0.99


def quantile_of(times, quantile):
    return sorted(times)[int((len(times) - 1) * quantile)]


def thread(contender, workers, measurement):
    jobs, in_flight, function, quantile = measurement
    submit = of(contender, workers).submit
    times = []
    begin = time.perf_counter_ns()
    for _ in range(jobs // in_flight):
        start = time.perf_counter_ns()
        for job in [submit(function, n) for n in range(in_flight)]:
            job.result()
        times.append(time.perf_counter_ns() - start)
    if quantile is None:
        return (time.perf_counter_ns() - begin) / jobs
    return quantile_of(times, quantile)


def asyncio_(contender, workers, measurement):
    async def main():
        jobs, in_flight, function, quantile = measurement
        start_job = of(contender, workers).start
        loop = asyncio.get_running_loop()
        times = []
        begin = time.perf_counter_ns()
        for _ in range(jobs // in_flight):
            start = time.perf_counter_ns()
            for job in [start_job(loop, function, n) for n in range(in_flight)]:
                await job
            times.append(time.perf_counter_ns() - start)
        if quantile is None:
            return (time.perf_counter_ns() - begin) / jobs
        return quantile_of(times, quantile)

    return asyncio.run(main())
