import type { ChildProcess } from "node:child_process";
import { once } from "node:events";

/** The next number a child tells. Rejects when the child ends instead: its own error is on stderr. */
export async function heard(child: ChildProcess): Promise<number> {
  const settled = new AbortController();
  const { signal } = settled;
  try {
    return await Promise.race([
      once(child, "message", { signal }).then(([number]) => Number(number)),
      once(child, "exit", { signal }).then(([code]) => Promise.reject(new Error(`the child ended: ${code}`))),
    ]);
  } finally {
    settled.abort();
  }
}
