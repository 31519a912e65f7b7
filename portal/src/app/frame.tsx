// The frame of every page: product name, the doors this person may enter, search, theme, account. Nothing else.
import { ActionIcon, Button, Menu, useComputedColorScheme, useMantineColorScheme } from "@mantine/core";
import { Suspense } from "react";
import { Link, NavLink, Outlet, ScrollRestoration, useLocation } from "react-router";
import { leave, useSession, useSignOut } from "../api/session";
import type { Session } from "../api/types";
import { paths } from "../lib/paths";
import { Loading } from "../ui/states";
import styles from "./frame.module.css";
import { OpenSearch, Search } from "./search";
import { SessionEnded } from "./session-ended";

/** The doors, and who may enter them. Looking at the catalogue needs no sign-in. */
export function doors(session: Session | null | undefined) {
  const may = (permission: string) => session?.permissions.some((held) => held === permission) ?? false;
  return [
    { to: paths.apis(), label: "Publisher", open: may("api_view") },
    { to: paths.catalogue(), label: "Developer portal", open: true },
    { to: paths.admin(), label: "Admin", open: may("administer") },
  ].filter((door) => door.open);
}

export function Frame() {
  const session = useSession();
  const open = doors(session.data);
  return (
    <>
      <a href="#main" className={styles.skip}>
        Skip to the content
      </a>
      <header className={styles.bar}>
        <div className={styles.inner}>
          <Link to={paths.door()} className={styles.brand}>
            <img src="/favicon.svg" alt="" width="24" height="24" />
            Tidegate
          </Link>
          <nav aria-label="Doors" className={`${styles.doors} wide-only`}>
            {open.map((door) => (
              <NavLink key={door.to} to={door.to}>
                {door.label}
              </NavLink>
            ))}
          </nav>
          <div className={styles.right}>
            <OpenSearch />
            <ThemeSwitch />
            <Account session={session.data} doors={open} />
          </div>
        </div>
      </header>
      <main id="main" className={styles.main} tabIndex={-1}>
        <Suspense fallback={<Loading />}>
          <Outlet />
        </Suspense>
      </main>
      <Search session={session.data ?? null} />
      <SessionEnded />
      <ScrollRestoration />
    </>
  );
}

function ThemeSwitch() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const shown = useComputedColorScheme("light");
  return (
    <Menu>
      <Menu.Target>
        <ActionIcon variant="default" size="lg" aria-label="Theme">
          <span aria-hidden="true">{shown === "dark" ? "☾" : "☀"}</span>
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {(["auto", "light", "dark"] as const).map((scheme) => (
          <Menu.Item
            key={scheme}
            onClick={() => setColorScheme(scheme)}
            rightSection={colorScheme === scheme ? "✓" : null}
          >
            {{ auto: "Like the system", light: "Light", dark: "Dark" }[scheme]}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

function Account(props: { session: Session | null | undefined; doors: ReturnType<typeof doors> }) {
  const signOut = useSignOut();
  const at = useLocation();
  const { session } = props;
  if (session === undefined) return null;
  return (
    <>
      {session === null && at.pathname !== "/sign-in" && (
        <Button component={Link} to={paths.signIn(at.pathname === "/" ? undefined : at.pathname + at.search)}>
          Sign in
        </Button>
      )}
      <span className={session === null ? "narrow-only" : undefined}>
        <Menu position="bottom-end" width={240}>
          <Menu.Target>
            <Button variant="default" aria-label={session ? `Account of ${session.user.username}` : "Menu"}>
              {session ? session.user.username : "☰"}
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            {session && <Menu.Label>Roles: {session.user.roles.join(", ") || "none"}</Menu.Label>}
            <div className="narrow-only">
              {props.doors.map((door) => (
                <Menu.Item key={door.to} component={Link} to={door.to}>
                  {door.label}
                </Menu.Item>
              ))}
              <Menu.Divider />
            </div>
            {session?.permissions.some((held) => held === "app_manage") && (
              <>
                <Menu.Item component={Link} to={paths.applications()}>
                  Applications
                </Menu.Item>
                <Menu.Item component={Link} to={paths.alerts()}>
                  Alerts
                </Menu.Item>
              </>
            )}
            {session && (
              <>
                <Menu.Item component={Link} to={paths.tokens()}>
                  Personal access tokens
                </Menu.Item>
                <Menu.Item component={Link} to={paths.portalSessions()}>
                  Portal sessions
                </Menu.Item>
                <Menu.Item component={Link} to={paths.authorizations()}>
                  Allowed applications
                </Menu.Item>
                {session.user.has_password && (
                  <Menu.Item component={Link} to={paths.password()}>
                    Password
                  </Menu.Item>
                )}
                <Menu.Item
                  onClick={() => signOut.mutate(undefined, { onSuccess: () => leave(paths.door()) })}
                >
                  Sign out
                </Menu.Item>
              </>
            )}
          </Menu.Dropdown>
        </Menu>
      </span>
    </>
  );
}
