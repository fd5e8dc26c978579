import { isIP } from "node:net";
import { z } from "zod";
import { MEASUREMENTS, type MeasurementName, type MetricQuery } from "#core/metrics.ts";
import type { Delivery } from "#core/store.ts";
import {
  auditCheck,
  auditPage,
  deliveryList,
  metricTable,
  screened,
  screeningList,
  watchLists,
} from "./answers.ts";
import type { ReviewOptions } from "./options.ts";
import { Refused, type Route, route } from "./route.ts";

/** Rows in one answer of `/metrics/query`: a month of hours for every country of a pool. */
const MAX_ROWS = 50_000;
const SUBJECTS = ["address", "network", "region", "name"] as const;
const value = z.string().trim().min(1).max(256);
const limit = z.coerce.number().int().min(1).max(1000).default(100);

/** The body of a delivery is the receiver's; whoever looks after deliveries needs what became of it. */
function withoutBody({ body, ...delivery }: Delivery): Omit<Delivery, "body"> {
  return delivery;
}

/** What is kept beside flags: the audit trail, deliveries, metrics and screenings. */
export function recordRoutes({ ops, metrics, screen, lists, origin, now }: ReviewOptions): Route[] {
  const audit = route({
    method: "get",
    path: "/audit",
    role: "reader",
    summary: "The audit trail in the order it was written.",
    query: z.object({ afterId: z.coerce.number().int().min(0).optional(), limit }),
    answer: auditPage,
    refusals: [],
    handle: async ({ query }) => ({ entries: await ops.audit(query) }),
  });

  const deliveries = route({
    method: "get",
    path: "/deliveries",
    role: "reader",
    summary: "What was sent, waits, or could not be delivered, newest first.",
    query: z.object({ state: z.enum(["waiting", "delivered", "dead"]).optional(), limit }),
    answer: deliveryList,
    refusals: [],
    handle: async ({ query }) => ({
      deliveries: (await ops.deliveries(query)).map(withoutBody),
      disabled: await ops.disabled(),
    }),
  });

  const resend = route({
    method: "post",
    path: "/deliveries/{id}/resend",
    role: "reviewer",
    summary: "Sends a dead letter again from its first attempt.",
    answer: z.object({ resent: z.literal(true) }),
    refusals: [404],
    async handle({ params }) {
      const resent = await ops.resend(params.id ?? "", now());
      return resent ? { resent } : new Refused(404, "There is no such dead letter.");
    },
  });

  const enable = route({
    method: "post",
    path: "/destinations/{name}/enable",
    role: "reviewer",
    summary:
      "Takes up a destination again whose receiver had said 410; its dead letters stay until they are sent again.",
    answer: z.object({ enabled: z.literal(true) }),
    refusals: [404],
    async handle({ params }) {
      const disabled = (await ops.disabled()).some(({ destination }) => destination === params.name);
      if (!disabled) return new Refused(404, "No such destination is disabled.");
      await ops.enable(params.name ?? "");
      return { enabled: true };
    },
  });

  const verify = route({
    method: "get",
    path: "/audit/verify",
    role: "reader",
    summary: "Recomputes the audit trail's hash chain.",
    answer: auditCheck,
    refusals: [],
    handle: () => ops.verifyAudit(),
  });

  const measurements = Object.keys(MEASUREMENTS) as [MeasurementName, ...MeasurementName[]];
  const query = route({
    method: "get",
    path: "/metrics/query",
    role: "reader",
    summary: "Buckets of one measurement in [from, to), summed over the tags not named in `by`.",
    query: z.object({
      measurement: z.enum(measurements),
      level: z.enum(["1m", "1h"]).default("1h"),
      from: z.iso.datetime({ offset: true }),
      to: z.iso.datetime({ offset: true }),
      by: z.string().max(256).optional().describe("Tags to keep apart, with commas between."),
      where: z.string().max(1024).optional().describe("Tags to hold fast: `pool=main,tier=watch`."),
    }),
    answer: metricTable,
    refusals: [],
    async handle({ query: asked }) {
      const shape = MEASUREMENTS[asked.measurement];
      const by = asked.by ? asked.by.split(",") : [];
      const pairs = asked.where ? asked.where.split(",").map((pair) => pair.split("=")) : [];
      const tags: readonly string[] = shape.tags;
      const unknown = [...by, ...pairs.map(([tag]) => tag ?? "")].find((tag) => !tags.includes(tag));
      if (unknown !== undefined) return new Refused(400, `${asked.measurement} has no tag ${unknown}.`);
      const wanted: MetricQuery = {
        measurement: asked.measurement,
        level: asked.level,
        fromMs: Date.parse(asked.from),
        toMs: Date.parse(asked.to),
        by,
        where: Object.fromEntries(pairs),
      };
      const rows = await metrics.query(wanted);
      if (rows.length > MAX_ROWS)
        return new Refused(413, `The answer has over ${MAX_ROWS} rows: ask for less time or use 1h.`);
      return {
        measurement: asked.measurement,
        level: asked.level,
        tags: by,
        fields: [...shape.sums, ...shape.lasts],
        rows: rows.map((row) => ({
          bucketMs: row.bucketMs,
          tags: row.tags,
          values: row.values.map((value) => (Number.isFinite(value) ? value : null)),
        })),
      };
    },
  });

  const look = route({
    method: "get",
    path: "/screen",
    role: "reader",
    summary: "Holds a wallet address, IP address or name against the lists; hit or miss, it is recorded.",
    query: z.object({
      value,
      subject: z
        .enum(SUBJECTS)
        .optional()
        .describe("Absent: an IP address or AS number is a network, the rest an address."),
    }),
    answer: screened,
    refusals: [503],
    async handle({ query: { value, subject } }) {
      if (!screen) return new Refused(503, "No watch list is loaded.");
      const network = isIP(value) !== 0 || /^AS\d{1,10}$/i.test(value);
      const atMs = now();
      const earlier = (await ops.screenings(value)).toReversed();
      const screening = screen(subject ?? (network ? "network" : "address"), value, atMs);
      await ops.recordScreenings([screening]);
      const { ip, ...where } = isIP(value) && origin ? origin(value, atMs) : { ip: "" };
      return { screening, origin: ip ? where : null, earlier };
    },
  });

  const earlier = route({
    method: "get",
    path: "/screenings",
    role: "reader",
    summary: "Earlier screenings of exactly this value, newest first; asking records nothing.",
    query: z.object({ value }),
    answer: screeningList,
    refusals: [],
    handle: async ({ query }) => ({ screenings: (await ops.screenings(query.value)).toReversed() }),
  });

  const known = route({
    method: "get",
    path: "/lists",
    role: "reader",
    summary:
      "The lists that values are held against: the version in use, its source and age, and those before.",
    answer: watchLists,
    refusals: [],
    handle: async () => ({ lists: (await lists?.()) ?? [] }),
  });

  return [audit, verify, deliveries, resend, enable, query, look, earlier, known];
}
