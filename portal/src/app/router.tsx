// Every route, lazily by door, with the permission that it asks for. Addresses are built in `lib/paths`.
import { createBrowserRouter, Outlet } from "react-router";
import { Frame } from "./frame";
import { Broken, Gone } from "./gone-page";
import { Needs } from "./needs";

const apis = (page: "list" | "create") => () =>
  page === "list" ? import("../features/apis/list-page") : import("../features/apis/create-page");

export const router = createBrowserRouter([
  {
    element: <Frame />,
    errorElement: <Broken />,
    hydrateFallbackElement: <span />,
    children: [
      { path: "/", lazy: () => import("./door-page") },
      { path: "/sign-in", lazy: () => import("../features/session/sign-in-page") },
      { path: "/sign-up", lazy: () => import("../features/session/sign-up-page") },
      {
        path: "/account/tokens",
        element: <Needs signedInOnly />,
        children: [{ index: true, lazy: () => import("../features/session/tokens-page") }],
      },
      {
        path: "/account/authorizations",
        element: <Needs signedInOnly />,
        children: [{ index: true, lazy: () => import("../features/session/authorizations-page") }],
      },
      {
        path: "/account/sessions",
        element: <Needs signedInOnly />,
        children: [{ index: true, lazy: () => import("../features/session/sessions-page") }],
      },
      {
        path: "/account/password",
        element: <Needs signedInOnly />,
        children: [{ index: true, lazy: () => import("../features/session/password-page") }],
      },
      {
        path: "/publisher",
        element: <Needs permission="api_view" />,
        children: [
          { index: true, lazy: apis("list") },
          {
            path: "apis/new/websocket",
            element: <Needs permission="api_create" />,
            children: [{ index: true, lazy: apis("create") }],
          },
          {
            path: "apis/:id",
            lazy: () => import("../features/apis/api-frame"),
            children: [
              { index: true, lazy: () => import("../features/apis/overview-page") },
              { path: "basics", lazy: () => import("../features/apis/basics-page") },
              { path: "endpoints", lazy: () => import("../features/apis/endpoints-page") },
              { path: "headers", lazy: () => import("../features/apis/headers-page") },
              { path: "topics", lazy: () => import("../features/apis/topics-page") },
              { path: "security", lazy: () => import("../features/apis/security-page") },
              { path: "protocol", lazy: () => import("../features/apis/protocol-page") },
              { path: "plans", lazy: () => import("../features/apis/plans-page") },
              { path: "subscriptions", lazy: () => import("../features/apis/subscriptions-page") },
              { path: "alerts", lazy: () => import("../features/alerts/api-page") },
              { path: "deployments", lazy: () => import("../features/apis/deployments-page") },
              { path: "lifecycle", lazy: () => import("../features/apis/lifecycle-page") },
              {
                element: <Needs permission="api_create" />,
                children: [
                  { path: "new-version", lazy: () => import("../features/apis/new-version-page") },
                  { path: "delete", lazy: () => import("../features/apis/delete-page") },
                ],
              },
            ],
          },
        ],
      },
      {
        path: "/devportal",
        element: <Outlet />,
        children: [
          { index: true, lazy: () => import("../features/catalogue/list-page") },
          { path: "apis/:id", lazy: () => import("../features/catalogue/api-page") },
          {
            element: <Needs permission="app_manage" />,
            children: [
              { path: "apis/:id/keys", lazy: () => import("../features/keys/wizard-page") },
              { path: "alerts", lazy: () => import("../features/alerts/list-page") },
              { path: "applications", lazy: () => import("../features/applications/list-page") },
              {
                path: "applications/:id",
                lazy: () => import("../features/applications/application-frame"),
                children: [
                  { index: true, lazy: () => import("../features/applications/overview-page") },
                  { path: "keys", lazy: () => import("../features/applications/keys-page") },
                  { path: "api-keys", lazy: () => import("../features/applications/api-keys-page") },
                  {
                    path: "certificates",
                    lazy: () => import("../features/applications/certificates-page"),
                  },
                  {
                    path: "subscriptions",
                    lazy: () => import("../features/applications/subscriptions-page"),
                  },
                  { path: "alerts", lazy: () => import("../features/alerts/application-page") },
                  { path: "settings", lazy: () => import("../features/applications/settings-page") },
                ],
              },
            ],
          },
          { path: "apis/:id/console", lazy: () => import("../features/console/console-page") },
        ],
      },
      {
        path: "/admin",
        element: <Needs permission="administer" />,
        children: [
          {
            lazy: () => import("./admin-frame"),
            children: [
              { index: true, lazy: () => import("./admin-page") },
              { path: "users", lazy: () => import("../features/users/list-page") },
              { path: "users/:id", lazy: () => import("../features/users/user-page") },
              { path: "sign-in-providers", lazy: () => import("../features/sign-in/providers-page") },
              { path: "audit", lazy: () => import("../features/admin/audit-page") },
              { path: "signing-keys", lazy: () => import("../features/admin/signing-keys-page") },
              { path: "key-managers", lazy: () => import("../features/issuers/key-managers-page") },
              { path: "alerts", lazy: () => import("../features/alerts/admin-page") },
              { path: "limits", lazy: () => import("../features/admin/limits-page") },
              { path: "roles", lazy: () => import("../features/roles/roles-page") },
              {
                path: "registration-tokens",
                lazy: () => import("../features/admin/registration-tokens-page"),
              },
              { path: "custom-rules", lazy: () => import("../features/admin/custom-rules-page") },
              { path: "gateways", lazy: () => import("../features/admin/gateways-page") },
              { path: "deny-rules", lazy: () => import("../features/admin/deny-rules-page") },
            ],
          },
        ],
      },
      { path: "*", element: <Gone /> },
    ],
  },
]);
