// Left of the console: as whom and to what to connect.
import { Anchor, Button, NativeSelect, PasswordInput, SegmentedControl, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link, useSearchParams } from "react-router";
import { applicationsQuery, keysQuery, useIssueToken } from "../../api/applications";
import { useCan } from "../../api/session";
import type { CatalogueApi, Environment } from "../../api/types";
import { useHeldToken } from "../../lib/held-token";
import { paths } from "../../lib/paths";
import { Notice } from "../../ui/notice";
import { ProblemNotice } from "../../ui/states";
import type { Connection, Snapshot } from "./connection";
import styles from "./console.module.css";

/** The door on the portal's own listener, so that the page's certificate and policy hold for it. */
function doorAddress(api: CatalogueApi, topic: string): string {
  const path = new URL(api.urls.ws).pathname;
  const below = topic === "" || topic.startsWith("/") || topic.startsWith("?") ? topic : `/${topic}`;
  const scheme = window.location.protocol === "https:" ? "wss" : "ws";
  return `${scheme}://${window.location.host}/console${path}${below}`;
}

export function ConnectPanel(props: { api: CatalogueApi; connection: Connection; state: Snapshot["state"] }) {
  const { api, connection, state } = props;
  const developer = useCan("app_manage");
  const held = useHeldToken(api.id);
  const [search] = useSearchParams();
  // Until somebody chooses; who is signed in may be known later than this page.
  const [chosen, setSource] = useState<"application" | "token" | null>(null);
  const source = chosen ?? (developer ? "application" : "token");
  const [picked, setPicked] = useState(search.get("application") ?? "");
  const [environment, setEnvironment] = useState<Environment>("production");
  const [pasted, setPasted] = useState(held ?? "");
  const [topic, setTopic] = useState("");
  const [subprotocols, setSubprotocols] = useState("");
  const [refused, setRefused] = useState<string | null>(null);
  const applications = useQuery({ ...applicationsQuery, enabled: developer });
  const application = picked || (applications.data?.[0]?.id ?? "");
  const keys = useQuery({ ...keysQuery(application), enabled: developer && application !== "" });
  const key = keys.data?.find((own) => own.type === environment);
  const issue = useIssueToken();
  const byApplication = developer && source === "application";
  const ready = byApplication ? key !== undefined : pasted.trim() !== "";
  const live = state === "open" || state === "connecting" || state === "closing";

  const open = (token: string) => {
    setRefused(null);
    try {
      const names = subprotocols.split(/[\s,]+/).filter((name) => name !== "");
      connection.open(doorAddress(api, topic.trim()), token.trim(), names);
    } catch (error) {
      setRefused(error instanceof Error ? error.message : String(error));
    }
  };
  const connect = () => {
    if (!byApplication) open(pasted);
    else if (key) {
      issue.mutate({ application, client: key.client_id }, { onSuccess: (made) => open(made.access_token) });
    }
  };
  return (
    <form
      className={styles.panel}
      aria-label="Connection"
      onSubmit={(event) => {
        event.preventDefault();
        if (live) connection.close();
        else connect();
      }}
    >
      {developer && (
        <SegmentedControl
          aria-label="Credential"
          fullWidth
          value={source}
          onChange={(value) => setSource(value as typeof source)}
          data={[
            { value: "application", label: "My application" },
            { value: "token", label: "Token" },
          ]}
        />
      )}
      {byApplication ? (
        <>
          <NativeSelect
            label="Application"
            value={application}
            onChange={(event) => setPicked(event.currentTarget.value)}
            data={(applications.data ?? []).map((own) => ({ value: own.id, label: own.name }))}
          />
          <NativeSelect
            label="Environment"
            value={environment}
            onChange={(event) => setEnvironment(event.currentTarget.value as Environment)}
            data={[
              { value: "production", label: "Production" },
              { value: "sandbox", label: "Sandbox" },
            ]}
          />
          {(applications.isSuccess && application === "") || (keys.isSuccess && !key) ? (
            <Notice tone="calm">
              {application === ""
                ? "You have no application yet. "
                : `The application has no ${environment} key. `}
              <Anchor component={Link} to={paths.keyWizard(api.id, application || undefined)} inherit>
                Get a key
              </Anchor>
            </Notice>
          ) : null}
        </>
      ) : (
        <PasswordInput
          label="Access token"
          description="Pasted here, used for this connection, kept nowhere."
          value={pasted}
          onChange={(event) => setPasted(event.currentTarget.value)}
          autoComplete="off"
          visibilityToggleButtonProps={{ "aria-label": "Show the token" }}
        />
      )}
      <TextInput
        label="Topic"
        description="What follows the address; may be empty."
        placeholder="/prices"
        value={topic}
        onChange={(event) => setTopic(event.currentTarget.value)}
      />
      <TextInput
        label="Subprotocols"
        description="Offered to the backend, separated by commas."
        value={subprotocols}
        onChange={(event) => setSubprotocols(event.currentTarget.value)}
      />
      <code className={styles.door}>{doorAddress(api, topic.trim())}</code>
      {issue.error && <ProblemNotice problem={issue.error} />}
      {refused && (
        <Notice tone="bad" title="The browser refused to open it" live>
          {refused}
        </Notice>
      )}
      <Button
        type="submit"
        disabled={!live && !ready}
        loading={issue.isPending || state === "connecting"}
        variant={live ? "default" : "filled"}
      >
        {live ? "Disconnect" : "Connect"}
      </Button>
    </form>
  );
}
