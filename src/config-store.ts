import { z } from "zod";
import { section } from "./config-fields.ts";

/** What is kept, for how long, and where else it goes. */
export const store = section({
  rawDays: z.number().int().min(1).default(7).describe("Days the one-minute buckets are kept."),
  hourDays: z.number().int().min(1).default(400),
  journalBytes: z
    .number()
    .int()
    .min(64 * 1024 * 1024)
    .default(1024 * 1024 * 1024)
    .describe("Disk for observations that cannot be read again, until a checkpoint has them."),
  checkpointSeconds: z.number().min(0.1).default(10),
  watch: z.array(z.string()).default([]).describe("Accounts with their own series, beside the top ones."),
  topAccounts: z.number().int().min(0).max(20_000).default(200),
  influx: section({
    url: z.url().describe("http://host:8086; 2.x and 3 are spoken to through their v1 endpoints."),
    version: z.literal([1, 2, 3]).default(1),
    database: z
      .string()
      .regex(/^[A-Za-z][A-Za-z0-9_]{0,50}$/, "a letter, then letters, digits and underscores")
      .default("assay")
      .describe("Made on 1.x when it is missing; docs/grafana.md says what 2.x and 3 need."),
    username: z.string().optional().describe("Of 1.x, where it asks for one."),
    password: z.string().optional().describe("That user's; on 2.x and 3 the token."),
    spoolBytes: z
      .number()
      .int()
      .min(1_048_576)
      .default(1024 * 1024 * 1024)
      .describe("Kept on disk while the server is away; oldest dropped first, and counted."),
    console: z.url().default("http://127.0.0.1:7070").describe("Where a flag on a chart leads to."),
  })
    .optional()
    .describe("An InfluxDB that follows the embedded store, for Grafana."),
}).prefault({});
