// Step 2: the subscription, under one of the plans that the API offers.
import { Button, Radio } from "@mantine/core";
import { useState } from "react";
import { useSubscribe } from "../../api/applications";
import type { Application, CatalogueApi, Subscription } from "../../api/types";
import { planWords } from "../../lib/format";
import { Columns, Stack } from "../../ui/page";
import { Loading, ProblemNotice } from "../../ui/states";
import { Step } from "./step";

export function PlanStep(props: {
  api: CatalogueApi;
  application: Application | null;
  subscription: Subscription | null;
  reading: boolean;
}) {
  const { api, application, subscription } = props;
  const [plan, setPlan] = useState(api.plans[0]?.name ?? "");
  const subscribe = useSubscribe();
  const free = api.state === "prototyped";
  if (!application) {
    return (
      <Step number={2} title="Plan" state="waiting">
        {null}
      </Step>
    );
  }
  if (props.reading) {
    return (
      <Step number={2} title="Plan" state="open">
        <Loading lines={1} />
      </Step>
    );
  }
  return (
    <Step number={2} title="Plan" state={subscription || free ? "done" : "open"}>
      {subscription ? (
        <p>
          {application.name} is subscribed under <strong>{subscription.plan}</strong>.
        </p>
      ) : free ? (
        <p>The API is pre-released: it needs no subscription.</p>
      ) : (
        <Stack>
          {subscribe.error && <ProblemNotice problem={subscribe.error} />}
          <Radio.Group label="Plan" value={plan} onChange={setPlan}>
            <Columns>
              {api.plans.map((offered) => (
                <Radio
                  key={offered.name}
                  value={offered.name}
                  label={offered.display_name}
                  description={planWords(offered)}
                />
              ))}
            </Columns>
          </Radio.Group>
          <div>
            <Button
              loading={subscribe.isPending}
              disabled={plan === ""}
              onClick={() => subscribe.mutate({ application: application.id, api: api.id, plan })}
            >
              Subscribe
            </Button>
          </div>
        </Stack>
      )}
    </Step>
  );
}
