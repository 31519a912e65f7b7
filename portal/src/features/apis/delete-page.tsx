// Deleting an API: what goes with it, in numbers, before it happens.
import { Anchor, Button, TextInput } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link, useNavigate } from "react-router";
import { apiSubscriptionsQuery, trafficQuery, useDeleteApi } from "../../api/apis";
import { closesSessions, counted } from "../../lib/format";
import { paths } from "../../lib/paths";
import { Card, FormWidth, Stack } from "../../ui/page";
import { ProblemNotice } from "../../ui/states";
import { useApi } from "./api-frame";

export function Component() {
  const api = useApi();
  const subscriptions = useInfiniteQuery(apiSubscriptionsQuery(api.id));
  const traffic = useQuery(trafficQuery(api.id));
  const remove = useDeleteApi(api.id);
  const navigate = useNavigate();
  const [typed, setTyped] = useState("");
  const held = subscriptions.data?.pages.flatMap((page) => page.items).length ?? 0;
  const full = `${api.name} ${api.version}`;
  const refused = held > 0 && api.state !== "retired";
  return (
    <>
      <title>{`Delete · ${api.name}`}</title>
      <Card title="Delete">
        <FormWidth>
          <form
            onSubmit={(event) => {
              event.preventDefault();
              remove.mutate({ etag: api.etag }, { onSuccess: () => navigate(paths.apis()) });
            }}
          >
            <Stack>
              <p>
                {closesSessions(traffic.data?.sessions_open ?? 0)} {counted(held, "subscription")} and all
                revisions go with it. This cannot be taken back.
              </p>
              {refused && (
                <p>
                  While it has subscriptions, an API is deleted only after it was retired.{" "}
                  <Anchor component={Link} to={paths.api(api.id, "lifecycle")} inherit>
                    Go to Lifecycle
                  </Anchor>
                </p>
              )}
              <TextInput
                label={`Type “${full}” to confirm`}
                value={typed}
                onChange={(event) => setTyped(event.currentTarget.value)}
                autoComplete="off"
              />
              {remove.error && <ProblemNotice problem={remove.error} />}
              <div>
                <Button
                  type="submit"
                  color="red"
                  disabled={typed !== full || refused}
                  loading={remove.isPending}
                >
                  Delete {full}
                </Button>
              </div>
            </Stack>
          </form>
        </FormWidth>
      </Card>
    </>
  );
}
