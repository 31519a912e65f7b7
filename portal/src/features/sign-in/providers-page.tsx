// Sign-in providers: other issuers by which people sign in to the portals.
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { SignInProvider } from "../../api/generated";
import { asProblem } from "../../api/problem";
import {
  signInProvidersQuery,
  useCheckSignInProvider,
  useDeleteSignInProvider,
} from "../../api/sign-in-providers";
import { Confirm } from "../../ui/confirm";
import { Address } from "../../ui/copy";
import { Notice } from "../../ui/notice";
import { Card, Dim, Facts, Measure, PageHead, Row, Stack } from "../../ui/page";
import { Empty, Loading, ProblemNotice } from "../../ui/states";
import { ProviderForm } from "./provider-form";
import { NEWCOMERS } from "./row";

export function Component() {
  const providers = useQuery(signInProvidersQuery);
  const [editing, setEditing] = useState<string | null>(null);
  const done = () => setEditing(null);
  const add = (
    <Button onClick={() => setEditing("")} disabled={editing === ""}>
      Add a sign-in provider
    </Button>
  );
  return (
    <Measure>
      <title>Sign-in providers · Tidegate admin</title>
      <PageHead title="Sign-in providers" action={add} />
      <Stack>
        <p>
          Other issuers by which people sign in to the portals, beside their name and password here. An
          account is of one person at one issuer: nobody gets somebody else's for having the same name or
          e-mail address.
        </p>
        {editing === "" && (
          <Card title="New sign-in provider">
            <ProviderForm onDone={done} />
          </Card>
        )}
        {providers.isPending && <Loading lines={2} />}
        {providers.isError && (
          <ProblemNotice problem={asProblem(providers.error)} onRetry={() => providers.refetch()} />
        )}
        {providers.data?.length === 0 && editing !== "" && (
          <Empty title="No sign-in providers yet">
            Add one when people have an account somewhere else: a corporate sign-on, Keycloak, Entra, Google.
          </Empty>
        )}
        {providers.data?.map((provider) =>
          editing === provider.id ? (
            <Card key={provider.id} title={`Change ${provider.name}`}>
              <ProviderForm provider={provider} onDone={done} />
            </Card>
          ) : (
            <OneProvider key={provider.id} provider={provider} onEdit={() => setEditing(provider.id)} />
          ),
        )}
      </Stack>
    </Measure>
  );
}

function OneProvider({ provider, onEdit }: { provider: SignInProvider; onEdit: () => void }) {
  const check = useCheckSignInProvider();
  const remove = useDeleteSignInProvider();
  const [asked, setAsked] = useState(false);
  const newcomers = NEWCOMERS.find(({ word }) => word === provider.newcomers)?.label;
  return (
    <Card title={provider.name} aside={<Dim>{provider.enabled ? "Switched on" : "Switched off"}</Dim>}>
      <Stack>
        <Facts
          of={[
            ["Issuer", <Address key="i" value={provider.issuer} label="issuer" />],
            [
              "Register there as redirect address",
              <Address key="r" value={provider.redirect_uri} label="redirect address" />,
            ],
            ["Client", provider.client_id],
            ["New people", newcomers ?? provider.newcomers],
            ["Roles of everybody", provider.roles.join(", ") || "none"],
            ["Roles by claim", provider.role_claim ? provider.role_claim.name : "not read"],
          ]}
        />
        {check.data &&
          (check.data.problem ? (
            <Notice tone="bad" title="Nobody can sign in this way now" live>
              <p>{check.data.problem}</p>
            </Notice>
          ) : (
            <Notice tone="good" title="Its documents are as they have to be" live>
              <p>
                It has {check.data.keys === 1 ? "1 key" : `${check.data.keys} keys`} that ID tokens are signed
                with.
              </p>
            </Notice>
          ))}
        {check.error && <ProblemNotice problem={check.error} />}
        <Row>
          <Button variant="default" onClick={onEdit} aria-label={`Change ${provider.name}`}>
            Change
          </Button>
          <Button
            variant="default"
            loading={check.isPending}
            onClick={() => check.mutate({ id: provider.id })}
            aria-label={`Check ${provider.name}`}
          >
            Check
          </Button>
          <Button variant="default" onClick={() => setAsked(true)} aria-label={`Delete ${provider.name}`}>
            Delete
          </Button>
        </Row>
        <Confirm
          opened={asked}
          title={`Delete “${provider.name}”?`}
          action="Delete sign-in provider"
          destructive
          busy={remove.isPending}
          onClose={() => setAsked(false)}
          onConfirm={() => remove.mutate({ id: provider.id }, { onSuccess: () => setAsked(false) })}
        >
          <p>
            Whoever signed in by it is signed out. Their accounts stay, with applications, keys and tokens:
            disable or delete those on the page of each user, or give them a password.
          </p>
          {remove.error && <ProblemNotice problem={remove.error} />}
        </Confirm>
      </Stack>
    </Card>
  );
}
