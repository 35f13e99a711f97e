/** Options every command takes, in the notation of commander. */
export const GLOBAL_OPTIONS = [
  { flags: '--config <file>', summary: 'settings file (default: sluice.yaml here or in a folder above)' },
  { flags: '--env <name>', summary: 'environment (default: local)' },
  { flags: '--service <name>', summary: 'service, where the file has several' },
  {
    flags: '--json',
    summary: 'one JSON document a line on standard output, with schemaVersion, for scripts',
  },
  { flags: '--no-color', summary: 'no colours (NO_COLOR works too)' },
  { flags: '--quiet', summary: 'only results and errors' },
  { flags: '--yes', summary: 'agree to what would be asked; only deploy and down ask' },
  { flags: '-h, --help', summary: 'this help' },
] as const

/** Long names of the global options that take a value. */
export const GLOBAL_VALUE_OPTIONS: readonly string[] = ['--config', '--env', '--service']
