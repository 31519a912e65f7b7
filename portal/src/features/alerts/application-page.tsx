// Alerts about an application: its own policy, and the plans of its subscriptions.
import { useApplication } from "../applications/application-frame";
import { AlertCard } from "./alert-card";
import { ChannelCards } from "./channel-card";

export function Component() {
  const application = useApplication();
  return (
    <>
      <title>{`Alerts · ${application.name}`}</title>
      <AlertCard
        filter={{ application_id: application.id }}
        about="An alert stands here when most of a plan is used, or most of the application's own policy, and when all of it is."
      />
      <ChannelCards of={{ application_id: application.id }} />
    </>
  );
}
