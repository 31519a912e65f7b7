// Admin: who you are, what this installation is, where it listens. What can be changed is on pages of its own.
import { Anchor } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { asProblem } from "../api/problem";
import { useSession } from "../api/session";
import { plansQuery, settingsQuery } from "../api/settings";
import { planLimit } from "../lib/format";
import { paths } from "../lib/paths";
import { Address } from "../ui/copy";
import { Card, Dim, Facts, Measure, PageHead, Stack, Table } from "../ui/page";
import { Loading, ProblemNotice } from "../ui/states";
import { When } from "../ui/when";

export function Component() {
  const session = useSession();
  const settings = useQuery(settingsQuery);
  const plans = useQuery(plansQuery);
  if (settings.isPending) return <Loading />;
  if (settings.isError) {
    return <ProblemNotice problem={asProblem(settings.error)} onRetry={() => settings.refetch()} />;
  }
  const { data } = settings;
  return (
    <Measure>
      <title>Admin · Tidegate</title>
      <PageHead title="Admin" />
      <Stack>
        <Card title="You">
          <Facts
            of={[
              ["User", session.data?.user.username ?? "–"],
              ["Roles", session.data?.user.roles.join(", ") || "none"],
              [
                "Session ends",
                session.data?.expires_at ? <When key="t" at={session.data.expires_at} /> : "–",
              ],
              [
                "Scripts",
                <Anchor key="t" component={Link} to={paths.tokens()} inherit>
                  Personal access tokens
                </Anchor>,
              ],
            ]}
          />
        </Card>
        <Card title="This installation">
          <Facts
            of={[
              ["Product", `${data.product} ${data.version}`],
              ["Public host", data.host],
              ["Demo data", data.demo ? "yes" : "no"],
              ["Portal and REST", <Address key="p" value={data.portal_url} label="portal address" />],
              ["Gateway, plain", <Address key="ws" value={data.ws_url} label="ws address" />],
              ["Gateway, secured", <Address key="wss" value={data.wss_url} label="wss address" />],
              ["Token issuer", <Address key="i" value={data.issuer} label="issuer" />],
              [
                "Tokens are signed with",
                <Anchor key="k" component={Link} to={paths.signingKeys()} inherit>
                  Signing keys
                </Anchor>,
              ],
              ["Tokens are asked for at", <Address key="t" value={data.token_url} label="token address" />],
              [
                "Echo backend",
                data.echo_url ? (
                  <Address key="e" value={data.echo_url} label="echo address" />
                ) : (
                  "not running"
                ),
              ],
            ]}
          />
        </Card>
        <Card title="Access">
          <Facts
            of={[
              [
                "Key managers",
                <Anchor key="k" component={Link} to={paths.keyManagers()} inherit>
                  Other issuers whose tokens are accepted
                </Anchor>,
              ],
            ]}
          />
        </Card>
        <Card title="Business plans">
          <Table caption="Business plans that ship with the product" head={["Name", "Limit"]}>
            {(plans.data ?? []).map((plan) => (
              <tr key={plan.name}>
                <td>{plan.display_name}</td>
                <td>{planLimit(plan)}</td>
              </tr>
            ))}
          </Table>
        </Card>
        <Dim>
          Listeners are set on the command line: <code>tidegate serve --help</code>. Who cannot sign in any
          more gets a password there as well: <code>tidegate user reset NAME</code>.
        </Dim>
      </Stack>
    </Measure>
  );
}
