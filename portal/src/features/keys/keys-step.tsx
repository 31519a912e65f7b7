// Step 3: the application's key for production or sandbox. Its secret is seen once.
import { Button, SegmentedControl } from "@mantine/core";
import { useCreateKey, useRenewSecret } from "../../api/applications";
import type { Application, Environment, Key } from "../../api/types";
import { Address } from "../../ui/copy";
import { Row, Stack } from "../../ui/page";
import { SecretOnce } from "../../ui/secret";
import { ProblemNotice } from "../../ui/states";
import styles from "./keys.module.css";
import { Step } from "./step";

export function KeysStep(props: {
  application: Application | null;
  open: boolean;
  environment: Environment;
  onEnvironment: (environment: Environment) => void;
  held: Key | null;
  tokenUrl: string;
}) {
  const { application, held, environment } = props;
  const create = useCreateKey();
  const renew = useRenewSecret();
  const shown = [renew.data, create.data].find((made) => made && made.client_id === held?.client_id);
  const problem = create.error ?? renew.error;
  return (
    <Step
      number={3}
      title="Keys"
      state={held && props.open ? "done" : application && props.open ? "open" : "waiting"}
    >
      <SegmentedControl
        className={styles.start}
        aria-label="Environment of the key"
        value={environment}
        onChange={(value) => props.onEnvironment(value as Environment)}
        data={[
          { value: "production", label: "Production" },
          { value: "sandbox", label: "Sandbox" },
        ]}
      />
      {problem && <ProblemNotice problem={problem} />}
      {held && application ? (
        <Stack>
          <Address value={held.client_id} label="client id" />
          {shown?.client_secret ? (
            <SecretOnce
              clientId={shown.client_id}
              clientSecret={shown.client_secret}
              tokenUrl={props.tokenUrl}
              type={shown.type}
            />
          ) : held.client_type !== "confidential" ? (
            <span>Its client has no secret.</span>
          ) : (
            <Row>
              <span>Its secret was shown when the key was made.</span>
              <Button
                size="compact-sm"
                variant="default"
                loading={renew.isPending}
                onClick={() => renew.mutate({ application: application.id, client: held.client_id })}
              >
                Make a new secret
              </Button>
            </Row>
          )}
        </Stack>
      ) : (
        application && (
          <Row>
            <Button
              loading={create.isPending}
              onClick={() => create.mutate({ application: application.id, type: environment })}
            >
              Generate {environment} keys
            </Button>
          </Row>
        )
      )}
    </Step>
  );
}
