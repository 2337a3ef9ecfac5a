const BY_ID = "/dev/serial/by-id/";

/** What people recognise of a port's name: the device of a stable name, else the name itself. */
export function portName(port: string): string {
  if (port === "VIRTUAL") return "Virtual printer";
  return port.startsWith(BY_ID) ? port.slice(BY_ID.length) : port;
}
