// The audit log: who did what, when and from where, filtered by what stands in the address; and of each entry, how it
// was before and after.
import { Button, Modal, NativeSelect, TextInput } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useSearchParams } from "react-router";
import { type AuditFilter, auditEntryQuery, auditQuery } from "../../api/audit";
import type { AuditEntry } from "../../api/generated";
import { asProblem } from "../../api/problem";
import { differences } from "../../lib/differences";
import { count, exactTime } from "../../lib/format";
import { PagedList } from "../../ui/list";
import { Card, Dim, Facts, PageHead, Row, Stack, Table } from "../../ui/page";
import { RowAction } from "../../ui/row-action";
import { Empty, Loading, ProblemNotice } from "../../ui/states";
import { When } from "../../ui/when";

const KINDS: Record<string, string> = {
  alert: "Alerts",
  api: "APIs",
  application: "Applications",
  authorization: "Authorizations of clients",
  client: "Clients that were refused",
  deny_rule: "Deny rules",
  custom_rule: "Custom rules",
  key: "Keys",
  key_manager: "Key managers",
  policy: "Plans and policies",
  registration_token: "Registration tokens",
  revocation: "Revocations",
  role: "Roles",
  sign_in: "Sign-ins",
  sign_in_provider: "Sign-in providers",
  signing_key: "Signing keys",
  subscription: "Subscriptions",
  token: "Personal access tokens",
  user: "Users",
};

const NOTHING: AuditFilter = { by: "", kind: "", object: "", from: "", until: "" };

export function Component() {
  const [search, setSearch] = useSearchParams();
  const asked = (name: keyof AuditFilter) => search.get(name) ?? NOTHING[name];
  const filter: AuditFilter = {
    by: asked("by"),
    kind: asked("kind"),
    object: asked("object"),
    from: asked("from"),
    until: asked("until"),
  };
  const entries = useInfiniteQuery(auditQuery(filter));
  const [shown, setShown] = useState<AuditEntry | null>(null);
  return (
    <>
      <title>Audit log · Tidegate admin</title>
      <PageHead title="Audit log" />
      <Stack>
        {/* What is typed belongs to what is asked. */}
        <Filter key={search.toString()} filter={filter} onAsk={(asked) => setSearch(withoutEmpty(asked))} />
        <Card>
          <PagedList
            of={entries}
            empty={<Empty title="No such entry">Every change and every sign-in is kept for 400 days.</Empty>}
          >
            {(items) => <Entries items={items} onShow={setShown} />}
          </PagedList>
        </Card>
      </Stack>
      <Modal
        opened={shown !== null}
        onClose={() => setShown(null)}
        title={shown ? `${shown.by || "Somebody"} ${shown.action}` : ""}
        size="xl"
        closeButtonProps={{ "aria-label": "Close" }}
      >
        {shown && <Detail entry={shown} />}
      </Modal>
    </>
  );
}

function withoutEmpty(filter: AuditFilter): Record<string, string> {
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== ""));
}

/** A time as the browser's own field has it, in the reader's zone, from and to RFC 3339. */
const local = (at: string) => {
  const time = new Date(at);
  if (at === "" || Number.isNaN(time.getTime())) return "";
  return new Date(time.getTime() - time.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
};
const utc = (text: string) => (text === "" ? "" : new Date(text).toISOString());

function Filter({ filter, onAsk }: { filter: AuditFilter; onAsk: (filter: AuditFilter) => void }) {
  const [typed, setTyped] = useState(filter);
  const set = (name: keyof AuditFilter, value: string) => setTyped({ ...typed, [name]: value });
  return (
    <form
      aria-label="Filter"
      onSubmit={(event) => {
        event.preventDefault();
        onAsk({ ...typed, by: typed.by.trim(), object: typed.object.trim() });
      }}
    >
      <Stack>
        <Row>
          <NativeSelect
            label="About"
            value={typed.kind}
            onChange={(event) => set("kind", event.currentTarget.value)}
            data={[
              { value: "", label: "Everything" },
              ...Object.entries(KINDS).map(([value, label]) => ({ value, label })),
            ]}
          />
          <TextInput
            label="By whom"
            placeholder="Whole user name"
            autoCapitalize="none"
            spellCheck={false}
            value={typed.by}
            onChange={(event) => set("by", event.currentTarget.value)}
          />
          <TextInput
            label="What"
            placeholder="Id, or part of the details"
            value={typed.object}
            onChange={(event) => set("object", event.currentTarget.value)}
          />
          <TextInput
            label="From"
            type="datetime-local"
            value={local(typed.from)}
            onChange={(event) => set("from", utc(event.currentTarget.value))}
          />
          <TextInput
            label="Until"
            type="datetime-local"
            value={local(typed.until)}
            onChange={(event) => set("until", utc(event.currentTarget.value))}
          />
        </Row>
        <Row>
          <Button type="submit">Show</Button>
          <Button variant="default" onClick={() => onAsk(NOTHING)}>
            Show everything
          </Button>
        </Row>
      </Stack>
    </form>
  );
}

const told = (entry: AuditEntry) =>
  entry.times > 1 ? `${entry.action}, ${count(entry.times)} times within a minute` : entry.action;

function Entries({ items, onShow }: { items: AuditEntry[]; onShow: (entry: AuditEntry) => void }) {
  return (
    <Table caption="Audit log" head={["When", "Who", "From", "About", "What", "Details", "Actions"]}>
      {items.map((entry) => (
        <tr key={entry.number}>
          <td className="whole">
            <When at={entry.at} />
          </td>
          <td>{entry.by || "somebody"}</td>
          <td className="mono">{entry.address ?? "–"}</td>
          <td>{KINDS[entry.kind] ?? "–"}</td>
          <td>{told(entry)}</td>
          <td className="loose">{entry.detail}</td>
          <td>
            <RowAction name={`Details of entry ${entry.number}`} onClick={() => onShow(entry)}>
              Details
            </RowAction>
          </td>
        </tr>
      ))}
    </Table>
  );
}

function Detail({ entry }: { entry: AuditEntry }) {
  const found = useQuery(auditEntryQuery(entry.number));
  return (
    <Stack>
      <Facts
        of={[
          ["When", exactTime(entry.at)],
          ["Who", entry.by || "somebody unknown"],
          ["From", entry.address ?? "–"],
          ["What", told(entry)],
          ["Details", entry.detail || "–"],
          ["Identifier", entry.object || "–"],
        ]}
      />
      {found.isPending ? (
        <Loading lines={2} />
      ) : found.isError ? (
        <ProblemNotice problem={asProblem(found.error)} onRetry={() => found.refetch()} />
      ) : (
        <Differences before={found.data.before} after={found.data.after} />
      )}
    </Stack>
  );
}

function Differences({ before, after }: { before: unknown; after: unknown }) {
  const rows = differences(before, after);
  if (rows.length === 0) return <Dim>Nothing of what it is about is kept beside the details.</Dim>;
  return (
    <Table caption="What differs" head={["Field", "Before", "After"]}>
      {rows.map((row) => (
        <tr key={row.field}>
          <td className="mono">{row.field}</td>
          <td className="mono">{row.before || "–"}</td>
          <td className="mono">{row.after || "–"}</td>
        </tr>
      ))}
    </Table>
  );
}
