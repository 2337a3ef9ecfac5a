/** The last part of a path: "a.gcode" of "parts/a.gcode". */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
