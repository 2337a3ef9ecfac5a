"""The host's side of each printer: commands, snapshot, supervision of its link. Knows messages,
never protocol."""
