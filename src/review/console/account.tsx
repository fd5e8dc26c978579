import { client } from "./client.ts";
import { count } from "./format.ts";
import { useLoad } from "./load.ts";
import {
  Account,
  Age,
  Card,
  Empty,
  flagPath,
  Likelihood,
  SeverityBadge,
  Show,
  StateBadge,
  Typologies,
} from "./parts.tsx";
import { Screenings } from "./screening.tsx";
import { Text } from "./text.tsx";

/** One account: every flag it had and every screening of its name. */
export function AccountPage({ pool, account }: { pool: string; account: string }) {
  const flags = useLoad(`${pool}/${account}`, async () => {
    const { flags } = await client.flags({ pool, text: account, limit: 200 });
    return flags.filter((flag) => flag.account === account);
  });
  const screenings = useLoad(account, () => client.screenings(account));
  return (
    <>
      <div class="page-head">
        <h1>
          <Account name={account} />
        </h1>
        <span class="muted">
          pool <Text of={pool} />
        </span>
      </div>
      <Card title="Flags">
        <Show of={flags} rows={1}>
          {(all) =>
            all.length === 0 ? (
              <Empty title="This account has no flag" />
            ) : (
              <div class="table-wrap">
                <table>
                  <caption class="hidden">{count(all.length)} flags</caption>
                  <tbody>
                    {all.map((flag) => (
                      <tr key={flag.id}>
                        <td>
                          <SeverityBadge severity={flag.severity} />
                        </td>
                        <td>
                          <a href={flagPath(flag.id)}>{flag.id}</a>
                        </td>
                        <td>
                          <Typologies flag={flag} />
                        </td>
                        <td>
                          <Likelihood flag={flag} />
                        </td>
                        <td>
                          <StateBadge state={flag.state} />
                        </td>
                        <td class="number">
                          <Age at={Date.parse(flag.updatedAt)} />
                        </td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </div>
            )
          }
        </Show>
      </Card>
      <Card title="Screenings" note="of this name, newest first">
        <Show of={screenings} rows={1}>
          {({ screenings: all }) => <Screenings of={all} />}
        </Show>
      </Card>
      <p>
        <a class="button" href={`/screening?${new URLSearchParams({ value: account })}`}>
          Screen this name
        </a>
      </p>
    </>
  );
}
