// Step 2: the subscription, under one of the plans that the API offers.
import { Button, Radio } from "@mantine/core";
import { useState } from "react";
import { useSubscribe } from "../../api/applications";
import { useSession } from "../../api/session";
import type { Application, CatalogueApi, Plan, Session, Subscription } from "../../api/types";
import { planWords } from "../../lib/format";
import { Columns, Stack } from "../../ui/page";
import { Loading, ProblemNotice } from "../../ui/states";
import { Step } from "./step";

/** Some plans are for people with some roles; who administers may choose any. */
function mayChoose({ roles }: Plan, session: Session | null | undefined): boolean {
  const held = session?.user.held_roles ?? [];
  return roles.length === 0 || held.includes("admin") || roles.some((role) => held.includes(role));
}

export function PlanStep(props: {
  api: CatalogueApi;
  application: Application | null;
  subscription: Subscription | null;
  reading: boolean;
}) {
  const { api, application, subscription } = props;
  const session = useSession();
  const plans = api.plans.filter((offered) => mayChoose(offered, session.data));
  const [chosen, setPlan] = useState("");
  const plan = chosen || (plans[0]?.name ?? "");
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
      ) : plans.length === 0 ? (
        <p>
          {api.plans.length === 0
            ? "The API offers no plan yet. Its publisher chooses them."
            : "Every plan of this API is for people with another role than yours. An administrator can give you one."}
        </p>
      ) : (
        <Stack>
          {subscribe.error && <ProblemNotice problem={subscribe.error} />}
          <Radio.Group label="Plan" value={plan} onChange={setPlan}>
            <Columns>
              {plans.map((offered) => (
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
