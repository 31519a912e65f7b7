// Ctrl-K: one field over APIs, applications and pages. What it finds is what this person may open.
import { Button } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import {
  Spotlight,
  type SpotlightActionData,
  type SpotlightActionGroupData,
  spotlight,
} from "@mantine/spotlight";
import "@mantine/spotlight/styles.css";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate } from "react-router";
import { apisQuery } from "../api/apis";
import { applicationsQuery } from "../api/applications";
import { catalogueQuery } from "../api/catalogue";
import type { Session } from "../api/types";
import { paths } from "../lib/paths";

/** Shown of each kind; more are found by typing more. */
const MOST = 5;

export function OpenSearch() {
  return (
    <Button variant="default" onClick={spotlight.open} aria-keyshortcuts="Control+K" aria-label="Search">
      <span aria-hidden="true">⌕</span>
      <span className="wide-only">&nbsp;Search &nbsp;Ctrl K</span>
    </Button>
  );
}

function matches(text: string, query: string): boolean {
  return text.toLowerCase().includes(query.trim().toLowerCase());
}

export function Search({ session }: { session: Session | null }) {
  const [query, setQuery] = useState("");
  const [opened, setOpened] = useState(false);
  const [asked] = useDebouncedValue(query.trim(), 200);
  const navigate = useNavigate();
  const may = (permission: string) => session?.permissions.some((held) => held === permission) ?? false;
  const apis = useInfiniteQuery({ ...apisQuery(asked), enabled: opened && may("api_view") });
  const catalogue = useInfiniteQuery({ ...catalogueQuery(asked), enabled: opened });
  const applications = useQuery({ ...applicationsQuery, enabled: opened && may("app_manage") });

  const go = (id: string, label: string, to: string, description?: string): SpotlightActionData => ({
    id,
    label,
    ...(description && { description }),
    onClick: () => navigate(to),
  });
  const pages = [
    ...(may("api_view") ? [go("p-apis", "Publisher: APIs", paths.apis())] : []),
    ...(may("api_create") ? [go("p-new", "Create a WebSocket API", paths.newWebSocketApi())] : []),
    go("p-catalogue", "Developer portal: catalogue", paths.catalogue()),
    ...(may("app_manage") ? [go("p-alerts", "Alerts", paths.alerts())] : []),
    ...(may("app_manage") ? [go("p-apps", "Applications", paths.applications())] : []),
    ...(session ? [go("p-tokens", "Personal access tokens", paths.tokens())] : []),
    ...(session ? [go("p-sessions", "Portal sessions", paths.portalSessions())] : []),
    ...(session ? [go("p-allowed", "Allowed applications", paths.authorizations())] : []),
    ...(session ? [go("p-password", "Password", paths.password())] : []),
    ...(may("administer") ? [go("p-admin", "Admin", paths.admin())] : []),
    ...(may("administer") ? [go("p-all-alerts", "Admin: alerts", paths.alertsOfAll())] : []),
    ...(may("administer") ? [go("p-users", "Users", paths.users())] : []),
    ...(may("administer") ? [go("p-roles", "Roles", paths.roles())] : []),
    ...(may("administer") ? [go("p-audit", "Audit log", paths.audit())] : []),
    ...(may("administer") ? [go("p-signing-keys", "Signing keys", paths.signingKeys())] : []),
  ];
  const groups: SpotlightActionGroupData[] = [
    {
      group: "APIs in the publisher",
      actions: (apis.data?.pages[0]?.items ?? [])
        .slice(0, MOST)
        .map((api) => go(`a-${api.id}`, `${api.name} ${api.version}`, paths.api(api.id), api.context)),
    },
    {
      group: "APIs in the catalogue",
      actions: (catalogue.data?.pages[0]?.items ?? [])
        .slice(0, MOST)
        .map((api) =>
          go(`c-${api.id}`, `${api.name} ${api.version}`, paths.catalogueApi(api.id), api.context),
        ),
    },
    {
      group: "Applications",
      actions: (applications.data ?? [])
        .filter((application) => matches(application.name, query))
        .slice(0, MOST)
        .map((application) => go(`x-${application.id}`, application.name, paths.application(application.id))),
    },
    { group: "Pages", actions: pages.filter((page) => matches(page.label ?? "", query)) },
  ];
  return (
    <Spotlight
      shortcut="mod + K"
      actions={groups.filter((group) => group.actions.length > 0)}
      query={query}
      onQueryChange={setQuery}
      onSpotlightOpen={() => setOpened(true)}
      onSpotlightClose={() => setOpened(false)}
      filter={(_, actions) => actions}
      nothingFound="Nothing found. Try fewer letters."
      searchProps={{ placeholder: "APIs, applications, pages", "aria-label": "Search" }}
      scrollable
      maxHeight={420}
      lockScroll={false}
    />
  );
}
