// The catalogue: every API that is published or shown early, as cards. Looking needs no sign-in.
import { Button } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { catalogueQuery } from "../../api/catalogue";
import { useCan } from "../../api/session";
import type { CatalogueApi } from "../../api/types";
import { paths } from "../../lib/paths";
import { useSearchText } from "../../lib/use-search-text";
import { PagedList, SearchField } from "../../ui/list";
import { Badge, DemoBadge } from "../../ui/notice";
import { Badges, PageHead, Stack } from "../../ui/page";
import { Empty } from "../../ui/states";
import styles from "./catalogue.module.css";

export function Component() {
  const { typed, asked: q, type } = useSearchText();
  const developer = useCan("app_manage");
  const apis = useInfiniteQuery(catalogueQuery(q));
  return (
    <>
      <title>Catalogue · Tidegate developer portal</title>
      <PageHead
        title="Catalogue"
        action={
          developer && (
            <Button component={Link} to={paths.applications()} variant="default">
              Your applications
            </Button>
          )
        }
      />
      <Stack>
        <SearchField label="Search the catalogue" placeholder="Search APIs" value={typed} onType={type} />
        <PagedList
          of={apis}
          empty={
            <Empty title={q === "" ? "Nothing is published yet" : `Nothing matches “${q}”`}>
              {q === ""
                ? "As soon as a publisher releases an API, it stands here, ready to be subscribed to."
                : "Try fewer letters, or part of the context."}
            </Empty>
          }
        >
          {(items) => (
            <ul className={styles.cards}>
              {items.map((api) => (
                <ApiCard key={api.id} api={api} />
              ))}
            </ul>
          )}
        </PagedList>
      </Stack>
    </>
  );
}

function ApiCard({ api }: { api: CatalogueApi }) {
  return (
    <li className={styles.card}>
      <h2>
        <Link to={paths.catalogueApi(api.id)}>
          {api.name} <span className={styles.version}>{api.version}</span>
        </Link>
      </h2>
      <p className={styles.sentence}>{api.description || "No description yet."}</p>
      <Badges>
        {api.state === "prototyped" && <Badge tone="accent">Pre-released</Badge>}
        {api.demo && <DemoBadge />}
        {api.plans.map((plan) => (
          <Badge key={plan.name} tone="calm">
            {plan.display_name}
          </Badge>
        ))}
      </Badges>
      <code className={styles.path}>{api.context}</code>
    </li>
  );
}
