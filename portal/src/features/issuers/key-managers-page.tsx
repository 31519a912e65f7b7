// Key managers: other issuers whose tokens are accepted, with the state of their keys.
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { keyManagersQuery, useDeleteKeyManager, useRefreshKeyManager } from "../../api/issuers";
import { asProblem } from "../../api/problem";
import type { KeyManager } from "../../api/types";
import { Confirm } from "../../ui/confirm";
import { Address } from "../../ui/copy";
import { Notice } from "../../ui/notice";
import { Card, Dim, Facts, Measure, PageHead, Row, Stack } from "../../ui/page";
import { Empty, Loading, ProblemNotice } from "../../ui/states";
import { When } from "../../ui/when";
import { ADMIN_CRUMB } from "../admin/crumb";
import { KeyManagerForm } from "./key-manager-form";

export function Component() {
  const managers = useQuery(keyManagersQuery);
  const [editing, setEditing] = useState<string | null>(null);
  const done = () => setEditing(null);
  const add = (
    <Button onClick={() => setEditing("")} disabled={editing === ""}>
      Add a key manager
    </Button>
  );
  return (
    <Measure>
      <title>Key managers · Tidegate</title>
      <PageHead crumbs={[ADMIN_CRUMB]} title="Key managers" action={add} />
      <Stack>
        <p>
          Other issuers whose access tokens open APIs beside those of the product itself. Gateways verify with
          keys that are fetched from the issuer and kept: while it is away, tokens go on to work.
        </p>
        {editing === "" && (
          <Card title="New key manager">
            <KeyManagerForm onDone={done} />
          </Card>
        )}
        {managers.isPending && <Loading lines={2} />}
        {managers.isError && (
          <ProblemNotice problem={asProblem(managers.error)} onRetry={() => managers.refetch()} />
        )}
        {managers.data?.length === 0 && editing !== "" && (
          <Empty title="No key managers yet">
            Add one when clients get their tokens from somewhere else: a corporate sign-on, Keycloak, Entra,
            Auth0.
          </Empty>
        )}
        {managers.data?.map((manager) =>
          editing === manager.id ? (
            <Card key={manager.id} title={`Change ${manager.name}`}>
              <KeyManagerForm manager={manager} onDone={done} />
            </Card>
          ) : (
            <OneManager key={manager.id} manager={manager} onEdit={() => setEditing(manager.id)} />
          ),
        )}
      </Stack>
    </Measure>
  );
}

function OneManager({ manager, onEdit }: { manager: KeyManager; onEdit: () => void }) {
  const refresh = useRefreshKeyManager();
  const remove = useDeleteKeyManager();
  const [asked, setAsked] = useState(false);
  const { held } = manager;
  const isFetched = !manager.keys.jwks;
  return (
    <Card title={manager.name} aside={<Dim>{manager.enabled ? "Tokens are accepted" : "Switched off"}</Dim>}>
      <Stack>
        {held.problem && (
          <Notice
            tone={held.keys.length === 0 ? "bad" : "warn"}
            title={
              held.keys.length === 0
                ? "Its keys could not be fetched: no token of it is accepted"
                : "Its keys could not be fetched: those that are held stay in use"
            }
          >
            <p>{held.problem}</p>
          </Notice>
        )}
        <Facts
          of={[
            ["Issuer", <Address key="i" value={manager.issuer} label="issuer" />],
            ["Audiences", manager.audiences.join(", ")],
            [
              "Keys",
              held.keys.length === 0
                ? "none"
                : held.keys.map(({ kid, algorithm }) => `${kid} (${algorithm})`).join(", "),
            ],
            [
              "Fetched",
              held.fetched_at ? (
                <When key="f" at={held.fetched_at} />
              ) : isFetched ? (
                "never"
              ) : (
                "given by value"
              ),
            ],
            ["Tried", held.tried_at ? <When key="t" at={held.tried_at} /> : "not since the start"],
            ["Opaque tokens", manager.introspection ? `asked at ${manager.introspection.url}` : "refused"],
          ]}
        />
        {refresh.error && <ProblemNotice problem={refresh.error} />}
        <Row>
          <Button variant="default" onClick={onEdit} aria-label={`Change ${manager.name}`}>
            Change
          </Button>
          {isFetched && (
            <Button
              variant="default"
              loading={refresh.isPending}
              onClick={() => refresh.mutate({ id: manager.id })}
              aria-label={`Fetch the keys of ${manager.name}`}
            >
              Fetch keys now
            </Button>
          )}
          <Button variant="default" onClick={() => setAsked(true)} aria-label={`Delete ${manager.name}`}>
            Delete
          </Button>
        </Row>
        <Confirm
          opened={asked}
          title={`Delete “${manager.name}”?`}
          action="Delete key manager"
          destructive
          busy={remove.isPending}
          onClose={() => setAsked(false)}
          onConfirm={() => remove.mutate({ id: manager.id }, { onSuccess: () => setAsked(false) })}
        >
          <p>
            Its tokens are refused, sessions that live by them close within a second, and the clients that
            applications have provided of it are forgotten.
          </p>
          {remove.error && <ProblemNotice problem={remove.error} />}
        </Confirm>
      </Stack>
    </Card>
  );
}
