import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const SLUICE = fileURLToPath(new URL('../../tools/bin/sluice.ts', import.meta.url))

export type Terminal = { capture(what: 'plain' | 'colours'): string; close(): void }

/** Runs one command of Sluice in a terminal of its own (a private tmux server). */
export function openTerminal(args: readonly string[], size: { columns: number; rows: number }): Terminal {
  const socket = `sluice-pictures-${process.pid}`
  const tmux = (words: readonly string[]): string =>
    execFileSync('tmux', ['-L', socket, ...words], { encoding: 'utf8' })
  const { columns, rows } = size
  tmux([
    '-f',
    '/dev/null',
    'new-session',
    '-d',
    '-x',
    `${columns}`,
    '-y',
    `${rows}`,
    process.execPath,
    SLUICE,
    ...args,
  ])
  return {
    capture: (what) => tmux(['capture-pane', '-p', ...(what === 'colours' ? ['-e'] : [])]).trimEnd(),
    close: () => void tmux(['kill-server']),
  }
}
