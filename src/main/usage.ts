/** Wrong usage: one line, exit code 2. */
export class UsageError extends Error {
  override name = "UsageError";
}

/** Fits a screen, with three examples. */
export const USAGE = `Assay tells a mining pool where its hashrate really comes from.

  assay run [--config assay.yaml]        the service; without a configuration: the demo
  assay tap --config assay.yaml          only the stratum tap, as its own process
  assay check [--config assay.yaml] [--dump]
                                         validate configuration and data, list every mistake
  assay replay FILE… --as FORMAT [--scores] [--store] [--config assay.yaml]
                                         --store fills the stores with it, once however often;
                                         FORMAT: observations | ckpool | pcap | netflow-pcap |
                                         zeek | suricata | ris
  assay screen VALUE…                    what is known of a wallet address, IP or ASN
  assay lists update | status            the watch lists and databases
  assay alert test [DESTINATION]         send a marked test delivery
  assay simulate --scenario NAME|FILE --seed N --accounts N --days D --out DIR
  assay train --version X.Y.Z [--seed N] [--recorded DIR]
                                         train a model on simulated pools, and on recorded ones of
                                         which the truth is known
  assay evaluate [PART] [--json FILE] [--report FILE]
                                         how good it is; PART: population | holdouts | latency |
                                         change | nab | adbench | recorded | verdicts
  assay help · assay --version

Examples
  npm start                                            the demo, on http://127.0.0.1:7070
  npx assay run --config assay.yaml                    beside a real pool
  npx assay replay /var/log/ckpool/logs --as ckpool    flags of a recorded log, as NDJSON

Exit status: 0 success, 1 failure, 2 wrong usage. Configuration: docs/configuration.md
`;
