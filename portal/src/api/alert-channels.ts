// Channels of alerts: the webhook and the mails of an application, of an API, or of all; what they were told; the mail server.
import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import type { AlertFilter } from "./alerts";
import { ask, askTagged, ifMatch } from "./call";
import {
  type AlertChannel,
  type AlertChannelWithSecret,
  type ChannelTest,
  createAlertChannel,
  deleteAlertChannel,
  getMail,
  listAlertChannels,
  listDeliveries,
  type Mail,
  type MailInput,
  type NewAlertChannel,
  testAlertChannel,
  testMail,
  updateMail,
} from "./generated";
import type { Problem } from "./problem";

/** How often a page looks how deliveries stand: they are tried within seconds. */
const AGAIN_MILLIS = 5_000;

/** The channels of these alerts. */
export const channelsQuery = (of: AlertFilter) =>
  queryOptions({
    queryKey: ["alert-channels", "of", of],
    queryFn: async () => {
      const { items } = await ask(listAlertChannels({ query: of }));
      // Without a filter all are listed; those of all alerts are about nothing.
      const [application, api] = [of.application_id ?? null, of.api_id ?? null];
      return items.filter((one) => one.application_id === application && one.api_id === api);
    },
  });

export const deliveriesQuery = (id: string) =>
  queryOptions({
    queryKey: ["alert-channels", "deliveries", id],
    queryFn: async () => (await ask(listDeliveries({ path: { id }, query: { limit: 10 } }))).items,
    refetchInterval: AGAIN_MILLIS,
  });

function useChanged() {
  const queries = useQueryClient();
  return () => void queries.invalidateQueries({ queryKey: ["alert-channels"] });
}

export function useCreateChannel() {
  const onSettled = useChanged();
  return useMutation<AlertChannelWithSecret, Problem, NewAlertChannel>({
    mutationFn: (body) => ask(createAlertChannel({ body })),
    onSettled,
  });
}

export function useDeleteChannel() {
  const onSettled = useChanged();
  return useMutation<unknown, Problem, AlertChannel>({
    mutationFn: ({ id }) => ask(deleteAlertChannel({ path: { id } })),
    onSettled,
  });
}

export function useTestChannel() {
  return useMutation<ChannelTest, Problem, AlertChannel>({
    mutationFn: ({ id }) => ask(testAlertChannel({ path: { id } })),
  });
}

/** The mail server, and the tag that a change is based on. */
export const mailQuery = queryOptions({
  queryKey: ["mail"],
  queryFn: async () => {
    const { data, etag } = await askTagged(getMail());
    return { ...data, etag };
  },
});

export function useUpdateMail() {
  const queries = useQueryClient();
  return useMutation<Mail, Problem, { to: MailInput; etag: string }>({
    mutationFn: ({ to, etag }) => ask(updateMail({ body: to, headers: ifMatch(etag) })),
    onSettled: () => queries.invalidateQueries({ queryKey: mailQuery.queryKey }),
  });
}

export function useTestMail() {
  return useMutation<ChannelTest, Problem, { to: string }>({
    mutationFn: (body) => ask(testMail({ body })),
  });
}
