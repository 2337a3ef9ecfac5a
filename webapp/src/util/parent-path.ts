/** The folder that holds a path: "parts" of "parts/a.gcode", "" of "a.gcode". */
export function parentPath(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? "" : path.slice(0, slash);
}
