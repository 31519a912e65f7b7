// The mail server that mails of alerts go to: set, tested, taken away. The password is never shown.
import { Button, NativeSelect, NumberInput, PasswordInput, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { mailQuery, useTestMail, useUpdateMail } from "../../api/alert-channels";
import type { Mail } from "../../api/generated";
import { asProblem } from "../../api/problem";
import { Card, Dim, FormWidth, Row, Stack } from "../../ui/page";
import { Loading, ProblemNotice } from "../../ui/states";
import { TestOutcome } from "./channel-card";

const SECURITY = [
  { value: "starttls", label: "STARTTLS: usual on port 587" },
  { value: "tls", label: "TLS from the first byte: usual on port 465" },
  { value: "none", label: "None: for a server on this machine" },
];

export function MailCard() {
  const mail = useQuery(mailQuery);
  return (
    <Card title="Mail server">
      {mail.isPending ? (
        <Loading lines={2} />
      ) : mail.isError ? (
        <ProblemNotice problem={asProblem(mail.error)} onRetry={() => mail.refetch()} />
      ) : (
        <Stack>
          <MailForm key={mail.data.etag} was={mail.data} />
          {mail.data.server && <Test />}
        </Stack>
      )}
    </Card>
  );
}

function MailForm({ was }: { was: Mail & { etag: string } }) {
  const update = useUpdateMail();
  const [host, setHost] = useState(was.server?.host ?? "");
  const [port, setPort] = useState<number | string>(was.server?.port ?? 587);
  const [security, setSecurity] = useState(was.server?.security ?? "starttls");
  const [username, setUsername] = useState(was.server?.username ?? "");
  const [password, setPassword] = useState("");
  const [from, setFrom] = useState(was.server?.from ?? "");
  const wrong = (field: string) =>
    update.error?.errors.find((one) => one.pointer === `/server/${field}`)?.detail ?? null;
  const save = () =>
    update.mutate({
      to: {
        server: { host, port: Number(port), security, username, from, ...(password && { password }) },
      },
      etag: was.etag,
    });
  return (
    <form
      aria-label="Mail server"
      onSubmit={(event) => {
        event.preventDefault();
        save();
      }}
    >
      <FormWidth>
        <Stack>
          {update.error && <ProblemNotice problem={update.error} />}
          <TextInput
            label="Host"
            placeholder="smtp.example.com"
            value={host}
            error={wrong("host")}
            onChange={(event) => setHost(event.currentTarget.value)}
          />
          <NumberInput
            label="Port"
            min={1}
            max={65_535}
            value={port}
            error={wrong("port")}
            onChange={setPort}
          />
          <NativeSelect
            label="Security"
            data={SECURITY}
            value={security}
            error={wrong("security")}
            onChange={(event) => setSecurity(event.currentTarget.value)}
          />
          <TextInput
            label="Name"
            description="Empty where the server asks for none."
            autoComplete="off"
            value={username}
            error={wrong("username")}
            onChange={(event) => setUsername(event.currentTarget.value)}
          />
          <PasswordInput
            label="Password"
            description={
              was.server?.has_password ? "Kept as it is while empty." : "Kept sealed, and never shown."
            }
            autoComplete="new-password"
            value={password}
            error={wrong("password")}
            onChange={(event) => setPassword(event.currentTarget.value)}
          />
          <TextInput
            label="From"
            placeholder="tidegate@example.com"
            value={from}
            error={wrong("from")}
            onChange={(event) => setFrom(event.currentTarget.value)}
          />
          <Row>
            <Button type="submit" loading={update.isPending} disabled={host === "" || from === ""}>
              Save mail server
            </Button>
            {was.server && (
              <Button
                variant="default"
                onClick={() => update.mutate({ to: { server: null }, etag: was.etag })}
              >
                Take it away
              </Button>
            )}
          </Row>
          {!was.server && <Dim>Without one, alerts stand on these pages and go to webhooks.</Dim>}
        </Stack>
      </FormWidth>
    </form>
  );
}

function Test() {
  const test = useTestMail();
  const [to, setTo] = useState("");
  return (
    <form
      aria-label="Test of the mail server"
      onSubmit={(event) => {
        event.preventDefault();
        test.mutate({ to: to.trim() });
      }}
    >
      <FormWidth>
        <Stack>
          {test.error && <ProblemNotice problem={test.error} />}
          {test.data && <TestOutcome test={test.data} />}
          <TextInput
            label="Mail a test to"
            value={to}
            onChange={(event) => setTo(event.currentTarget.value)}
          />
          <div>
            <Button type="submit" variant="default" loading={test.isPending} disabled={to.trim() === ""}>
              Send test
            </Button>
          </div>
        </Stack>
      </FormWidth>
    </form>
  );
}
