import { expect, it } from "vitest";
import { portName } from "./port-name";

it.each([
  ["VIRTUAL", "Virtual printer"],
  ["/dev/serial/by-id/usb-1a86_USB_Serial-if00", "usb-1a86_USB_Serial-if00"],
  ["/dev/ttyACM0", "/dev/ttyACM0"],
])("%s is shown as %s", (port, name) => {
  expect(portName(port)).toBe(name);
});
