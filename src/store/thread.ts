import { Worker } from "node:worker_threads";

/** What a database does, call by call; it lives in its own thread because node:sqlite is synchronous. */
export type Calls = Record<string, (...args: never[]) => unknown>;

/** The main thread's end of a database thread. */
export interface Thread<T extends Calls> {
  /** Rejects with the component's name and the cause, also for every later call once the thread has died. */
  call<K extends keyof T & string>(name: K, ...args: Parameters<T[K]>): Promise<Awaited<ReturnType<T[K]>>>;
  /** Ends the thread after the calls before it; the database is closed then. */
  close(): Promise<void>;
}

/** Which database a thread opens, and where. */
export interface ThreadData {
  /** `metrics-reader` answers questions about what the `metrics` thread of the same file has committed. */
  kind: "metrics" | "metrics-reader" | "ops";
  file: string;
}

/** A call on its way to the thread. */
export interface Request {
  id: number;
  name: string;
  args: never[];
}

/** What came of it. The thread sends id 0 once the database is open. */
export type Reply = { id: number; result: unknown } | { id: number; error: unknown };

/** Starts a database thread and waits until its database is open. Calls run one at a time, in order. */
export async function openThread<T extends Calls>(data: ThreadData): Promise<Thread<T>> {
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { workerData: data });
  const waiting = new Map<number, { resolve: (result: never) => void; reject: (error: Error) => void }>();
  const component = `${data.kind === "ops" ? "ops" : "metrics"} store`;
  let dead: Error | undefined;
  let sent = 0;

  const die = (cause: unknown) => {
    dead ??= new Error(`${component}: the database thread ended`, { cause });
    for (const call of waiting.values()) call.reject(dead);
    waiting.clear();
  };
  worker.on("error", die);
  worker.on("exit", (code) => die(`exit code ${code}`));
  worker.on("message", (reply: Reply) => {
    const call = waiting.get(reply.id);
    waiting.delete(reply.id);
    if ("error" in reply) {
      const reason = reply.error instanceof Error ? reply.error.message : String(reply.error);
      call?.reject(new Error(`${component}: ${reason}`, { cause: reply.error }));
    } else call?.resolve(reply.result as never);
  });

  const wait = (id: number, request?: Request) =>
    new Promise<never>((resolve, reject) => {
      if (dead) return reject(dead);
      waiting.set(id, { resolve, reject });
      if (request) worker.postMessage(request);
    });
  await wait(0);
  return {
    call(name, ...args) {
      sent += 1;
      return wait(sent, { id: sent, name, args });
    },
    async close() {
      if (dead) return;
      sent += 1;
      await wait(sent, { id: sent, name: "close", args: [] });
      await worker.terminate();
    },
  };
}
