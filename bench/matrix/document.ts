import type { Cost } from '../kit/phased-load.ts'
import { type Cell, type Strategy, TARGETS, type Target } from './cells.ts'
import { JOBS_PER_SECOND } from './jobs/jobs.ts'
import { type CellResult, RATE_PER_SECOND } from './run-cell.ts'

export type Line = { cell: Cell; strategy: Strategy } & (CellResult | { kind: 'broken'; why: string })
export type PeerLine = { name: string } & ({ kind: 'measured'; cost: Cost } | { kind: 'broken'; why: string })

/** Of docs/matrix.md. */
export const MATRIX_HEAD = `# Every strategy, target and router under load
Written by \`npm run matrix\`; do not edit.

Each line is a release of two instances and the way back by hand, of the program as it is shipped, with ${RATE_PER_SECOND} requests per second from a process of its own: half of them on fresh connections, half on kept ones, 10% slow (2 s), one slow upload (3 s) under way at any time, and 20 WebSockets that expect each message back. Lost is what got no complete correct answer, and any 5xx: the app never answers with one. A WebSocket is broken when it ended without a close frame or got a wrong echo.

- Sent again: an idle kept connection was reset under a request. The client does what browsers and HTTP libraries do: a request without a body goes out once more (RFC 9110, 9.2.2); with a body it is lost. Behind the built-in proxy and HAProxy this must be 0, so there a client that never tries again loses nothing either. nginx before 1.25 closes idle connections at each reload, and a reload is its one way to change anything, so for nginx it is counted and fails nothing.
- Declared outage: requests that were turned away while the service was closed, as the plan said. They are no part of lost.
- Workers have no requests: lost is a job that a worker took and did not finish. There are ${JOBS_PER_SECOND} jobs per second, a tenth of which take 2 s, and SIGTERM ends a worker in the middle of them.
- Testers ask for the candidate by a header, 20 times a second beside the load.
- "Not possible" says what the plan answered: the router cannot do that, and nothing was changed.
- Switch: from the decision that moves the last share to the last new request (or job) at the old version.
- Rollback: from the order \`sluice rollback\`, as the controller heard it, to the last new request (or job) at the version that went. Blue-green has kept the old set; with the others its instances start again first, and a Node process takes a while for that.
- Instances: the most processes of the app that ran at the same time, over deploy and rollback, beside what the plan said for the deploy. Old workers that finish what they have are counted, too.
- Times say what this machine did that day. The command ends with 0 only if no line lost a request or a job.`

/** Chapters of docs/matrix.md, in their order. */
export const CHAPTERS = [...TARGETS, 'peers'] as const

const TITLES: Record<Target, string> = {
  processes: 'Instances are processes',
  docker: 'Instances are containers of a Docker Engine',
}

export type Measured = { date: string; commit: string; machine: readonly string[] }

export const chapterOf = (target: Target, lines: readonly Line[], measured: Measured): string =>
  [
    `## ${TITLES[target]}`,
    measuredText(measured),
    '',
    '| strategy | router | requests | lost: deploy, rollback | sent again | declared outage | sockets broken | switch | rollback | instances: counted of planned |',
    '|---|---|---|---|---|---|---|---|---|---|',
    ...lines.map(tableLine),
    '',
    ...measured.machine.map((line) => `- ${line}`),
  ].join('\n')

export const peersChapter = (peers: readonly PeerLine[], measured: Measured): string =>
  [
    '## Peers',
    `The same app under the same load. Neither moves traffic in steps nor judges anything. ${measuredText(measured)}`,
    '',
    '| what | requests | lost | sent again | sockets broken |',
    '|---|---|---|---|---|',
    ...peers.map(peerLine),
  ].join('\n')

const measuredText = ({ date, commit }: Measured): string => `Measured on ${date} at commit \`${commit}\`.`

function tableLine(line: Line): string {
  const { strategy, router } = line.cell
  const said = (text: string): string => row([strategy, router, text, '', '', '', '', '', '', ''])
  if (line.kind === 'broken') return said(`not measured: ${line.why}`)
  if (line.kind === 'not-possible') return said(`not possible: ${line.why}`)
  const { deploy, rollback, switchMs, rollbackMs, peak } = line
  const isWork = line.strategy.work === 'jobs'
  return row([
    strategy,
    isWork ? 'none' : router,
    `${deploy.sent + rollback.sent}${isWork ? ' jobs' : ''}`,
    `${deploy.lost}, ${rollback.lost}`,
    isWork ? '' : String(deploy.sentAgain + rollback.sentAgain),
    line.strategy.hasOutage === true ? `${deploy.closed}, ${rollback.closed}` : 'none',
    isWork ? '' : String(deploy.brokenSockets + rollback.brokenSockets),
    ms(switchMs),
    ms(rollbackMs),
    `${peak.counted} of ${peak.planned}`,
  ])
}

function peerLine(line: PeerLine): string {
  if (line.kind === 'broken') return row([line.name, `not measured: ${line.why}`, '', '', ''])
  const { sent, lost, sentAgain, brokenSockets } = line.cost
  return row([line.name, ...[sent, lost, sentAgain, brokenSockets].map(String)])
}

const row = (cells: readonly string[]): string =>
  `| ${cells.map((cell) => cell.replaceAll('|', '/').replaceAll('\n', ' ')).join(' | ')} |`
const ms = (value: number | null): string => (value === null ? 'no request' : `${value} ms`)

/** Nothing was lost; only nginx may reset an idle connection, and only what closes as declared may turn users away. What the built-in proxy cannot do is no strategy of ours. */
export function isClean(line: Line): boolean {
  if (line.kind === 'broken') return false
  if (line.kind === 'not-possible') return line.cell.router !== 'builtin'
  const { deploy, rollback, strategy, cell } = line
  const sum = (of: (way: Cost) => number): number => of(deploy) + of(rollback)
  return (
    sum(({ lost }) => lost) === 0 &&
    (sum(({ sentAgain }) => sentAgain) === 0 || cell.router === 'nginx') &&
    (sum(({ closed }) => closed) === 0 || strategy.hasOutage === true)
  )
}
