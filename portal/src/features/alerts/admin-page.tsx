// Alerts of the whole installation, and when they are made.
import { Button, Checkbox, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { alertSettingsQuery, useUpdateAlertSettings } from "../../api/alerts";
import type { AlertSettings } from "../../api/generated";
import { asProblem } from "../../api/problem";
import { Card, Dim, FormWidth, PageHead, Row, Stack } from "../../ui/page";
import { Loading, ProblemNotice } from "../../ui/states";
import { ADMIN_CRUMB } from "../admin/crumb";
import { AlertCard } from "./alert-card";
import { ChannelCards } from "./channel-card";
import { MailCard } from "./mail-card";
import { readThresholds } from "./thresholds";

const WINDOWS = [
  { value: "minute", label: "Minute" },
  { value: "hour", label: "Hour" },
  { value: "day", label: "Day" },
  { value: "month", label: "Month" },
];

export function Component() {
  return (
    <>
      <title>Alerts · Tidegate admin</title>
      <PageHead title="Alerts" crumbs={[ADMIN_CRUMB]} />
      <Stack>
        <AlertCard
          filter={{}}
          about="An alert stands here when somebody has used a part of a limit that is worth telling."
        />
        <SettingsCard />
        <ChannelCards of={{}} />
        <MailCard />
      </Stack>
    </>
  );
}

function SettingsCard() {
  const settings = useQuery(alertSettingsQuery);
  return (
    <Card title="When alerts are made">
      {settings.isPending ? (
        <Loading lines={2} />
      ) : settings.isError ? (
        <ProblemNotice problem={asProblem(settings.error)} onRetry={() => settings.refetch()} />
      ) : (
        <SettingsForm key={settings.data.etag} was={settings.data} />
      )}
    </Card>
  );
}

function SettingsForm({ was }: { was: AlertSettings & { etag: string } }) {
  const update = useUpdateAlertSettings();
  const [thresholds, setThresholds] = useState(was.thresholds.join(", "));
  const [windows, setWindows] = useState(was.windows);
  const read = readThresholds(thresholds);
  return (
    <form
      aria-label="When alerts are made"
      onSubmit={(event) => {
        event.preventDefault();
        if (read.numbers) update.mutate({ to: { thresholds: read.numbers, windows }, etag: was.etag });
      }}
    >
      <FormWidth>
        <Stack>
          {update.error && <ProblemNotice problem={update.error} />}
          <TextInput
            label="Thresholds"
            description="In percent of a limit, at most five, for example 80, 100. None: no alerts."
            value={thresholds}
            error={read.problem}
            onChange={(event) => setThresholds(event.currentTarget.value)}
          />
          <Checkbox.Group
            label="Limits per"
            description="A minute is over before a person has read that it is used up."
            value={windows}
            onChange={setWindows}
          >
            <Row>
              {WINDOWS.map((window) => (
                <Checkbox key={window.value} {...window} />
              ))}
            </Row>
          </Checkbox.Group>
          <div>
            <Button type="submit" loading={update.isPending} disabled={read.problem !== null}>
              Save
            </Button>
          </div>
          <Dim>
            It holds from the next message on. What was told of a window already is not told again. Limits
            that slide make no alerts: what was used of them comes back all the time.
          </Dim>
        </Stack>
      </FormWidth>
    </form>
  );
}
