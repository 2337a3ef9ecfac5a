import type { IconName } from "../ui/icons";

/** The views that a narrow screen shows one at a time; a wide one shows them all. */
export type View = "print" | "control" | "files" | "terminal";

export const VIEWS: readonly { readonly view: View; readonly label: string; readonly icon: IconName }[] = [
  { view: "print", label: "Print", icon: "print" },
  { view: "control", label: "Control", icon: "control" },
  { view: "files", label: "Files", icon: "files" },
  { view: "terminal", label: "Terminal", icon: "terminal" },
];

/** The view that a URL's fragment names; the first one where it names none. */
export function viewOf(hash: string): View {
  return VIEWS.find(({ view }) => hash === `#${view}`)?.view ?? "print";
}
