import { z } from "zod";
import { FAMILIES } from "#core/flag.ts";
import type { Access } from "./access.ts";
import { fromOwnPages } from "./access.ts";
import { status } from "./answers.ts";
import type { ReviewOptions } from "./options.ts";
import { Refused, type Route, route } from "./route.ts";

/** Signing in and out of the console, and what every page shows about the service. */
export function sessionRoutes(options: ReviewOptions, access: Access): Route[] {
  const signedIn = z.object({ name: z.string(), role: z.enum(["ingest", "reader", "reviewer", "admin"]) });

  const open = route({
    method: "post",
    path: "/session",
    role: null,
    summary: "Signs in with a token; the answer sets a cookie that scripts cannot read.",
    body: z.object({ token: z.string().min(1).max(1024) }),
    answer: signedIn,
    refusals: [401, 403],
    async handle({ body, request }, response) {
      if (!fromOwnPages(request)) return new Refused(403, "The request comes from another site's page.");
      const opened = access.open(body.token, request);
      if (!opened) return new Refused(401, "Nobody has this token.");
      response.set("Set-Cookie", opened.cookie);
      return { name: opened.user.name, role: opened.user.role };
    },
  });

  const end = route({
    method: "delete",
    path: "/session",
    role: "reader",
    summary: "Signs out.",
    answer: z.object({ ended: z.literal(true) }),
    refusals: [],
    async handle({ request }, response) {
      response.set("Set-Cookie", access.end(request));
      return { ended: true };
    },
  });

  const about = route({
    method: "get",
    path: "/status",
    role: "reader",
    summary: "Who is asking, how the parts of the service are, and how old its data is.",
    answer: status,
    refusals: [],
    async handle({ user }) {
      return {
        version: options.version,
        demo: options.demo,
        nowMs: options.now(),
        user: { name: user.name, role: user.role },
        signIn: access.signIn,
        health: options.health(),
        data: options.dataNotices(),
        families: FAMILIES,
      };
    },
  });

  return [open, end, about];
}
