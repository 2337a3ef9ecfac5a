/** A temperature in whole degrees without its unit; a dash where it is not known. */
export function formatTemperature(degrees: number | null | undefined): string {
  return degrees === null || degrees === undefined ? "–" : String(Math.round(degrees));
}
