// Revisions that were live, the one that is, and Deploy for the working copy.
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { revisionsQuery, useDeployApi } from "../../api/apis";
import { asProblem } from "../../api/problem";
import { useCan } from "../../api/session";
import { Badge } from "../../ui/notice";
import { Card, Dim, Row, Stack, Table } from "../../ui/page";
import { Empty, Loading, ProblemNotice } from "../../ui/states";
import { When } from "../../ui/when";
import { useApi } from "./api-frame";

export function Component() {
  const api = useApi();
  const revisions = useQuery(revisionsQuery(api.id));
  const deploy = useDeployApi(api.id);
  const create = useCan("api_create");
  const publish = useCan("api_publish");
  const same = api.live !== null && api.differs.length === 0;
  return (
    <>
      <title>{`Deployments · ${api.name}`}</title>
      <Card title="Deployments">
        <Stack>
          {(create || publish) && (
            <Row>
              <Button
                loading={deploy.isPending}
                disabled={same || api.state === "retired"}
                onClick={() => deploy.mutate({ etag: api.etag })}
                aria-describedby="deploy-state"
              >
                Deploy the working copy
              </Button>
              <span id="deploy-state">
                <Dim>
                  {same
                    ? "The working copy is what is live."
                    : api.state === "retired"
                      ? "A retired API is not served any more."
                      : "New connections use it at once; sessions that are open keep their backend."}
                </Dim>
              </span>
            </Row>
          )}
          {deploy.error && <ProblemNotice problem={deploy.error} />}
          {revisions.isPending ? (
            <Loading />
          ) : revisions.isError ? (
            <ProblemNotice problem={asProblem(revisions.error)} onRetry={() => revisions.refetch()} />
          ) : revisions.data.length === 0 ? (
            <Empty title="Nothing was deployed yet">
              A deployment makes an unchangeable copy of the working copy and serves it. Publishing makes the
              first.
            </Empty>
          ) : (
            <Table caption="Revisions, newest first" head={["Revision", "When", "Who", "What"]}>
              {revisions.data.map((revision) => (
                <tr key={revision.number}>
                  <td>
                    <Row>
                      {revision.number}
                      {revision.live && (
                        <Badge tone="good" mark="●">
                          Live
                        </Badge>
                      )}
                    </Row>
                  </td>
                  <td>
                    <When at={revision.created_at} />
                  </td>
                  <td>{revision.created_by}</td>
                  <td>{revision.summary}</td>
                </tr>
              ))}
            </Table>
          )}
        </Stack>
      </Card>
    </>
  );
}
