// What every list of many pages has: a search field, and the states of what was found, ending in "Show more". It knows
// the shape of a query by pages, and no query library.
import { Button, TextInput } from "@mantine/core";
import type { ReactNode } from "react";
import { asProblem } from "../api/problem";
import { Stack } from "./page";
import { Loading, ProblemNotice } from "./states";
import styles from "./ui.module.css";

/** A query that reads page after page. */
export interface Paged<T> {
  isPending: boolean;
  isError: boolean;
  error: unknown;
  data: { pages: { items: T[] }[] } | undefined;
  hasNextPage: boolean;
  isFetchingNextPage: boolean;
  refetch: () => unknown;
  fetchNextPage: () => unknown;
}

export function PagedList<T>(props: {
  of: Paged<T>;
  /** What stands there when nothing was found. */
  empty: ReactNode;
  children: (items: T[]) => ReactNode;
}) {
  const { of } = props;
  if (of.isPending) return <Loading />;
  const items = of.data?.pages.flatMap((page) => page.items) ?? [];
  if (of.isError) return <ProblemNotice problem={asProblem(of.error)} onRetry={() => of.refetch()} />;
  if (items.length === 0) return props.empty;
  return (
    <Stack>
      {props.children(items)}
      {of.hasNextPage && (
        <Button variant="default" loading={of.isFetchingNextPage} onClick={() => of.fetchNextPage()}>
          Show more
        </Button>
      )}
    </Stack>
  );
}

export function SearchField(props: {
  label: string;
  placeholder: string;
  value: string;
  onType: (text: string) => void;
}) {
  return (
    <TextInput
      type="search"
      className={styles.search}
      aria-label={props.label}
      placeholder={props.placeholder}
      value={props.value}
      onChange={(event) => props.onType(event.currentTarget.value)}
    />
  );
}
