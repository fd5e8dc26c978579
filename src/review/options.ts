import type { RequestHandler } from "express";
import type { Log } from "#core/log.ts";
import type { LookUpOrigin } from "#core/origin.ts";
import type { Screen } from "#core/screening.ts";
import type { OpsStore, Store } from "#core/store.ts";
import type { DataNotice, Health, WatchLists } from "./answers.ts";
import type { ModelStanding } from "./model-answers.ts";
import type { Network } from "./network-routes.ts";

/** What a user may do. Each role from reader on includes the one before; `ingest` only hands observations in. */
export type Role = "ingest" | "reader" | "reviewer" | "admin";

/** Somebody with a token; `name` is what the audit trail shows. */
export interface User {
  name: string;
  token: string;
  role: Role;
}

/** All that the API and the console need. Nothing here is closed by the review; its owner does that after `serve` ended. */
export interface ReviewOptions {
  ops: OpsStore;
  metrics: Pick<Store, "query">;
  /** Absent: `GET /screen` answers 503. */
  screen?: Screen;
  /** The lists with their versions. Absent: `GET /lists` names none. */
  lists?: () => Promise<WatchLists["lists"]>;
  /** Beside a screened IP address, where it is. */
  origin?: LookUpOrigin;
  /** The model in use. Absent: `GET /model` answers 503. */
  model?: {
    standing: () => ModelStanding;
    /** Forgets a pool's reference. False where it has none. */
    forget: (pool: string) => boolean;
  };
  /** What flows and routes tell. Absent: nothing. */
  network?: () => Network;
  health: () => Health;
  /** Prometheus exposition of everything that is counted. */
  metricsText: () => Promise<string>;
  /** Takes the raw body of `POST /api/v1/observations`; the caller is authorised by then. */
  ingest: RequestHandler;
  /** Other protocols on the same port, such as TAXII: path prefix → handler, with the role it takes. */
  mounts?: readonly { path: string; role: Role; handler: RequestHandler }[];
  /** Marks every page as a demo. */
  demo: boolean;
  /** None: only loopback may connect, as reviewer "local". */
  users: readonly User[];
  version: string;
  /** Age and source of geo data and watch lists, as of now. */
  dataNotices: () => DataNotice[];
  /** The built console (dist/console). */
  consoleDirectory: string;
  /** Milliseconds since the epoch. */
  now: () => number;
  log: Log;
}
