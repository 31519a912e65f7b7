// Step 4: an access token, commands with it filled in, and the way to the console.
import { Button } from "@mantine/core";
import { Link } from "react-router";
import { useIssueToken } from "../../api/applications";
import type { Application, CatalogueApi } from "../../api/types";
import { duration } from "../../lib/format";
import { holdToken } from "../../lib/held-token";
import { paths } from "../../lib/paths";
import { Address } from "../../ui/copy";
import { Row, Stack } from "../../ui/page";
import { SnippetTabs } from "../../ui/snippet-tabs";
import { ProblemNotice } from "../../ui/states";
import { Step } from "./step";

export function TokenStep(props: {
  api: CatalogueApi;
  application: Application | null;
  clientId: string | null;
}) {
  const { api, application, clientId } = props;
  const issue = useIssueToken();
  const token = clientId && issue.variables?.client === clientId ? issue.data : undefined;
  const generate = () =>
    application &&
    clientId &&
    issue.mutate(
      { application: application.id, client: clientId },
      { onSuccess: (made) => holdToken(api.id, made.access_token) },
    );
  return (
    <Step number={4} title="Access token" state={token ? "done" : clientId ? "open" : "waiting"}>
      {issue.error && <ProblemNotice problem={issue.error} />}
      <Row>
        <Button variant={token ? "default" : "filled"} loading={issue.isPending} onClick={generate}>
          {token ? "Generate another token" : "Generate access token"}
        </Button>
        {token && application && (
          <Button component={Link} to={paths.console(api.id, application.id)}>
            Open console
          </Button>
        )}
      </Row>
      {token && (
        <Stack>
          <p role="status">The token works for {duration(token.expires_in * 1_000)} from now.</p>
          <Address value={token.access_token} label="access token" long />
          <h3>Send the first message</h3>
          <SnippetTabs url={api.urls.ws} token={token.access_token} />
        </Stack>
      )}
    </Step>
  );
}
