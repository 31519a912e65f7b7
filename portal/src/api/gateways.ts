// The gateways that are connected: for administrators.
import { queryOptions } from "@tanstack/react-query";
import { ask } from "./call";
import { listGateways } from "./generated";

/** What they tell of themselves is a second old at most. */
const AGAIN_MILLIS = 2_000;

export const gatewaysQuery = queryOptions({
  queryKey: ["gateways"],
  queryFn: async () => (await ask(listGateways())).items,
  refetchInterval: AGAIN_MILLIS,
});
