import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import express, { type ErrorRequestHandler, type Express } from "express";
import helmet from "helmet";
import { z } from "zod";
import type { Log } from "#core/log.ts";
import type { Task } from "#core/task.ts";
import { createAccess } from "./access.ts";
import { mountConsole } from "./console-pages.ts";
import { flagRoutes } from "./flag-routes.ts";
import { modelRoutes } from "./model-routes.ts";
import { networkRoutes } from "./network-routes.ts";
import { openapi } from "./openapi.ts";
import type { ReviewOptions } from "./options.ts";
import { recordRoutes } from "./record-routes.ts";
import { authorise, mount, type Route, refuse, route } from "./route.ts";
import { sessionRoutes } from "./session-routes.ts";
import { createStream } from "./stream.ts";

/** How long requests under way may take to finish after the end was asked for. */
const GRACE_MS = 2000;

/** Nothing but our own files runs or is loaded; no page may frame the console. */
const headers = helmet({
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'"],
      imgSrc: ["'self'", "data:"],
      connectSrc: ["'self'"],
      baseUri: ["'none'"],
      formAction: ["'self'"],
      frameAncestors: ["'none'"],
    },
  },
  xFrameOptions: { action: "deny" },
  referrerPolicy: { policy: "no-referrer" },
});

/** The HTTP side of Assay: an Express application, and the task that serves it. */
export interface Review {
  app: Express;
  /** Listens until aborted, then ends streams and lets requests finish. Rejects when the port cannot be had. */
  serve(host: string, port: number, onListening: (address: AddressInfo) => void): Task;
}

/** Builds the API and the console. Nothing listens before `serve` runs. */
export function createReview(options: ReviewOptions): Review {
  const { ops, health, log, now } = options;
  const access = createAccess(options.users, now);
  const stream = createStream(now());
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  app.use(headers);

  // Liveness and readiness tell strangers one word each: an orchestrator needs no token for that.
  app.get("/livez", (_request, response) => void response.type("text/plain").send("ok"));
  app.get("/readyz", (_request, response) => {
    const { ready } = health();
    response.status(ready ? 200 : 503).json({ ready });
  });
  app.get("/metrics", authorise(access, "reader"), async (_request, response) => {
    response.type("text/plain; version=0.0.4").send(await options.metricsText());
  });

  app.use("/api", (_request, response, next) => {
    response.set("Cache-Control", "no-store");
    next();
  });
  app.post("/api/v1/observations", authorise(access, "ingest"), options.ingest);
  app.get("/api/v1/stream", authorise(access, "reader"), stream.handle);
  const routes: Route[] = [
    ...flagRoutes(options),
    ...recordRoutes(options),
    ...modelRoutes(options),
    ...networkRoutes(options),
    ...sessionRoutes(options, access),
  ];
  routes.push(
    route({
      method: "get",
      path: "/openapi.json",
      role: null,
      summary: "This document.",
      answer: z.looseObject({ openapi: z.string() }),
      refusals: [],
      handle: async () => document,
    }),
  );
  const document = openapi(routes, options.version);
  for (const each of routes) mount(app, access, each);
  for (const { path, role, handler } of options.mounts ?? []) app.use(path, authorise(access, role), handler);

  mountConsole(app, options.consoleDirectory, options.demo);
  app.use((request, response) =>
    refuse(response, 404, `There is nothing at ${request.method} ${request.path}.`),
  );
  app.use(onError(log));
  return {
    app,
    serve: (host, port, onListening) => async (signal) => {
      const stopHearing = ops.onChange(stream.push);
      const server = createServer(app);
      try {
        await listen(server, host, port);
        onListening(server.address() as AddressInfo);
        await aborted(signal);
      } finally {
        stopHearing();
        stream.close();
        await close(server);
      }
    },
  };
}

/** Says what the client did wrong; of what we did wrong it says nothing, the log has it. */
function onError(log: Log): ErrorRequestHandler {
  return (error, request, response, next) => {
    if (response.headersSent) return next(error);
    const status = Number.isInteger(error?.status) && error.status < 500 ? error.status : 500;
    if (status < 500)
      return refuse(response, status, error.expose ? error.message : "The request cannot be read.");
    log("error", "review: a request failed", {
      method: request.method,
      path: request.path,
      error: String(error),
    });
    refuse(response, 500, "Something failed here; the log has the reason.");
  };
}

async function listen(server: Server, host: string, port: number): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, host, resolve);
    });
  } catch (cause) {
    throw new Error(`review: cannot listen on ${host}:${port} (${(cause as NodeJS.ErrnoException).code})`, {
      cause,
    });
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}

async function close(server: Server): Promise<void> {
  if (!server.listening) return;
  const impatience = setTimeout(() => server.closeAllConnections(), GRACE_MS);
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
  clearTimeout(impatience);
}
