import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { DrawWorlds } from "../../models/draw-worlds.ts";
import type { Dataset } from "../../models/evaluate/dataset.ts";

/** Threads that simulate worlds side by side; what they make does not depend on how many there are. */
export interface WorldPool {
  draw: DrawWorlds;
  close(): Promise<void>;
}

/** Starts a thread for every core, at the first world asked for. The caller closes the pool. */
export function createWorldPool(threads = availableParallelism()): WorldPool {
  const workers: Worker[] = [];
  const closing = Promise.withResolvers<never>();
  closing.promise.catch(() => undefined);

  async function draw(...[jobs, onDrawn]: Parameters<DrawWorlds>): Promise<Dataset[]> {
    while (workers.length < Math.min(threads, jobs.length))
      workers.push(new Worker(new URL("./world-worker.ts", import.meta.url)));
    const sets = new Array<Dataset>(jobs.length);
    let next = 0;
    let done = 0;
    await Promise.race([
      closing.promise,
      Promise.all(
        workers.map(async (worker) => {
          while (next < jobs.length) {
            const index = next;
            next += 1;
            sets[index] = await ask(worker, index, jobs[index]);
            done += 1;
            onDrawn?.(done);
          }
        }),
      ),
    ]);
    return sets;
  }

  return {
    draw,
    async close() {
      closing.reject(new Error("the simulation was ended"));
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}

/** One job's answer. Rejects where the thread fails. */
function ask(worker: Worker, index: number, job: unknown): Promise<Dataset> {
  return new Promise((resolve, reject) => {
    const onMessage = ({ set }: { set: Dataset }) => {
      worker.off("error", reject);
      resolve(set);
    };
    worker.once("message", onMessage);
    worker.once("error", reject);
    worker.postMessage({ index, job });
  });
}
