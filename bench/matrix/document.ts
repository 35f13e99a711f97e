import type { Cost } from '../kit/phased-load.ts'
import type { Cell, Strategy } from './cells.ts'
import { type CellResult, RATE_PER_SECOND } from './run-cell.ts'

export type Line = { cell: Cell; strategy: Strategy } & (
  | { kind: 'measured'; result: CellResult }
  | { kind: 'broken'; why: string }
)
export type PeerLine = { name: string } & ({ kind: 'measured'; cost: Cost } | { kind: 'broken'; why: string })

const HEAD = `# Every strategy, target and router under load
Written by \`npm run matrix\`; do not edit.

Each line is a release of two instances and the way back by hand, of the program as it is shipped, with ${RATE_PER_SECOND} requests per second from a process of its own: half of them on fresh connections, half on kept ones by a client that never tries again, 10% slow (2 s), one slow upload (3 s) under way at any time, and 20 WebSockets that expect each message back. Lost is what got no complete correct answer, and any 5xx: the app never answers with one. A WebSocket is broken when it ended without a close frame or got a wrong echo.

- Switch: from the decision that moves the last share to the last new request at the old version.
- Rollback: from the order \`sluice rollback\`, as the controller heard it, to the last new request at the version that went. Blue-green has kept the old set; with the others its instances start again first, and a Node process takes a while for that.
- Instances: the most processes of the app that ran at the same time, over deploy and rollback, beside what the plan said for the deploy.
- Times say what this machine did that day. The command ends with 0 only if no line lost a request.`

export function documentOf(
  lines: readonly Line[],
  peers: readonly PeerLine[],
  { date, commit, machine }: { date: string; commit: string; machine: readonly string[] },
): string {
  return [
    HEAD,
    '',
    `Measured on ${date} at commit \`${commit}\`.`,
    '',
    '| strategy | target | router | requests | lost: deploy, rollback | sockets broken | switch | rollback | instances: counted of planned |',
    '|---|---|---|---|---|---|---|---|---|',
    ...lines.map(tableLine),
    '',
    '## Peers',
    'The same app under the same load. Neither moves traffic in steps nor judges anything.',
    '',
    '| what | requests | lost | sockets broken |',
    '|---|---|---|---|',
    ...peers.map(peerLine),
    '',
    ...machine.map((line) => `- ${line}`),
    '',
  ].join('\n')
}

function tableLine(line: Line): string {
  const { strategy, target, router } = line.cell
  const name = line.strategy.hasDowntime ? `${strategy} (stops first, by its nature)` : strategy
  if (line.kind === 'broken')
    return row([name, target, router, `not measured: ${line.why}`, '', '', '', '', ''])
  const { deploy, rollback, switchMs, rollbackMs, peak } = line.result
  return row([
    name,
    target,
    router,
    String(deploy.sent + rollback.sent),
    `${deploy.lost}, ${rollback.lost}`,
    String(deploy.brokenSockets + rollback.brokenSockets),
    ms(switchMs),
    ms(rollbackMs),
    `${peak.counted} of ${peak.planned}`,
  ])
}

const peerLine = (line: PeerLine): string =>
  line.kind === 'broken'
    ? row([line.name, `not measured: ${line.why}`, '', ''])
    : row([line.name, String(line.cost.sent), String(line.cost.lost), String(line.cost.brokenSockets)])

const row = (cells: readonly string[]): string =>
  `| ${cells.map((cell) => cell.replaceAll('|', '/').replaceAll('\n', ' ')).join(' | ')} |`
const ms = (value: number | null): string => (value === null ? 'no request' : `${value} ms`)

/** The app lost nothing and every line was measured; those that stop first are shown and fail nothing. */
export const isClean = (lines: readonly Line[]): boolean =>
  lines.every(
    (line) =>
      line.kind === 'measured' &&
      (line.strategy.hasDowntime === true || line.result.deploy.lost + line.result.rollback.lost === 0),
  )
