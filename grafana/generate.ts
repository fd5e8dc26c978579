import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { account } from "./account.ts";
import { provisioned } from "./alerts.ts";
import { build } from "./board.ts";
import { flags } from "./flags.ts";
import { networks } from "./networks.ts";
import { overview } from "./overview.ts";
import { pools } from "./pools.ts";
import { service } from "./service.ts";

/** `node grafana/generate.ts [DIRECTORY]` writes the dashboards and alert rules; without one, beside this file. */
const directory = process.argv[2] ?? import.meta.dirname;
const HEAD = "# Written by `node grafana/generate.ts`; change grafana/alerts.ts.\n";

mkdirSync(join(directory, "dashboards"), { recursive: true });
mkdirSync(join(directory, "provisioning/alerting"), { recursive: true });
for (const [name, board] of Object.entries({ overview, account, networks, pools, flags, service })) {
  writeFileSync(join(directory, "dashboards", `${name}.json`), `${JSON.stringify(build(board), null, 2)}\n`);
}
writeFileSync(
  join(directory, "provisioning/alerting/assay.yaml"),
  HEAD + stringify(provisioned(), { aliasDuplicateObjects: false, lineWidth: 0 }),
);
