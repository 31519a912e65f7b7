// Alerts: the newest first, as whoever asks may see them, and when they are made.
import { infiniteQueryOptions, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { ask, askTagged, ifMatch } from "./call";
import { type AlertSettings, getAlertSettings, listAlerts, updateAlertSettings } from "./generated";
import type { Problem } from "./problem";

/** About what; nothing means everything that one may see. */
export interface AlertFilter {
  application_id?: string;
  api_id?: string;
}

/** How often a page of alerts looks again: they are made within seconds, and read within minutes. */
const AGAIN_MILLIS = 10_000;

export const alertsQuery = (filter: AlertFilter) =>
  infiniteQueryOptions({
    queryKey: ["alerts", "list", filter],
    queryFn: ({ pageParam }) =>
      ask(listAlerts({ query: { ...filter, ...(pageParam && { cursor: pageParam }) } })),
    initialPageParam: "",
    getNextPageParam: (page) => page.next ?? undefined,
    refetchInterval: AGAIN_MILLIS,
  });

/** When alerts are made, and the tag that a change is based on. */
export const alertSettingsQuery = queryOptions({
  queryKey: ["alerts", "settings"],
  queryFn: async () => {
    const { data, etag } = await askTagged(getAlertSettings());
    return { ...data, etag };
  },
});

export function useUpdateAlertSettings() {
  const queries = useQueryClient();
  return useMutation<AlertSettings, Problem, { to: AlertSettings; etag: string }>({
    mutationFn: ({ to, etag }) => ask(updateAlertSettings({ body: to, headers: ifMatch(etag) })),
    onSettled: () => queries.invalidateQueries({ queryKey: alertSettingsQuery.queryKey }),
  });
}
