// Alerts about an API: its own policy, those of its topics, and the plans of its subscriptions.
import { useCan } from "../../api/session";
import { useApi } from "../apis/api-frame";
import { AlertCard } from "./alert-card";
import { ChannelCards } from "./channel-card";

export function Component() {
  const api = useApi();
  const publish = useCan("api_publish");
  return (
    <>
      <title>{`Alerts · ${api.name}`}</title>
      <AlertCard
        filter={{ api_id: api.id }}
        about="An alert stands here when a subscription has used most of its plan, or everybody together most of what the API policy gives."
      />
      {publish && <ChannelCards of={{ api_id: api.id }} />}
    </>
  );
}
