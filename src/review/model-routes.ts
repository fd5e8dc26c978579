import { z } from "zod";
import { measurePrecision } from "#core/precision.ts";
import { modelAnswer } from "./model-answers.ts";
import type { ReviewOptions } from "./options.ts";
import { Refused, type Route, route } from "./route.ts";

const DAY_MS = 86_400_000;
/** Verdicts of so many days count in the measured precision. */
const DAYS = 90;

/** The model: whether its scores still mean what they say, and what operators made of its flags. */
export function modelRoutes({ ops, model, now }: ReviewOptions): Route[] {
  const standing = route({
    method: "get",
    path: "/model",
    role: "reader",
    summary: `The model in use: drift of its inputs by pool, conformal p-values, the shadow beside it, and the precision of ${DAYS} days' verdicts.`,
    answer: modelAnswer,
    refusals: [503],
    async handle() {
      if (!model) return new Refused(503, "No model is loaded.");
      const precision = measurePrecision(await ops.answered(now() - DAYS * DAY_MS));
      return { ...model.standing(), days: DAYS, precision };
    },
  });

  const forget = route({
    method: "post",
    path: "/model/pools/{pool}/reference",
    role: "reviewer",
    summary: "Forgets what the pool is compared with: its next whole day becomes the new reference.",
    answer: z.object({ forgotten: z.literal(true) }),
    refusals: [404],
    async handle({ params, user }) {
      const pool = params.pool ?? "";
      if (!model?.forget(pool)) return new Refused(404, "This pool has no reference yet.");
      await ops.note({ atMs: now(), actor: user.name, action: "model.reference", after: { pool } });
      return { forgotten: true };
    },
  });

  return [standing, forget];
}
