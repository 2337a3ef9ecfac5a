/** A length of filament: "840 mm", "4.35 m". */
export function formatLength(millimetres: number): string {
  if (millimetres < 1000) return `${Math.round(millimetres)} mm`;
  return `${(millimetres / 1000).toFixed(2)} m`;
}
