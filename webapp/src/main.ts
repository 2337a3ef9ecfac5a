/** Starts the page: the colours first, then everything else. */
import { startTheme } from "./ui/theme";
import "./app";

startTheme();
