// The way back to the admin portal's first page, above the title of its other pages.
import { Anchor } from "@mantine/core";
import { Link } from "react-router";
import { paths } from "../../lib/paths";

export const ADMIN_CRUMB = (
  <Anchor key="admin" component={Link} to={paths.admin()} inherit>
    Admin
  </Anchor>
);
