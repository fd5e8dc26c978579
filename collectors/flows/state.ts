import { z } from "zod";
import type { Exporter, Exporters } from "./exporters.ts";
import { compileLayout } from "./layout.ts";
import { CONVENTIONS } from "./sequence.ts";

/**
 * What must outlive a restart: routers resend their templates only every half hour or so, and until then their flows
 * could not be read. Kept as JSON, small enough to write whole.
 */
const domainState = z.object({
  exporter: z.string().max(64),
  version: z.number().int().min(0).max(10),
  domain: z.number().int().min(0).max(4_294_967_295),
  convention: z.enum(CONVENTIONS),
  sampling: z.number().min(1),
  bootMs: z.number().nullable(),
  samplers: z.array(z.tuple([z.number(), z.number().min(1)])),
  interfaces: z.array(z.tuple([z.number(), z.number().min(1)])),
  templates: z.array(
    z.object({
      id: z.number().int().min(256).max(65_535),
      options: z.boolean(),
      /** Enterprise, then element × 65,536 + length, for each field. */
      fields: z.array(z.number().int().min(0).max(4_294_967_295)),
    }),
  ),
});
/** One observation domain's templates, rates and way of counting. */
export type DomainState = z.infer<typeof domainState>;
/** The state file's content. */
export const decoderState = z.object({ version: z.literal(1), domains: z.array(domainState) });

export function saveDomains(exporters: Iterable<Exporter>): DomainState[] {
  const states: DomainState[] = [];
  for (const exporter of exporters) {
    for (const domain of exporter.domains.values()) {
      states.push({
        exporter: exporter.address,
        version: domain.version,
        domain: domain.id,
        convention: domain.convention,
        sampling: domain.sampling,
        bootMs: Number.isNaN(domain.bootMs) ? null : domain.bootMs,
        samplers: [...domain.samplers],
        interfaces: [...domain.interfaces],
        templates: [...domain.templates()].map(([id, layout]) => ({
          id,
          options: layout.options,
          fields: [...layout.fields],
        })),
      });
    }
  }
  return states;
}

/** Puts saved domains back; a template that does not compile is left out. */
export function restoreDomains(states: readonly DomainState[], exporters: Exporters, nowMs: number): void {
  for (const state of states) {
    const domain = exporters.at(state.exporter, nowMs).domain(state.version, state.domain);
    domain.convention = state.convention;
    domain.sampling = state.sampling;
    domain.bootMs = state.bootMs ?? Number.NaN;
    for (const [id, rate] of state.samplers) domain.setRate(domain.samplers, id, rate);
    for (const [id, rate] of state.interfaces) domain.setRate(domain.interfaces, id, rate);
    for (const { id, options, fields } of state.templates) {
      const layout = compileLayout(Uint32Array.from(fields), options);
      if (!("reason" in layout)) domain.define(id, layout, nowMs);
    }
  }
}
