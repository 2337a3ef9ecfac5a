/** What people call a heater: "Nozzle" (numbered where there are several), "Bed", "Chamber". */
export function heaterName(heater: string, tools = 1): string {
  const tool = /^tool(\d+)$/.exec(heater);
  if (tool) return tools > 1 ? `Nozzle ${Number(tool[1]) + 1}` : "Nozzle";
  return heater.charAt(0).toUpperCase() + heater.slice(1);
}
