/** One positional argument; `[brackets]` in the help when it may be left out. */
type ArgumentSpec = { name: string; summary: string; required: boolean; choices?: readonly string[] }

/** One option, in the notation of commander: `--timeout <time>`, `-n, --lines <count>`, `--no-watch`. */
type OptionSpec = { flags: string; summary: string }

/** What the help and the completion say about a command. */
export interface CommandAbout {
  /** A sentence or two more than the one in the list of commands. */
  readonly description: string
  readonly arguments: readonly ArgumentSpec[]
  readonly options: readonly OptionSpec[]
  readonly examples: readonly string[]
}

export const GROUPS = ['Start', 'Release', 'Look', 'Look after'] as const
type Group = (typeof GROUPS)[number]

/** A command in the list of commands; the rest of it is loaded only when it is needed. */
export interface CommandListing {
  readonly name: string
  readonly summary: string
  readonly group: Group
  load(): Promise<{ command: CommandAbout }>
}
