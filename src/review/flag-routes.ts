import { z } from "zod";
import { FLAG_STATES, type Flag, flag, verdict } from "#core/flag.ts";
import type { FlagQuery } from "#core/store.ts";
import { bulkChange, bulkChanged, type FlagSummary, flagDetail, flagFilter, flagPage } from "./answers.ts";
import type { ReviewOptions } from "./options.ts";
import { Refused, type Route, route } from "./route.ts";

/** Flags looked at in one bulk request: each change is its own durable transaction, so this is about a second of disk. */
const BULK_STEP = 200;

/** The row of a queue: everything but what only its own page shows. */
export function summarise(flag: Flag): FlagSummary {
  const { reasons, model, lists, ...summary } = flag;
  return summary;
}

/** Drops filters that were not given: a store must not see `undefined` as a value to match. */
function given(filter: FlagQuery): FlagQuery {
  return Object.fromEntries(
    Object.entries(filter).filter(([, value]) => value !== undefined && value !== ""),
  );
}

/** Flags: the list, one, and what a reviewer does to them. */
export function flagRoutes({ ops, changes, now }: ReviewOptions): Route[] {
  const list = route({
    method: "get",
    path: "/flags",
    role: "reader",
    summary: "Flags that match, a page at a time, newest first unless ordered by score.",
    query: z.object({
      ...flagFilter.shape,
      order: z.enum(["updated", "score"]).default("updated"),
      limit: z.coerce.number().int().min(1).max(500).default(50),
      after: z.string().max(512).optional().describe("`next` of the page before."),
      view: z.enum(["full", "summary"]).default("full"),
    }),
    answer: flagPage,
    refusals: [],
    async handle({ query: { view, ...query } }) {
      const page = await ops.flags(given(query));
      return view === "full" ? page : { ...page, flags: page.flags.map(summarise) };
    },
  });

  const one = route({
    method: "get",
    path: "/flags/{id}",
    role: "reader",
    summary: "One flag with its evidence, verdicts and audit trail.",
    answer: flagDetail,
    refusals: [404],
    async handle({ params }) {
      return (await ops.flag(params.id ?? "")) ?? new Refused(404, "There is no such flag.");
    },
  });

  const decide = route({
    method: "post",
    path: "/flags/{id}/verdicts",
    role: "reviewer",
    summary: "Answers a flag; it is closed by that.",
    body: verdict,
    answer: flag,
    refusals: [404],
    async handle({ params, body, user }) {
      const decided = await ops.decide({ ...body, flagId: params.id ?? "", actor: user.name, atMs: now() });
      if (decided) changes.announce({ event: "flag.closed", flag: decided });
      return decided ?? new Refused(404, "There is no such flag.");
    },
  });

  const move = async (id: string, state: Flag["state"], actor: string) => {
    const moved = await ops.setState(id, state, actor, now());
    if (moved) changes.announce({ event: state === "closed" ? "flag.closed" : "flag.updated", flag: moved });
    return moved;
  };

  const setState = route({
    method: "post",
    path: "/flags/{id}/state",
    role: "reviewer",
    summary: "Moves a flag to another state; a closed one can be opened again.",
    body: z.object({ state: z.enum(FLAG_STATES) }),
    answer: flag,
    refusals: [404],
    async handle({ params, body, user }) {
      return (
        (await move(params.id ?? "", body.state, user.name)) ?? new Refused(404, "There is no such flag.")
      );
    },
  });

  const bulk = route({
    method: "post",
    path: "/flags/state",
    role: "reviewer",
    summary: `Moves all flags that match to another state, ${BULK_STEP} looked at a request; go on with \`next\`.`,
    body: bulkChange,
    answer: bulkChanged,
    refusals: [],
    async handle({ body, user }) {
      const page = await ops.flags(given({ ...body.filter, limit: BULK_STEP, after: body.after }));
      const seenMs = Date.parse(body.seenAt);
      const toMove = page.flags.filter(
        (each) => each.state !== body.state && Date.parse(each.updatedAt) <= seenMs,
      );
      for (const each of toMove) await move(each.id, body.state, user.name);
      return { changed: toMove.length, left: page.flags.length - toMove.length, next: page.next };
    },
  });

  return [list, one, decide, setState, bulk];
}
