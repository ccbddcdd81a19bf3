// The package as its users get it, in Node: run by `node --test` where it's installed.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import test from "node:test";
import { Barrier, Event, Lock, Queue, Semaphore, mapLimited, sleep, timeout } from "asyncferry";

const named = (name) => (error) => error.name === name;
const never = () => new Promise(() => {});

test("import and require give the same package", () => {
  assert.equal(createRequire(import.meta.url)("asyncferry").Queue, Queue);
});

test("an event wakes all who wait", async () => {
  const event = new Event();
  const waits = [event.wait(), event.wait()];
  assert.equal(event.isSet, false);
  event.set();
  assert.deepEqual(await Promise.all(waits), [undefined, undefined]);
  await event.wait();
  event.clear();
  await assert.rejects(event.wait(AbortSignal.timeout(1)), named("TimeoutError"));
});

test("a lock serves in order, and is released when its work fails", async () => {
  const lock = new Lock();
  const log = [];
  const work = (name) => lock.run(async () => {
    log.push(`${name} in`);
    await sleep(1);
    log.push(`${name} out`);
    if (name === "b") throw new Error("b failed");
    return name;
  });
  const ended = await Promise.allSettled([work("a"), work("b"), work("c")]);
  assert.deepEqual(log, ["a in", "a out", "b in", "b out", "c in", "c out"]);
  assert.deepEqual(ended.map((end) => end.value ?? end.reason.message), ["a", "b failed", "c"]);
  assert.equal(lock.locked, false);
  assert.equal(await lock.run(() => 7), 7);
  await lock.acquire();
  lock.release();
  assert.throws(() => lock.release(), /not acquired/);
});

test("an aborted wait takes no permit", async () => {
  const semaphore = new Semaphore(1);
  await semaphore.acquire();
  const controller = new AbortController();
  const waits = semaphore.acquire(controller.signal);
  const next = semaphore.acquire();
  controller.abort(new Error("not needed"));
  await assert.rejects(waits, /not needed/);
  semaphore.release();
  await next;
  assert.equal(semaphore.tryAcquire(), false);
  semaphore.release();
  assert.equal(semaphore.permits, 1);
  assert.throws(() => semaphore.release());
  await assert.rejects(semaphore.acquire(AbortSignal.abort("before")), (reason) => reason === "before");
  assert.equal(semaphore.permits, 1);
});

test("a queue holds back who puts, and drains after its shutdown", async () => {
  const queue = new Queue(2);
  let put = 0;
  const producer = (async () => {
    for (; put < 6; put++) await queue.put({ put });
    queue.shutdown();
  })();
  await sleep(2);
  assert.equal(put, 2);
  const got = [];
  try {
    for (;;) {
      got.push((await queue.get()).put);
      queue.taskDone();
      assert.ok(queue.size <= 2);
    }
  } catch (error) {
    assert.equal(error.name, "QueueShutDown");
  }
  await producer;
  await queue.join();
  assert.deepEqual(got, [0, 1, 2, 3, 4, 5]);
  await assert.rejects(queue.put(1), named("QueueShutDown"));
  assert.throws(() => queue.putNowait(1), named("QueueShutDown"));
});

test("what doesn't wait says so", () => {
  const queue = new Queue(1);
  assert.equal(queue.getNowait(), undefined);
  assert.equal(queue.putNowait(undefined), true);
  assert.equal(queue.putNowait(2), false);
  assert.deepEqual(queue.getNowait(), { value: undefined });
});

test("an item goes to the next when a getter aborts", async () => {
  const queue = new Queue();
  const controller = new AbortController();
  const first = queue.get(controller.signal);
  const second = queue.get();
  controller.abort();
  await queue.put("item");
  await assert.rejects(first, named("AbortError"));
  assert.equal(await second, "item");
});

