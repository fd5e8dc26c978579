import { z } from "zod";
import { FLAG_STATES, type Flag, type FlagState, flag, verdict } from "#core/flag.ts";
import type { FlagQuery } from "#core/store.ts";
import { bulkChange, bulkChanged, type FlagSummary, flagDetail, flagFilter, flagPage } from "./answers.ts";
import type { ReviewOptions } from "./options.ts";
import { Refused, type Route, route } from "./route.ts";

/** Flags looked at in one bulk request: each change is its own durable transaction, so this is a fraction of a second of disk. */
const BULK_STEP = 50;

const NO_SUCH_FLAG = new Refused(404, "There is no such flag.");

/** The row of a queue: everything but what only its own page shows. */
export function summarise(flag: Flag): FlagSummary {
  const { reasons, model, lists, ...summary } = flag;
  return summary;
}

/** Drops filters that were not given: a store must not see `undefined` as a value to match. */
function given(filter: { [Name in keyof FlagQuery]: FlagQuery[Name] | undefined }): FlagQuery {
  return Object.fromEntries(
    Object.entries(filter).filter(([, value]) => value !== undefined && value !== ""),
  );
}

/** Flags: the list, one, and what a reviewer does to them. */
export function flagRoutes({ ops, now }: ReviewOptions): Route[] {
  /** A store throws at a place that is none of its own; where it answers without one, that was the caller's mistake. */
  const pageOf = async (query: FlagQuery) => {
    try {
      return await ops.flags(query);
    } catch (error) {
      if (query.after === undefined) throw error;
      const { after, ...first } = query;
      await ops.flags({ ...first, limit: 1 });
      return new Refused(400, "after: not a place that a page ended at.");
    }
  };

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
      const page = await pageOf(given(query));
      if (page instanceof Refused) return page;
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
      return (await ops.flag(params.id ?? "")) ?? NO_SUCH_FLAG;
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
      const given = { ...body, flagId: params.id ?? "", actor: user.name, atMs: now() };
      return (await ops.decide(given)) ?? NO_SUCH_FLAG;
    },
  });

  /** Refuses where the store would: an account has one flag of a kind in work at a time. */
  const move = async (id: string, state: FlagState, actor: string): Promise<Flag | Refused> => {
    try {
      return (await ops.setState(id, state, actor, now())) ?? NO_SUCH_FLAG;
    } catch (error) {
      const mine = (await ops.flag(id))?.flag;
      const { flags } = await ops.flags(given({ text: mine?.account, kind: mine?.kind, limit: 1000 }));
      const other = flags.find(
        (each) => each.id !== id && each.account === mine?.account && each.state !== "closed",
      );
      if (!other) throw error;
      return new Refused(409, `Flag ${other.id} of the same account is in work already.`);
    }
  };

  const setState = route({
    method: "post",
    path: "/flags/{id}/state",
    role: "reviewer",
    summary: "Moves a flag to another state; a closed one can be opened again.",
    body: z.object({ state: z.enum(FLAG_STATES) }),
    answer: flag,
    refusals: [404, 409],
    handle: ({ params, body, user }) => move(params.id ?? "", body.state, user.name),
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
      const page = await pageOf(given({ ...body.filter, limit: BULK_STEP, after: body.after }));
      if (page instanceof Refused) return page;
      const seenMs = Date.parse(body.seenAt);
      const toMove = page.flags.filter(
        (each) => each.state !== body.state && Date.parse(each.updatedAt) <= seenMs,
      );
      let changed = 0;
      for (const { id } of toMove)
        if (!((await move(id, body.state, user.name)) instanceof Refused)) changed += 1;
      return { changed, left: page.flags.length - changed, next: page.next };
    },
  });

  return [list, one, decide, setState, bulk];
}
