import type { Socket } from "node:net";

/** Longest line either side of the simulation sends. */
const MAX_LINE = 65_536;

/** Calls `take` with each JSON object a peer sends as a line. A peer that sends anything else is cut off. */
export function onLines(socket: Socket, take: (message: Record<string, unknown>) => void): void {
  let held = "";
  socket.setEncoding("utf8");
  socket.on("data", (text: string) => {
    const lines = (held + text).split("\n");
    held = lines.pop() ?? "";
    if (held.length > MAX_LINE) socket.destroy();
    for (const line of lines) {
      const message = parse(line);
      if (message) take(message);
      else if (line.trim() !== "") socket.destroy();
    }
  });
}

/** Sends one JSON object as a line. */
export function sendLine(socket: Socket, message: Record<string, unknown>): void {
  if (socket.writable) socket.write(`${JSON.stringify(message)}\n`);
}

function parse(line: string): Record<string, unknown> | null {
  try {
    const message: unknown = JSON.parse(line);
    return typeof message === "object" && message !== null ? (message as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
