// The measurements in Node and in browsers: each contender once a round, in turn.

const OPS = 5000;
const MANY = 10000;
const SLEEPS = 20;

const median = (figures) => figures.sort((a, b) => a - b)[figures.length >> 1];
const since = (start, operations) => ((performance.now() - start) * 1e6) / operations;
const yieldNow = () => Promise.resolve();
const sleep = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

/** A queue with a bound, as one writes it by hand. */
class Queue {
  constructor(room) {
    Object.assign(this, { room, items: [], getters: [], putters: [] });
  }

  async put(item) {
    while (this.items.length >= this.room) await new Promise((free) => this.putters.push(free));
    this.items.push(item);
    this.getters.shift()?.();
  }

  async get() {
    while (this.items.length === 0) await new Promise((filled) => this.getters.push(filled));
    const item = this.items.shift();
    this.putters.shift()?.();
    return item;
  }
}

/** JavaScript's own promises. */
const javascript = {
  async spawn_await() {
    const start = performance.now();
    for (let number = 0; number < OPS; number++) await (async () => number)();
    return since(start, OPS);
  },
  async spawn_join_10k() {
    const start = performance.now();
    const tasks = [];
    for (let number = 0; number < MANY; number++) tasks.push((async () => number)());
    for (const task of tasks) await task;
    return since(start, MANY);
  },
  async yield_one() {
    const start = performance.now();
    for (let count = 0; count < 4 * OPS; count++) await yieldNow();
    return since(start, 4 * OPS);
  },
  async yield_1000() {
    const start = performance.now();
    const task = async () => {
      for (let count = 0; count < 20; count++) await yieldNow();
    };
    await Promise.all(Array.from({ length: 1000 }, task));
    return since(start, 20000);
  },
  async queue_128() {
    const queue = new Queue(128);
    const start = performance.now();
    const producer = (async () => {
      for (let item = 0; item < MANY; item++) await queue.put(item);
    })();
    for (let count = 0; count < MANY; count++) await queue.get();
    const figure = since(start, MANY);
    await producer;
    return figure;
  },
  async sleep_overshoot_1ms() {
    const overshoots = [];
    for (let count = 0; count < SLEEPS; count++) {
      const start = performance.now();
      await sleep(1);
      overshoots.push((performance.now() - start) * 1e6 - 1e6);
    }
    return median(overshoots);
  },
};

/** Gives a figure a line: measurement, contender, nanoseconds. */
export async function figures(program, rounds) {
  const contenders = {
    ferry: (name) => program.measure("ferry", name),
    "wasm-bindgen-futures": (name) => program.measure("bindgen", name),
    promises: (name) => javascript[name](),
  };
  const lines = [];
  for (const name of program.names()) {
    for (let round = 0; round <= rounds; round++) {
      for (const [contender, measure] of Object.entries(contenders)) {
        // Each begins in a task of the host's own.
        await sleep(0);
        const figure = await measure(name);
        if (round > 0) lines.push(`${name} ${contender} ${figure}`);
      }
    }
  }
  return lines.join("\n");
}
