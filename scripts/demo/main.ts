// The demo (`npm start`): a real service is released by canary under real load while you watch; then a bad version is
// released, caught by its own metrics and taken out of traffic. Public commands only, nothing is switched for the demo.
import { type LoadProcess, sluice, startLoad } from './command.ts'
import { type Stage, setStage } from './stage.ts'
import { LOAD_PER_SECOND, LoadSummary, type Released, release } from './story.ts'

/** Promise of the demo: traffic is off the bad version this soon after the verdict. */
const TRAFFIC_OFF_LIMIT_MS = 5000
const PROMOTED = 0
const ROLLED_BACK = 10

const isCi = process.argv.includes('--ci')
const say = (text: string): unknown => process.stdout.write(`\n${text}\n`)

const interrupted = new Promise<void>((resolve) => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve())
})

type Check = { text: string; holds: boolean }

const stage = await setStage()
let load: LoadProcess | null = null
let leaving = false
const story = play(stage).catch(report)
const checks = await Promise.race([story, interrupted.then((): Check[] => [])])
leaving = true
await leave(stage)
process.exit(checks.every(({ holds }) => holds) ? 0 : 1)

/** What went wrong on the stage itself; nobody needs to hear it when they asked the demo to end. */
function report(error: unknown): Check[] {
  if (leaving) return []
  const checks = [{ text: `the demo plays to its end: ${String(error)}`, holds: false }]
  tell(checks)
  return checks
}

async function play({ config, url }: Stage): Promise<Check[]> {
  say(
    '1. Start Sluice for the folder of the example (controller, data plane, agent), then release 1.0.0, the first version.',
  )
  if ((await sluice(['up', '--config', config])) !== 0) throw new Error('`sluice up` failed')
  const first = await release(config, '1.0.0')
  load = startLoad(url, LOAD_PER_SECOND)

  say(
    `2. Users arrive: ${LOAD_PER_SECOND} requests per second on ${url}. Release 1.1.0 by canary: 5%, 25%, 50%, 100%, then a watch.`,
  )
  const good = await release(config, '1.1.0')

  say('3. Release 1.2.0. It fails 5% of the checkouts, and nobody has told Sluice.')
  const bad = await release(config, '1.2.0')

  if (!isCi) await stayUp(config, url)
  const users = LoadSummary.parse(await load.stop())
  load = null
  return judge({ first, good, bad, users })
}

type Facts = { first: Released; good: Released; bad: Released; users: LoadSummary }

function judge({ first, good, bad, users }: Facts): Check[] {
  const lostByProbe = good.loss.probesLost + bad.loss.probesLost
  const checks: Check[] = [
    { text: `1.0.0 serves (exit code ${first.code})`, holds: first.code === PROMOTED },
    { text: `1.1.0 was promoted (exit code ${good.code})`, holds: good.code === PROMOTED },
    { text: `1.2.0 was rolled back (exit code ${bad.code})`, holds: bad.code === ROLLED_BACK },
    {
      text: `${users.lost.count} of ${users.sent} requests of users were lost, ${users.errors} were answered with an error of 1.2.0`,
      holds: users.lost.count === 0 && users.notSent === 0,
    },
    { text: `${lostByProbe} probes were lost`, holds: lostByProbe === 0 },
    {
      text: `traffic was off 1.2.0 ${bad.trafficOffMs ?? '?'} ms after the verdict (limit ${TRAFFIC_OFF_LIMIT_MS} ms)`,
      holds: bad.trafficOffMs !== null && bad.trafficOffMs <= TRAFFIC_OFF_LIMIT_MS,
    },
  ]
  tell(checks)
  return checks
}

function tell(checks: readonly Check[]): void {
  say(checks.map(({ text, holds }) => `${holds ? '✓' : '✗'} ${text}`).join('\n'))
  const passed = checks.filter(({ holds }) => holds).length
  say(`${passed} passed, ${checks.length - passed} failed, 0 skipped`)
}

async function stayUp(config: string, url: string): Promise<void> {
  const at = config.endsWith('examples/shop/sluice.yaml') ? 'examples/shop/sluice.yaml' : config
  say(
    [
      'The bad version is out of traffic and users noticed next to nothing. Everything stays up for you to try, in a second terminal:',
      `  npx sluice deploy 1.3.0 --config ${at}    gets slower with every request`,
      `  npx sluice deploy 1.4.0 --config ${at}    never becomes ready`,
      `  npx sluice status --config ${at}`,
      `  curl -i ${url}/products`,
      'The page (address above) shows the same and has buttons. Ctrl-C here ends everything and leaves nothing behind.',
    ].join('\n'),
  )
  await interrupted
}

/** Ends what the demo started, whatever state it is in. */
async function leave({ config, clear }: Stage): Promise<void> {
  if (!isCi) say('Ending the load, the service and Sluice ...')
  await load?.stop().catch(() => undefined)
  await sluice(['down', '--yes', '--quiet', '--config', config])
  clear()
}
