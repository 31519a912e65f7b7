// The APIs of the publisher portal: search kept in the address, states, what moves.
import { Anchor, Button, Menu, TextInput } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { apisQuery } from "../../api/apis";
import { asProblem } from "../../api/problem";
import { useCan } from "../../api/session";
import type { ApiSummary } from "../../api/types";
import { count } from "../../lib/format";
import { paths } from "../../lib/paths";
import { useSearchText } from "../../lib/use-search-text";
import { Badge, DemoBadge, StateBadge } from "../../ui/notice";
import { Badges, Card, numberCell, PageHead, Stack, Table } from "../../ui/page";
import { Empty, Loading, ProblemNotice } from "../../ui/states";
import ui from "../../ui/ui.module.css";
import { When } from "../../ui/when";

export function Component() {
  const { typed, asked: q, type } = useSearchText();
  const apis = useInfiniteQuery(apisQuery(q));
  const items = apis.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <>
      <title>APIs · Tidegate publisher</title>
      <PageHead title="APIs" action={<CreateMenu />} />
      <Stack>
        <TextInput
          type="search"
          className={ui.search}
          aria-label="Search APIs"
          placeholder="Name, context or version"
          value={typed}
          onChange={(event) => type(event.currentTarget.value)}
        />
        <Card>
          {apis.isPending ? (
            <Loading />
          ) : apis.isError ? (
            <ProblemNotice problem={asProblem(apis.error)} onRetry={() => apis.refetch()} />
          ) : items.length === 0 ? (
            <NothingFound q={q} />
          ) : (
            <Stack>
              <ApiTable items={items} />
              {apis.hasNextPage && (
                <Button
                  variant="default"
                  loading={apis.isFetchingNextPage}
                  onClick={() => apis.fetchNextPage()}
                >
                  Show more
                </Button>
              )}
            </Stack>
          )}
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
