// The keys of an application: one for production, one for sandbox; new secret, token, delete.
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import {
  applicationTrafficQuery,
  keysQuery,
  useCreateKey,
  useDeleteKey,
  useIssueToken,
  useRenewSecret,
  useRevokeTokens,
} from "../../api/applications";
import { asProblem } from "../../api/problem";
import { settingsQuery } from "../../api/settings";
import { type Application, ENVIRONMENTS, type Environment, type Key } from "../../api/types";
import { counted, duration, title } from "../../lib/format";
import { Confirm } from "../../ui/confirm";
import { Address, CodeBlock } from "../../ui/copy";
import { Card, Details, Dim, Facts, Row, Stack } from "../../ui/page";
import { SecretOnce } from "../../ui/secret";
import { Loading, ProblemNotice } from "../../ui/states";
import { When } from "../../ui/when";
import { useApplication } from "./application-frame";
import { ClientSettings, grantNames } from "./client-settings";
import { ProvidedKeys } from "./provided-keys";

export function Component() {
  const application = useApplication();
  const keys = useQuery(keysQuery(application.id));
  const settings = useQuery(settingsQuery);
  return (
    <>
      <title>{`Keys · ${application.name}`}</title>
      {keys.isPending || settings.isPending ? (
        <Loading />
      ) : keys.isError ? (
        <ProblemNotice problem={asProblem(keys.error)} onRetry={() => keys.refetch()} />
      ) : (
        ENVIRONMENTS.map((environment) => (
          <KeyCard
            key={environment}
            application={application}
            environment={environment}
            held={keys.data.find((held) => held.type === environment) ?? null}
            tokenUrl={settings.data?.token_url ?? ""}
          />
        ))
      )}
      <ProvidedKeys application={application} />
    </>
  );
}

function KeyCard(props: {
  application: Application;
  environment: Environment;
  held: Key | null;
  tokenUrl: string;
}) {
  const { application, environment, held, tokenUrl } = props;
  const create = useCreateKey();
  const renew = useRenewSecret();
  const issue = useIssueToken();
  const problem = create.error ?? renew.error ?? issue.error;
  const shown = [renew.data, create.data].find((made) => made && made.client_id === held?.client_id);
  const of = held && { application: application.id, client: held.client_id };
  return (
    <Card title={`${title(environment)} key`}>
      <Stack>
        {problem && <ProblemNotice problem={problem} />}
        {!held || !of ? (
          <Row>
            <Button
              loading={create.isPending}
              onClick={() => create.mutate({ application: application.id, type: environment })}
            >
              Generate {environment} keys
            </Button>
            <Dim>Its sessions reach the {environment} endpoint of an API.</Dim>
          </Row>
        ) : (
          <>
            <Facts
              of={[
                ["Client id", <Address key="i" value={held.client_id} label="client id" />],
                ["Grants", grantNames(held.grants)],
                ["Made", <When key="m" at={held.created_at} />],
              ]}
            />
            {shown?.client_secret && (
              <SecretOnce
                clientId={shown.client_id}
                clientSecret={shown.client_secret}
                tokenUrl={tokenUrl}
                type={shown.type}
              />
            )}
            {issue.data && (
              <Stack>
                <p role="status">
                  This access token works for {duration(issue.data.expires_in * 1_000)} from now.
                </p>
                <Address value={issue.data.access_token} label="access token" long />
              </Stack>
            )}
            <Row>
              <Button loading={issue.isPending} onClick={() => issue.mutate(of)}>
                Generate access token
              </Button>
              {held.client_type === "confidential" && held.authentication === "secret" && (
                <Button variant="default" loading={renew.isPending} onClick={() => renew.mutate(of)}>
                  Make a new secret
                </Button>
              )}
              <EndTokens application={application} held={held} onEnded={issue.reset} />
              <DeleteKey application={application} held={held} />
            </Row>
            <ClientSettings application={application.id} held={held} />
            {held.grants.includes("client_credentials") && held.authentication === "secret" && (
              <Details summary="How a program gets its own token">
                <CodeBlock
                  label="token command"
                  text={`curl --user "${held.client_id}:$CLIENT_SECRET" -d grant_type=client_credentials ${tokenUrl}`}
                />
              </Details>
            )}
          </>
        )}
      </Stack>
    </Card>
  );
}

function EndTokens(props: { application: Application; held: Key; onEnded: () => void }) {
  const { application, held } = props;
  const revoke = useRevokeTokens();
  const [asked, setAsked] = useState(false);
  const end = () =>
    revoke.mutate(
      { application: application.id, client: held.client_id },
      {
        onSuccess: () => {
          setAsked(false);
          props.onEnded();
        },
      },
    );
  return (
    <>
      <Button variant="default" onClick={() => setAsked(true)}>
        End all tokens
      </Button>
      <Confirm
        opened={asked}
        title={`End all tokens of the ${held.type} key?`}
        action="End tokens"
        destructive
        busy={revoke.isPending}
        onClose={() => setAsked(false)}
        onConfirm={end}
      >
        <p>
          Every access token that the key has got until now is refused, and live sessions that were opened
          with one close within a second (code 3000). The key stays and gets new tokens.
        </p>
        {revoke.error && <ProblemNotice problem={revoke.error} />}
      </Confirm>
    </>
  );
}

function DeleteKey({ application, held }: { application: Application; held: Key }) {
  const remove = useDeleteKey();
  const traffic = useQuery(applicationTrafficQuery(application.id));
  const [asked, setAsked] = useState(false);
  return (
    <>
      <Button variant="default" onClick={() => setAsked(true)}>
        Delete {held.type} key
      </Button>
      <Confirm
        opened={asked}
        title={`Delete the ${held.type} key of ${application.name}?`}
        action="Delete key"
        destructive
        busy={remove.isPending}
        onClose={() => setAsked(false)}
        onConfirm={() =>
          remove.mutate(
            { application: application.id, client: held.client_id },
            { onSuccess: () => setAsked(false) },
          )
        }
      >
        <p>
          Its tokens stop working and its live sessions close within a second. The application has{" "}
          {counted(traffic.data?.sessions_open ?? 0, "session")} open now.
        </p>
        {remove.error && <ProblemNotice problem={remove.error} />}
      </Confirm>
    </>
  );
}
