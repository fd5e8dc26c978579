import {
  type Express,
  json,
  type NextFunction,
  type Request,
  type RequestHandler,
  type Response,
} from "express";
import type { z } from "zod";
import { type Access, allows, type Caller, fromElsewhere, fromOwnPages } from "./access.ts";
import type { Role } from "./options.ts";

/** Largest JSON body of any request but observations, in bytes: a verdict's comment is at most 10,000 characters. */
const MAX_BODY_BYTES = 65_536;

/** A request after its parts were validated. */
interface Call<Query, Body> {
  params: Record<string, string>;
  query: Query;
  body: Body;
  user: Caller;
  request: Request;
}

/** An expected "no", answered as a problem document. */
export class Refused {
  readonly status: number;
  readonly detail: string;
  constructor(status: number, detail: string) {
    this.status = status;
    this.detail = detail;
  }
}

/** One operation of the API: what OpenAPI says of it and what answers it are the same object. */
export interface Route {
  method: "get" | "post" | "delete";
  /** Below /api/v1, parameters in braces as OpenAPI has them. */
  path: string;
  /** Null: anybody. */
  role: Role | null;
  summary: string;
  query?: z.ZodObject;
  body?: z.ZodType;
  answer: z.ZodType;
  /** Statuses it refuses with beyond 400, 401, 403 and 413. */
  refusals: readonly number[];
  handle(call: Call<unknown, unknown>, response: Response): Promise<unknown>;
}

/** Gives `handle` the types of its own query and body. */
export function route<Query extends z.ZodObject = z.ZodObject, Body extends z.ZodType = z.ZodType>(
  shape: Omit<Route, "query" | "body" | "handle"> & {
    query?: Query;
    body?: Body;
    handle(call: Call<z.infer<Query>, z.infer<Body>>, response: Response): Promise<unknown>;
  },
): Route {
  return shape as Route;
}

/** Answers with a problem document. */
export function refuse(response: Response, status: number, detail: string, mistakes?: string[]): void {
  const title = TITLES[status] ?? "Refused";
  response
    .status(status)
    .type("application/problem+json")
    .send(JSON.stringify({ title, status, detail, ...(mistakes && { mistakes }) }));
}

const TITLES: Record<number, string> = {
  400: "Bad request",
  401: "Sign in",
  403: "Not allowed",
  404: "Not found",
  405: "Method not allowed",
  409: "Conflict",
  413: "Too large",
  415: "Unsupported media type",
  500: "Internal error",
  503: "Unavailable",
};

/** Lets those through that hold `role`, and of ambient credentials only requests from our own pages. */
export function authorise(access: Access, role: Role): RequestHandler {
  return (request, response, next) => {
    const caller = access.admit(request);
    if ("refused" in caller) return refuse(response, caller.refused, caller.detail);
    const local = !access.signIn && role === "ingest";
    if (!local && !allows(caller.role, role))
      return refuse(response, 403, `This takes the role ${role}; ${caller.name} has ${caller.role}.`);
    const changes = request.method !== "GET" && request.method !== "HEAD";
    const foreign = changes ? !fromOwnPages(request) : fromElsewhere(request);
    if (caller.ambient && foreign)
      return refuse(response, 403, "The request comes from another site's page.");
    response.locals.user = caller;
    next();
  };
}

/** Puts a route into the application: authorisation first, then the body, so that strangers are not read. */
export function mount(app: Express, access: Access, route: Route): void {
  const path = `/api/v1${route.path.replace(/\{(\w+)\}/g, ":$1")}`;
  const guards: RequestHandler[] = route.role === null ? [] : [authorise(access, route.role)];
  if (route.body) guards.push(requireJson, json({ limit: MAX_BODY_BYTES, strict: true }));
  app[route.method](path, ...guards, async (request: Request, response: Response) => {
    const query = route.query?.safeParse(request.query);
    const body = route.body?.safeParse(request.body);
    const mistakes = [query, body].flatMap((part) => part?.error?.issues ?? []);
    if (mistakes.length > 0) {
      const lines = mistakes.map((issue) => `${issue.path.join(".") || "(request)"}: ${issue.message}`);
      return refuse(response, 400, lines.join("; "), lines);
    }
    const user = response.locals.user as Caller;
    const params = request.params as Record<string, string>;
    const call = { params, query: query?.data ?? {}, body: body?.data, user, request };
    const answer = await route.handle(call, response);
    if (answer instanceof Refused) return refuse(response, answer.status, answer.detail);
    if (answer !== undefined) response.json(answer);
  });
}

/** A form of another site can post text without asking first; JSON it cannot. */
function requireJson(request: Request, response: Response, next: NextFunction): void {
  if (request.is("application/json")) next();
  else refuse(response, 415, "Send the body as application/json.");
}
