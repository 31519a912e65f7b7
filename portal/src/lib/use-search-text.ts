// The text of a search field: kept in the address at once, so that it can be linked and is there on the way back,
// and asked for when the typing pauses. The address changes with the key and never later: a later change would
// overtake a link that was followed meanwhile.
import { useDebouncedValue } from "@mantine/hooks";
import { useState } from "react";
import { useSearchParams } from "react-router";

/** Long enough not to ask for every letter, short enough to answer while typing. */
const PAUSE_MILLIS = 200;

export function useSearchText() {
  const [search, setSearch] = useSearchParams();
  const [typed, setTyped] = useState(search.get("q") ?? "");
  const [asked] = useDebouncedValue(typed.trim(), PAUSE_MILLIS);
  const type = (text: string) => {
    setTyped(text);
    setSearch(text.trim() === "" ? {} : { q: text.trim() }, { replace: true });
  };
  return { typed, asked, type };
}
