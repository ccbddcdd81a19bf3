// What TypeScript knows of the package; compiled, not run.

import { Barrier, Event, Lock, Queue, Semaphore, mapLimited, sleep, timeout } from "asyncferry";
import init from "asyncferry/web";

export async function all(signal: AbortSignal): Promise<number> {
  const event: Event = new Event();
  const waited: void = await event.wait(signal);
  const set: boolean = event.isSet;
  const queue = new Queue(4);
  await queue.put({ any: "thing" }, signal);
  const found: { value: any } | undefined = queue.getNowait();
  const lock = new Lock();
  const result: any = await lock.run(() => sleep(1.5, signal), signal);
  const semaphore = new Semaphore(2);
  if (semaphore.tryAcquire()) semaphore.release();
  const order: number = await new Barrier(1).wait();
  const pages: any[] = await mapLimited([1, 2], 2, (item, inner: AbortSignal) => fetch(`/${item}`, { signal: inner }));
  await timeout(1000, (inner) => fetch("/", { signal: inner }));
  // @ts-expect-error: a signal is no text
  event.wait("signal");
  // @ts-expect-error: permits are a number
  new Semaphore("2");
  void [waited, set, found, result, pages, init];
  return order;
}
