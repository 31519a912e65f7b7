// The frame of the admin portal: the left list of its pages.
import { NavLink, Outlet } from "react-router";
import { paths } from "../lib/paths";
import { SideLayout } from "../ui/page";

export function Component() {
  const link = (to: string, label: string) => (
    <NavLink key={to} to={to} end={to === paths.admin()}>
      {label}
    </NavLink>
  );
  return (
    <SideLayout
      label="Pages of the admin portal"
      groups={[
        { title: "Installation", links: [link(paths.admin(), "Overview")] },
        {
          title: "People",
          links: [
            link(paths.users(), "Users"),
            link(paths.roles(), "Roles"),
            link(paths.signInProviders(), "Sign-in providers"),
            link(paths.audit(), "Audit log"),
          ],
        },
        {
          title: "Tokens",
          links: [
            link(paths.signingKeys(), "Signing keys"),
            link(paths.keyManagers(), "Key managers"),
            link(paths.registrationTokens(), "Registration tokens"),
          ],
        },
        {
          title: "Gateways",
          links: [
            link(paths.gateways(), "Running"),
            link(paths.limits(), "Plans and policies"),
            link(paths.alertsOfAll(), "Alerts"),
            link(paths.customRules(), "Custom rules"),
            link(paths.denyRules(), "Deny rules"),
          ],
        },
      ]}
    >
      <Outlet />
    </SideLayout>
  );
}
