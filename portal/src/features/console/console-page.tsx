// The console: opens the API's WebSocket from the page through the portal's own door, sends, receives, explains closes.
import { Anchor } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState, useSyncExternalStore } from "react";
import { Link, useParams } from "react-router";
import { catalogueApiQuery } from "../../api/catalogue";
import { asProblem } from "../../api/problem";
import type { CatalogueApi } from "../../api/types";
import { paths } from "../../lib/paths";
import { PageHead } from "../../ui/page";
import { Loading, ProblemNotice } from "../../ui/states";
import { Composer } from "./composer";
import { ConnectPanel } from "./connect-panel";
import { Connection } from "./connection";
import styles from "./console.module.css";
import { StatusPanel } from "./status-panel";
import { Timeline } from "./timeline";

export function Component() {
  const { id = "" } = useParams();
  const api = useQuery(catalogueApiQuery(id));
  if (api.isPending) return <Loading />;
  // An API that is blocked while one looks is gone from the catalogue; its console stays, to show the close.
  if (!api.data) {
    const back = (
      <Anchor component={Link} to={paths.catalogue()}>
        The catalogue
      </Anchor>
    );
    return <ProblemNotice problem={asProblem(api.error)} action={back} onRetry={() => api.refetch()} />;
  }
  return <Console api={api.data} />;
}

function Console({ api }: { api: CatalogueApi }) {
  const [connection] = useState(() => new Connection());
  const now = useSyncExternalStore(connection.subscribe, connection.snapshot);
  useEffect(() => () => connection.dispose(), [connection]);
  return (
    <>
      <title>{`Console · ${api.name} ${api.version}`}</title>
      <PageHead
        crumbs={[
          <Anchor key="c" component={Link} to={paths.catalogue()} inherit>
            Catalogue
          </Anchor>,
          <Anchor key="a" component={Link} to={paths.catalogueApi(api.id)} inherit>
            {api.name} {api.version}
          </Anchor>,
        ]}
        title="Console"
      />
      <div className={styles.layout}>
        <ConnectPanel api={api} connection={connection} state={now.state} />
        <section className={styles.middle} aria-label="Messages">
          <Timeline entries={now.entries} onClear={() => connection.clear()} />
          <Composer open={now.state === "open"} onSend={(data) => connection.send(data)} />
        </section>
        <StatusPanel now={now} />
      </div>
    </>
  );
}
