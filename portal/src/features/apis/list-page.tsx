// The APIs of the publisher portal: search kept in the address, states, what moves.
import { Anchor, Button, Menu } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { apisQuery } from "../../api/apis";
import { useCan } from "../../api/session";
import type { ApiSummary } from "../../api/types";
import { count } from "../../lib/format";
import { paths } from "../../lib/paths";
import { useSearchText } from "../../lib/use-search-text";
import { PagedList, SearchField } from "../../ui/list";
import { Badge, DemoBadge, StateBadge } from "../../ui/notice";
import { Badges, Card, numberCell, PageHead, Stack, Table } from "../../ui/page";
import { Empty } from "../../ui/states";
import { When } from "../../ui/when";

export function Component() {
  const { typed, asked: q, type } = useSearchText();
  const apis = useInfiniteQuery(apisQuery(q));
  return (
    <>
      <title>APIs · Tidegate publisher</title>
      <PageHead title="APIs" action={<CreateMenu />} />
      <Stack>
        <SearchField label="Search APIs" placeholder="Name, context or version" value={typed} onType={type} />
        <Card>
          <PagedList of={apis} empty={<NothingFound q={q} />}>
            {(items) => <ApiTable items={items} />}
          </PagedList>
        </Card>
      </Stack>
    </>
  );
}

function CreateMenu() {
  if (!useCan("api_create")) return null;
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Button>Create API</Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item component={Link} to={paths.newWebSocketApi()}>
          Design a New WebSocket API
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

function NothingFound({ q }: { q: string }) {
  const create = useCan("api_create");
  if (q !== "")
    return <Empty title={`Nothing matches “${q}”`}>Try fewer letters, or part of the context.</Empty>;
  return (
    <Empty
      title="No APIs yet"
      action={
        create && (
          <Button component={Link} to={paths.newWebSocketApi()}>
            Design a New WebSocket API
          </Button>
        )
      }
    >
      An API gives a WebSocket backend an address with keys, plans and a true count of its messages.
      {!create && " A person with the role creator can make the first one."}
    </Empty>
  );
}

/** What is created may not be live yet, and then another version still answers; what differs from live is live. */
const defaultVersion = (api: ApiSummary): string =>
  api.state === "created" && !api.differs ? "Default version when live" : "Default version";

function ApiTable({ items }: { items: ApiSummary[] }) {
  return (
    <Table
      caption="APIs"
      head={["Name", "State", { number: "Sessions open" }, { number: "Subscriptions" }, "Owner", "Changed"]}
    >
      {items.map((api) => (
        <tr key={api.id}>
          <td>
            <Anchor component={Link} to={paths.api(api.id)} inherit>
              {api.name} {api.version}
            </Anchor>
            <div className="mono">{api.context}</div>
          </td>
          <td>
            <Badges>
              <StateBadge state={api.state} />
              {api.differs && <Badge tone="warn">Not deployed</Badge>}
              {api.is_default_version && <Badge tone="calm">{defaultVersion(api)}</Badge>}
              {api.demo && <DemoBadge />}
            </Badges>
          </td>
          <td className={numberCell}>{count(api.sessions_open)}</td>
          <td className={numberCell}>{count(api.subscriptions)}</td>
          <td>{api.owner}</td>
          <td>
            <When at={api.updated_at} />
          </td>
        </tr>
      ))}
    </Table>
  );
}
