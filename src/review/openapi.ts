import { z } from "zod";
import { evidence, flag, reason, verdict } from "#core/flag.ts";
import { wireObservation } from "#core/observation.ts";
import * as answers from "./answers.ts";
import { network } from "./network-routes.ts";
import type { Route } from "./route.ts";

/** Shapes with a name in the document; the rest is written where it stands. */
const names = z.registry<{ id: string }>();
names.add(flag, { id: "Flag" });
names.add(reason, { id: "Reason" });
names.add(evidence, { id: "Evidence" });
names.add(verdict, { id: "Verdict" });
names.add(wireObservation, { id: "Observation" });
names.add(answers.problem, { id: "Problem" });
names.add(answers.flagSummary, { id: "FlagSummary" });
names.add(answers.flagPage, { id: "FlagPage" });
names.add(answers.flagFilter, { id: "FlagFilter" });
names.add(answers.flagEvidence, { id: "FlagEvidence" });
names.add(answers.flagDetail, { id: "FlagDetail" });
names.add(answers.verdictGiven, { id: "VerdictGiven" });
names.add(answers.auditEntry, { id: "AuditEntry" });
names.add(answers.auditPage, { id: "AuditPage" });
names.add(answers.auditCheck, { id: "AuditCheck" });
names.add(answers.bulkChange, { id: "BulkChange" });
names.add(answers.bulkChanged, { id: "BulkChanged" });
names.add(answers.metricTable, { id: "MetricTable" });
names.add(answers.screened, { id: "Screened" });
names.add(answers.screeningList, { id: "ScreeningList" });
names.add(answers.watchLists, { id: "WatchLists" });
names.add(answers.deliveryList, { id: "DeliveryList" });
names.add(network, { id: "Network" });
names.add(answers.status, { id: "Status" });

type Json = Record<string, unknown>;
const uri = (id: string) => `#/components/schemas/${id}`;

/** JSON Schema as OpenAPI 3.1 takes it. Readers must accept fields that a later version adds, so none is forbidden. */
const forOpenApi = {
  io: "input" as const,
  override: ({ jsonSchema }: { jsonSchema: Json }) => {
    if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
  },
};

function schema(type: z.ZodType): Json {
  const name = names.get(type)?.id;
  if (name) return { $ref: uri(name) };
  const { $schema, ...inline } = z.toJSONSchema(type, forOpenApi) as Json;
  return inline;
}

function components(): Json {
  const { schemas } = z.toJSONSchema(names, { ...forOpenApi, uri });
  return Object.fromEntries(
    Object.entries(schemas).map(([id, { $schema, $id, ...rest }]) => [id, rest as Json]),
  );
}

function parameters(route: Route): Json[] {
  const inPath = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
  }));
  const { properties = {}, required = [] } = route.query
    ? (z.toJSONSchema(route.query, forOpenApi) as { properties?: Record<string, Json>; required?: string[] })
    : {};
  const inQuery = Object.entries(properties).map(([name, { description, ...rest }]) => ({
    name,
    in: "query",
    required: required.includes(name) && !("default" in rest),
    ...(description ? { description } : {}),
    schema: rest,
  }));
  return [...inPath, ...inQuery];
}

const json = (type: z.ZodType) => ({ "application/json": { schema: schema(type) } });
const problemContent = { "application/problem+json": { schema: { $ref: uri("Problem") } } };

function operation(route: Route): Json {
  const refusals = [
    ...(route.query || route.body ? [400] : []),
    ...(route.role ? [401, 403] : []),
    ...route.refusals,
  ];
  const responses = Object.fromEntries(
    refusals.map((status) => [status, { description: "Refused", content: problemContent }]),
  );
  return {
    summary: route.summary,
    ...(route.role ? { "x-role": route.role } : { security: [] }),
    parameters: parameters(route),
    ...(route.body ? { requestBody: { required: true, content: json(route.body) } } : {}),
    responses: { 200: { description: "The answer", content: json(route.answer) }, ...responses },
  };
}

/** Operations that no Route describes: one streams in, the other streams out. */
const STREAMS = {
  "/observations": {
    post: {
      summary:
        "Takes observations, one JSON object a line, gzip or plain; bad lines are counted and reported by number.",
      "x-role": "ingest",
      requestBody: {
        required: true,
        content: { "application/x-ndjson": { schema: { $ref: uri("Observation") } } },
      },
      responses: {
        200: { description: "What was taken and refused", content: { "application/json": { schema: {} } } },
        401: { description: "Refused", content: problemContent },
        403: { description: "Refused", content: problemContent },
      },
    },
  },
  "/stream": {
    get: {
      summary:
        "Server-Sent Events: flag.opened, flag.updated, flag.closed with a FlagSummary; refetch when what was missed is no longer known.",
      "x-role": "reader",
      responses: {
        200: { description: "The stream", content: { "text/event-stream": { schema: { type: "string" } } } },
        401: { description: "Refused", content: problemContent },
        403: { description: "Refused", content: problemContent },
        503: { description: "Too many listen already", content: problemContent },
      },
    },
  },
};

/** The OpenAPI 3.1 document of the given routes. */
export function openapi(routes: readonly Route[], version: string): Json {
  const paths: Record<string, Json> = {};
  for (const route of routes) paths[route.path] = { ...paths[route.path], [route.method]: operation(route) };
  return {
    openapi: "3.1.0",
    info: {
      title: "Assay",
      version,
      description: "Where a mining pool's hashrate comes from, and which accounts deserve a look.",
    },
    servers: [{ url: "/api/v1" }],
    security: [{ token: [] }, { session: [] }],
    paths: { ...paths, ...STREAMS },
    components: {
      schemas: components(),
      securitySchemes: {
        token: { type: "http", scheme: "bearer" },
        session: { type: "apiKey", in: "cookie", name: "assay_session" },
      },
    },
  };
}