test("a barrier lets go of all at once, or breaks", async () => {
  const barrier = new Barrier(2);
  assert.deepEqual((await Promise.all([barrier.wait(), barrier.wait()])).sort(), [0, 1]);
  const waits = barrier.wait();
  await sleep(1);
  assert.equal(barrier.waiting, 1);
  barrier.abort();
  await assert.rejects(waits, named("BrokenBarrierError"));
  assert.equal(barrier.broken, true);
});

test("a timeout aborts its work", async () => {
  let seen;
  const late = timeout(2, (signal) => {
    seen = signal;
    return never();
  });
  await assert.rejects(late, named("TimeoutError"));
  assert.equal(seen.aborted, true);
  assert.equal(await timeout(1000, async (signal) => {
    seen = signal;
    return 5;
  }), 5);
  assert.equal(seen.aborted, false);
  const controller = new AbortController();
  const outer = timeout(60_000, (signal) => {
    seen = signal;
    return never();
  }, controller.signal);
  await sleep(1);
  controller.abort(new Error("outside"));
  await assert.rejects(outer, /outside/);
  assert.equal(seen.aborted, true);
});

test("a limited map keeps its limit and its order, and its first failure stops the rest", async () => {
  let now = 0;
  let most = 0;
  const squares = await mapLimited([5, 1, 3, 2], 2, async (number) => {
    most = Math.max(most, ++now);
    await sleep(number);
    now--;
    return number * number;
  });
  assert.deepEqual(squares, [25, 1, 9, 4]);
  assert.equal(most, 2);
  let aborted = 0;
  const failing = mapLimited([1, 2, 3, 4], 2, (number, signal) => {
    if (number === 2) throw new Error("two");
    signal.addEventListener("abort", () => aborted++);
    return never();
  });
  await assert.rejects(failing, /two/);
  assert.equal(aborted, 1);
});

test("bad arguments are refused by name", () => {
  for (const make of [() => new Queue(-1), () => new Queue(1.5), () => new Semaphore(NaN), () => new Barrier(0)]) {
    assert.throws(make, RangeError);
  }
  assert.rejects(mapLimited([1], 0, () => 1), RangeError);
});

test("short sleeps are short", async () => {
  const start = performance.now();
  for (let count = 0; count < 20; count++) await sleep(1);
  const took = performance.now() - start;
  assert.ok(took >= 20, `${took} ms`);
});

test("a timer that is not needed any more keeps no process", () => {
  const program = `
    import { Event, timeout } from "asyncferry";
    console.log(await timeout(3_600_000, async () => "in time"));
    const controller = new AbortController();
    const wait = new Event().wait(controller.signal);
    controller.abort();
    await wait.catch(() => console.log("aborted"));
  `;
  const told = execFileSync(process.execPath, ["--input-type=module", "--eval", program], { timeout: 20_000 });
  assert.equal(told.toString(), "in time\naborted\n");
});

test("a wait stands in line from the moment it's called", async () => {
  const event = new Event();
  const waits = event.wait();
  event.set();
  event.clear();
  await waits;
  const queue = new Queue();
  queue.put("first");
  queue.putNowait("second");
  assert.deepEqual([await queue.get(), await queue.get()], ["first", "second"]);
  const semaphore = new Semaphore(1);
  const acquired = semaphore.acquire();
  assert.equal(semaphore.tryAcquire(), false);
  await acquired;
  const controller = new AbortController();
  const late = semaphore.acquire(controller.signal);
  semaphore.release();
  controller.abort();
  await late.catch(() => {});
  await sleep(1);
  assert.equal(semaphore.permits + (semaphore.locked ? 1 : 0), 1);
});

test("thenables are awaited as promises are", async () => {
  const thenable = (value) => ({ then: (done) => setTimeout(done, 5, value) });
  const lock = new Lock();
  const held = lock.run(() => thenable("held"));
  await sleep(2);
  assert.equal(lock.locked, true);
  assert.equal(await held, "held");
  assert.deepEqual(await mapLimited([1, 2], 1, thenable), [1, 2]);
  await assert.rejects(timeout(1, () => thenable("late")), named("TimeoutError"));
});
