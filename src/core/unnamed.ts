import { FEATURES } from "#core/features.ts";
import type { Description } from "#core/typologies.ts";

/** What nobody has described: more risk than honest accounts show, in whichever families. */
export const UNNAMED: Description = {
  name: "unnamed-risk",
  about: "risk of several kinds at once, in a combination that has no name",
  signs: FEATURES.filter(({ risk }) => risk).map(({ name: feature }) => ({ feature, side: "high" })),
  apart: true,
};
