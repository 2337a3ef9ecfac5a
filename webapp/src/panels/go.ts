/** Event that asks the shell to show another view; `detail` is its name. */
export const GO = "bp-go";
