// Said on every page of an API while its working copy is not what gateways serve: what differs, and Deploy.
import { Button } from "@mantine/core";
import { useDeployApi } from "../../api/apis";
import { useCan } from "../../api/session";
import type { Api } from "../../api/types";
import { Notice } from "../../ui/notice";
import { Row, Stack, Table } from "../../ui/page";
import { ProblemNotice } from "../../ui/states";
import { fieldName, fieldValue } from "./words";

export function DiffersBanner({ api }: { api: Api }) {
  const deploy = useDeployApi(api.id);
  const create = useCan("api_create");
  const publish = useCan("api_publish");
  if (api.differs.length === 0) return null;
  return (
    <Notice tone="warn" title="The working copy differs from what is live">
      <Stack>
        <Table caption="What differs" head={["Field", "Live", "Working copy"]}>
          {api.differs.map((difference) => (
            <tr key={difference.field}>
              <td>{fieldName(difference.field)}</td>
              <td className="mono">{fieldValue(difference.field, difference.live)}</td>
              <td className="mono">{fieldValue(difference.field, difference.working)}</td>
            </tr>
          ))}
        </Table>
        {deploy.error && <ProblemNotice problem={deploy.error} />}
        {(create || publish) && (
          <Row>
            <Button loading={deploy.isPending} onClick={() => deploy.mutate({ etag: api.etag })}>
              Deploy
            </Button>
            <span>New connections use it at once; sessions that are open keep their backend.</span>
          </Row>
        )}
      </Stack>
    </Notice>
  );
}
