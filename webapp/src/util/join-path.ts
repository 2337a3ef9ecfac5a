/** Parts of a path put together, empty ones left out. */
export function joinPath(...parts: string[]): string {
  return parts.filter((part) => part !== "").join("/");
}
