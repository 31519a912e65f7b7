// An address that leads nowhere, and a page that broke.
import { Anchor, Button } from "@mantine/core";
import { Link, useRouteError } from "react-router";
import { paths } from "../lib/paths";
import { Notice } from "../ui/notice";
import { PageHead, Stack } from "../ui/page";

export function Gone() {
  return (
    <>
      <title>Not found · Tidegate</title>
      <PageHead title="There is no such page" />
      <Notice tone="calm">
        The address may be old or mistyped.{" "}
        <Anchor component={Link} to={paths.door()} inherit>
          Go to the start
        </Anchor>
        .
      </Notice>
    </>
  );
}

export function Broken() {
  const error = useRouteError();
  return (
    <main style={{ maxWidth: 640, margin: "64px auto", padding: 16 }}>
      <Stack>
        <Notice tone="bad" title="This page could not be shown" live>
          <p>{error instanceof Error ? error.message : "Part of it did not load."}</p>
          <p>After an update of the product the old pages are gone: loading anew usually mends it.</p>
        </Notice>
        <div>
          <Button onClick={() => window.location.reload()}>Load again</Button>
        </div>
      </Stack>
    </main>
  );
}
