import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

/** A real HTTP server; `answer` gives what stands under an address, undefined for 404. Records the requests' headers. */
export async function serveJson(answer: (url: URL) => unknown) {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    const value = answer(new URL(request.url ?? "/", "http://server"));
    response.statusCode = value === undefined ? 404 : 200;
    response.setHeader("Content-Type", "application/json");
    response.end(typeof value === "string" ? value : JSON.stringify(value ?? {}));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
