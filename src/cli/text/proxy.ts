import type { ProxyAnswer, UpgradeAnswer } from '../answers.ts'
import { type Line, quiet, span, strong } from './line.ts'

/** What an upgrade of the built-in proxy did. */
export const upgradeLine = ({ from, to, pid, processes }: UpgradeAnswer): Line => [
  span('✓ ', 'good'),
  strong(from === to ? `The proxy ${to} was replaced by a new process.` : `The proxy was upgraded to ${to}.`),
  quiet(
    `  ${from === to || from === null ? '' : `It was ${from}. `}pid ${pid}${processes > 1 ? ` leads ${processes} processes` : ''}, no request was lost; the old one ends what it has.`,
  ),
]

/** `null` where the proxy that serves is of the version that is installed. */
export function otherVersionLine({ pid, version, installed }: ProxyAnswer): Line | null {
  if (version === installed) return null
  return [
    span('! ', 'attention'),
    span(
      `The proxy that serves (pid ${pid}) is of ${version === null ? 'an older version' : `version ${version}`}, `,
    ),
    span(`the controller of ${installed}. `),
    quiet('`sluice router upgrade` replaces it without a lost request.'),
  ]
}
